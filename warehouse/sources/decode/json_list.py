"""A JSON list of objects, as tools save what others write one object a line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from warehouse.sources.reader_protocol import RejectedFile

LARGEST: Final = 256 << 20
_MARK: Final = b"\xef\xbb\xbf"
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")


def is_list(begin: bytes) -> bool:
    """Whether a file that begins so is a list."""
    return begin.removeprefix(_MARK).lstrip().startswith(b"[")


def as_lines(content: Path) -> Path:
    """The objects of the list, one a line, in a file beside it; every number keeps the digits it was written with.

    Raises:
        RejectedFile: limit for a list too long to hold, unreadable for what begins as a list and is none.
    """
    if content.stat().st_size > LARGEST:
        raise RejectedFile("limit", f"a JSON list of more than {LARGEST >> 20} MiB; save one object a line (JSONL)")
    try:
        objects = msgspec.json.decode(content.read_bytes().removeprefix(_MARK), type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RejectedFile(
            "unreadable", f"it begins as a JSON list and is none: {error}; deliver it whole, or one object a line"
        ) from error
    lines = content.with_name(f"{content.name}.lines")
    with lines.open("wb") as stream:
        for one in objects:
            stream.write(bytes(one).translate(_LINE_ENDS) + b"\n")
    return lines
