"""What the economics of a night cost after a long history, in a real warehouse: by days and months, and all at once.

    python -m bench.economics_nights [--years 3] [--models 500] [--teams 50]

The ledger is that of bench.economics. Prints the seconds of a backfill, of a plain night, of a bill that comes late for
a day of last month and of the same night again, each beside the same night computed all at once and beside a plain
grouped sum over the booked lines; fails where a table is not what it is when computed all at once.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from bench.economics import FLOW, NIGHT, company
from orchestration.code_digest import code_digest
from warehouse import tables
from warehouse.connection import Limits, connect
from warehouse.incremental import fingerprints
from warehouse.incremental.plan import Slices
from warehouse.schemas import CATALOGUE
from warehouse.schemas.ledger import BookedDays
from warehouse.schemas.policy import Settings
from warehouse.schemas.staging import TokenUsage
from warehouse.schemas.table import Table

DAY: Final = timedelta(days=1)
LATE: Final = NIGHT - 40 * DAY
SERVED: Final = pl.col("hour").dt.date()


class Warehouse:
    """A warehouse in a folder that is thrown away, with the economics of a made company."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, made: dict[str, pl.DataFrame]) -> None:
        self.connection = connection
        self.settings = made.pop("settings")
        Slices(connection, code_digest, NIGHT)
        for name, rows in made.items():
            self.add(CATALOGUE[name], rows)

    def add(self, table: type[Table], rows: pl.DataFrame) -> None:
        """More rows; the days of the usage are told as the night that computes it tells them."""
        tables.append(self.connection, table.qualified(), table.frame(rows))
        if table is TokenUsage:
            facts = fingerprints.content(self.connection, table, fingerprints.Axis.HOURS)
            known = [(table.table_name, day, "", *found) for day, found in facts.items()]
            self.connection.execute("DELETE FROM meta.slices WHERE name = ?", [table.table_name])
            self.connection.executemany("INSERT INTO meta.slices VALUES (?, ?, ?, ?, ?)", known)

    def night(self, night: date) -> float:
        """Seconds that the economics of a night take, reading and writing included."""
        tables.write(self.connection, Settings, self._settings(night))
        started = time.perf_counter()
        frames, days = tables.Frames(self.connection), Slices(self.connection, code_digest, night)
        for function in FLOW:
            table = CATALOGUE[function.__name__]
            if fingerprints.is_sliced(table):
                days.renew(function)
                frames.forget(table.table_name)
            else:
                rows = function(**{name: frames[name] for name in signature(function).parameters})
                frames.keep(table.table_name, tables.write(self.connection, table, rows))
        return time.perf_counter() - started

    def anew(self) -> float:
        """Seconds of the last night where no day of the economics is known."""
        self.connection.execute("DELETE FROM meta.slices WHERE name <> ?", [TokenUsage.table_name])
        return self.night(NIGHT)

    def scan(self) -> float:
        """Seconds of a plain grouped sum over the booked lines."""
        query = f"SELECT model_id, phase, sum(effective_cost) FROM {BookedDays.qualified()} GROUP BY ALL"
        started = time.perf_counter()
        self.connection.execute(query).fetchall()
        return time.perf_counter() - started

    def content(self) -> dict[str, object]:
        """A digest of every table of the economics."""
        names = [CATALOGUE[function.__name__].qualified() for function in FLOW]
        query = "SELECT sum(hash(t)::HUGEINT) FROM {} AS t"
        return {name: self.connection.execute(query.format(name)).fetchall() for name in names}

    def _settings(self, night: date) -> pl.DataFrame:
        start = datetime(night.year, night.month, night.day, tzinfo=UTC)
        clock = {"as_of": night, "night_start": start, "night_end": start + DAY, "built_at": start + DAY}
        row = {**dict.fromkeys(Settings.columns(), 1), **self.settings.row(0, named=True), **clock, "company": "bench"}
        return Settings.frame(pl.DataFrame([row]))


@contextmanager
def opened(made: dict[str, pl.DataFrame]) -> Iterator[Warehouse]:
    """A warehouse of its own."""
    with tempfile.TemporaryDirectory(prefix="economics-") as folder:
        connection = connect(Path(folder), Limits())
        yield Warehouse(connection, made)
        connection.close()


def main() -> int:
    """The day before the night, the night, a late bill, nothing new; then the night all at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("years", 3), ("models", 500), ("teams", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args()
    made = company(wanted.years * 365, wanted.models, wanted.teams)
    booked, usage = made.pop("booked_days"), made.pop("token_usage")
    is_new = pl.col("charge_date") == NIGHT
    is_late = (pl.col("charge_date") == LATE) & (pl.col("pool_id") == "pool-7")
    seconds: dict[str, float] = {}
    with opened(made) as warehouse:
        warehouse.add(BookedDays, booked.filter(~is_new, ~is_late))
        warehouse.add(TokenUsage, usage.filter(SERVED < NIGHT))
        seconds["backfill"] = warehouse.night(NIGHT - DAY)
        warehouse.add(BookedDays, booked.filter(is_new))
        warehouse.add(TokenUsage, usage.filter(SERVED == NIGHT))
        seconds["a plain night"] = warehouse.night(NIGHT)
        warehouse.add(BookedDays, booked.filter(is_late))
        seconds["a late bill"] = warehouse.night(NIGHT)
        seconds["nothing new"] = warehouse.night(NIGHT)
        by_days, scan = warehouse.content(), warehouse.scan()
        seconds["all at once"] = whole = warehouse.anew()
        different = [name for name, content in warehouse.content().items() if content != by_days[name]]
    for name, taken in seconds.items():
        print(f"{name:16} {taken:7.2f} s {taken / whole:6.2f} x all at once {taken / scan:8.0f} x a grouped sum")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{booked.height:,} lines; peak {peak:.2f} GiB; tables that differ: {different}")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
