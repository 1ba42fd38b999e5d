"""Two views of one bill: what was paid, and how what was paid ahead is used; together each row counts once."""

from __future__ import annotations

import polars as pl


def one_view(rows: pl.DataFrame, bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """The rows of bills without the second view of money that another row has.

    Where both views of an account and month are there, the actual rows count as billed; the purchase of a commitment,
    and its refund, is no consumption then. Of the amortised rows those stay that a commitment covers: consumed, not
    billed, and without a quantity, which the actual row has.

    Args:
        rows: current rows of raw.charge_rows, with `account`.
        bill_deliveries: raw.bill_deliveries; says of whole months which views there are, whatever days `rows` are of.
    """
    both = with_both_views(bill_deliveries)
    if both.is_empty():
        return rows
    joined = rows.join(both, on=["account", "billing_period_start"], how="left", maintain_order="left")
    is_doubled = pl.col("has_both").fill_null(value=False) & pl.col("cost_view").is_not_null()
    is_amortised = is_doubled & (pl.col("cost_view") == "amortized")
    is_paid_ahead = (
        is_doubled
        & (pl.col("cost_view") == "actual")
        & pl.col("charge_category").is_in(["Purchase", "Adjustment"])
        & pl.col("commitment_discount_id").is_not_null()
    )
    nothing = pl.lit(0).cast(rows.schema["effective_cost"])
    return (
        joined.filter(~is_told_by_the_other_view())
        .with_columns(
            pl.when(is_paid_ahead).then(nothing).otherwise("effective_cost").alias("effective_cost"),
            pl.when(~is_amortised).then("consumed_quantity").alias("consumed_quantity"),
        )
        .select(rows.columns)
    )


def with_both_views(bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """Each `account` and `billing_period_start` of which there are both views, with `has_both`."""
    views = bill_deliveries.filter(pl.col("is_current") & (pl.col("cost_view") != ""))
    return (
        views.group_by(pl.col("billing_account_id").alias("account"), "billing_period_start")
        .agg(pl.col("cost_view").n_unique().alias("views"))
        .filter(pl.col("views") > 1)
        .select("account", "billing_period_start", pl.lit(value=True).alias("has_both"))
    )


def is_told_by_the_other_view() -> pl.Expr:
    """An amortised row whose money an actual row has: no commitment covers it. `has_both` is of with_both_views."""
    is_amortised = pl.col("has_both").fill_null(value=False) & (pl.col("cost_view") == "amortized")
    return (is_amortised & pl.col("commitment_discount_status").is_null()).fill_null(value=False)
