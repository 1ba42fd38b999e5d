"""What has been fetched: staged whole below var/fetch/, then moved below inbox/; a kill loses nothing."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

_WILD: Final = ("*", "?")


class FetchError(RuntimeError):
    """Something could not be fetched: what, from where, why, what to do. It never repeats a credential."""


@dataclass(frozen=True)
class Version:
    """One version of one remote object: where it goes below the project directory, how long it is, what it is.

    Where a store has no etags, the time of its last change stands for one.
    """

    file: str
    bytes: int
    etag: str
    has_etag: bool = True


@dataclass
class Staging:
    """The versions of one source that have come: below inbox/ (`delivered`), or waiting in its folder of var/fetch/."""

    project: Path
    folder: Path
    delivered: dict[str, Version] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Path, var: Path, source: str) -> Staging:
        """The staging of a source as the last fetch left it; a record that cannot be read is none.

        What is below inbox/ is then fetched once more, over itself.
        """
        folder = var / "fetch" / hashlib.sha256(source.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        staging = cls(project, folder)
        try:
            staging.delivered = msgspec.json.decode(staging.record.read_bytes(), type=dict[str, Version])
        except (FileNotFoundError, msgspec.MsgspecError):
            staging.delivered = {}
        return staging

    @property
    def record(self) -> Path:
        """Where it is written down what stands below inbox/."""
        return self.folder / "delivered.json"

    def is_delivered(self, key: str, version: Version) -> bool:
        """Whether this very version stands below inbox/."""
        path = self.project / version.file
        return self.delivered.get(key) == version and path.is_file() and path.stat().st_size == version.bytes

    def path(self, key: str, version: Version) -> Path:
        """Where a version is brought to: another version of the object is another file."""
        name = hashlib.sha256(f"{key}\n{version.etag}\n{version.bytes}".encode()).hexdigest()
        return self.folder / f"{name}.part"

    def is_whole(self, key: str, version: Version) -> bool:
        """Whether all of it has been brought."""
        path = self.path(key, version)
        return path.is_file() and path.stat().st_size == version.bytes

    def deliver(self, versions: Mapping[str, Version]) -> None:
        """Move versions that are whole below inbox/, each in one step, and write down that they are there.

        What lies staged beyond them is of versions that are no more.
        """
        for key, version in sorted(versions.items()):
            _move(self.path(key, version), self.project / version.file)
            self.delivered[key] = version
        self._write()
        for left in self.folder.glob("*.part"):
            left.unlink()

    def _write(self) -> None:
        aside = self.record.with_suffix(f".{os.getpid()}")
        with aside.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.delivered), indent=1))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.record)


def target(files: str, key: str) -> str | None:
    """Where an object goes: its key below the folders that the pattern of its source names; None for an unsafe key.

    Example:
        >>> target("inbox/aws/**/*.parquet", "2026-11/part-0.parquet")
        'inbox/aws/2026-11/part-0.parquet'
        >>> target("inbox/aws/*.csv", "../trisect.toml") is None
        True
    """
    parts = key.split("/")
    if any(not part or part.startswith(".") for part in parts) or any(ord(sign) < ord(" ") for sign in key):
        return None
    folders = PurePosixPath(files).parts[:-1]
    fixed = itertools.takewhile(lambda part: not any(sign in part for sign in _WILD), folders)
    return "/".join([*fixed, key])


def _move(staged: Path, destination: Path) -> None:
    """In one step, also where var/ and inbox/ lie on two file systems."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    try:
        staged.replace(destination)
    except OSError:
        beside = destination.with_name(f".{destination.name}.{os.getpid()}")
        shutil.copyfile(staged, beside)
        beside.replace(destination)
        staged.unlink()
