"""Invented companies whose law, demand, prices and quality are known: what Trisect sees of them, and what comes.

Each company has one large model that serves some tasks, and smaller ones that were evaluated on some of them. What is
seen is a year of telemetry, monthly prices and measured qualities, all with noise; what comes is drawn from the same
processes and shown to nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from transforms.decisions.law.laws import Law
from transforms.decisions.law.scaling_law import law_draws, law_of
from warehouse.schemas import CATALOGUE

NIGHT: Final = dt.date(2026, 11, 21)
HISTORY_DAYS: Final = 364
SETTINGS: Final = {
    "as_of": NIGHT,
    "night_end": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
    "law": "epoch",
    "draws": 1000,
    "materiality_usd": Decimal(1000),
    "evaluation_usd": Decimal(50000),
    "migration_usd": Decimal(20000),
    "dead_band_ratio": 0.1,
    "discount_ratio": 0.1,
    "quality_gate_ratio": 0.97,
}
WEEKLY_SHOCK: Final = 0.04
DAILY_NOISE: Final = 0.10
PRICE_SIGMA: Final = 0.10
TRAINING_PRICE_SIGMA: Final = 0.15
MEASUREMENT_SIGMA: Final = 0.01
SHARE_SHOCK: Final = 0.10


@dataclass(frozen=True)
class Student:
    """A smaller model that serves: its true price of a million tokens, and what it truly keeps of each task."""

    name: str
    price: float
    true_price: float
    kept: dict[str, float]
    measured: dict[str, float]


@dataclass(frozen=True)
class Truth:
    """What is true of one company, and what comes."""

    law: Law
    params: float
    training_tokens: float
    daily_tokens: np.ndarray
    used_price: float
    allocated_price: float
    training_price: float
    gpu_hour: float
    shares: dict[str, float]
    plan_kept: dict[str, float]
    plan_is_measured: dict[str, bool]
    students: tuple[Student, ...]


@dataclass
class Seen:
    """The tables that Trisect sees, as rows."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, name: str, **row: object) -> None:
        """One more row."""
        self.rows.setdefault(name, []).append(row)

    def table(self, name: str) -> pl.DataFrame:
        """One table."""
        return rows_of(name, self.rows.get(name, []))


def rows_of(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as the table, with zeros and nulls where nothing is said."""
    columns = CATALOGUE[name].columns()
    filled = [
        {
            key: row.get(key, None if column.is_nullable or column.allowed else _nothing(column.dtype))
            for key, column in columns.items()
        }
        for row in rows
    ]
    return pl.DataFrame(filled, schema=CATALOGUE[name].polars_schema(), strict=False)


def _nothing(dtype: pl.DataType) -> object:
    if isinstance(dtype, pl.String):
        return ""
    if isinstance(dtype, pl.Boolean):
        return False
    if isinstance(dtype, pl.List):
        return []
    return None if dtype.is_temporal() else 0


def walk(dice: np.random.Generator, level: float, days: int) -> np.ndarray:
    """Daily demand whose logarithm takes a step each week, with a weekly season and daily noise."""
    steps = dice.normal(0, WEEKLY_SHOCK, days // 7 + 2).cumsum().repeat(7)[:days]
    season = np.tile([1.1, 1.1, 1.1, 1.1, 1.1, 0.8, 0.7], days // 7 + 2)[:days]
    return np.asarray(level * np.exp(steps) * season * np.exp(dice.normal(0, DAILY_NOISE, days)))


def draw_law(dice: np.random.Generator) -> Law:
    """The law of this company's world: the published one, as uncertain as it is."""
    draws = law_draws(CATALOGUE["law_points"].empty(), CATALOGUE["past_law_draws"].empty())
    one = draws.filter(pl.col("law_id") == "epoch", pl.col("draw") == int(dice.integers(1, 2000)))
    law = law_of(one)
    return Law(*(float(np.asarray(getattr(law, name))[0]) for name in ("E", "A", "B", "alpha", "beta")))


@dataclass(frozen=True)
class _World:
    """What a company is made of before anybody looks at it."""

    params: float
    training_tokens: float
    demand: np.ndarray
    days: int
    used: float
    allocated: float
    training: float
    gpu_hour: float
    shares: dict[str, float]
    students: tuple[Student, ...]
    plans: dict[str, float]
    is_labelled: bool


def company(seed: int) -> tuple[Seen, Truth]:
    """One company: what is seen of it, and the truth."""
    dice = np.random.default_rng(seed)
    world, seen = _world(dice), Seen()
    _show(seen, dice, world)
    return seen, _truth(dice, world)


def _world(dice: np.random.Generator) -> _World:
    params, days = log_uniform(dice, 7e9, 2e11), round(int(dice.integers(4, 31)) * 365.25 / 12)
    used = 2 * params * log_uniform(dice, 2e-18, 2e-17) * 1e6
    tasks = [f"task-{number}" for number in range(int(dice.integers(1, 5)))]
    return _World(
        params=params,
        training_tokens=log_uniform(dice, 15, 200) * params,
        demand=walk(dice, log_uniform(dice, 1e7, 1e12), HISTORY_DAYS + days),
        days=days,
        used=used,
        allocated=used * float(dice.uniform(1.05, 1.4)),
        training=log_uniform(dice, 1.5e-18, 6e-18),
        gpu_hour=float(dice.uniform(1.5, 4)),
        shares=dict(zip(tasks, map(float, dice.dirichlet(np.full(len(tasks), 2.0))), strict=True)),
        students=tuple(student(dice, number, used, tasks) for number in range(int(dice.integers(0, 3)))),
        plans={task: float(dice.uniform(0.9, 0.998)) for task in tasks if dice.random() < 0.5},
        is_labelled=dice.random() < 0.6,
    )


def _truth(dice: np.random.Generator, world: _World) -> Truth:
    price, plans = float(np.exp(dice.normal(0, PRICE_SIGMA))), world.plans
    return Truth(
        law=draw_law(dice),
        params=world.params,
        training_tokens=world.training_tokens,
        daily_tokens=world.demand[HISTORY_DAYS:],
        used_price=world.used * price,
        allocated_price=world.allocated * price,
        training_price=world.training * float(np.exp(dice.normal(0, TRAINING_PRICE_SIGMA))),
        gpu_hour=world.gpu_hour,
        shares={
            task: float(np.clip(share * dice.normal(1, SHARE_SHOCK), 0, 1)) for task, share in world.shares.items()
        },
        plan_kept={task: plans[task] if task in plans else float(dice.uniform(0.97, 1)) for task in world.shares},
        plan_is_measured={task: task in plans for task in world.shares},
        students=world.students,
    )


def log_uniform(dice: np.random.Generator, low: float, high: float) -> float:
    """A number between the two whose logarithm is as likely anywhere."""
    return float(np.exp(dice.uniform(np.log(low), np.log(high))))


def student(dice: np.random.Generator, number: int, price: float, tasks: list[str]) -> Student:
    """A smaller model that was evaluated on some of the tasks."""
    kept = {task: float(dice.uniform(0.85, 0.998)) for task in tasks if dice.random() < 0.7}
    measured = {task: float(np.clip(value + dice.normal(0, MEASUREMENT_SIGMA), 0, 1.0)) for task, value in kept.items()}
    own = price * float(dice.uniform(0.1, 0.9))
    return Student(f"student-{number}", own, own * float(np.exp(dice.normal(0, PRICE_SIGMA))), kept, measured)


def _show(seen: Seen, dice: np.random.Generator, world: _World) -> None:
    end, history = NIGHT + dt.timedelta(days=world.days), world.demand[:HISTORY_DAYS]
    sizes = {"params": world.params, "training_tokens": world.training_tokens}
    seen.add("models", model_id="large", origin="own", family="large", retires_on=end, **sizes)
    show_prices(seen, dice, "large", world.used, world.allocated)
    show_service(seen, "large", history)
    trained = {"phase": "pretraining", "compute_flop": 1e24, "usd_per_flop": world.training, "runs": 1}
    seen.add("phase_compute", as_of=NIGHT, model_id="large", **trained)
    spent = {"account": "direct", "phase": "inference", "model_id": "large", "gpu_seconds": 3600.0}
    seen.add("daily_spend", charge_date=NIGHT, effective_usd=Decimal(str(round(world.gpu_hour, 6))), **spent)
    seen.add("thirds", as_of=NIGHT, model_id="large", projected_penalty_ratio_p50=0.3, status="inference_heavy")
    _show_tasks(seen, dice, world.shares if world.is_labelled else {}, float(history[-28:].sum()))
    for student in world.students:
        show_student(seen, dice, student, world.params / 8, end, history[-56:])
    _show_plans(seen, dice, world.plans)


def show_student(
    seen: Seen, dice: np.random.Generator, student: Student, params: float, end: dt.date, history: np.ndarray
) -> None:
    """A smaller model that serves as much, and what was measured of it."""
    name = student.name
    seen.add("models", model_id=name, origin="own", family=name, retires_on=end, params=params)
    show_prices(seen, dice, name, student.price, student.price)
    show_service(seen, name, history)
    for task, ratio in student.measured.items():
        quality = {"quality_metric": "accuracy", "teacher_quality": 1.0, "student_quality": ratio}
        seen.add("workloads", task=task, student_model_id=name, measured_on=NIGHT, **quality)


def _show_plans(seen: Seen, dice: np.random.Generator, plans: dict[str, float]) -> None:
    """Trial students that no deployment serves yet, evaluated."""
    for task, kept in plans.items():
        ratio = float(np.clip(kept + dice.normal(0, MEASUREMENT_SIGMA), 0, 1))
        quality = {"quality_metric": "accuracy", "teacher_quality": 1.0, "student_quality": ratio}
        seen.add("workloads", task=task, student_model_id="trial", measured_on=NIGHT, **quality)


def show_prices(seen: Seen, dice: np.random.Generator, model_id: str, used: float, allocated: float) -> None:
    """Six months of prices around the true level."""
    for back in range(1, 7):
        noise = float(np.exp(dice.normal(0, PRICE_SIGMA)))
        prices = {"used_usd_per_mtok": used * noise, "allocated_usd_per_mtok": allocated * noise}
        exact = {name: Decimal(str(round(value, 9))) for name, value in prices.items()}
        seen.add("unit_costs", month=dt.date(2026, 11 - back, 1), model_id=model_id, input_tokens=10**9, **exact)


def show_service(seen: Seen, model_id: str, demand: np.ndarray) -> None:
    """What a model served on each day up to the night."""
    for back, tokens in enumerate(demand[::-1]):
        day = NIGHT - dt.timedelta(days=back)
        seen.add(
            "daily_service",
            day=day,
            model_id=model_id,
            requests=100,
            input_tokens=int(tokens),
            inference_usd=Decimal(1),
        )


def _show_tasks(seen: Seen, dice: np.random.Generator, shares: dict[str, float], tokens: float) -> None:
    """Four weeks of telemetry, each task's share with its weekly shock."""
    for week in range(4):
        hour = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC) - dt.timedelta(days=7 * week)
        for task, share in shares.items():
            count = int(tokens / 4 * max(share * dice.normal(1, SHARE_SHOCK), 0))
            row = {"model_id": "large", "task": task, "status": "ok", "input_tokens": count}
            seen.add("token_usage", hour=hour, weighted_tokens_milli=count * 1000, **row)
