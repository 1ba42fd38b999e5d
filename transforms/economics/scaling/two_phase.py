"""Training against serving under a scaling law: one number, demand over compute-optimal tokens, decides.

L(N, D) = E + A/N^α + B/D^β. With x and y the shares of size and data in the reducible loss (x + y = 1), the cost
6·N·D + 2·N·T of a fixed loss is least where training has the share βy/(αx), at T = 3D(αx/βy − 1).
Reference: Sardana et al. 2024 (arXiv:2401.00448); the one-parameter form follows by dividing by the compute optimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq

_EDGE = 1e-12
_MOST_GROWTH = 300.0
"""Logarithm of the largest size or data over the optimum that is told apart: beyond it a cost is only absurd."""


@dataclass(frozen=True)
class Curve:
    """The exponents of a law, which are all that relative costs depend on."""

    alpha: float
    beta: float

    @property
    def optimal_data_share(self) -> float:
        """Share of data in the reducible loss at the compute optimum: α / (α + β)."""
        return self.alpha / (self.alpha + self.beta)

    def relative_tokens(self, data_share: float) -> float:
        """Tokens over compute-optimal tokens for the same loss, where data has this share of the reducible loss."""
        return math.exp(min(math.log(self.optimal_data_share / data_share) / self.beta, _MOST_GROWTH))

    def relative_params(self, data_share: float) -> float:
        """Size over compute-optimal size for the same loss."""
        growth = math.log((1 - self.optimal_data_share) / (1 - data_share)) / self.alpha
        return math.exp(min(growth, _MOST_GROWTH))

    def relative_cost(self, data_share: float, demand_ratio: float) -> float:
        """Training and serving over compute-optimal training: (N/N0)·(D/D0) + (N/N0)·t/3."""
        return self.relative_params(data_share) * (self.relative_tokens(data_share) + demand_ratio / 3)

    def training_ratio(self, data_share: float) -> float:
        """Share of training at the cost optimum that has this share of data: βy / (αx)."""
        return self.beta * data_share / (self.alpha * (1 - data_share))

    def optimum(self, demand_ratio: float) -> float:
        """The data share at which training and serving together cost least."""
        if demand_ratio <= 0:
            return self.optimal_data_share

        def excess(data_share: float) -> float:
            wanted = 3 * self.relative_tokens(data_share) * (1 / self.training_ratio(data_share) - 1)
            return float(wanted - demand_ratio)

        return float(brentq(excess, _EDGE, self.optimal_data_share, xtol=1e-15))

    def equal_excess(self, demand_ratio: float) -> float | None:
        """What spending the same on both costs beyond the optimum; None where so few tokens miss the loss."""
        tokens = demand_ratio / 3
        data_share = self.optimal_data_share / tokens**self.beta if tokens > 0 else 1.0
        if data_share >= 1:
            return None
        best = self.relative_cost(self.optimum(demand_ratio), demand_ratio)
        return self.relative_cost(data_share, demand_ratio) / best - 1

    @property
    def equal_best(self) -> float:
        """Demand over compute-optimal tokens at which the optimum spends the same on both: βy = αx / 2."""
        data_share = self.alpha / (self.alpha + 2 * self.beta)
        return 3 * self.relative_tokens(data_share)

    def equal_range(self, most_excess: float) -> tuple[float, float]:
        """The demands between which an equal split costs at most so much more than the optimum."""
        best, least = self.equal_best, 3 * self.optimal_data_share ** (1 / self.beta)

        def beyond(demand_ratio: float) -> float:
            excess = self.equal_excess(demand_ratio)
            return 1 / _EDGE if excess is None else min(excess - most_excess, 1 / _EDGE)

        high = best
        while beyond(high) <= 0 and high < best / _EDGE:
            high *= 10
        return float(brentq(beyond, least, best)), float(brentq(beyond, best, high))
