"""What a night costs after a long history: a backfill, a plain night, and a night with a late log and a late bill.

Run `python -m bench.nights [days]` from the root of the checkout; 365 days of 2,000 nodes are the year of 17.5
million charges. The daily tables are computed as a night computes them, in a real warehouse with its limit of memory;
every figure is printed beside a plain grouped sum over the same rows in the same warehouse.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from bench.ledger import MODELS, START, TEAMS, made_attempts, made_charges, made_policy, made_runs
from orchestration.code_digest import code_digest
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.token_usage import token_usage
from warehouse.connection import Limits, connect
from warehouse.incremental.plan import Slices
from warehouse.schemas import CATALOGUE
from warehouse.schemas.policy import Settings
from warehouse.schemas.raw import BillDeliveries, ChargeRows, Files, Readings, RequestHours
from warehouse.schemas.table import Table

DAILY: Final[tuple[Callable[..., pl.DataFrame], ...]] = (
    charges, delivered_days, token_usage, charge_rules, billed_days, billed_hours, pool_uses, deployment_shares,
    postings, booked_days,
)  # fmt: skip
HOURS: Final = 24
POOLS_SERVING: Final = 20


class Warehouse:
    """A warehouse in a folder that is thrown away, filled file by file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.files = 0

    def add(self, table: type[Table], rows: pl.DataFrame) -> None:
        """More rows of a table, absent columns null or of no meaning here."""
        whole = pl.concat([table.empty(), table.frame(rows)], how="diagonal")
        self.connection.register("rows", whole.to_arrow())
        self.connection.execute(f"INSERT INTO {table.qualified()} SELECT * FROM rows")
        self.connection.unregister("rows")

    def deliver(self, day: int) -> int:
        """The bill of one day as a file of its own; how many charges it has."""
        self.files += 1
        file, rows = f"file-{self.files:05}", made_charges(day * HOURS, (day + 1) * HOURS)
        places = rows.with_row_index("place").with_columns(
            pl.lit(file).alias("file_sha256"),
            pl.format("line {}", "place").alias("location"),
            pl.format("{}-{}", pl.lit(file), "place").alias("content_hash"),
            pl.format("{}-{}-------------------", pl.lit(file), "place").alias("dimension_hash"),
            pl.lit("H100").alias("gpu_model"),
        )
        self.add(ChargeRows, places)
        known = {"source": "cloud", "file": file, "file_sha256": file, "sha256": file, "reader_digest": "r"}
        seen = {"first_seen_at": START, "kind": "gpu_billing", "is_current": True, "billing_account_id": ""}
        month = (START + timedelta(days=day)).date().replace(day=1)
        more = {"delivery": file, "billing_period_start": month, "read_for": month, "flags": [], **known, **seen}
        zeros = dict.fromkeys(("bytes", "rows", "accepted", "quarantined", "duplicates", "blank", "foreign_lines",
                               "changed_ns", "refused", "repeated", "copied", "billed_cost"), 0)  # fmt: skip
        row = pl.DataFrame([{**zeros, **more, "rounding_residual": 0, "is_ahead": False}])
        for table in (Files, Readings, BillDeliveries):
            self.add(table, row)
        return rows.height

    def serve(self, first: int, after: int) -> None:
        """Every deployment serves both models to three teams in every hour of the days."""
        hours = (
            pl.datetime_range(
                START + timedelta(days=first), START + timedelta(days=after), "1h", closed="left", eager=True
            )
            .alias("hour")
            .to_frame()
        )
        kinds = (("model", MODELS), ("team", TEAMS), ("deployment", [f"chat-{2 * n}" for n in range(POOLS_SERVING)]))
        for name, values in kinds:
            hours = hours.join(pl.DataFrame({name: list(values)}), how="cross")
        counts = ("requests", "requests_with_usage", "cached_input_tokens", "output_tokens", "units", "duration_us")
        tokens = (pl.col("hour").dt.epoch("s") // 3600 * 7919 + pl.col("team").str.len_chars()) % 100_003 + 1
        self.add(
            RequestHours,
            hours.with_columns(
                pl.col("hour").dt.date().alias("day"), pl.col("hour").alias("part_start"), pl.lit("ok").alias("status"),
                pl.lit("gateway").alias("source"), tokens.alias("input_tokens"),
                *(pl.lit(1).alias(name) for name in counts),
            ),
        )  # fmt: skip

    def night(self, day: int) -> int:
        """Compute the daily tables of the night; how many days of tables were computed."""
        end = START + timedelta(days=day + 1)
        row = {"as_of": (end - timedelta(days=1)).date(), "night_end": end, "night_start": end, "built_at": end,
               "company": "bench", "currency": "USD", "law": "auto"}  # fmt: skip
        numbers = {name: 1 for name in Settings.columns() if name not in row}
        self.connection.execute(f"DELETE FROM {Settings.qualified()}")
        self.add(Settings, pl.DataFrame([row | numbers]))
        days = Slices(self.connection, code_digest, end.date() - timedelta(days=1))
        return sum(len(days.renew(function).computed) for function in DAILY)

    def lost(self) -> int:
        """Units of 10⁻¹² by which the postings miss the bill."""
        sums = [f"SELECT sum(billed_cost) FROM {table}" for table in ("raw.charge_rows", "ledger.postings")]
        (bill,), (ledger,) = [self.connection.execute(query).fetchall()[0] for query in sums]
        return int((bill - ledger).scaleb(12))

    def scanned(self) -> float:
        """Seconds of a plain grouped sum over the rows of the bill."""
        started = time.perf_counter()
        query = "SELECT resource_id, billing_period_start, sum(billed_cost) FROM raw.charge_rows GROUP BY ALL"
        self.connection.execute(query).fetchall()
        return time.perf_counter() - started


@contextmanager
def made(days: int) -> Iterator[Warehouse]:
    """A warehouse with policy, runs, requests and the bills of so many days."""
    with tempfile.TemporaryDirectory(prefix="nights-") as folder:
        warehouse = Warehouse(connect(Path(folder), Limits()))
        for name, rows in made_policy().items():
            warehouse.add(CATALOGUE[name], rows)
        models = [{"model_id": model, "aliases": [], "origin": "own"} for model in MODELS]
        warehouse.add(CATALOGUE["models"], pl.DataFrame(models, schema_overrides={"aliases": pl.List(pl.String)}))
        runs = made_runs(days * HOURS)
        warehouse.add(CATALOGUE["training_runs"], runs)
        warehouse.add(CATALOGUE["run_attempts"], made_attempts(runs))
        warehouse.serve(0, days)
        for day in range(days):
            warehouse.deliver(day)
        yield warehouse
        warehouse.connection.close()


def timed(name: str, warehouse: Warehouse, day: int) -> float:
    """Seconds of one night, printed."""
    started = time.perf_counter()
    computed = warehouse.night(day)
    seconds = time.perf_counter() - started
    print(f"{name:<44} {seconds:8.2f} s, {computed:5} days of tables computed", flush=True)
    return seconds


def main(days: int) -> None:
    """A backfill of all days but the last, the last as a plain night, then late news of an old day."""
    with made(days - 1) as warehouse:
        backfill = timed(f"backfill of {days - 1} days", warehouse, days - 2)
        warehouse.serve(days - 1, days)
        charges_a_night = warehouse.deliver(days - 1)
        plain = timed("a plain night", warehouse, days - 1)
        nothing = timed("the same night again", warehouse, days - 1)
        late = made_runs(HOURS).head(1).with_columns(pl.lit("late").alias("run_id"))
        warehouse.add(CATALOGUE["training_runs"], late)
        warehouse.add(CATALOGUE["run_attempts"], made_attempts(late))
        log = timed("a log that comes late, of the first day", warehouse, days - 1)
        warehouse.deliver(1)
        bill = timed("a bill that comes late, of the second day", warehouse, days - 1)
        scan, peak = warehouse.scanned(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        rows = charges_a_night * (days - 1)
        print(
            f"{rows:,} charges, {rows / backfill:,.0f} a second: {backfill / scan:.0f} x a grouped sum of {scan:.2f} s"
        )
        print(f"late log {log / plain:.2f} x, late bill {bill / plain:.2f} x a plain night (3 allowed)")
        print(f"nothing new {nothing / plain:.2f} x; peak {peak:.2f} GiB; units lost: {warehouse.lost()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
