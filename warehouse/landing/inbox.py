"""The files of the inbox that a source names, found without following links or trusting names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

CONTROL: Final = ".control.json"
MANIFEST: Final = "manifest.json"


def matched(project: Path, pattern: str) -> list[str]:
    """Paths below the project that match the pattern, in path order; control files and hidden files are no data.

    `**` is any number of folders, `*` and `?` stay within one name, nothing else is special: a file name is data. A
    link to a folder in which files could match is listed too: what lies behind it is refused, not overlooked.
    """
    wanted = re.compile(_expression(pattern), re.DOTALL)
    on_the_way = [re.compile(folder, re.DOTALL) for folder in _folders(pattern)]
    return sorted(
        path
        for path in _walk(project, "/".join(_plain_folders(pattern)))
        if not path.endswith(CONTROL) and (wanted.fullmatch(path) or _hides(project / path, path, on_the_way))
    )


class Arrival(NamedTuple):
    """A file of the inbox, and when the file system last changed it: content, name or place."""

    file: str
    at: datetime


def late_arrivals(project: Path, patterns: Iterable[str], read: Mapping[str, datetime]) -> list[Arrival]:
    """Files that match a pattern and came after all were read, or changed since; `read` says when each was."""
    arrivals = []
    for file in sorted({path for pattern in patterns for path in matched(project, pattern)}):
        try:
            at = datetime.fromtimestamp((project / file).lstat().st_ctime, UTC)
        except FileNotFoundError:
            continue
        if file not in read or at > read[file]:
            arrivals.append(Arrival(file, at))
    return arrivals


def controls(project: Path, pattern: str) -> list[str]:
    """Control files in the folders in which files could match the pattern, in path order."""
    beside = re.compile(["", *_folders(pattern)][-1] + "[^/]*", re.DOTALL)
    everything = _walk(project, "/".join(_plain_folders(pattern)))
    return sorted(path for path in everything if path.endswith(CONTROL) and beside.fullmatch(path))


def manifests(project: Path, pattern: str) -> list[str]:
    """The manifests of exporters in or above the folders in which files could match the pattern, in path order."""
    everything = _walk(project, "/".join(_plain_folders(pattern)))
    return sorted(path for path in everything if path.casefold().endswith(MANIFEST))


def matches(pattern: str, path: str) -> bool:
    """Whether a file of this path would be data of the pattern."""
    name = path.rpartition("/")[2]
    is_named = re.fullmatch(_expression(pattern), path, re.DOTALL) is not None
    return is_named and not name.startswith(".") and not name.endswith(CONTROL)


def accompanies(pattern: str, path: str) -> bool:
    """Whether a file of this path says something of data of the pattern: a control file, or a provider's manifest."""
    folders = ["", *_folders(pattern)][-1]
    is_beside = re.fullmatch(folders + "[^/]*", path, re.DOTALL) is not None
    return (is_beside and path.endswith(CONTROL)) or path.casefold().endswith(MANIFEST)


def _hides(entry: Path, path: str, on_the_way: list[re.Pattern[str]]) -> bool:
    return any(folder.fullmatch(path + "/") for folder in on_the_way) and entry.is_symlink() and entry.is_dir()


def _folders(pattern: str) -> Iterator[str]:
    """Expressions for the folders on the way to a match, the last one for those in which a match lies."""
    parts = [_part(part) for part in pattern.split("/")[:-1]]
    yield from ("".join(parts[: depth + 1]) for depth in range(len(parts)))


def _plain_folders(pattern: str) -> Iterator[str]:
    for part in pattern.split("/")[:-1]:
        if "*" in part or "?" in part:
            return
        yield part


def _expression(pattern: str) -> str:
    parts = [_part(part) for part in pattern.split("/")]
    return "".join(parts[:-1]) + parts[-1].removesuffix("/")


def _part(part: str) -> str:
    if part == "**":
        return "(?:[^/]+/)*"
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in part) + "/"


def _walk(project: Path, folder: str) -> Iterator[str]:
    """Every entry that is no folder, links to folders among them, which are refused when they are opened."""
    for directory, folders, files in os.walk(project / folder, followlinks=False):
        inside = Path(directory).relative_to(project).as_posix()
        links = [name for name in folders if (Path(directory) / name).is_symlink()]
        names = (name for name in (*files, *links) if not name.startswith("."))
        yield from (f"{inside}/{name}".removeprefix("./") for name in names)
