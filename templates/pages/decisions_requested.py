"""The decisions that page 1 asks for: at most three, in the order in which they must be signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.marks import range_bar
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_REQUESTS: Final = 3
DECISION_WIDTH: Final = 97.0
WHY_WIDTH: Final = 118.0
OWNER_WIDTH: Final = 46.0


@dataclass(frozen=True)
class Request:
    """One decision with its money, its chance, its last day and who makes it; or all of them together."""

    decision: str
    why: str
    one_off: str
    bar: Markup | None
    median: str
    payback: str
    chance: str
    sign_by: str
    owner: str


def requested(night: Night) -> list[Row]:
    """Every recommendation to act with its amounts, in the order of signature."""
    amounts = {row["rank"]: row for row in night.tables["recommendations"].to_dicts()}
    rows = night.tables["requested_decisions"].sort("position").to_dicts()
    return [amounts[row["rank"]] | row for row in rows]


def asked_rows(night: Night) -> list[Row]:
    """The rows of page 1: those that can be signed, else those that wait; three, or fewer where its paper is short."""
    rows = [row for row in requested(night) if row["standing"] != "evaluate_first"] or requested(night)
    return rows[: max(MOST_REQUESTS - max(night.squeeze("summary") - 2, 0), 1)]


def requests(night: Night) -> tuple[list[Request], Request | None, tuple[str, str, str, str]]:
    """At most three decisions, all of them drawn together, and the heads of their money columns."""
    rows = asked_rows(night)
    totals = night.tables["recommended_totals"].to_dicts()
    total = totals[0] if totals and totals[0]["decisions"] > 1 and rows else None
    savings = [row[f"next_year_saving_usd_p{p}"] for row in [*rows, *([total] if total else [])] for p in (10, 50, 90)]
    stated_savings = [value for value in savings if value is not None]
    one_offs = [row["one_off_usd_p50"] for row in rows if row["one_off_usd_p50"] is not None]
    unit = TableUnit.of(night.money, [*stated_savings, *one_offs])
    limits = (float(min([*stated_savings, 0])), float(max([*stated_savings, 1])))
    low, high = (night.money.short(value) for value in limits)
    asked = [_request(night, row, unit, limits) for row in rows]
    return asked, _total(total, unit, limits) if total else None, (unit.head, low, high, unit.head)


def _bar(row: Row, unit: TableUnit, limits: tuple[float, float]) -> Markup | None:
    low, median, high = (row[f"next_year_saving_usd_p{p}"] for p in (10, 50, 90))
    if None in (low, median, high):
        return None
    words = f"saves {unit.money.short(median)} in twelve months, {unit.money.span(low, high)}"
    return range_bar(float(low), float(median), float(high), limits, words)


def _request(night: Night, row: Row, unit: TableUnit, limits: tuple[float, float]) -> Request:
    return Request(
        decision=night.say("decisions", "phrase", row),
        why=night.say("decisions", "why", row, night.settings["quality_gate_ratio"]),
        one_off=unit.cell(row["one_off_usd_p50"]),
        bar=_bar(row, unit, limits),
        median=unit.cell(row["next_year_saving_usd_p50"]),
        payback=formats.plain(row["payback_months_p50"]),
        chance=formats.chance(row["probability"]),
        sign_by=formats.day_short(row["sign_by"]),
        owner=formats.fitted(row["owner"], OWNER_WIDTH) if row["owner"] else formats.UNKNOWN,
    )


def _total(row: Row, unit: TableUnit, limits: tuple[float, float]) -> Request:
    count = int(row["decisions"])
    name = f"All {formats.count_word(count).lower()}, drawn together" if count > 1 else "The one decision"
    return Request(
        decision=name, why="", one_off=unit.cell(row["one_off_usd_p50"]), bar=_bar(row, unit, limits),
        median=unit.cell(row["next_year_saving_usd_p50"]), payback="", chance="", sign_by="", owner="",
    )  # fmt: skip
