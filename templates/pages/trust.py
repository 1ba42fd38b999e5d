"""The line of trust on page 1: what the numbers tie to, and every check that is not passed."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

from templates.pages.night import Night
from warehouse.schemas.names import ACCRUAL


@dataclass(frozen=True)
class Trust:
    """The line, and whether all checks are passed."""

    is_passed: bool
    words: str


def is_accrued(night: Night) -> bool:
    """Whether all cost is of GPUs that rates.csv prices, and no bill has arrived to compare it with."""
    sources = night.tables["reconciliation"]["source"]
    return len(sources) > 0 and bool((sources == ACCRUAL).all())


def trust(night: Night) -> Trust:
    """One sentence from the night's checks."""
    checks = {row["check"]: row for row in night.tables["quality_checks"].to_dicts()}
    bills = night.tables["reconciliation"]
    invoices, coverage, quarantine = (checks[name] for name in ("invoices", "model_coverage", "quarantine"))
    code = invoices["code"] if checks["ledger"]["code"] != "different" else "not_tied"
    code = "only_rates" if code == "no_total_stated" and is_accrued(night) else code
    facts = SimpleNamespace(
        code=code, tied=invoices["counted"] or 0, stated=invoices["of"] or 0,
        silent=bills.height - (invoices["of"] or 0), named=night.now["named_ratio"], coverage=coverage["ratio"],
        coverage_code=coverage["code"], is_covered=coverage["is_passed"],
        quarantined=quarantine["counted"], quarantined_cost=quarantine["amount"],
        until=night.subject["as_of"],
    )  # fmt: skip
    return Trust(all(row["is_passed"] for row in checks.values()), night.say("summary", "trust", facts))
