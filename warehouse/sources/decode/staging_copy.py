"""Regular files of the inbox: opened without following links, hashed, and unpacked into a private copy."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from warehouse.sources.decode.compression import unpacked
from warehouse.sources.reader_protocol import RejectedFile

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK: Final = 1 << 20
MAX_RATIO: Final = 200
RATIO_COUNTS_FROM: Final = 256 << 20
_CHANGED: Final = "the file changed while it was read; run again when it is whole"


@dataclass(frozen=True)
class Spooled:
    """One file as it lies in the inbox: its path below the project directory, size and digest.

    `changed_ns` is when the file system last changed it, as known when it was hashed; nobody can set that back.
    """

    project: Path
    file: str
    bytes: int
    sha256: str
    changed_ns: int


def spooled(project: Path, file: str) -> Spooled:
    """The file's size and digest.

    Raises:
        RejectedFile: not_regular, unreadable, or unstable if it grew, shrank or was written to meanwhile.
    """
    with _opened(project, file) as stream:
        before = os.fstat(stream.fileno())
        digest = hashlib.sha256()
        size = sum(len(chunk) for chunk in _hashed(stream, digest))
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != before.st_size:
        raise RejectedFile("unstable", _CHANGED)
    return Spooled(project, file, size, digest.hexdigest(), after.st_ctime_ns)


def unpack(source_file: Spooled, target: Path) -> Path:
    """The decompressed bytes of the file as a private copy at `target`.

    Raises:
        RejectedFile: empty_file, truncated, checksum, unreadable, limit, or unstable if it is not what was hashed.
    """
    digest, size = hashlib.sha256(), 0
    with _opened(source_file.project, source_file.file) as stream, _private(target) as copy:
        for piece in unpacked(_hashed(stream, digest)):
            size += copy.write(piece)
            _refuse_bomb(size, source_file.bytes)
    if digest.hexdigest() != source_file.sha256:
        raise RejectedFile("unstable", _CHANGED)
    return target


def contents(project: Path, file: str, most: int) -> bytes:
    """The bytes of a small file.

    Raises:
        RejectedFile: not_regular, unreadable, unstable, or limit for more than `most` bytes.
    """
    with _opened(project, file) as stream:
        if os.fstat(stream.fileno()).st_size > most:
            raise RejectedFile("limit", f"more than {most} bytes")
        return b"".join(_hashed(stream, hashlib.sha256()))


def _opened(project: Path, file: str) -> IO[bytes]:
    """Refuses links in any part of the path below the project, and whatever is no regular file, without blocking."""
    folder = os.open(project, os.O_RDONLY | os.O_DIRECTORY)
    try:
        *folders, name = file.split("/")
        for part in folders:
            folder = _inner(folder, part)
        opened = _checked(folder, name, os.O_NONBLOCK, stat.S_ISREG)
    except PermissionError as error:
        raise RejectedFile("unreadable", f"the system says: {error.strerror}") from error
    except FileNotFoundError as error:
        raise RejectedFile("unstable", "the file was there and is gone") from error
    finally:
        os.close(folder)
    return os.fdopen(opened, "rb", buffering=0)


def _inner(folder: int, part: str) -> int:
    inner = _checked(folder, part, os.O_DIRECTORY, stat.S_ISDIR)
    os.close(folder)
    return inner


def _checked(folder: int, part: str, flags: int, is_wanted: Callable[[int], bool]) -> int:
    mode = os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode
    if not is_wanted(mode):
        raise RejectedFile("not_regular", f"{part!r} is a {_kind(mode)}; only regular files are read")
    return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISLNK, "symbolic link"), (stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in kinds if test(mode)), "directory or device")


def _private(target: Path) -> IO[bytes]:
    return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb")


def _hashed(stream: IO[bytes], digest: _Hash) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        yield chunk


def _refuse_bomb(size: int, delivered: int) -> None:
    if size > RATIO_COUNTS_FROM and size > MAX_RATIO * delivered:
        raise RejectedFile("limit", f"expands above {MAX_RATIO}:1 ({size} bytes out of {delivered})")
