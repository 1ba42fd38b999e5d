"""Invented pools whose use is known: some hold far more GPUs than their busy hours need, some of them committed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bench.companies import Seen, log_uniform, walk
from bench.future import MONTH, moved, present
from bench.serving_companies import PROFILE

HORIZON_DAYS: Final = 365
HISTORY_DAYS: Final = 28
_END: Final = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@dataclass(frozen=True)
class PoolTruth:
    """A pool: what it holds and is bound to, what an hour costs, and what its users will need by the hour."""

    held: int
    gpu_hour: float
    on_demand: float
    renewal_days: int
    hourly_gpus: np.ndarray
    recent_tokens: float = 0.0

    def worth(self, row: dict[str, Any]) -> tuple[float, float]:
        """What is given back saves its price from the renewal on; a month that needs it again buys it on demand."""
        freed = row["assumptions"]["gpus_released"]
        months = np.array_split(self.hourly_gpus, 12)
        kept = self.held - freed
        short = [float(np.clip(np.quantile(hours, 0.99) - kept, 0, freed)) for hours in months]
        bought = np.concatenate([np.full(len(hours) // 24, gpus) for gpus, hours in zip(short, months, strict=True)])
        saved = 24 * (freed * self.gpu_hour - bought * self.on_demand)
        lead = max(self.renewal_days / MONTH, 0.5)
        return present(moved(len(saved), lead, 0.5) * saved), float(saved.mean()) * MONTH

    def cost_a_day(self) -> np.ndarray:
        """What holding all of it costs."""
        return np.full(HORIZON_DAYS, self.held * self.gpu_hour * 24)


def pool_company(seed: int) -> tuple[Seen, PoolTruth]:
    """One pool: what is seen of it, and the truth."""
    dice = np.random.default_rng(seed)
    daily = walk(dice, 1.0, HISTORY_DAYS + HORIZON_DAYS)
    hourly = np.outer(daily, PROFILE * 24).ravel() * log_uniform(dice, 3, 300)
    past = hourly[: HISTORY_DAYS * 24]
    slack = float(dice.uniform(1.0, 1.1)) if dice.random() < 0.5 else log_uniform(dice, 1.2, 5)
    held, gpu_hour = int(np.ceil(past.max() * slack)), float(dice.uniform(1.5, 4))
    on_demand, seen = gpu_hour * float(dice.uniform(1.0, 2.0)), Seen()
    renewal = int(dice.integers(20, 330)) if dice.random() < 0.4 else 0
    _show(seen, past, held, gpu_hour, on_demand, renewal)
    return seen, PoolTruth(held, gpu_hour, on_demand, renewal, hourly[HISTORY_DAYS * 24 :][: HORIZON_DAYS * 24])


def _show(seen: Seen, past: np.ndarray, held: int, gpu_hour: float, on_demand: float, renewal: int) -> None:
    """Four weeks of use by the hour, and the bill of it."""
    hours = held * 24.0 * HISTORY_DAYS
    commitment = {"commitment_discount_id": "reserved"} if renewal else {}
    cost = {name: _money(hours * price) for name, price in (("effective_cost", gpu_hour), ("list_cost", on_demand))}
    start = _END - dt.timedelta(days=HISTORY_DAYS)
    day = {"charge_day": start.date(), "pool_id": "p", "is_pooled": True, "is_listed": True}
    usage = {"charge_category": "Usage", "has_gpu_time": True, "last_end": _END, "gpu_hours": _money(hours)}
    seen.add("billed_days", **day, **usage, **cost, **commitment)
    if renewal:
        bought = {"charge_category": "Purchase", "last_end": _END + dt.timedelta(days=renewal)}
        seen.add("billed_days", **day, **bought, has_gpu_time=False, gpu_hours=Decimal(0), **commitment)
    for place, gpus in enumerate(past):
        hour = {"pool_id": "p", "hour": start + dt.timedelta(hours=place), "is_billed": True}
        for kind, count in (("deployment", gpus), ("idle", held - gpus)):
            seen.add("pool_uses", user_kind=kind, user_id=kind, weight=round(count * 3.6e12), **hour)


def _money(usd: float) -> Decimal:
    return Decimal(str(round(usd, 6)))
