"""The same quality at other sizes: what training and serving each would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.law.law_subjects import effective_demand, law_subjects
from transforms.decisions.law.laws import training_flop
from transforms.decisions.law.lifetime_optimum import lifetime_optimum_of
from transforms.decisions.portfolio.simulation_context import night_of
from transforms.decisions.supply.serving_price import size_price_ratio
from warehouse.schemas.decisions import IsoLoss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transforms.decisions.portfolio.simulation_context import DrawnLaw, Subject

_CURVE_POINTS: Final = 49
_CURVE_REACH: Final = 3.0
# Data beyond this multiple of the incumbent's is off every axis.
_MOST_DATA: Final = 1000.0


def iso_loss(
    settings: pl.DataFrame, scaling_law: pl.DataFrame, law_draws: pl.DataFrame, positions: pl.DataFrame
) -> pl.DataFrame:
    """One size that reaches the loss of one model, and what training and serving it would cost at median demand."""
    night = night_of(settings, scaling_law, law_draws)
    rows = [row for subject, law in law_subjects(night, positions) for row in _curve(subject, law)]
    frame = rows_in_cents(IsoLoss, rows).sort("model_id", "params", "point")
    return IsoLoss.frame(frame.unique(["model_id", "params"], keep="last", maintain_order=True))


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
