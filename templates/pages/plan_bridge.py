"""From plan to what the month cost, on page 3: the lines of the budget, and what no line plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from templates import colours, formats
from templates.figures.change_steps import ChangeStep
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

ANY: Final = "*"
MOST_LINES: Final = 4


@dataclass(frozen=True)
class PlanSteps:
    """The steps from plan to cost in one unit, and what does not add up."""

    steps: tuple[ChangeStep, ...]
    plan: str
    note: str
    faults: tuple[str, ...]


def plan_steps(night: Night, unit: TableUnit) -> PlanSteps | None:
    """The month against its plan, in the unit of the bridge beside it; nothing without a plan."""
    plan, actual = night.now["plan_usd"], night.now["effective_usd"]
    if plan is None:
        return None
    rows = night.tables["budget_variances"].filter(month=night.subject["month"]).to_dicts()
    lines = _lines(rows)
    steps = tuple(
        ChangeStep(name, float(amount / unit.scale), night.money.change(amount))
        for name, amount in _steps(lines, actual - plan)
    )
    return PlanSteps(steps, night.money.short(plan), _note(lines), _faults(rows, plan, actual))


def _level(row: Row) -> int:
    return 2 * int(row["model_id"] != ANY) + int(row["phase"] != ANY)


def _lines(rows: Sequence[Row]) -> list[Row]:
    """Lines of one kind, so that none is within another: models, else models by phase, else phases."""
    kinds = [[row for row in rows if _level(row) == level] for level in (2, 3, 1)]
    lines = next((kind for kind in kinds if kind), [])
    return sorted(lines, key=lambda row: (-abs(row["variance_usd"]), row["model_id"], row["phase"]))


def _steps(lines: Sequence[Row], whole: Decimal) -> list[tuple[str, Decimal]]:
    """The largest variances and all the rest; they add up to the whole by what the rest is."""
    steps = [(_name(row), row["variance_usd"]) for row in lines[:MOST_LINES]]
    more = lines[MOST_LINES:]
    steps += [(f"{len(more):,} other lines", sum((row["variance_usd"] for row in more), Decimal(0)))] if more else []
    rest = whole - sum((amount for _, amount in steps), Decimal(0))
    return [*steps, ("All other cost" if steps else "All cost", rest)]


def _name(row: Row) -> str:
    phase = colours.NAMES.get(row["phase"], row["phase"])
    if row["model_id"] == ANY:
        return str(phase)
    name = formats.name(row["model_id"], 18)
    return name if row["phase"] == ANY else f"{name}, {phase.lower()}"


def _note(lines: Sequence[Row]) -> str:
    if not lines:
        return "The budget has one line for all cost: its difference is one step."
    return (
        "The steps add up to the difference from plan. A line of the budget is compared with the direct cost that it "
        "plans; all other cost is what no such line plans, idle and shared cost among it."
    )


def _faults(rows: Sequence[Row], plan: Decimal, actual: Decimal) -> tuple[str, ...]:
    """The line of all models and phases says the same as the month."""
    whole = [row["variance_usd"] for row in rows if _level(row) == 0]
    is_same = not whole or whole == [actual - plan]
    return () if is_same else (f"the budget's variance is {whole[0]}, cost less plan {actual - plan}",)
