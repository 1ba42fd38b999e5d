"""The sentence with which a night is held for its input: a night reason, what, where, the value, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Row = Mapping[str, Any]


def mismatched_invoice(row: Row) -> str:
    """An invoice beyond its tolerance."""
    accepted = f'accepted_findings = ["invoice_mismatch:{row["subject"]}"]'
    return (
        f"invoice_mismatch: {row['sentence']}, in source {row['source']}; {row['remedy']}, or accept it with {accepted}"
    )


def too_much_doubt(row: Row) -> str:
    """More in doubt than the settings allow; the largest doubt is named."""
    share = "more than there is" if row["doubtful_ratio"] is None else f"{row['doubtful_ratio']:.1%}"
    accepted = f'accepted_findings = ["{row["largest_kind"]}:{row["largest_subject"]}"]'
    return (
        f"too_much_doubt: {share} of the {row['quantity'].replace('_', ' ')} of source {row['source']} in "
        f"{row['month']:%Y-%m} is in doubt by {row['doubts']} findings, the largest {row['largest_kind']}: "
        f"{row['largest_sentence']}; correct it, or accept it in trisect.toml with {accepted} "
        "(findings are listed by `trisect check`)"
    )


def missing_rate(row: Row) -> str:
    """A currency that no rate converts."""
    return (
        f"missing_fx: policy/fx.csv has no rate for {row['currency']} in {row['month']:%Y-%m}, in which source "
        f"{row['source']} bills it; add the rate"
    )


def total_too_large(row: Row) -> str:
    """A total that does not fit."""
    source = row.get("source", "all sources")
    return f"overflow: a total of {source} is larger than any bill can be; correct the costs of the bill"


HOLDS: Final[Mapping[str, Callable[[Row], str]]] = {
    "mismatched_invoices": mismatched_invoice,
    "too_much_doubt": too_much_doubt,
    "unconverted_spend": missing_rate,
    "totals_too_large": total_too_large,
}
"""The checks whose rows are faults of the input, by name: their first row in words holds the night."""
