"""What a difference between a bill and its invoice is, in words: the cause whose amount it equals, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

UNIT = Decimal(1).scaleb(-12)


@dataclass(frozen=True)
class Difference:
    """One invoice against its charges, in counts of 10⁻¹² of its currency.

    `causes` maps a sentence to the amount by which that cause would make the stated total exceed the charges.
    """

    ledger_gap: int
    stated: int | None
    billed: int
    tolerance: int
    causes: Mapping[str, int]
    alerts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_reconciled(self) -> bool:
        """The ledger equals the bill, and the bill its invoice where a total is stated."""
        return self.ledger_gap == 0 and (self.stated is None or abs(self.stated - self.billed) <= self.tolerance)

    @property
    def explanation(self) -> str:
        """Alerts first, then the verdict, then what else is worth knowing."""
        return "; ".join([*self.alerts, self._verdict(), *self.notes])

    def _verdict(self) -> str:
        if self.ledger_gap:
            return f"broken: the ledger differs from the bill by {shown(self.ledger_gap)}; do not use it"
        if self.stated is None:
            return "the ledger equals the bill; no invoice total is stated"
        gap = self.stated - self.billed
        if gap == 0:
            return "the ledger equals the bill and the invoice total"
        return f"{self._cause(gap)}: the invoice states {shown(gap)} more than its charges add up to"

    def _cause(self, gap: int) -> str:
        if abs(gap) <= self.tolerance:
            return f"rounding (within the tolerance of {shown(self.tolerance)})"
        return next(
            (cause for cause, worth in self.causes.items() if worth and abs(gap - worth) <= self.tolerance), "unmatched"
        )


def shown(count: int) -> str:
    """A count of 10⁻¹² as a plain decimal without trailing zeros."""
    text = f"{Decimal(count) * UNIT:f}".rstrip("0").rstrip(".")
    return text or "0"
