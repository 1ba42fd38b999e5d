"""The size of least cost where each request draws several samples: test-time compute moves the lifetime optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.law.law_subjects import effective_demand, law_subjects
from transforms.decisions.law.laws import serving_flop, training_flop
from transforms.decisions.law.lifetime_optimum import compute_optimal_tokens, lifetime_optimum_of
from transforms.decisions.portfolio.simulation_context import night_of
from warehouse.schemas.decisions import SamplingOptimum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transforms.decisions.portfolio.simulation_context import DrawnLaw, Subject

SAMPLES: Final = (1, 4, 16)
_RECENT_DAYS: Final = 28


def sampling_optimum(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    daily_service: pl.DataFrame,
) -> pl.DataFrame:
    """One model and number of samples per request: the size that serves that for least at the same loss.

    A prompt is read once and each sample writes an output of the length that is served now. The more is drawn, the more
    is served per token of training, so the smaller the model and the more its data.
    """
    night = night_of(settings, scaling_law, law_draws)
    age = (pl.lit(night.as_of) - pl.col("day")).dt.total_days()
    recent = daily_service.filter(age.is_between(0, _RECENT_DAYS - 1), pl.col("requests") > 0)
    lengths = recent.group_by("model_id").agg(pl.col("requests", "input_tokens", "output_tokens").sum())
    by_model = {row["model_id"]: row for row in lengths.to_dicts() if row["output_tokens"] > 0}
    rows = [
        row
        for subject, law in law_subjects(night, positions)
        if subject.model_id in by_model
        for row in _rows(subject, law, by_model[subject.model_id])
    ]
    return SamplingOptimum.frame(pl.DataFrame(rows, schema=SamplingOptimum.polars_schema()))


def _rows(subject: Subject, law: DrawnLaw, served: dict[str, Any]) -> Iterator[dict[str, Any]]:
    position = subject.position
    params_now, tokens_now = position["active_params"], position["training_tokens"]
    loss = float(law.law.loss(params_now, tokens_now))
    prompt, output = (served[f"{name}_tokens"] / served["requests"] for name in ("input", "output"))
    now = float(np.median(effective_demand(subject)))
    for samples in SAMPLES:
        demand = now * (prompt + samples * output) / (prompt + output)
        best = lifetime_optimum_of(law.law, loss, demand)
        params, tokens = float(best.params), float(best.tokens)
        costs = [training_flop(n, d) + serving_flop(n, demand) for n, d in ((params, tokens), (params_now, tokens_now))]
        yield {
            "as_of": subject.night.as_of,
            "model_id": subject.model_id,
            "law_id": law.law_id,
            "samples": samples,
            "input_tokens_per_request": prompt,
            "output_tokens_per_request": samples * output,
            "demand_tokens": demand,
            "demand_ratio": demand / float(compute_optimal_tokens(law.law, loss)),
            "optimum_params": params,
            "optimum_tokens": tokens,
            "saving_ratio": float(1 - costs[0] / costs[1]),
            "is_extrapolated": law.is_beyond(params_now, tokens_now) or law.is_beyond(params, tokens),
        }
