"""Workloads of a cluster as users of pools: whose GPUs they held, and for which model they worked."""

from __future__ import annotations

import polars as pl

from transforms.attribution import first_rules, keyed_fields, rule_field
from warehouse.schemas.staging import WorkloadUses

KEY = ("source", "workload", "started_at", "ended_at")
FIELDS = ("namespace", "pod", "cluster")


def workload_uses(workload_rows: pl.DataFrame, attribution: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One workload over one window: pool from the first rule for pools, model, phase and team from that for models.

    A window that is delivered twice alike counts once.
    """
    begun = workload_rows.filter(pl.col("started_at") < settings["night_end"].item())
    rows = begun.sort("file_sha256", "location").unique([*KEY, "gpu_hours"], keep="first", maintain_order=True)
    placed = rows.sort(*KEY, "gpu_hours").with_row_index("subject")
    fields = _fields(placed, attribution)
    pools = first_rules(fields, attribution.filter(pl.col("target") == "pool"))
    models = first_rules(fields, attribution.filter(pl.col("target") == "model"))
    attributed = placed.join(pools.select("subject", pool_id="target_id"), on="subject", how="left").join(
        models.select("subject", "phase", "team", model_id="target_id"), on="subject", how="left"
    )
    return WorkloadUses.frame(attributed).sort(KEY)


def _fields(rows: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """The fields of each workload that rules may name, labels by their keys."""
    keys = [pl.col("subject"), pl.col("source"), pl.col("started_at").dt.date().alias("day")]
    plain = [rows.select(*keys, pl.lit(name).alias("field"), pl.col(name).alias("value")) for name in FIELDS]
    names = attribution.select(rule_field(pl.col("field")).alias("field"))["field"]
    labels = rows.join(keyed_fields(rows["labels"], "label:", names), left_on="labels", right_on="document")
    return pl.concat([*plain, labels.select(*keys, "field", "value")])
