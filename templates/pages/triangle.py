"""Figure 3-1: which models stand in the triangle, and what is said of the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.phase_bars import PhaseBar, phase_bars
from templates.figures.ternary import ModelDot, is_plotted, radius_scale, ternary
from templates.figures.ternary_key import how_to_read, round_sizes, size_key, steps
from templates.figures.ternary_plane import Shares, penalty
from templates.pages.band_verdict import verdicts
from templates.pages.night import WHOLE_REPORT, Night, Row
from warehouse.vocabulary import PHASES

MOST_DOTS: Final = 20
MOST_NAMES: Final = 6
"""Models that the figure names; the others carry the number of their row in the table."""
TRAIL_MONTHS: Final = 6
NAME_LIMIT: Final = 18
NAME_WIDTH: Final = 72.0
FEWEST_PHASES: Final = 2
LARGE_FIGURES: Final = 2
"""So many times a report of one model is squeezed before its triangle becomes one bar."""


def triangle(night: Night, rows: Sequence[Row], large: Sequence[Row]) -> tuple[Markup, list[str]]:
    """The figure with the large ones among the models, and the notes under it."""
    drawable = [row for row in large if (shares := _shares(row)) is not None and is_plotted(shares)]
    is_small = night.squeeze(WHOLE_REPORT) > LARGE_FIGURES
    if is_small or not any(_phases(row) >= FEWEST_PHASES for row in drawable):
        return _bars(night, rows), []
    verdict_by_model = verdicts(night)
    first = sorted(
        drawable, key=lambda row: (not verdict_by_model[row["model_id"]]["is_outside"], -_spend(row), row["model_id"])
    )[:MOST_DOTS]
    names = {row["model_id"] for row in first}
    ranks = {row["model_id"]: str(rank) for rank, row in enumerate(large, start=1)}
    dots = [_dot(night, row, "" if order < MOST_NAMES else ranks[row["model_id"]]) for order, row in enumerate(first)]
    notes = _notes(night, rows, first, [row for row in rows if row["model_id"] not in names])
    return ternary(dots, night.target, float(night.settings["dead_band_ratio"]), _keys(night, dots),
                   _alt(night, rows)), notes  # fmt: skip


def _spend(row: Row) -> float:
    return float(sum(row[f"{phase}_usd"] for phase in PHASES))


def _phases(row: Row) -> int:
    return sum(1 for phase in PHASES if row[f"{phase}_usd"])


def _shares(row: Row) -> Shares | None:
    """Shares of the three phases; an adopted base lies on the line of the other two."""
    amounts = [float(row[f"{phase}_usd"]) for phase in PHASES]
    if row["status"] == "no_own_pretraining":
        amounts[0] = 0.0
    whole = sum(amounts)
    return (amounts[0] / whole, amounts[1] / whole, amounts[2] / whole) if whole > 0 else None


def _dot(night: Night, row: Row, number: str) -> ModelDot:
    """One model; a number is drawn in place of its name, and without its trail."""
    shares = _shares(row)
    is_adopted = row["status"] == "no_own_pretraining"
    return ModelDot(
        name=formats.fitted(row["model_id"], NAME_WIDTH) + (" †" if is_adopted else ""),
        note=_note(night, row),
        shares=shares or (0.0, 0.0, 0.0),
        spend=_spend(row),
        status=verdicts(night)[row["model_id"]]["state"],
        trail=() if is_adopted or number else _trail(night, row["model_id"]),
        expected=_expected(row) if row["status"] == "too_young" else None,
        number=number,
    )


def _note(night: Night, row: Row) -> str:
    amount = night.money.short(_spend(row))
    if row["status"] == "too_young":
        age = row["age_days"]
        return f"{amount}, {formats.plain(age)} days old" if age is not None else f"{amount}, not released"
    if row["status"] == "no_own_pretraining":
        return f"{amount}, adopted base"
    if row["penalty_ratio"] is None:
        return f"{amount}, has not served" if not row["inference_usd"] else amount
    return f"{amount}, {formats.whole_percent(row['penalty_ratio'], plus='+')}"


def _trail(night: Night, model_id: str) -> tuple[Shares, ...]:
    ours = night.tables["trails"].filter(pl.col("model_id") == model_id, pl.col("month") <= night.subject["month"])
    rows = ours.sort("month").tail(TRAIL_MONTHS).to_dicts()
    stops = [shares for row in rows if (shares := _shares(row | {"status": ""})) is not None and is_plotted(shares)]
    return tuple(stops)


def _expected(row: Row) -> Shares | None:
    inference = row["projected_inference_usd_p50"]
    if inference is None:
        return None
    return _shares(row | {"inference_usd": Decimal(inference)})


def _keys(night: Night, dots: Sequence[ModelDot]) -> list[str]:
    band = formats.whole_percent(night.settings["dead_band_ratio"])
    heavy = (
        (colours.PRETRAINING, "pre-training"),
        (colours.POSTTRAINING, "post-training"),
        (colours.INFERENCE_TEXT, "inference"),
    )
    largest = max((dot.spend for dot in dots), default=0.0)
    words = [night.money.short(size).replace(".00", "") for size in round_sizes(largest)]
    return [*how_to_read(night.target_name, band, heavy), *size_key(steps(largest, radius_scale(dots), words))]


def _alt(night: Night, rows: Sequence[Row]) -> str:
    verdict_by_model = verdicts(night)
    out = [row for row in rows if verdict_by_model[row["model_id"]]["is_outside"]]
    band = formats.whole_percent(night.settings["dead_band_ratio"])
    judged = sum(1 for row in rows if verdict_by_model[row["model_id"]]["is_judged"])
    verdict = f"{len(out)} of {judged} judged models are outside the {band} band"
    if not out:
        return f"Triangle of pre-training, post-training and inference: {verdict}."
    worst = max(out, key=lambda row: (row["distance_usd"] or 0, row["model_id"]))
    return (
        f"Triangle of pre-training, post-training and inference: {verdict}; "
        f"{formats.name(worst['model_id'], NAME_LIMIT)} costs most over it, at "
        f"{formats.whole_percent(worst['penalty_ratio'], plus='+')}."
    )


def _notes(night: Night, rows: Sequence[Row], drawable: Sequence[Row], rest: Sequence[Row]) -> list[str]:
    notes = ["Shares describe the past; actions are chosen on avoidable future cost only."]
    if any(row["status"] == "no_own_pretraining" for row in drawable):
        notes.insert(0, "† scored on post-training and inference only.")
    if len(drawable) > MOST_NAMES:
        notes.append("A number in or beside a dot is the row of the table below.")
    notes.append(_overhead_note(night, rows))
    if rest:
        amount = night.money.short(sum((Decimal(row[f"{phase}_usd"]) for row in rest for phase in PHASES), Decimal(0)))
        words = f"{len(rest):,} more models with" if len(rest) > 1 else "One more model with"
        notes.append(f"{words} {amount} in all {'are' if len(rest) > 1 else 'is'} not drawn.")
    return notes


def _overhead_note(night: Night, rows: Sequence[Row]) -> str:
    overheads = _overheads(night)
    moved = [formats.name(row["model_id"], NAME_LIMIT) for row in rows if _moves(night, row, overheads)]
    effect = f"moves {', '.join(moved[:3])} across the band" if moved else "moves no model across the band"
    return f"Idle, unused commitments and shared cost are outside the shares: counting them {effect}."


def _overheads(night: Night) -> dict[tuple[str, str], Decimal]:
    """Idle and shared cost by model and phase."""
    rows = night.tables["lifecycle_spend"].filter(as_of=night.subject["as_of"])
    columns = rows.select("model_id", "phase", "idle_share_usd", "shared_share_usd").iter_rows()
    return {(model_id, phase): idle + shared for model_id, phase, idle, shared in columns}


def _moves(night: Night, row: Row, overheads: dict[tuple[str, str], Decimal]) -> bool:
    """Whether a model would change sides if its share of idle and shared cost counted with the phase it came from."""
    band_verdict = verdicts(night)[row["model_id"]]
    if not band_verdict["is_judged"]:
        return False
    more = {phase: overheads.get((row["model_id"], phase), Decimal(0)) for phase in PHASES}
    counted = _shares(row | {f"{phase}_usd": row[f"{phase}_usd"] + more[phase] for phase in PHASES})
    band = float(night.settings["dead_band_ratio"])
    return counted is not None and (penalty(counted, night.target) > band) is not band_verdict["is_outside"]


def _bars(night: Night, rows: Sequence[Row]) -> Markup:
    bars = [
        PhaseBar(formats.name(row["model_id"], NAME_LIMIT), night.money.short(_spend(row)), shares)
        for row in rows[:MOST_DOTS]
        if (shares := _shares(row)) is not None
    ]
    none = "Credits are larger than the cost of every model." if rows else "There is no model to draw."
    alt = "Each model is one bar of its three phases." if bars else none
    return phase_bars(bars, night.target, alt)
