"""The five numbers of page 1, ready to print: amounts in their forms, verdicts as the codes of the night."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures import marks
from templates.pages.index import Ref
from templates.pages.night import Night, Row

LONGEST_BASE: Final = 7
REFS: Final = {
    "effective_cost": "effective_cost",
    "unit_cost": "fully_loaded",
    "idle_and_failed": "wasted",
    "unamortised_training": "carried",
    "savings_realised": "savings_realised",
}


@dataclass(frozen=True)
class Comparison:
    """A number beside another: the amount as printed, the verdict as a code, and both sides' ratio."""

    amount: str
    code: str
    ratio: Decimal | None = None
    base: str = ""
    tone: str = ""
    arrow: Markup | None = None


@dataclass(frozen=True)
class MetricRow:
    """One of the five numbers."""

    metric: str
    ref: Ref | None
    value: str
    reason: str
    spark: Markup
    plan: Comparison
    previous: Comparison
    year_to_date: Comparison
    landing: Comparison
    share: Decimal | None = None
    part: str = ""


def metric_rows(night: Night) -> tuple[MetricRow, ...]:
    """The five rows in their order."""
    return tuple(_row(night, row) for row in night.tables["headline_metrics"].sort("position").to_dicts())


def metric(night: Night, name: str) -> Row:
    """The typed numbers of one metric."""
    return next(row for row in night.tables["headline_metrics"].to_dicts() if row["metric"] == name)


def _row(night: Night, row: Row) -> MetricRow:
    name, value = row["metric"], row["value"]
    wasted = name == "idle_and_failed"
    total = night.now["effective_usd"]
    failed = night.now["waste_usd"]
    return MetricRow(
        metric=name,
        ref=night.index.get(REFS[name]),
        value=_printed(night, row, value),
        reason=row["reason"] or "",
        spark=_spark(night, name, _printed(night, row, value)),
        plan=_against(night, row, "plan"),
        previous=_against(night, row, "previous"),
        year_to_date=_year_to_date(night, row),
        landing=_landing(night, row),
        share=value / total if wasted and value is not None and total > 0 else None,
        part=night.money.short(failed) if wasted and failed else "",
    )


def _printed(night: Night, row: Row, value: Decimal | None, *, change: bool = False) -> str:
    """An amount in the form of its metric; a price of tokens keeps its own digits."""
    if value is None:
        return formats.UNKNOWN
    if row["unit"] == "usd":
        return night.money.change(value) if change else night.money.short(value)
    shown = night.money.per_mtok(value)
    return f"+{shown}" if change and value > 0 else shown


def _tone(row: Row, direction: str | None) -> str:
    """Worse or better, where a direction says so."""
    if row["is_more_worse"] is None or direction not in {"up", "down"}:
        return ""
    return "worse" if (direction == "up") is row["is_more_worse"] else "better"


def _compared(night: Night, row: Row, sides: tuple[Decimal | None, Decimal | None], code: str | None, base: str,
              amount: str | None = None) -> Comparison:  # fmt: skip
    now, before = sides
    if now is None or before is None:
        return Comparison(formats.UNKNOWN if amount is None else amount, "unknown")
    shown = _printed(night, row, now - before, change=True) if amount is None else amount
    ratio = (now - before) / before if before > 0 else None
    tone = _tone(row, code)
    arrow = marks.arrow(code, tone) if tone and code in {"up", "down"} else None
    return Comparison(shown, code or "unknown", ratio, base, tone, arrow)


def _against(night: Night, row: Row, other: str) -> Comparison:
    before = row[f"{other}_value"]
    if other == "plan" and row["metric"] == "effective_cost" and not night.subject["is_complete"]:
        return Comparison(formats.UNKNOWN, "month_runs")
    base = _base(_printed(night, row, before))
    return _compared(night, row, (row["value"], before), row[f"{other}_direction"], base)


def _base(words: str) -> str:
    """What a cell is compared with, where its column has room for it."""
    return words if len(words) <= LONGEST_BASE else ""


def _year_to_date(night: Night, row: Row) -> Comparison:
    value, plan = row["year_to_date"], row["year_to_date_plan"]
    if row["metric"] == "unamortised_training":
        amount = formats.UNKNOWN if value is None else night.money.change(value)
        return Comparison(amount, "unknown" if value is None else "since_january")
    amount = _printed(night, row, value)
    if value is None:
        return Comparison(amount, "unknown")
    if plan is None:
        no_plan = "no_plan" if night.subject["is_complete"] else "month_runs"
        return Comparison(amount, no_plan if row["metric"] == "effective_cost" else "year")
    return _compared(
        night, row, (value, plan), row["year_to_date_direction"], _base(_printed(night, row, plan)), amount
    )


def _landing(night: Night, row: Row) -> Comparison:
    value, plan = row["landing"], row["landing_plan"]
    amount = _printed(night, row, value)
    if value is None:
        return Comparison(amount, row["landing_reason"] or "not_forecast")
    if plan is None:
        return Comparison(amount, "no_plan")
    return _compared(night, row, (value, plan), row["landing_direction"], _base(_printed(night, row, plan)), amount)


def _spark(night: Night, name: str, words: str) -> Markup:
    columns = {"effective_cost": "effective_usd", "unit_cost": "fully_loaded_usd_per_mtok"}
    if name in columns:
        values = [row[columns[name]] for row in night.figures]
    elif name == "savings_realised":
        values = []
    else:
        table, column = ("waste", "wasted_usd") if name == "idle_and_failed" else ("amortization", "closing_usd")
        sums: dict[object, Decimal] = {}
        for month, amount in night.tables[table].select("month", column).iter_rows():
            sums[month] = sums.get(month, Decimal(0)) + amount
        values = [sums.get(row["month"]) for row in night.figures]
    amounts = [None if value is None else float(value) for value in values]
    count = f"{len(amounts)} months" if len(amounts) != 1 else "1 month"
    return marks.sparkline(amounts, [], f"{count}, last value {words}" if any(amounts) else "no month is known")
