"""Whether the numbers can be relied on: the six checks of page 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from templates import formats
from templates.figures.marks import attention, passed
from templates.pages.index import Ref
from templates.pages.night import Night


@dataclass(frozen=True)
class Assurance:
    """One check: its mark and its sentence."""

    mark: Markup
    words: str
    refs: tuple[Ref, ...] = ()


def assurances(night: Night) -> Iterator[Assurance]:
    """Six checks, each with its number."""
    yield _ledger(night)
    yield _invoices(night)
    yield _coverage(night)
    yield _allocated(night)
    yield _quarantine(night)
    yield _cut_off(night)


def _assured(night: Night, is_passed: bool, words: str, *numbers: str) -> Assurance:  # noqa: FBT001 - private
    refs = tuple(ref for ref in (night.index.get(number) for number in numbers) if ref is not None)
    return Assurance(passed() if is_passed else attention(), words, refs)


def _value(night: Night, number_id: str) -> Decimal | None:
    ref = night.index.get(number_id)
    return ref.value if ref else None


def _ledger(night: Night) -> Assurance:
    bills = night.tables["reconciliation"]
    charges = _value(night, "charges")
    if not charges:
        return _assured(night, is_passed=False, words="No bill has arrived: nothing could be compared with the ledger")
    is_equal = bills["difference"].abs().sum() == 0
    verdict = "both costs, to the last digit" if is_equal else "not to the last digit"
    return _assured(night, is_equal, f"Ledger equals bill, {formats.count(charges)} charges, {verdict}", "charges")


def _invoices(night: Night) -> Assurance:
    bills = night.tables["reconciliation"].drop_nulls("invoice_total")
    tied, known = _value(night, "invoices_tied") or Decimal(0), _value(night, "invoices") or Decimal(0)
    words = f"{formats.count(tied)} of {formats.count(known)} invoices tie out"
    if not bills.height:
        words = f"{words}; no invoice states a total of its own"
        return _assured(night, tied == known and known > 0, words, "invoices_tied", "invoices")
    gaps = [(abs(row["invoice_total"] - row["billed_cost"]), row["tolerance"]) for row in bills.to_dicts()]
    gap, tolerance = max(gaps)
    words = f"{words}; largest difference {formats.plain(gap, 2)}, tolerance {formats.plain(tolerance, 2)}"
    return _assured(night, tied == known, words, "invoices_tied", "invoices")


def _coverage(night: Night) -> Assurance:
    coverage = _value(night, "model_coverage")
    if coverage is None:
        return _assured(night, is_passed=False, words="No telemetry: tokens and their cost are not known")
    words = f"{formats.percent(coverage)} of tokens have a model"
    return _assured(night, coverage >= Decimal("0.95"), words, "model_coverage")


def _allocated(night: Night) -> Assurance:
    unallocated, total = night.now["unallocated_usd"], night.now["effective_usd"]
    share = unallocated / total if total > 0 else Decimal(0)
    amount = night.money.short(unallocated)
    words = f"{formats.percent(share)} of cost ({amount}) has no rule; shown as unallocated"
    return _assured(night, share <= Decimal("0.02"), words, "unallocated")


def _quarantine(night: Night) -> Assurance:
    refused, read = _value(night, "rows_quarantined") or Decimal(0), _value(night, "rows_read") or Decimal(0)
    cost = _value(night, "quarantined_cost") or Decimal(0)
    words = f"{formats.count(refused)} rows quarantined of {formats.count(read)}, {night.money.short(cost)} of cost"
    return _assured(night, not cost, words, "rows_quarantined", "rows_read", "quarantined_cost")


def _cut_off(night: Night) -> Assurance:
    last = formats.day(night.subject["as_of"])
    rates = night.tables["fx"].filter(month=night.subject["month"]).sort("currency").to_dicts()
    named = ", ".join(f"{row['currency']} at {formats.plain(row['rate'], 4)}" for row in rates[:3])
    billed = set(night.tables["reconciliation"]["currency"])
    alone = f"; all bills in {night.money.currency}" if billed == {night.money.currency} else ""
    known = f"; {named}" if named else alone
    return _assured(night, is_passed=True, words=f"Data to the end of {last} UTC{known}")
