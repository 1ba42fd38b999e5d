"""Names in bills that a person should look at: tag keys that are alike, and instance types that no rule knows."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

_TYPES: Final = (
    r"\b((?:p|g|gr|trn|inf|dl)\d\w*\.(?:\d*x?large|metal\S*)|Standard_N[CDGPV]\w+"
    r"|[ag]\d+-(?:high|mega|ultra|max|edge)gpu\S*|(?:BM|VM)\.GPU\.\S+)"
)
"""How AWS, Azure, Google and Oracle write the types of machines with accelerators."""
_TEXTS: Final = ("sku_price_details", "sku_id", "charge_description", "resource_name")
_MARKS: Final = '",;)}'


def unclear_names(charges: pl.DataFrame) -> pl.DataFrame:
    """One group of names: `source`, `kind`, `names`, and the `charges`.

    `kind` is `tag_keys_alike`, `instance_type_unknown`, or `gpus_unknown` where a bill names chips and no charge of it
    has GPU-hours. Keys that differ in case or outer blanks are matched as one by rules and stand apart in every other
    tool. A type that looks like a machine with accelerators and is no row of policy.instances has no chip and no
    GPU-hours.
    """
    groups = [_alike_keys(charges), _unknown_types(charges), _unknown_gpus(charges)]
    return pl.concat(groups).sort("source", "kind", "names")


def _alike_keys(charges: pl.DataFrame) -> pl.DataFrame:
    tagged = charges.group_by("source", "tags").agg(pl.len().cast(pl.Int64).alias("charges"))
    rows = [(source, key, count) for source, tags, count in tagged.iter_rows() for key in json.loads(tags or "{}")]
    keys = pl.DataFrame(rows, schema={"source": pl.String(), "key": pl.String(), "charges": pl.Int64()}, orient="row")
    grouped = keys.group_by("source", pl.col("key").str.strip_chars().str.to_lowercase().alias("alike")).agg(
        pl.col("key").unique().sort().alias("names"), pl.col("charges").sum()
    )
    several = grouped.filter(pl.col("names").list.len() > 1)
    return several.select("source", pl.lit("tag_keys_alike").alias("kind"), "names", "charges")


def _unknown_types(charges: pl.DataFrame) -> pl.DataFrame:
    unknown = charges.filter(pl.col("gpu_model").is_null(), pl.col("charge_category") == "Usage")
    types = pl.coalesce(pl.col(name).str.extract(f"(?i){_TYPES}") for name in _TEXTS)
    named = unknown.with_columns(types.str.strip_chars_end(_MARKS).alias("type")).drop_nulls("type")
    counted = named.group_by("source", pl.concat_list("type").alias("names")).agg(
        pl.len().cast(pl.Int64).alias("charges")
    )
    return counted.select("source", pl.lit("instance_type_unknown").alias("kind"), "names", "charges")


def _unknown_gpus(charges: pl.DataFrame) -> pl.DataFrame:
    chips = charges.filter((pl.col("gpu_hours").sum() == 0).over("source")).drop_nulls("gpu_model")
    counted = chips.group_by("source").agg(
        pl.col("gpu_model").unique().sort().alias("names"), pl.len().cast(pl.Int64).alias("charges")
    )
    return counted.select("source", pl.lit("gpus_unknown").alias("kind"), "names", "charges")
