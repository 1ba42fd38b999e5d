"""What landing typed requests costs beside reading them: `python bench/landing.py [requests] [plan]` from the root.

Writes requests of one night as typed Parquet, then, each in a process of its own on the same file: reads every column
once (`scan`), reduces them exactly with SQL written by hand (`hand`), lands them by the product's readers and marks and
reduces them (`product`), and lands them by way of text as any other file (`text`). Prints processor seconds, which a
busy machine does not change much, peak memory and ratios.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from bench.telemetry import DAY, MEMORY, START, requests
from transforms.staging import request_hours
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import reduce_on_duckdb
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import table
from warehouse.sources.requests.cache_accounting import INSIDE
from warehouse.sources.requests.request_reader import read_requests
from warehouse.sources.source import Source

NAMES = (
    *("request_id", "start_at", "end_at", "model", "deployment_id", "team", "tenant", "task", "status"),
    *("input_tokens", "cached_input_tokens", "output_tokens"),
)
SOURCE = Source("gateway", "request_telemetry", "table", "inbox/gateway/*.parquet")
NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
PLANS = ("scan", "hand", "product", "text")
BATCH = 1_000_000
HAND = """
    WITH one AS (
        SELECT * FROM requests QUALIFY row_number() OVER (PARTITION BY request_id ORDER BY end_at DESC) = 1
    )
    SELECT date_trunc('hour', start_at) AS hour, model, deployment_id, team, tenant, task, status, count(*),
           sum(input_tokens), sum(cached_input_tokens), sum(output_tokens),
           quantile_disc(epoch_us(end_at) - epoch_us(start_at), [0.5, 0.95])
    FROM one GROUP BY ALL
"""


def main(count: int) -> None:
    """Print what each plan takes, and its ratio to the scan and to the hand-written plan."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests.parquet"
        write(path, count)
        print(f"{count:,} requests, {path.stat().st_size / 1e6:,.0f} MB typed Parquet")
        seconds = {plan: of_process(plan, path) for plan in PLANS}
        for plan in PLANS[2:]:
            over = ", ".join(f"{seconds[plan] / seconds[other]:.1f} x {other}" for other in PLANS[:2])
            print(f"{plan}: {over}")


def of_process(plan: str, path: Path) -> float:
    """Seconds that a plan takes in a process of its own, which prints them with its peak memory."""
    run = subprocess.run(  # noqa: S603 - this file, with arguments of its own
        [sys.executable, "-m", "bench.landing", plan, str(path)], check=True, capture_output=True, text=True
    )
    print(run.stdout.strip())
    return float(run.stdout.split()[1])


def write(path: Path, count: int) -> None:
    """Requests of one night as a gateway would export them; one in a hundred stands there twice."""
    rng = np.random.default_rng(1)
    parts = [requests(rng, min(BATCH, count - start)) for start in range(0, count, BATCH)]
    frame = pl.concat(parts).rename({"deployment": "deployment_id"}).select(NAMES)
    pl.concat([frame, frame.gather_every(100)]).write_parquet(path, row_group_size=1 << 18)


def connected(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database with the memory of a night."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET memory_limit = ?", [MEMORY])
    connection.execute("SET temp_directory = ?", [str(folder)])
    return connection


def take(plan: str, path: Path) -> None:
    """Run one plan on the file and print its seconds and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        connection, begin = connected(Path(folder)), time.process_time()
        if plan in {"scan", "hand"}:
            connection.read_parquet(str(path)).create_view("requests")
            hashes = ", ".join(f"bit_xor(hash({name}))" for name in NAMES)
            connection.sql(f"SELECT {hashes} FROM requests" if plan == "scan" else HAND).fetchall()
            print(f"{plan:8} {time.process_time() - begin:.2f} s", end="")
        else:
            steps = landed(plan, path, Path(folder), connection)
            said = ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items())
            print(f"{plan:8} {sum(steps.values()):.2f} s ({said})", end="")
    print(f"   peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def landed(plan: str, path: Path, folder: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Seconds of each step of the product: read and land, mark, reduce."""
    content = folder / "content"
    content.symlink_to(path)
    delivered = Delivered("inbox/gateway/a.parquet", "ab" * 32, path.stat().st_size, content, NIGHT)
    begin = time.process_time()
    read = table.read(delivered, SOURCE) if plan == "product" else by_text(delivered)
    parts = read.parts.get("requests", ())
    files = [
        LandedFile("a", write_landed(folder / "landed" / "requests" / "a.parquet", read.frames["requests"], parts))
    ]
    land = time.process_time()
    mark_uncounted(connection, files, DAY)
    mark = time.process_time()
    reduce_on_duckdb(connection, files, request_hours, [START], {DAY: read.rows})
    return {"land": land - begin, "mark": mark - land, "reduce": time.process_time() - mark}


def by_text(delivered: Delivered) -> Reading:
    """The requests by way of text, as those of CSV and JSONL are read."""
    return read_requests(delivered, SOURCE, table.layout_of(delivered.file, SOURCE), table.shape, INSIDE)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PLANS:
        take(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
