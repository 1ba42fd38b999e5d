"""The same quality at other sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.actions.retrain_smaller import effective_demand, retrain_missing
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.law.architectures import nearest
from transforms.decisions.law.iso_loss_curve import (
    compute_optimal_tokens,
    lifetime_optimum_of,
    serving_flop,
    training_flop,
)
from transforms.decisions.portfolio.simulation_context import Night, Subject, night_of
from transforms.decisions.supply.serving_price import size_price_ratio
from warehouse.schemas.decisions import IsoLoss, LifetimeOptimum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transforms.decisions.law.laws import Law
    from transforms.decisions.portfolio.simulation_context import DrawnLaw

_CURVE_POINTS: Final = 49
_CURVE_REACH: Final = 3.0
_NEAR: Final = 1.10
# Data beyond this multiple of the incumbent's is off every axis.
_MOST_DATA: Final = 1000.0


def lifetime_optimum(
    settings: pl.DataFrame, scaling_law: pl.DataFrame, law_draws: pl.DataFrame, positions: pl.DataFrame
) -> pl.DataFrame:
    """One model, and the size that would serve its remaining demand at the same loss for the least cost.

    Models of which size, data, prices or demand are not known have no row; candidates says what each is missing.
    """
    night = night_of(settings, scaling_law, law_draws)
    rows = [_optimum(subject, law) for subject, law in valued_subjects(night, positions)]
    return LifetimeOptimum.frame(pl.DataFrame(rows, schema=LifetimeOptimum.polars_schema()))


def iso_loss(
    settings: pl.DataFrame, scaling_law: pl.DataFrame, law_draws: pl.DataFrame, positions: pl.DataFrame
) -> pl.DataFrame:
    """One size that reaches the loss of one model, and what training and serving it would cost at median demand."""
    night = night_of(settings, scaling_law, law_draws)
    rows = [row for subject, law in valued_subjects(night, positions) for row in _curve(subject, law)]
    frame = rows_in_cents(IsoLoss, rows).sort("model_id", "params", "point")
    return IsoLoss.frame(frame.unique(["model_id", "params"], keep="last", maintain_order=True))


def valued_subjects(night: Night, positions: pl.DataFrame) -> Iterator[tuple[Subject, DrawnLaw]]:
    """The models whose size, data, prices and demand are known, with the night's law."""
    for row in positions.sort("model_id").to_dicts():
        subject = Subject(night, row)
        if night.law and subject.months > 0 and retrain_missing(row, night) is None and subject.demand.max() > 0:
            yield subject, night.law


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


_LEVELS: Final = (0.1, 0.5, 0.9)


def _names(stem: str) -> list[str]:
    return [f"{stem}_p{round(100 * level)}" for level in _LEVELS]


def _is_equal_split_near(law: Law, loss: float, demand: float) -> bool:
    """Whether the size at which training and serving cost the same costs at most a tenth more than the cheapest."""
    best = lifetime_optimum_of(law, loss, demand)
    least = training_flop(best.params, best.tokens) + serving_flop(best.params, demand)
    left = loss - law.E - law.B / (demand / 3) ** law.beta
    return bool(left > 0 and 2 * serving_flop((law.A / left) ** (1 / law.alpha), demand) <= _NEAR * least)


def _curve(subject: Subject, law: DrawnLaw) -> Iterator[dict[str, Any]]:
    """Sizes from a third of the smaller of now and the optimum to three times the larger, and both of these."""
    now = float(subject.position["active_params"])
    loss = float(law.law.loss(now, subject.position["training_tokens"]))
    best = float(lifetime_optimum_of(law.law, loss, float(np.median(effective_demand(subject)))).params)
    sizes = np.geomspace(min(now, best) / _CURVE_REACH, max(now, best) * _CURVE_REACH, _CURVE_POINTS)
    points = [(float(size), "curve") for size in sizes] + [(best, "optimum"), (now, "now")]
    for params, point in points:
        tokens = float(law.law.tokens_for(loss, params))
        if tokens <= _MOST_DATA * subject.position["training_tokens"]:
            yield _point(subject, law, params, tokens) | {"point": point}


def _point(subject: Subject, law: DrawnLaw, params: float, tokens: float) -> dict[str, Any]:
    position = subject.position
    training = training_flop(params, tokens) * position["usd_per_training_flop"]
    price = float(position["used_usd_per_mtok"]) / 1e6 * size_price_ratio(position, params)
    serving = float(np.median(subject.demand)) * price
    return {
        "as_of": subject.night.as_of,
        "model_id": subject.model_id,
        "params": params,
        "tokens": tokens,
        "training_usd": round(float(training), 2),
        "serving_usd": round(serving, 2),
        "total_usd": round(float(training), 2) + round(serving, 2),
        "is_extrapolated": law.is_beyond(params, tokens),
    }
