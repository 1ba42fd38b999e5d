"""What became of each recommendation: acted on or not, and what it then saved against what was predicted."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.data_cutoff import last_known_day
from transforms.decisions.dollars import rows_in_cents
from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.decisions import TrackRecord
from warehouse.vocabulary import IDLE_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WINDOW_DAYS: Final = 28
# Share of what was to move, or to be saved, from which a recommendation counts as acted on.
_ACTED: Final = 0.5
# Nights without it after which a recommendation counts as withdrawn.
_STALE_DAYS: Final = 7
_YEAR: Final = dt.timedelta(days=364)
_LEAST_CHANGE: Final = 0.05
_BY_USE: Final = "by use: "
_SUBJECT: Final = ("model_id", "task", "pool_id", "action")
_PREDICTED: Final = ("monthly_saving_usd_p10", "monthly_saving_usd_p50", "monthly_saving_usd_p90")


@dataclass(frozen=True)
class _Books:
    """What was served and spent, to look back into: to the night, or to the last day that is known."""

    as_of: dt.date
    known_to: dt.date
    service: pl.DataFrame
    tasks: pl.DataFrame
    payments: pl.DataFrame
    descendants: pl.DataFrame
    released: frozenset[str]

    def cost(self, end: dt.date, model_id: str) -> tuple[float, float]:
        """Tokens and inference cost of a model in the four weeks to `end`, as a month."""
        rows = _window(self.service.filter(pl.col("model_id") == model_id), end)
        return _monthly(rows, "tokens"), _monthly(rows, "usd")

    def price(self, end: dt.date, model_id: str) -> float | None:
        """USD of direct inference per token in the four weeks to `end`."""
        tokens, usd = self.cost(end, model_id)
        return usd / tokens if tokens > 0 else None

    def task_tokens(self, end: dt.date, task: str | None) -> dict[str, float]:
        """Tokens of a task by model in the four weeks to `end`, as a month."""
        rows = _window(self.tasks.filter(pl.col("task").eq_missing(task)), end)
        return {str(key[0]): _monthly(part, "tokens") for key, part in rows.group_by("model_id")}

    def paid(self, end: dt.date, pool: str) -> Payments:
        """What a pool was paid in the four weeks to `end`, as a month: by model, and idle or unused."""
        rows = _window(self.payments.filter(pl.col("pool") == pool), end)
        used = rows.filter(pl.col("model_id").is_not_null()).group_by("model_id").agg(pl.col("usd").sum())
        month = DAYS_PER_MONTH / _WINDOW_DAYS
        models = {str(name): float(usd) * month for name, usd in used.iter_rows()}
        return Payments(models, _monthly(rows.filter(pl.col("model_id").is_null()), "usd"))

    def pools(self, end: dt.date, model_id: str) -> list[str]:
        """The pools that served a model in the four weeks to `end`."""
        rows = _window(self.payments.filter(pl.col("model_id") == model_id), end)
        return sorted(rows.filter(pl.col("usd") > 0).get_column("pool").unique().to_list())

    def earlier(self, end: dt.date) -> dt.date:
        """A year before `end`, or the first day to which four weeks are known."""
        first = self.service.get_column("day").min()
        first_full = first + dt.timedelta(days=_WINDOW_DAYS - 1) if isinstance(first, dt.date) else end
        return min(max(end - _YEAR, first_full), end)

    def use_by_tokens(self, end: dt.date, model_id: str) -> float:
        """How far a model's cost followed its tokens over the year before: as tokens to a power of 0 to 1."""
        (had, paid), (has, pays) = self.cost(self.earlier(end), model_id), self.cost(end, model_id)
        if min(had, has, paid, pays) <= 0 or abs(math.log(has / had)) < _LEAST_CHANGE:
            return 0.0
        return min(max(math.log(pays / paid) / math.log(has / had), 0.0), 1.0)

    def paid_by_use(self, end: dt.date, pool: str) -> float:
        """How far payments of a pool followed its use over the year before: 0 of a fixed fleet, 1 of one on demand."""
        before, now = self.paid(self.earlier(end), pool), self.paid(end, pool)
        used = now.used - before.used
        if abs(used) <= _LEAST_CHANGE * max(now.used, before.used):
            return 0.0
        return min(max((now.total - before.total) / used, 0.0), 1.0)


@dataclass(frozen=True)
class Payments:
    """What one pool was paid in a month: direct inference by model, and what was idle or unused."""

    models: Mapping[str, float]
    idle: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.used + self.idle

    @property
    def used(self) -> float:
        """What models were served for."""
        return sum(self.models.values())

    def others(self, model_id: str) -> float:
        """What other models were served for."""
        return sum(usd for name, usd in self.models.items() if name != model_id)


def track_record(
    settings: pl.DataFrame,
    past_recommendations: pl.DataFrame,
    models: pl.DataFrame,
    daily_service: pl.DataFrame,
    daily_spend: pl.DataFrame,
    task_days: pl.DataFrame,
    demand_states: pl.DataFrame,
) -> pl.DataFrame:
    """One past recommendation from the first night that published it, and what became of it.

    Realised is cash: what the pools would have been paid without it, less what they are paid. Without it they would
    have been paid what they were on the night of the card, and for the demand since as far as payments had followed use
    before. Tokens that left GPUs that are still paid have saved nothing.
    A day that telemetry or the bill has not told of yet is unknown, not zero: now is the four weeks to the last known
    day, and a card whose own night is not known yet is not judged at all.
    """
    as_of, known_to = settings.item(0, "as_of"), last_known_day(demand_states, settings)
    asked = past_recommendations.filter(pl.col("action") != "hold", pl.col("night") < as_of)
    released = asked.filter(pl.col("action") == "release_capacity").get_column("pool_id").drop_nulls()
    books = _books(settings, models, daily_service, daily_spend, task_days, known_to, frozenset(released))
    cards = (
        asked.sort("night", "rank")
        .group_by(_SUBJECT, maintain_order=True)
        .agg(
            pl.col("night").first(),
            pl.col("night").last().alias("last_night"),
            pl.col(_PREDICTED).first().cast(pl.Float64),
        )
    )
    rows = [_followed(card, books) for card in cards.to_dicts()]
    return TrackRecord.frame(rows_in_cents(TrackRecord, rows).sort("recommended_as_of", *_SUBJECT, nulls_last=True))


def _books(
    settings: pl.DataFrame,
    models: pl.DataFrame,
    daily_service: pl.DataFrame,
    daily_spend: pl.DataFrame,
    task_days: pl.DataFrame,
    known_to: dt.date,
    released: frozenset[str],
) -> _Books:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    is_serving = (pl.col("account") == "direct") & (pl.col("phase") == "inference")
    is_idle = pl.col("account").is_in(IDLE_ACCOUNTS) & pl.col("pool_id").is_not_null()
    # what is bought by use without a pool, an API, is a pool of its model alone
    bought = pl.concat_str(pl.lit(_BY_USE), "model_id")
    payments = daily_spend.filter(is_serving | is_idle).select(
        day="charge_date",
        pool=pl.coalesce("pool_id", bought),
        model_id=pl.when(is_serving).then("model_id"),
        usd=pl.col("effective_usd").cast(pl.Float64),
    )
    descendants = models.filter(pl.col("released_on").is_not_null())
    parents = [
        descendants.select("model_id", "released_on", parent=column) for column in ("base_model_id", "teacher_model_id")
    ]
    return _Books(
        settings.item(0, "as_of"),
        known_to,
        daily_service.select("day", "model_id", tokens=tokens, usd=pl.col("inference_usd").cast(pl.Float64)),
        task_days.select("day", "model_id", "task", pl.col("tokens").cast(pl.Float64)),
        payments,
        pl.concat(parents).drop_nulls("parent"),
        released,
    )


def _window(rows: pl.DataFrame, end: dt.date) -> pl.DataFrame:
    return rows.filter(pl.col("day") <= end, pl.col("day") > end - dt.timedelta(days=_WINDOW_DAYS))


def _monthly(rows: pl.DataFrame, column: str) -> float:
    return float(rows.get_column(column).sum()) / _WINDOW_DAYS * DAYS_PER_MONTH


def _followed(card: Mapping[str, Any], books: _Books) -> dict[str, Any]:
    predicted = dict(
        zip(("predicted_usd_p10", "predicted_usd_p50", "predicted_usd_p90"), map(card.get, _PREDICTED), strict=True)
    )
    row = {name: card[name] for name in _SUBJECT} | {"recommended_as_of": card["night"]} | predicted
    is_known = card["night"] <= books.known_to
    realised, share, reason = _realised(card, books) if is_known else (0.0, 0.0, f"known to {books.known_to} only")
    if share < _ACTED:
        is_stale = (books.as_of - card["last_night"]).days > _STALE_DAYS
        return row | {"state": "withdrawn" if is_stale else "open", "reason": reason}
    is_settled = (books.known_to - card["night"]).days >= 2 * _WINDOW_DAYS
    low, high = card["monthly_saving_usd_p10"], card["monthly_saving_usd_p90"]
    within = None if low is None or high is None else float(low) <= realised <= float(high)
    return row | {
        "realised_usd": round(realised, 2),
        "is_within": within if is_settled else None,
        "state": "realised" if is_settled else "acted",
        "reason": reason,
    }


def _realised(card: Mapping[str, Any], books: _Books) -> tuple[float, float, str]:
    """Saving of the last four weeks as a month, the share that was acted on, and how that is known."""
    if card["action"] in {"route", "distil"}:
        return _moved_task(card, books)
    if card["action"] in {"retrain_smaller", "retire"}:
        return _moved_model(card, books)
    return _cheaper(card, books)


def _moved_task(card: Mapping[str, Any], books: _Books) -> tuple[float, float, str]:
    before, now = (books.task_tokens(end, card["task"]) for end in (card["night"], books.known_to))
    had, has = (tokens.get(card["model_id"], 0.0) / max(sum(tokens.values()), 1.0) for tokens in (before, now))
    takers = {name: now[name] - before.get(name, 0.0) for name in now if name != card["model_id"]}
    gained = {name: tokens for name, tokens in sorted(takers.items()) if tokens > 0}
    share = 1 - has / had if had > 0 and gained else 0.0
    return _saved(card, books, gained), share, f"{card['model_id']} serves {has:.0%} of the task, {had:.0%} before"


def _moved_model(card: Mapping[str, Any], books: _Books) -> tuple[float, float, str]:
    descendants = books.descendants.filter(pl.col("parent") == card["model_id"], pl.col("released_on") > card["night"])
    names = sorted(set(descendants.get_column("model_id").to_list()))
    before, now = (books.cost(end, card["model_id"])[0] for end in (card["night"], books.known_to))
    gained = {name: books.cost(books.known_to, name)[0] for name in names}
    share = 1 - now / before if before > 0 and (card["action"] == "retire" or any(gained.values())) else 0.0
    heard = f"successors since: {', '.join(names) or 'none'}"
    return (
        _saved(card, books, gained),
        share,
        f"{card['model_id']} serves {max(1 - share, 0):.0%} of what it did; {heard}",
    )


def _saved(card: Mapping[str, Any], books: _Books, gained: Mapping[str, float]) -> float:
    """Cash of the model's pools without the card, less what they are paid and what the takers cost more elsewhere."""
    model_id, pools = card["model_id"], books.pools(card["night"], card["model_id"])
    had, has = (books.cost(end, model_id)[0] for end in (card["night"], books.known_to))
    grown, follows = (has + sum(gained.values())) / max(had, 1.0), books.use_by_tokens(card["night"], model_id)
    growth = {pool: grown if pool.startswith(_BY_USE) else grown**follows for pool in pools}
    ended = sum(_ended(books, card, pool, growth[pool], gained) for pool in pools)
    return ended - sum(_taken(books, card, name, tokens, pools) for name, tokens in gained.items())


def _ended(books: _Books, card: Mapping[str, Any], pool: str, grown: float, gained: Mapping[str, float]) -> float:
    """Payments of one pool that have ended: no more than what the model no longer uses, and idle that went with it.

    Idle that a card of its own was to release is that card's.
    """
    model_id = card["model_id"]
    before, now = books.paid(card["night"], pool), books.paid(books.known_to, pool)
    moved_here = sum(
        min(tokens * (books.price(books.known_to, name) or 0.0), now.models.get(name, 0.0))
        for name, tokens in gained.items()
    )
    own = before.models.get(model_id, 0.0) * grown
    by_use = 1.0 if pool.startswith(_BY_USE) else books.paid_by_use(card["night"], pool)
    without = before.total + by_use * (own + now.others(model_id) - moved_here - before.used)
    freed = max(own - now.models.get(model_id, 0.0), 0.0)
    # GPUs that a falling demand would have left idle on a fleet that does not follow it
    idle = before.idle + (1 - by_use) * (before.models.get(model_id, 0.0) - own)
    gone = 0.0 if pool in books.released else max(idle - now.idle, 0.0)
    return min(without - now.total, freed + gone)


def _taken(books: _Books, card: Mapping[str, Any], name: str, tokens: float, pools: Sequence[str]) -> float:
    """What a taker's other pools are paid more, at most what its new tokens cost at its price."""
    own = [pool for pool in books.pools(books.known_to, name) if pool not in pools]
    more = sum(books.paid(books.known_to, pool).total - books.paid(card["night"], pool).total for pool in own)
    return min(max(more, 0.0), tokens * (books.price(books.known_to, name) or 0.0))


def _cheaper(card: Mapping[str, Any], books: _Books) -> tuple[float, float, str]:
    """Payments of a pool's idle GPUs, or of a model's pools at today's tokens, against what was predicted."""
    predicted = max(float(card["monthly_saving_usd_p50"] or 0), 1.0)
    if card["action"] == "release_capacity":
        before, now = (books.paid(end, card["pool_id"]) for end in (card["night"], books.known_to))
        use = (now.used - before.used) * books.paid_by_use(card["night"], card["pool_id"])
        saved = before.total + use - now.total
        return saved, saved / predicted, f"idle and unused cost {now.idle:,.0f} a month, {before.idle:,.0f} before"
    old, new = (books.price(end, card["model_id"]) for end in (card["night"], books.known_to))
    if old is None or new is None:
        return 0.0, 0.0, f"{card['model_id']} served nothing before or since"
    saved = _saved(card, books, {})
    return saved, saved / predicted, f"a million tokens cost {new * 1e6:.4g}, {old * 1e6:.4g} before"
