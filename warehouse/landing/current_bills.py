"""Which bills of the night count: the deliveries of every source, those that are refused, and what holds the night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb
import polars as pl

from warehouse.landing import file_cache
from warehouse.landing.arrivals import Inbox
from warehouse.landing.coverage import uncovered, undecided
from warehouse.landing.dedup import remove_repeated_charges
from warehouse.landing.first_seen import Nights
from warehouse.landing.holds import Hold
from warehouse.landing.incomplete_exports import incomplete
from warehouse.landing.supersession import (
    BillFile,
    DeliveredUnit,
    bill_deliveries,
    delivered_units,
    shrunken,
    superseded,
)
from warehouse.schemas.raw import BillDeliveries
from warehouse.sources.reader_protocol import RejectedFile
from warehouse.sources.source import Source
from warehouse.tables import replace


@dataclass
class CurrentBills:
    """What replaced each content of which nothing counts any more, when contents were exported, and what holds."""

    superseded: dict[tuple[str, str], str] = field(default_factory=dict)
    exported: dict[tuple[str, str], datetime] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)


def settle_bills(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    inbox: Inbox,
    nights: Nights,
) -> CurrentBills:
    """Write raw.bill_deliveries: which bill counts in each unit of each source."""
    settled = CurrentBills()
    bills = [source for source in sources if source.kind == "gpu_billing"]
    tables = [_settled(connection, source, inbox, _files(source, inbox, nights), settled) for source in bills]
    replace(connection, BillDeliveries, pl.concat([BillDeliveries.empty(), *tables]))
    return settled


def _settled(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    inbox: Inbox,
    files: Sequence[BillFile],
    settled: CurrentBills,
) -> pl.DataFrame:
    units = _standing(connection, source, inbox, files)
    gaps: frozenset[tuple[str, object, str]] = frozenset()
    if source.delivery != "append":
        holds, gaps = uncovered(connection, source, units)
        settled.holds += [*undecided(source, units), *holds]
    if source.delivery == "parts":
        remove_repeated_charges(connection, source, units)
    for sha256, winner in superseded(units, source).items():
        settled.superseded[source.name, sha256] = winner
    rows = bill_deliveries(source, units)
    for sha256, exported_at in rows.drop_nulls("exported_at").select("file_sha256", "exported_at").iter_rows():
        settled.exported[source.name, sha256] = exported_at
    unit = zip(rows["billing_account_id"], rows["billing_period_start"], rows["file_sha256"], strict=True)
    return rows.with_columns(pl.Series("is_covered", [key not in gaps for key in unit], dtype=pl.Boolean))


def _standing(
    connection: duckdb.DuckDBPyConnection, source: Source, inbox: Inbox, files: Sequence[BillFile]
) -> list[DeliveredUnit]:
    """The units of a source; a delivery is rejected that lacks files or rows of its manifest, or that has shrunken.

    Shrunken is one with under half of what it replaces. What no longer counts need not be whole.
    """
    units = delivered_units(connection, source, files)
    rows = file_cache.rows_of_contents(connection, source.name)
    while fallen := incomplete(units, source, inbox.stated[source.name].exports, rows) or (
        shrunken(units) if source.delivery != "append" else []
    ):
        gone = set().union(*(each.contents for each in fallen))
        for each in fallen:
            for file in each.files:
                inbox.reject(source.name, file, RejectedFile(each.reason, each.detail))
        for sha256 in gone:
            file_cache.forget(connection, source.name, sha256)
        files = [at for at in files if at.sha256 not in gone]
        units = delivered_units(connection, source, files)
    return units


def _files(source: Source, inbox: Inbox, nights: Nights) -> list[BillFile]:
    """Every path of every content of a source that counts in it; what lists one file alone joins no files."""
    standing = {content.sha256 for content in inbox.contents.values() if content.source == source}
    exports = inbox.stated[source.name].exports
    listed = Counter(export.manifest for export in exports.values())
    return [
        BillFile(
            file,
            at.sha256,
            exports[file].manifest if file in exports and listed[exports[file].manifest] > 1 else "",
            exports[file].exported_at if file in exports else None,
            nights.first_seen(name, file, at.sha256),
            is_standing=file in exports and exports[file].is_standing,
        )
        for (name, file), at in sorted(inbox.files.items())
        if name == source.name and at.sha256 in standing
    ]
