"""Requests marked and reduced on a Spark cluster that sees the same `var` as this process.

The cluster does what grows with the requests: finding the rows whose identity occurs again, and reducing to hours by
the definition as it stands. What it finds comes back as Parquet below `var/tmp`, so that no machine has to hold it;
which of the candidates count is decided here, by the same rules as without a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import duckdb
import narwhals as nw
import polars as pl

from warehouse.landing.requests.identities import Identity
from warehouse.landing.requests.landed_parquet import LandedFile, settled
from warehouse.landing.requests.reduction import Definition, boundaries_within, counting, marks_and_proofs
from warehouse.private_folders import private_folder
from warehouse.schemas.landed import Requests
from warehouse.schemas.raw import RequestHours

_SETTINGS: Final[Mapping[str, str]] = {
    "spark.app.name": "trisect",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",  # it would answer anybody on the network
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # a sum that overflows is an error, not a number
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
_GLOB: Final = re.compile(r"([\\*?\[\]{},])")


class SparkCluster:
    """The cluster at `master`, and the `var` that it shares with this process."""

    def __init__(self, master: str, var: Path) -> None:
        self._master = master
        self._var = var.resolve()

    @contextmanager
    def candidates(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], identity: Identity
    ) -> Iterator[bool]:
        """As `candidates_on_duckdb`, looked for on the cluster."""
        with private_folder(self._var, "candidates") as folder:
            self._write_candidates(files, identity, folder)
            parts = [str(path) for path in sorted((folder / "rows").glob("*.parquet"))]
            rows = connection.read_parquet(parts) if parts else None
            if rows is None or rows.limit(1).fetchall() == []:
                yield False
                return
            settled(connection, rows).create_view("candidate_rows")
            try:
                yield True
            finally:
                connection.execute("DROP VIEW candidate_rows")

    def _write_candidates(self, files: Sequence[LandedFile], identity: Identity, folder: Path) -> None:
        session = self._session()
        keys = [f"key_{number}" for number in range(len(identity.columns))]
        rows = self._rows(session, files, folder).selectExpr(
            "*", *(f"{column} AS {key}" for column, key in zip(identity.columns, keys, strict=True))
        )
        occurring = rows.where(identity.among).groupBy(*keys)
        functions = import_module("pyspark.sql.functions")
        alone = functions.bool_or(functions.expr(identity.alone or "false"))
        repeated = occurring.agg(functions.count("*").alias("n"), alone.alias("alone")).where("n > 1 OR alone")
        again = repeated.select(*(functions.col(key).alias(f"again_{key}") for key in keys))
        same = functions.expr(" AND ".join(f"{key} <=> again_{key}" for key in keys))
        columns = [*Requests.columns(), "delivery"]
        rows.join(again, same, "left_semi").select(*columns).write.parquet(f"file://{folder / 'rows'}")

    def reduce(
        self,
        connection: duckdb.DuckDBPyConnection,
        files: Sequence[LandedFile],
        definition: Definition,
        boundaries: Sequence[datetime],
        rows_by_day: Mapping[date, int],
    ) -> pl.DataFrame:
        """As `reduce_on_duckdb`, by the definition as it stands; the cluster is given back afterwards."""
        session, days = self._session(), ", ".join(f"DATE '{day.isoformat()}'" for day in rows_by_day)
        with private_folder(self._var, "reduction") as folder:
            marks, beside = (
                nw.from_native(self._sent(session, frame, folder / f"{name}.parquet"))
                for name, frame in zip(("marks", "proofs"), marks_and_proofs(connection, files), strict=True)
            )
            rows = nw.from_native(self._rows(session, files, folder).where(f"day IN ({days})"))
            within = boundaries_within(boundaries, list(rows_by_day))
            hours = definition.reduced(counting(rows, marks, beside), within).to_native().toArrow()
        session.stop()
        return RequestHours.frame(pl.DataFrame(hours)).sort(*definition.KEYS, nulls_last=True)

    def _session(self) -> Any:  # noqa: ANN401 - PySpark is an extra
        builder = import_module("pyspark.sql").SparkSession.builder.master(self._master)
        return builder.config(map=dict(_SETTINGS)).getOrCreate()

    def _rows(self, session: Any, files: Sequence[LandedFile], folder: Path) -> Any:  # noqa: ANN401
        """Every landed row with its `delivery`."""
        names = pl.DataFrame({"landed": [file.path.name for file in files], "delivery": range(len(files))})
        deliveries = self._sent(session, names.cast({"delivery": pl.Int64}), folder / "deliveries.parquet")
        rows = session.read.parquet(*(_uri(file.path) for file in files))
        named = rows.selectExpr(*Requests.columns(), "_metadata.file_name AS landed")
        return named.join(deliveries.hint("broadcast"), "landed").drop("landed")

    @staticmethod
    def _sent(session: Any, frame: pl.DataFrame, path: Path) -> Any:  # noqa: ANN401
        frame.write_parquet(path)
        return session.read.parquet(_uri(path))


def _uri(path: Path) -> str:
    """The path as Spark reads it: a bare * or bracket would be a pattern; what it writes to is no pattern."""
    return "file://" + _GLOB.sub(r"\\\1", str(path))
