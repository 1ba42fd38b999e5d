"""Whatever logs tell of a training, its GPU time counts once, or a finding says how much is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.staging.run_attempts import run_attempts
from transforms.staging.run_findings import run_findings
from transforms.staging.training_runs import training_runs
from warehouse.schemas import CATALOGUE

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GPUS = 8

Row = dict[str, Any]


@dataclass(frozen=True)
class Training:
    """What happened: one training on nodes of its own, in launches given as minutes after midnight."""

    name: str
    nodes: Sequence[str]
    launches: Sequence[tuple[int, int]]

    @property
    def gpu_minutes(self) -> int:
        """The plain model: every node's GPUs for the minutes of every launch."""
        return sum(end - start for start, end in self.launches) * GPUS * len(self.nodes)

    def row(self, start: int, end: int, **more: Any) -> Row:
        """One log row of some of its time."""
        return {"file_sha256": "f", "location": "file", "source": "lab", "run_id": self.name, "hosts": list(self.nodes),
                "is_job": False, "started_at": MIDNIGHT + start * MINUTE, "ended_at": MIDNIGHT + end * MINUTE,
                "end_source": "logged", "status": "finished", "gpu_count": float(GPUS * len(self.nodes)),
                **more}  # fmt: skip


def attempts(training: Training, cut: int) -> list[Row]:
    """A row a launch; each once more as an earlier, shorter export, and as one that overlaps it."""
    whole = [training.row(*launch) for launch in training.launches]
    early = [training.row(start, max(start + 1, end - cut), file_sha256="g") for start, end in training.launches]
    late = [training.row(min(end - 1, start + cut), end, file_sha256="h") for start, end in training.launches]
    return [*whole, *early, *late]


def ranks(training: Training, cut: int) -> list[Row]:
    """Two processes a node, each with a run of its own that counts the GPUs of its node, within a minute."""
    members = [(node, rank) for node in training.nodes for rank in range(2)]
    return [
        training.row(start, end, source="wb", run_id=f"{training.name}-{node}-{rank}", run_group=training.name,
                     rank=number, hosts=[node], gpu_count=float(GPUS), gpu_scope="host", tokens=float(cut))
        for start, end in training.launches
        for number, (node, rank) in enumerate(members)
    ]  # fmt: skip


def nested(training: Training, cut: int) -> list[Row]:
    """A parent and, within and beyond it, a child on the same GPUs."""
    rows = []
    for number, (start, end) in enumerate(training.launches):
        middle = min(end - 1, start + cut)
        parent = training.row(start, max(middle, start + 1), source="ml", run_id=f"{training.name}-{number}")
        child = training.row(max(start, middle - 1), end, source="ml", run_id=f"{training.name}-{number}-child",
                             parent_run_id=f"{training.name}-{number}")  # fmt: skip
        rows += [parent, child]
    return rows


def scheduled(training: Training, cut: int) -> list[Row]:
    """The scheduler's job, and a tracker's run that names it, begins later and knows no GPUs of other nodes."""
    jobs = [
        training.row(start, end, source="slurm", run_id=f"{training.name}@{start}", is_job=True, job_id=training.name,
                     parent_run_id=f"{training.name}@{training.launches[0][0]}" if number else None)
        for number, (start, end) in enumerate(training.launches)
    ]  # fmt: skip
    tracked = [
        training.row(min(end - 1, start + cut), end, source="wb", job_id=training.name, gpu_count=1.0, hosts=[])
        for start, end in training.launches
    ]
    return [*jobs, *tracked]


def unlinked(training: Training, _cut: int) -> list[Row]:
    """The scheduler's jobs and a tracker's runs without a word that links them."""
    times = [training.row(*launch) for launch in training.launches]
    return [row | more for row, more in [(row, {"source": "wb"}) for row in times]] + [
        row | {"source": "slurm", "is_job": True, "run_id": f"{training.name}@{row['started_at']}"} for row in times
    ]


@st.composite
def trainings(draw: st.DrawFn) -> list[Training]:
    """Up to three trainings on nodes of their own."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        edges = sorted(draw(st.sets(st.integers(0, 1439), min_size=2, max_size=8)))
        launches = [(start, end) for start, end in pairwise(edges)][::2]
        nodes = [f"node-{number}-{each}" for each in range(draw(st.integers(1, 2)))]
        found.append(Training(f"t{number}", nodes, launches))
    return found


def counted(rows: Sequence[Row]) -> tuple[float, float]:
    """GPU-minutes that count, and those that findings put in doubt."""
    schema = CATALOGUE["run_rows"].polars_schema()
    logged = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    night = pl.DataFrame({"night_end": [MIDNIGHT + timedelta(days=1)]})
    rules = CATALOGUE["attribution"].empty()
    held = run_attempts(logged, rules, night)
    runs = training_runs(held)
    doubts = run_findings(held, runs, rules).filter(pl.col("kind") == "gpus_claimed_twice")
    return runs["gpu_seconds"].sum() / 60, doubts["gpu_seconds"].sum() / 60


TOLD = st.sampled_from([attempts, ranks, nested, scheduled])


@settings(max_examples=60)
@given(data=st.data(), happened=trainings(), cut=st.integers(0, 400))
def test_gpu_time_that_is_told_in_any_of_these_ways_is_what_happened(
    data: st.DataObject, happened: list[Training], cut: int
) -> None:
    rows = [row for training in happened for row in data.draw(TOLD)(training, cut)]
    counts, doubtful = counted(data.draw(st.permutations(rows)))
    assert round(counts, 6) == sum(training.gpu_minutes for training in happened)
    assert doubtful == 0


@settings(max_examples=30)
@given(happened=trainings(), cut=st.integers(0, 400))
def test_what_two_logs_tell_without_a_link_is_counted_within_what_findings_doubt(
    happened: list[Training], cut: int
) -> None:
    counts, doubtful = counted([row for training in happened for row in unlinked(training, cut)])
    truth = sum(training.gpu_minutes for training in happened)
    assert round(counts - doubtful, 6) == truth
