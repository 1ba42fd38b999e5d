"""What a bill says otherwise than its invoice, or than it said when its period was published as closed."""

from __future__ import annotations

import polars as pl

from transforms.economics.variance.closed_invoice_changes import GROUP, last_published
from transforms.economics.variance.invoices import INVOICE, later_charges
from transforms.money import amount, units
from warehouse.schemas.economics import PeriodFindings


def period_findings(
    reconciliation: pl.DataFrame,
    delivered_days: pl.DataFrame,
    published_periods: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One invoice beyond its tolerance, or one closed invoiced period that changed without a Correction."""
    findings = [
        _mismatches(reconciliation, later_charges(delivered_days, settings)),
        _changes(reconciliation, last_published(published_periods, settings)),
    ]
    return pl.concat(PeriodFindings.frame(rows) for rows in findings)


def _mismatches(reconciliation: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Stated total − (charges up to the night + charges that are delivered and start after it), beyond the tolerance.

    An invoice over several periods states its total in each of its rows and is compared once.
    """
    stated = reconciliation.filter(pl.col("invoice_total").is_not_null())
    invoices = stated.group_by(INVOICE).agg(
        units("invoice_total").first(),
        units("tolerance").max(),
        units("billed_cost").sum().alias("billed"),
        pl.col("charges").sum() if "charges" in stated.columns else pl.len().alias("charges"),
        pl.col("billing_period_start").min().alias("day_from"),
        pl.col("billing_period_start").max().dt.month_end().alias("day_to"),
    )
    gap = pl.col("invoice_total") - pl.col("billed") - pl.col("later").fill_null(0)
    differing = invoices.join(later, on=list(INVOICE), how="left").with_columns(gap.cast(pl.Int128).alias("amount"))
    return differing.filter(pl.col("amount").abs() > pl.col("tolerance")).with_columns(
        pl.lit("invoice_mismatch").alias("kind"),
        pl.col("invoice_id").alias("subject"),
        pl.col("charges").cast(pl.Int64).alias("rows"),
        amount("amount"),
    )


def _changes(reconciliation: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Billed cost now − as it was last published, apart from rows of class Correction on both sides."""
    both = reconciliation.join(published, on=list(GROUP))
    corrected = units("correction_billed_cost") - pl.col("last_correction")
    changed = (units("billed_cost") - pl.col("last_billed_cost") - corrected).cast(pl.Int128)
    return (
        both.with_columns(changed.alias("amount"))
        .filter(pl.col("amount") != 0)
        .with_columns(
            pl.lit("closed_period_changed").alias("kind"),
            pl.format("invoice {}", "invoice_id").alias("subject"),
            pl.format("night {}", pl.col("last_night").dt.to_string()).alias("counterpart"),
            pl.lit(0, dtype=pl.Int64).alias("rows"),
            pl.col("billing_period_start").alias("day_from"),
            pl.col("billing_period_start").dt.month_end().alias("day_to"),
            amount("amount"),
        )
    )
