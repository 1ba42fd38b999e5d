"""Page A: does it add up."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from templates import formats
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.restatement import Restatement, restatement
from templates.pages.scope import CurrencyScope, scopes
from templates.pages.trust import is_accrued
from templates.typesetting.line_count import shortened
from templates.typesetting.typeface import printable

MOST_INVOICES: Final = 25
MOST_SOURCES: Final = 12
EXPLANATION_LIMIT: Final = 64
FINDING_LIMIT: Final = 160
LISTED_FINDINGS: Final = 10
ALERT: Final = "closed_period_changed"
CHANGED: Final = "ties out, but has changed since it was closed: see Restatement"


@dataclass(frozen=True)
class InvoiceRow:
    """One source, period and invoice, ready to print."""

    source: str
    period: str
    invoice: str
    currency: str
    cells: tuple[str, str, str, str]
    is_reconciled: bool
    explanation: str


@dataclass(frozen=True)
class SourceRow:
    """One source's row account, ready to print."""

    source: str
    kind: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class FindingRow:
    """One finding, ready to print."""

    kind: str
    source: str
    sentence: str
    remedy: str
    mark: str
    is_open: bool


@dataclass(frozen=True)
class Reconciliation:
    """Everything that page A prints."""

    invoices: int
    failed: int
    is_accrued: bool
    tied: Ref | None
    stated: Ref | None
    missed: str
    rows: tuple[InvoiceRow, ...]
    others: tuple[InvoiceRow, ...]
    totals: tuple[tuple[str, Ref, Ref, Ref], ...]
    scopes: tuple[CurrencyScope, ...]
    sources: tuple[SourceRow, ...]
    all_sources: SourceRow
    row_refs: tuple[Ref | None, ...]
    is_whole: bool
    quarantine: tuple[tuple[str, str], ...]
    restated: Restatement
    findings: tuple[FindingRow, ...]
    findings_note: str

    @property
    def faults(self) -> tuple[str, ...]:
        """Every row of every file is accounted for, and the causes of restatements add up."""
        rows = () if self.is_whole else ("rows are not accepted + quarantined + duplicates + blank",)
        return (*rows, *self.restated.faults)


def reconciliation(night: Night) -> Reconciliation:
    """Page A of the night."""
    rows = sorted(night.tables["reconciliation"].to_dicts(), key=_rank)
    failed = [row for row in rows if not row["is_reconciled"]]
    files = night.tables["files"].to_dicts()
    index = night.index
    return Reconciliation(
        invoices=len(rows),
        failed=len(failed),
        is_accrued=is_accrued(night),
        tied=index.get("invoices_tied"),
        stated=index.get("invoices_stated"),
        missed=_missed(failed),
        rows=tuple(_invoice(row) for row in rows[:MOST_INVOICES]),
        others=tuple(_others(rows[MOST_INVOICES:])),
        totals=tuple(
            (currency, index[f"billed_{currency}"], index[f"ledger_{currency}"], index[f"difference_{currency}"])
            for currency in sorted({row["currency"] for row in rows})
        ),
        scopes=scopes(night),
        sources=tuple(_sources(files)),
        all_sources=_source("All sources", "", files),
        row_refs=tuple(
            index.get(f"rows_{name}") for name in ("read", "accepted", "quarantined", "duplicates", "blank")
        ),
        is_whole=all(_is_whole(row) for row in files),
        quarantine=tuple(_reasons(night)),
        restated=restatement(night),
        findings=tuple(_finding(row) for row in night.tables["largest_findings"].sort("rank").iter_rows(named=True)),
        findings_note=_findings_note(night),
    )


def gap(row: Row) -> Decimal:
    """The ledger less the bill, or the bill less what the invoice states, whichever is larger."""
    stated: Decimal | None = row["invoice_total"]
    billed, difference = Decimal(row["billed_cost"]), Decimal(row["difference"])
    return max(difference, Decimal(0) if stated is None else billed - stated, key=abs)


def _is_alert(row: Row) -> bool:
    """Whether a closed period changed without a row of class Correction, though it ties out."""
    return row["is_reconciled"] and str(row["explanation"] or "").startswith(ALERT)


def _rank(row: Row) -> tuple[Decimal, bool, str, str, str, str]:
    """By size of the difference; where there is none, closed periods that changed stand first."""
    invoice_key = row["invoice_id"], row["source"], str(row["billing_period_start"]), row["currency"]
    return (-abs(gap(row)), not _is_alert(row), *invoice_key)


def _missed(failed: list[Row]) -> str:
    sums: dict[str, Decimal] = {}
    for row in failed:
        sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + abs(gap(row))
    return ", ".join(formats.Money(currency).short(amount) for currency, amount in sorted(sums.items()))


def _invoice(row: Row) -> InvoiceRow:
    places = 2
    is_alert = _is_alert(row)
    return InvoiceRow(
        source=formats.fitted(row["source"], 60, 6.8),
        period=formats.day(row["billing_period_start"])[:7],
        invoice=formats.fitted(row["invoice_id"], 80, 6.8) if row["invoice_id"] else formats.UNKNOWN,
        currency=formats.name(row["currency"], 3),
        cells=(
            formats.plain(row["billed_cost"], places),
            formats.plain(row["ledger_billed_cost"], places),
            formats.plain(gap(row), places),
            formats.plain(row["tolerance"], places),
        ),
        is_reconciled=row["is_reconciled"] and not is_alert,
        explanation=CHANGED if is_alert else shortened(printable(row["explanation"] or ""), EXPLANATION_LIMIT),
    )


def _others(rows: list[Row]) -> list[InvoiceRow]:
    """One line per currency that keeps the sums of what is not listed."""
    lines = []
    for currency in sorted({row["currency"] for row in rows}):
        ours = [row for row in rows if row["currency"] == currency]
        sums = [sum((value(row) for row in ours), Decimal(0)) for value in (_billed, _ledger, gap)]
        is_even = not any(gap(row) for row in ours)
        words = "without difference" if is_even else "with smaller differences"
        lines.append(InvoiceRow(
            source=f"{len(ours):,} invoices {words}", period="", invoice="", currency=formats.name(currency, 3),
            cells=(formats.plain(sums[0], 2), formats.plain(sums[1], 2), formats.plain(sums[2], 2), ""),
            is_reconciled=all(row["is_reconciled"] for row in ours), explanation="",
        ))  # fmt: skip
    return lines


def _billed(row: Row) -> Decimal:
    return Decimal(row["billed_cost"])


def _ledger(row: Row) -> Decimal:
    return Decimal(row["ledger_billed_cost"])


def _finding(row: Row) -> FindingRow:
    mark = ("accepted" if row["is_accepted"] else "doubt") if row["is_doubt"] else "notice"
    return FindingRow(
        kind=formats.name(row["kind"].replace("_", " "), 30),
        source=formats.fitted(row["source"], 60, 6.8) if row["source"] else formats.UNKNOWN,
        sentence=shortened(printable(row["sentence"]), FINDING_LIMIT),
        remedy=shortened(printable(row["remedy"]), FINDING_LIMIT),
        mark=mark,
        is_open=mark == "doubt",
    )


def _findings_note(night: Night) -> str:
    findings = night.tables["findings"]
    doubts = findings.filter(findings["is_doubt"])
    accepted = doubts.filter(doubts["is_accepted"]).height
    counts = (doubts.height - accepted, accepted, findings.height - doubts.height)
    counted = [
        f"{count:,} {word}" for count, word in zip(counts, ("in doubt", "accepted", "to know"), strict=True) if count
    ]
    rest = findings.height - LISTED_FINDINGS
    return ", ".join(counted) + (f"; {rest:,} more in findings.csv" if rest > 0 else "")


KINDS: Final = {
    "gpu_billing": "bills",
    "training_logs": "training logs",
    "request_telemetry": "requests",
    "gpu_activity": "GPU activity",
}
COUNTS: Final = ("rows", "accepted", "quarantined", "duplicates", "blank")


def _sources(files: list[Row]) -> list[SourceRow]:
    names = sorted({row["source"] for row in files})
    shown = [_source(name, "", [row for row in files if row["source"] == name]) for name in names[:MOST_SOURCES]]
    rest = [row for row in files if row["source"] in names[MOST_SOURCES:]]
    return [*shown, _source(f"{len(names) - MOST_SOURCES:,} other sources", "", rest)] if rest else shown


def _source(name: str, kind: str, files: list[Row]) -> SourceRow:
    kinds = sorted({KINDS.get(row["kind"], "") for row in files})
    counts = [sum(row[column] for row in files) for column in COUNTS]
    printed = tuple(formats.plain(number) for number in (len(files), *counts))
    return SourceRow(formats.fitted(name, 90), kind or ", ".join(kinds), printed)


def _is_whole(row: Row) -> bool:
    return bool(row["rows"] == row["accepted"] + row["quarantined"] + row["duplicates"] + row["blank"])


def _reasons(night: Night) -> list[tuple[str, str]]:
    counts = night.tables["quarantine"]["reason"].value_counts().sort("count", "reason", descending=[True, False])
    return [(formats.name(reason.replace("_", " "), 30), formats.plain(count)) for reason, count in counts.iter_rows()]
