"""The lines of a text file, one at a time, with where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Final, NamedTuple

from warehouse.sources.reader_protocol import RejectedFile

LONGEST_LINE: Final = 16 << 20
_MARK: Final = b"\xef\xbb\xbf"
_WIDE: Final = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|[\t\n\r -~]\0[\t\n\r -~]\0|\0[\t\n\r -~]\0[\t\n\r -~]")
"""How texts in UTF-16 and UTF-32 begin: with their mark, or with a letter in every other byte."""


_COLOUR: Final = re.compile(rb"\x1b\[[0-9;]*m")


def uncoloured(text: bytes) -> bytes:
    """A line without the codes with which a launcher colours it on a terminal."""
    return _COLOUR.sub(b"", text) if b"\x1b" in text else text


class Line(NamedTuple):
    """One line without its end; `is_ended` is False only for a last line that lacks one."""

    number: int
    text: bytes
    is_ended: bool


def text_lines(content: Path) -> Iterator[Line]:
    """The lines of a file in order, numbered from 1, free of byte order mark and carriage return.

    Raises:
        RejectedFile: limit, for a line of more than 16 MiB; encoding, for UTF-16 and UTF-32, as some shells write logs.
    """
    with content.open("rb") as stream:
        if _WIDE.match(stream.read(4)):
            raise RejectedFile("encoding", "the content is UTF-16 or UTF-32, not UTF-8; save it as UTF-8")
        stream.seek(0)
        yield from _numbered(stream)


def _numbered(stream: IO[bytes]) -> Iterator[Line]:
    for number, text in enumerate(iter(partial(stream.readline, LONGEST_LINE + 2), b""), start=1):
        if len(text) > LONGEST_LINE + 1:
            raise RejectedFile("limit", f"line {number} has more than {LONGEST_LINE} bytes; split it at line ends")
        whole = text.removeprefix(_MARK) if number == 1 else text
        yield Line(number, whole.rstrip(b"\r\n"), text.endswith(b"\n"))
