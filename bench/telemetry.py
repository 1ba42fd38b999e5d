"""How much the reduction of requests costs over reading them: `python bench/telemetry.py [requests]` from the root.

Makes requests of one night in 24 landed files (0.1 % of them delivered twice), reads every column of them once, marks
the repeats and reduces the night, all in one process and run. The ratio of the two is what is worth comparing.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import polars as pl

from transforms.staging import request_hours
from warehouse.landing.requests.landed_parquet import LandedFile, scan, write_landed
from warehouse.landing.requests.reduction import reduce_on_duckdb
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.schemas.landed import Requests
from warehouse.sources.requests.request_rows import request_rows

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, tzinfo=UTC)
FILES = 24
REPEATED = 1000
MEMORY = "2GB"

Result = TypeVar("Result")


def main(count: int) -> None:
    """Print seconds and memory of the scan and of the reduction, and their ratio."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = ?", [MEMORY])
        connection.execute("SET temp_directory = ?", [folder])
        files = list(landed(Path(folder), count))
        print(f"{count:,} requests in {FILES} files, {sum(file.path.stat().st_size for file in files) / 1e6:,.0f} MB")
        scanned, _ = timed("scan of all columns", lambda: scan_all(connection, files))
        marked, repeats = timed("repeats marked", lambda: mark_uncounted(connection, files, DAY).duplicates)
        boundaries = [START + timedelta(hours=12, minutes=30)]
        reduced, hours = timed(
            "reduced to hours",
            lambda: reduce_on_duckdb(connection, files, request_hours, boundaries, {DAY: count}),
        )
        print(
            f"{hours.height:,} rows of {hours['requests'].sum():,} requests, {sum(repeats.values()):,} repeats left out"
        )
        print(f"reduction / scan = {(marked + reduced) / scanned:.1f}")


def timed(name: str, work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that the work takes, and its result."""
    begin = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:20} {seconds:7.2f} s   peak memory so far {peak:,.0f} MB")
    return seconds, result


def scan_all(connection: duckdb.DuckDBPyConnection, files: list[LandedFile]) -> int:
    """Read every column; a hash of each value is consumed, or the engine would not read it."""
    hashes = ", ".join(f"bit_xor(hash({name}))" for name in Requests.columns())
    return len(scan(connection, files).aggregate(hashes).fetchall())


def landed(folder: Path, count: int) -> Iterator[LandedFile]:
    """The requests of one night; the first of each thousand of a file come again in the next one."""
    rng, each = np.random.default_rng(1), count // FILES
    repeats = pl.DataFrame()
    for place in range(FILES):
        rows = requests(rng, each + (count % FILES if place == 0 else 0))
        frame = pl.concat([rows, repeats]) if repeats.height else rows
        last = place == FILES - 1
        repeats = rows.gather_every(REPEATED)
        frame = pl.concat([frame, repeats]) if last else frame
        path = folder / "landed" / "requests" / f"{place:02}.parquet"
        yield LandedFile(f"inbox/{place:02}", write_landed(path, frame.with_row_index("position")))


def requests(rng: np.random.Generator, count: int) -> pl.DataFrame:
    """Requests spread over the night with 1,200 sets of dimensions."""
    seconds = rng.uniform(0, 86_000, count)
    given = rng.integers(10, 8_000, count)
    produced = rng.integers(1, 900, count)
    took = (produced * 20_000 + rng.integers(0, 10_000_000, count)).astype("int64")
    start = pl.Series((seconds * 1e6).astype("int64")).cast(pl.Duration("us"))
    kinds = {"model": 12, "tenant": 25, "task": 4}
    drawn = {name: pl.Series(rng.integers(0, many, count)).cast(pl.String) for name, many in kinds.items()}
    drawn |= {"deployment": drawn["model"], "team": drawn["tenant"]}
    frame = pl.DataFrame(
        {
            "request_id": pl.Series(rng.integers(0, 1 << 62, count)).cast(pl.String),
            **{name: f"{name}-" + values for name, values in drawn.items()},
            "input_tokens": given,
            "cached_input_tokens": given // 3,
            "output_tokens": produced,
            "ttft_us": took // 20,
            "duration_us": took,
        }
    ).with_columns(start_at=pl.lit(START) + start, status=pl.lit("ok"), requests=pl.lit(1))
    end = pl.col("start_at") + pl.duration(microseconds=pl.col("duration_us"))
    return request_rows(frame.with_columns(end_at=end, position=pl.lit(0)), "gateway").drop("position")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
