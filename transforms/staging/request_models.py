"""Which model a request as sent is about."""

from __future__ import annotations

import polars as pl

from transforms.attribution import first_rules, name_key

FIELDS = ("model", "deployment", "team", "tenant", "task")
"""What rules of policy.attribution may match in a request."""


def request_fields(sent: pl.DataFrame) -> pl.DataFrame:
    """One field of one request that a rule may match: subject, source, day, field, value."""
    keys = [pl.col("subject"), pl.col("source"), pl.col("hour").dt.date().alias("day")]
    return pl.concat([sent.select(*keys, pl.lit(name).alias("field"), pl.col(name).alias("value")) for name in FIELDS])


def with_model(sent: pl.DataFrame, models: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """The requests with their model: the first rule for models, else the one whose id or alias was sent, else none."""
    ruled = first_rules(request_fields(sent), attribution.filter(pl.col("target") == "model"))
    names = pl.concat(
        [models.select("model_id", name="model_id"), models.select("model_id", name="aliases").explode("name")]
    ).drop_nulls()
    keyed = names.with_columns(name_key(names["name"]).alias("key")).unique("key", keep="first", maintain_order=True)
    return (
        sent.with_columns(name_key(sent["model"]).alias("key"))
        .join(ruled.select("subject", rule_model="target_id"), on="subject", how="left")
        .join(keyed.select("key", named_model="model_id"), on="key", how="left")
        .with_columns(pl.coalesce("rule_model", "named_model").alias("model_id"))
        .drop("key")
    )
