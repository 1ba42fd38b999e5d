"""The physical lines of a text file in blocks, split over whole columns, whatever ends them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from warehouse.sources.reader_protocol import RejectedFile

LONGEST_LINE: Final = 16 << 20
BLOCK: Final = 16 << 20
_MARK: Final = b"\xef\xbb\xbf"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_LF: Final = 10
_CR: Final = 13
_ASCII: Final = 0x80
_MASKED: Final = bytes(byte if byte < _ASCII else ord("?") for byte in range(256))

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TextBlock:
    """Whole lines of a file as they stand there, and the number of the first one."""

    content: bytes
    first_line: int

    def lines(self) -> pl.DataFrame:
        """Each line by itself, as line_blocks gives them.

        Raises:
            RejectedFile: limit for a line of more than 16 MiB.
        """
        return _lines(self.content, self.first_line)

    def below(self, lines: pl.DataFrame, index: int) -> TextBlock:
        """What stands behind the line at `place`."""
        size = int(lines["whole"][: index + 1].str.len_bytes().sum())
        return TextBlock(self.content[size:], self.first_line + index + 1)


def text_blocks(content: Path, block: int = BLOCK) -> Iterator[TextBlock]:
    """All lines of the file in order, in blocks of about `block` bytes; the byte order mark is taken off.

    A block counts its lines by LF alone where it holds no CR, else one by one. Only the last line of a file may have
    no end.

    Raises:
        RejectedFile: encoding for UTF-16 and UTF-32, limit for a line of more than 16 MiB.
    """
    first_line = 1
    with content.open("rb") as stream:
        for chunk in _chunks_of_lines(stream, block):
            yield TextBlock(chunk, first_line)
            first_line += _line_count(chunk)


def line_blocks(content: Path, block: int = BLOCK) -> Iterator[pl.DataFrame]:
    """All lines of the file as text_blocks, split.

    Columns: `line` from 1, `whole` with its line end, `text` without it, `is_utf8`. A line that is not UTF-8 has `?` in
    place of every byte beyond ASCII.

    Raises:
        RejectedFile: as text_blocks.
    """
    for part in text_blocks(content, block):
        yield part.lines()


def _line_count(chunk: bytes) -> int:
    ends = chunk.count(b"\n") if b"\r" not in chunk else len(_starts(np.frombuffer(chunk, dtype=np.uint8)))
    is_open = b"\r" not in chunk and not chunk.endswith(b"\n")
    return ends + is_open


def _chunks_of_lines(stream: IO[bytes], block: int) -> Iterator[bytes]:
    rest = stream.read(block)
    _refuse_wide(rest[:4])
    rest = rest.removeprefix(_MARK)
    while piece := stream.read(block):
        whole = rest + piece
        cut = max(whole.rfind(b"\n"), whole.rfind(b"\r", 0, -1)) + 1  # a final CR may be half of a CRLF
        if cut:
            yield whole[:cut]
        rest = whole[cut:]
        _refuse_long(len(rest))
    if rest:
        yield rest


def _lines(chunk: bytes, first_line: int) -> pl.DataFrame:
    readable, broken = _masked(chunk)
    starts = _starts(np.frombuffer(readable, dtype=np.uint8))
    is_utf8 = np.ones(len(starts), dtype=np.bool_)
    is_utf8[np.searchsorted(starts, broken, side="right") - 1] = False
    rows = pl.DataFrame(
        {
            "line": np.arange(first_line, first_line + len(starts)),
            "whole": pl.Series(_slices(readable, starts)),
            "is_utf8": is_utf8,
        }
    ).with_columns(pl.col("whole").str.strip_chars_end("\r\n").alias("text"))
    longest = rows.select(pl.col("text").str.len_bytes().max()).item()
    _refuse_long(longest)
    return rows


def _starts(text: npt.NDArray[np.uint8]) -> Positions:
    """Where each line starts: behind LF, CRLF, or a CR that no LF follows."""
    is_end = text == _LF
    returns = np.flatnonzero(text == _CR)
    if len(returns):
        followed = np.append(is_end, False)[returns + 1]
        is_end[returns[~followed]] = True
    behind = np.flatnonzero(is_end) + 1
    return np.concatenate(([0], behind[behind < len(text)])).astype(np.int64)


def _slices(text: bytes, starts: Positions) -> pa.Array:
    """The text cut at `starts`, without copying it; it is known to be UTF-8."""
    offsets = np.append(starts, len(text))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.LargeStringArray.from_buffers(len(starts), buffers[1], buffers[2])


def _masked(chunk: bytes) -> tuple[bytes, list[int]]:
    """The chunk with every line that is not UTF-8 masked, and a position within each of these lines."""
    position = _first_broken(chunk, 0)
    if position is None:
        return chunk, []
    readable, broken = bytearray(chunk), []
    while position is not None:
        broken.append(position)
        start, stop = _line_around(readable, position)
        readable[start:stop] = readable[start:stop].translate(_MASKED)
        position = _first_broken(readable, stop)
    return bytes(readable), broken


def _first_broken(text: bytes | bytearray, begin: int) -> int | None:
    """Position of the first byte from `begin` on that is not UTF-8."""
    try:
        codecs.utf_8_decode(memoryview(text)[begin:], "strict", True)  # noqa: FBT003 - the codec's own signature
    except UnicodeDecodeError as error:
        return begin + error.start
    return None


def _line_around(text: bytearray, position: int) -> tuple[int, int]:
    start = max(text.rfind(end, 0, position) for end in (b"\n", b"\r")) + 1
    stops = [stop for end in (b"\n", b"\r") if (stop := text.find(end, position)) >= 0]
    return start, min(stops, default=len(text))


def _refuse_wide(begin: bytes) -> None:
    """UTF-16 and UTF-32 show by their mark, or by zeros among the first letters."""
    if begin.startswith(_WIDE_MARKS) or 0 < begin.count(0) < len(begin):
        raise RejectedFile("encoding", "the file is UTF-16 or UTF-32; export it as UTF-8")


def _refuse_long(length: int) -> None:
    if length > LONGEST_LINE:
        raise RejectedFile("limit", f"a line is longer than {LONGEST_LINE} bytes; split the file at line ends")
