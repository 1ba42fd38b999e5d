"""The files of the inbox that a source names, found without following links or trusting names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CONTROL: Final = ".control.json"


def matched(project: Path, pattern: str) -> list[str]:
    """Paths below the project that match the pattern, in path order; control files and hidden files are no data.

    `**` is any number of folders, `*` and `?` stay within one name, nothing else is special: a file name is data.
    """
    wanted = re.compile(_expression(pattern), re.DOTALL)
    folder = "/".join(_plain_folders(pattern))
    return sorted(path for path in _walk(project, folder) if wanted.fullmatch(path) and not path.endswith(CONTROL))


def controls(project: Path, pattern: str) -> list[str]:
    """Control files beside what the pattern matches."""
    folders = {path.rpartition("/")[0] for path in matched(project, pattern)}
    everything = {path for folder in folders for path in _walk(project, folder)}
    return sorted(path for path in everything if path.endswith(CONTROL) and path.rpartition("/")[0] in folders)


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
    for place, folders, files in os.walk(project / folder, followlinks=False):
        inside = Path(place).relative_to(project).as_posix()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            if not name.startswith("."):
                yield f"{inside}/{name}"
