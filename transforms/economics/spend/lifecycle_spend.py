"""What a model has cost over its life, phase by phase."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.sums import gpu_time
from warehouse.schemas.economics import LifecycleSpend

_HOLDER: Final = ("model_id", "phase")
_MONEY: Final = ("direct_usd", "idle_share_usd", "shared_share_usd", "waste_usd")


def lifecycle_spend(
    model_spend: pl.DataFrame, lineage_shares: pl.DataFrame, phase_compute: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One model and phase, cumulative over all that the ledger of the night holds.

    `inherited_usd` is what the model carries of its ancestors' training less what its descendants carry of its own, so
    it is negative for a base that serves little itself, and zero in sum over a family. Models without any cost have
    rows of zeros. All totals together with company_spend are the ledger, to the last decimal.
    """
    spent = model_spend.group_by(_HOLDER).agg(pl.col(_MONEY).sum(), gpu_time())
    rows = (
        phase_compute.select(*_HOLDER, "compute_flop", "tokens")
        .join(spent, on=_HOLDER, how="left")
        .join(_inherited(lineage_shares), on=_HOLDER, how="left")
        .with_columns(pl.col(*_MONEY, "gpu_seconds", "taken_usd", "passed_on_usd").fill_null(0))
        .with_columns(
            inherited_usd=pl.col("taken_usd") - pl.col("passed_on_usd"), as_of=pl.lit(settings["as_of"].item())
        )
        .with_columns(
            total_usd=pl.col("direct_usd")
            + pl.col("idle_share_usd")
            + pl.col("shared_share_usd")
            + pl.col("inherited_usd")
        )
    )
    return LifecycleSpend.frame(rows.sort(_HOLDER))


def _inherited(lineage_shares: pl.DataFrame) -> pl.DataFrame:
    """One model and phase: what it takes from ancestors and what it passes on, at the last month-end."""
    latest = lineage_shares.filter(
        pl.col("month") == pl.col("month").max(), pl.col("ancestor_id") != pl.col("model_id")
    ).with_columns(usd=pl.col("training_usd") + pl.col("waste_usd"))
    taken = latest.group_by(_HOLDER).agg(taken_usd=pl.col("usd").sum())
    passed = latest.group_by(model_id="ancestor_id", phase="phase").agg(passed_on_usd=pl.col("usd").sum())
    return taken.join(passed, on=_HOLDER, how="full", coalesce=True)
