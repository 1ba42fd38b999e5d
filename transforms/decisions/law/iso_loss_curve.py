"""The cheapest size for the same quality when the model will also be served.

Training costs 6·N·D, serving 2·N·T in the same units (T in training-equivalent tokens: demand times the ratio of the
two prices of a FLOP). On the curve of equal loss the optimum has one root.

Reference: Sardana et al. 2024, Beyond Chinchilla-Optimal, arXiv:2401.00448.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.decisions.law.laws import Law, Quantity

_HALVINGS: Final = 60


@dataclass(frozen=True)
class Optimum:
    """Size and data of least training and serving cost at one loss."""

    params: Quantity
    tokens: Quantity
    training_share: Quantity


def _tokens(law: Law, reducible: Quantity, data_share: Quantity) -> Quantity:
    return _tokens_of_logs(law, np.log(law.B), np.log(reducible), data_share)


def _tokens_of_logs(law: Law, log_b: Quantity, log_reducible: Quantity, data_share: Quantity) -> Quantity:
    return np.exp((log_b - np.log(data_share) - log_reducible) / law.beta)


def _training_share(law: Law, data_share: Quantity) -> Quantity:
    return law.beta * data_share / (law.alpha * (1 - data_share))


def lifetime_optimum_of(law: Law, loss: Quantity, effective_demand: Quantity) -> Optimum:
    """Least 6·N·D + 2·N·T on the curve of `loss`; the D-share of the reducible loss is bisected.

    Without demand it is the compute-optimal model; the more demand, the smaller the model and the more its data.
    """
    reducible = loss - law.E
    shape = np.broadcast(law.alpha, law.beta, reducible, effective_demand).shape
    low, high = np.full(shape, -80.0), np.broadcast_to(np.log(law.alpha / (law.alpha + law.beta)), shape)
    log_b, log_reducible = np.log(law.B), np.log(reducible)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        share = np.exp(middle)
        tokens = _tokens_of_logs(law, log_b, log_reducible, share)
        is_too_small = 3 * tokens * (1 / _training_share(law, share) - 1) < effective_demand
        low, high = np.where(is_too_small, low, middle), np.where(is_too_small, middle, high)
    data_share = np.exp((low + high) / 2)
    params = (law.A / ((1 - data_share) * reducible)) ** (1 / law.alpha)
    return Optimum(params, _tokens(law, reducible, data_share), _training_share(law, data_share))


def compute_optimal_tokens(law: Law, loss: Quantity) -> Quantity:
    """Tokens of the model that reaches `loss` with the least training compute: D0."""
    return _tokens(law, loss - law.E, law.alpha / (law.alpha + law.beta))


def equal_split_demand_ratio(law: Law) -> Quantity:
    """T_eff / D0 at which training and serving cost the same at the optimum: its one point."""
    return 3 * ((law.alpha + 2 * law.beta) / (law.alpha + law.beta)) ** (1 / law.beta)


def training_flop(params: Quantity, tokens: Quantity) -> Quantity:
    """6·N·D."""
    return 6 * params * tokens


def serving_flop(params: Quantity, tokens: Quantity) -> Quantity:
    """2·N·T."""
    return 2 * params * tokens
