"""The numbers of page A."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.night import Night
from transforms.reports.number import Number, literal

_number = partial(Number, "reconciliation")
BILLS = "economics.reconciliation"
RESTATED = "reports.restated_months"


def reconciliation_numbers(night: Night) -> Iterator[Number]:
    """Per currency what was billed and what the ledger holds; the rows behind it; what was restated."""
    for currency in sorted(set(night.tables["reconciliation"]["currency"])):
        ours = f"currency = {literal(currency)}"
        for number_id, title, column in (
            ("billed", "Billed", "billed_cost"),
            ("ledger", "Ledger", "ledger_billed_cost"),
            ("difference", "Ledger less bill", "difference"),
        ):
            yield _number(f"{number_id}_{currency}", f"{title}, {currency}", currency, BILLS, f"sum({column})", column,
                          ours)  # fmt: skip
    for column in ("accepted", "duplicates", "blank"):
        yield _number(f"rows_{column}", f"Rows {column}", "rows", "raw.files", f"sum({column})", column)
    yield from _restated(night)


def _restated(night: Night) -> Iterator[Number]:
    """Per currency what the closed months that changed were first reported as, and what they are now."""
    for currency in sorted(set(night.tables["restated_months"]["currency"])):
        for name, title in (("reported", "first reported as"), ("current", "now"), ("change", "difference")):
            column = f"{name}_cost"
            yield _number(f"restated_{name}_{currency}", f"Restated months, {title}, {currency}", currency, RESTATED,
                          f"sum({column})", column, f"currency = {literal(currency)}")  # fmt: skip
