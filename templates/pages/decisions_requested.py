"""The decisions that page 1 asks for, and the models that need none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.marks import range_bar
from templates.pages.band_verdict import band_of, is_inside
from templates.pages.night import Night, Row
from templates.sentences import sentence
from templates.table_unit import TableUnit
from templates.typesetting.line_count import line_count

MOST_REQUESTS: Final = 3
NAMED_WITHOUT_ACTION: Final = 3
PHRASES: Final = {
    "hold": "Leave {model} as it is",
    "retrain_smaller": "Retrain {model} smaller",
    "distil": "Distil {task} from {model}",
    "route": "Route {task} away from {model}",
    "tune_serving": "Tune the serving of {model}",
    "release_capacity": "Release capacity of {pool}",
    "retire": "Retire {model}",
}
WHY_LIMITS: Final = (76, 60, 44, 30)
MOST_LINES: Final = 3
DECISION_WIDTH: Final = 89.0
WHY_WIDTH: Final = 109.0
OWNER_WIDTH: Final = 50.5


UNNAMED: Final = {"model": "the model", "task": "tasks", "pool": "the pool"}


@dataclass(frozen=True)
class Request:
    """One decision with its money, its chance and who makes it."""

    decision: str
    why: str
    one_off: str
    bar: Markup | None
    median: str
    payback: str
    chance: str
    owner: str


def phrase(row: Row) -> str:
    """An action on its model, task or pool in words, each name on one line at most."""
    names = {"model": row["model_id"], "task": row["task"], "pool": row["pool_id"]}
    shown = {kind: formats.fitted(name, DECISION_WIDTH) if name else UNNAMED[kind] for kind, name in names.items()}
    return PHRASES[row["action"]].format(**shown)


def _why(row: Row, money: formats.Money) -> str:
    """The reason in three lines at most; all of it stands on page 7 and on the model's sheet."""
    shown = (sentence(row["reason"], money, limit) for limit in WHY_LIMITS)
    return next((words for words in shown if line_count(words, WHY_WIDTH, 7.6) <= MOST_LINES), "see its sheet")


def advised(night: Night) -> list[Row]:
    """Recommendations to act, by rank."""
    return [row for row in night.tables["recommendations"].sort("rank").to_dicts() if row["action"] != "hold"]


def requests(night: Night) -> tuple[list[Request], tuple[str, str, str, str]]:
    """At most three decisions, and the heads of their money columns with the ends of the axis."""
    rows = advised(night)[:MOST_REQUESTS]
    savings = [row[f"monthly_saving_usd_p{p}"] for row in rows for p in (10, 50, 90)]
    known = [value for value in savings if value is not None]
    one_offs = [row["one_off_usd_p50"] for row in rows if row["one_off_usd_p50"] is not None]
    unit = TableUnit.of(night.money, [*known, *one_offs])
    limits = (float(min([*known, 0])), float(max([*known, 1])))
    owners = dict(night.tables["models"].select("model_id", "owner").iter_rows())
    asked = [_request(row, unit, limits, owners) for row in rows]
    low, high = (night.money.short(value) for value in limits)
    return asked, (unit.head, low, high, unit.head)


def _request(row: Row, unit: TableUnit, limits: tuple[float, float], owners: dict[str, str | None]) -> Request:
    low, median, high = (row[f"monthly_saving_usd_p{p}"] for p in (10, 50, 90))
    is_known = None not in (low, median, high)
    words = f"saves {unit.money.short(median)} a month, {unit.money.span(low, high)}"
    return Request(
        decision=phrase(row),
        why=_why(row, unit.money),
        one_off=unit.cell(row["one_off_usd_p50"]),
        bar=range_bar(float(low), float(median), float(high), limits, words) if is_known else None,
        median=unit.cell(median),
        payback=formats.plain(row["payback_months_p50"]),
        chance=formats.whole_percent(row["probability"]),
        owner=_owner(row, owners),
    )


def _owner(row: Row, owners: dict[str, str | None]) -> str:
    owner = owners.get(row["model_id"]) if row["model_id"] else None
    if owner:
        return formats.fitted(owner, 2 * OWNER_WIDTH)
    return "with next renewal" if row["pool_id"] else formats.UNKNOWN


def no_action(night: Night) -> str:
    """One line on the models that need nothing."""
    acted = {row["model_id"] for row in advised(night)}
    rows = [row for row in night.tables["thirds"].to_dicts() if row["model_id"] not in acted and _spend(row)]
    rows.sort(key=lambda row: (-_spend(row), row["model_id"]))
    inside = [row for row in rows if is_inside(row, band_of(night))]
    young = [row for row in rows if row["status"] == "too_young"]
    band = formats.whole_percent(night.settings["dead_band_ratio"])
    parts = []
    if inside:
        parts.append(f"{_listed(inside)} {'is' if len(inside) == 1 else 'are'} inside the {band} band.")
    if young:
        parts.append(f"{_listed(young)} {'is' if len(young) == 1 else 'are'} too young to judge.")
    return f"No action: {' '.join(parts)}" if parts else ""


def _spend(row: Row) -> float:
    return float(row["pretraining_usd"] + row["posttraining_usd"] + row["inference_usd"])


def _listed(rows: list[Row]) -> str:
    names = [formats.name(row["model_id"], 18) for row in rows[:NAMED_WITHOUT_ACTION]]
    rest = len(rows) - len(names)
    if rest:
        return f"{', '.join(names)} and {rest:,} other{'s' if rest > 1 else ''}"
    return " and ".join(", ".join(names).rsplit(", ", 1))
