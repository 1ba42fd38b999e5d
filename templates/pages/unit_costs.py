"""Page 5: what a million tokens costs, who was served, and what was wasted or idle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.pareto import Cause, pareto
from templates.figures.price_rows import Price, PriceAxis, busy_bar, price_axis, price_head, price_key, price_row
from templates.figures.rate_columns import RateMonth, rate_columns
from templates.figures.share_bars import ShareBar, share_bars
from templates.figures.timeline import share_timeline
from templates.pages.headline_metrics import metric
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.price_driver import rate_cause
from templates.table_unit import TableUnit
from warehouse.vocabulary import IDLE_ACCOUNTS

MOST_ACTIVE: Final = 2
MOST_ROWS: Final = {"A4": 12, "letter": 9}
MOST_CAUSES: Final = 8
MOST_RUNS: Final = 6
MOST_GROUPS: Final = 6
MEAN_MONTHS: Final = 3
FEWEST_SHARES: Final = 2
LEAST_TOKENS: Final = 10_000_000
YARDSTICK: Final = 0.9
RATES: Final = ("used", "allocated", "fully_loaded")
DIMENSIONS: Final = ("team", "tenant", "task")


@dataclass(frozen=True)
class UnitRow:
    """One model's month, ready to print."""

    name: str
    figure: Markup | None
    note: str
    rates: tuple[str, str, str]
    change: str
    tokens: tuple[str, str, str]
    busy: Markup | None
    utilization: str


@dataclass(frozen=True)
class WorstRun:
    """One run, ready to print."""

    run: str
    model: str
    cause: str
    gpu_hours: str
    cost: str


@dataclass(frozen=True)
class UnitCosts:
    """Everything that page 5 prints."""

    month: str
    in_month: str
    previous: str
    loaded: Ref | None
    change_ratio: Decimal
    unit_name: str
    unit_article: str
    unit_price: str
    wasted: Ref | None
    wasted_share: Decimal | None
    lead: str
    currency: str
    key: Markup
    head: Markup | None
    rows: tuple[UnitRow, ...]
    everything: UnitRow | None
    others: str
    offers: str
    months: Markup | None
    served: Markup | None
    served_name: str
    causes: Markup | None
    causes_empty: str
    goodput: Markup | None
    runs: tuple[WorstRun, ...]
    more_runs: str
    runs_unit: str


def unit_costs(night: Night) -> UnitCosts:
    """Page 5 of the night."""
    rows = _rows(night, night.subject["month"])
    priced = [row for row in rows if _has_price(row)]
    most = max(MOST_ROWS[night.paper] - 2 * night.squeeze("unit_costs"), 2)
    offers = _offers(night)
    prices = [_price(row, offers) for row in priced[:most]]
    axis = price_axis(prices) if prices else None
    unit_row = _unit_row(rows)
    cost, rate = metric(night, "idle_and_failed"), metric(night, "unit_cost")
    total = night.now["effective_usd"]
    causes = _causes(night)
    runs, more, runs_unit = _runs(night)
    served, served_name = _served_groups(night)
    before = rate["previous_value"]
    return UnitCosts(
        month=night.month,
        in_month=night.in_month,
        previous=night.previous,
        loaded=night.index.get("fully_loaded") if rate["value"] is not None else None,
        change_ratio=(rate["value"] - before) / before if rate["value"] is not None and before else Decimal(0),
        unit_name=unit_row["unit_name"] if unit_row else "",
        unit_article="An" if unit_row and unit_row["unit_name"][:1].lower() in "aeiou" else "A",
        unit_price=night.money.per_mtok(unit_row["allocated_usd_per_unit"]) if unit_row else "",
        wasted=night.index.get("wasted"),
        wasted_share=cost["value"] / total if cost["value"] is not None and total > 0 else None,
        lead=_lead(night, causes),
        currency=night.money.heading,
        key=price_key(any(price.api is not None for price in prices)),
        head=price_head(axis) if axis else None,
        rows=tuple(_row(night, row, axis, offers) for row in rows[:most]),
        everything=_everything(night, rows),
        others=" ".join([_others(rows[most:]), *_active(night, priced[:MOST_ACTIVE])]).strip(),
        offers=" ".join(_offer(night, row) for row in list(offers.values())[:2]),
        months=_months(night),
        served=served,
        served_name=served_name,
        causes=_figure(night, causes),
        causes_empty=night.say("unit_costs", "no_waste", night.title("unit_costs")["title_detail"]),
        goodput=_goodput(night),
        runs=tuple(runs),
        more_runs=more,
        runs_unit=runs_unit,
    )


def _lead(night: Night, causes: list[Row]) -> str:
    index, pools = night.index, night.tables["idle_pools"].sort("position").to_dicts()
    has_price = metric(night, "unit_cost")["value"] is not None
    facts = SimpleNamespace(
        used=index.get("used") if has_price else None, allocated=index.get("mtok_allocated"),
        loaded=index.get("fully_loaded"),
        cause=rate_cause(night), wasted=index.get("wasted"),
        pool=pools[0]["pool_id"] if pools else None, idle=index.get("largest_idle_pool"),
        has_causes=bool(causes), code=night.title("unit_costs")["title_code"],
    )  # fmt: skip
    return night.say("unit_costs", "lead", facts)


def _tokens(row: Row) -> int:
    return int(row["input_tokens"] + row["output_tokens"])


def _has_price(row: Row) -> bool:
    """A price of fewer than ten million tokens is not meaningful; none is known where no cost reaches them."""
    return bool(row["fully_loaded_usd_per_mtok"]) and _tokens(row) >= LEAST_TOKENS


def _rows(night: Night, month: date) -> list[Row]:
    """Models that served, the largest allocated cost first."""
    served = night.tables["unit_costs"].filter(month=month).to_dicts()
    rows = [row for row in served if _tokens(row) or row["units"]]
    return sorted(rows, key=lambda row: (-_cost(row), -_tokens(row), row["model_id"]))


def _cost(row: Row) -> Decimal:
    return (row["allocated_usd_per_mtok"] or Decimal(0)) * _tokens(row)


def _unit_row(rows: list[Row]) -> Row | None:
    with_units = [row for row in rows if row["unit_name"] and row["units"] and row.get("allocated_usd_per_unit")]
    return max(with_units, key=lambda row: (row["used_usd"], row["model_id"]), default=None)


def _offers(night: Night) -> dict[str, Row]:
    """The cheapest price of an API for the tokens of the month that says when it was looked up, by model."""
    rows = night.tables["api_comparisons"].filter(month=night.subject["month"])
    dated = (
        rows.drop_nulls("priced_on")
        .filter(pl.col("allocated_usd_per_mtok") > 0)
        .sort("model_id", "rank", descending=[False, True])
    )
    offer_by_model = {row["model_id"]: row for row in dated.to_dicts()}
    return dict(sorted(offer_by_model.items(), key=lambda one: (-one[1]["build_usd"], one[0])))


def _offer(night: Night, row: Row) -> str:
    return night.say("unit_costs", "offer", row)


def _price(row: Row, offers: dict[str, Row]) -> Price:
    used, allocated, loaded = (float(row[f"{rate}_usd_per_mtok"] or 0) for rate in RATES)
    offer = offers.get(row["model_id"])
    return Price(
        used, max(allocated, used), max(loaded, allocated, used), float(offer["api_usd_per_mtok"]) if offer else None
    )


def _row(night: Night, row: Row, axis: PriceAxis | None, offers: dict[str, Row]) -> UnitRow:
    read, is_priced = row["input_tokens"], _has_price(row) and axis is not None
    used, allocated, loaded = (night.money.per_mtok(row[f"{rate}_usd_per_mtok"]) for rate in RATES)
    words = f"used {used}, allocated {allocated}, fully loaded {loaded}"
    figure = price_row(_price(row, offers), axis, words) if is_priced and axis else None
    busy = row["utilization_ratio"]
    return UnitRow(
        name=formats.fitted(row["model_id"], 76),
        figure=figure,
        note="" if is_priced else night.say("unit_costs", "no_price", row, _tokens(row), LEAST_TOKENS),
        rates=(used, allocated, loaded) if is_priced else (_no_rate(row),) * 3,
        change=_change(night, row) if is_priced else formats.UNKNOWN,
        tokens=(
            formats.tokens(read),
            formats.whole_percent(row["cached_input_tokens"] / read) if read else formats.UNKNOWN,
            formats.tokens(row["output_tokens"]),
        ),
        busy=busy_bar(busy, f"{formats.whole_percent(busy)} busy") if busy is not None else None,
        utilization=formats.whole_percent(busy).removesuffix(f"{formats.NBSP}%"),
    )


def _no_rate(row: Row) -> str:
    return "n.m." if _tokens(row) < LEAST_TOKENS else formats.UNKNOWN


def _everything(night: Night, rows: list[Row]) -> UnitRow | None:
    if not any(_has_price(row) for row in rows):
        return None
    read, cached, written = (
        sum(row[name] for row in rows) for name in ("input_tokens", "cached_input_tokens", "output_tokens")
    )
    refs = [night.index.get(f"mtok_{rate}") for rate in RATES]
    rates = tuple(night.money.per_mtok(ref.value) if ref else formats.UNKNOWN for ref in refs)
    share = formats.whole_percent(cached / read) if read else formats.UNKNOWN
    return UnitRow("All models", None, "", rates, "", (formats.tokens(read), share, formats.tokens(written)), None, "")  # type: ignore[arg-type]


def _change(night: Night, row: Row) -> str:
    """The allocated price against its mean over the three months before, in percent."""
    past = night.tables["unit_costs"].filter(model_id=row["model_id"]).sort("month")
    earlier = [
        float(rate) for month, rate in past.select("month", "allocated_usd_per_mtok").iter_rows()
        if month < night.subject["month"] and rate is not None
    ][-MEAN_MONTHS:]  # fmt: skip
    now = row["allocated_usd_per_mtok"]
    if not earlier or now is None or sum(earlier) <= 0:
        return "new" if not earlier else formats.UNKNOWN
    return formats.whole_percent(float(now) / (sum(earlier) / len(earlier)) - 1, plus="+").removesuffix(
        f"{formats.NBSP}%"
    )


def _others(rows: list[Row]) -> str:
    served = sum(_tokens(row) for row in rows)
    return f"{len(rows):,} more models served {formats.tokens(served)} tokens." if rows else ""


def _active(night: Night, rows: list[Row]) -> list[str]:
    """What of the allocated price is time that the GPUs worked, where DCGM measured it."""
    return [night.say("unit_costs", "active", row) for row in rows if row["active_usd_per_mtok"] is not None]


def _months(night: Night) -> Markup | None:
    """The price of all models month by month, each weighted by its tokens."""
    months = [_rate_month(night, row) for row in night.figures]
    priced_months = [month for month in months if any(month.parts)]
    if not priced_months:
        return None
    used, idle, training = (Decimal(repr(part)) for part in months[-1].parts)
    money = night.money
    labels = (
        money.per_mtok(used + idle + training),
        f"training {money.per_mtok(training)}",
        f"idle, shared {money.per_mtok(idle)}",
        f"used {money.per_mtok(used)}",
    )
    alt = f"Price of a million tokens over {len(months)} months; {night.month}: {labels[0]}, of which {labels[3]}."
    return rate_columns(months, labels, alt)


def _rate_month(night: Night, figures: Row) -> RateMonth:
    month = figures["month"]
    rows = [row for row in _rows(night, month) if row["fully_loaded_usd_per_mtok"] is not None and _tokens(row)]
    weight = sum(_tokens(row) for row in rows)
    weight = weight if weight >= LEAST_TOKENS else 0

    def mean(rate: str) -> float:
        return sum(float(row[f"{rate}_usd_per_mtok"] or 0) * _tokens(row) for row in rows) / weight if weight else 0.0

    used, allocated, loaded = (mean(rate) for rate in RATES)
    is_year_shown = month.month == 1 or month == night.figures[0]["month"]
    return RateMonth(formats.month(month)[0], str(month.year) if is_year_shown else "",
                     (used, max(allocated - used, 0.0), max(loaded - allocated, 0.0)))  # fmt: skip


def _served_groups(night: Night) -> tuple[Markup | None, str]:
    """Who was served, by the first dimension that requests name."""
    rows = night.tables["served_groups"]
    dimension = next((one for one in DIMENSIONS if rows.filter(pl.col("dimension") == one).height), None)
    if dimension is None or not any(rows.filter(pl.col("dimension") == dimension)["used_usd"]):
        return None, ""
    ours = rows.filter(pl.col("dimension") == dimension).to_dicts()
    shown, rest = ours[:MOST_GROUPS], ours[MOST_GROUPS:]
    bars = [_group(night, row, formats.fitted(row["name"], 62, 7.0) if row["name"] else "no label") for row in shown]
    if rest:
        cost, tokens = sum(row["used_usd"] for row in rest), sum(row["tokens"] for row in rest)
        price = cost * 1_000_000 / tokens if tokens else None
        bars.append(_group(night, {"used_usd": cost, "tokens": tokens, "usd_per_mtok": price}, f"{len(rest):,} others"))
    alt = f"Serving cost by {dimension}; the largest is {bars[0].name}, {bars[0].words}."
    return share_bars(bars, (f"{night.money.symbol} a million", "tokens"), alt), dimension


def _group(night: Night, row: Row, name: str) -> ShareBar:
    price = night.money.per_mtok(row["usd_per_mtok"]) if row["tokens"] >= LEAST_TOKENS else "n.m."
    return ShareBar(
        name, float(row["used_usd"]), night.money.short(row["used_usd"]), (price, formats.tokens(row["tokens"]))
    )


def _causes(night: Night) -> list[Row]:
    """Causes of the month by size; what is idle by its pool."""
    pool = pl.when(pl.col("cause").is_in(IDLE_ACCOUNTS)).then("pool_id")
    rows = night.tables["waste"].filter(month=night.subject["month"])
    summed = rows.group_by("cause", pool=pool).agg(pl.col("wasted_usd").sum())
    used = [row for row in summed.to_dicts() if row["wasted_usd"]]
    return sorted(used, key=lambda row: (-row["wasted_usd"], row["cause"], row["pool"] or ""))


def _figure(night: Night, causes: list[Row]) -> Markup | None:
    if not causes:
        return None
    whole = sum((row["wasted_usd"] for row in causes), Decimal(0))
    ranks = dict(night.tables["idle_pools"].select("pool_id", "decision_rank").iter_rows())
    running, bars = Decimal(0), []
    most = max(MOST_CAUSES - night.squeeze("unit_costs"), 3)
    shown, rest = causes[:most], causes[most:]
    for row in shown:
        running += row["wasted_usd"]
        share = formats.whole_percent(running / whole) if whole > 0 else formats.UNKNOWN
        answered = row["pool"] is not None and ranks.get(row["pool"]) is not None and row["cause"] == "idle"
        words = f"{night.money.short(row['wasted_usd'])}{', decision' if answered else ''}"
        bars.append(
            Cause(
                night.say("unit_costs", "cause", row),
                float(row["wasted_usd"]),
                words,
                share,
                row["cause"] in IDLE_ACCOUNTS,
            )
        )
    if rest:
        left = sum((row["wasted_usd"] for row in rest), Decimal(0))
        bars.append(
            Cause(
                f"{len(rest):,} others", float(left), night.money.short(left), formats.whole_percent(1), is_idle=False
            )
        )
    largest = f"{bars[0].name.lower()}, {bars[0].words}"
    alt = f"{night.money.short(whole)} was wasted or idle; the largest cause is {largest}."
    return pareto(bars, alt)


def _goodput(night: Night) -> Markup | None:
    """Goodput month by month; one month alone is no line."""
    ratio_by_month = dict(night.tables["goodput"].select("month", "goodput_ratio").iter_rows())
    months = [row["month"] for row in night.figures]
    shares = [ratio_by_month.get(month) for month in months]
    if sum(share is not None for share in shares) < FEWEST_SHARES or not night.tables["training_runs"].height:
        return None
    last = [share for share in shares if share is not None][-1]
    words = formats.percent(last)
    alt = f"Share of training GPU time that made progress over {len(months)} months; last {words}, yardstick 90 %."
    return share_timeline([formats.month_tick(month) for month in months], shares, YARDSTICK, words, alt)


def _runs(night: Night) -> tuple[Iterator[WorstRun], str, str]:
    rows = night.tables["run_spend"].filter(month=night.subject["month"]).to_dicts()
    lost = sorted((row for row in rows if row["wasted_usd"] > 0), key=lambda row: (-row["wasted_usd"], row["run_id"]))
    unit = TableUnit.of(night.money, [row["wasted_usd"] for row in lost])
    most = max(MOST_RUNS - night.squeeze("unit_costs"), 1)
    shown = (
        WorstRun(
            run=formats.fitted(row["run_name"] or row["run_id"], 130),
            model=formats.fitted(row["model_id"], 80),
            cause=night.say("unit_costs", "run_cause", row["cause"]),
            gpu_hours=formats.plain(row["gpu_seconds"] * row["wasted_ratio"] / 3600),
            cost=unit.cell(row["wasted_usd"]),
        )
        for row in lost[:most]
    )
    rest = sum((row["wasted_usd"] for row in lost[most:]), Decimal(0))
    more = f"{len(lost) - most:,} more runs lost {night.money.short(rest)}." if len(lost) > most else ""
    return shown, more, unit.words
