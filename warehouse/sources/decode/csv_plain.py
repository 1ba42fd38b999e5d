"""Whether a block of CSV is plain: known by one pass over its text, so that nothing in it is looked at twice."""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.sources.decode.csv_splitting import Dialect

_CONTROL: Final = r"\x00-\x08\x0A-\x1F\x7F-\x{9F}"
"""Line ends and all that no cell may hold; TAB it may."""
WIDEST_PATTERN: Final = 500
"""More fields than this make a pattern that is slower than looking at each line."""


def plain_text(content: bytes, dialect: Dialect, width: int) -> bytes | None:
    """The lines, each ended by LF, if each is one clean record of `width` fields; else None.

    A record is clean where a quote stands only around a whole field or twice within one, no field spans lines, and no
    control character is to be refused. A line of white space alone is blank, not a record, so that a separator which
    is white space, and a table of one column, are left to who looks at each line; so is a very wide table.
    """
    if not 1 < width <= WIDEST_PATTERN or dialect.separator.isspace():
        return None
    text = content.replace(b"\r\n", b"\n") if b"\r" in content else content
    text = text if text.endswith(b"\n") else text + b"\n"
    if not _is_utf8(text):
        return None
    whole = pa.LargeStringArray.from_buffers(1, pa.array([0, len(text)], pa.int64()).buffers()[1], pa.py_buffer(text))
    is_clean = pc.match_substring_regex(whole, _records(dialect.separator, dialect.quote, width))
    return text if is_clean[0].as_py() else None


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(codecs.utf_8_decode(text, "strict", True))  # noqa: FBT003 - the codec's own
    except UnicodeDecodeError:
        return False


@cache
def _records(separator: str, quote: str, width: int) -> str:
    """The pattern of a whole block."""
    parts, marks = re.escape(separator), re.escape(quote)
    bare = f"[^{parts}{marks}{_CONTROL}]*"
    field = f"(?:{bare}|{marks}(?:[^{marks}{_CONTROL}]|{marks}{marks})*{marks})" if quote else bare
    return rf"\A(?:{field}(?:{parts}{field}){{{width - 1}}}\n)+\z"
