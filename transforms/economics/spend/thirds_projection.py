"""Shares and penalties of many models at once, today and over the inference still to come."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from transforms.economics.forecast.prediction_interval import P90
from transforms.economics.forecast.smoothing import WEEK, Floats
from transforms.economics.rounding import estimate, estimated_usd
from transforms.economics.spend.thirds_penalty import penalty_ratio, saved_ratio, shares
from warehouse.vocabulary import PHASES

_NORMAL: Final = np.asarray(ndtri(np.arange(1, 100) / 100))
_PERCENTILES: Final = {"p10": 9, "p50": 49, "p90": 89}


def balance_columns(spends: pl.DataFrame, targets: pl.DataFrame) -> dict[str, pl.Series]:
    """Shares, penalty and distance of what was spent; one row per model, one column per phase."""
    spent, target = _floats(spends), _floats(targets)
    penalty = penalty_ratio(spent, target)
    compared = np.where(target > 0, np.clip(spent, 0.0, None), 0.0).sum(axis=1)
    saved = np.where(np.isfinite(penalty), saved_ratio(penalty), np.nan) * compared
    share = np.where(target > 0, shares(spent, target), np.nan)
    ratios = {f"{phase}_ratio": estimate(phase, share[:, column]) for column, phase in enumerate(PHASES)}
    return {**ratios, "penalty_ratio": estimate("", penalty), "distance_usd": estimated_usd("", saved)}


def remaining_inference(rows: pl.DataFrame, expected_service: pl.DataFrame, settings: pl.DataFrame) -> Floats:
    """Models × 99 quantiles of the inference still to come: nothing for a retired model, unknown without service.

    Unknown too before a week of service has been seen, which the mean of a week needs, and in the first four weeks if
    the last of them brought nothing: nothing times wide bounds is no forecast.
    Days that the bill does not cover yet are no cost so far, so they are still to come, each like one of those ahead.
    """
    known_on = settings["as_of"].item() + timedelta(days=1)
    tells_no_week = (pl.col("expected_p50") <= 0) | (pl.col("history_days") < WEEK)
    says_nothing = (pl.col("method") == "last_week") & tells_no_week & (pl.col("days") > 0)
    expected = expected_service.filter(
        pl.col("known_on") == known_on, pl.col("quantity") == "inference_usd", ~says_nothing
    )
    days = pl.col("days")
    with_unseen = pl.when(days > 0).then((days + pl.col("unseen_days")) / days).otherwise(1.0)
    joined = rows.select("model_id", "is_retired").join(
        expected.select("model_id", pl.col("expected_p50", "expected_p90") * with_unseen),
        on="model_id",
        how="left",
        maintain_order="left",
    )
    median, high = (joined[f"expected_{p}"].fill_null(np.nan).to_numpy() for p in ("p50", "p90"))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(median > 0, np.log(high / median) / P90, 0.0)
    ahead = median[:, None] * np.exp(spread[:, None] * _NORMAL)
    return np.where(joined["is_retired"].to_numpy()[:, None], 0.0, ahead)


def projection_columns(spends: pl.DataFrame, targets: pl.DataFrame, ahead: Floats) -> dict[str, pl.Series]:
    """Inference and penalty at the end of service, and the phase furthest over its target there."""
    spent, target = _floats(spends), _floats(targets)
    final = np.repeat(spent[:, None, :], ahead.shape[1], axis=1)
    final[:, :, -1] += ahead
    penalties = np.sort(penalty_ratio(final, target[:, None, :]), axis=1)
    median = np.where(np.isnan(ahead[:, :1]), spent, final[:, _PERCENTILES["p50"], :])
    return {
        **{f"projected_inference_usd_{p}": estimated_usd(p, final[:, at, -1]) for p, at in _PERCENTILES.items()},
        **{f"projected_penalty_ratio_{p}": estimate(p, penalties[:, at]) for p, at in _PERCENTILES.items()},
        "heavy_phase": _heaviest(shares(median, target), target),
    }


def _heaviest(share: Floats, target: Floats) -> pl.Series:
    """The phase with the largest share relative to its target; none where nothing was spent."""
    over = np.where(target > 0, share / np.where(target > 0, target, 1.0), 0.0)
    names = [None if np.isnan(row).any() else PHASES[int(row.argmax())] for row in over]
    return pl.Series("heavy_phase", names, dtype=pl.String)


def _floats(frame: pl.DataFrame) -> Floats:
    return np.asarray(frame.select(pl.all().cast(pl.Float64)).to_numpy(), dtype=float).reshape(-1, len(PHASES))
