"""One file is read in a child process: what the night asks for, what the child does, and what it answers.

Whatever parses what others wrote runs there, the second reader of bills included; the night gets typed rows back. This
module is what the child imports: it opens no database.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from warehouse.isolation import arrow
from warehouse.isolation.limited_process import LimitedProcess, LimitExceededError, bytes_of
from warehouse.schemas.findings import Finding
from warehouse.sources.billing.control_totals import OpinionsDifferError
from warehouse.sources.control_files import Promise
from warehouse.sources.decode.staging_copy import MAX_RATIO, RATIO_COUNTS_FROM, Spooled, spooled, unpack
from warehouse.sources.reader_protocol import Delivered, FileWithoutRows, Reading, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class Order:
    """One content to be read: where it lies, as it was hashed, and how its source reads it.

    `promises` are what control files say of it, `side_files` the paths that stand beside it, `copies` the other paths
    of the same bytes that count, `folder` is private.
    """

    source_file: Spooled
    source: Source
    promises: tuple[Promise, ...]
    side_files: tuple[str, ...]
    night_start: datetime
    run_on: date
    folder: Path
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadingLimits:
    """What reading one file may take: memory as the settings write it, and seconds beside one for each megabyte."""

    memory: str = "4GB"
    seconds_per_file: int = 600


DEFAULT_LIMITS: Final = ReadingLimits()


class ReaderError(RuntimeError):
    """A reader failed over a file in a way that is no fault of the file; `str` names file, error and its words."""


class _Answer(msgspec.Struct):
    """A reading as it passes between the processes: tables as Arrow, paths as text."""

    rows: int
    frames: dict[str, bytes]
    refused: bytes
    blank: int
    duplicates: int
    foreign_lines: int
    flags: tuple[str, ...]
    rounding_residual: Decimal
    parts: dict[str, list[str]]
    totals: dict[str, tuple[Decimal, Decimal]]
    derived_totals: list[str]
    repeated: bytes
    counted: int | None
    findings: list[Finding]


class _Failure(msgspec.Struct):
    """Why there is no reading: the file's fault, with its reason, or the error of a class, with its number."""

    kind: str
    text: str
    reason: str = ""
    number: int | None = None


class _Reply(msgspec.Struct):
    """One of both."""

    answer: _Answer | None = None
    failure: _Failure | None = None


def read(process: LimitedProcess, order: Order, limits: ReadingLimits) -> Reading:
    """What the file holds, read by the process within the limits.

    Raises:
        RejectedFile: the reader's own, `limit` where reading takes too much, `unreadable` where its reader crashes.
        FileWithoutRows: as the reader says.
        OpinionsDifferError: two readers of a bill add it up differently.
        OSError: the disk is full or broken.
        ReaderError: anything else that a reader raises.
    """
    seconds = limits.seconds_per_file + order.source_file.bytes / MEGABYTE
    written = RATIO_COUNTS_FROM + MAX_RATIO * order.source_file.bytes
    try:
        reply = process.ask(_packed(order), seconds, bytes_of(limits.memory), written)
    except LimitExceededError as over:
        raise _rejected(over) from None
    response = msgspec.msgpack.decode(reply, type=_Reply)
    if response.answer is None:
        raise _error(response.failure or _Failure("", "no answer"), order.source_file.file)
    return _reading(response.answer)


def _rejected(over: LimitExceededError) -> RejectedFile:
    """A reader that did not end, in the words of a refused file."""
    if over.limit == "crash":
        return RejectedFile("unreadable", f"its reader crashed over it ({over.signal_name or over.amount:}); report it")
    if over.limit == "time":
        return RejectedFile(
            "limit",
            f"reading it did not end within {over.amount:,.0f} s; take it out of the inbox, "
            "or raise [limits] seconds_per_file if it is sound",
        )
    return RejectedFile(
        "limit",
        f"reading it takes more than {over.amount / MEGABYTE:,.0f} MB of memory; take it out of the inbox, "
        "or raise [limits] memory if it is sound",
    )


def _error(failure: _Failure, file: str) -> Exception:
    """The error of the child, as it would be here."""
    if failure.kind == FileWithoutRows.__name__:
        return FileWithoutRows()
    if failure.kind == RejectedFile.__name__:
        return RejectedFile(failure.reason, failure.text)
    if failure.kind == OpinionsDifferError.__name__:
        return OpinionsDifferError(failure.text)
    if failure.number is not None:
        return OSError(failure.number, failure.text)
    return ReaderError(f"{file}: {failure.kind}: {failure.text}")


def work(request: bytes) -> bytes:
    """The child's part: read the file of an order."""
    try:
        reply = _Reply(answer=_answer(_believed(msgspec.msgpack.decode(request, type=Order, dec_hook=_path))))
    except MemoryError:
        raise
    except RejectedFile as rejected:
        reply = _Reply(failure=_Failure(type(rejected).__name__, rejected.detail, rejected.reason))
    except OSError as error:
        if error.errno == errno.EFBIG:
            text = "it unpacks or spills to more than a file of its size can need"
            reply = _Reply(failure=_Failure(RejectedFile.__name__, text, "limit"))
        else:
            reply = _Reply(failure=_Failure(type(error).__name__, error.strerror or str(error), number=error.errno))
    except Exception as error:  # noqa: BLE001 - whatever it is, the night must hear of it
        reply = _Reply(failure=_Failure(type(error).__name__, str(error)))
    return msgspec.msgpack.encode(reply)


def _believed(order: Order) -> Reading:
    """What the reader says, once a second one has added up the bill and the control file agrees."""
    beside = {path: _side_file(order, path) for path in order.side_files}
    source_file = order.source_file
    copy = unpack(source_file, order.folder / "content")
    delivered = Delivered(
        source_file.file,
        source_file.sha256,
        source_file.bytes,
        copy,
        order.night_start,
        beside,
        bool(order.promises),
        order.run_on,
        order.copies,
    )
    record = FORMATS[order.source.kind, order.source.format]
    read = record.read(delivered, order.source)
    record.verify(delivered, order.source, read)
    for promise in order.promises:
        promise.check_rows(read)
    return read


def _side_file(order: Order, path: str) -> Path:
    """A private copy of a side file, made once a landing."""
    copy = order.folder / hashlib.sha256(path.encode()).hexdigest()
    return copy if copy.exists() else unpack(spooled(order.source_file.project, path), copy)


def _packed(order: Order) -> bytes:
    return msgspec.msgpack.encode(order, enc_hook=_plain)


def _plain(value: object) -> object:
    """What the format has no word for: a path, and a mapping that cannot be written to."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


def _path(kind: type, value: Any) -> object:  # noqa: ANN401 - as msgspec calls it
    """A path out of its text."""
    return kind(value)


def _answer(read: Reading) -> _Answer:
    return _Answer(
        rows=read.rows,
        frames={name: arrow.packed(rows) for name, rows in read.frames.items()},
        refused=arrow.packed(read.refused),
        blank=read.blank,
        duplicates=read.duplicates,
        foreign_lines=read.foreign_lines,
        flags=tuple(read.flags),
        rounding_residual=read.rounding_residual,
        parts={name: [str(path) for path in paths] for name, paths in read.parts.items()},
        totals=dict(read.totals),
        derived_totals=sorted(read.derived_totals),
        repeated=arrow.packed(read.repeated.to_frame()),
        counted=read.counted,
        findings=list(read.findings),
    )


def _reading(answer: _Answer) -> Reading:
    return Reading(
        rows=answer.rows,
        frames={name: arrow.unpacked(rows) for name, rows in answer.frames.items()},
        refused=arrow.unpacked(answer.refused),
        blank=answer.blank,
        duplicates=answer.duplicates,
        foreign_lines=answer.foreign_lines,
        flags=answer.flags,
        rounding_residual=answer.rounding_residual,
        parts={name: _paths(paths) for name, paths in answer.parts.items()},
        totals=answer.totals,
        derived_totals=frozenset(answer.derived_totals),
        repeated=arrow.unpacked(answer.repeated).to_series(),
        counted=answer.counted,
        findings=answer.findings,
    )


def _paths(texts: Sequence[str]) -> list[Path]:
    return [Path(text) for text in texts]
