"""Whether the numbers can be relied on: each check with its verdict, decided by the thresholds that stand here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import polars as pl

from warehouse.schemas.reports import QualityChecks

LEAST_COVERAGE: Final = 0.95
MOST_UNALLOCATED: Final = Decimal("0.02")
Row = dict[str, Any]


def quality_checks(
    month_figures: pl.DataFrame,
    reconciliation: pl.DataFrame,
    token_usage: pl.DataFrame,
    files: pl.DataFrame,
    quarantine: pl.DataFrame,
) -> pl.DataFrame:
    """Five checks: ledger, invoices, tokens with a model, cost without a rule, and what is in quarantine."""
    now = month_figures.sort("month").row(-1, named=True)
    rows = [
        _ledger(reconciliation),
        _invoices(reconciliation),
        _coverage(token_usage, files),
        _unallocated(now),
        _quarantine(quarantine),
    ]
    ordered = [{"position": position, **row} for position, row in enumerate(rows, start=1)]
    return QualityChecks.frame(pl.DataFrame(ordered, schema=QualityChecks.polars_schema()))


def _ledger(reconciliation: pl.DataFrame) -> Row:
    """Every charge is in the ledger, to the last digit."""
    if not reconciliation.height:
        return {"check": "ledger", "code": "no_bill", "is_passed": False}
    is_equal = (reconciliation["difference"] == 0).all()
    return {
        "check": "ledger", "code": "equal" if is_equal else "different", "is_passed": is_equal,
        "counted": reconciliation["charges"].sum(), "amount": abs(Decimal(reconciliation["difference"].sum())),
    }  # fmt: skip


def _invoices(reconciliation: pl.DataFrame) -> Row:
    """Invoices tie out where they state a total; one that states none proves nothing."""
    stated = reconciliation.drop_nulls("invoice_total")
    failed = reconciliation.filter(~pl.col("is_reconciled")).height
    counts = {"counted": stated.filter("is_reconciled").height, "of": stated.height}
    if not reconciliation.height:
        return {"check": "invoices", "code": "no_bill", "is_passed": False, **counts}
    if failed:
        return {"check": "invoices", "code": "not_tied", "is_passed": False, **counts}
    return {"check": "invoices", "code": "tied" if stated.height else "no_total_stated", "is_passed": True, **counts}


def _coverage(token_usage: pl.DataFrame, files: pl.DataFrame) -> Row:
    """Tokens that have a model. No telemetry, telemetry without tokens, and tokens without a model are three things."""
    tokens = token_usage.select(
        pl.col("input_tokens", "output_tokens").sum(), pl.col("units").sum(),
        named=(pl.col("input_tokens") + pl.col("output_tokens")).filter(pl.col("model_id").is_not_null()).sum(),
        named_units=pl.col("units").filter(pl.col("model_id").is_not_null()).sum(),
    ).row(0, named=True)  # fmt: skip
    sent = tokens["input_tokens"] + tokens["output_tokens"]
    counts = {"check": "model_coverage", "counted": sent - tokens["named"], "of": sent}
    if not sent and not tokens["units"]:
        has_files = files.filter(pl.col("kind") == "request_telemetry").height > 0
        return counts | {"code": "nothing_served" if has_files else "no_telemetry", "is_passed": False}
    if not tokens["named"] and not tokens["named_units"]:
        return counts | {"code": "unmatched", "is_passed": False}
    ratio = tokens["named"] / sent if sent else None
    return counts | {"code": "covered", "is_passed": ratio is None or ratio >= LEAST_COVERAGE, "ratio": ratio}


def _unallocated(now: Row) -> Row:
    """Cost of the month without a rule."""
    amount, total = now["unallocated_usd"], now["effective_usd"]
    share = amount / total if total > 0 and amount >= 0 else None
    return {
        "check": "unallocated", "code": "small" if share is not None and share <= MOST_UNALLOCATED else "large",
        "is_passed": not amount or (share is not None and share <= MOST_UNALLOCATED), "amount": amount,
        "ratio": float(share) if share is not None else None,
    }  # fmt: skip


def _quarantine(quarantine: pl.DataFrame) -> Row:
    """Rows that were refused, and whether they would have cost anything."""
    cost = Decimal(quarantine["billed_cost"].fill_null(0).abs().sum() or 0)
    return {
        "check": "quarantine", "code": "cost" if cost else "rows" if quarantine.height else "none",
        "is_passed": not cost, "counted": quarantine.height, "amount": cost,
    }  # fmt: skip
