"""Invented companies whose supply, demand, law and quality are known: what Trisect sees of them, and what comes.

Each has one large model on one pool that is owned, under contract or billed by the hour, in any mixture; its demand is
flat, grows or declines, and its fleet follows or does not. Beside it there may be a student that was evaluated on its
task, GPUs that stand idle, a launch that is announced, or telemetry that was never delivered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from bench.future import HOURS, Contract, Pool, moved, present
from transforms.decisions.law.laws import Law
from transforms.decisions.law.scaling_law import law_draws, law_of
from warehouse.schemas import CATALOGUE

NIGHT: Final = dt.date(2026, 11, 21)
END: Final = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
HISTORY_DAYS: Final = 182
MONTH: Final = 365.25 / 12
SETTINGS: Final = {
    "as_of": NIGHT,
    "night_end": END,
    "law": "epoch",
    "draws": 400,
    "materiality_usd": Decimal(1000),
    "evaluation_usd": Decimal(50000),
    "migration_usd": Decimal(20000),
    "dead_band_ratio": 0.1,
    "discount_ratio": 0.1,
    "quality_gate_ratio": 0.97,
}
KINDS: Final = ("grown", "declining", "student", "unasked", "idle", "launch", "owned", "contract", "mute", "three")
ADVERSARIAL: Final = ("declining", "launch", "owned", "contract", "mute", "three")
SPEED_SIGMA: Final = 0.08


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


@dataclass(frozen=True)
class World:
    """What is true of one company, and what comes.

    Attributes:
        growth: tokens of each month ahead over those of now.
        kept: what the student truly keeps of the task.
        student_gpus: GPUs that the student truly needs for a token, over those of the large model.
        speed: GPU time of a smaller size, over what its parameters say.
        pupil: whether a student that is yet to be taught will pass its evaluation, and what it then keeps.
    """

    kind: str
    pool: Pool
    gpus: float
    follows: bool
    daily_tokens: float
    trend: float
    growth: np.ndarray
    launch: tuple[float, float] | None
    params: float
    training_tokens: float
    training_price: float
    posttraining: float
    law: Law
    share: float
    kept: float | None
    measured: float | None
    student_gpus: float
    speed: float
    pupil: tuple[bool, float]

    @property
    def months(self) -> int:
        """Service ahead."""
        return len(self.growth)

    @property
    def held(self) -> np.ndarray:
        """GPUs of the large model in each month if nothing is decided."""
        gpus = self.gpus * np.ones(self.months)
        return np.maximum(gpus * self.growth, 1.0) if self.follows else gpus

    @property
    def needed(self) -> np.ndarray:
        """GPUs of these that its tokens need."""
        return np.minimum(self.gpus * self.growth, self.held)

    def users(self, held: np.ndarray) -> np.ndarray:
        """GPUs of the pool in use, the launch that comes among them."""
        launched = np.zeros(self.months)
        if self.launch:
            gpus, month = self.launch
            launched = gpus * np.clip(np.arange(self.months) + 1 - month, 0, 1)
        return held + launched

    def paid(
        self, held: np.ndarray, given_back: np.ndarray | float = 0.0, more: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Cash of the pool by month: what is used, and what stands idle until it is given back or needed."""
        base = self.users(self.held)
        shrunk = np.maximum(self.gpus - self.held, 0) if self.follows else 0.0
        idle = np.maximum(self.pool.capacity - shrunk - base, 0)
        return self.pool.cash(self.users(held) + np.maximum(idle - given_back, 0)) + more

    def taught(self, row: dict[str, Any]) -> tuple[float, float]:
        """Net present value of teaching a student: where it passes its evaluation, and where it does not.

        The student passes or not whatever anybody decides, so a decision is judged by the mean of both.
        """
        said, now, size, data = row["assumptions"], self.paid(self.held), row["target_params"], row["target_tokens"]
        gone = moved(self.months, said["lead_months"], said["move_months"])
        token_price = self.gpus * 24 * self.pool.contract_rate / self.daily_tokens
        spent = data * token_price + 6 * size * data * self.training_price + 50_000
        needed = self.gpus * self.growth * self.share
        student = np.maximum(needed * size / self.params * self.speed, 1.0) * gone
        left = self.held - self.needed * self.share * self.pupil[1] * gone
        return present(now - self.paid(left + student)) - spent - 20_000, -spent

    def came(self, row: dict[str, Any]) -> float:
        """Net present value of one alternative as it came."""
        return self.taught(row)[0 if self.pupil[0] else 1] if row["action"] == "distil" else self.worth(row)

    def worth(self, row: dict[str, Any]) -> float:
        """Net present value of one alternative, as it truly comes; of a student to be taught the mean of both ends."""
        if row["action"] == "distil":
            return sum(self.taught(row)) / 2
        said, now = row["assumptions"], self.paid(self.held)
        action = row["action"]
        if action == "release_capacity":
            given = said["gpus_released"] * moved(self.months, 0.5, 0.5) * (np.arange(self.months) < 12)
            return present(now - self.paid(self.held, given))
        gone = moved(self.months, said["lead_months"], said["move_months"])
        if action == "retire":
            return present(now - self.paid(self.held * (1 - gone)))
        if action == "route":
            kept = self.kept or 0.0
            student = self.gpus * self.growth * self.share * self.student_gpus * gone
            dear = student * self.pool.on_demand_rate * HOURS
            left = self.held - self.needed * self.share * kept * gone
            return present(now - self.paid(left, 0.0, dear)) - float(row["one_off_usd_p50"])
        size, data = row["target_params"], row["target_tokens"]
        loss = self.law.loss(self.params, self.training_tokens)
        true_data = float(self.law.tokens_for(loss, size))
        reached = np.isfinite(true_data)
        training = 6 * size * (true_data if reached else data) * self.training_price
        saved = self.needed * (1 - size / self.params * self.speed) * gone if reached else np.zeros(self.months)
        return present(now - self.paid(self.held - np.maximum(saved, 0))) - training - self.posttraining - 70_000

    def keeping(self) -> float:
        """What the pool costs from now on."""
        return present(self.paid(self.held))


def log_uniform(dice: np.random.Generator, low: float, high: float) -> float:
    """A number between the two whose logarithm is as likely anywhere."""
    return float(np.exp(dice.uniform(np.log(low), np.log(high))))


def company(seed: int) -> tuple[Seen, World]:
    """One company: what is seen of it, and the truth."""
    dice = np.random.default_rng(seed)
    world = _world(dice, KINDS[seed % len(KINDS)])
    return _shown(dice, world), world


def _world(dice: np.random.Generator, kind: str) -> World:
    gpus, months = float(dice.integers(16, 256)), int(dice.integers(12, 25))
    trend = {"declining": float(dice.uniform(-0.25, -0.08)), "grown": float(dice.uniform(0.0, 0.05))}.get(kind, 0.0)
    walk = np.exp(dice.normal(0, 0.04, months).cumsum())
    idle = float(dice.integers(16, 128)) if kind in {"idle", "launch", "owned", "contract", "three"} else 0.0
    kept = float(dice.uniform(0.85, 0.998)) if kind == "student" else None
    rate = float(dice.uniform(1.5, 4))
    return World(
        kind=kind,
        pool=_pool(dice, kind, gpus + idle, rate),
        gpus=gpus,
        follows=kind in {"declining", "grown"},
        daily_tokens=gpus * log_uniform(dice, 3e7, 3e8),
        trend=trend,
        growth=(1 + trend) ** (np.arange(months) + 0.5) * walk,
        launch=(idle, float(dice.uniform(0.2, 1.0))) if kind == "launch" else None,
        params=log_uniform(dice, 1.5e10, 1e11),
        training_tokens=log_uniform(dice, 5e11, 2e12),
        training_price=log_uniform(dice, 1e-18, 3e-18) * float(np.exp(dice.normal(0, 0.15))),
        posttraining=log_uniform(dice, 5e4, 5e5),
        law=_law(dice),
        share=float(dice.uniform(0.3, 1.0)),
        kept=kept,
        measured=None if kept is None else float(np.clip(kept + dice.normal(0, 0.01), 0, 1)),
        student_gpus=float(dice.uniform(0.1, 0.9)) * float(np.exp(dice.normal(0, SPEED_SIGMA))),
        speed=float(np.exp(dice.normal(0, SPEED_SIGMA))),
        pupil=(bool(dice.random() < 0.5), float(dice.uniform(0.97, 0.998))),
    )


def _pool(dice: np.random.Generator, kind: str, gpus: float, rate: float) -> Pool:
    """Bought, under contract until after the model has gone, under three contracts, or by the hour."""
    if kind == "owned":
        return Pool(gpus, (), 0.0, rate, 1.4 * rate)
    if kind == "contract":
        return Pool(0.0, (Contract(gpus, 40.0),), 0.0, rate, 1.5 * rate)
    if kind == "three":
        ends = (0.5, float(dice.uniform(2, 5)), 40.0)
        return Pool(0.0, tuple(Contract(gpus / 4, end) for end in ends), gpus / 4, rate, 1.5 * rate)
    return Pool(0.0, (), gpus, rate, rate)


def _law(dice: np.random.Generator) -> Law:
    """The law of this company's world: the published one, as uncertain as it is."""
    draws = law_draws(CATALOGUE["law_points"].empty(), CATALOGUE["past_law_draws"].empty())
    one = law_of(draws.filter(pl.col("law_id") == "epoch", pl.col("draw") == int(dice.integers(1, 2000))))
    return Law(*(float(np.asarray(getattr(one, name))[0]) for name in ("E", "A", "B", "alpha", "beta")))


def _shown(dice: np.random.Generator, world: World) -> Seen:
    seen = Seen()
    end = NIGHT + dt.timedelta(days=round(world.months * MONTH))
    sizes = {"params": world.params, "training_tokens": world.training_tokens}
    seen.add("models", model_id="large", origin="own", family="large", retires_on=end, owner="team", **sizes)
    seen.add("thirds", as_of=NIGHT, model_id="large", projected_penalty_ratio_p50=0.3, status="inference_heavy")
    # the price that is seen is the mean one; the next training is dearer or cheaper
    trained = {"compute_flop": 6 * world.params * world.training_tokens, "usd_per_flop": 1.7e-18, "runs": 1}
    seen.add("phase_compute", as_of=NIGHT, model_id="large", phase="pretraining", **trained)
    spent = Decimal(round(world.posttraining))
    seen.add("lifecycle_spend", as_of=NIGHT, model_id="large", phase="posttraining", direct_usd=spent)
    _show_service(seen, dice, world)
    _show_pool(seen, world)
    if world.measured is not None:
        _show_student(seen, world, end)
    return seen


def _show_service(seen: Seen, dice: np.random.Generator, world: World) -> None:
    """Half a year of telemetry: none of a model that is mute, and none lately of one that nobody asks for."""
    silent = {"unasked": 40, "mute": HISTORY_DAYS + 1}.get(world.kind, 0)
    season = (1.1, 1.1, 1.1, 1.1, 1.1, 0.8, 0.7)
    for back in range(HISTORY_DAYS):
        day = NIGHT - dt.timedelta(days=back)
        level = world.daily_tokens * (1 + world.trend) ** (-back / MONTH) * season[day.weekday()]
        tokens = int(level * np.exp(dice.normal(0, 0.08)))
        hour = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
        row = {"source": "gateway", "status": "ok", "requests": 100}
        if back >= silent:
            counts = {"requests": 100, "input_tokens": tokens}
            seen.add("daily_service", day=day, model_id="large", inference_usd=Decimal(1), **counts)
            served = {"model_id": "large", "task": "chat", "input_tokens": tokens}
            other = {"model_id": "large", "task": None, "input_tokens": int(tokens * (1 / world.share - 1))}
            for part in (served, other) if world.share < 1 else (served,):
                weight = {"weighted_tokens_milli": part["input_tokens"] * 1000}
                seen.add("token_usage", hour=hour, **row, **part, **weight)
        else:
            seen.add("daily_service", day=day, model_id="large", inference_usd=Decimal(1))
        seen.add("token_usage", hour=hour, model_id="elsewhere", input_tokens=1000, **row)
        seen.add("daily_service", day=day, model_id="elsewhere", requests=100, input_tokens=1000)
    price = Decimal(str(round(world.gpus * 24 * world.pool.contract_rate / world.daily_tokens * 1e6, 9)))
    month = {"month": dt.date(2026, 10, 1), "model_id": "large", "input_tokens": 10**9}
    seen.add("unit_costs", **month, used_usd_per_mtok=price, allocated_usd_per_mtok=price)


def _show_pool(seen: Seen, world: World) -> None:
    """The bill of four weeks, the contracts, and who holds the GPUs."""
    pool, known = world.pool, {"pool_id": "sv", "is_pooled": True, "has_gpu_time": True, "charge_category": "Usage"}
    for back in range(28):
        day = NIGHT - dt.timedelta(days=back)
        for number, contract in enumerate(pool.contracts):
            charge = {"commitment_discount_id": f"ri-{number}", "source": "bill"}
            _bill(seen, day, contract.gpus, pool.contract_rate, **known, **charge)
        _bill(seen, day, pool.owned, pool.contract_rate, **known, source="accrual")
        _bill(seen, day, pool.on_demand, pool.on_demand_rate, **known, source="bill")
    for number, contract in enumerate(pool.contracts):
        last = END + dt.timedelta(days=round(contract.months * MONTH))
        first = END - dt.timedelta(days=300)
        fee = {"charge_category": "Purchase", "commitment_discount_id": f"ri-{number}", "source": "bill"}
        seen.add("billed_days", charge_day=first.date(), first_start=first, last_end=last, **fee)
    for back in range(28 * 24):
        hour = END - dt.timedelta(hours=back + 1)
        for kind, name, gpus in (("deployment", "d", world.gpus), ("idle", "", pool.capacity - world.gpus)):
            use = {"user_kind": kind, "user_id": name, "weight": round(gpus * 3.6e12), "is_billed": True}
            seen.add("pool_uses", pool_id="sv", hour=hour, **use)
    _show_deployments(seen, world)


def _bill(seen: Seen, day: dt.date, gpus: float, rate: float, **charge: object) -> None:
    if gpus > 0:
        hours = Decimal(str(round(gpus * 24, 6)))
        usd = Decimal(str(round(gpus * 24 * rate, 6)))
        seen.add("billed_days", charge_day=day, gpu_hours=hours, effective_cost=usd, **charge)


def _show_deployments(seen: Seen, world: World) -> None:
    """A fleet that follows its demand has changed each month; a launch is announced."""
    row = {"deployment_id": "d", "model_id": "large", "pool_id": "sv"}
    if world.follows and world.trend:
        for back in range(5, 0, -1):
            start = END - dt.timedelta(days=30 * (back + 1))
            gpus = world.gpus * (1 + world.trend) ** -back
            seen.add("deployments", **row, gpu_count=gpus, valid_from=start, valid_to=start + dt.timedelta(days=30))
    seen.add("deployments", **row, gpu_count=world.gpus, valid_from=END - dt.timedelta(days=30))
    if world.launch:
        gpus, month = world.launch
        start = END + dt.timedelta(days=round(month * MONTH))
        new = {"deployment_id": "n", "model_id": "next", "pool_id": "sv", "gpu_count": gpus}
        seen.add("deployments", **new, valid_from=start)


def _show_student(seen: Seen, world: World, end: dt.date) -> None:
    """A smaller model that serves as much on GPUs of its own, and what was measured of it."""
    gpus = world.gpus * world.student_gpus
    seen.add("models", model_id="small", origin="own", family="small", retires_on=end, params=world.params / 8)
    row = {"deployment_id": "s", "model_id": "small", "pool_id": "st"}
    for start, count in ((60, gpus * 0.99), (30, gpus)):
        stop = None if start == 30 else END - dt.timedelta(days=30)
        seen.add("deployments", **row, gpu_count=count, valid_from=END - dt.timedelta(days=start), valid_to=stop)
    known = {"pool_id": "st", "is_pooled": True, "has_gpu_time": True, "charge_category": "Usage", "source": "bill"}
    for back in range(56):
        day = NIGHT - dt.timedelta(days=back)
        _bill(seen, day, gpus if back < 28 else 0.0, world.pool.on_demand_rate, **known)
        counts = {"requests": 100, "input_tokens": int(world.daily_tokens)}
        seen.add("daily_service", day=day, model_id="small", inference_usd=Decimal(1), **counts)
        hour = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
        seen.add("token_usage", hour=hour, model_id="small", source="gateway", status="ok", **counts)
    quality = {"quality_metric": "accuracy", "better": "higher", "teacher_quality": 1.0}
    seen.add(
        "workloads",
        task="chat",
        student_model_id="small",
        measured_on=NIGHT,
        student_quality=world.measured,
        **quality,
    )
