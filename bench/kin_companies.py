"""Invented companies with a model that another could replace, and with a model that nobody asks for any more."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bench.companies import HISTORY_DAYS, NIGHT, PRICE_SIGMA, Seen, log_uniform, show_prices, show_service, walk
from bench.future import MONTH, worth

CALENDAR: Final = (1.0, 2.0)
ONE_OFF: Final = 70_000.0
SILENT_DAYS: Final = 40


@dataclass(frozen=True)
class KinTruth:
    """A model and its sibling: what a million tokens truly cost on each, and the demand that comes."""

    daily_tokens: np.ndarray
    allocated_price: float
    sibling_price: float
    recent_tokens: float

    def worth(self, row: dict[str, Any]) -> tuple[float, float]:  # noqa: ARG002 - there is one sibling
        """All traffic at the sibling's price; whether its users accept it is an even bet until it is evaluated."""
        saved = self.daily_tokens * (self.allocated_price - self.sibling_price) / 1e6
        value, saving = worth(saved, CALENDAR, ONE_OFF)
        return (value - ONE_OFF) / 2, saving

    def cost_a_day(self) -> np.ndarray:
        """What serving as today costs."""
        return self.daily_tokens * self.allocated_price / 1e6


@dataclass(frozen=True)
class SilentTruth:
    """A model that nobody asks for, and what its chips will cost a day."""

    daily_usd: np.ndarray
    recent_tokens: float = 0.0

    def worth(self, row: dict[str, Any]) -> tuple[float, float]:  # noqa: ARG002 - there is one way to give it up
        """Its chips are given back."""
        return worth(self.daily_usd, CALENDAR, 0.0)

    def cost_a_day(self) -> np.ndarray:
        """What keeping it costs."""
        return self.daily_usd


def kin_company(seed: int) -> tuple[Seen, KinTruth]:
    """A model whose base was adopted, and one of its family of about its size that serves as much."""
    dice = np.random.default_rng(seed)
    params, days = log_uniform(dice, 7e9, 2e11), round(int(dice.integers(4, 31)) * MONTH)
    demand = walk(dice, log_uniform(dice, 1e7, 1e11), HISTORY_DAYS + days)
    used = 2 * params * log_uniform(dice, 2e-18, 2e-17) * 1e6
    allocated, other = used * float(dice.uniform(1.05, 1.4)), used * float(dice.uniform(0.1, 1.5))
    seen, end = Seen(), NIGHT + dt.timedelta(days=days)
    for name, size in (("large", params), ("sibling", params * float(dice.uniform(0.5, 1.3)))):
        seen.add("models", model_id=name, origin="adopted", family="large", retires_on=end, params=size)
        seen.add("thirds", as_of=NIGHT, model_id=name, status="no_own_pretraining")
    show_prices(seen, dice, "large", used, allocated)
    show_prices(seen, dice, "sibling", other, other)
    show_service(seen, "large", demand[:HISTORY_DAYS])
    show_service(seen, "sibling", demand[HISTORY_DAYS - 56 : HISTORY_DAYS])
    price, theirs = np.exp(dice.normal(0, PRICE_SIGMA, 2))
    recent = float(demand[HISTORY_DAYS - 28 : HISTORY_DAYS].sum())
    return seen, KinTruth(demand[HISTORY_DAYS:], allocated * float(price), other * float(theirs), recent)


def silent_company(seed: int) -> tuple[Seen, SilentTruth]:
    """A model whose last request lies weeks back while its chips are still held."""
    dice = np.random.default_rng(seed)
    days, daily = round(int(dice.integers(1, 31)) * MONTH), log_uniform(dice, 3, 3000)
    seen, history = Seen(), walk(dice, log_uniform(dice, 1e7, 1e11), HISTORY_DAYS)
    history[-SILENT_DAYS:] = 0
    end = NIGHT + dt.timedelta(days=days)
    seen.add("models", model_id="large", origin="own", family="large", retires_on=end, params=3e10)
    price = daily * MONTH / float(history[: HISTORY_DAYS - SILENT_DAYS].mean() * MONTH) * 1e6
    show_prices(seen, dice, "large", price, price)
    for back, tokens in enumerate(history[::-1]):
        day, served = NIGHT - dt.timedelta(days=back), {"requests": 100, "input_tokens": int(tokens)} if tokens else {}
        spent = Decimal(str(round(daily, 2)))
        seen.add("daily_service", day=day, model_id="large", inference_usd=spent, **served)
    return seen, SilentTruth(np.full(days, daily * float(np.exp(dice.normal(0, PRICE_SIGMA)))))
