"""A fault or a loss of power at a durable operation of a night: the next run heals, byte for byte.

`FAULT_EVERY=1 pytest tests/integration/test_faults.py` sweeps every operation; unset, a few that are spread over all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from warehouse import publish
from warehouse.sample import write_empty

FAULTS = Path(__file__).parent.parent / "faults"
KINDS = ("kill", "torn", "enospc", "eio", "power")
BEFORE, NIGHT = "2026-11-20", "2026-11-21"
SETTINGS = """[company]
name = "Example AI"
[[source]]
name = "cloud"
kind = "gpu_billing"
format = "table"
files = "inbox/cloud/*.csv"
[source.constants]
currency = "USD"
[[source]]
name = "gateway"
kind = "request_telemetry"
format = "table"
files = "inbox/gateway/*.csv"
"""


class Bench:
    """A project after its first night, and how to run the second with a fault."""

    def __init__(self, folder: Path, form: str = "durable") -> None:
        """Build the shim, write the project `seed`, run its first night in a form and deliver the second."""
        self.folder, self.form, shim = folder, form, folder / "shim.so"
        compiler = shutil.which("cc") or "cc"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", shim, FAULTS / "shim.c", "-ldl"], check=True)
        (folder / "undone").mkdir()
        with (folder / "stderr").open("w") as stderr:
            self._server = subprocess.Popen(
                [sys.executable, str(FAULTS / "night.py"), "serve"],
                env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(FAULTS.parent.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        seed = self.company("seed")
        assert self.run(seed, BEFORE) == 0
        delivered(seed, date.fromisoformat(NIGHT))

    def company(self, name: str) -> Path:
        """A new project with the deliveries of one day."""
        project = self.folder / name
        write_empty(project)
        (project / "trisect.toml").write_text(SETTINGS)
        delivered(project, date.fromisoformat(BEFORE))
        return project

    def run(self, project: Path, night: str, form: str = "", **fault: str) -> int:
        """The exit code of a night, or minus the signal that ended it; with a fault it runs under the shim."""
        below = {"FAULT_BELOW": str(project / "var"), "FAULT_UNDO": str(self.folder / "undone")} if fault else {}
        asked = {"project": str(project), "night": night, "form": form or self.form, "environment": {**below, **fault}}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def copy(self, name: str) -> Path:
        """A copy of the project that may be broken."""
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        return Path(shutil.copytree(self.folder / "seed", target, symlinks=True))

    def close(self) -> None:
        """End what runs the nights."""
        self._server.communicate()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The first night done, the second delivered."""
    if not shutil.which("cc") or sys.platform != "linux":
        pytest.skip("the shim needs Linux and a C compiler")
    bench = Bench(tmp_path_factory.mktemp("faults"))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def undisturbed(bench: Bench) -> tuple[int, Mapping[str, str]]:
    """How many durable operations the second night has, and the bytes that it publishes."""
    golden, count = bench.copy("golden"), bench.folder / "count"
    assert bench.run(golden, NIGHT, FAULT_COUNT=str(count)) == 0
    return len(count.read_text().splitlines()), published(golden)


def delivered(project: Path, day: date) -> None:
    """A bill and requests of one day."""
    for source in ("cloud", "gateway"):
        (project / "inbox" / source).mkdir(parents=True, exist_ok=True)
    span = f"{day}T00:00:00Z,{day + timedelta(days=1)}T00:00:00Z"
    bill = f"charge_start,charge_end,billed_cost,effective_cost,resource_id\n{span},10,10,node\n"
    (project / "inbox" / "cloud" / f"{day}.csv").write_text(bill)
    rows = [f"{day}-{n},{day}T{n % 24:02}:00:00Z,{day}T{n % 24:02}:00:05Z,m,chat,100,20" for n in range(100)]
    header = "request_id,start_at,end_at,model,deployment,input_tokens,output_tokens\n"
    (project / "inbox" / "gateway" / f"{day}.csv").write_text(header + "\n".join(rows) + "\n")


def published(project: Path) -> Mapping[str, str]:
    """Digest of every published file by its path."""
    folder = project / "var" / "published"
    files = (path for path in folder.rglob("*") if path.is_file() and "current" not in path.parts)
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def points(count: int) -> list[tuple[int, str]]:
    """Which operation goes wrong how: all of them where the environment asks, else one for each kind of fault."""
    every = int(os.environ.get("FAULT_EVERY", "0")) or max(1, count // len(KINDS))
    return [(at, KINDS[number % len(KINDS)]) for number, at in enumerate(range(every - 1 or 1, count + 1, every))]


def test_a_fault_anywhere_leaves_the_old_or_the_new_night_and_the_next_run_heals(
    bench: Bench, undisturbed: tuple[int, Mapping[str, str]]
) -> None:
    count, golden = undisturbed
    assert count > 20
    earlier = {name: digest for name, digest in golden.items() if name.startswith(BEFORE)}
    for at, kind in points(count):
        project = bench.copy("broken")
        bench.run(project, NIGHT, FAULT_AT=str(at), FAULT_KIND=kind)
        folder = project / "var" / "published"
        where = f"operation {at} of {count}, {kind}"

        assert publish.is_intact(folder / "current"), where
        assert (folder / "current").resolve().name in {BEFORE, NIGHT}, where
        assert earlier.items() <= published(project).items(), where

        assert bench.run(project, NIGHT) == 0, where
        assert published(project) == golden, where
        with duckdb.connect(str(project / "var" / "warehouse.duckdb"), read_only=True) as connection:
            assert connection.execute("SELECT sum(billed_cost) FROM raw.charge_rows").fetchall()[0][0] == 20, where


def test_a_kill_during_recovery_is_healed_too(bench: Bench, undisturbed: tuple[int, Mapping[str, str]]) -> None:
    count, golden = undisturbed
    project = bench.copy("broken")
    for at in (count // 2, count // 3, count // 5):
        assert bench.run(project, NIGHT, FAULT_AT=str(at), FAULT_KIND="kill") != 0

    assert bench.run(project, NIGHT) == 0
    assert published(project) == golden
    assert json.loads((project / "var" / "published" / "current" / "manifest.json").read_text())["night"] == NIGHT


def test_a_restored_project_publishes_the_bytes_of_the_undisturbed_one(bench: Bench) -> None:
    undisturbed, restored = bench.company("undisturbed"), bench.folder / "restored"
    assert bench.run(undisturbed, BEFORE, "whole") == 0
    # what docs/operations.md says to back up
    for name in ("inbox", "policy", "var/published"):
        shutil.copytree(undisturbed / name, restored / name, symlinks=True)
    shutil.copy(undisturbed / "trisect.toml", restored)
    for project in (undisturbed, restored):
        delivered(project, date.fromisoformat(NIGHT))
        assert bench.run(project, NIGHT, "whole") == 0

    assert published(restored) == published(undisturbed)
    assert (restored / "var" / "published" / "current").resolve().name == NIGHT
