"""What requests cost beside reading them and beside other engines: `python -m bench.landing [requests] [plan …]`.

Writes requests of one night as typed Parquet, one in a hundred twice, then, each in a process of its own on the same
file: reads every column once (`scan`); takes repeats out and reduces to hours by a query written by hand on DuckDB
(`duckdb`), Polars (`polars`), pandas (`pandas`, where it is installed) and Spark in this machine (`spark`, where
trisect[spark] is; another master in SPARK_MASTER); and by the product: landed by its readers, marked and reduced
(`product`), the same by way of text (`text`). Prints seconds of the clock and of the processor, peak memory and ratios
to the first two. Every plan has to give the same requests, tokens and sum of medians, or the bench fails.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

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
BATCH = 1_000_000
KEYS: Final = ("hour", "model", "deployment_id", "team", "tenant", "task", "status")
HAND: Final = """
    WITH one AS (
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY request_id ORDER BY end_at DESC) AS rank FROM requests
        ) WHERE rank = 1
    )
    SELECT date_trunc('hour', start_at) AS hour, model, deployment_id, team, tenant, task, status, count(*) AS n,
           sum(input_tokens + cached_input_tokens + output_tokens) AS tokens,
           {median} AS median
    FROM one GROUP BY ALL
"""
TOKENS: Final = pl.col("input_tokens") + pl.col("cached_input_tokens") + pl.col("output_tokens")


class Answer(NamedTuple):
    """What every plan has to give: groups, requests, tokens, and the sum of the groups' median microseconds."""

    groups: int
    requests: int
    tokens: int
    medians: int


class Cost(NamedTuple):
    """What a plan takes in a process of its own."""

    wall_s: float
    processor_s: float
    peak_mb: float


def main(count: int, plans: list[str]) -> dict[str, Cost]:
    """Print what each plan takes, and its ratio to the scan and to the hand-written query."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests.parquet"
        write(path, count)
        print(f"{count:,} requests, {path.stat().st_size / 1e6:,.0f} MB typed Parquet")
        print("| plan | wall s | processor s | peak MB | x scan | x duckdb |\n| --- | --- | --- | --- | --- | --- |")
        costs: dict[str, Cost] = {}
        answers: dict[str, Answer] = {}
        for plan in plans:
            costs[plan], answer = of_process(plan, path)
            print("| " + " | ".join([plan, *row(costs[plan], costs)]) + " |", flush=True)
            if answer is not None:
                answers[plan] = answer
        if len(set(answers.values())) > 1:
            raise SystemExit(f"the plans differ: {answers}")
        return costs


def row(cost: Cost, costs: dict[str, Cost]) -> list[str]:
    """The cells of one plan."""
    over = [cost.processor_s / costs[other].processor_s if other in costs else None for other in ("scan", "duckdb")]
    ratios = ["" if ratio is None else f"{ratio:.1f}" for ratio in over]
    return [f"{cost.wall_s:.1f}", f"{cost.processor_s:.1f}", f"{cost.peak_mb:,.0f}", *ratios]


def of_process(plan: str, path: Path) -> tuple[Cost, Answer | None]:
    """What a plan takes in a process of its own, with the processes that it starts."""
    run = subprocess.run(  # noqa: S603 - this file, with arguments of its own
        [sys.executable, "-m", "bench.landing", "take", plan, str(path)], check=True, stdout=subprocess.PIPE, text=True
    )
    told = json.loads(run.stdout.splitlines()[-1])
    return Cost(*told["cost"]), Answer(*told["answer"]) if told["answer"] else None


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
    """Run one plan on the file and print what it takes and gives, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        begin, before = time.perf_counter(), processor_s()
        answer = PLANS[plan](path, Path(folder))
        wall, processor = time.perf_counter() - begin, processor_s() - before
    peak = max(resource.getrusage(who).ru_maxrss for who in WHO) / 1024
    print(json.dumps({"cost": [wall, processor, peak], "answer": answer}))


WHO: Final = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def processor_s() -> float:
    """Seconds of processor of this process and of those that it started and saw end."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHO))


def by_scan(path: Path, folder: Path) -> None:
    """Read every column; a hash of each value is consumed, or the engine would not read it."""
    hashes = ", ".join(f"bit_xor(hash({name}))" for name in NAMES)
    connected(folder).read_parquet(str(path)).aggregate(hashes).fetchall()


def by_duckdb(path: Path, folder: Path) -> Answer:
    """The query written by hand."""
    connection = connected(folder)
    connection.read_parquet(str(path)).create_view("requests")
    query = HAND.format(median="quantile_disc(epoch_us(end_at) - epoch_us(start_at), 0.5)")
    return summed(connection.sql(query).pl())


def by_polars(path: Path, _: Path) -> Answer:
    """The same in Polars, streamed."""
    one = pl.scan_parquet(path).sort("end_at", descending=True).unique("request_id", keep="first")
    took = (pl.col("end_at") - pl.col("start_at")).dt.total_microseconds()
    hours = one.group_by(pl.col("start_at").dt.truncate("1h").alias("hour"), *KEYS[1:]).agg(
        n=pl.len(), tokens=TOKENS.sum(), median=lower_median(took)
    )
    return summed(hours.collect())


def lower_median(took: pl.Expr) -> pl.Expr:
    """The smallest value that half of the rows do not exceed."""
    return took.sort().get((took.len() + 1) // 2 - 1)


def by_pandas(path: Path, _: Path) -> Answer:
    """The same in pandas."""
    pandas = import_module("pandas")
    rows = pandas.read_parquet(path).sort_values("end_at", ascending=False).drop_duplicates("request_id")
    rows["hour"] = rows["start_at"].dt.floor("h")
    rows["tokens"] = rows["input_tokens"] + rows["cached_input_tokens"] + rows["output_tokens"]
    rows["took"] = (rows["end_at"] - rows["start_at"]).dt.total_seconds().mul(1e6).round().astype("int64")
    groups = rows.groupby(list(KEYS), dropna=False)
    medians = groups["took"].quantile(0.5, interpolation="lower").astype("int64")
    hours = groups.agg(n=("tokens", "size"), tokens=("tokens", "sum")).assign(median=medians)
    return summed(pl.DataFrame({name: hours[name].to_numpy() for name in ("n", "tokens", "median")}))


def by_spark(path: Path, folder: Path) -> Answer:
    """The same in Spark SQL on both cores of this machine, or on SPARK_MASTER."""
    builder = import_module("pyspark.sql").SparkSession.builder.master(os.environ.get("SPARK_MASTER", "local[*]"))
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder),
        "spark.driver.memory": "2g",
        "spark.log.level": "ERROR",
    }
    session = builder.config(map=settings).getOrCreate()
    session.read.parquet(f"file://{path}").createOrReplaceTempView("requests")
    median = "percentile_disc(0.5) WITHIN GROUP (ORDER BY unix_micros(end_at) - unix_micros(start_at))"
    hours = session.sql(HAND.format(median=median)).toArrow()
    gateway = session.sparkContext._gateway  # noqa: SLF001 - its process is counted once it has ended
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    return summed(pl.DataFrame(hours))


def summed(hours: pl.DataFrame) -> Answer:
    """The answer of a plan."""
    return Answer(hours.height, *(int(hours[name].sum()) for name in ("n", "tokens", "median")))


def by_product(path: Path, folder: Path) -> Answer:
    """The product's own way: landed, marked, reduced."""
    return landed("product", path, folder)


def through_text(path: Path, folder: Path) -> Answer:
    """The product's way where a column is not typed."""
    return landed("text", path, folder)


PLANS: Final[dict[str, Callable[[Path, Path], Any]]] = {
    "scan": by_scan,
    "duckdb": by_duckdb,
    "polars": by_polars,
    "pandas": by_pandas,
    "spark": by_spark,
    "product": by_product,
    "text": through_text,
}


def landed(plan: str, path: Path, folder: Path) -> Answer:
    """The product's path; what each step takes goes to stderr."""
    connection = connected(folder)
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
    hours = reduce_on_duckdb(connection, files, request_hours, [START], {DAY: read.rows})
    reduce = time.process_time()
    print(f"{plan}: land {land - begin:.1f}, mark {mark - land:.1f}, reduce {reduce - mark:.1f} s", file=sys.stderr)
    median = (pl.col("duration_s_p50") * 1_000_000).round().cast(pl.Int64)
    return summed(hours.select(n="requests", tokens=TOKENS, median=median))


def by_text(delivered: Delivered) -> Reading:
    """The requests by way of text, as those of CSV and JSONL are read."""
    return read_requests(delivered, SOURCE, table.layout_of(delivered.file, SOURCE), table.shape, INSIDE)


def available() -> list[str]:
    """The plans that can run here, but for the slow way."""
    needs = {"pandas": "pandas", "spark": "pyspark"}
    return [plan for plan in PLANS if plan != "text" and find_spec(needs.get(plan, "polars"))]


if __name__ == "__main__":
    if sys.argv[1:2] == ["take"]:
        take(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2:] or available())
