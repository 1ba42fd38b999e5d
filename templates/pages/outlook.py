"""Page 8: where it is going."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.fan import FanEvent, FanMonth, fan
from templates.pages.changes import Change
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_EVENTS: Final = 4
EVENT_WORDS: Final = {
    "release": ("{} is released", "models are released"),
    "retirement": ("{} retires", "models retire"),
    "commitment_ends": ("{} ends", "commitments end"),
}


@dataclass(frozen=True)
class QuarterRow:
    """One quarter, ready to print."""

    name: str
    actual: str
    low: str
    median: str
    high: str
    plan: str
    within: str


@dataclass(frozen=True)
class Outlook:
    """Everything that page 8 prints."""

    quarter: str
    median: Ref | None
    low: Ref | None
    high: Ref | None
    plan: Change | None
    plan_ref: Ref | None
    within: Ref | None
    figure: Markup | None
    unit: str
    rows: tuple[QuarterRow, ...]
    table_unit: str
    error: str
    naive_error: str
    coverage: str
    folds: str
    is_tested: bool
    method: str
    event_note: str
    late: str

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        has_range = self.low is not None and self.high is not None and self.low.value != self.high.value
        if self.plan:
            return self.median, self.within
        return (self.median, self.low, self.high) if has_range else (self.median,)


def outlook(night: Night) -> Outlook:
    """Page 8 of the night."""
    quarters = night.tables["quarters"].sort("quarter").to_dicts()
    first: Row = quarters[0]
    amounts = [row[f"expected_usd_{p}"] for row in quarters for p in ("p10", "p50", "p90")]
    unit = TableUnit.of(night.money, amounts)
    state = _state(night)
    figure, words = _figure(night)
    index = night.index
    return Outlook(
        quarter=_name(first["quarter"]),
        median=index.get("quarter_p50"),
        low=index.get("quarter_p10"),
        high=index.get("quarter_p90"),
        plan=_against_plan(night, first),
        plan_ref=index.get("quarter_plan"),
        within=index.get("quarter_within"),
        figure=figure,
        unit=words,
        rows=tuple(_row(row, unit) for row in quarters),
        table_unit=unit.words,
        error=formats.percent(state["mape_ratio"]),
        naive_error=formats.percent(state["naive_mape_ratio"]),
        coverage=formats.whole_percent(state["coverage_ratio"]),
        folds=formats.plain(state["folds"]),
        is_tested=bool(state["folds"]),
        method=str(state["method"]).replace("_", " "),
        event_note=_event_note(night),
        late=_late(state),
    )


def _against_plan(night: Night, row: Row) -> Change | None:
    change = Change.of(row["expected_usd_p50"], row["plan_usd"], night.subject["materiality_usd"])
    return change if change is not None and change.ratio is not None else None


def _state(night: Night) -> Row:
    rows = night.tables["demand_states"].filter(pl.col("model_id") == "*", pl.col("quantity") == "inference_usd")
    return rows.sort("known_on").row(-1, named=True)


def _late(state: Row) -> str:
    """What the forecast does not know yet, as a sentence; empty where everything has come."""
    days = state["unseen_days"]
    if not days:
        return ""
    those = "day has" if days == 1 else f"{formats.plain(days)} days have"
    return (
        f"Requests or bills of the last {those} not come yet: the forecast starts before, and counts them as to come. "
    )


def _name(quarter: date) -> str:
    return f"Q{(quarter.month - 1) // 3 + 1} {quarter.year}"


def _row(row: Row, unit: TableUnit) -> QuarterRow:
    return QuarterRow(
        _name(row["quarter"]),
        unit.cell(row["actual_usd"]),
        unit.cell(row["expected_usd_p10"]),
        unit.cell(row["expected_usd_p50"]),
        unit.cell(row["expected_usd_p90"]),
        unit.cell(row["plan_usd"]),
        formats.whole_percent(row["within_plan_ratio"]),
    )


def _figure(night: Night) -> tuple[Markup | None, str]:
    rows = night.tables["outlook"].sort("month").to_dicts()
    if not rows:
        return None, ""
    unit = TableUnit.of_axis(night.money, [row["expected_usd_p90"] for row in rows])
    months = [_month(row, unit) for row in rows]
    last = rows[-1]
    words = [
        (f"{name} {night.money.short(last[f'expected_usd_{p}'])}", float(last[f"expected_usd_{p}"] / unit.scale))
        for p, name in (("p90", "P90"), ("p50", "median"), ("p10", "P10"))
    ]
    low, high = (night.money.short(last[f"expected_usd_{p}"]) for p in ("p10", "p90"))
    alt = f"Cost by month with a forecast to {formats.month_year(last['month'])}: {low} to {high} in that month."
    return fan(months, words, alt, _events(night, rows[0]["month"])), unit.words


def _groups(night: Night) -> list[tuple[str, date, list[str]]]:
    """Events by kind and day, in the order of time."""
    groups: dict[tuple[date, str], list[str]] = {}
    for on, kind, name in night.tables["events"].sort("day", "kind", "name").iter_rows():
        groups.setdefault((on, kind), []).append(name)
    return [(kind, on, names) for (on, kind), names in groups.items()]


def _events(night: Night, first: date) -> list[FanEvent]:
    """The first events as ticks, each on its day within its month."""
    found = []
    for kind, on, names in _groups(night)[:MOST_EVENTS]:
        one, many = EVENT_WORDS[kind]
        what = one.format(formats.name(names[0], 24)) if len(names) == 1 else f"{len(names):,} {many}"
        months = (on.year - first.year) * 12 + on.month - first.month
        # A month's point stands in its middle.
        place = months - 0.5 + (on.day - 1) / monthrange(on.year, on.month)[1]
        found.append(FanEvent(place, f"{what}, {formats.day(on)}"))
    return found


def _event_note(night: Night) -> str:
    groups = _groups(night)
    if not groups:
        return "No model is released or retires, and no commitment ends, while the forecast runs."
    more = len(groups) - MOST_EVENTS
    rest = f" {more:,} later events are in reports.events." if more > 0 else ""
    return f"Triangles: known events. A model that retires stops in the forecast; it counts with no other event.{rest}"


def _month(row: Row, unit: TableUnit) -> FanMonth:
    def scaled(amount: Decimal) -> float:
        return float(amount / unit.scale)

    low, median, high = (scaled(row[f"expected_usd_{p}"]) for p in ("p10", "p50", "p90"))
    plan = scaled(row["plan_usd"]) if row["plan_usd"] is not None else None
    return FanMonth(formats.month_tick(row["month"]), low, median, high, plan, row["is_forecast"])
