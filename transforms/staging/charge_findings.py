"""What the charges of a day say that cannot all be so."""

from __future__ import annotations

import polars as pl

from transforms.money import units
from warehouse.schemas.staging import ChargeFindings

SECONDS_PER_UNIT = 3600 / 10**12


def charge_findings(charges: pl.DataFrame) -> pl.DataFrame:
    """One resource and day whose rows state more GPU-hours than its GPUs have; the cost of these rows is untouched."""
    capped = charges.filter(pl.col("gpu_hours_capped") > 0)
    by_resource = capped.group_by("charge_day", "source", pl.col("resource_id").alias("subject")).agg(
        pl.lit("gpu_hours_capped").first().alias("kind"),
        pl.len().cast(pl.Int64).alias("rows"),
        (units("gpu_hours_capped").sum().cast(pl.Float64) * SECONDS_PER_UNIT).alias("gpu_seconds"),
        pl.col("charge_day").first().alias("day_from"),
        pl.col("charge_day").first().alias("day_to"),
    )
    return ChargeFindings.frame(by_resource).sort("charge_day", "source", "subject")
