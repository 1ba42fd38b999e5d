"""One page a model: where its money went, what is still carried, other sizes, its tasks, and what to do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import colours, formats
from templates.figures.life_bars import Later, LifeBar, life_bars
from templates.figures.ternary_plane import Shares
from templates.pages.card import Card, card
from templates.pages.decisions_requested import requested
from templates.pages.index import Ref
from templates.pages.night import WHOLE_REPORT, Night, Row
from templates.pages.panels import Panel, balance_panel, cost_panel, sizes_panel, tasks_panel
from warehouse.vocabulary import PHASES

PERCENT: Final = f"{formats.NBSP}%"


@dataclass(frozen=True)
class Fact:
    """One fact of the strip under the title."""

    label: str
    value: str
    ref: Ref | None = None


@dataclass(frozen=True)
class Sheet:
    """Everything that a model sheet prints."""

    model_id: str
    state: str
    action: str
    is_retirement: bool
    low: Ref | None
    high: Ref | None
    facts: tuple[Fact, ...]
    bars: Markup | None
    has_bars: bool
    panels: tuple[Panel, ...]
    card: Card | None


def sheet(night: Night, model_id: str) -> Sheet:
    """The sheet of one model."""
    row = night.tables["thirds"].filter(as_of=night.subject["as_of"], model_id=model_id).row(0, named=True)
    advice = _advice(night, model_id)
    index = night.index
    is_brief = night.squeeze(WHOLE_REPORT) > 1
    return Sheet(
        model_id=model_id,
        state=night.say("thirds", "state", night.title("sheet", model_id)["title_code"]),
        action=_action(advice) if advice else "",
        is_retirement=advice is not None and advice["action"] == "retire",
        low=index.get(f"{model_id}:value_p10"),
        high=index.get(f"{model_id}:value_p90"),
        facts=tuple(_facts(night, row)),
        bars=_bars(night, row),
        has_bars=not is_brief,
        panels=(
            *(() if is_brief else (cost_panel(night, row), balance_panel(night, model_id))),
            sizes_panel(night, model_id),
            tasks_panel(night, model_id),
        ),
        card=card(night, advice) if advice else None,
    )


def _advice(night: Night, model_id: str) -> Row | None:
    rows = [row for row in requested(night) if row["model_id"] == model_id]
    return min(rows, key=lambda row: row["rank"], default=None)


def _action(advice: Row) -> str:
    """The action as the subject of the title's second half."""
    size = json.loads(advice["assumptions"]).get("target_params")
    task = formats.name(advice["task"], 16) if advice["task"] else "tasks"
    return {
        "retrain_smaller": f"{_with_article(formats.tokens(size))} retrain" if size else "a smaller retrain",
        "distil": f"distilling {task}",
        "route": f"routing {task} away",
        "tune_serving": "tuning its serving",
        "release_capacity": "releasing capacity",
        "retire": "retiring it",
    }[advice["action"]]


def _with_article(number: str) -> str:
    """An before numbers that are spoken with a vowel: 8, 80, 11 and 18."""
    return f"an {number}" if number.startswith("8") or re.match(r"1[18](\D|$)", number) else f"a {number}"


def _facts(night: Night, row: Row) -> list[Fact]:
    models = night.tables["models"].filter(model_id=row["model_id"]).to_dicts()
    model: Row = models[0] if models else {}
    index, name = night.index, row["model_id"]
    return [
        Fact(
            "Lifetime cost",
            night.money.short(sum(row[f"{phase}_usd"] for phase in PHASES)),
            index.get(f"{name}:lifetime"),
        ),
        Fact("Cost of imbalance", _penalty(row), index.get(f"{name}:penalty")),
        Fact("Size", _size(model)),
        Fact("Trained on", f"{formats.tokens(model.get('training_tokens'))} tokens".replace("– tokens", "–")),
        Fact("Released", formats.day(model.get("released_on"))),
        Fact("Retires", formats.day(model.get("retires_on"))),
        Fact("Owner", formats.fitted(model.get("owner"), 70) if model.get("owner") else formats.UNKNOWN),
    ]


def _penalty(row: Row) -> str:
    if row["penalty_ratio"] is None:
        return "not served" if not row["inference_usd"] else formats.UNKNOWN
    return formats.whole_percent(row["penalty_ratio"], plus="+")


def _size(model: Row) -> str:
    params, active = model.get("params"), model.get("active_params")
    if params is None:
        return formats.UNKNOWN
    if active is not None and active < params:
        return f"{formats.tokens(active)} of {formats.tokens(params)}"
    return f"{formats.tokens(params)} dense"


def _shares(amounts: list[Decimal]) -> Shares | None:
    whole = sum(amounts, Decimal(0))
    if whole <= 0 or min(amounts) < 0:
        return None
    return float(amounts[0] / whole), float(amounts[1] / whole), float(amounts[2] / whole)


def _bars(night: Night, row: Row) -> Markup | None:
    amounts = [row[f"{phase}_usd"] for phase in PHASES]
    shares = _shares(amounts)
    if shares is None:
        return None
    words = [
        f"{formats.whole_percent(share)} {night.money.short(amount)}"
        for share, amount in zip(shares, amounts, strict=True)
    ]
    today = LifeBar(shares, (words[0], words[1], words[2]), night.money.short(sum(amounts, Decimal(0))))
    target = (row["target_pretraining_ratio"], row["target_posttraining_ratio"], row["target_inference_ratio"])
    ticks = [f"target {formats.whole_percent(share)}" for share in (target[0], target[0] + target[1])]
    named = ", ".join(
        f"{colours.NAMES[phase].lower()} {formats.whole_percent(share)}"
        for phase, share in zip(PHASES, shares, strict=True)
    )
    return life_bars(today, _later(row, amounts), target, ticks, f"Shares of lifetime cost today: {named}.")


def _later(row: Row, amounts: list[Decimal]) -> Later | None:
    projected = [row[f"projected_inference_usd_{p}"] for p in ("p10", "p50", "p90")]
    if None in projected:
        return None
    low, median, high = (_shares([*amounts[:2], amount]) for amount in projected)
    if low is None or median is None or high is None:
        return None
    shares = [formats.whole_percent(one[2]) for one in (median, low, high)]
    spread = "" if shares[1] == shares[2] else f" ({shares[1].removesuffix(PERCENT)}–{shares[2]})"
    return Later(median, low[2], high[2], f"inference {shares[0]}{spread}")
