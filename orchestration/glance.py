"""A look at the inbox that changes nothing: landed into a warehouse that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from orchestration.settings import Project
from warehouse import landing, tables
from warehouse.arrivals import Place
from warehouse.connection import connect
from warehouse.schemas.raw import Files, Quarantine


@dataclass(frozen=True)
class Glance:
    """What a landing of the inbox finds."""

    landing: landing.Landing
    files: pl.DataFrame
    quarantine: pl.DataFrame
    last_day: date

    def sentences(self) -> Iterator[str]:
        """One line for each source and each refused row or file."""
        counts = ("rows", "accepted", "quarantined", "duplicates", "blank")
        for source, files in self.files.sort("source", "file").partition_by("source", as_dict=True).items():
            sums = ", ".join(f"{files[name].sum():,} {name}" for name in counts)
            flags = sorted({flag for row in files["flags"] for flag in row})
            yield f"{source[0]}: {files.height:,} files, {sums}" + (f" ({', '.join(flags)})" if flags else "")
        for row in self.quarantine.sort("source", "file", "location").iter_rows(named=True):
            yield f"refused: {row['reason']}: {row['file']}, {row['location']}: {row['detail'] or row['raw']}"


@contextmanager
def glanced(project: Project, until: date) -> Iterator[Glance]:
    """Land the inbox as of the night `until` beside the project, and look at what came of it."""
    with tempfile.TemporaryDirectory(prefix="trisect-") as folder:
        place = Place(project.root, Path(folder))
        connection = connect(place.var, project.settings.machine())
        try:
            landed = landing.land(place, project.settings.sources(), connection, until)
            yield Glance(
                landed,
                tables.read(connection, Files),
                tables.read(connection, Quarantine),
                landing.last_day(connection, place.var, until),
            )
        finally:
            connection.close()
