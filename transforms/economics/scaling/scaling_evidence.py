"""What the night's scaling law says about each own model as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import polars as pl

from transforms.compute import TRAINING_FLOP_PER_PARAM
from transforms.economics.rounding import usd_from
from transforms.economics.scaling.two_phase import Curve
from warehouse.schemas.economics import ScalingEvidence, TwoPhaseBalance

_PLAUSIBLE: Final = 0.10
_LESS: Final = 0.99
_TENFOLD: Final = 10.0
_EDGE: Final = 1e-12

Row = dict[str, Any]


def two_phase_balance(
    models: pl.DataFrame,
    phase_compute: pl.DataFrame,
    expected_service: pl.DataFrame,
    scaling_law: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One own model whose size and data are known: whether equal spend on training and serving is near the optimum."""
    now = settings["as_of"].item() + timedelta(days=1)
    ahead = expected_service.filter(pl.col("known_on") == now, pl.col("quantity") == "tokens")
    trained = _trained(models, phase_compute).join(
        ahead.select("model_id", ahead_tokens="expected_p50"), on="model_id", how="left"
    )
    rows = [_two_phase(row, law) for law in _law(scaling_law) for row in trained.iter_rows(named=True)]
    return _framed(TwoPhaseBalance, rows, settings)


def scaling_evidence(
    models: pl.DataFrame, phase_compute: pl.DataFrame, scaling_law: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One own model beside the compute-optimal one of the same compute, and the price of the next 1 % of loss."""
    trained = _trained(models, phase_compute)
    rows = [_evidence(row, law) for law in _law(scaling_law) for row in trained.iter_rows(named=True)]
    return _framed(ScalingEvidence, rows, settings)


def _framed(table: type[TwoPhaseBalance | ScalingEvidence], rows: list[Row], settings: pl.DataFrame) -> pl.DataFrame:
    if not rows:
        return table.empty()
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(as_of=pl.lit(settings["as_of"].item()))
    money = [name for name in frame.columns if name.endswith("_usd")]
    return table.frame(
        frame.with_columns(pl.col(money).cast(pl.Float64)).with_columns(usd_from(name) for name in money)
    )


def _law(scaling_law: pl.DataFrame) -> Iterator[Row]:
    """The law that the night decides by, if it has its numbers."""
    complete = scaling_law.filter(
        pl.col("is_chosen"), pl.all_horizontal(pl.col("E", "A", "B", "alpha", "beta").is_not_null())
    )
    yield from complete.sort("law_id").head(1).iter_rows(named=True)


def _trained(models: pl.DataFrame, phase_compute: pl.DataFrame) -> pl.DataFrame:
    """Own models with a known size and known training tokens: as models.csv states them, else as the runs logged."""
    training = phase_compute.filter(pl.col("phase") == "pretraining").select(
        "model_id", "active_params", run_tokens="tokens", training_price="usd_per_flop"
    )
    serving = phase_compute.filter(pl.col("phase") == "inference").select(
        "model_id", served_tokens="tokens", serving_price="usd_per_flop"
    )
    own = models.filter(pl.col("origin") == "own").select("model_id", "training_tokens")
    rows = own.join(training, on="model_id").join(serving, on="model_id", how="left")
    sized = rows.with_columns(tokens=pl.coalesce("training_tokens", "run_tokens"))
    return sized.filter(pl.col("active_params") > 0, pl.col("tokens") > 0).sort("model_id")


def _losses(row: Row, law: Row) -> tuple[float, float]:
    """Loss by size and loss by data above the floor."""
    return law["A"] / row["active_params"] ** law["alpha"], law["B"] / row["tokens"] ** law["beta"]


def _is_extrapolated(row: Row, law: Row) -> bool:
    per_param = row["tokens"] / row["active_params"]
    low, high = law["tokens_per_param_min"], law["tokens_per_param_max"]
    return (low is not None and per_param < low) or (high is not None and per_param > high)


def _two_phase(row: Row, law: Row) -> Row:
    curve = Curve(law["alpha"], law["beta"])
    reducible = sum(_losses(row, law))
    optimal_tokens = (law["B"] / (curve.optimal_data_share * reducible)) ** (1 / law["beta"])
    token_counts = [row["served_tokens"], row.get("ahead_tokens")]
    lifetime = None if token_counts == [None, None] else sum(tokens or 0.0 for tokens in token_counts)
    prices = row["serving_price"], row["training_price"]
    # a phase whose credits exceed its cost has no price
    price_ratio = prices[0] / prices[1] if all(price and price > 0 for price in prices) else None
    demand = lifetime * price_ratio if lifetime is not None and price_ratio else None
    ratio = None if demand is None else demand / optimal_tokens
    excess = None if ratio is None else curve.equal_excess(ratio)
    equal_from, equal_to = curve.equal_range(_PLAUSIBLE)
    cheapest = None if ratio is None else curve.optimum(ratio)
    return {
        "model_id": row["model_id"],
        "law_id": law["law_id"],
        "params": row["active_params"],
        "tokens": row["tokens"],
        "loss": law["E"] + reducible,
        "optimal_tokens": optimal_tokens,
        "lifetime_tokens": lifetime,
        "price_ratio": price_ratio,
        "demand_tokens": demand,
        "demand_ratio": ratio,
        "optimal_training_ratio": None if cheapest is None else curve.training_ratio(cheapest),
        "law_excess_ratio": None if ratio is None else _law_excess(curve, row["tokens"] / optimal_tokens, ratio),
        "equal_excess_ratio": excess,
        "is_equal_plausible": None if ratio is None else excess is not None and excess <= _PLAUSIBLE,
        "equal_from_ratio": equal_from,
        "equal_best_ratio": curve.equal_best,
        "equal_to_ratio": equal_to,
        "optimum_params": None
        if cheapest is None
        else _optimal_params(curve, law, reducible) * curve.relative_params(cheapest),
        "optimum_tokens": None if cheapest is None else optimal_tokens * curve.relative_tokens(cheapest),
        "is_extrapolated": _is_extrapolated(row, law),
    }


def _optimal_params(curve: Curve, law: Row, reducible: float) -> float:
    """The compute-optimal size for a reducible loss, N0."""
    return float((law["A"] / ((1 - curve.optimal_data_share) * reducible)) ** (1 / law["alpha"]))


def _law_excess(curve: Curve, tokens_ratio: float, demand_ratio: float) -> float:
    """What the model as it is costs beyond the cheapest of the same loss at its demand; never under nothing."""
    data_share = min(curve.optimal_data_share / tokens_ratio**curve.beta, 1 - _EDGE)
    best = curve.relative_cost(curve.optimum(demand_ratio), demand_ratio)
    return max(curve.relative_cost(data_share, demand_ratio) / best - 1, 0.0)


def _evidence(row: Row, law: Row) -> Row:
    by_size, by_data = _losses(row, law)
    alpha, beta, reducible = law["alpha"], law["beta"], by_size + by_data
    params, tokens = row["active_params"], row["tokens"]
    price = max(row["training_price"] or 0.0, 0.0)
    scale = (alpha * law["A"] / (beta * law["B"])) ** (1 / (alpha + beta))
    optimal_params = scale * (params * tokens) ** (beta / (alpha + beta))
    optimal_tokens = params * tokens / optimal_params
    left = _LESS * reducible - by_size
    more_tokens = (law["B"] / left) ** (1 / beta) - tokens if left > 0 else None
    flop = TRAINING_FLOP_PER_PARAM * params * tokens
    # along the compute optimum both parts of the reducible loss fall as C^−αβ/(α+β)
    optimal = law["A"] / optimal_params**alpha + law["B"] / optimal_tokens**beta
    more_flop = flop * (_LESS ** (-(alpha + beta) / (alpha * beta)) - 1)
    more_training = None if more_tokens is None else TRAINING_FLOP_PER_PARAM * params * more_tokens
    return {
        "model_id": row["model_id"],
        "law_id": law["law_id"],
        "params": params,
        "tokens": tokens,
        "tokens_per_param": tokens / params,
        "optimal_params": optimal_params,
        "optimal_tokens": optimal_tokens,
        "overtrain_ratio": (tokens / params) / (optimal_tokens / optimal_params),
        "loss": law["E"] + reducible,
        "reducible_loss": reducible,
        "more_tokens": more_tokens,
        "more_tokens_usd": more_training * price if more_training and price else None,
        "more_compute_flop": more_flop,
        "more_compute_usd": more_flop * price if price else None,
        "optimal_loss": law["E"] + optimal,
        "tenfold_flop": _TENFOLD * flop,
        "tenfold_loss": law["E"] + optimal * _TENFOLD ** -(alpha * beta / (alpha + beta)),
        "tenfold_usd": _TENFOLD * flop * price if price else None,
        "is_extrapolated": _is_extrapolated(row, law),
    }
