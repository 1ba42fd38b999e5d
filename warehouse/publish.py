"""Published nights: complete directories that never change, and `current`, switched atomically.

Everything is written aside, flushed to the disk and renamed, so that a kill at any moment leaves the old or the new
night standing, never half of one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from warehouse.file_digest import digest

NIGHT_DIRECTORY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-r(\d+))?")
CURRENT: Final = "current"


def nights(published: Path) -> dict[date, int]:
    """Latest revision of every published night; only directories that are complete count."""
    revision_by_night: dict[date, int] = {}
    for path in sorted(published.iterdir()) if published.is_dir() else ():
        name = NIGHT_DIRECTORY.fullmatch(path.name)
        if name and path.is_dir():
            night, revision = date.fromisoformat(name[1]), int(name[2] or 1)
            revision_by_night[night] = max(revision, revision_by_night.get(night, 0))
    return revision_by_night


def oldest_kept(today: date, months: int) -> date:
    """The first night whose directory is kept for its own sake."""
    month = today.year * 12 + today.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def directory(published: Path, night: date, revision: int) -> Path:
    """Where a revision of a night is published."""
    return published / (night.isoformat() if revision == 1 else f"{night.isoformat()}-r{revision}")


def manifest(published: Path, night: date, revision: int) -> dict[str, Any]:
    """The manifest of a published revision."""
    text = (directory(published, night, revision) / "manifest.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def files_read(published: Path, night: date, revision: int) -> dict[str, datetime]:
    """When the revision was published, by each file of the inbox that it knows."""
    at = datetime.fromtimestamp((directory(published, night, revision) / "manifest.json").stat().st_mtime, UTC)
    return {entry["file"]: at for entry in manifest(published, night, revision)["inputs"]}


def is_intact(path: Path) -> bool:
    """Whether every output the manifest lists is there with its digest."""
    try:
        outputs = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["outputs"]
        return all(digest(path / output["file"]) == output["sha256"] for output in outputs)
    except (OSError, ValueError, KeyError):
        return False


def publish(published: Path, night: date, revision: int, files: Mapping[str, bytes | Path]) -> Path:
    """Publish `files` (the manifest among them) as a revision of the night, then let `current` name the newest.

    A file that is given by its path is moved; one that stands in the revision before with the same digest is that file
    (a hard link; a copy where there are none), so that a night adds what it changed.
    """
    published.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = directory(published, night, revision)
    aside = published / f".{target.name}.{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    before = _newest_outputs(published)
    for name, content in files.items():
        (aside / name).parent.mkdir(mode=0o700, exist_ok=True)
        is_old = isinstance(content, Path) and name in before and before[name].sha256 == digest(content)
        if not (is_old and _is_linked(before[name], aside / name)):
            _write(aside / name, content)
    for folder in {(aside / name).parent for name in files}:
        _flush(folder)
    _flush(aside)
    aside.rename(target)
    _flush(published)
    point_to_newest(published)
    return target


def write_page(published: Path, name: str, content: bytes) -> None:
    """Write a file that stands beside the nights, whole, where it says something else than before."""
    path = published / name
    if not (path.is_file() and path.read_bytes() == content):
        aside = published / f".{CURRENT}.{os.getpid()}"
        aside.unlink(missing_ok=True)
        _write(aside, content)
        aside.rename(path)
        _flush(published)


class _Output(NamedTuple):
    """One file of a published night, and the digest that its manifest gives it."""

    path: Path
    sha256: str


def _newest_outputs(published: Path) -> dict[str, _Output]:
    """The files of the newest night's latest revision that are what the manifest says, by name."""
    revision_by_night = nights(published)
    if not revision_by_night:
        return {}
    path = directory(published, max(revision_by_night), revision_by_night[max(revision_by_night)])
    try:
        outputs = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError, KeyError):
        return {}
    return {output["file"]: _Output(path / output["file"], output["sha256"]) for output in outputs}


def _is_linked(standing: _Output, path: Path) -> bool:
    """Give the file that stands there another name, if it is still what its manifest says."""
    try:
        os.link(standing.path, path, follow_symlinks=False)
    except OSError:
        return False
    if digest(path) == standing.sha256:
        return True
    path.unlink()
    return False


def withdraw(path: Path) -> None:
    """Take a published directory away: renamed first, so that what a kill leaves of it is swept by the next night."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    path.rename(aside)
    _flush(path.parent)
    shutil.rmtree(aside, ignore_errors=True)


def point_to_newest(published: Path) -> None:
    """Let `current` name the newest night's latest revision; sweep away what killed runs left."""
    revision_by_night = nights(published)
    if not revision_by_night:
        return
    newest = max(revision_by_night)
    name = directory(published, newest, revision_by_night[newest]).name
    link = published / CURRENT
    if not (link.is_symlink() and os.readlink(link) == name):  # noqa: PTH115 - the text of the link, not its target
        aside = published / f".{CURRENT}.{os.getpid()}"
        aside.unlink(missing_ok=True)
        aside.symlink_to(name)
        aside.rename(link)
        _flush(published)
    for left in published.glob(".[0-9c]*.[0-9]*"):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() and not left.is_symlink() else left.unlink()


def _write(path: Path, content: bytes | Path) -> None:
    if isinstance(content, Path):
        content.rename(path)
        _flush(path)
    else:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    path.chmod(0o600)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
