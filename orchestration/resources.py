"""What the assets share during a run: the project, its open warehouse, and the clock of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb
import polars as pl
from pydantic import PrivateAttr

from orchestration import last_failure
from orchestration.clock import moment
from orchestration.run_lock import sole_run
from orchestration.settings import Project, load
from warehouse import table_nights, tables
from warehouse.connection import connect
from warehouse.errors import HeldError
from warehouse.recovery import set_aside_a_damaged_warehouse
from warehouse.schemas.table import Table
from warehouse.snapshot import write_snapshot

STEPS = logging.getLogger("trisect.steps")
PARTITION: Final = "dagster/partition"
"""The tag of a run that names its night."""


class OtherNightError(HeldError):
    """The warehouse holds another night than the run is for; nothing is wrong with either."""


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse of one project, open for one run; `now` is the run's clock, empty for the wall clock."""

    root: str
    now: str = ""
    _connection: duckdb.DuckDBPyConnection = PrivateAttr()
    _project: Project = PrivateAttr()
    _frames: tables.Frames = PrivateAttr()
    _night: date | None = PrivateAttr(default=None)
    _written: set[str] = PrivateAttr(default_factory=set)
    _is_finished: bool = PrivateAttr(default=False)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Open the warehouse for the run, which no other run shares; checkpoint and close it afterwards."""
        partition = context.run.tags.get(PARTITION) if context.run else None
        self._night = date.fromisoformat(partition) if partition else None
        self._project = load(Path(self.root))
        with sole_run(self._project.var):
            failed = last_failure.noted(self._project.var)
            if failed is not None and not failed.is_held:
                set_aside_a_damaged_warehouse(self._project.var)
            self._connection = connect(self._project.var, self._project.settings.machine())
            self._frames = tables.Frames(self._connection, self.require)
            try:
                yield self
            finally:
                self._connection.close()
            if self._is_finished and self._project.settings.retention.snapshot:
                write_snapshot(self._project.var)

    @property
    def project(self) -> Project:
        """The project of the run."""
        return self._project

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The one writer."""
        return self._connection

    def finish(self) -> None:
        """Say that the night is whole: readers get a copy of the warehouse once the run has closed it."""
        self._is_finished = True

    def clock(self) -> datetime:
        """The run's now, to the second."""
        return moment(self.now)

    @property
    def frames(self) -> tables.Frames:
        """Every table by name, as this run has written it so far."""
        return self._frames

    def read(self, names: Iterable[str]) -> dict[str, pl.DataFrame]:
        """The tables of these names, of the night of the run."""
        return {name: self._frames[name] for name in names}

    def require(self, wanted: Sequence[type[Table]]) -> None:
        """Refuse to read a table that holds another night than the run is for.

        Raises:
            OtherNightError: naming the first such table and both nights.
        """
        if self._night is None:
            raise OtherNightError("held: other_night: the run is for no single night; ask for one partition at a time")
        others = table_nights.others(self._connection, wanted, self._night)
        others = [other for other in others if other.name not in self._written]
        if others:
            name, holds = others[0]
            raise OtherNightError(
                f"held: other_night: {name} holds {holds or 'no whole night'}, {self._night} is asked for; "
                f"materialize every asset of that partition, or run `trisect run --night {self._night}`"
            )

    @contextmanager
    def writing(self, *written: type[Table]) -> Iterator[set[type[Table]]]:
        """While it lasts the tables hold no night that another run could read; afterwards that of this run.

        What is put into the set that it gives goes on holding none: a table that a check holds is read by no other run.
        """
        held: set[type[Table]] = set()
        table_nights.begin(self._connection, written)
        yield held
        if self._night is not None:
            table_nights.finish(self._connection, [table for table in written if table not in held], self._night)

    def write(self, table: type[Table], rows: pl.DataFrame) -> dg.MaterializeResult[None]:
        """Write the table; tell Dagster how many rows it has and show a few."""
        written = tables.write(self._connection, table, rows)
        self._written.add(table.qualified())
        self._frames.keep(table.table_name, written)
        STEPS.info("%s: %s rows", table.qualified(), f"{written.height:,}")
        return dg.MaterializeResult(
            asset_key=key(table),
            metadata=metadata(written.height, written),
            data_version=dg.DataVersion(tables.content_version(self._connection, table)),
        )

    def landed(self, table: type[Table], version: str | None = None, **facts: int) -> dg.MaterializeResult[None]:
        """Tell Dagster what was written past this: how many rows the table has now, its version, and other facts.

        Without a version Dagster makes one of the code and of the versions of what the table reads.
        """
        self._written.add(table.qualified())
        self._frames.forget(table.table_name)
        rows, first = tables.count(self._connection, table), tables.head(self._connection, table)
        STEPS.info("%s: %s rows", table.qualified(), f"{rows:,}")
        return dg.MaterializeResult(
            asset_key=key(table),
            metadata={**metadata(rows, first), **facts},
            data_version=dg.DataVersion(version) if version else None,
        )


def key(table: type[Table]) -> dg.AssetKey:
    """The asset of a table: `[stage, table]`."""
    return dg.AssetKey([table.table_stage, table.table_name])


def metadata(rows: int, first: pl.DataFrame) -> Mapping[str, dg.MetadataValue]:
    """Row count and a few rows."""
    return {"dagster/row_count": dg.MetadataValue.int(rows), "preview": preview(first)}


def preview(rows: pl.DataFrame) -> dg.TableMetadataValue:
    """A few rows as a table of texts, in which no viewer takes a name for markup."""
    records = [dg.TableRecord(cells) for cells in tables.cells(rows)]
    columns = [dg.TableColumn(name, str(kind)) for name, kind in rows.schema.items()]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def night_of(context: dg.AssetExecutionContext) -> date:
    """The night that the run is for."""
    return date.fromisoformat(context.partition_key)


def night_end(context: dg.AssetExecutionContext) -> datetime:
    """The first moment after the night."""
    night = night_of(context)
    return datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1)
