"""A recommendation card: what to do, what it costs and returns, and what was rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.cash import CashMonth, cash_curve
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_REJECTED: Final = 2
SUBJECT: Final = ("model_id", "task", "pool_id", "action")
# Ends of contracts that change the value by less are not printed.
_ALIKE: Final = 0.1
_ENDS: Final = "net_present_value_usd_p50_if_contracts_end"


@dataclass(frozen=True)
class CardLine:
    """One line of a card: its label, the words that count, and the rest."""

    label: str
    strong: str
    rest: str


@dataclass(frozen=True)
class Card:
    """One decision."""

    heading: str
    lines: tuple[CardLine, ...]
    figure: Markup | None
    figure_unit: str


def card(night: Night, row: Row) -> Card:
    """The card of one decision, its row of `requested` decisions."""
    assumptions = json.loads(row["assumptions"])
    figure, unit = _figure(night, row)
    lines = [*_lines(night, row, assumptions), *_rejected(night, row)]
    return Card(night.say("decisions", "phrase", row), tuple(lines), figure, unit)


def _lines(night: Night, row: Row, assumptions: dict[str, Any]) -> list[CardLine]:
    money, gate = night.money, night.settings["quality_gate_ratio"]
    parts = [
        f"{name} {money.short(amount)}"
        for name, amount in (
            ("training", assumptions.get("training_usd_p50")),
            ("post-training", assumptions.get("posttraining_usd")),
            ("evaluation", assumptions.get("evaluation_usd")),
            ("migration", assumptions.get("migration_usd")),
        )
        if amount
    ]
    low, high = row["next_year_saving_usd_p10"], row["next_year_saving_usd_p90"]
    paid = row["next_year_paid_usd_p50"]
    facts = SimpleNamespace(paid=paid, run_rate=row["run_rate_paid_usd"], whose="its")
    of_paid = f", of {night.say('decisions', 'paid', facts)}" if paid else ""
    months = row["payback_months_p50"]
    breaks_even = f"; {formats.months(months)} to break even" if months is not None else ""
    lines = [
        CardLine("Why now", "", night.say("decisions", "why", row, gate)),
        CardLine("One-off", money.short(row["one_off_usd_p50"]), f": {', '.join(parts)}" if parts else ""),
        CardLine(
            "In twelve months",
            money.short(row["next_year_saving_usd_p50"]),
            f" saved ({money.span(low, high)}){of_paid}",
        ),
        CardLine("Likely to pay back", formats.chance(row["probability"]), f" within its life{breaks_even}"),
        CardLine("Gate", "", night.say("decisions", "gate", row, gate)),
    ]
    share = assumptions.get("break_even_demand_ratio")
    if share:
        lines.append(CardLine("Turns it around", "", f"demand under {formats.whole_percent(share)} of the forecast"))
    again, early, late = map(assumptions.get, ("needed_again_on", f"{_ENDS}_early", f"{_ENDS}_late"))
    if again:
        lines.append(CardLine("Needed again", formats.day(date.fromisoformat(again)), ", as policy announces"))
    if early is not None and late is not None and abs(early - late) > _ALIKE * max(abs(early), abs(late)):
        untold = sum(one["ends_on"] is None for one in assumptions["contracts"])
        worth = night.say("decisions", "contract_ends", SimpleNamespace(early=early, late=late, contracts=untold))
        lines.append(CardLine("Contracts", "", worth))
    if row["sign_by"]:
        owner = formats.name(row["owner"], 24) if row["owner"] else "no owner named"
        lines.append(CardLine("Sign by", formats.day_month(row["sign_by"]), f", {owner}"))
    return lines


def _rejected(night: Night, row: Row) -> list[CardLine]:
    """The best alternatives of the same model or pool, and what they lack."""
    subject = "model_id" if row["model_id"] else "pool_id"
    others = night.tables["rejected_alternatives"].filter(pl.col(subject) == row[subject]).sort("position")
    gate = night.settings["quality_gate_ratio"]
    # the parts of a retraining take a line more
    most = MOST_REJECTED - (row["action"] == "retrain_smaller")
    words = [
        f"{night.say('decisions', 'alternative', one)} ({night.say('decisions', 'lacks', one, gate)}, "
        f"{night.money.short(one['net_present_value_usd_p50'])})"
        for one in others.head(most).to_dicts()
    ]
    return [CardLine("Rejected", "", "; ".join(words))] if words else []


def _figure(night: Night, row: Row) -> tuple[Markup | None, str]:
    curves = night.tables["cash_curves"].filter(pl.col("as_of") == night.subject["as_of"])
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(row[name], pl.String)) for name in SUBJECT)
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
    return cash_curve(months, ends, row["payback_months_p50"], colours.INFERENCE_TEXT, alt), unit.words
