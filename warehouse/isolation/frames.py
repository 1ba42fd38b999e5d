"""What passes between a process and its limited child: the length of a message, then the message."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, Final

HEADER: Final = struct.Struct(">Q")
LIMITS: Final = struct.Struct(">dQQ")
OUT_OF_MEMORY: Final = 111
"""Exit code of a child whose Python could get no memory."""


@dataclass(frozen=True)
class Limits:
    """What one piece of work may take: seconds, bytes of memory, bytes of a file that it writes."""

    seconds: float
    memory: int
    written: int

    def packed(self) -> bytes:
        """As it stands before the request."""
        return LIMITS.pack(self.seconds, self.memory, self.written)


def write(stream: IO[bytes], message: bytes) -> None:
    """One message, whole."""
    left = memoryview(HEADER.pack(len(message)) + message)
    while left:
        left = left[stream.write(left) :]


def read(stream: IO[bytes]) -> bytes | None:
    """The next message; none where the other side has closed."""
    header = _whole(stream, HEADER.size)
    return None if header is None else _whole(stream, HEADER.unpack(header)[0])


def _whole(stream: IO[bytes], size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        piece = stream.read(size - len(received))
        if not piece:
            return None
        received += piece
    return bytes(received)
