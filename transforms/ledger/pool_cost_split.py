"""The bill of a pool or deployment split, hour by hour, among who used it; every split adds up exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from transforms.money import split
from transforms.periods import Grain, cut

if TYPE_CHECKING:
    from transforms.ledger.allocation_targets import AllocationTargets

COSTS = ["billed_cost", "effective_cost"]
AMOUNTS = [*COSTS, "gpu_time"]
LINE = ["lot", "charge_date", "place"]


def shared_lines(lots: pl.DataFrame, targets: AllocationTargets) -> list[pl.DataFrame]:
    """Lines of the charges that users of pools or models of deployments share, hour by hour."""
    used = _shared(parts_in_time(lots, "pool", "hour").drop("place"), targets.uses, ["pool_id", "hour"])
    direct = parts_in_time(lots, "deployment", "hour").join(targets.direct, on=["deployment_id", "hour"])
    in_stints = used.filter(pl.col("stint").is_not_null())
    stints = pl.concat([rows.select("lot", "charge_date", "stint", *AMOUNTS) for rows in (in_stints, direct)])
    consumers = _shared(_shared(stints, targets.models, ["stint"]), targets.consumers, ["model_part"])
    return [rows.select(*LINE, *AMOUNTS) for rows in (used.filter(pl.col("stint").is_null()), consumers)]


def parts_in_time(lots: pl.DataFrame, method: str, grain: Grain) -> pl.DataFrame:
    """The lots of one method cut in time."""
    chosen = lots.filter(pl.col("method") == method).drop("charge")
    buckets = cut(chosen, grain, start="charge_start", end="charge_end").with_columns(
        pl.col("bucket").dt.date().alias("charge_date"), pl.col("bucket").alias("hour")
    )
    return split(buckets, group="lot", weight="microseconds", amounts=AMOUNTS)


def _shared(parts: pl.DataFrame, weights: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The parts split by the weights of their key, in the order of the weights."""
    joined = parts.with_row_index("part").join(weights, on=key, maintain_order="left_right")
    return split(joined, group="part", weight="weight", amounts=AMOUNTS).drop("part", "weight")
