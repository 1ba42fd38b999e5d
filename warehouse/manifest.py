"""The manifest of a night: what went in, what the totals are, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.file_digest import digest
from warehouse.schemas.economics import Reconciliation

INPUT_COLUMNS = ("source", "file", "sha256", "bytes", "rows", "accepted", "quarantined", "duplicates", "blank")
TOTAL_COLUMNS = ("billed_cost", "effective_cost", "ledger_billed_cost", "ledger_effective_cost")


@dataclass(frozen=True)
class Night:
    """What names a published night beside its tables."""

    night: date
    state: str
    version: str
    built_at: datetime
    renderer: Mapping[str, str] = field(default_factory=dict)


def money(value: Decimal) -> str:
    """Twelve decimals as text, never an exponent, never minus zero."""
    return f"{value + 0:.12f}" if value else f"{Decimal(0):.12f}"


def manifest(
    night: Night, revision: int, tables: Mapping[str, pl.DataFrame], outputs: Mapping[str, bytes | Path]
) -> dict[str, Any]:
    """The manifest as contract.md writes it; `tables` are files, quarantine and reconciliation of the night."""
    return {
        "night": night.night.isoformat(),
        "revision": revision,
        "state": night.state,
        "trisect": night.version,
        "built_at": night.built_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "renderer": dict(sorted(night.renderer.items())),
        "inputs": tables["files"].select(INPUT_COLUMNS).sort("source", "file").to_dicts(),
        "totals": _totals(tables["reconciliation"]),
        "quarantined_cost": _quarantined_cost(tables["quarantine"]),
        "findings": _findings(tables["findings"]),
        "outputs": [{"file": file, "sha256": digest(content)} for file, content in sorted(outputs.items())],
    }


FINDING_COLUMNS = (
    "source",
    "kind",
    "subject",
    "rows",
    "amount",
    "currency",
    "gpu_seconds",
    "tokens",
    "is_doubt",
    "is_accepted",
)


def _findings(findings: pl.DataFrame) -> list[dict[str, Any]]:
    """Every finding with its amounts; money as text."""
    rows = findings.select(FINDING_COLUMNS).iter_rows(named=True)
    return [row | {"amount": None if row["amount"] is None else money(row["amount"])} for row in rows]


def _totals(reconciliation: pl.DataFrame) -> list[dict[str, str]]:
    return _sums(Reconciliation.frame(reconciliation), TOTAL_COLUMNS)


def _quarantined_cost(quarantine: pl.DataFrame) -> list[dict[str, str]]:
    return _sums(quarantine.drop_nulls(["billed_cost", "currency"]), ("billed_cost",))


def _sums(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Sums per source and currency in Python decimals, which cannot wrap."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for source, currency, *values in rows.select("source", "currency", *columns).iter_rows():
        sofar = sums.setdefault((source, currency), [Decimal(0)] * len(columns))
        sums[source, currency] = [total + value for total, value in zip(sofar, values, strict=True)]
    return [
        {"source": source, "currency": currency, **{c: money(v) for c, v in zip(columns, totals, strict=True)}}
        for (source, currency), totals in sorted(sums.items())
    ]
