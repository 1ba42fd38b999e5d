"""Requests of the shapes that hurt: `python -m bench.adverse_requests [requests] [shape …]`.

Each shape in a process of its own: written as landed files, repeats marked, reduced, under a limit of 2 GB. Prints
seconds of the processor, peak memory and the ratio to the plain shape, and fails where requests or tokens are not
those that the rule gives row by row, counted without an engine.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import polars as pl

from bench.telemetry import DAY, MEMORY, START, requests
from transforms.staging import request_hours
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import reduce_on_duckdb
from warehouse.landing.requests.uncounted import mark_uncounted

FILES: Final = 24
ID: Final = pl.col("request_id")
NUMBER: Final = pl.int_range(pl.len())


def repeated(rows: pl.DataFrame, every: int) -> pl.DataFrame:
    """One row in `every` stands there twice."""
    return pl.concat([rows, rows.gather_every(every)])


def to_one_hour(rows: pl.DataFrame) -> pl.DataFrame:
    """Nine in ten requests lie within one hour."""
    day, hour = timedelta(hours=24) // timedelta(microseconds=1), timedelta(hours=1) // timedelta(microseconds=1)
    since = (pl.col("start_at") - START).dt.total_microseconds()
    start = START + pl.duration(microseconds=pl.when(NUMBER % 10 > 0).then(since * hour // day).otherwise(since))
    took = pl.col("end_at") - pl.col("start_at")
    return rows.with_columns(start_at=start, end_at=start + took)


SHAPES: Final[dict[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "plain": lambda rows: repeated(rows, 1000),
    "10 % repeats": lambda rows: repeated(rows, 10),
    "all repeats": lambda rows: repeated(rows, 1),
    "one id": lambda rows: rows.with_columns(pl.lit("r").alias("request_id")),
    "no ids": lambda rows: rows.with_columns(pl.lit(None, pl.String).alias("request_id")),
    "one file": lambda rows: repeated(rows, 1000),
    "many files": lambda rows: repeated(rows, 1000),
    "one hour": lambda rows: repeated(to_one_hour(rows), 1000),
    "groups": lambda rows: repeated(rows.with_columns(pl.format("tenant-{}", NUMBER).alias("tenant")), 1000),
}


def main(count: int, shapes: list[str]) -> None:
    """Print a row for each shape."""
    print(f"{count:,} requests, limit {MEMORY}\n| shape | rows | requests | hours | processor s | peak MB | x plain |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    plain = None
    for shape in shapes:
        command = [sys.executable, "-m", "bench.adverse_requests", "take", shape, str(count)]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        took = json.loads(run.stdout.splitlines()[-1])
        plain = took["processor_s"] if shape == "plain" else plain
        counts = [f"{took[name]:,}" for name in ("rows", "requests", "hours")]
        ratio = f"{took['processor_s'] / plain:.1f}" if plain else ""
        print(
            "| " + " | ".join([shape, *counts, f"{took['processor_s']:.1f}", f"{took['peak_mb']:,.0f}", ratio]) + " |"
        )


def take(shape: str, count: int) -> None:
    """Mark and reduce the requests of one shape, and compare with what numpy counts; JSON on stdout."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = ?", [MEMORY])
        connection.execute("SET temp_directory = ?", [folder])
        rows, expected, files = written(Path(folder), shape, count)
        before = time.process_time()
        mark_uncounted(connection, files, DAY)
        hours = reduce_on_duckdb(
            connection, files, request_hours, [START + timedelta(hours=12, minutes=30)], {DAY: rows}
        )
        took = time.process_time() - before
    tokens = sum(int(hours[name].sum()) for name in ("input_tokens", "output_tokens"))
    got = int(hours["requests"].sum()), tokens
    if got != expected:
        raise SystemExit(f"{shape}: requests and tokens are {got}, by the rule {expected}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"rows": rows, "requests": got[0], "hours": hours.height, "processor_s": took, "peak_mb": peak}
    print(json.dumps(told))


def written(folder: Path, shape: str, count: int) -> tuple[int, tuple[int, int], list[LandedFile]]:
    """Rows, the requests and tokens that count, and the landed files; where there are several, repeats lie apart."""
    rows = SHAPES[shape](requests(np.random.default_rng(1), count))
    many = {"one file": 1, "many files": min(10_000, count)}.get(shape, FILES)
    each = -(-rows.height // many)
    return rows.height, by_the_rule(rows), list(landed(folder / "landed" / "requests", rows.iter_slices(each)))


def landed(folder: Path, parts: Iterator[pl.DataFrame]) -> Iterator[LandedFile]:
    """Landed files with the rows of each part."""
    for place, part in enumerate(parts):
        yield LandedFile(f"inbox/{place}", write_landed(folder / f"{place}.parquet", part.with_row_index("position")))


def by_the_rule(rows: pl.DataFrame) -> tuple[int, int]:
    """Requests and tokens that count, one row after another, without any engine.

    Rows of one id whose times touch are one request, of which the latest end counts, then most output, then most
    input tokens; a row without an id is a request of its own.
    """
    tokens = rows.select(pl.col("input_tokens") + pl.col("output_tokens")).to_series()
    alone = rows["request_id"].is_null()
    requests_alone, tokens_alone = int(alone.sum()), int(tokens.filter(alone).sum())
    times = {name: rows[name].dt.epoch("us").to_numpy() for name in ("start_at", "end_at")}
    ids, given, made = rows["request_id"].to_list(), rows["input_tokens"].to_list(), rows["output_tokens"].to_list()
    ordered = np.lexsort((times["end_at"], times["start_at"]))
    starts, stops = times["start_at"].tolist(), times["end_at"].tolist()
    reached: dict[str, int] = {}
    best: dict[str, tuple[int, int, int]] = {}
    requests_counted = tokens_counted = 0
    for row in ordered.tolist():
        name = ids[row]
        if name is None:
            continue
        this = (stops[row], made[row], given[row])
        if name in reached and starts[row] > reached[name]:
            _, output, input_ = best.pop(name)
            tokens_counted += output + input_
            requests_counted += 1
        reached[name] = max(reached.get(name, stops[row]), stops[row])
        best[name] = max(best.get(name, this), this)
    requests_counted += len(best)
    tokens_counted += sum(output + input_ for _, output, input_ in best.values())
    return requests_alone + requests_counted, tokens_alone + tokens_counted


if __name__ == "__main__":
    if sys.argv[1:2] == ["take"]:
        take(sys.argv[2], int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2:] or list(SHAPES))
