"""What became of each recommendation: acted on or not, and what it then saved against what was predicted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.data_cutoff import last_known_day
from transforms.decisions.demand.demand_draws import DAYS_PER_MONTH
from transforms.decisions.dollars import rows_in_cents
from warehouse.schemas.decisions import TrackRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOW_DAYS: Final = 28
# Share of what was to move, or to be saved, from which a recommendation counts as acted on.
_ACTED: Final = 0.5
# Nights without it after which a recommendation counts as withdrawn.
_STALE_DAYS: Final = 7
_SUBJECT: Final = ("model_id", "task", "pool_id", "action")
_PREDICTED: Final = ("monthly_saving_usd_p10", "monthly_saving_usd_p50", "monthly_saving_usd_p90")


@dataclass(frozen=True)
class _Books:
    """What was served and spent, to look back into: to the night, or to the last day that is known."""

    as_of: dt.date
    known_to: dt.date
    service: pl.DataFrame
    tasks: pl.DataFrame
    idle: pl.DataFrame
    heirs: pl.DataFrame

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

    def idle_cost(self, end: dt.date, pool_id: str) -> float:
        """Idle and unused cost of a pool in the four weeks to `end`, as a month."""
        return _monthly(_window(self.idle.filter(pl.col("pool_id") == pool_id), end), "usd")


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

    Realised is at direct cost: what moved, times the price it was served at before less the price it is served at now.
    A day that telemetry or the bill has not told of yet is unknown, not zero: now is the four weeks to the last known
    day, and a card whose own night is not known yet is not judged at all.
    """
    books = _books(
        settings, models, daily_service, daily_spend, task_days, last_known_day(demand_states, settings)
    )  # fmt: skip
    asked = past_recommendations.filter(pl.col("action") != "hold", pl.col("night") < books.as_of)
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
) -> _Books:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    idle = daily_spend.filter(pl.col("account").is_in(["idle", "commitment_unused"]))
    heirs = models.filter(pl.col("released_on").is_not_null())
    parents = [
        heirs.select("model_id", "released_on", parent=column) for column in ("base_model_id", "teacher_model_id")
    ]
    return _Books(
        settings.item(0, "as_of"),
        known_to,
        daily_service.select("day", "model_id", tokens=tokens, usd=pl.col("inference_usd").cast(pl.Float64)),
        task_days.select("day", "model_id", "task", pl.col("tokens").cast(pl.Float64)),
        idle.select("pool_id", day="charge_date", usd=pl.col("effective_usd").cast(pl.Float64)),
        pl.concat(parents).drop_nulls("parent"),
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
    heirs = books.heirs.filter(pl.col("parent") == card["model_id"], pl.col("released_on") > card["night"])
    names = sorted(set(heirs.get_column("model_id").to_list()))
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
    """What moved, times the old price less the new one; a model that stopped without an heir saves what it cost."""
    old = books.price(card["night"], card["model_id"])
    if not gained:
        return books.cost(card["night"], card["model_id"])[1] - books.cost(books.known_to, card["model_id"])[1]
    return sum(tokens * ((old or 0.0) - (books.price(books.known_to, name) or 0.0)) for name, tokens in gained.items())


def _cheaper(card: Mapping[str, Any], books: _Books) -> tuple[float, float, str]:
    """Fall of a pool's idle cost, or of a model's price at today's tokens, against what was predicted."""
    predicted = max(float(card["monthly_saving_usd_p50"] or 0), 1.0)
    if card["action"] == "release_capacity":
        before, now = (books.idle_cost(end, card["pool_id"]) for end in (card["night"], books.known_to))
        return (
            before - now,
            (before - now) / predicted,
            f"idle and unused cost {now:,.0f} a month, {before:,.0f} before",
        )
    old, new = (books.price(end, card["model_id"]) for end in (card["night"], books.known_to))
    if old is None or new is None:
        return 0.0, 0.0, f"{card['model_id']} served nothing before or since"
    saved = (old - new) * books.cost(books.known_to, card["model_id"])[0]
    return saved, saved / predicted, f"a million tokens cost {new * 1e6:.4g}, {old * 1e6:.4g} before"
