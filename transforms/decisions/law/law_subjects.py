"""The models that the law can size: what each needs for it, and its demand in tokens of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.decisions.portfolio.simulation_context import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import DrawnLaw, Night


def law_subjects(night: Night, positions: pl.DataFrame) -> Iterator[tuple[Subject, DrawnLaw]]:
    """The models whose size, data, prices and demand are known, with the night's law."""
    for row in positions.sort("model_id").to_dicts():
        subject = Subject(night, row)
        if night.law and subject.months > 0 and not law_missing(row, night) and subject.demand.max() > 0:
            yield subject, night.law


def law_missing(position: Mapping[str, Any], night: Night) -> str:
    """What a model lacks for the law to say what another size would cost, and how to supply it; empty where nothing."""
    if night.law is None:
        return f"the law of the settings cannot be fitted: it {night.law_shortfall}; or set [decisions] law"
    needs = {
        "active_params": "its size is unknown: give params in models.csv",
        "training_tokens": "its training tokens are unknown: give training_tokens in models.csv or log its runs",
        "usd_per_training_flop": "no training has a price per FLOP: attribute pre-training runs with params and tokens",
        "used_usd_per_mtok": "serving has no price of a token: attribute its serving GPUs in attribution.csv",
        "daily_tokens": "its demand is unknown: deliver its request telemetry with token counts",
    }
    if position["training_tokens_logged"] and position["is_training_tokens_disputed"]:
        return (
            f"its training tokens are in dispute: models.csv says {position['training_tokens']:.4g}, its finished "
            f"pre-training runs {position['training_tokens_logged']:.4g}; correct training_tokens in models.csv, or "
            "the attribution of the runs"
        )
    if position["params"] and position["active_params"] < position["params"] and night.law.law_id != "own":
        return (
            "it is a mixture of experts, and published laws were fitted to dense models: log at least 20 runs of your "
            "own with params, active_params, tokens and loss for an own law"
        )
    return next((words for name, words in needs.items() if not position[name]), "")


def effective_demand(subject: Subject) -> Floats:
    """Tokens still to be served in training-equivalent tokens, by draw: demand times the ratio of FLOP prices."""
    per_flop = subject.used_price / (2 * subject.position["active_params"])
    return np.asarray(subject.demand * per_flop / subject.training_price)
