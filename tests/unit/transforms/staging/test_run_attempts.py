"""Each GPU once: allocation rules, section 8. Times are hours after midnight; GPU time is in GPU-hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from transforms.staging.gpu_claims import exclusive_holdings
from transforms.staging.run_attempts import run_attempts
from transforms.staging.run_findings import run_findings
from transforms.staging.training_metrics import training_metrics
from transforms.staging.training_runs import training_runs
from warehouse.schemas import CATALOGUE

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY_RUN = {"line": 2, "source": "*", "field": "run_name", "pattern": "*"}
POOL = EVERY_RUN | {"position": 0, "target": "pool", "target_id": "p"}
MODEL = EVERY_RUN | {"position": 1, "target": "model", "target_id": "m", "phase": "pretraining"}


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def run(run_id: str, start: float | None, end: float | None, gpus: float | None = 8.0, **more: Any) -> dict[str, Any]:
    started, ended = (None if at is None else MIDNIGHT + at * HOUR for at in (start, end))
    return {"file_sha256": "f", "location": "file", "source": "wb", "run_id": run_id, "run_name": run_id, "hosts": [],
            "is_job": False, "started_at": started, "ended_at": ended, "end_source": "logged", "status": "finished",
            "gpu_count": gpus, **more}  # fmt: skip


def job(job_id: str, start: float, end: float | None, gpus: float = 8.0, **more: Any) -> dict[str, Any]:
    own = {"source": "slurm", "cluster": "c", "is_job": True, "job_id": job_id, "end_source": "job_db"}
    return run(f"c/{job_id}@{start}", start, end, gpus, **own | more)


def attempts(*rows: dict[str, Any], rules: tuple[dict[str, Any], ...] = (POOL, MODEL)) -> pl.DataFrame:
    settings = table("settings", [{"night_end": MIDNIGHT + 24 * HOUR}])
    return run_attempts(table("run_rows", list(rows)), table("attribution", list(rules)), settings)


def gpu_hours(*rows: dict[str, Any]) -> dict[str, float]:
    runs = training_runs(attempts(*rows))
    return {name: seconds / 3600 for name, seconds in runs.select("run_id", pl.col("gpu_seconds").fill_null(0)).rows()}


def findings(
    *rows: dict[str, Any], rules: tuple[dict[str, Any], ...] = (POOL, MODEL)
) -> list[tuple[str, str, float | None]]:
    held = attempts(*rows, rules=rules)
    noticed = run_findings(held, training_runs(held), table("attribution", list(rules)))
    columns = noticed.select("kind", "subject", "gpu_seconds").rows()
    return [(kind, subject, None if seconds is None else seconds / 3600) for kind, subject, seconds in columns]


def test_attempts_of_one_run_add_up_and_the_hole_between_them_is_held_by_nobody() -> None:
    held = attempts(run("a", 0, 3), run("a", 6, 8, status="failed"))
    [whole] = training_runs(held).to_dicts()
    assert whole["gpu_seconds"] == (3 + 2) * 8 * 3600
    assert (whole["held_from"], whole["held_to"], whole["attempts"]) == (MIDNIGHT, MIDNIGHT + 8 * HOUR, 2)
    assert (whole["status"], whole["gpu_count"]) == ("failed", 8.0)


def test_attempts_that_overlap_hold_their_union() -> None:
    assert gpu_hours(run("a", 0, 3), run("a", 2, 5), run("a", 1, 2)) == {"a": 5 * 8}


def test_an_attempt_without_an_end_ends_where_the_next_one_begins() -> None:
    held = attempts(run("a", 0, None, status="running", end_source="censored"), run("a", 6, 8))
    assert held.select("end_source", "status", pl.col("gpu_seconds") / 3600).rows() == [
        ("last_event", "unknown", 6 * 8),
        ("logged", "finished", 2 * 8),
    ]


def test_equal_ids_of_two_sources_are_two_runs() -> None:
    sources = enumerate(("wb", "lab"))
    rules = [MODEL | {"position": number, "source": name, "target_id": name} for number, name in sources]
    held = attempts(run("1", 0, 1), run("1", 0, 1, source="lab"), rules=tuple(rules))
    assert training_runs(held).select("run_id", "source", "model_id").rows() == [
        ("lab/1", "lab", "lab"),
        ("wb/1", "wb", "wb"),
    ]


def test_a_child_holds_only_the_time_that_its_parent_does_not() -> None:
    child = run("child", 2, 5, 4.0, parent_run_id="parent")
    assert gpu_hours(run("parent", 0, 4, 4.0), child) == {"parent": 16, "child": 4}
    early = run("child", 0.5, 3, 4.0, parent_run_id="parent")
    assert gpu_hours(run("parent", 1, 2, 4.0), early) == {"parent": 4, "child": 0.5 * 4 + 1 * 4}


def test_a_child_holds_only_the_gpus_that_its_parent_does_not() -> None:
    assert gpu_hours(run("p", 0, 4, 2.0), run("c", 0, 4, 8.0, parent_run_id="p")) == {"p": 8, "c": 4 * 6}


def test_siblings_within_a_parent_that_holds_gpus_share_them() -> None:
    both = [run(name, 1, 5, 8.0, parent_run_id="p") for name in ("a", "b")]
    assert gpu_hours(run("p", 0, 4), *both) == {"p": 32, "a": 8, "b": 0}


@pytest.mark.parametrize("parent", [run("p", 0, 9, None), run("p", 0, 2), run("p", 0, 9, hosts=["elsewhere"])])
def test_children_beside_after_or_apart_from_their_parent_hold_gpus_of_their_own(parent: dict[str, Any]) -> None:
    both = [run(name, 3, 5, 4.0, parent_run_id="p", hosts=[f"node-{name}"]) for name in ("a", "b")]
    found = gpu_hours(parent, *both)
    assert (found["a"], found["b"]) == (8, 8)


def test_parents_in_a_circle_are_no_parents() -> None:
    assert gpu_hours(run("a", 0, 2, parent_run_id="b"), run("b", 3, 5, parent_run_id="a")) == {"a": 16, "b": 16}


def test_ranks_of_one_job_are_one_run_that_holds_the_gpus_of_each_host_once() -> None:
    ranks = [
        run(f"r{n}", 1, 4, 8.0, rank=n, run_group="g", gpu_scope="host", hosts=[f"node{n // 2}"], tokens=(n == 2) * 9.0)
        for n in range(4)
    ]
    [whole] = training_runs(attempts(*ranks)).to_dicts()
    assert (whole["run_id"], whole["gpu_seconds"], whole["gpu_count"]) == ("r2", 3 * 16 * 3600, 16.0)
    assert findings(*ranks) == []


def test_ranks_that_state_the_size_of_the_world_hold_it_once() -> None:
    ranks = [run(f"r{n}", 1, 4, 16.0, rank=n, run_group="g", gpu_scope="job", hosts=[f"node{n}"]) for n in range(2)]
    assert gpu_hours(*ranks) == {"r0": 3 * 16}


def test_runs_of_a_group_that_number_themselves_alike_are_no_ranks() -> None:
    # trainers that are alone note local rank 0, too
    alone = [run(f"r{n}", 1, 4, 8.0, rank=0, run_group="g", gpu_scope="host", hosts=["n1"]) for n in range(2)]
    assert sum(gpu_hours(*alone).values()) == 3 * 8
    apart = [row | {"hosts": [f"n{n}"]} for n, row in enumerate(alone)]
    assert sum(gpu_hours(*apart).values()) == 2 * 3 * 8


def test_runs_of_one_group_that_start_together_on_one_host_are_one_run_and_later_ones_are_not() -> None:
    group = {"run_group": "g", "gpu_scope": "host", "hosts": ["n1"]}
    assert gpu_hours(run("a", 0, 3, **group), run("b", 0.1, 3, **group), run("c", 3, 4, **group)) == {"a": 24, "c": 8}


def test_runs_that_count_one_machine_hold_it_once_and_what_is_lost_is_a_finding() -> None:
    machine = {"gpu_scope": "host", "hosts": ["n1"]}
    both = (run("a", 0, 3, **machine), run("b", 1, 5, **machine))
    assert gpu_hours(*both) == {"a": 24, "b": 16}
    assert findings(*both) == [("gpus_claimed_twice", "b", 2 * 8)]


def test_a_tracked_run_that_names_its_job_takes_time_and_gpus_from_the_scheduler() -> None:
    tracked = run("t", 1.5, 3, 1.0, job_id="77", tokens=5.0, steps=10)
    first, again = job("77", 1, 4, parent_run_id=None), job("77", 6, 7, parent_run_id="c/77@1", status="timeout")
    held = attempts(tracked, first, again)
    [whole] = training_runs(held).to_dicts()
    assert (whole["run_id"], whole["source"], whole["tokens"]) == ("t", "wb", 5.0)
    assert (whole["gpu_seconds"], whole["status"], whole["end_source"]) == ((3 + 1) * 8 * 3600, "timeout", "job_db")
    metrics = table("metric_rows", [{"source": "wb", "run_id": "t", "name": "loss", "value": 1.0}])
    assert training_metrics(metrics, held)["run_id"].to_list() == ["t"]


def test_runs_beside_each_other_in_one_job_are_a_finding_unless_they_are_of_one_project() -> None:
    both = [run(name, 1, 3, 4.0, job_id="77", project=name, hosts=["n1"]) for name in ("a", "b")]
    assert gpu_hours(*both, job("77", 0, 4, hosts=["n1"])) == {"a": 8, "b": 3 * 8}
    assert sum(seconds or 0 for *_, seconds in findings(*both, job("77", 0, 4, hosts=["n1"]))) == 4 * 8
    one = [row | {"project": "p"} for row in both]
    assert gpu_hours(*one, job("77", 0, 4, hosts=["n1"])) == {"a": 4 * 8}
    assert findings(*one, job("77", 0, 4, hosts=["n1"])) == []


def test_runs_one_after_the_other_in_one_job_share_its_time() -> None:
    found = gpu_hours(run("a", 1, 2, 1.0, job_id="77"), run("b", 3, 4, 1.0, job_id="77"), job("77", 0, 5))
    assert found == {"a": 3 * 8, "b": 2 * 8}  # b began at 3


@pytest.mark.parametrize(
    "other",
    [job("78", 0, 5), job("77", 9, 10), job("77", 0, 5, hosts=["elsewhere"])],
)
def test_a_job_of_another_number_time_or_host_is_another_run(other: dict[str, Any]) -> None:
    found = gpu_hours(run("t", 1, 3, 8.0, job_id="77", hosts=["n1"]), other)
    assert len(found) == 2
    assert found["t"] == 16


def test_a_job_id_that_two_clusters_used_at_one_time_names_none() -> None:
    of_another = job("77", 0, 5) | {"cluster": "d", "run_id": "d/77"}
    found = gpu_hours(run("t", 1, 3, 8.0, job_id="77"), job("77", 0, 5), of_another)
    assert found == {"t": 16, "c/77@0": 40, "d/77": 40}


def test_runs_of_two_sources_on_one_host_at_one_time_are_a_finding() -> None:
    tracked, scheduled = run("t", 1, 3, 8.0, hosts=["N1"]), job("77", 0, 5, hosts=["n1", "n2"], gpus=16.0)
    assert sum(gpu_hours(tracked, scheduled).values()) == 16 + 80
    assert findings(tracked, scheduled) == [("gpus_claimed_twice", "runs of wb on n1", 2 * 8)]


def test_a_run_with_a_model_and_no_pool_is_a_finding_with_its_gpu_hours() -> None:
    of_others = POOL | {"pattern": "b"}
    assert findings(run("a", 0, 2), rules=(of_others, MODEL)) == [("run_without_pool", "a", 16)]
    assert findings(run("a", 0, 2), rules=(POOL,)) == []


def test_runs_of_a_company_without_pools_put_nothing_in_doubt_and_are_named_once() -> None:
    # its bills name the model of every charge: 2 h and 3 h of 8 GPUs divide nothing
    assert findings(run("a", 0, 2), run("b", 4, 7), rules=(MODEL,)) == [("no_pool_rule", "wb", 40)]


def test_a_run_that_does_not_say_how_many_gpus_it_held_or_when_is_a_finding() -> None:
    assert findings(run("a", 0, 2, None)) == [("run_without_gpus", "a", None)]
    assert findings(run("a", None, None)) == [("run_without_gpus", "a", None)]
    assert findings(run("a", 0, 0, end_source="last_event")) == [("run_without_gpus", "a", None)]  # one record, no more
    assert findings(run("a", 0, 0)) == []  # it says that it ended as it began
    assert findings(run("a", 0, 2, 0.0)) == []


def test_a_job_without_gpus_is_a_finding_where_gpus_were_to_be_expected() -> None:
    holder = job("1", 0, 1, hosts=["gpu1"])
    assert findings(job("2", 0, 1, 0.0, hosts=["gpu1"]))[0][0] == "run_without_gpus"  # a cluster that tracks none
    assert findings(holder, job("2", 0, 1, 0.0, hosts=["cpu1"])) == []
    assert findings(holder, job("2", 0, 1, 0.0, hosts=["gpu1"])) == [("run_without_gpus", "c/2@0", None)]


def test_steps_that_a_later_attempt_trains_again_are_the_later_ones() -> None:
    held = attempts(run("a", 0, 3, first_step=0, last_step=400), run("a", 6, 8, first_step=200, last_step=600))
    values = [(0, 100, 3.0), (2, 300, 2.9), (7, 300, 2.8), (8, 600, 2.0)]
    rows = [
        {"source": "wb", "run_id": "a", "step": step, "name": "loss", "value": value, "at": MIDNIGHT + hour * HOUR}
        for hour, step, value in values
    ]
    assert training_metrics(table("metric_rows", rows), held).select("step", "value").rows() == [
        (100, 3.0), (300, 2.8), (600, 2.0),
    ]  # fmt: skip


def test_a_million_attempts_of_one_run_are_swept_once() -> None:
    # one nested in the other, so that a comparison of every pair would take 10^10 steps
    claims = pl.DataFrame({"gpu_set": pl.repeat(0, 100_000, eager=True), "claim": pl.int_range(100_000, eager=True)})
    nested = claims.with_columns(start_us=pl.col("claim"), end_us=300_000 - pl.col("claim"), gpu_count=pl.lit(8.0))
    assert exclusive_holdings(nested).rows() == [(0, 0, 300_000, 8.0)]


def test_rows_of_one_run_on_different_hosts_hold_the_gpus_of_all_of_them() -> None:
    n1, n2 = run("a", 0, 10, 4.0, hosts=["n1"]), run("a", 2, 8, 4.0, hosts=["n2"])
    assert gpu_hours(n1, n2) == {"a": 10 * 4 + 6 * 4}
    assert gpu_hours(n1, run("a", 8, 14, 4.0, hosts=["n2"])) == {"a": 10 * 4 + 6 * 4}


def test_rows_of_one_run_on_the_same_hosts_or_on_unknown_ones_hold_their_union() -> None:
    n1 = run("a", 0, 10, 4.0, hosts=["n1"])
    assert gpu_hours(n1, run("a", 8, 14, 4.0, hosts=["N1"])) == {"a": 14 * 4}
    assert gpu_hours(n1, run("a", 0, 8, 8.0, hosts=["n1", "n2"])) == {"a": 8 * 8 + 2 * 4}
    assert gpu_hours(n1, run("a", 0, 10, 4.0)) == {"a": 10 * 4}
    worlds = [run("a", 0, 10, 16.0, hosts=[host], gpu_scope="job") for host in ("n1", "n2")]
    assert gpu_hours(*worlds) == {"a": 10 * 16}  # each of them counts the GPUs of both


def test_a_run_that_took_more_gpus_for_a_while_holds_them_then() -> None:
    assert gpu_hours(run("a", 0, 10, 2.0), run("a", 2, 8, 8.0)) == {"a": 2 * 4 + 8 * 6}


def test_ranks_that_count_the_gpus_of_all_ranks_are_one_run_also_without_group_or_job() -> None:
    ranks = [run(f"r{n}", n / 60, 10, 8.0, hosts=[f"n{n // 2}"], rank=n, gpu_scope="job") for n in range(4)]
    assert gpu_hours(*ranks) == {"r0": 10 * 8}
    assert findings(*ranks) == []


def test_ranks_of_two_jobs_that_cannot_be_told_apart_are_in_doubt_beyond_the_first_rank_of_each() -> None:
    mixed = [run(f"j{job}r{n}", 0, 10, 8.0, hosts=[f"n{job}"], rank=n, gpu_scope="job")
             for job in (0, 1) for n in (0, 1)]  # fmt: skip
    claimed = [("gpus_claimed_twice", "j0r1", 80.0), ("gpus_claimed_twice", "j1r1", 80.0)]
    assert findings(*mixed) == claimed


def test_one_rank_alone_speaks_for_its_job() -> None:
    last = [run(f"j{job}", 0, 10, 8.0, hosts=[f"n{job}"], rank=7, gpu_scope="job") for job in (0, 1)]
    assert gpu_hours(last[0]) == {"j0": 80.0}
    assert findings(last[0]) == []


def test_runs_below_one_sidecar_name_the_same_gpus_and_what_each_lost_is_in_doubt() -> None:
    # 8 GPUs: `a` holds them from 0 to 2, `b` only from 2 to 3, `c` from 5 to 6
    below = {"sidecar": "inbox/tb/trisect-run.json"}
    rows = (run("a", 0, 2, **below), run("b", 0, 3, **below), run("c", 5, 6, hosts=["n2"], **below))
    assert gpu_hours(*rows) == {"a": 2 * 8, "b": 1 * 8, "c": 1 * 8}
    assert findings(*rows) == [("gpus_claimed_twice", "b", 2 * 8)]
    assert gpu_hours(run("a", 0, 2, sidecar="a.json"), run("b", 0, 3, sidecar="b.json")) == {"a": 16, "b": 24}
