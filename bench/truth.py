"""Does Trisect choose what truly is best? Decisions on invented companies against the cash that then came.

The truth of each alternative is the cash of the company with it and without it, counted month by month by code of its
own (bench/future.py, bench/companies.py); bench/truth_table.py prints what comes out.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from bench.companies import ADVERSARIAL, SETTINGS, Seen, company, rows_of
from transforms.decisions.demand.positions import positions
from transforms.decisions.demand.task_shares import task_shares
from transforms.decisions.law.law_points import law_points
from transforms.decisions.law.scaling_law import law_draws, scaling_law
from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.portfolio.portfolio_selection import portfolio
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.supply.pool_states import pool_states
from transforms.decisions.supply.pool_users import pool_users
from transforms.decisions.supply.serving_states import serving_states
from transforms.decisions.supply.supply import supply
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
    supply,
    pool_users,
    positions,
    task_days,
    task_shares,
    candidates,
    portfolio,
    recommendations,
)
# A case is clear where the best answer beats the second by so much of what keeping everything costs.
CLEAR: Final = 0.05
# An answer is right where it is worth at least so much of the best.
NEAR: Final = 0.90
CENT: Final = 1.0
# Months of the truth are whole and those of the company end with a day, so that what came may lie so far off.
DAYS_OF_A_LIFE: Final = 0.005


@dataclass(frozen=True)
class Interval:
    """One valued alternative: whether what came lay in P10–P90, or below it."""

    action: str
    is_chosen: bool
    covered: bool
    below: bool


@dataclass(frozen=True)
class Verdict:
    """One company: what was asked for, what was best, what each is worth, and where the truth lay."""

    kind: str
    chosen: str
    best: str
    is_clear: bool
    is_right: bool
    regret: float
    best_value: float
    intervals: tuple[Interval, ...]

    @property
    def is_near(self) -> bool:
        """Whether what was asked for, its sizes and students as chosen, is worth nearly as much as the best."""
        return self.regret <= (1 - NEAR) * self.best_value + CENT

    @property
    def is_adversarial(self) -> bool:
        """Whether the company is one of contracts, owned GPUs, decline, launches or missing data."""
        return self.kind in ADVERSARIAL


def decide(seen: Seen) -> dict[str, pl.DataFrame]:
    """Every table of decisions of one company."""
    computed = {"settings": rows_of("settings", [dict(SETTINGS)])}
    for function in STEPS:
        names = inspect.signature(function).parameters
        tables = {name: computed[name] if name in computed else seen.table(name) for name in names}
        computed[function.__name__] = function(**tables)
    return computed


def judge(seed: int) -> Verdict:
    """One company decided on, and compared with what came."""
    seen, world = company(seed)
    tables = decide(seen)
    is_subject = (pl.col("model_id") == "large") | (pl.col("pool_id") == "sv")
    # who takes the users of a model that is retired, and at what quality, is not known to the truth
    is_judged = (pl.col("standing") != "evaluate_first") | (pl.col("action") == "distil")
    is_valued = pl.col("net_present_value_usd_p50").is_not_null() & is_judged
    rows = [
        row | {"assumptions": json.loads(row["assumptions"])}
        for row in tables["candidates"].filter(is_subject, is_valued).to_dicts()
    ]
    values = [world.worth(row) for row in rows]
    allowed = {"hold": 0.0}
    for row, value in zip(rows, values, strict=True):
        if "under the gate" not in row["reason"] and "the student would be better" not in row["reason"]:
            allowed[row["action"]] = max(value, allowed.get(row["action"], -np.inf))
    cards = tables["recommendations"].filter(is_subject, pl.col("action") != "hold").to_dicts()
    asked = {_name(card) for card in cards}
    worth = [value for row, value in zip(rows, values, strict=True) if _name(row) in asked]
    best = max(allowed, key=lambda action: allowed[action])
    ordered = sorted(allowed.values(), reverse=True)
    second, got = (ordered[1] if len(ordered) > 1 else 0.0), sum(worth)
    answers = {card["action"] for card in cards} or {"hold"}
    return Verdict(
        kind=world.kind,
        chosen=cards[0]["action"] if cards else "hold",
        best=best,
        is_clear=allowed[best] - second > CLEAR * world.keeping() or allowed[best] == 0,
        is_right=best in answers or got >= NEAR * allowed[best] - CENT,
        regret=max(allowed[best] - got, 0.0),
        best_value=allowed[best],
        intervals=tuple(_interval(row, world.came(row), asked) for row in rows if _says_something(row)),
    )


def _name(row: dict[str, Any]) -> tuple[object, ...]:
    """What tells a card and its candidate from the other sizes and students."""
    return row["action"], row["task"], row["pool_id"], row["target_params"]


def _says_something(row: dict[str, Any]) -> bool:
    """Whether the alternative would change anything: what gives nothing back saves nothing, and is always right."""
    return bool(row["monthly_saving_usd_p10"] or row["monthly_saving_usd_p90"])


def _interval(row: dict[str, Any], came: float, asked: set[tuple[object, ...]]) -> Interval:
    low, high = (float(row[f"net_present_value_usd_p{level}"]) for level in (10, 90))
    near = CENT + DAYS_OF_A_LIFE * abs(came)
    return Interval(
        row["action"], _name(row) in asked, covered=low - near <= came <= high + near, below=came < low - near
    )


def share(hits: Iterable[bool]) -> float:
    """Share of hits; none where there is nothing to hit."""
    every = list(hits)
    return float(np.mean(every)) if every else float("nan")


def summary(verdicts: list[Verdict]) -> dict[str, float]:
    """The shares that are promised, and how many companies stand behind each."""
    plain = [one for one in verdicts if one.is_clear and not one.is_adversarial]
    hard = [one for one in verdicts if one.is_clear and one.is_adversarial]
    every = [interval for verdict in verdicts for interval in verdict.intervals]
    chosen = [one for one in every if one.is_chosen]
    return {
        "companies": len(verdicts),
        "clear": len(plain),
        "right_when_clear": share(one.is_right for one in plain),
        "near_when_clear": share(one.is_near for one in plain),
        "adversarial": len(hard),
        "right_when_adversarial": share(one.is_right for one in hard),
        "near_when_adversarial": share(one.is_near for one in hard),
        "alternatives": len(every),
        "covered": share(one.covered for one in every),
        "recommended": len(chosen),
        "below": share(one.below for one in chosen),
        "regret": sum(one.regret for one in verdicts) / max(sum(one.best_value for one in verdicts), 1.0),
    }
