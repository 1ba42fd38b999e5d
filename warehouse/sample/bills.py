"""The bills as they arrive: monthly files that replace each other, a bill in parts, and one in euros."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

from warehouse.sample.archive import packed, put, text_of
from warehouse.sample.bill_rows import COLUMNS, Row, bill_rows
from warehouse.sample.company import Company, Provider

FIRST_DELIVERY_END: Final = "2026-11-11"
ROWS_PER_PART: Final = 60


def write_bills(inbox: Path, company: Company) -> None:
    """One folder per provider."""
    for provider in company.providers:
        rows = bill_rows(company, provider)
        for month, of_month in groupby(rows, key=lambda row: row["BillingPeriodStart"][:7]):
            WRITERS[provider.name](inbox / provider.name, provider, month, list(of_month))


def _with_control_file(folder: Path, provider: Provider, month: str, rows: Sequence[Row]) -> None:
    """A closed month comes with its invoice; the open one twice, the later file replacing the earlier."""
    if rows[0]["InvoiceId"]:
        name = f"focus_{month}.csv.gz"
        content = packed(text_of(COLUMNS, rows))
        put(folder / name, content)
        put(folder / f"focus_{month}.control.json", _control(provider, name, content, rows))
        return
    early = [row for row in rows if row["ChargePeriodStart"] < FIRST_DELIVERY_END]
    put(folder / f"focus_{month}_as_of_10.csv.gz", packed(text_of(COLUMNS, early)))
    put(folder / f"focus_{month}_as_of_20.csv.gz", packed(text_of(COLUMNS, rows)))


def _control(provider: Provider, name: str, content: bytes, rows: Sequence[Row]) -> str:
    """What the provider says the file holds, and what its invoice asks for."""
    total = f"{sum(Decimal(row['BilledCost']) for row in rows):f}"
    file = {
        "name": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": len(rows),
        "billed_cost": total,
    }
    invoice = {"invoice_id": rows[0]["InvoiceId"], "currency": provider.currency, "billed_cost": total}
    return json.dumps({"files": [file], "invoices": [invoice]}, indent=1) + "\n"


def _in_parts(folder: Path, _: Provider, month: str, rows: Sequence[Row]) -> None:
    """A month cut into parts of one delivery."""
    for part, start in enumerate(range(0, len(rows), ROWS_PER_PART), start=1):
        content = text_of(COLUMNS, rows[start : start + ROWS_PER_PART])
        put(folder / month / f"part-{part:04d}.csv.gz", packed(content))


def _with_blank_line(folder: Path, _: Provider, month: str, rows: Sequence[Row]) -> None:
    """A month whose exporter leaves an empty line at its end."""
    put(folder / f"abrechnung_{month}.csv.gz", packed(text_of(COLUMNS, rows, blank_lines_at=[len(rows) - 1])))


WRITERS: Final = {"tarnfell": _with_control_file, "skerrow": _in_parts, "brenloch": _with_blank_line}
