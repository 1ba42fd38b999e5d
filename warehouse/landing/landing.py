"""The inbox becomes raw tables: each file is hashed, read once, and accounted for to the last row.

What a file says is kept by content, so that a night costs what is new. Which rows count is settled each night over
all files, so that the order in which they came never matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from warehouse import free_space
from warehouse.isolation.limited_process import LimitedProcess
from warehouse.landing import file_cache, findings, reading
from warehouse.landing.arrivals import Inbox, Rejection, Workspace, arrivals, side_files
from warehouse.landing.commitment_overlap import commitments_counted_twice
from warehouse.landing.cost_view_gaps import cost_view_gaps
from warehouse.landing.current_bills import settle_bills
from warehouse.landing.dedup import remove_copies
from warehouse.landing.file_cache import Content, Times
from warehouse.landing.first_seen import Nights, nights_before
from warehouse.landing.holds import Hold, silent_counters, uncounted_sources, usage_in_two_groupings
from warehouse.landing.inbox import CONTROL
from warehouse.landing.long_charges import note_long_charges
from warehouse.landing.progress import announced
from warehouse.landing.requests import landed_digests
from warehouse.landing.requests.counter_growth import land_growth
from warehouse.landing.requests.doubts import landed_again, of_requests
from warehouse.landing.requests.identities import Candidates, candidates_on_duckdb
from warehouse.landing.requests.landed_files import landed_requests
from warehouse.landing.requests.landed_parquet import LandedFile
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.landing.row_counts import Refusals, account
from warehouse.landing.same_money import same_money
from warehouse.landing.split_cost_overlap import double_billed
from warehouse.private_folders import private_folder
from warehouse.schemas.raw import ChargeRows, InvoiceTotals, MatchingCalls, RunRows
from warehouse.sources.casts.date_guard import starts_before
from warehouse.sources.reader_protocol import FileWithoutRows, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.tables import replace, transaction

READER: Final = LimitedProcess(reading.__name__)
"""What parses the files: a child with limits, kept from one landing to the next."""


@dataclass(frozen=True)
class Landing:
    """What a landing found wrong: files that cannot count, and how many rows of each source were refused.

    `holds` are what no night can be published with.
    """

    rejections: tuple[Rejection, ...]
    refusals: tuple[Refusals, ...]
    holds: tuple[Hold, ...] = ()


def land(
    workspace: Workspace,
    sources: Sequence[Source],
    connection: duckdb.DuckDBPyConnection,
    night: date,
    run_on: date,
    candidates: Candidates = candidates_on_duckdb,
) -> Landing:
    """Bring the raw tables up to the inbox as it is now, in one transaction.

    `candidates` is how requests are found that may repeat each other.
    """
    start = datetime(night.year, night.month, night.day, tzinfo=UTC)
    with transaction(connection):
        inbox = arrivals(workspace, sources, connection)
        nights = nights_before(connection, workspace, start)
        lost = _lost_landings(inbox, connection)
        fresh = _read_what_is_new(inbox, connection, nights, run_on, lost)
        for source in sources:
            standing = [content.sha256 for content in inbox.contents.values() if content.source == source]
            remove_copies(connection, source, standing, fresh)
        growth = land_growth(connection, workspace.var, start.date())
        files = [*_landed_requests(inbox, connection), *growth.files]
        marked = mark_uncounted(connection, files, start.date(), candidates)
        replace(connection, MatchingCalls, marked.matching_calls)
        bills = settle_bills(connection, sources, inbox, nights)
        note_long_charges(connection)
        refusals = account(connection, inbox, nights, marked, bills)
        _state_invoices(connection, inbox)
        findings.settle_paths(connection, inbox)
        noticed = (
            findings.absent_sources(connection, sources, inbox),
            double_billed(connection, start.date()),
            commitments_counted_twice(connection, start.date()),
            cost_view_gaps(connection, start.date()),
            landed_again(lost),
            of_requests(marked.doubts, files),
            growth.noticed,
        )
        findings.note(connection, chain.from_iterable(noticed))
        holds = (
            *same_money(connection, sources),
            *bills.holds,
            *uncounted_sources(connection),
            *silent_counters(growth),
            *usage_in_two_groupings(connection),
        )
    return Landing(tuple(inbox.rejections), refusals, holds)


def _state_invoices(connection: duckdb.DuckDBPyConnection, inbox: Inbox) -> None:
    """The invoice totals of tonight's control files in place of the last night's."""
    connection.execute(f"DELETE FROM {InvoiceTotals.qualified()} WHERE ends_with(file, ?)", [CONTROL])
    rows = [
        {
            "source": source,
            "file_sha256": "",
            "file": file,
            "invoice_id": invoice.invoice_id,
            "currency": invoice.currency.upper(),
            "billed_cost": invoice.billed_cost,
        }
        for source, controls in inbox.stated.items()
        for file, invoices in controls.invoices.items()
        for invoice in invoices
    ]
    file_cache.insert(connection, InvoiceTotals, pl.DataFrame(rows, schema=InvoiceTotals.polars_schema()))


def _landed_requests(inbox: Inbox, connection: duckdb.DuckDBPyConnection) -> list[LandedFile]:
    """Where the requests of the night are landed, in path order, which is the order of delivery."""
    read, recorded = file_cache.first_seen(connection), landed_digests.recorded(connection)
    telemetry = (
        content
        for key, content in sorted(inbox.contents.items(), key=lambda item: item[1].file)
        if content.source.kind == "request_telemetry" and key in read
    )
    landed = (file_cache.landed_file(inbox.workspace.var, content) for content in telemetry)
    return [file for file in landed if file.path.name in recorded]


def last_day(connection: duckdb.DuckDBPyConnection, var: Path, until: date) -> date:
    """The last day up to `until` that usage was billed for, runs began on or requests came on; else `until` itself.

    A row of a bill that covers a month tells of the month's last day; what was bought ahead tells of its first only.
    """
    billed = "CASE charge_category WHEN 'Usage' THEN charge_end - INTERVAL 1 MICROSECOND ELSE charge_start END"
    last_billed = f"max(least(greatest(charge_start, {billed})::DATE, $until))"
    queries = [
        f"SELECT {last_billed} FROM {ChargeRows.qualified()} WHERE charge_start::DATE <= $until",
        f"SELECT max(started_at::DATE) FROM {RunRows.qualified()} WHERE started_at::DATE <= $until",
    ]
    days = [connection.execute(query, {"until": until}).fetchall()[0][0] for query in queries]
    landed = [str(file.path) for file in landed_requests(connection, var)]
    if landed:
        requests = connection.read_parquet(landed).filter(f"day <= DATE '{until.isoformat()}'").max("day")
        days += [day for (day,) in requests.fetchall()]
    return max((day for day in days if day), default=until)


def _lost_landings(inbox: Inbox, connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Contents whose landed requests are missing or damaged below var/landed."""
    read = file_cache.cached_files(connection).filter(pl.col("kind") == "request_telemetry", pl.col("rows") > 0)
    rows = read.select("source", "file_sha256", "reader_digest").iter_rows()
    standing = {(source, sha256): digest for source, sha256, digest in rows}
    paths = {
        file_cache.landed_file(inbox.workspace.var, content).path: key
        for key, content in inbox.contents.items()
        if standing.get(key) == content.reader_digest
    }
    return {paths[path] for path in landed_digests.untrusted(connection, paths)}


def _read_what_is_new(
    inbox: Inbox, connection: duckdb.DuckDBPyConnection, nights: Nights, run_on: date, lost: set[tuple[str, str]]
) -> list[str]:
    """Forget what has left, is lost or is read otherwise now, read what is new; the digests that were read."""
    seen, start = file_cache.first_seen(connection), nights.start
    stale = _stale(inbox, connection, start.date(), run_on) | lost
    for source, sha256 in stale:
        file_cache.forget(connection, source, sha256)
    wanted = [content for key, content in inbox.contents.items() if key not in seen or key in stale]
    free_space.require(inbox.workspace.var, sum(inbox.files[one.source.name, one.file].bytes for one in wanted))
    shelf = file_cache.Shelf(connection, inbox.workspace.var)
    without_rows: list[tuple[Content, Times]] = []
    with private_folder(inbox.workspace.var, "landing") as folder:
        for content in announced(wanted):
            key = (content.source.name, content.sha256)
            first = min(start, seen.get(key, nights.first_seen_content(*key)))
            if not _read(inbox, content, shelf, Times(start, first, run_on), folder):
                without_rows.append((content, Times(start, first, run_on)))
    shelf.flush()
    _settle_files_without_rows(connection, inbox, shelf, without_rows)
    shelf.flush()
    return [content.sha256 for content in wanted]


def _settle_files_without_rows(
    connection: duckdb.DuckDBPyConnection,
    inbox: Inbox,
    shelf: file_cache.Shelf,
    without_rows: Sequence[tuple[Content, Times]],
) -> None:
    """A bill without rows is an export of nothing where others of its source have rows; alone it is refused."""
    filled = {source for source, rows in file_cache.rows_by_source(connection).items() if rows}
    for content, times in without_rows:
        export = inbox.stated[content.source.name].exports.get(content.file)
        is_stated = export is not None and export.rows == 0
        if content.source.kind == "gpu_billing" and (is_stated or content.source.name in filled):
            shelf.store(content, Reading(0, {}), times)
        else:
            inbox.reject(content.source.name, content.file, FileWithoutRows())


def _read(inbox: Inbox, content: Content, shelf: file_cache.Shelf, times: Times, folder: Path) -> bool:
    """Keep what the content holds; False where it has no row, which the other files of its source decide upon."""
    workspace, source_file = inbox.workspace, inbox.files[content.source.name, content.file]
    beside = tuple(side_files(workspace.project, content.source, content.file))
    try:
        order = reading.Order(
            source_file,
            content.source,
            content.promises,
            beside,
            times.night_start,
            times.run_on,
            folder,
            content.copies,
        )
        read = reading.read(READER, order, workspace.limits)
    except FileWithoutRows:
        if not content.promises:
            return False
        read = Reading(0, {})
    except RejectedFile as rejected:
        if rejected.reason != "empty_file" or not content.promises:
            inbox.reject(content.source.name, content.file, rejected)
            return True
        read = Reading(0, {})
    shelf.store(content, read, times)
    return True


def _stale(inbox: Inbox, connection: duckdb.DuckDBPyConnection, night: date, run_on: date) -> set[tuple[str, str]]:
    """Contents that left the inbox, are read under other settings, or hold rows that only another night can place.

    Where one leaves, contents of its source with copies elsewhere are read again: they may hold what left.
    """
    stale, left = set(), set()
    cached = file_cache.cached_files(connection)
    for row in cached.iter_rows(named=True):
        key = (row["source"], row["file_sha256"])
        now = inbox.contents.get(key)
        if now is None:
            left.add(row["source"])
        if now is None or now.reader_digest != row["reader_digest"] or _is_of_another_night(row, night, run_on):
            stale.add(key)
    copied = cached.filter(cached["copied"] > 0).select("source", "file_sha256").iter_rows()
    return stale | {(source, sha256) for source, sha256 in copied if source in left}


def _is_of_another_night(row: Mapping[str, Any], night: date, run_on: date) -> bool:
    """Whether the night decides otherwise which starts are too late."""
    is_late = row["latest_start"] is not None and row["latest_start"] >= starts_before(night, run_on)
    return bool(is_late or (row["is_ahead"] and row["read_for"] != night))
