"""Invented companies with a deployment of known chips and load: some hold far more chips than their busy hours need.

The model was adopted, so it is not retrained; its tasks may still be routed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bench.companies import (
    HISTORY_DAYS,
    NIGHT,
    PRICE_SIGMA,
    SHARE_SHOCK,
    Seen,
    Student,
    log_uniform,
    show_prices,
    show_service,
    show_student,
    student,
    walk,
)
from bench.future import MONTH, worth
from bench.task_worth import Moves, moved_task

# Dense models that were built: parameters and layers, 8 heads of 128 keys and as many values each.
SIZES: Final = ((8e9, 32), (14e9, 40), (34e9, 60), (70e9, 80), (104e9, 96))
# H100 SXM: dense BF16 FLOP and bytes a second, and memory in bytes.
PEAK: Final = (989e12, 3.35e12, 80e9)
PROMPT, ANSWER = 1000, 300
CALENDAR: Final = (0.5, 1.0)
_LOG_HOURS: Final = 0.35 * np.sin(2 * np.pi * (np.arange(24) - 8) / 24)
PROFILE: Final = np.exp(_LOG_HOURS) / np.exp(_LOG_HOURS).sum()


@dataclass(frozen=True)
class Machine:
    """What one model truly needs of its chips."""

    params: float
    layers: int
    efficiency: float

    def gpus(self, hourly_tokens: np.ndarray) -> int:
        """Chips that serve all but one hour of twenty with three tenths of the seconds to spare."""
        busy = float(np.quantile(hourly_tokens, 0.95)) / 3600
        return min(each * int(np.ceil(max(busy * self._seconds(each) / 0.7, 1e-9))) for each in self._widths())

    def least(self) -> int:
        """The fewest chips that hold the weights and a cache of a quarter of them."""
        return int(2 ** np.ceil(np.log2(max(2.5 * self.params / (PEAK[2] * 0.9), 1))))

    def _widths(self) -> list[int]:
        return [self.least() * wider for wider in (1, 2, 4, 8) if self.least() * wider <= max(self.least(), 8)]

    def _seconds(self, each: int) -> float:
        """Seconds of a copy on `each` chips that a token takes, at the fullest batch that fits."""
        worth_of = each * 0.85 ** np.log2(each / self.least()) * self.efficiency
        flop, moved = PEAK[0] * 0.45 * worth_of, PEAK[1] * 0.60 * worth_of
        cache = (PROMPT + ANSWER / 2) * 4096 * self.layers
        batch = min(PEAK[0] / PEAK[1], (PEAK[2] * 0.9 * each - 2 * self.params) / cache)
        step = max(2 * self.params * batch / flop, (2 * self.params + batch * cache) / moved)
        return float((PROMPT * 2 * self.params / flop + ANSWER * step / batch) / (PROMPT + ANSWER))


@dataclass(frozen=True)
class ServingTruth:
    """What is true of a deployment and its model, and the demand that comes."""

    machine: Machine
    held: int
    gpu_hour: float
    moves: Moves
    recent_tokens: float

    @property
    def daily_tokens(self) -> np.ndarray:
        """The demand that comes."""
        return self.moves.daily_tokens

    def worth(self, row: dict[str, Any]) -> tuple[float, float]:
        """Chips given back save their price until a month needs them again; tasks are worth what they save."""
        return self._tuned(row) if row["action"] == "tune_serving" else moved_task(self.moves, row)

    def cost_a_day(self) -> np.ndarray:
        """What serving as today costs."""
        return self.daily_tokens * self.moves.allocated_price / 1e6

    def _tuned(self, row: dict[str, Any]) -> tuple[float, float]:
        freed = row["assumptions"]["gpus_freed"]
        months = np.array_split(self.daily_tokens, max(round(len(self.daily_tokens) / MONTH), 1))
        needed = np.concatenate([np.full(len(days), self.machine.gpus(hours_of(days))) for days in months])
        back = np.clip(needed - (self.held - freed), 0, freed)
        return worth((freed - back) * self.gpu_hour * 24, CALENDAR, 20_000.0)


def hours_of(daily_tokens: np.ndarray) -> np.ndarray:
    """Tokens of each hour of these days."""
    return np.outer(daily_tokens, PROFILE).ravel()


def serving_company(seed: int) -> tuple[Seen, ServingTruth]:
    """One company: what is seen of it, and the truth."""
    dice = np.random.default_rng(seed)
    params, layers = SIZES[int(dice.integers(len(SIZES)))]
    days = round(int(dice.integers(4, 31)) * MONTH)
    machine = Machine(params, layers, float(np.exp(dice.normal(0, 0.1))))
    demand = walk(dice, 1.0, HISTORY_DAYS + days)
    copies = log_uniform(dice, 1, 40) * machine.least()
    unit = machine.gpus(1e12 * hours_of(demand[HISTORY_DAYS - 28 : HISTORY_DAYS])) / 1e12
    demand = demand * copies / unit
    history, gpu_hour = demand[:HISTORY_DAYS], float(dice.uniform(1.5, 4))
    slack = float(dice.uniform(1.0, 1.1)) if dice.random() < 0.5 else log_uniform(dice, 1.3, 6)
    needed = machine.gpus(hours_of(history[-28:]))
    held = machine.least() * int(np.ceil(needed * slack / machine.least()))
    used = held * gpu_hour * 24 / float(history[-28:].mean()) * 1e6
    tasks = [f"task-{number}" for number in range(int(dice.integers(1, 4)))]
    shares = dict(zip(tasks, map(float, dice.dirichlet(np.full(len(tasks), 2.0))), strict=True))
    students = tuple(student(dice, number, used, tasks) for number in range(int(dice.integers(0, 3))))
    allocated, seen = used * float(dice.uniform(1.05, 1.4)), Seen()
    _show(seen, dice, params, history, (used, allocated), students, days)
    _show_chips(seen, dice, held, gpu_hour, history, shares)
    price = float(np.exp(dice.normal(0, PRICE_SIGMA)))
    to_come = {task: float(np.clip(share * dice.normal(1, SHARE_SHOCK), 0, 1)) for task, share in shares.items()}
    moves = Moves(demand[HISTORY_DAYS:], allocated * price, to_come, students)
    return seen, ServingTruth(machine, held, gpu_hour * price, moves, float(history[-28:].sum()))


def _show(
    seen: Seen,
    dice: np.random.Generator,
    params: float,
    history: np.ndarray,
    prices: tuple[float, float],
    students: tuple[Student, ...],
    days: int,
) -> None:
    end = NIGHT + dt.timedelta(days=days)
    seen.add("models", model_id="large", origin="adopted", family="large", retires_on=end, params=params)
    show_prices(seen, dice, "large", *prices)
    show_service(seen, "large", history)
    seen.add("thirds", as_of=NIGHT, model_id="large", status="no_own_pretraining")
    for one in students:
        show_student(seen, dice, one, params / 8, end, history[-56:])


def _show_chips(
    seen: Seen,
    dice: np.random.Generator,
    held: int,
    gpu_hour: float,
    history: np.ndarray,
    shares: dict[str, float],
) -> None:
    """The deployment, the price of its chips, and four weeks of its telemetry by the hour."""
    seen.add("deployments", deployment_id="d", model_id="large", pool_id="p", gpu_count=float(held))
    seen.add("pools", pool_id="p", gpu_model="H100", gpu_count=float(held))
    spent = {"account": "direct", "phase": "inference", "model_id": "large", "gpu_seconds": 3600.0}
    seen.add("daily_spend", charge_date=NIGHT, effective_usd=Decimal(str(round(gpu_hour, 6))), **spent)
    night = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    for back in range(1, 28 * 24 + 1):
        hour = night - dt.timedelta(hours=back)
        tokens = history[-1 - (back - 1) // 24] * PROFILE[hour.hour]
        if back <= 24:
            seen.add("pool_uses", pool_id="p", hour=hour, user_kind="deployment", user_id="d", weight=1, is_billed=True)
        for task, share in shares.items():
            seen.add("token_usage", **_usage(hour, task, tokens * share * max(dice.normal(1, SHARE_SHOCK / 5), 0)))


def _usage(hour: dt.datetime, task: str, tokens: float) -> dict[str, Any]:
    requests = max(round(tokens / (PROMPT + ANSWER)), 1)
    counts = {"requests": requests, "input_tokens": requests * PROMPT, "output_tokens": requests * ANSWER}
    weight = requests * (PROMPT + ANSWER) * 1000
    named = {"model_id": "large", "deployment_id": "d", "task": task, "status": "ok", "hour": hour}
    return named | counts | {"weighted_tokens_milli": weight, "concurrency_mean": requests * 8 / 3600}
