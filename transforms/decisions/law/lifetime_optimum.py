"""The cheapest size for the same quality when the model will also be served: the formula, and one model a row.

Training costs 6·N·D, serving 2·N·T in the same units (T in training-equivalent tokens: demand times the ratio of the
two prices of a FLOP). On the curve of equal loss the optimum has one root.

Reference: Sardana et al. 2024, Beyond Chinchilla-Optimal, arXiv:2401.00448.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.law.architectures import nearest
from transforms.decisions.law.law_subjects import effective_demand, law_subjects
from transforms.decisions.law.laws import serving_flop, training_flop
from transforms.decisions.portfolio.simulation_context import night_of
from warehouse.schemas.decisions import LifetimeOptimum

if TYPE_CHECKING:
    from transforms.decisions.law.laws import Law, Quantity
    from transforms.decisions.portfolio.simulation_context import DrawnLaw, Subject

_HALVINGS: Final = 60
_LEVELS: Final = (0.1, 0.5, 0.9)
_NEAR: Final = 1.10


def lifetime_optimum(
    settings: pl.DataFrame, scaling_law: pl.DataFrame, law_draws: pl.DataFrame, positions: pl.DataFrame
) -> pl.DataFrame:
    """One model, and the size that would serve its remaining demand at the same loss for the least cost.

    Models of which size, data, prices or demand are not known have no row; candidates says what each is missing.
    """
    night = night_of(settings, scaling_law, law_draws)
    rows = [_optimum(subject, law) for subject, law in law_subjects(night, positions)]
    return LifetimeOptimum.frame(pl.DataFrame(rows, schema=LifetimeOptimum.polars_schema()))


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


def _optimum(subject: Subject, law: DrawnLaw) -> dict[str, Any]:
    position = subject.position
    params_now, tokens_now = position["active_params"], position["training_tokens"]
    loss, demand = subject.losses, effective_demand(subject)
    best = lifetime_optimum_of(law.draws, loss, demand)
    now = training_flop(params_now, tokens_now) + serving_flop(params_now, demand)
    saving = np.quantile(
        1 - (training_flop(best.params, best.tokens) + serving_flop(best.params, demand)) / now, _LEVELS
    )
    params, tokens, effective = (float(np.median(values)) for values in (best.params, best.tokens, demand))
    shape = nearest(params)
    return {
        "as_of": subject.night.as_of,
        "model_id": subject.model_id,
        "law_id": law.law_id,
        "loss": float(law.law.loss(params_now, tokens_now)),
        "params": params_now,
        "tokens": tokens_now,
        **dict(zip(_names("optimum_params"), map(float, np.quantile(best.params, _LEVELS)), strict=True)),
        "optimum_tokens_p50": tokens,
        "buildable_params": shape.params,
        "buildable_layers": shape.layers,
        "buildable_width": shape.width,
        "effective_demand_tokens_p50": effective,
        "effective_demand_ratio": effective
        / float(compute_optimal_tokens(law.law, law.law.loss(params_now, tokens_now))),
        "is_equal_split_near": _is_equal_split_near(law.law, float(law.law.loss(params_now, tokens_now)), effective),
        **dict(zip(_names("saving_ratio"), map(float, saving), strict=True)),
        "is_extrapolated": law.is_beyond(params_now, tokens_now) or law.is_beyond(params, tokens),
    }


def _names(stem: str) -> list[str]:
    return [f"{stem}_p{round(100 * level)}" for level in _LEVELS]


def _is_equal_split_near(law: Law, loss: float, demand: float) -> bool:
    """Whether the size at which training and serving cost the same costs at most a tenth more than the cheapest."""
    best = lifetime_optimum_of(law, loss, demand)
    least = training_flop(best.params, best.tokens) + serving_flop(best.params, demand)
    left = loss - law.E - law.B / (demand / 3) ** law.beta
    return bool(left > 0 and 2 * serving_flop((law.A / left) ** (1 / law.alpha), demand) <= _NEAR * least)
