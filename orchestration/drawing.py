"""The PDF of a report is drawn in a child process: within a time and a memory, without network.

The child gets the tables that the pages have read so far; one that it misses it asks for, and begins again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec
import polars as pl

from templates import render
from templates.pages.edition import LEADERSHIP, Edition
from warehouse.isolation import arrow
from warehouse.isolation.limited_process import LimitedProcess, LimitExceededError, bytes_of

SECONDS: Final = 1_800
"""How long the largest report may take, on a machine that is busy with other work."""
WRITTEN: Final = 64 * 2**20
"""Bytes of a file that the child may write: what draws text keeps a list of the fonts."""


class DrawingError(RuntimeError):
    """The report cannot be drawn: the night is not published."""


class ReadTables(Mapping[str, pl.DataFrame]):
    """The tables of a night, and the names of those that were read."""

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables = tables
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> pl.DataFrame:
        self.read.add(name)
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class Sheet(msgspec.Struct):
    """What identifies the report, and for whom it is cut; `earlier` are the numbers of the revision before."""

    built_at: datetime
    identity: str
    revision: int
    paper: str = "A4"
    earlier: bytes | None = None
    edition: Edition = LEADERSHIP
    attachments: dict[str, bytes] = {}


class _Request(msgspec.Struct):
    sheet: Sheet
    tables: dict[str, bytes]


class _Reply(msgspec.Struct):
    """The file, or the table that is missing, or the fault."""

    pdf: bytes = b""
    missing: str = ""
    fault: str = ""


def draw(process: LimitedProcess, tables: ReadTables, sheet: Sheet, memory: str) -> bytes:
    """The PDF of the tables.

    Raises:
        DrawingError: a fault of the report, or of the machine: it takes more time or memory than it may.
    """
    packed: dict[str, bytes] = {}
    while True:
        packed |= {name: arrow.packed(tables[name]) for name in sorted(tables.read - packed.keys())}
        request = msgspec.msgpack.encode(_Request(sheet, packed))
        try:
            reply = msgspec.msgpack.decode(process.ask(request, SECONDS, bytes_of(memory), WRITTEN), type=_Reply)
        except LimitExceededError as over:
            raise DrawingError(_sentence(over)) from None
        if reply.fault:
            raise DrawingError(reply.fault)
        if reply.pdf:
            return reply.pdf
        tables.read.add(reply.missing)


def _sentence(over: LimitExceededError) -> str:
    if over.limit == "memory":
        return f"drawing the report takes more than {over.amount / 1e6:,.0f} MB of memory; raise [limits] memory"
    if over.limit == "time":
        return f"drawing the report did not end within {over.amount:,.0f} s; run again when the machine is less busy"
    return (
        f"what draws the report crashed ({over.signal_name or f'code {over.amount:g}'}); `trisect doctor` may say why"
    )


class _MissingTableError(Exception):
    """A page reads a table that was not sent."""


class _Tables(dict[str, pl.DataFrame]):
    def __missing__(self, name: str) -> pl.DataFrame:
        raise _MissingTableError(name)


def work(request: bytes) -> bytes:
    """The child's part: draw the report of a request."""
    asked = msgspec.msgpack.decode(request, type=_Request)
    sheet, tables = asked.sheet, _Tables({name: arrow.unpacked(rows) for name, rows in asked.tables.items()})
    try:
        reply = _Reply(
            pdf=render.pdf(
                tables,
                attachments=sheet.attachments,
                built_at=sheet.built_at,
                identity=sheet.identity,
                revision=sheet.revision,
                paper=sheet.paper,
                edition=sheet.edition,
                earlier=arrow.unpacked(sheet.earlier) if sheet.earlier is not None else None,
            )
        )
    except _MissingTableError as missing:
        reply = _Reply(missing=str(missing))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the night must hear of it
        reply = _Reply(fault=f"{type(error).__name__}: {error}")
    return msgspec.msgpack.encode(reply)
