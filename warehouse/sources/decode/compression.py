"""Bytes out of gzip and Zstandard, told by content; every checksum and every end is proved."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Final, Protocol, TypeVar

import zstandard

from warehouse.sources.reader_protocol import RejectedFile

GZIP: Final = b"\x1f\x8b"
ZSTANDARD: Final = (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60)))
_OUT: Final = 4 << 20
_IN: Final = 4 << 10  # a Zstandard block of 4 bytes may hold 128 KiB: one step yields 128 MiB at most
_LARGEST_WINDOW: Final = 128 << 20


class _Member(Protocol):
    """One compressed member or frame being read."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Inflater(_Member, Protocol):
    """A gzip member: keeps what it did not look at because its output was full."""

    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, compressed: bytes, max_length: int, /) -> bytes: ...


class _Expander(_Member, Protocol):
    """A Zstandard frame."""

    def decompress(self, compressed: bytes, /) -> bytes: ...


_M = TypeVar("_M", bound=_Member)


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a stream in pieces of bounded size; a stream that is not compressed passes unchanged.

    Raises:
        RejectedFile: empty_file, truncated, checksum, or unreadable if something else follows the compressed data.
    """
    first = next(chunks, b"")
    if not first:
        raise RejectedFile("empty_file", "the file has no byte")
    whole = itertools.chain((first,), chunks)
    if first.startswith(GZIP):
        return _members(whole, lambda: zlib.decompressobj(wbits=31), _inflated)
    if first.startswith(ZSTANDARD):
        return _members(whole, zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj, _expanded)
    return whole


def _members(
    chunks: Iterator[bytes], begin: Callable[[], _M], steps: Callable[[_M, bytes], Generator[bytes, None, bytes]]
) -> Iterator[bytes]:
    """`begin` makes a decompressor, `steps` yields its output and returns what it left of its input."""
    member = begin()
    try:
        for chunk in chunks:
            member = yield from _chunk(member, chunk, begin, steps)
    except (zlib.error, zstandard.ZstdError) as error:
        raise _damaged(str(error)) from error
    if not member.eof:
        raise RejectedFile("truncated", "the compressed data ends before its end mark; deliver the file again")


def _chunk(
    member: _M, chunk: bytes, begin: Callable[[], _M], steps: Callable[[_M, bytes], Generator[bytes, None, bytes]]
) -> Generator[bytes, None, _M]:
    """The output of one piece of input, which members may end and begin in; the member that is open after it."""
    rest = _after_padding(member, chunk)
    while rest:
        member = begin() if member.eof else member
        rest = _after_padding(member, (yield from steps(member, rest)))
    return member


def _after_padding(member: _Member, rest: bytes) -> bytes:
    """Zeros may stand between the members of a file and behind the last one."""
    return rest.lstrip(b"\0") if member.eof else rest


def _inflated(member: _Inflater, rest: bytes) -> Generator[bytes, None, bytes]:
    """Asked once more than it has input, because the last of the output may still be held back."""
    piece = member.decompress(rest, _OUT)
    while piece or member.unconsumed_tail:
        yield piece
        piece = member.decompress(member.unconsumed_tail, _OUT)
    return bytes(member.unused_data)


def _expanded(member: _Expander, rest: bytes) -> Generator[bytes, None, bytes]:
    for start in range(0, len(rest), _IN):
        yield member.decompress(rest[start : start + _IN])
        if member.eof:
            return bytes(member.unused_data + rest[start + _IN :])
    return b""


def _damaged(message: str) -> RejectedFile:
    if "incorrect header check" in message or "frame descriptor" in message:
        return RejectedFile("unreadable", f"something else stands where compressed data should: {message}")
    if "memory" in message:
        return RejectedFile("limit", f"the compression window is above {_LARGEST_WINDOW} bytes")
    return RejectedFile("checksum", f"the compressed data is damaged: {message}; deliver the file again")
