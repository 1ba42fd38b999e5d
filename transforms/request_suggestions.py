"""Lines for what is served: the models that requests name, and the GPUs that serve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from transforms.billed_pools import Pool, largest, pool_of
from transforms.suggestion_names import line, slug


def of_requests(
    token_usage: pl.DataFrame, training_runs: pl.DataFrame, pools: Mapping[str, Pool], bought: AbstractSet[str]
) -> Iterator[tuple[object, ...]]:
    """Rows of rule_suggestions: the model, and its deployment on a pool that trains nothing.

    Models that are `bought` by the token need no deployment, and somebody else paid their training.
    """
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    sums = (
        token_usage.filter(pl.col("model").is_not_null())
        .group_by("source", "model")
        .agg(
            tokens.sum().alias("tokens"),
            pl.col("model_id").drop_nulls().first(),
            pl.col("deployment_id").is_null().any().alias("is_homeless"),
            pl.col("hour").min().dt.date().alias("since"),
        )
    )
    pool = largest(_free(training_runs, pools)) or largest(pools.values()) or Pool("serving")
    for source, model, amount, model_id, is_homeless, since in sums.sort("tokens", descending=True).iter_rows():
        name = model_id or slug(model)
        if model_id is None:
            origin = "adopted" if name in bought else "own"
            row = line(name, model if model != name else "", "", "", "", origin, "", "", "", since, "", "")
            yield source, "models.csv", row, amount, "tokens", None
        if is_homeless and name not in bought:
            row = line(name, name, pool.pool_id, pool.gpu_count, since, "")
            yield source, "deployments.csv", row, amount, "tokens", None


def _free(training_runs: pl.DataFrame, pools: Mapping[str, Pool]) -> list[Pool]:
    hosts = training_runs["hosts"].explode().drop_nulls().unique()
    used = {*pool_of(hosts, pools).values(), *training_runs["pool_id"].drop_nulls()}
    return [pool for pool in pools.values() if pool.pool_id not in used]
