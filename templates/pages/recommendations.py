"""Page 7: what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from templates import formats
from templates.pages.card import Card, card, gate_words, phrase, rejected_words
from templates.pages.decisions_requested import advised
from templates.pages.fit_advice import SHEET, Columns, room
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.track_record import Track, track
from templates.table_unit import TableUnit

HEADS: Final = ("One-off", "Saves", "median", "P90", "Value", "median", "P90", "Months", "Chance")
MOST_ROWS: Final = 12
MOST_CARDS: Final = 2
MOST_REJECTED: Final = 6


@dataclass(frozen=True)
class AdviceRow:
    """One recommendation, ready to print."""

    rank: str
    action: str
    one_off: str
    savings: tuple[str, str, str]
    values: tuple[str, str, str]
    payback: str
    chance: str
    gate: str

    @property
    def amounts(self) -> tuple[str, ...]:
        """Its cells between action and gate."""
        return (self.one_off, *self.savings, *self.values, self.payback, self.chance)


@dataclass(frozen=True)
class Recommendations:
    """Everything that page 7 prints."""

    count: int
    largest: str
    short: str
    low: Ref | None
    median: Ref | None
    high: Ref | None
    rows: tuple[AdviceRow, ...]
    more: int
    held: int
    cards: tuple[Card, ...]
    without_card: int
    rejected: tuple[tuple[str, str], ...]
    more_rejected: int
    unit: str
    track: Track
    widths: tuple[float, ...]

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        return (self.low, self.high) if self.count else ()


def recommendations(night: Night) -> Recommendations:
    """Page 7 of the night, as much of it as one sheet of paper holds."""
    rows = advised(night)
    everything = night.tables["recommendations"].sort("rank").to_dicts()
    unit = _unit(night, rows)
    without_sheet = _without_sheet(night, rows)
    ranked = [_row(night, row, unit) for row in rows[:MOST_ROWS]]
    cards = [card(night, row) for row in without_sheet[:MOST_CARDS]]
    rejected = _rejected(night, everything)
    past = track(night)
    columns = Columns.of(HEADS, [row.amounts for row in ranked])
    printed, reasons = [(row.action, row.gate) for row in ranked], [reason for _, reason in rejected]
    fits = room(SHEET[night.paper] - past.height, printed, columns, cards, reasons)
    return Recommendations(
        count=len(rows),
        largest=phrase(rows[0], json.loads(rows[0]["assumptions"]), 18) if rows else "",
        short=phrase(rows[0], {}, 18) if rows else "",
        low=night.index.get("saving_p10"),
        median=night.index.get("saving_p50"),
        high=night.index.get("saving_p90"),
        rows=tuple(ranked[: fits.rows]),
        more=len(rows) - fits.rows,
        held=len(everything) - len(rows),
        cards=tuple(cards[: fits.cards]),
        without_card=len(without_sheet) - fits.cards,
        rejected=tuple(rejected[: fits.rejected]),
        more_rejected=sum(len(json.loads(row["rejected"])) for row in everything) - fits.rejected,
        unit=unit.words,
        track=past,
        widths=columns.widths,
    )


def _unit(night: Night, rows: list[Row]) -> TableUnit:
    amounts = [row[name] for row in rows for name in _amounts() if row[name] is not None]
    return TableUnit.of(night.money, [Decimal(amount) for amount in amounts])


def _without_sheet(night: Night, rows: list[Row]) -> list[Row]:
    """Actions whose card stands on no model's sheet."""
    on_sheets = set(night.tables["pages"].filter("is_shown")["model_id"].drop_nulls())
    return [row for row in rows if row["model_id"] not in on_sheets]


def _amounts() -> list[str]:
    ranges = [f"{name}_usd_p{p}" for name in ("monthly_saving", "net_present_value") for p in (10, 50, 90)]
    return ["one_off_usd_p50", *ranges]


def _row(night: Night, row: Row, unit: TableUnit) -> AdviceRow:
    assumptions = json.loads(row["assumptions"])
    savings = [unit.cell(row[f"monthly_saving_usd_p{p}"]) for p in (10, 50, 90)]
    values = [unit.cell(row[f"net_present_value_usd_p{p}"]) for p in (10, 50, 90)]
    return AdviceRow(
        rank=str(row["rank"]),
        action=phrase(row, assumptions, 18),
        one_off=unit.cell(row["one_off_usd_p50"]),
        savings=(savings[0], savings[1], savings[2]),
        values=(values[0], values[1], values[2]),
        payback=formats.plain(row["payback_months_p50"]),
        chance=formats.whole_percent(row["probability"]),
        gate=gate_words(night, row, assumptions, 62),
    )


def _rejected(night: Night, rows: list[Row]) -> list[tuple[str, str]]:
    """The best rejected alternatives, by the subject that they were weighed for."""
    lines = []
    for row in rows:
        subject = formats.fitted(row["model_id"] or row["pool_id"], 76, 7.2)
        lines += [(subject, rejected_words(night, entry)) for entry in json.loads(row["rejected"])[:2]]
    return lines[:MOST_REJECTED]
