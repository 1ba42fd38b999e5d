"""The second half of page 3: where it is going."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.fan import FanEvent, FanMonth, fan
from templates.pages.headline_metrics import metric
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_EVENTS: Final = 3
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
    over: str
    within: str
    is_total: bool = False


@dataclass(frozen=True)
class Outlook:
    """The second half of page 3: the fan, the periods, and how far off forecasts have been."""

    quarter: str
    median: Ref | None
    low: Ref | None
    high: Ref | None
    plan: Ref | None
    figure: Markup | None
    unit: str
    rows: tuple[QuarterRow, ...]
    table_unit: str
    until: str
    test: str
    note: str

    has_plan: bool

    @property
    def has_chance(self) -> bool:
        """Whether a chance of staying within a plan is known of any period."""
        return any(row.within != formats.UNKNOWN for row in self.rows)


def outlook(night: Night) -> Outlook | None:
    """Where cost is going; nothing before there is a forecast."""
    quarters = night.tables["quarters"].sort("quarter").to_dicts()
    if not quarters:
        return None
    first: Row = quarters[0]
    year = metric(night, "effective_cost")
    months = _running(night)
    periods = [
        *((formats.month_year(row["month"]), row | {"within_plan_ratio": None}) for row in months),
        *((_name(row["quarter"]), row) for row in quarters),
    ]
    amounts = [row[f"expected_usd_{p}"] for _, row in periods for p in ("p10", "p50", "p90")]
    landing = [amount for amount in (year["landing"],) if amount is not None]
    unit = TableUnit.of(night.money, [*amounts, *landing])
    figure, words = _figure(night)
    index, state = night.index, _state(night)
    return Outlook(
        quarter=_name(first["quarter"]),
        median=index.get("quarter_p50"),
        low=index.get("quarter_p10"),
        high=index.get("quarter_p90"),
        plan=index.get("quarter_plan"),
        figure=figure,
        unit=words,
        rows=(*(_row(name, row, unit) for name, row in periods), *_year(night, year, unit)),
        table_unit=unit.words,
        until=formats.day_short(night.subject["as_of"]),
        test=night.say("bridge", "back_test", state),
        has_plan=any(row["plan_usd"] is not None for row in night.tables["outlook"].to_dicts()),
        note=night.say("bridge", "forecast_note", state, str(state["method"]).replace("_", " ")),
    )


def _running(night: Night) -> list[Row]:
    """The month that runs on the night, else the first that is forecast: one of a past month is no outlook."""
    ahead = [row for row in night.tables["outlook"].sort("month").to_dicts() if row["is_forecast"]]
    tonight = night.subject["as_of"].replace(day=1)
    return [row for row in ahead if row["month"] >= tonight][:1]


def _year(night: Night, year: Row, unit: TableUnit) -> Iterator[QuarterRow]:
    if year["landing"] is not None:
        name = f"Year {night.subject['month'].year}"
        yield QuarterRow(
            name, formats.UNKNOWN, formats.UNKNOWN, unit.cell(year["landing"]), formats.UNKNOWN,
            unit.cell(year["landing_plan"]), _over(unit, year["landing"], year["landing_plan"]), formats.UNKNOWN,
            is_total=True,
        )  # fmt: skip


def _over(unit: TableUnit, amount: Decimal, plan: Decimal | None) -> str:
    """The difference from plan."""
    return formats.UNKNOWN if plan is None else unit.cell(amount - plan, plus="+")


def _state(night: Night) -> Row:
    rows = night.tables["demand_states"].filter(pl.col("model_id") == "*", pl.col("quantity") == "inference_usd")
    return rows.sort("known_on").row(-1, named=True)


def _name(quarter: date) -> str:
    return f"Q{(quarter.month - 1) // 3 + 1} {quarter.year}"


def _row(name: str, row: Row, unit: TableUnit) -> QuarterRow:
    return QuarterRow(
        name,
        unit.cell(row["actual_usd"]) if row["actual_usd"] else formats.UNKNOWN,
        unit.cell(row["expected_usd_p10"]),
        unit.cell(row["expected_usd_p50"]),
        unit.cell(row["expected_usd_p90"]),
        unit.cell(row["plan_usd"]),
        _over(unit, row["expected_usd_p50"], row["plan_usd"]),
        formats.chance(row["within_plan_ratio"]),
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
    events = []
    for kind, on, names in _groups(night)[:MOST_EVENTS]:
        one, many = EVENT_WORDS[kind]
        what = one.format(formats.name(names[0], 20)) if len(names) == 1 else f"{len(names):,} {many}"
        months = (on.year - first.year) * 12 + on.month - first.month
        # A month's point stands in its middle.
        month_offset = months - 0.5 + (on.day - 1) / monthrange(on.year, on.month)[1]
        events.append(FanEvent(month_offset, f"{formats.day_short(on)}: {what}"))
    return events


def _month(row: Row, unit: TableUnit) -> FanMonth:
    def scaled(amount: Decimal) -> float:
        return float(amount / unit.scale)

    low, median, high = (scaled(row[f"expected_usd_{p}"]) for p in ("p10", "p50", "p90"))
    plan = scaled(row["plan_usd"]) if row["plan_usd"] is not None else None
    return FanMonth(formats.month_tick(row["month"]), low, median, high, plan, row["is_forecast"])
