"""What carries out the heavy steps over requests: DuckDB, Polars, or a Spark cluster, each to the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from warehouse.landing.requests.daily_reduction import Reduction
from warehouse.landing.requests.identities import Candidates, candidates_on_duckdb
from warehouse.landing.requests.reduction import reduce_on_duckdb, reduce_on_polars
from warehouse.landing.requests.spark import SparkCluster


class Engine(NamedTuple):
    """How candidates for repeats are found, and how requests become hours."""

    candidates: Candidates
    reduction: Reduction


def engine(name: Literal["duckdb", "polars", "spark"], spark_master: str, var: Path) -> Engine:
    """The engine of `[engine] telemetry`."""
    if name == "spark":
        cluster = SparkCluster(spark_master, var)
        return Engine(cluster.candidates, cluster.reduce)
    return Engine(candidates_on_duckdb, reduce_on_polars if name == "polars" else reduce_on_duckdb)
