"""Which claims are claims of the same GPUs: those of one run, one machine, one sidecar, or one family of runs."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

_RUN: Final = ["run_source", "run"]
_ROUNDS: Final = 24
"""Rounds in which every ancestor becomes its ancestor's ancestor: a chain of 2^24 runs ends."""


def gpu_sets(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the set of GPUs that each claims and its precedence within the set.

    Adds `gpu_set`; `precedence`, smaller for ancestors; `is_replaced` where the scheduler says what was held;
    `is_contested` where runs that are no part of each other count the GPUs of one machine, or of one sidecar.
    """
    host = pl.when(pl.col("hosts").list.len() == 1, ~pl.col("is_job")).then(
        pl.col("hosts").list.first().str.to_lowercase()
    )
    own = pl.format("run {} {}", *_RUN)
    machines = pl.col("hosts").list.eval(pl.element().str.to_lowercase()).list.unique().list.sort().list.join(", ")
    gpu_set = (
        pl.when(pl.col("sidecar").is_not_null())
        .then(pl.format("sidecar {}", "sidecar"))
        .when(host.is_not_null() & (pl.col("gpu_scope") == "host"))
        .then(pl.format("host {}", host))
        .when(host.is_not_null() & pl.col("gpu_scope").is_null() & pl.col("rank").is_not_null())
        .then(pl.format("{} on {}", own, host))
        .when("is_by_machine")
        .then(pl.format("{} on {}", own, machines))
        .otherwise(own)
    )
    families = _families(rows)
    is_alone = pl.len().over("family") == pl.len().over(_RUN)
    claims = (
        rows.join(families, on=_RUN, how="left", maintain_order="left")
        .join(_counted_by_machine(rows.with_columns(machines.alias("machines"))), on=_RUN, how="left",
              maintain_order="left")
        .with_columns((pl.col("is_by_machine").fill_null(value=False) & is_alone).alias("is_by_machine"))
        .with_columns(
            gpu_set.alias("gpu_set"), (pl.col("is_scheduled") & ~pl.col("is_job")).alias("is_replaced")
        )
        .drop("is_by_machine")
    )  # fmt: skip
    of_root = claims.filter(pl.col("depth") == 0).group_by("family").agg(pl.col("gpu_set").min().alias("root_set"))
    nested = claims.join(of_root, on="family", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("depth") > 0).then(pl.coalesce("root_set", "gpu_set")).otherwise("gpu_set").alias("gpu_set")
    )
    order = pl.struct("depth", ~pl.col("is_leading"), "start", "source", "logged_run_id", "row").rank("ordinal")
    is_of_several = pl.col("gpu_set").str.starts_with("host ") | pl.col("gpu_set").str.starts_with("sidecar ")
    several = pl.col("family").n_unique().over("gpu_set") > 1
    is_first = (pl.col("depth") == 0) & pl.col("is_leading")
    return nested.with_columns(order.alias("precedence"), (is_of_several & several & is_first).alias("is_contested"))


def _counted_by_machine(rows: pl.DataFrame) -> pl.DataFrame:
    """The runs of which every row names its machines, and no two rows some of the same ones: each tells of its own.

    Where a row counts the GPUs of the whole job, or one row names a machine of another, all of them claim one set.
    """
    own = rows.filter(~pl.col("is_job"))
    is_whole = (pl.col("hosts").list.len() == 0) | (pl.col("gpu_scope") == "job").fill_null(value=False)
    mixed = own.filter(is_whole).select(_RUN)
    named = own.select(*_RUN, "machines", pl.col("hosts").list.eval(pl.element().str.to_lowercase())).explode("hosts")
    shared = named.group_by(*_RUN, "hosts").agg(pl.col("machines").n_unique()).filter(pl.col("machines") > 1)
    several = own.group_by(_RUN).agg(pl.col("machines").n_unique()).filter(pl.col("machines") > 1)
    return (
        several.join(pl.concat([mixed, shared.select(_RUN)]).unique(), on=_RUN, how="anti")
        .select(_RUN)
        .with_columns(is_by_machine=True)
    )


def _families(rows: pl.DataFrame) -> pl.DataFrame:
    """One run: the ancestor whose GPUs it shares, and how far below it stands; a run that shares none is its own.

    A child shares the GPUs of the nearest ancestor that holds any, if it began while that ran and no hosts tell them
    apart: one that follows its parent, or works elsewhere, holds GPUs of its own. The jobs of a scheduler share none.
    """
    runs = rows.group_by(_RUN).agg(
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("gpu_count").max().fill_null(0.0).alias("gpus"),
        pl.col("is_job").any(),
        pl.col("hosts").explode().drop_nulls().str.to_lowercase().unique(),
    ).sort(_RUN).with_row_index("id")  # fmt: skip
    logged = rows.select("source", *_RUN, parent_run_id="logged_run_id").unique(["source", "parent_run_id"])
    named = rows.filter(pl.col("parent_run_id").is_not_null()).sort("row").unique(_RUN, keep="first")
    parents = (
        named.select(*_RUN, "source", "parent_run_id")
        .join(logged, on=["source", "parent_run_id"], suffix="_above")
        .join(runs.select(*_RUN, "id"), on=_RUN)
        .join(runs.select(run_source_above="run_source", run_above="run", above="id"),
              on=["run_source_above", "run_above"])
    )  # fmt: skip
    above = np.full(runs.height, -1, dtype=np.int64)
    above[parents["id"].to_numpy()] = parents["above"].to_numpy()
    sharing = _nearest_holding(above, runs["gpus"].to_numpy() > 0)
    linked = _linked(runs, sharing)
    family, depth = _roots(np.where(linked, sharing, np.arange(runs.height)))
    return runs.select(*_RUN).with_columns(pl.Series("family", family), pl.Series("depth", depth))


def _nearest_holding(above: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """The nearest ancestor that holds GPUs, by run; -1 for none."""
    nearest = above.copy()
    for _ in range(_ROUNDS):
        idle = (nearest >= 0) & ~holds[nearest]
        if not idle.any():
            return nearest
        nearest[idle] = above[nearest[idle]]
    return np.where((nearest >= 0) & holds[nearest], nearest, -1)


def _linked(runs: pl.DataFrame, sharing: np.ndarray) -> np.ndarray:
    """Whether a run shares the GPUs of the ancestor: the two overlap, no hosts tell them apart, neither is a job."""
    numbered = runs.with_columns(above=pl.col("id").cast(pl.Int64))
    pairs = runs.with_columns(pl.Series("above", sharing)).join(
        numbered, on="above", how="left", suffix="_above", maintain_order="left"
    )
    apart = (
        (pl.col("hosts").list.len() > 0)
        & (pl.col("hosts_above").list.len() > 0)
        & (pl.col("hosts").list.set_intersection("hosts_above").list.len() == 0)
    )
    overlaps = (pl.col("start") < pl.col("end_above")) & (pl.col("start_above") < pl.col("end"))
    is_nested = overlaps & ~apart & ~pl.col("is_job") & ~pl.col("is_job_above") & (pl.col("id") != pl.col("above"))
    return pairs.select(is_nested.fill_null(value=False).alias("linked"))["linked"].to_numpy()


def _roots(parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The root of each run and its depth below it, by doubling; the members of a cycle end somewhere in it."""
    roots, depth = parents.copy(), (parents != np.arange(len(parents))).astype(np.int64)
    for _ in range(_ROUNDS):
        further = roots[roots]
        if (further == roots).all():
            break
        depth, roots = depth + depth[roots], further
    return roots, depth
