"""The GPUs of a charge: which chip it is and how many GPU-hours were charged."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from transforms.attribution import first_rules, policy_day
from warehouse.schemas.columns import MONEY

NAMING_COLUMNS: Final = ("sku_id", "charge_description")
TYPE_COLUMNS: Final = ("sku_id", "charge_description", "resource_name")
SHORTEST_TYPE: Final = 4
"""Characters below which a pattern says too little to be looked for within a name."""
_UNITS: Final = {
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), (1, 1)),
    **dict.fromkeys(("days", "day"), (24, 1)),
    **dict.fromkeys(("minutes", "minute", "mins", "min"), (1, 60)),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), (1, 3600)),
}
"""Hours of a unit of time, as a numerator and a denominator."""
_OF_GPUS: Final = r"^gpu[- ]?"
LARGEST_QUANTITY: Final = 10**9
"""Hours in one charge above which the quantity is an error of the bill and stands for no GPU time."""
MICRO: Final = 10**6


def gpu_models(rows: pl.DataFrame, instances: pl.DataFrame) -> pl.DataFrame:
    """The rows with `gpu_model` (the row's own word, else its instance type, else its names) and `instance_gpus`."""
    typed = _with_instances(rows, instances)
    named = [_chip_names(rows.get_column(column), instances) for column in NAMING_COLUMNS]
    return typed.with_columns(pl.coalesce("gpu_model", "instance_gpu_model", *named).alias("gpu_model"))


def gpu_hours(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `gpu_hours` and `gpu_hours_exact`: 0 where the charge is no use of GPUs.

    A quantity is one of GPU time (`GPU-Hours`), or one of machine time that is multiplied by its GPUs.
    """
    written = pl.col("consumed_unit").str.strip_chars().str.to_lowercase()
    unit = written.str.replace(_OF_GPUS, "")
    hours, parts = (
        unit.replace_strict({name: value[side] for name, value in _UNITS.items()}, default=side, return_dtype=pl.Int128)
        for side in (0, 1)
    )
    machine = (pl.coalesce("gpus_per_unit", "instance_gpus").fill_null(0) * MICRO).round().cast(pl.Int128)
    per_unit = pl.when(written.str.contains(_OF_GPUS)).then(pl.lit(MICRO, dtype=pl.Int128)).otherwise(machine)
    whole = pl.col("consumed_quantity").to_physical() * per_unit * hours * 2
    exact = (
        pl.when(pl.col("gpu_hours").is_not_null())
        .then(pl.col("gpu_hours").cast(MONEY).to_physical())
        .otherwise((whole + MICRO * parts) // (2 * MICRO * parts))
    )
    counted = pl.when(_is_use()).then(exact).otherwise(0).fill_null(0).cast(pl.Int128)
    return rows.with_columns(counted.reinterpret(dtype=MONEY).alias("gpu_hours_exact")).with_columns(
        pl.col("gpu_hours_exact").cast(pl.Float64).alias("gpu_hours")
    )


def _is_use() -> pl.Expr:
    """Usage of GPUs: no correction, nothing unused, a positive quantity."""
    quantity = pl.coalesce(pl.col("gpu_hours"), pl.col("consumed_quantity").cast(pl.Float64))
    unused = pl.lit("Unused")
    return (
        (pl.col("charge_category") == "Usage")
        & pl.col("charge_class").ne_missing(pl.lit("Correction"))
        & pl.col("commitment_discount_status").ne_missing(unused)
        & pl.col("capacity_reservation_status").ne_missing(unused)
        & (quantity > 0)
        & (quantity < LARGEST_QUANTITY)
    )


def _with_instances(rows: pl.DataFrame, instances: pl.DataFrame) -> pl.DataFrame:
    """Joins chip and GPUs of the first open row of policy.instances whose pattern is the instance type.

    Where a row has no instance type of its own its names may hold one; FOCUS 1.0 has nothing else.
    """
    named = [_instance_types(rows.get_column(column), instances) for column in TYPE_COLUMNS]
    dated = rows.with_columns(
        policy_day(rows["charge_start"].dt.date(), instances).alias("policy_day"),
        pl.coalesce("instance_type", *named).alias("instance_type"),
    )
    types = dated.select("instance_type", "policy_day").drop_nulls().unique().with_row_index("subject")
    fields = types.select(
        "subject",
        pl.lit("").alias("source"),
        pl.col("policy_day").alias("day"),
        pl.lit("instance_type").alias("field"),
        pl.col("instance_type").alias("value"),
    )
    rules = instances.with_columns(pl.lit("*").alias("source"), pl.lit("instance_type").alias("field"))
    matched = first_rules(fields, rules).select(
        "subject", pl.col("gpu_model").alias("instance_gpu_model"), pl.col("gpus").alias("instance_gpus")
    )
    by_type = types.join(matched, on="subject").drop("subject")
    return dated.join(by_type, on=["instance_type", "policy_day"], how="left").drop("policy_day")


def _instance_types(names: pl.Series, instances: pl.DataFrame) -> pl.Series:
    """The instance type of policy.instances that a name holds as a word of its own, null where it holds none."""
    globs = (pattern.lower().strip("*") for pattern in instances["pattern"].drop_nulls().unique().sort())
    cores = sorted({glob for glob in globs if len(glob) >= SHORTEST_TYPE}, key=len, reverse=True)
    if not cores or names.null_count() == len(names):
        return pl.Series(names.name, [None] * len(names), dtype=pl.String)
    words = "|".join(re.escape(core).replace(r"\*", r"[a-z0-9_.-]*").replace(r"\?", ".") for core in cores)
    distinct = names.drop_nulls().unique()
    extracted = distinct.str.to_lowercase().str.extract(
        rf"(?:^|[^a-z0-9.])((?:[a-z0-9_]+\.)?(?:{words}))(?:[^a-z0-9.]|$)"
    )
    return names.replace_strict(distinct, extracted, default=None, return_dtype=pl.String)


def _chip_names(names: pl.Series, instances: pl.DataFrame) -> pl.Series:
    """The chip of policy.instances that a name spells out, null where it spells none."""
    chips = {_plain(chip): chip for chip in instances["gpu_model"].drop_nulls().unique().sort()}
    spelt = sorted((re.escape(chip).replace(r"\ ", "[ -]?") for chip in chips), key=len, reverse=True)
    distinct = names.drop_nulls().unique()
    extracted = distinct.str.to_lowercase().str.extract(rf"(?:^|[^a-z0-9])({'|'.join(spelt)})(?:[^a-z0-9]|$)")
    chip_names = [chips.get(_plain(chip)) if chip else None for chip in extracted]
    return names.replace_strict(distinct, pl.Series(chip_names, dtype=pl.String), default=None, return_dtype=pl.String)


def _plain(chip: str) -> str:
    return chip.lower().replace("-", " ")
