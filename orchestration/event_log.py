"""Dagster's event log on SQLite, with its connections kept and announcements written at once.

Dagster opens the file anew for every event and compiles every statement anew: a quarter of the processor time of a
small night. What is stored is the same, so that any Dagster of the pinned version reads the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any, Self

from dagster import EventLogEntry, StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage  # users of Dagster name it in dagster.yaml
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, event


class EventLog(SqliteEventLogStorage):
    """The event log below Dagster's home directory: an index, and one file for each run."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._batch = ExitStack()
        self._batching_thread = 0
        self._in_batch: dict[str, Connection] = {}
        super().__init__(str(Path(home) / "history" / "runs"), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """`home`: Dagster's home directory."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """As Dagster makes it from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events in one transaction of each file."""
        with self._db_lock, ExitStack() as self._batch:
            self._batching_thread = get_ident()
            self._batch.callback(self._batch_ended)
            for event in events:
                self.store_event(event)

    def _batch_ended(self) -> None:
        self._batching_thread = 0
        self._in_batch = {}

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if self._batching_thread == get_ident():
            if shard not in self._in_batch:
                self._in_batch[shard] = self._batch.enter_context(self._engine(shard).begin())
            yield self._in_batch[shard]
        else:
            with self._db_lock, self._engine(shard).begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            if shard != INDEX_SHARD_NAME:  # the file of a run stays open while the index is opened beside it
                for other in self._engines.keys() - {INDEX_SHARD_NAME}:
                    self._engines.pop(other).dispose()
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                pool_size=1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(self._engines[shard], "connect", _without_a_flush_each)
            self._initdb(self._engines[shard])
        return self._engines[shard]


def _without_a_flush_each(connection: Any, _: object) -> None:  # noqa: ANN401 - SQLAlchemy's word for sqlite3.Connection
    """Flush the log to the disk at checkpoints, not at each of a night's two thousand commits.

    A loss of power can cost the last events of a run, never the file; what a night publishes does not depend on them.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
