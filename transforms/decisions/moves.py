"""Moving a task from the model that serves it to a smaller one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.alternatives import Alternative
from transforms.decisions.demand import demand_draws
from transforms.decisions.randomness import generator
from transforms.decisions.valuation import Cash, ramp, whole_months

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from transforms.decisions.laws import Floats

# Share of the teacher's quality a student must keep; the card prints it.
QUALITY_GATE_RATIO: Final = 0.97
ROUTE_LEAD_MONTHS: Final = 0.5
ROUTE_MOVE_MONTHS: Final = 1.0
_MTOK: Final = 1e6
# Pseudo-observations behind the share of requests a student keeps: an evaluated student, and one nobody measured.
_MEASURED_WEIGHT: Final = 60.0
_UNMEASURED_WEIGHT: Final = 8.0
_UNMEASURED_RATIO: Final = 0.90
_MOST_KEPT: Final = 0.995
_LOWER_IS_BETTER: Final = ("loss", "error", "perplexity", "ppl", "wer", "cer")


@dataclass(frozen=True)
class Route:
    """One task of one model that an existing model could serve, with the evidence for it."""

    task: str | None
    share: float
    share_sigma: float
    student: Mapping[str, Any]
    quality_ratio: float | None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def quality_ratio(metric: str, teacher: float, student: float) -> float | None:
    """Share of the teacher's quality that the student keeps; inverted where less is better."""
    better, worse = (student, teacher) if not metric.lower().endswith(_LOWER_IS_BETTER) else (teacher, student)
    return better / worse if worse > 0 else None


def routes_of(
    position: Mapping[str, Any],
    tasks: pl.DataFrame,
    positions: Mapping[str, Mapping[str, Any]],
    workloads: pl.DataFrame,
) -> list[Route]:
    """The tasks of one model with each cheaper model that was evaluated on them."""
    return [
        Route(
            row["task"],
            row["share_ratio"],
            row["share_sigma"],
            positions[row["student_model_id"]],
            quality_ratio(row["quality_metric"], row["teacher_quality"], row["student_quality"]),
            {name: str(row[name]) for name in ("quality_metric", "teacher_quality", "student_quality", "measured_on")},
        )
        for row in tasks.join(workloads, on="task").sort("task", "student_model_id", "measured_on").to_dicts()
        if row["student_model_id"] in positions and row["student_model_id"] != position["model_id"]
    ]


def route_alternative(position: Mapping[str, Any], route: Route) -> Alternative:
    """The route as an alternative with its gate, its evidence and what stands against it."""
    student = route.student
    return Alternative(
        action="route",
        model_id=position["model_id"],
        task=route.task,
        target_model_id=student["model_id"],
        target_params=student["params"],
        is_measured=route.quality_ratio is not None,
        quality_gate=_gate_words(route),
        missing=_missing(position, student),
        blocked=_blocked(route),
        assumptions={
            "share_of_inference": round(route.share, 4),
            "teacher_usd_per_mtok": _text(position["allocated_usd_per_mtok"]),
            "student_usd_per_mtok": _text(student["allocated_usd_per_mtok"]),
            "kept_quality_ratio": route.quality_ratio and round(route.quality_ratio, 4),
            "lead_months": ROUTE_LEAD_MONTHS,
            "move_months": ROUTE_MOVE_MONTHS,
            **route.evidence,
        },
    )


def route_cash(
    as_of: dt.date, position: Mapping[str, Any], routes: Sequence[Route], one_off_usd: float, draws: int
) -> Cash:
    """Cash of routes of one model: what the student does not keep goes back to the teacher and is paid twice."""
    model_id = position["model_id"]
    teacher = _price_draws(as_of, position, draws)
    saving = np.empty((len(routes), draws))
    for line, route in enumerate(routes):
        dice = generator(as_of, model_id, "route", str(route.task), route.student["model_id"])
        share = np.clip(dice.normal(route.share, route.share_sigma, draws), 0, 1)
        kept = _kept_draws(dice, route.quality_ratio, draws)
        saving[line] = share * (kept * teacher - _price_draws(as_of, route.student, draws))
    months = position["remaining_months"]
    moved = np.tile(ramp(months, ROUTE_LEAD_MONTHS, ROUTE_MOVE_MONTHS), (len(routes), 1))
    tokens = token_draws(as_of, position, draws)
    nothing = np.zeros_like(saving)
    return Cash(np.full_like(saving, one_off_usd), saving, nothing, moved, tokens)


def token_draws(as_of: dt.date, position: Mapping[str, Any], draws: int) -> Floats:
    """Demand of one model by month and draw: the same draws on every card of the model."""
    monthly = np.full(whole_months(position["remaining_months"]), position["monthly_tokens_p50"])
    return demand_draws(generator(as_of, position["model_id"], "demand"), monthly, position["demand_sigma"], draws)


def _price_draws(as_of: dt.date, position: Mapping[str, Any], draws: int) -> Floats:
    """Allocated price of one token of one model: log-normal with the spread its months have shown."""
    dice = generator(as_of, position["model_id"], "price")
    spread = np.exp(position["price_sigma"] * dice.standard_normal(draws))
    return np.asarray(float(position["allocated_usd_per_mtok"]) / _MTOK * spread)


def _kept_draws(dice: np.random.Generator, ratio: float | None, draws: int) -> Floats:
    mean = min(_UNMEASURED_RATIO if ratio is None else ratio, _MOST_KEPT)
    weight = _UNMEASURED_WEIGHT if ratio is None else _MEASURED_WEIGHT
    return dice.beta(mean * weight, (1 - mean) * weight, draws)


def _missing(position: Mapping[str, Any], student: Mapping[str, Any]) -> str:
    if position["allocated_usd_per_mtok"] is None:
        return f"{position['model_id']} has no price of a token: attribute its serving GPUs in attribution.csv"
    if student["allocated_usd_per_mtok"] is None:
        return f"{student['model_id']} has no price of a token: it must have served attributed tokens"
    return ""


def _blocked(route: Route) -> str:
    if route.quality_ratio is not None and route.quality_ratio < QUALITY_GATE_RATIO:
        return f"keeps {route.quality_ratio:.1%} of the quality, under the gate of {QUALITY_GATE_RATIO:.0%}"
    return ""


def _gate_words(route: Route) -> str:
    student = route.student["model_id"]
    if route.quality_ratio is None:
        return f"quality unmeasured: evaluate {student} on the task and add the row to workloads.csv"
    return f"{student} keeps at least {QUALITY_GATE_RATIO:.0%} of the quality; measured {route.quality_ratio:.1%}"


def _text(value: object) -> str | None:
    return None if value is None else f"{value:.6f}"
