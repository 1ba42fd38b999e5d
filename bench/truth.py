"""Does Trisect choose what truly is best? Decisions on invented companies against what then came.

Run: python -m bench.truth [companies]. The truth of each alternative is summed day by day by code of its own.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from bench.companies import SETTINGS, Seen, Truth, company, rows_of
from transforms.decisions.candidates import candidates
from transforms.decisions.law_points import law_points
from transforms.decisions.pool_states import pool_states
from transforms.decisions.positions import positions
from transforms.decisions.recommendations import recommendations
from transforms.decisions.scaling_laws import law_draws, scaling_law
from transforms.decisions.serving_states import serving_states
from transforms.decisions.task_shares import task_shares
from transforms.economics.demand import demand_states
from transforms.economics.expectations import expected_service, model_lives

STEPS: Final[tuple[Callable[..., pl.DataFrame], ...]] = (
    demand_states,
    model_lives,
    expected_service,
    law_points,
    law_draws,
    scaling_law,
    pool_states,
    serving_states,
    positions,
    task_shares,
    candidates,
    recommendations,
)
MONTH: Final = 365.25 / 12
YEARLY: Final = SETTINGS["discount_ratio"]
LEADS: Final = {"retrain_smaller": (2.0, 3.0), "route": (0.5, 1.0), "distil": (1.5, 1.0)}
ONE_OFF: Final = 70_000.0
CLEAR: Final = 0.90


@dataclass(frozen=True)
class Verdict:
    """One company: what was chosen, what was best, by how much, and where the truth lay in each interval."""

    chosen: str
    best: str
    is_clear: bool
    pays: bool
    covered: tuple[bool, ...]
    value_covered: tuple[bool, ...]
    chosen_covered: tuple[bool, ...]


def decide(seen: Seen) -> dict[str, pl.DataFrame]:
    """Every table of decisions of one company."""
    computed = {"settings": rows_of("settings", [dict(SETTINGS)])}
    for function in STEPS:
        names = inspect.signature(function).parameters
        tables = {name: computed[name] if name in computed else seen.table(name) for name in names}
        computed[function.__name__] = function(**tables)
    return computed


def moved(days: int, lead: float, move: float) -> np.ndarray:
    """Share of the traffic that has moved on each day."""
    return np.clip(((np.arange(days) + 0.5) / MONTH - lead) / move, 0, 1)


def worth(truth: Truth, action: str, one_off: float, saved_per_token: float) -> tuple[float, float]:
    """Net present value, and the saving of a month once all has moved."""
    days = len(truth.daily_tokens)
    cash = moved(days, *LEADS[action]) * truth.daily_tokens * saved_per_token
    value = float((cash * (1 + YEARLY) ** (-(np.arange(days) + 15) / 365.25)).sum()) - one_off
    return value, float(truth.daily_tokens.mean()) * MONTH * saved_per_token


def true_worth(truth: Truth, row: dict[str, Any]) -> tuple[float, float]:
    """The true worth of one alternative."""
    monthly = float(truth.daily_tokens.mean()) * MONTH
    floor = truth.gpu_hour * 24 * MONTH
    if row["action"] == "retrain_smaller":
        size = row["target_params"]
        left = truth.law.A / truth.params**truth.law.alpha + truth.law.B / truth.training_tokens**truth.law.beta
        left -= truth.law.A / size**truth.law.alpha
        tokens = (truth.law.B / left) ** (1 / truth.law.beta) if left > 0 else 1e18
        tokens = repeats(tokens, truth.training_tokens)
        is_reached = tokens <= 40 * truth.training_tokens
        one_off = 6 * size * (tokens if is_reached else row["target_tokens"]) * truth.training_price + ONE_OFF
        price = max(truth.used_price / 1e6 * size / truth.params, floor / monthly)
        return worth(truth, row["action"], one_off, (truth.used_price / 1e6 - price) if is_reached else 0.0)
    share = truth.shares[row["task"]]
    if row["action"] == "route":
        student = next(student for student in truth.students if student.name == row["target_model_id"])
        kept = student.kept[row["task"]]
        return worth(truth, "route", 20_000.0, share * (kept * truth.allocated_price - student.true_price) / 1e6)
    size = row["target_params"]
    tokens = 20 * size
    used = max(truth.used_price / 1e6 * size / truth.params, floor / (share * monthly))
    price = used + (truth.allocated_price - truth.used_price) / 1e6 * size / truth.params
    one_off = truth.used_price / 1e6 * tokens + 6 * size * tokens * truth.training_price + ONE_OFF
    saved = share * (truth.plan_kept[row["task"]] * truth.allocated_price / 1e6 - price)
    value, saving = worth(truth, "distil", one_off, saved)
    return (value if truth.plan_is_measured[row["task"]] else (value - one_off) / 2), saving


def repeats(fresh: float, unique: float) -> float:
    """Tokens, repeats included, that are worth `fresh` ones (Muennighoff et al. 2023)."""
    left = 1 - (fresh / unique - 1) / 15.39
    return fresh if fresh <= unique else unique * (1 - 15.39 * np.log(left)) if left > 0 else 1e30


def allowed(row: dict[str, Any]) -> bool:
    """Whether policy leaves the alternative open: its quality gate, a steady task, a student that can be taught."""
    return not any(words in row["reason"] for words in ("under the gate", "week to week", "trained alone"))


def kind_of(action: str) -> str:
    """Moving tasks is one kind of answer, whatever moves where."""
    return "moves" if action in {"route", "distil"} else action


def true_kinds(rows: list[dict[str, Any]], values: list[tuple[float, float]]) -> dict[str, float]:
    """True worth of each kind of answer: the best of the sizes, and of each task its best move, where they pay."""
    best: dict[tuple[str, str | None], float] = {}
    for row, (value, saving) in zip(rows, values, strict=True):
        if allowed(row) and saving >= float(SETTINGS["materiality_usd"]):
            key = (kind_of(row["action"]), row["task"])
            best[key] = max(value, best.get(key, -np.inf))
    kinds = {"hold": 0.0}
    for (kind, task), value in best.items():
        kinds[kind] = kinds.get(kind, 0.0) + (max(value, 0.0) if task else value)
    return kinds


def judge(seed: int) -> Verdict:
    """One company decided on, and compared with what came."""
    seen, truth = company(seed)
    tables = decide(seen)
    own = pl.col("model_id") == "large"
    is_valued = pl.col("net_present_value_usd_p50").is_not_null() & (pl.col("action") != "retire")
    rows = tables["candidates"].filter(own, is_valued).to_dicts()
    values = [true_worth(truth, row) for row in rows]
    kinds = true_kinds(rows, values)
    best, *others = sorted(kinds.values(), reverse=True)
    cards = tables["recommendations"].filter(own).to_dicts()
    keep, second = cost_of_keeping(truth), max(others, default=-np.inf)
    inside = [_covers(row, "monthly_saving", saving) for row, (_, saving) in zip(rows, values, strict=True)]
    worth_inside = [_covers(row, "net_present_value", value) for row, (value, _) in zip(rows, values, strict=True)]
    picked = {_name(card) for card in cards}
    return Verdict(
        chosen=kind_of(cards[0]["action"]),
        best=max(kinds, key=lambda kind: kinds[kind]),
        is_clear=keep - best <= CLEAR * (keep - second),
        pays=best > 0,
        covered=tuple(inside),
        value_covered=tuple(hit for row, hit in zip(rows, worth_inside, strict=True) if row["is_measured"]),
        chosen_covered=tuple(hit for row, hit in zip(rows, inside, strict=True) if _name(row) in picked),
    )


def cost_of_keeping(truth: Truth) -> float:
    """What serving as today would truly cost."""
    days = np.arange(len(truth.daily_tokens))
    discounted = truth.daily_tokens * (1 + YEARLY) ** (-(days + 15) / 365.25)
    return float(discounted.sum()) * truth.allocated_price / 1e6


def _name(row: dict[str, Any]) -> tuple[str, str | None, float]:
    """What tells a card and its candidate from the other sizes and students."""
    return row["action"], row["task"], float(row["monthly_saving_usd_p50"])


def _covers(row: dict[str, Any], name: str, came: float) -> bool:
    return float(row[f"{name}_usd_p10"]) <= came <= float(row[f"{name}_usd_p90"])


def summary(verdicts: list[Verdict]) -> dict[str, float]:
    """The shares that are promised, and how many companies stand behind each."""
    clear = [verdict for verdict in verdicts if verdict.is_clear]
    nothing = [verdict for verdict in verdicts if not verdict.pays]
    every = [hit for verdict in verdicts for hit in verdict.covered]
    chosen = [hit for verdict in verdicts for hit in verdict.chosen_covered]
    return {
        "companies": len(verdicts),
        "clear": len(clear),
        "right_when_clear": float(np.mean([verdict.chosen == verdict.best for verdict in clear])),
        "nothing_pays": len(nothing),
        "held_when_nothing_pays": float(np.mean([verdict.chosen == "hold" for verdict in nothing])),
        "alternatives": len(every),
        "covered": float(np.mean(every)),
        "values_covered": float(np.mean([hit for verdict in verdicts for hit in verdict.value_covered])),
        "recommended": len(chosen),
        "recommended_covered": float(np.mean(chosen)),
    }


def main() -> None:
    """Print the table of docs/decisions.md."""
    verdicts = [judge(seed) for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 200)]
    for name, value in summary(verdicts).items():
        print(f"{name:26} {value:,.3g}")
    pairs = pl.DataFrame([{"best": v.best, "chosen": v.chosen} for v in verdicts if v.is_clear])
    print(pairs.group_by("best", "chosen").len().sort("best", "chosen"))


if __name__ == "__main__":
    main()
