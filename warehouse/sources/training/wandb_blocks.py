"""The records of a `.wandb` file: LevelDB log blocks, and protobuf messages as numbered fields."""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

HEADER: Final = b":W&B\xe1\xbe\x00"
BLOCK: Final = 32_768
_HEAD: Final = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = range(1, 5)
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Message = Mapping[int, Sequence[bytes | int]]
"""Field number -> its values in order: bytes as they are, fixed numbers as bytes, varints as whole numbers."""


class CutRecordError(ValueError):
    """The file ends, or is damaged, within a record: what was running then crashed."""


def records(content: Path) -> Iterator[bytes]:
    """Every whole record; blocks are counted from the start of the file, header included.

    Raises:
        CutRecordError: after the last whole record, if more was begun.
    """
    with content.open("rb") as stream:
        yield from _joined(_chunks(stream))


def _joined(chunks: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """A record stands in one chunk, or in a first, some middle ones and a last."""
    parts: list[bytes] = []
    for kind, payload in chunks:
        parts.append(payload)
        if kind in (_FULL, _LAST):
            yield b"".join(parts)
            parts = []
    if parts:
        raise CutRecordError("the file ends within a record")


def _chunks(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    offset = len(HEADER)
    while block := stream.read(BLOCK):
        while BLOCK - offset >= _HEAD.size and offset < len(block):
            kind, payload = _chunk(block, offset)
            offset += _HEAD.size + len(payload)
            yield kind, payload
        offset = 0


def _chunk(block: bytes, offset: int) -> tuple[int, bytes]:
    head = block[offset : offset + _HEAD.size]
    if len(head) < _HEAD.size:
        raise CutRecordError("the file ends within the head of a record")
    checksum, length, kind = _HEAD.unpack(head)
    payload = block[offset + _HEAD.size : offset + _HEAD.size + length]
    if len(payload) < length or not _FULL <= kind <= _LAST:
        raise CutRecordError("the file ends within a record")
    if zlib.crc32(payload, zlib.crc32(head[6:7])) != checksum:
        raise CutRecordError("a record does not match its checksum")
    return kind, payload


def message(payload: bytes) -> Message:
    """The fields of a protobuf message.

    Raises:
        CutRecordError: if the bytes are no message.
    """
    fields: dict[int, list[bytes | int]] = defaultdict(list)
    offset = 0
    try:
        while offset < len(payload):
            key, offset = _varint(payload, offset)
            value, offset = _value(payload, offset, key & 7)
            fields[key >> 3].append(value)
    except IndexError as error:
        raise CutRecordError("a message ends within a field") from error
    return fields


def _varint(payload: bytes, offset: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = payload[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number, offset
        shift += 7


def _value(payload: bytes, offset: int, wire: int) -> tuple[bytes | int, int]:
    if wire == _VARINT:
        return _varint(payload, offset)
    length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
    if wire == _BYTES:
        length, offset = _varint(payload, offset)
    if length is None or offset + length > len(payload):
        raise CutRecordError("a message ends within a field")
    return payload[offset : offset + length], offset + length


def text(fields: Message, number: int) -> str | None:
    """A text field; None if it is absent or empty."""
    value = fields.get(number, [b""])[-1]
    return value.decode("utf-8", "replace") or None if isinstance(value, bytes) else None


def inner(fields: Message, number: int) -> list[Message]:
    """The messages of a repeated field."""
    return [message(value) for value in fields.get(number, []) if isinstance(value, bytes)]


def whole(fields: Message, number: int) -> int | None:
    """A whole number; None if it is absent."""
    value = fields.get(number, [b""])[-1]
    return value if isinstance(value, int) else None


def double(fields: Message, number: int) -> float | None:
    """A double; None if it is absent."""
    value = fields.get(number, [b""])[-1]
    return float(struct.unpack("<d", value)[0]) if isinstance(value, bytes) and len(value) == 8 else None  # noqa: PLR2004
