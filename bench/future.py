"""The months that come to an invented company: what its pools must pay, counted month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

HOURS: Final = 730.5
YEARLY: Final = 0.1


@dataclass(frozen=True)
class Contract:
    """GPUs that are paid to the end of a contract, used or not, and its months ahead."""

    gpus: float
    months: float


@dataclass(frozen=True)
class Pool:
    """What a pool is made of, and what an hour of each part costs; an hour of an owned GPU is paid already."""

    owned: float
    contracts: Sequence[Contract]
    on_demand: float
    contract_rate: float
    on_demand_rate: float

    @property
    def capacity(self) -> float:
        """GPUs of now."""
        return self.owned + sum(contract.gpus for contract in self.contracts) + self.on_demand

    def cash(self, gpus: np.ndarray) -> np.ndarray:
        """USD of each month for so many GPUs: contracts to their end, then as many as are needed, then by the hour."""
        bills = []
        for month, needed in enumerate(gpus):
            ends = [min(max(contract.months - month, 0.0), 1.0) for contract in self.contracts]
            cuts = sorted({0.0, 1.0, *ends})
            parts = [(stop - start, self._hourly(float(needed), month + start)) for start, stop in pairwise(cuts)]
            bills.append(sum(share * usd for share, usd in parts) * HOURS)
        return np.array(bills)

    def _hourly(self, needed: float, moment: float) -> float:
        """USD of an hour so many months ahead: what runs still, what is needed of what ended, the rest by the hour."""
        bound = sum(contract.gpus for contract in self.contracts if contract.months > moment)
        ended = sum(contract.gpus for contract in self.contracts) - bound
        short = max(needed - self.owned - bound, 0.0)
        renewed = min(short, ended)
        return (bound + renewed) * self.contract_rate + (short - renewed) * self.on_demand_rate


def present(usd: np.ndarray) -> float:
    """What the cash of the months is worth on the night; a month is paid at its end."""
    return float(sum(amount / (1 + YEARLY) ** ((month + 1) / 12) for month, amount in enumerate(usd)))


def moved(months: int, lead: float, move: float) -> np.ndarray:
    """Share of the traffic that has moved in the mean of each month, after `lead` months and evenly over `move`."""
    days = np.clip(((np.arange(months * 100) + 0.5) / 100 - lead) / move, 0, 1)
    return days.reshape(months, 100).mean(axis=1)
