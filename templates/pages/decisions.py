"""Page 2: what each decision is worth, what waits, what lost, and what became of past advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.marks import range_bar
from templates.pages.card import Card, card
from templates.pages.decisions_requested import requested
from templates.pages.fit_decisions import room
from templates.pages.index import Ref
from templates.pages.night import WHOLE_REPORT, Night, Row
from templates.pages.track_record import Track, track
from templates.table_unit import TableUnit
from templates.typesetting.line_count import line_count
from templates.typesetting.typeface import SEMIBOLD

MOST_ROWS: Final = 12
NAME_WIDTH: Final = 108.0
GATE_WIDTH: Final = 64.0
BAR_WIDTH: Final = 62.0
MOST_CARDS: Final = 1
SOME_CARDS: Final = 3
"""So many times a report of one model is squeezed before its cards go."""
MOST_REJECTED: Final = 6
MOST_HELD: Final = 12
STANDINGS: Final = ("safe", "measured", "evaluate_first")


@dataclass(frozen=True)
class RankedRow:
    """One decision, or all of them drawn together, ready to print."""

    rank: str
    decision: str
    one_off: str
    bar: Markup | None
    median: str
    value: str
    spread: str
    payback: str
    chance: str
    gate: str
    last: str


@dataclass(frozen=True)
class Group:
    """Decisions of one standing with what that means."""

    name: str
    note: str
    rows: tuple[RankedRow, ...]
    is_waiting: bool


@dataclass(frozen=True)
class RejectedRow:
    """One alternative that lost, ready to print."""

    subject: str
    alternative: str
    value: str
    because: str


@dataclass(frozen=True)
class Decisions:
    """Everything that page 2 prints."""

    gap: Row | None
    gap_usd: Ref | None
    count: Ref | None
    waiting: int
    low: Ref | None
    median: Ref | None
    high: Ref | None
    one_off: Ref | None
    sign_by: date | None
    first: Callable[[int], str]
    missing: str
    groups: tuple[Group, ...]
    total: RankedRow | None
    total_after: int
    more: int
    ends: tuple[str, str]
    unit: str
    capital: str
    cards: tuple[Card, ...]
    rejected: tuple[RejectedRow, ...]
    more_rejected: int
    has_valued: bool
    held: tuple[tuple[str, str], ...]
    more_held: int
    track: Track


def decisions(night: Night) -> Decisions:
    """Page 2 of the night, as much of it as one sheet of paper holds."""
    rows = requested(night)
    unit = _unit(night, rows)
    totals = night.tables["recommended_totals"].to_dicts()
    total = totals[0] if totals and totals[0]["decisions"] > 1 else None
    savings = [row[f"next_year_saving_usd_p{p}"] for row in [*rows, *([total] if total else [])] for p in (10, 50, 90)]
    stated_savings = [float(value) for value in savings if value is not None]
    limits = (min([*stated_savings, 0.0]), max([*stated_savings, 1.0]))
    signed = [row for row in rows if row["standing"] != "evaluate_first"]
    rejected, held = list(_rejected(night)), list(_held(night))
    past = track(night)
    without_sheet = _without_sheet(night, signed)
    most_cards = MOST_CARDS if night.squeeze(WHOLE_REPORT) <= SOME_CARDS else 0
    cards = [card(night, row) for row in without_sheet[:most_cards]]
    heights = [_height(night, row) for row in rows[:MOST_ROWS]]
    fits = room(night.paper, night.squeeze("decisions"), heights, past.height, cards, len(rejected), len(held))
    first = signed[0] if signed else rows[0] if rows else None
    title = night.title("decisions")
    return Decisions(
        gap=next(iter(night.tables["usage_gaps"].sort("position").to_dicts()), None),
        gap_usd=night.index.get("usage_gap"),
        count=night.index.get("decisions"),
        waiting=len(rows) - len(signed),
        low=night.index.get("saving_p10"),
        median=night.index.get("saving_p50"),
        high=night.index.get("saving_p90"),
        one_off=night.index.get("one_off"),
        sign_by=min((row["sign_by"] for row in signed if row["sign_by"]), default=None),
        first=lambda limit: night.say("decisions", "short_phrase", first, limit) if first else "",
        missing=night.say("decisions", "missing", title["title_detail"] or ""),
        groups=tuple(_groups(night, rows[: fits.rows], unit, limits)),
        total=_total(total, unit, limits) if total else None,
        total_after=_total_after(rows[: fits.rows], total),
        more=len(rows) - fits.rows,
        ends=(night.money.short(limits[0]), night.money.short(limits[1])),
        unit=unit.head,
        capital=formats.set_percent(night.settings["discount_ratio"]),
        cards=tuple(cards[: fits.cards]),
        rejected=tuple(rejected[: fits.rejected]),
        more_rejected=len(rejected) - fits.rejected,
        has_valued=night.tables["rejected_alternatives"].height > 0,
        held=tuple(held[: fits.held]),
        more_held=len(held) - fits.held,
        track=past,
    )


def _unit(night: Night, rows: list[Row]) -> TableUnit:
    names = [
        "one_off_usd_p50",
        *(f"{name}_usd_p{p}" for name in ("next_year_saving", "net_present_value") for p in (10, 50, 90)),
    ]
    amounts = [row[name] for row in rows for name in names if row[name] is not None]
    return TableUnit.of(night.money, [Decimal(amount) for amount in amounts])


def _without_sheet(night: Night, rows: list[Row]) -> list[Row]:
    """Decisions whose card stands on no model's sheet."""
    on_sheets = set(night.tables["pages"].filter("is_shown")["model_id"].drop_nulls())
    return [row for row in rows if row["model_id"] not in on_sheets]


def _height(night: Night, row: Row) -> float:
    """Points of a row: its name and its gate may take two lines."""
    name = night.say("decisions", "short_phrase", row, 16)
    gate = night.say("decisions", "gate", row, night.settings["quality_gate_ratio"])
    lines = max(line_count(name, NAME_WIDTH, 7.6, weight=SEMIBOLD) * 10, line_count(gate, GATE_WIDTH, 6.8) * 8.4)
    return max(lines, 10.6) + 5.8


def _groups(night: Night, rows: list[Row], unit: TableUnit, limits: tuple[float, float]) -> Iterator[Group]:
    rank = 0
    for standing in STANDINGS:
        ours = [row for row in rows if row["standing"] == standing]
        ours.sort(key=lambda row: (-(row["net_present_value_usd_p50"] or 0), row["rank"]))
        ranked = []
        for row in ours:
            rank += 1
            ranked.append(_row(night, row, rank, unit, limits))
        if ranked:
            name, note = (night.say("decisions", macro, standing) for macro in ("standing_name", "standing"))
            yield Group(name, note, tuple(ranked), standing == "evaluate_first")


def _total_after(rows: list[Row], total: Row | None) -> int:
    """After which group the sum stands: above those that wait where they are not in it, else below all."""
    standings = [standing for standing in STANDINGS if any(row["standing"] == standing for row in rows)]
    signed = sum(1 for row in rows if row["standing"] != "evaluate_first")
    is_apart = total is not None and total["decisions"] == signed and "evaluate_first" in standings
    return len(standings) - 1 if is_apart else len(standings)


def _bar(row: Row, unit: TableUnit, limits: tuple[float, float]) -> Markup | None:
    low, median, high = (row[f"next_year_saving_usd_p{p}"] for p in (10, 50, 90))
    if None in (low, median, high):
        return None
    words = f"saves {unit.money.short(median)} in twelve months, {unit.money.span(low, high)}"
    return range_bar(float(low), float(median), float(high), limits, words, BAR_WIDTH)


def _spread(row: Row, unit: TableUnit) -> str:
    """P10 to P90 of the net present value; left out where both round to the same."""
    low, high = (unit.cell(row[f"net_present_value_usd_p{p}"]) for p in (10, 90))
    if low == high or formats.UNKNOWN in (low, high):
        return ""
    return f"{low} to {high}" if formats.MINUS in low + high else f"{low}–{high}"


def _row(night: Night, row: Row, rank: int, unit: TableUnit, limits: tuple[float, float]) -> RankedRow:
    is_waiting = row["standing"] == "evaluate_first"
    owner = formats.fitted(row["owner"], 40) if row["owner"] else formats.UNKNOWN
    return RankedRow(
        rank=str(rank),
        decision=night.say("decisions", "short_phrase", row, 16),
        one_off=unit.cell(row["one_off_usd_p50"]),
        bar=_bar(row, unit, limits),
        median=unit.cell(row["next_year_saving_usd_p50"]),
        value=formats.UNKNOWN if is_waiting else unit.cell(row["net_present_value_usd_p50"]),
        spread="" if is_waiting else _spread(row, unit),
        payback=formats.plain(row["payback_months_p50"]),
        chance=formats.chance(row["probability"]),
        gate=night.say("decisions", "gate", row, night.settings["quality_gate_ratio"]),
        last=owner if is_waiting else formats.day_short(row["sign_by"]),
    )


def _total(row: Row, unit: TableUnit, limits: tuple[float, float]) -> RankedRow:
    count = int(row["decisions"])
    name = f"All {formats.count_word(count).lower()}, drawn together" if count > 1 else "The one decision"
    return RankedRow(
        rank="", decision=name, one_off=unit.cell(row["one_off_usd_p50"]), bar=_bar(row, unit, limits),
        median=unit.cell(row["next_year_saving_usd_p50"]), value=unit.cell(row["net_present_value_usd_p50"]),
        spread=_spread(row, unit), payback="", chance="", gate="", last="",
    )  # fmt: skip


def _rejected(night: Night) -> Iterator[RejectedRow]:
    """The best alternative that lost, of each model or pool."""
    gate, seen = night.settings["quality_gate_ratio"], set()
    rows = night.tables["rejected_alternatives"].sort("position").to_dicts()
    unit = TableUnit.of(
        night.money,
        [row["net_present_value_usd_p50"] for row in rows[:MOST_REJECTED] if row["net_present_value_usd_p50"]],
    )
    for row in rows:
        subject = row["model_id"] or row["pool_id"]
        if subject in seen or not row["monthly_saving_if_passed_usd_p50"]:
            continue
        seen.add(subject)
        yield RejectedRow(
            formats.fitted(subject, 72),
            night.say("decisions", "alternative", row),
            f"{unit.cell(row['net_present_value_usd_p50'])} {unit.letter}".strip(),
            night.say("decisions", "lacks", row, gate),
        )
        if len(seen) == MOST_REJECTED:
            return


def _held(night: Night) -> Iterator[tuple[str, str]]:
    """Models that need nothing, and why."""
    gate = night.settings["quality_gate_ratio"]
    for row in night.tables["held_models"].sort("position").head(MOST_HELD).to_dicts():
        yield formats.fitted(row["model_id"], 84), night.say("decisions", "held", row, gate)
