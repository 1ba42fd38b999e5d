"""Why serving a model costs another amount than before: volume, mix, efficiency and price."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from transforms.economics.rounding import usd_from

_CELL: Final = ("month", "account", "model_id", "phase")
_ESTIMATED: Final = ("volume", "mix", "efficiency")
_REST: Final = ("price", "other")
_ROUNDING: Final = Decimal("0.000003")


def served_drivers(cost: pl.DataFrame, production: pl.DataFrame) -> pl.DataFrame:
    """One driver of the change of one model's serving cost; the drivers add up to the change exactly.

    Cost is tokens × GPU time per token × cost per GPU time. Volume is what the company's growth would have added to the
    model's cost, mix what the model grew differently; a model that is new or gone is mix. Efficiency is the change of
    GPU time per token at the old price, price what is left. Without GPU time the two are one, named price; cost without
    tokens on one side is other. Tokens and units grow apart: each unit has its own growth.

    Args:
        cost: one month and model with before_ and after_ of `usd` and `gpu_seconds`.
        production: one month and model with before_ and after_ of `served`, and its production_unit.
    """
    growth = production.group_by("month", "production_unit").agg(pl.col("before_served", "after_served").sum())
    grown = growth.select(
        "month", "production_unit",
        growth=pl.when(pl.col("before_served") > 0).then(pl.col("after_served") / pl.col("before_served") - 1),
    )  # fmt: skip
    rows = (
        cost.join(production, on=["month", "model_id"], how="left")
        .join(grown, on=["month", "production_unit"], how="left")
        .with_columns(pl.col("before_served", "after_served", "growth").fill_null(0))
    )
    return _long(_exact(_estimated(rows)))


def _estimated(rows: pl.DataFrame) -> pl.DataFrame:
    before, after = (pl.col(f"{side}_usd").cast(pl.Float64) for side in ("before", "after"))
    served_before, served_after = pl.col("before_served") > 0, pl.col("after_served") > 0
    volume = before * pl.col("growth")
    activity = before * (pl.col("after_served") / pl.col("before_served") - 1)
    has_time = (pl.col("before_gpu_seconds") > 0) & (pl.col("after_gpu_seconds") > 0) & (before > 0)
    at_old_price = before * (pl.col("after_gpu_seconds") / pl.col("before_gpu_seconds"))
    is_new, is_gone = ~served_before & served_after & (before == 0), served_before & ~served_after & (after == 0)
    is_steady = served_before & served_after
    return rows.with_columns(
        is_known=is_steady | is_new | is_gone,
        volume=pl.when(is_steady | is_gone).then(volume).otherwise(0.0),
        mix=pl.when(is_steady | is_gone).then(activity - volume).when(is_new).then(after).otherwise(0.0),
        efficiency=pl.when(is_steady & has_time).then(at_old_price - before - activity).otherwise(0.0),
    )


def _exact(rows: pl.DataFrame) -> pl.DataFrame:
    """Estimates in millionths, and the rest of the change in what they leave; what only rounding left is mix."""
    rest = pl.col("after_usd") - pl.col("before_usd") - pl.col("volume") - pl.col("mix") - pl.col("efficiency")
    amounts = rows.with_columns(usd_from(name) for name in _ESTIMATED).with_columns(rest=rest)
    is_known, is_rounding = pl.col("is_known"), pl.col("rest").abs() <= _ROUNDING
    return amounts.with_columns(
        mix=pl.when(is_known & is_rounding).then(pl.col("mix") + pl.col("rest")).otherwise("mix"),
        price=pl.when(is_known & ~is_rounding).then("rest"),
        other=pl.when(~is_known).then("rest"),
    )


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    long = rows.unpivot([*_ESTIMATED, *_REST], index=list(_CELL), variable_name="driver", value_name="change_usd")
    return long.filter(pl.col("change_usd").is_not_null())
