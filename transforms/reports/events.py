"""What is known to happen while the forecast runs: models that are planned or retire, commitments that end."""

from __future__ import annotations

from datetime import date

import polars as pl

from transforms.reports.reported_spend import month_after
from warehouse.schemas.reports import Events


def events(
    settings: pl.DataFrame, outlook: pl.DataFrame, models: pl.DataFrame, commitments: pl.DataFrame
) -> pl.DataFrame:
    """One known event after the night and before the end of the forecast; nothing without a forecast."""
    last = outlook["month"].max()
    if not isinstance(last, date):
        return Events.empty()
    dated = [
        models.select(day="released_on", kind=pl.lit("release"), name="model_id"),
        models.select(day="retires_on", kind=pl.lit("retirement"), name="model_id"),
        commitments.select(day="last_day", kind=pl.lit("commitment_ends"), name="commitment_discount_id"),
    ]
    is_ahead = (pl.col("day") > settings["as_of"].item()) & (pl.col("day") < month_after(last))
    rows = pl.concat(dated).filter(is_ahead).unique()
    return Events.frame(rows.sort("day", "kind", "name"))
