"""Requests as sent become usage of a model by a deployment, with tokens weighted by their relative cost."""

from __future__ import annotations

import polars as pl

from transforms.attribution import first_rules
from transforms.money import divided
from transforms.periods import is_open
from transforms.staging.request_models import request_fields, with_model
from transforms.staging.traffic_overlaps import model_of
from warehouse.schemas.staging import TokenUsage

MICRO = 1_000_000
HOUR_US = 3_600 * MICRO
PLAIN_WEIGHT = 1000
"""Thousandths that every token weighs where policy says nothing."""

KINDS = ("input_milli", "cached_input_milli", "output_milli")


def token_usage(
    request_hours: pl.DataFrame,
    models: pl.DataFrame,
    attribution: pl.DataFrame,
    deployments: pl.DataFrame,
    token_weights: pl.DataFrame,
    traffic_overlaps: pl.DataFrame,
) -> pl.DataFrame:
    """One hour (or part of it under one policy) and set of dimensions, with its model and its deployment.

    Requests of an hour and model that a source of smaller priority tells of as well are left out.
    """
    modelled = with_model(request_hours.with_row_index("subject"), models, attribution)
    counted = _counted(modelled, traffic_overlaps)
    deployed = _with_deployment(counted, request_fields(counted), deployments, attribution)
    return TokenUsage.frame(_measured(_weighted(deployed, token_weights))).sort(
        "hour", "part_start", "source", "model", "deployment_id", "team", "tenant", "task", "status", "unit_name"
    )


def _counted(modelled: pl.DataFrame, traffic_overlaps: pl.DataFrame) -> pl.DataFrame:
    """The rows without those whose traffic another source counts."""
    settled = traffic_overlaps.filter("is_settled").select("hour", "source", overlap="model")
    if settled.is_empty():
        return modelled
    named = modelled.with_columns(model_of(modelled).alias("overlap"))
    return named.join(settled, on=["hour", "source", "overlap"], how="anti", maintain_order="left").drop("overlap")


def _with_deployment(
    sent: pl.DataFrame, fields: pl.DataFrame, deployments: pl.DataFrame, attribution: pl.DataFrame
) -> pl.DataFrame:
    """The deployment as sent if known, else the first rule for deployments, else the only one serving the model."""
    ruled = first_rules(fields, attribution.filter(pl.col("target") == "deployment"))
    deployment_ids = deployments["deployment_id"].unique()
    return (
        sent.join(ruled.select("subject", rule_deployment="target_id"), on="subject", how="left")
        .join(_only_deployments(sent, deployments), on="subject", how="left")
        .with_columns(
            pl.coalesce(
                pl.when(pl.col("deployment").is_in(deployment_ids.implode())).then("deployment"),
                "rule_deployment",
                "only_deployment",
            ).alias("deployment_id")
        )
    )


def _only_deployments(sent: pl.DataFrame, deployments: pl.DataFrame) -> pl.DataFrame:
    """Requests whose model exactly one deployment serves at that instant."""
    return (
        sent.select("subject", "part_start", "model_id")
        .join(deployments.select("model_id", "deployment_id", "valid_from", "valid_to"), on="model_id")
        .filter(is_open(pl.col("part_start")))
        .group_by("subject")
        .agg(pl.col("deployment_id").unique())
        .filter(pl.col("deployment_id").list.len() == 1)
        .select("subject", only_deployment=pl.col("deployment_id").list.first())
    )


def _weighted(sent: pl.DataFrame, token_weights: pl.DataFrame) -> pl.DataFrame:
    """Tokens weighted by the deployment's row of policy.token_weights, else by the row `*`, else 1 each."""
    parts = sent.select("deployment_id", "part_start").unique()
    weights = parts.join(
        _open_weights(parts, token_weights, "deployment_id"), on=parts.columns, how="left", nulls_equal=True
    )
    default = _open_weights(parts.with_columns(pl.lit("*").alias("any")), token_weights, "any")
    filled = weights.join(default, on=parts.columns, how="left", nulls_equal=True, suffix="_default").with_columns(
        pl.coalesce(kind, f"{kind}_default", pl.lit(PLAIN_WEIGHT)).alias(kind) for kind in KINDS
    )
    weighed = (
        pl.col("input_milli") * (pl.col("input_tokens") - pl.col("cached_input_tokens"))
        + pl.col("cached_input_milli") * pl.col("cached_input_tokens")
        + pl.col("output_milli") * pl.col("output_tokens")
    )
    return sent.join(filled, on=parts.columns, how="left", nulls_equal=True).with_columns(
        weighed.alias("weighted_tokens_milli")
    )


def _open_weights(parts: pl.DataFrame, token_weights: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each part of a deployment's time with the row of token weights that holds at its start."""
    return (
        parts.join(token_weights, left_on=name, right_on="deployment_id", how="inner")
        .filter(is_open(pl.col("part_start")))
        .sort("valid_from", nulls_last=True)
        .unique(["deployment_id", "part_start"], keep="first", maintain_order=True)
        .select("deployment_id", "part_start", *KINDS)
    )


def _measured(sent: pl.DataFrame) -> pl.DataFrame:
    return sent.with_columns(
        divided(pl.col("duration_us"), MICRO).alias("duration_s_sum"),
        divided(pl.col("duration_us"), HOUR_US).alias("concurrency_mean"),
    )
