"""What closed months were first reported as, what they are now, and which cause and file made the difference."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import amount, units
from warehouse.schemas.names import ACCRUAL
from warehouse.schemas.reports import RestatedMonths, Restatements

CELL: Final = ("month", "currency")
PERIOD: Final = (*CELL, "source")
SIDES: Final = ("billed", "correction", "billed_now", "correction_now")
MONTH: Final = pl.col("billing_period_start").dt.month_start().alias("month")


def restated_months(
    settings: pl.DataFrame, published_periods: pl.DataFrame, reconciliation: pl.DataFrame
) -> pl.DataFrame:
    """One closed month and currency whose bills are no longer what the first night after its end reported."""
    periods = _periods(settings, published_periods, reconciliation)
    changed = periods.filter(pl.col("billed") != pl.col("billed_now")).select(CELL).unique()
    rows = (
        periods.join(changed, on=CELL, how="semi")
        .group_by(CELL)
        .agg(
            pl.col("first_night").first(),
            reported_cost=pl.col("billed").sum(),
            current_cost=pl.col("billed_now").sum(),
        )
        .with_columns(change_cost=pl.col("current_cost") - pl.col("reported_cost"))
        .with_columns(amount(f"{name}_cost") for name in ("reported", "current", "change"))
    )
    return RestatedMonths.frame(rows.sort(CELL))


def restatements(
    settings: pl.DataFrame,
    published_periods: pl.DataFrame,
    published_bills: pl.DataFrame,
    reconciliation: pl.DataFrame,
    bill_deliveries: pl.DataFrame,
) -> pl.DataFrame:
    """One cause for which one source's bill of one closed month is no longer what was first reported."""
    periods = _periods(settings, published_periods, reconciliation)
    changed = periods.filter(pl.col("billed") != pl.col("billed_now"))
    corrected = pl.col("correction_now") - pl.col("correction")
    rest = pl.col("billed_now") - pl.col("billed") - corrected
    parts = [
        changed.with_columns(change_cost=corrected, cause=pl.lit("correction")),
        changed.with_columns(change_cost=rest, cause=_cause()),
    ]
    files = _files(changed, published_bills, bill_deliveries)
    rows = (
        pl.concat(parts)
        .filter(pl.col("change_cost") != 0)
        .join(files, on=["month", "source"], how="left")
        .with_columns(amount("change_cost"), pl.col("files").fill_null(0))
    )
    return Restatements.frame(rows.sort(*PERIOD, "cause"))


def _cause() -> pl.Expr:
    """Why a bill differs, apart from its corrections."""
    return (
        pl.when(pl.col("source") == ACCRUAL)
        .then(pl.lit("policy"))
        .when(~pl.col("was_there"))
        .then(pl.lit("late"))
        .when(~pl.col("is_there"))
        .then(pl.lit("withdrawn"))
        .otherwise(pl.lit("changed"))
    )


def _periods(settings: pl.DataFrame, published_periods: pl.DataFrame, reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Billed cost of each closed month, currency and source: as first reported after its end, and now."""
    earlier = published_periods.filter(pl.col("night") < settings["as_of"].item()).with_columns(MONTH)
    closed = earlier.filter(pl.col("night") >= pl.col("month").dt.offset_by("1mo"))
    first = closed.group_by("month").agg(first_night=pl.col("night").min())
    was = closed.join(first, left_on=["month", "night"], right_on=["month", "first_night"], how="semi")
    now = reconciliation.with_columns(MONTH).join(first, on="month", how="semi")
    both = _sums(was, "was_there").join(_sums(now, "is_there"), on=PERIOD, how="full", coalesce=True, suffix="_now")
    compared = both.with_columns(pl.col(SIDES).fill_null(0), pl.col("was_there", "is_there").fill_null(value=False))
    return compared.join(first, on="month")


def _sums(rows: pl.DataFrame, flag: str) -> pl.DataFrame:
    summed = rows.group_by(PERIOD).agg(
        billed=units("billed_cost").sum(), correction=units("correction_billed_cost").sum()
    )
    return summed.with_columns(pl.lit(value=True).alias(flag))


def _files(changed: pl.DataFrame, published_bills: pl.DataFrame, bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """Per month and source the bill files that count now and that the first night had not read, else those gone since.

    Nothing where what that night had read is not remembered.
    """
    asked = changed.select("month", "source", "first_night").unique()
    then = asked.join(published_bills, left_on=["source", "first_night"], right_on=["source", "night"])
    remembered = asked.join(published_bills.select("night").unique(), left_on="first_night", right_on="night")
    current = bill_deliveries.filter("is_current").with_columns(MONTH)
    new = current.join(remembered, on=["month", "source"]).join(
        then, left_on=["month", "source", "file_sha256"], right_on=["month", "source", "sha256"], how="anti"
    )
    gone = then.join(bill_deliveries, left_on=["source", "sha256"], right_on=["source", "file_sha256"], how="anti")
    silent = gone.join(new, on=["month", "source"], how="anti").with_columns(billed_cost=pl.lit(0))
    size = pl.col("billed_cost").cast(pl.Float64).abs()
    candidates = [rows.select("month", "source", "file", size=size) for rows in (new, silent)]
    ranked = pl.concat(candidates).sort("size", "file", descending=[True, False])
    return ranked.group_by("month", "source", maintain_order=True).agg(
        pl.col("file").first(), files=pl.col("file").n_unique().cast(pl.Int64)
    )
