"""Page 4: what a million tokens costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.unit_bars import UnitBar, cut_bars, unit_bars
from templates.figures.utilization import Use, utilization_scatter
from templates.pages.changes import Change
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.price_driver import rate_cause

MOST_ROWS: Final = {"A4": 12, "letter": 9}
MEAN_MONTHS: Final = 3
NAME_WIDTH: Final = 82.0
MOST_OFFERS: Final = 2
RATES: Final = ("used", "allocated", "fully_loaded")


@dataclass(frozen=True)
class UnitRow:
    """One model's month, ready to print."""

    name: str
    rates: tuple[str, str, str]
    tokens: tuple[str, str, str]
    cache: str
    utilization: str
    change: str
    coverage: str


@dataclass(frozen=True)
class UnitEconomics:
    """Everything that page 4 prints."""

    month: str
    previous: str
    has_tokens: bool
    unit_name: str
    unit_price: str
    change: Change | None
    cause: str
    loaded: Ref | None
    allocated: Ref | None
    used: Ref | None
    cheapest: str
    dearest: str
    bars: Markup | None
    bar_notes: tuple[str, ...]
    scatter: Markup | None
    rows: tuple[UnitRow, ...]
    others: str
    currency: str

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        is_because = bool(self.cause) and self.change is not None and self.change.direction in {"up", "down"}
        return (self.loaded,) if is_because else (self.loaded, self.used)


def unit_economics(night: Night) -> UnitEconomics:
    """Page 4 of the night."""
    rows = _rows(night, night.subject["month"])
    priced = [row for row in rows if row["fully_loaded_usd_per_mtok"] is not None]
    ordered = sorted(priced, key=lambda row: (row["fully_loaded_usd_per_mtok"], row["model_id"]))
    before = night.before["fully_loaded_usd_per_mtok"] if night.before else None
    unit_row = _unit_row(rows)
    most = _most(night, priced)
    bars = _bars(night, priced[:most])
    return UnitEconomics(
        month=night.month,
        previous=night.previous,
        has_tokens=bool(priced),
        unit_name=formats.name(unit_row["unit_name"], 16) if unit_row else "",
        unit_price=night.money.per_mtok(unit_row["allocated_usd_per_unit"]) if unit_row else "",
        change=Change.of(night.now["fully_loaded_usd_per_mtok"], before),
        cause=rate_cause(night),
        loaded=night.index.get("mtok_fully_loaded"),
        allocated=night.index.get("mtok_allocated"),
        used=night.index.get("mtok_used"),
        cheapest=_extreme(night, ordered[:1]),
        dearest=_extreme(night, ordered[-1:]),
        bars=_figure(night, priced[:most], bars),
        bar_notes=tuple(_bar_notes(night, bars)),
        scatter=_scatter(night, priced[:most]),
        rows=tuple(_row(night, row) for row in rows[:most]),
        others=_others(rows[most:]),
        currency=night.money.heading,
    )


def _most(night: Night, priced: list[Row]) -> int:
    """How many models have room; a note below the bars takes that of one."""
    most = MOST_ROWS[night.paper]
    return most - any(_bar_notes(night, _bars(night, priced[:most])))


def _served(row: Row) -> int:
    return int(row["input_tokens"] + row["output_tokens"])


def _rows(night: Night, month: date) -> list[Row]:
    rows = [row for row in night.tables["unit_costs"].filter(month=month).to_dicts() if _served(row) or row["units"]]
    return sorted(rows, key=lambda row: (-_cost(row), -_served(row), row["model_id"]))


def _cost(row: Row) -> Decimal:
    return (row["allocated_usd_per_mtok"] or Decimal(0)) * _served(row)


def _unit_row(rows: list[Row]) -> Row | None:
    with_units = [row for row in rows if row["unit_name"] and row["units"] and row.get("allocated_usd_per_unit")]
    return max(with_units, key=lambda row: (row["used_usd"], row["model_id"]), default=None)


def _extreme(night: Night, rows: list[Row]) -> str:
    return (
        f"{formats.name(rows[0]['model_id'], 18)} at {night.money.per_mtok(rows[0]['fully_loaded_usd_per_mtok'])}"
        if rows
        else ""
    )


def _offers(night: Night) -> dict[str, Row]:
    """The cheapest price of an API for the tokens of the month that says when it was looked up, by model."""
    rows = night.tables["api_comparisons"].filter(month=night.subject["month"])
    dated = rows.drop_nulls("priced_on").sort("model_id", "rank", descending=[False, True])
    return {row["model_id"]: row for row in dated.to_dicts()}


def _bars(night: Night, rows: list[Row]) -> list[UnitBar]:
    offers = _offers(night)
    return [
        UnitBar(
            formats.fitted(row["model_id"], 98),
            _parts(row),
            night.money.per_mtok(row["fully_loaded_usd_per_mtok"]),
            float(offers[row["model_id"]]["api_usd_per_mtok"]) if row["model_id"] in offers else None,
        )
        for row in rows
    ]


def _figure(night: Night, rows: list[Row], bars: list[UnitBar]) -> Markup | None:
    if not bars:
        return None
    dearest = max(rows, key=lambda row: (row["fully_loaded_usd_per_mtok"], row["model_id"]))
    alt = (
        f"Cost of a million tokens of {len(bars)} models; the dearest is {formats.name(dearest['model_id'], 18)} at "
        f"{night.money.per_mtok(dearest['fully_loaded_usd_per_mtok'])}."
    )
    return unit_bars(bars, alt)


def _bar_notes(night: Night, bars: list[UnitBar]) -> Iterator[str]:
    """What the ticks say of building and buying, and which bars leave the axis."""
    offers = sorted(_offers(night).values(), key=lambda row: (-row["build_usd"], row["model_id"]))
    if offers:
        named = "; ".join(_offer(night, row) for row in offers[:MOST_OFFERS])
        more = f"; {len(offers) - MOST_OFFERS:,} more in economics.api_comparisons" if offers[MOST_OFFERS:] else ""
        yield f"Tick: the cheapest dated API price of the same tokens, against allocated cost: {named}{more}."
    cut = [bar.name for bar in cut_bars(bars)]
    if cut:
        words = "is cut:" if len(cut) == 1 else "are cut: each is"
        yield f"{' and '.join(cut)} {words} more than five times the longest of the others, which set the axis."


def _offer(night: Night, row: Row) -> str:
    api, own = (night.money.per_mtok(row[f"{side}_usd_per_mtok"]) for side in ("api", "allocated"))
    ratio = row["buy_ratio"]
    gap = "" if ratio is None else f", {formats.whole_percent(abs(ratio - 1))} {'less' if ratio < 1 else 'more'}"
    where = formats.name(row["provider"], 24)
    return f"{formats.name(row['model_id'], 18)} {api} at {where} ({formats.day(row['priced_on'])}) for {own}{gap}"


def _parts(row: Row) -> tuple[float, float, float, float]:
    used, allocated, loaded = (float(row[f"{rate}_usd_per_mtok"] or 0) for rate in RATES)
    idle = row["idle_share_usd_per_mtok"]
    idle_part = float(idle) if idle is not None else allocated - used
    return used, idle_part, max(allocated - used - idle_part, 0.0), max(loaded - allocated, 0.0)


def _scatter(night: Night, rows: list[Row]) -> Markup | None:
    known = [row for row in rows if row["utilization_ratio"] is not None and (row["used_usd_per_mtok"] or 0) > 0]
    if not known:
        return None
    uses = [
        Use(formats.fitted(row["model_id"], 54, 6.8), row["utilization_ratio"], float(row["used_usd_per_mtok"]),
            f"{formats.whole_percent(row['utilization_ratio'])}, {night.money.per_mtok(row['used_usd_per_mtok'])}")
        for row in known
    ]  # fmt: skip
    busiest = max(known, key=lambda row: (row["utilization_ratio"], row["model_id"]))
    alt = (
        f"Utilisation against used price of {len(uses)} models; {formats.name(busiest['model_id'], 18)} is busiest at "
        f"{formats.whole_percent(busiest['utilization_ratio'])}."
    )
    return utilization_scatter(uses, night.money.symbol, alt)


def _row(night: Night, row: Row) -> UnitRow:
    used, allocated, loaded = (night.money.per_mtok(row[f"{rate}_usd_per_mtok"]) for rate in RATES)
    read = row["input_tokens"]
    return UnitRow(
        name=formats.fitted(row["model_id"], NAME_WIDTH),
        rates=(used, allocated, loaded),
        tokens=(
            formats.tokens(read - row["cached_input_tokens"]),
            formats.tokens(row["cached_input_tokens"]),
            formats.tokens(row["output_tokens"]),
        ),
        cache=formats.whole_percent(row["cached_input_tokens"] / read) if read else formats.UNKNOWN,
        utilization=formats.whole_percent(row["utilization_ratio"]),
        change=_change(night, row),
        coverage=formats.whole_percent(row.get("usage_ratio")),
    )


def _change(night: Night, row: Row) -> str:
    """The allocated price against its mean over the three months before."""
    past = night.tables["unit_costs"].filter(model_id=row["model_id"]).sort("month")
    earlier = [
        float(rate) for month, rate in past.select("month", "allocated_usd_per_mtok").iter_rows()
        if month < night.subject["month"] and rate is not None
    ][-MEAN_MONTHS:]  # fmt: skip
    now = row["allocated_usd_per_mtok"]
    if not earlier or now is None or sum(earlier) <= 0:
        return formats.UNKNOWN
    return formats.whole_percent(float(now) / (sum(earlier) / len(earlier)) - 1, plus="+")


def _others(rows: list[Row]) -> str:
    served = sum(_served(row) for row in rows)
    return f"{len(rows):,} more models served {formats.tokens(served)} tokens." if rows else ""
