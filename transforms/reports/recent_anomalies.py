"""What happened in the last week that no interval let expect."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from warehouse.schemas.reports import RecentAnomalies

WEEK: Final = timedelta(days=7)
KINDS: Final = {"model": 0, "team": 1, "pool": 2}
CAUSE: Final = ("since", "ledger_source", "ledger_account", "ledger_model_id", "ledger_pool_id")


def recent_anomalies(subject: pl.DataFrame, spend_anomalies: pl.DataFrame) -> pl.DataFrame:
    """One stretch of days outside that began in the last week, the furthest from expectation first.

    The same ledger rows move a model, its team and its pool: they are told of once, by the model where it is one.
    """
    start = subject["as_of"].item() - WEEK
    stretches = (
        spend_anomalies.filter(pl.col("since") >= start)
        .sort("charge_date")
        .group_by("subject_kind", "subject", "since", maintain_order=True)
        .agg(pl.all().exclude("charge_date").first(), until=pl.col("charge_date").last())
    )
    kind = pl.col("subject_kind").replace_strict(KINDS, return_dtype=pl.Int8)
    once = stretches.sort(kind, "subject").unique(CAUSE, keep="first", maintain_order=True)
    distance = (pl.col("actual_usd") - pl.col("expected_usd")).abs()
    ordered = once.sort(distance, "subject", descending=[True, False])
    return RecentAnomalies.frame(ordered.with_row_index("position", offset=1))
