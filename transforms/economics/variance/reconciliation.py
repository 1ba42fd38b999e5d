"""Does the ledger equal the bill, and does the bill equal what its invoice states; every difference with its cause."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from transforms.economics.variance.closed_invoice_changes import change, last_published
from transforms.economics.variance.invoices import (
    INVOICE,
    file_sums,
    later_charges,
    refused_charges,
    stated_elsewhere,
    stated_totals,
)
from transforms.economics.variance.reconciliation_causes import Difference, shown
from transforms.money import amount, units
from warehouse.schemas.economics import Reconciliation

GROUP: Final = ("source", "billing_period_start", "invoice_id", "currency")
SUBUNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 10**12),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 10**12),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 10**9),
    **dict.fromkeys(("CLF", "UYW"), 10**8),
}
"""Counts of 10⁻¹² in the smallest division of the currencies of ISO 4217 that have no hundredths."""

HUNDREDTH: Final = 10**10
COSTS: Final = (
    "billed_cost",
    "effective_cost",
    "correction_billed_cost",
    "ledger_billed_cost",
    "ledger_effective_cost",
)
COUNTS: Final = ("charges", "tax", "credit", *COSTS)


def reconciliation(
    billed_days: pl.DataFrame,
    booked_days: pl.DataFrame,
    delivered_days: pl.DataFrame,
    files: pl.DataFrame,
    quarantine: pl.DataFrame,
    invoice_totals: pl.DataFrame,
    settings: pl.DataFrame,
    fx: pl.DataFrame,
    published_periods: pl.DataFrame,
) -> pl.DataFrame:
    """One source, billing period, invoice and currency, compared with the ledger and with the stated total.

    An invoice over several billing periods is compared as a whole and states the same total in each of its rows.

    Reference: FOCUS 1.4 lets a total differ by max(100, ½·√rows) of the currency's smallest division.
    """
    bill, ledger = (rows.with_columns(pl.col("invoice_id").fill_null("")) for rows in (billed_days, booked_days))
    stated = stated_totals(invoice_totals, files)
    published = last_published(published_periods, settings)
    groups = _groups(bill, ledger, stated, published, settings)
    facts = (
        stated,
        published,
        stated_elsewhere(stated, groups.select(INVOICE).unique()),
        later_charges(delivered_days, settings),
        refused_charges(quarantine),
        file_sums(bill),
        _residuals(bill, files),
        _missing_rates(ledger, fx, settings),
    )
    for fact in facts:
        groups = groups.join(fact, on=[name for name in GROUP if name in fact.columns], how="left")
    return Reconciliation.frame(_judged(groups)).sort(GROUP)


def _groups(
    bill: pl.DataFrame, ledger: pl.DataFrame, stated: pl.DataFrame, published: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """The sums of bill and ledger per group and of the bill per invoice.

    Periods that were published and invoices that are stated have a row even if no charge is left or has come.
    """
    category, cost = pl.col("charge_category"), units("billed_cost")
    billed = bill.group_by(GROUP).agg(
        pl.col("charges").sum(),
        *(units(name).sum() for name in ("billed_cost", "effective_cost")),
        cost.filter(category == "Tax").sum().alias("tax"),
        cost.filter(category == "Credit").sum().alias("credit"),
        cost.filter(pl.col("charge_class") == "Correction").sum().alias("correction_billed_cost"),
    )
    booked = ledger.group_by(GROUP).agg(
        units(name).sum().alias(f"ledger_{name}") for name in ("billed_cost", "effective_cost")
    )
    month = settings["as_of"].item().replace(day=1)
    vanished = published.join(billed, on=GROUP, how="anti").select(GROUP)
    billed_invoices = pl.concat([billed.select(INVOICE), vanished.select(INVOICE)])
    unbilled = stated.join(billed_invoices, on=INVOICE, how="anti").select(
        *INVOICE, pl.lit(month).cast(pl.Date).alias("billing_period_start")
    )
    joined = billed.join(booked, on=GROUP, how="full", coalesce=True)
    return (
        pl.concat([joined, vanished, unbilled], how="diagonal")
        .with_columns(pl.col(COUNTS).fill_null(0))
        .with_columns(pl.col("charges", "billed_cost", "tax", "credit").sum().over(INVOICE).name.prefix("invoice_"))
    )


def _residuals(bill: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """What rounding took from the rows of each file, told once: in the first group that the file bills."""
    first = bill.sort(GROUP).unique(["source", "file_sha256"], keep="first", maintain_order=True)
    rounded = files.select("source", "rounding_residual", file_sha256="sha256")
    by_size = rounded.sort(pl.col("rounding_residual").abs())  # a copy under another path rounds nothing
    by_file = by_size.unique(["source", "file_sha256"], keep="last", maintain_order=True)
    sums = first.join(by_file, on=["source", "file_sha256"]).group_by(GROUP)
    return sums.agg(pl.col("rounding_residual").sum().alias("residual"))


def _missing_rates(ledger: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """The months of a group's postings for which policy has no rate."""
    foreign = ledger.filter(pl.col("currency") != settings["currency"].item())
    months = foreign.select(*GROUP, pl.col("charge_date").dt.month_start().alias("month")).unique()
    missing = months.join(fx, on=["month", "currency"], how="anti")
    return missing.group_by(GROUP).agg(pl.col("month").dt.strftime("%Y-%m").sort().alias("missing_months"))


def _judged(groups: pl.DataFrame) -> pl.DataFrame:
    """Difference, tolerance, verdict and its words for each group."""
    differences = [_difference(row) for row in groups.iter_rows(named=True)]
    return groups.with_columns(
        pl.Series("tolerance", [row.tolerance for row in differences], dtype=pl.Int128),
        pl.Series("is_reconciled", [row.is_reconciled for row in differences], dtype=pl.Boolean),
        pl.Series("explanation", [row.explanation for row in differences], dtype=pl.String),
        (pl.col("ledger_billed_cost") - pl.col("billed_cost")).alias("difference"),
        pl.col("stated").cast(pl.Int128).alias("invoice_total"),
        pl.col("residual").fill_null(0).alias("rounding_residual"),
    ).with_columns(amount(name) for name in (*COSTS, "difference", "invoice_total", "tolerance"))


def _difference(row: dict[str, Any]) -> Difference:
    missing = [f"FX: fx.csv has no rate for {row['currency']} in {month}" for month in row["missing_months"] or ()]
    foreign = [f"FX: the invoice states its total in {row['stated_currency']}"] if row["stated_currency"] else []
    gaps = (row["ledger_billed_cost"] - row["billed_cost"], row["ledger_effective_cost"] - row["effective_cost"])
    return Difference(
        ledger_gap=gaps[0] or gaps[1],
        stated=row["stated"],
        billed=row["invoice_billed_cost"],
        tolerance=_tolerance(row["invoice_charges"], row["currency"]),
        causes={
            "timing (charges that start after the night)": row["later"] or 0,
            "tax (the total is stated without it)": -row["invoice_tax"],
            "credit (the total is stated before it)": -row["invoice_credit"],
            "quarantine (rows that could not be read)": row["refused"] or 0,
        }
        | {
            f"duplicate delivery (file {number + 1} of the invoice)": -worth
            for number, worth in enumerate(row["file_sums"] or ())
        },
        alerts=_alerts(row),
        notes=(*foreign, *missing),
    )


def _alerts(row: dict[str, Any]) -> tuple[str, ...]:
    if row["last_night"] is None:
        return ()
    changed = change(row["billed_cost"], row["correction_billed_cost"], row["last_billed_cost"], row["last_correction"])
    was = f"{shown(row['last_billed_cost'])} was published on {row['last_night']}"
    return (f"closed_period_changed by {shown(changed)} without a Correction: {was}",) if changed else ()


def _tolerance(rows: int, currency: str) -> int:
    subunit = SUBUNITS.get(currency, HUNDREDTH)
    return max(100 * subunit, int(rows**0.5 * subunit / 2))
