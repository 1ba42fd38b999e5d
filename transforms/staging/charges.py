"""Bill rows and rate card as charges: which rows count now, what each is called, and the GPU time it stands for."""

from __future__ import annotations

import polars as pl

from transforms.staging.cost_views import one_view
from transforms.staging.gpu_hours_cap import capped_gpu_hours
from transforms.staging.gpus import gpu_hours, gpu_models
from warehouse.schemas.staging import Charges

HASH_DIGITS = 24


def charges(
    charge_rows: pl.DataFrame,
    bill_deliveries: pl.DataFrame,
    files: pl.DataFrame,
    instances: pl.DataFrame,
    accruals: pl.DataFrame,
    repeated_gpu_hours: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One charge as known now: the current rows of every bill that start before the night ends, and what is accrued.

    Any days of the rows give exactly the charges of these days.
    """
    dated = _known_at(current_charges(charge_rows, bill_deliveries, settings), files)
    measured = capped_gpu_hours(gpu_hours(gpu_models(dated, instances)), repeated_gpu_hours)
    billed = Charges.frame(_identified(measured))
    return pl.concat([billed, Charges.frame(accruals)]).sort("charge_id")


def current_charges(charge_rows: pl.DataFrame, bill_deliveries: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """The rows of the night in deliveries that nothing newer replaces, each money in one view.

    A unit that is replaced is a source, payer account and period.
    """
    unit = ["source", "file_sha256", "account", "billing_period_start"]
    begun = charge_rows.filter(pl.col("charge_start") < settings["night_end"].item())
    rows = begun.with_columns(pl.col("billing_account_id").fill_null("").alias("account"))
    units = bill_deliveries.rename({"billing_account_id": "account"}).filter("is_current").select(unit).unique()
    return one_view(rows.join(units, on=unit, how="semi"), bill_deliveries)


def _known_at(rows: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """When each row became known: as its export says, else the night that saw its file first."""
    seen = files.group_by("source", pl.col("sha256").alias("file_sha256")).agg(pl.col("first_seen_at").min())
    return rows.join(seen, on=["source", "file_sha256"], how="left").with_columns(
        pl.coalesce("exported_at", "first_seen_at").alias("known_at"),
        pl.col("charge_start").dt.date().alias("charge_day"),
    )


def _identified(rows: pl.DataFrame) -> pl.DataFrame:
    """`charge_id`: source, hash of the dimensions, ordinal among equals in the order of their content."""
    ordered = rows.sort("source", "dimension_hash", "content_hash", "known_at", "file_sha256", "location")
    digest = pl.col("dimension_hash").str.slice(0, HASH_DIGITS)
    ordinal = pl.int_range(1, pl.len() + 1).over("source", digest)
    return ordered.with_columns(pl.concat_str("source", digest, ordinal, separator="-").alias("charge_id"))
