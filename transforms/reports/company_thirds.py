"""The company's own thirds: a year ago, now, and when its models retire."""

from __future__ import annotations

from datetime import date

import polars as pl

from transforms.reports.reported_spend import month_after, month_of
from warehouse.schemas.reports import CompanyThirds
from warehouse.vocabulary import PHASES


def company_thirds(subject: pl.DataFrame, trails: pl.DataFrame, thirds: pl.DataFrame) -> pl.DataFrame:
    """Direct spend since the first day of all models, retired ones too, by phase and moment.

    A year ago is the end of the same month one year before the night; where no model had cost then it has no row. At
    retirement each model's inference is the median of its projection; a model without one stays as it is today.
    """
    as_of: date = subject["as_of"].item()
    past = month_after(month_of(as_of), -12)
    moments = [
        ("year_ago", trails.filter(pl.col("month") == past)),
        ("now", thirds.filter(pl.col("as_of") == as_of)),
    ]
    ahead = thirds.filter(pl.col("as_of") == as_of).with_columns(
        inference_usd=pl.coalesce("projected_inference_usd_p50", "inference_usd")
    )
    if ahead["projected_inference_usd_p50"].drop_nulls().len():
        moments.append(("at_retirement", ahead))
    sums = [
        rows.select(*(pl.col(f"{phase}_usd").sum() for phase in PHASES)).with_columns(
            position=pl.lit(position), moment=pl.lit(moment)
        )
        for position, (moment, rows) in enumerate(moments, start=1)
        if rows.height
    ]
    if not sums:
        return CompanyThirds.empty()
    whole = sum((pl.col(f"{phase}_usd").cast(pl.Float64) for phase in PHASES), pl.lit(0.0))
    is_shared = (whole > 0) & pl.all_horizontal(pl.col(f"{phase}_usd") >= 0 for phase in PHASES)
    shares = [
        pl.when(is_shared).then(pl.col(f"{phase}_usd").cast(pl.Float64) / whole).alias(f"{phase}_ratio")
        for phase in PHASES
    ]
    return CompanyThirds.frame(pl.concat(sums).with_columns(shares).sort("position"))
