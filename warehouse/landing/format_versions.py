"""Which version of its format each source has, told by the columns of its smallest file of charges, never by a name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from warehouse.landing.inbox import matched
from warehouse.sources.casts.date_guard import EARLIEST
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import batches
from warehouse.sources.decode.staging_copy import spooled, unpack
from warehouse.sources.reader_protocol import Delivered, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

_TRIED: Final = 5
"""Files of a source that are looked into: more than the other data sets that stand beside charges."""


def format_versions(project: Path, sources: Sequence[Source]) -> dict[str, str]:
    """The version of each source whose format has several, by its name; a file that cannot be read has none."""
    versions: dict[str, str] = {}
    for source in sources:
        version = FORMATS[source.kind, source.format].version
        if version is None:
            continue
        by_size = sorted(matched(project, source.files), key=lambda file: ((project / file).lstat().st_size, file))
        columns = (_columns(project, file) for file in by_size[:_TRIED])
        named = (version({column.casefold() for column in names}) for names in columns if names)
        if version_told := next(filter(None, named), None):
            versions[source.name] = version_told
    return versions


def _columns(project: Path, file: str) -> list[str]:
    """The names of the columns of a file; none where it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="trisect-") as folder:
        try:
            at = spooled(project, file)
            content = unpack(at, Path(folder) / "content")
            delivered = Delivered(file, at.sha256, at.bytes, content, EARLIEST, is_proved=True)
            first = next(batches(delivered, Layout({}, unmapped="kept")), None)
        except RejectedFile:
            return []
        return first.unmapped.columns if first else []
