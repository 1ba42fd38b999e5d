"""Whether the ledger equals the bill."""

from warehouse.schemas.columns import cost, count, day, flag, residue, text
from warehouse.schemas.findings import FindingRow
from warehouse.schemas.table import Table


class Reconciliation(Table):
    """One source, billing period, invoice and currency: does the ledger equal the bill."""

    table_key = ("source", "billing_period_start", "invoice_id", "currency")

    source = text("source of the settings, or accrual")
    billing_period_start = day("first day of the billing period")
    invoice_id = text("invoice; empty where the bill names none")
    currency = text("ISO 4217 code")
    charges = count("charges")
    billed_cost = cost("sum of the bill")
    ledger_billed_cost = cost("sum of the ledger")
    difference = cost("ledger − bill; 0 or the night is not published")
    effective_cost = cost("sum of the bill, effective")
    ledger_effective_cost = cost("sum of the ledger, effective")
    correction_billed_cost = cost("part of billed_cost that rows of class Correction carry")
    invoice_total = cost("total stated by the invoice").or_null()
    tolerance = cost("largest difference from the stated total that rounding explains")
    rounding_residual = residue("what rounding to 12 decimals took from the rows when they were read")
    is_reconciled = flag("the ledger equals the bill and the stated total within the tolerance")
    explanation = text("verdict in words")


class PeriodFindings(FindingRow):
    """One invoice or closed period that a bill contradicts."""
