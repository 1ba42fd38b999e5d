"""Lines for what is served: the models that requests name, and the GPUs that serve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from transforms.billed_pools import Pool, likeliest
from transforms.run_suggestions import pools_of_run
from transforms.suggestion_names import line, slug


def of_requests(
    token_usage: pl.DataFrame,
    training_runs: pl.DataFrame,
    pools: Mapping[str, Pool],
    named: Mapping[str, bool],
    bought_from: AbstractSet[str],
) -> Iterator[tuple[object, ...]]:
    """Rows of rule_suggestions: the model, and its deployment on a pool that trains nothing.

    `named` are the models that bills name, and whether with GPUs: they need no deployment. Models without GPUs and
    those of the sources `bought_from` are bought by the token: somebody else paid their training.
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
    pool = likeliest(_free(training_runs, pools), "serving") or likeliest(pools.values(), "serving") or Pool("serving")
    for source, model, amount, model_id, is_homeless, since in sums.sort("tokens", descending=True).iter_rows():
        name = model_id or slug(model)
        is_bought = source in bought_from or named.get(name) is False
        if model_id is None:
            origin = "adopted" if is_bought else "own"
            row = line(name, model if model != name else "", "", "", "", origin, "", "", "", since, "", "")
            yield source, "models.csv", row, amount, "tokens", None
        if is_homeless and not is_bought and name not in named:
            row = line(name, name, pool.pool_id, pool.gpu_count, since, "")
            yield source, "deployments.csv", row, amount, "tokens", None


def _free(training_runs: pl.DataFrame, pools: Mapping[str, Pool]) -> list[Pool]:
    """Pools that no run uses, by rule or by the line that is proposed for it."""
    used = set(training_runs["pool_id"].drop_nulls())
    for run in training_runs.filter(pl.col("pool_id").is_null()).iter_rows(named=True):
        used.update(pool_id for *_, pool_id in pools_of_run(run, pools))
    return [pool for pool in pools.values() if pool.pool_id not in used]
