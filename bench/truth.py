"""Does Trisect choose what truly is best? Decisions on invented companies against what then came.

The truth of each alternative is summed day by day by code of its own; bench/truth_table.py prints what comes out.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from bench.companies import SETTINGS, Seen, rows_of
from bench.future import present
from bench.kin_companies import kin_company, silent_company
from bench.pool_companies import pool_company
from bench.serving_companies import serving_company
from bench.training_companies import training_company
from transforms.decisions.demand.positions import positions
from transforms.decisions.demand.task_shares import task_shares
from transforms.decisions.law.law_points import law_points
from transforms.decisions.law.scaling_law import law_draws, scaling_law
from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.supply.pool_states import pool_states
from transforms.decisions.supply.serving_states import serving_states
from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.forecast.demand_paths import demand_paths
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.spend.service import task_days

STEPS: Final[tuple[Callable[..., pl.DataFrame], ...]] = (
    estimate_days,
    demand_states,
    demand_paths,
    model_lives,
    expected_service,
    law_points,
    law_draws,
    scaling_law,
    pool_states,
    serving_states,
    positions,
    task_days,
    task_shares,
    candidates,
    recommendations,
)
CLEAR: Final = 0.90
CENT: Final = 0.01


class Truth(Protocol):
    """What is true of one company, and what comes."""

    def worth(self, row: dict[str, Any]) -> tuple[float, float]:
        """Net present value of one alternative, and its saving of a month once all has moved."""

    def cost_a_day(self) -> np.ndarray:
        """What keeping everything as it is costs on each day that comes."""


# Half of the companies train a model of their own; the others show a deployment, two kin, a silent model, a pool.
SCENES: Final[tuple[Callable[[int], tuple[Seen, Truth]], ...]] = (
    training_company,
    serving_company,
    training_company,
    kin_company,
    training_company,
    pool_company,
    training_company,
    silent_company,
)


@dataclass(frozen=True)
class Interval:
    """One valued alternative: whether what came lay within P10–P90 of the monthly saving and of the value."""

    action: str
    is_measured: bool
    is_chosen: bool
    saving_covered: bool
    value_covered: bool


@dataclass(frozen=True)
class TaskVerdict:
    """One task of a company that rightly moves its tasks: what was done with it, and what was best by how much."""

    chosen: str
    best: str
    is_clear: bool


@dataclass(frozen=True)
class Verdict:
    """One company: what was chosen, what was best, by how much, and where the truth lay in each interval."""

    chosen: str
    best: str
    is_clear: bool
    pays: bool
    intervals: tuple[Interval, ...]
    tasks: tuple[TaskVerdict, ...]


def decide(seen: Seen) -> dict[str, pl.DataFrame]:
    """Every table of decisions of one company."""
    computed = {"settings": rows_of("settings", [dict(SETTINGS)])}
    for function in STEPS:
        names = inspect.signature(function).parameters
        tables = {name: computed[name] if name in computed else seen.table(name) for name in names}
        computed[function.__name__] = function(**tables)
    return computed


def allowed(row: dict[str, Any]) -> bool:
    """Whether policy leaves the alternative open: its quality gate, a steady task, a student that can be taught."""
    return not any(words in row["reason"] for words in ("under the gate", "week to week", "trained alone"))


def kind_of(action: str) -> str:
    """Moving tasks is one kind of answer, whatever moves where."""
    return "moves" if action in {"route", "distil"} else action


def true_kinds(rows: list[dict[str, Any]], values: list[tuple[float, float]]) -> dict[str, float]:
    """True worth of each kind of answer: the best of the sizes, and of each task its best move, where they pay."""
    kinds = {"hold": 0.0}
    moves: dict[str, float] = {}
    for (action, task), value in true_actions(rows, values).items():
        if task:
            moves[task] = max(value, moves.get(task, 0.0))
        else:
            kinds[action] = value
    return kinds | ({"moves": sum(moves.values())} if moves else {})


def true_actions(rows: list[dict[str, Any]], values: list[tuple[float, float]]) -> dict[tuple[str, str | None], float]:
    """True worth of each action on the model or one of its tasks: the best of its sizes and students."""
    best: dict[tuple[str, str | None], float] = {}
    for row, (value, saving) in zip(rows, values, strict=True):
        if allowed(row) and saving >= float(SETTINGS["materiality_usd"]):
            key = (row["action"], row["task"])
            best[key] = max(value, best.get(key, -np.inf))
    return best


def judge(seed: int) -> Verdict:
    """One company decided on, and compared with what came."""
    seen, truth = SCENES[seed % len(SCENES)](seed)
    tables = decide(seen)
    is_subject = (pl.col("model_id") == "large") | pl.col("model_id").is_null()
    is_valued = pl.col("net_present_value_usd_p50").is_not_null()
    rows = tables["candidates"].filter(is_subject, is_valued).to_dicts()
    rows = [row | {"assumptions": json.loads(row["assumptions"])} for row in rows]
    values = [truth.worth(row) for row in rows]
    kinds = true_kinds(rows, values)
    best, *others = sorted(kinds.values(), reverse=True)
    cards = tables["recommendations"].filter(is_subject).to_dicts()
    keep, second = present(truth.cost_a_day()), max(others, default=-np.inf)
    picked = {_name(card) for card in cards}
    kept = {row["task"]: keep * row["assumptions"]["share_of_inference"] for row in rows if row["task"]}
    chosen, right = kind_of(cards[0]["action"]) if cards else "hold", max(kinds, key=lambda kind: kinds[kind])
    return Verdict(
        chosen=chosen,
        best=right,
        is_clear=keep - best <= CLEAR * (keep - second),
        pays=best > 0,
        intervals=tuple(
            _interval(row, value, picked) for row, value in zip(rows, values, strict=True) if _says_something(row)
        ),
        tasks=_tasks(true_actions(rows, values), cards, kept) if chosen == right == "moves" else (),
    )


def _tasks(
    actions: dict[tuple[str, str | None], float], cards: list[dict[str, Any]], kept: dict[str, float]
) -> tuple[TaskVerdict, ...]:
    """Each task that could move: routed, distilled or left, and which of the three was best."""
    done = {card["task"]: card["action"] for card in cards}
    found = []
    for task in sorted({str(task) for _, task in actions if task}):
        worths = {"hold": 0.0} | {action: value for (action, of), value in actions.items() if of == task}
        best, second = sorted(worths.values(), reverse=True)[:2]
        right = max(worths, key=lambda action: worths[action])
        is_clear = kept[task] - best <= CLEAR * (kept[task] - second)
        found.append(TaskVerdict(done.get(task, "hold"), right, is_clear))
    return tuple(found)


def _says_something(row: dict[str, Any]) -> bool:
    """Whether the alternative would change anything: what gives nothing back saves nothing, and is always right."""
    return bool(row["monthly_saving_usd_p10"] or row["monthly_saving_usd_p90"])


def _interval(row: dict[str, Any], came: tuple[float, float], picked: set[tuple[object, ...]]) -> Interval:
    is_measured = row["is_measured"]
    inside = (_covers(row, "net_present_value", came[0]), _covers(row, "monthly_saving", came[1]))
    return Interval(row["action"], is_measured, _name(row) in picked, saving_covered=inside[1], value_covered=inside[0])


def _name(row: dict[str, Any]) -> tuple[object, ...]:
    """What tells a card and its candidate from the other sizes and students."""
    return row["action"], row["task"], float(row["monthly_saving_usd_p50"])


def _covers(row: dict[str, Any], name: str, came: float) -> bool:
    return float(row[f"{name}_usd_p10"]) - CENT <= came <= float(row[f"{name}_usd_p90"]) + CENT


def share(hits: Iterable[bool]) -> float:
    """Share of hits; none where there is nothing to hit."""
    every = list(hits)
    return float(np.mean(every)) if every else float("nan")


def summary(verdicts: list[Verdict]) -> dict[str, float]:
    """The shares that are promised, and how many companies stand behind each."""
    clear = [verdict for verdict in verdicts if verdict.is_clear]
    nothing = [verdict for verdict in verdicts if not verdict.pays]
    every = [interval for verdict in verdicts for interval in verdict.intervals]
    measured, chosen = ([one for one in every if getattr(one, name)] for name in ("is_measured", "is_chosen"))
    return {
        "companies": len(verdicts),
        "clear": len(clear),
        "right_when_clear": share(verdict.chosen == verdict.best for verdict in clear),
        "nothing_pays": len(nothing),
        "held_when_nothing_pays": share(verdict.chosen == "hold" for verdict in nothing),
        "alternatives": len(every),
        "covered": share(one.saving_covered for one in every),
        "measured": len(measured),
        "values_covered": share(one.value_covered for one in measured),
        "recommended": len(chosen),
        "recommended_covered": share(one.saving_covered for one in chosen),
    }
