"""Opens the warehouse: one DuckDB file, one writer, the settings that reliability demands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from warehouse import table_nights
from warehouse.errors import BusyError
from warehouse.recovery import DATABASE, is_locked, set_aside, set_aside_a_damaged_warehouse
from warehouse.schemas import CATALOGUE, STAGES


class WarehouseBusyError(BusyError):
    """Another process has the warehouse open."""


OF_DATABASE: Final = 0.5
"""The part of the memory that the database may fill with its pages; the rest is for what is computed from them."""


@dataclass(frozen=True)
class Limits:
    """How much of the machine a night may take."""

    memory: str = "4GB"
    threads: int = 0
    seconds_per_file: int = 600
    max_rejected_ratio: float = 0.01
    max_rejected_files: int = 0
    max_doubtful_ratio: float = 0.02

    def of_database(self) -> str:
        """The memory of the database, in the words of the setting: a number and a unit."""
        number = self.memory.rstrip(" KMGTiB")
        return f"{float(number) * OF_DATABASE}{self.memory.removeprefix(number)}"


def connect(var: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    """Open `var/warehouse.duckdb` for writing, with every table of the catalogue present.

    A warehouse that is damaged, or whose tables were laid out by another version, is set aside and rebuilt from the
    inbox: nothing in it is known nowhere else.

    Raises:
        WarehouseBusyError: when another process holds the file; wait for it, or close the tool that reads it.
    """
    spill = var / "tmp" / "spill"
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        connection = _opened(var / DATABASE)
    except duckdb.Error:
        if not set_aside_a_damaged_warehouse(var):
            raise
        connection = _opened(var / DATABASE)
    if _layout(connection) not in {"", _catalogue_digest()}:
        connection.close()
        set_aside(var, "was laid out by another version of Trisect")
        connection = _opened(var / DATABASE)
    _lay_out(connection)
    _confine(connection, var, spill, limits)
    return connection


def look(var: Path) -> duckdb.DuckDBPyConnection:
    """Open the warehouse for reading only.

    Raises:
        WarehouseBusyError: when a run is writing; wait for it.
        FileNotFoundError: when no night has run yet, or none with this version.
    """
    path = var / DATABASE
    if not path.is_file():
        raise FileNotFoundError(f"no {path}; run `trisect run` first")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise WarehouseBusyError(f"{path.name} is being written; wait for the run to end") from error
    connection.execute("SET TimeZone = 'UTC'")
    if connection.execute("SELECT digest FROM meta.layout").fetchall() != [(_catalogue_digest(),)]:
        connection.close()
        raise FileNotFoundError(f"{path.name} was laid out by another version; run `trisect run` first")
    return connection


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        if is_locked(error):
            raise WarehouseBusyError(
                f"{path.name} is open in another process; close it there, or read published/ instead"
            ) from error
        raise
    path.chmod(0o600)
    return connection


def _catalogue_digest() -> str:
    return hashlib.sha256("\n".join(table.ddl() for table in CATALOGUE.values()).encode()).hexdigest()


def _layout(connection: duckdb.DuckDBPyConnection) -> str:
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute("CREATE TABLE IF NOT EXISTS meta.layout (digest VARCHAR)")
    connection.execute(table_nights.LAYOUT)
    rows = connection.execute("SELECT digest FROM meta.layout").fetchall()
    return str(rows[0][0]) if rows else ""


def _lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    if _layout(connection):
        return
    connection.begin()
    for stage in STAGES:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {stage.__name__.rpartition('.')[2]}")
    for table in CATALOGUE.values():
        connection.execute(table.ddl())
    connection.execute("INSERT INTO meta.layout VALUES (?)", [_catalogue_digest()])
    connection.commit()


def _confine(connection: duckdb.DuckDBPyConnection, var: Path, spill: Path, limits: Limits) -> None:
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("SET memory_limit = ?", [limits.of_database()])
    if limits.threads:
        connection.execute("SET threads = ?", [limits.threads])
    connection.execute("SET temp_directory = ?", [str(spill)])
    connection.execute("SET max_temp_directory_size = '100GB'")
    connection.execute("SET allowed_directories = ?", [[str(var)]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
