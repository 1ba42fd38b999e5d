"""What drove the change of the month, each driver with its sign, its rank and whether it lasts."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.reports.reported_spend import cost_class
from warehouse.schemas.reports import ChangeDrivers

MOSTLY: Final = 0.5


def change_drivers(subject: pl.DataFrame, variance_bridge: pl.DataFrame, movers: pl.DataFrame) -> pl.DataFrame:
    """Every driver of the month's bridge, the largest of either sign first; they add up to the change.

    A driver lasts where most of its size is in entities whose change lasts. Where each entity's part goes its own way
    (+300 that lasts, −280 that is reversed) the part with more of the sum's own sign decides.
    """
    parts = (
        variance_bridge.filter(pl.col("month") == subject["month"].item())
        .with_columns(cost_class(), model_id=pl.when(pl.col("account") == "direct").then("model_id"))
        .group_by("driver", "cost_class", "model_id")
        .agg(pl.col("change_usd").sum())
        .join(
            movers.select("cost_class", "model_id", "persistence"), on=["cost_class", "model_id"], how="left",
            nulls_equal=True,
        )
    )  # fmt: skip
    size = pl.col("change_usd").cast(pl.Float64)
    own = size * size.sum().over("driver").sign()
    lasting = own.filter(pl.col("persistence") == "lasts").sum()
    passing = own.filter(pl.col("persistence") == "reversed").sum()
    sums = parts.group_by("driver").agg(pl.col("change_usd").sum(), lasting=lasting, passing=passing)
    rows = (
        sums.join(_largest(parts), on="driver", how="left")
        .with_columns(
            persistence=pl.when(pl.col("lasting") > pl.col("passing").abs())
            .then(pl.lit("lasts"))
            .when(pl.col("passing") > pl.col("lasting").abs())
            .then(pl.lit("passes"))
            .otherwise(pl.lit("mixed"))
        )
        .sort(pl.col("change_usd").abs(), "driver", descending=[True, False])
    )
    return ChangeDrivers.frame(rows.with_row_index("position", offset=1))


def _largest(parts: pl.DataFrame) -> pl.DataFrame:
    """What has at least half of a driver's change, in its direction: one entity, else all models of one class."""
    size = pl.col("change_usd").cast(pl.Float64)
    classes = parts.group_by("driver", "cost_class").agg(pl.col("change_usd").sum())
    entities = pl.concat([parts.with_columns(level=0), classes.with_columns(level=1)], how="diagonal").with_columns(
        share=size / size.sum().over("driver", "level")
    )
    ranked = entities.filter(pl.col("share").is_finite(), pl.col("share") >= MOSTLY).sort(
        "level", "share", "cost_class", "model_id", descending=[False, True, False, False]
    )
    first = ranked.unique("driver", keep="first", maintain_order=True)
    return first.select("driver", largest_class="cost_class", largest_model_id="model_id")
