"""A recommendation card: what to do, what it costs and returns, and what was rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.cash import CashMonth, cash_curve
from templates.pages.decisions_requested import PHRASES
from templates.pages.night import Night, Row
from templates.sentences import sentence, shortened
from templates.table_unit import TableUnit

REASON_LIMIT: Final = 150
MOST_REJECTED: Final = 2
UNMEASURED: Final = "unmeasured"
SUBJECT: Final = ("model_id", "task", "pool_id", "action")


@dataclass(frozen=True)
class CardLine:
    """One line of a card: its label, the words that count, and the rest."""

    label: str
    strong: str
    rest: str


@dataclass(frozen=True)
class Card:
    """One action, or the verdict that nothing is to be done."""

    heading: str
    lines: tuple[CardLine, ...]
    figure: Markup | None
    figure_unit: str
    is_hold: bool


def phrase(row: Row, target: dict[str, Any], limit: int = 20) -> str:
    """An action in words, with the size or model that takes over."""
    words = PHRASES[row["action"]].format(
        model=formats.name(row["model_id"], limit) if row["model_id"] else "the model",
        task=formats.name(row["task"], limit) if row["task"] else "tasks",
        pool=formats.name(row["pool_id"], limit) if row["pool_id"] else "the pool",
    )
    if target.get("target_model_id"):
        return f"{words} to {formats.name(target['target_model_id'], limit)}"
    if target.get("target_params") and row["action"] == "retrain_smaller":
        return f"{words.removesuffix(' smaller')} at {formats.tokens(target['target_params'])}"
    return words


def card(night: Night, row: Row) -> Card:
    """The card of one recommendation."""
    assumptions = json.loads(row["assumptions"])
    is_hold = row["action"] == "hold"
    figure, unit = _figure(night, row)
    lines = _hold_lines(night, row) if is_hold else _lines(night, row, assumptions)
    return Card(
        heading="Nothing to do" if is_hold else phrase(row, assumptions),
        lines=(*lines, *_rejected(night, row)),
        figure=figure,
        figure_unit=unit,
        is_hold=is_hold,
    )


def _hold_lines(night: Night, row: Row) -> list[CardLine]:
    return [CardLine("Why", "", sentence(row["reason"], night.money, REASON_LIMIT))]


def _lines(night: Night, row: Row, assumptions: dict[str, Any]) -> list[CardLine]:
    money = night.money
    parts = [
        f"{name} {money.short(amount)}"
        for name, amount in (
            ("training", assumptions.get("training_usd_p50")),
            ("evaluation", assumptions.get("evaluation_usd")),
            ("migration", assumptions.get("migration_usd")),
        )
        if amount
    ]
    low, high = row["monthly_saving_usd_p10"], row["monthly_saving_usd_p90"]
    months = row["payback_months_p50"]
    payback = f"within its life; {formats.months(months)} to break even" if months is not None else "within its life"
    lines = [
        CardLine("One-off", money.short(row["one_off_usd_p50"]), f": {', '.join(parts)}" if parts else ""),
        CardLine("Saves a month", money.short(row["monthly_saving_usd_p50"]), f" ({money.span(low, high)})"),
        CardLine("Chance to pay back", formats.whole_percent(row["probability"]), f" {payback}"),
        CardLine("Quality gate", "", gate_words(night, row, assumptions, REASON_LIMIT)),
    ]
    share = assumptions.get("break_even_demand_ratio")
    if share:
        lines.append(CardLine("Turns it around", "", f"demand under {formats.whole_percent(share)} of the forecast"))
    return lines


def gate_words(night: Night, row: Row, assumptions: dict[str, Any], limit: int) -> str:
    """What must hold of the quality, and whether it has been measured."""
    words = sentence(row["quality_gate"], night.money, limit)
    is_said = assumptions.get("is_quality_measured", True) or UNMEASURED in words
    return words if is_said else shortened(f"quality {UNMEASURED}; {words}", limit)


def _rejected(night: Night, row: Row) -> list[CardLine]:
    entries = json.loads(row["rejected"])[:MOST_REJECTED]
    words = [rejected_words(night, entry) for entry in entries]
    return [CardLine("Rejected", "", "; ".join(words))] if words else []


def rejected_words(night: Night, entry: dict[str, Any]) -> str:
    """One alternative and why it lost."""
    if entry["action"] == "hold":
        return f"doing nothing {sentence(entry.get('why'), night.money, 40)}"
    size = entry.get("target_params")
    is_sized = entry["action"] == "retrain_smaller" and size
    action = f"retrain at {formats.tokens(size)}" if is_sized else entry["action"].replace("_", " ")
    where = " ".join(
        words
        for words in (
            f"of {formats.name(entry['task'], 18)}" if entry.get("task") else "",
            f"to {formats.name(entry['target_model_id'], 18)}" if entry.get("target_model_id") else "",
        )
        if words
    )
    value = entry.get("net_present_value_usd_p50")
    worth = f", {night.money.short(Decimal(value))}" if value is not None else ""
    return f"{action} {where}".strip() + f" ({sentence(entry.get('why'), night.money, 90)}{worth})"


def _figure(night: Night, row: Row) -> tuple[Markup | None, str]:
    curves = night.tables["cash_curves"].filter(pl.col("as_of") == night.subject["as_of"])
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(row[name], pl.String)) for name in SUBJECT)
    is_hold = row["action"] == "hold"
    if is_hold:
        same = pl.col("model_id").eq_missing(pl.lit(row["model_id"], pl.String)) & ~pl.col("is_recommended")
    rows = curves.filter(same).sort("target", "month").to_dicts()
    rows = [one for one in rows if one["target"] == rows[0]["target"]]
    if len(rows) <= 1:
        return None, ""
    unit = TableUnit.of_axis(night.money, [one[f"cash_usd_{p}"] for one in rows for p in ("p10", "p90")])
    months = [
        CashMonth(one["month"], *(float(one[f"cash_usd_{p}"] / unit.scale) for p in ("p10", "p50", "p90")))
        for one in rows
    ]
    last = rows[-1]
    ends = [
        f"{unit.money.change(last[f'cash_usd_{p}'])} {name}"
        for p, name in (("p90", "P90"), ("p50", "median"), ("p10", "P10"))
    ]
    money = night.money
    alt = (
        f"Cash since approval: {money.change(last['cash_usd_p10'])} to {money.change(last['cash_usd_p90'])} after "
        f"{last['month']} month{'' if last['month'] == 1 else 's'}, median {money.change(last['cash_usd_p50'])}."
    )
    fill = colours.TEXT_2 if is_hold else colours.INFERENCE_TEXT
    payback = None if is_hold else row["payback_months_p50"]
    return cash_curve(months, ends, payback, fill, alt), unit.words
