"""A Spark cluster of a master and two workers gives what DuckDB and Polars give, also where a worker is killed.

Needs Java 17 and `trisect[spark]`; without one of them the tests are skipped.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import duckdb
import polars as pl
import pytest

from transforms.staging import request_hours
from warehouse.connection import Limits, connect
from warehouse.landing.requests.identities import Candidates, candidates_on_duckdb
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import reduce_on_duckdb, reduce_plainly
from warehouse.landing.requests.spark import SparkCluster
from warehouse.landing.requests.uncounted import Marked, mark_uncounted
from warehouse.sources.requests.request_rows import request_rows

pytestmark = [
    pytest.mark.skipif(find_spec("pyspark") is None, reason="needs PySpark: trisect[spark]"),
    pytest.mark.skipif(which("java") is None, reason="needs Java 17"),
]

DAYS = [date(2026, 11, 19), date(2026, 11, 20)]
START = datetime(2026, 11, 19, tzinfo=UTC)
BOUNDARIES = [START + timedelta(hours=7, minutes=30), START + timedelta(hours=31, minutes=1)]
ROWS, FILES = 24_000, 4


@dataclass
class Cluster:
    """A standalone master and its workers on loopback, each in a process group of its own."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def master(self) -> str:
        """Its address."""
        return f"spark://127.0.0.1:{self.port}"

    def start(self, role: str, *arguments: str) -> None:
        """A process of the cluster."""
        home = Path(str(import_module("pyspark").__file__)).parent
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}", *arguments]
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        with log:
            started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        self.processes.append(started)

    def log(self, place: int) -> str:
        """What a process says."""
        return (self.folder / f"{place}.log").read_text()

    def wait_for(self, place: int, sentence: str, seconds: int = 300) -> None:
        """Until the process says so."""
        until = time.monotonic() + seconds
        while sentence not in self.log(place):
            assert time.monotonic() < until, self.log(place)
            time.sleep(0.2)

    def kill(self, place: int) -> None:
        """End a process and its executors without a word."""
        os.killpg(self.processes[place].pid, signal.SIGKILL)
        self.processes[place].wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            started = Cluster(tmp_path_factory.mktemp("cluster"), free.getsockname()[1])
        started.start("master.Master", "--host", "127.0.0.1", "--port", str(started.port), "--webui-port", "0")
        started.wait_for(0, "I have been elected leader")
        for place in (1, 2):
            options = ("--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g")
            options += ("--work-dir", str(started.folder / f"work-{place}"))
            started.start("worker.Worker", *options, started.master)
        for place in (1, 2):
            started.wait_for(place, "Successfully registered with master")
        yield started
        for place, process in enumerate(started.processes):
            if process.poll() is None:
                started.kill(place)


def requests(place: int) -> pl.DataFrame:
    """Rows of one file with nulls in every dimension; a hundredth of them stands in the file before too."""
    number = pl.int_range(ROWS // FILES) + place * (ROWS // FILES)
    each = pl.select(number.alias("number")).to_series()
    repeated = each.gather_every(100) - ROWS // FILES
    numbers = pl.concat([each, repeated.filter(repeated >= 0)]).to_frame()
    n = pl.col("number")
    names = {name: pl.format(f"{name}-{{}}", n % many) for name, many in {"model": 3, "tenant": 5, "task": 2}.items()}
    took = n * 7_919 % 20_000_000
    start = pl.lit(START) + pl.duration(microseconds=n * 7_000_003)
    return numbers.select(
        position=pl.int_range(pl.len()),
        request_id=pl.when(n % 50 != 7).then(pl.format("r{}", n // 2 * 2 + (n % 4 == 0).cast(pl.Int64))),
        start_at=start,
        end_at=start + pl.duration(microseconds=took),
        duration_us=pl.when(n % 13 != 0).then(took),
        **{name: pl.when(n % 11 != place).then(value) for place, (name, value) in enumerate(names.items())},
        status=pl.lit("ok"),
        requests=pl.when(n % 97 == 0).then(5).otherwise(1),
        input_tokens=pl.when(n % 17 != 0).then(n % 9_000),
        cached_input_tokens=pl.when(n % 5 == 0).then(n % 800),
        output_tokens=n % 700,
        units_micro=pl.when(n % 3 == 0).then(n * 1_234_567_890_123),
        ttft_us=pl.when(n % 3 == 1).then(took // 9),
    )


@dataclass
class Night:
    """A warehouse with landed requests of two days."""

    var: Path
    connection: duckdb.DuckDBPyConnection
    files: list[LandedFile]

    def marked(self, candidates: Candidates) -> tuple[Marked, list[tuple[object, ...]]]:
        """What is marked, and every mark."""
        marked = mark_uncounted(self.connection, self.files, DAYS[-1], candidates)
        return marked, self.connection.execute("SELECT * FROM meta.uncounted_requests ORDER BY ALL").fetchall()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    var = tmp_path_factory.mktemp("a [shared] var")
    with connect(var, Limits(memory="1GB", threads=2)) as connection:
        folder = var / "landed" / "requests"
        yield Night(
            var,
            connection,
            [
                LandedFile(f"inbox/{place}", write_landed(folder / f"{place}.parquet", request_rows(rows, "gateway")))
                for place, rows in enumerate(map(requests, range(FILES)))
            ],
        )


def test_a_cluster_marks_and_reduces_as_one_machine_does_although_a_worker_is_killed(
    cluster: Cluster, night: Night
) -> None:
    spark = SparkCluster(cluster.master, night.var)
    marked, marks = night.marked(candidates_on_duckdb)
    killed = threading.Thread(target=kill_in_the_middle, args=(cluster,))
    killed.start()
    marked_there, marks_there = night.marked(spark.candidates)
    killed.join()

    assert cluster.processes[2].poll() is not None
    assert len(marks) > ROWS // 200
    assert marks_there == marks
    assert (marked_there.duplicates, marked_there.counted) == (marked.duplicates, marked.counted)
    assert marked_there.doubts.equals(marked.doubts)
    arguments: Any = (night.connection, night.files, request_hours, BOUNDARIES)
    reduced = spark.reduce(*arguments, dict.fromkeys(DAYS, ROWS))
    assert reduced.equals(reduce_plainly(*arguments, DAYS))
    assert reduced.equals(reduce_on_duckdb(*arguments, dict.fromkeys(DAYS, ROWS)))
    assert reduced["requests"].sum() > ROWS // 2


def kill_in_the_middle(cluster: Cluster) -> None:
    """Kill the second worker and its executor once it has finished tasks whose output is still to be read."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        said = "".join(log.read_text() for log in cluster.folder.glob("work-2/app-*/*/stderr"))
        if said.count("Finished task") > 1:
            cluster.kill(2)
            return
        time.sleep(0.05)
