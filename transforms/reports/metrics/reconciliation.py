"""The numbers of page A."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "reconciliation")
BILLS = "economics.reconciliation"
SCOPE = "reports.scope"
RESTATED = "reports.restated_months"


def reconciliation_numbers(night: Night) -> Iterator[Number]:
    """Per currency what was billed, what the ledger holds and what of it is in scope; the rows; what was restated."""
    for currency in sorted(set(night.tables["reconciliation"]["currency"])):
        ours = f"currency = {literal(currency)}"
        for number_id, title, column in (
            ("billed", "Billed", "billed_cost"),
            ("ledger", "Ledger", "ledger_billed_cost"),
            ("difference", "Ledger less bill", "difference"),
        ):
            yield _number(f"{number_id}_{currency}", f"{title}, {currency}", currency, BILLS, f"sum({column})", column,
                          ours)  # fmt: skip
    yield from _scope(night)
    for column in ("accepted", "duplicates", "blank"):
        yield _number(f"rows_{column}", f"Rows {column}", "rows", "raw.files", f"sum({column})", column)
    yield from _restated(night)


def _scope(night: Night) -> Iterator[Number]:
    """Per currency of which something is out of scope: what the pages count, and what they do not."""
    outside = night.tables["scope"].drop_nulls("rule")
    for currency in sorted(set(outside["currency"])):
        for name, title, rule in (("in", "In scope", "rule IS NULL"), ("out", "Out of scope", "rule IS NOT NULL")):
            yield _number(f"{name}_scope_{currency}", f"{title}, {currency}", currency, SCOPE, "sum(billed_cost)",
                          "billed_cost", f"currency = {literal(currency)} AND {rule}")  # fmt: skip


def _restated(night: Night) -> Iterator[Number]:
    """What the closed months that changed were first reported as, and what they are now."""
    if not night.tables["restated_months"].is_empty():
        for name, title in (("reported", "first reported as"), ("current", "now"), ("change", "difference")):
            column = f"{name}_usd"
            yield _number(
                f"restated_{name}", f"Restated months, {title}", night.currency, RESTATED, f"sum({column})", column
            )
