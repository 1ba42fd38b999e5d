"""Recipes: what a page tells a user to run gives the lines it prints, and these are the runs they should be."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

PAGES = Path(__file__).parents[3] / "docs" / "recipes"
NIGHT = datetime(2026, 11, 19, tzinfo=UTC)


def block(page: str, language: str) -> str:
    """The first block of a language on a page."""
    found = re.search(rf"```{language}\n(.*?)```", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found, page
    return found[1]


def program(page: str) -> str:
    """The jq program of the page's command."""
    return block(page, "sh").split("jq -r '")[1].split("' > ")[0]


def by_jq(page: str, document: object) -> str:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed: that the program gives these lines is not shown here")
    asked = [jq, "-r", program(page)]
    return subprocess.run(asked, input=json.dumps(document), capture_output=True, text=True, check=True).stdout


def runs(folder: Path, page: str) -> list[dict[str, Any]]:
    """The runs of the lines that the page prints, read by the settings that the page prints."""
    said = tomllib.loads(block(page, "toml"))["source"][0]
    named = {key: said[key] for key in ("name", "kind", "format", "files")}
    source = Source(**named, constants=said.get("constants", {}), options=said.get("options", {}))
    content = folder / "content"
    content.write_text(block(page, "csv"))
    read = FORMATS[source.kind, source.format].read(Delivered("inbox/x.csv", "ab" * 32, 1, content, NIGHT), source)
    assert read.refused.is_empty()
    return read.frames["run_rows"].sort("run_id").to_dicts()


def workload(uid: str, name: str, namespace: str, queue: str, gpus: list[str], **at: Any) -> dict[str, Any]:
    """A workload as the API server lists it; a pod set each of `gpus`."""
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": moment}
        for kind, (moment, reason) in at.items()
    ]
    assignments = [
        {"name": f"set-{place}", "flavors": {"nvidia.com/gpu": "h100"}, "resourceUsage": {"cpu": "8", **usage}}
        for place, usage in enumerate({"nvidia.com/gpu": count} if count else {} for count in gpus)
    ]
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": "Workload",
        "metadata": {
            "name": f"job-{name}-5c2f1",
            "namespace": namespace,
            "uid": uid,
            "ownerReferences": [{"kind": "Job", "name": name}],
        },
        "spec": {"queueName": queue},
        "status": {"conditions": conditions, "admission": {"clusterQueue": "gpu", "podSetAssignments": assignments}},
    }


WORKLOADS = {
    "items": [
        workload(
            "9f1c1c0e-3f0e-4b0a-8d57-0f3d1f3b7a10",
            "sft-kestrel",
            "research",
            "team-a-queue",
            ["", "16"],  # the driver's pods hold none
            QuotaReserved=("2026-11-19T07:59:58Z", "QuotaReserved"),
            Admitted=("2026-11-19T08:00:00Z", "Admitted"),
            Finished=("2026-11-19T14:00:00Z", "Succeeded"),
        ),
        workload(
            "1b7f9a52-6f1f-4a44-9f0a-6a2f5a0f9e11",
            "eval-kestrel",
            "research",
            "team-a-queue",
            ["1"],
            Admitted=("2026-11-19T09:00:00Z", "Admitted"),
            Finished=("2026-11-19T09:30:00Z", "Failed"),
        ),
        workload(
            "c0a7e7a2-2f6b-4a0c-9d3e-5f1d2c3b4a12",
            "pretrain-robin",
            "platform",
            "team-b-queue",
            ["64"],
            Admitted=("2026-11-19T20:00:00Z", "Admitted"),
        ),
        {"metadata": {"name": "waits", "uid": "w", "namespace": "research"}, "spec": {}, "status": {"conditions": []}},
    ]
}

RAY_JOBS = [
    {
        "type": "SUBMISSION",
        "job_id": "01000000",
        "submission_id": "raysubmit_Yk3bQ7wV1nq2sF9c",
        "status": "SUCCEEDED",
        "entrypoint": "python train.py",
        "start_time": 1795075200000,
        "end_time": 1795096800000,
        "metadata": {"name": "sft-kestrel", "team": "research", "gpus": "8"},
        "entrypoint_num_gpus": None,
    },
    {
        "submission_id": "raysubmit_a8RzL0dM5tXe4uJp",
        "status": "FAILED",
        "start_time": 1795078800000,
        "end_time": 1795080600000,
        "metadata": {"name": "sweep-robin", "team": "research"},
        "entrypoint_num_gpus": 2,
    },
    {
        "submission_id": "raysubmit_Bb6Hn2cW9yTg7kQs",
        "status": "STOPPED",
        "start_time": 1795082400000,
        "end_time": 1795083000000,
        "metadata": {"name": "serve-demo"},
    },
    {"submission_id": "raysubmit_waits", "status": "PENDING", "start_time": None, "end_time": None, "metadata": {}},
]

SKY_JOBS = [
    {
        "job_id": 41,
        "task_id": 0,
        "job_name": "sft-kestrel",
        "user_name": "ana",
        "cloud": "aws",
        "resources": "1x[H100:8][Spot]",
        "submitted_at": 1795074000.0,
        "start_at": 1795075200.0,
        "end_at": 1795096800.0,
        "job_duration": 19200.0,  # 40 minutes of the six hours went to a recovery
        "recovery_count": 1,
        "status": "SUCCEEDED",
    },
    {
        "job_id": 42,
        "task_id": 0,
        "job_name": "pretrain-robin",
        "user_name": "ben",
        "cloud": "gcp",
        "resources": "2x[A100-80GB:8]",
        "start_at": 1795118400.0,
        "end_at": None,
        "job_duration": 3600.0,
        "status": "RUNNING",
    },
    {
        "job_id": 43,
        "job_name": "waits",
        "resources": "1x[H100:8]",
        "start_at": None,
        "end_at": None,
        "status": "PENDING",
    },
    {
        "job_id": 44,
        "job_name": "data",
        "resources": "1x[CPU:4+]",
        "start_at": None,
        "end_at": None,
        "status": "PENDING",
    },
]


def test_kueue_workloads_are_runs_from_admission_to_their_end(tmp_path: Path) -> None:
    failed, running, finished = sorted(runs(tmp_path, "kueue"), key=lambda run: str(run["status"]) != "failed")[:3]
    assert (failed["gpu_count"], failed["status"]) == (1, "failed")
    by_name = {run["run_name"]: run for run in (failed, running, finished)}
    assert by_name["sft-kestrel"]["gpu_count"] == 16
    assert (by_name["sft-kestrel"]["ended_at"] - by_name["sft-kestrel"]["started_at"]).total_seconds() == 6 * 3600
    assert (by_name["pretrain-robin"]["status"], by_name["pretrain-robin"]["team"]) == ("running", "team-b-queue")


def test_the_command_for_kueue_gives_the_lines_of_its_page() -> None:
    assert by_jq("kueue", WORKLOADS) == block("kueue", "csv")


def test_ray_jobs_are_runs_with_the_gpus_they_say(tmp_path: Path) -> None:
    held = {run["run_name"]: (run["gpu_count"], run["status"]) for run in runs(tmp_path, "ray")}
    assert held == {"sft-kestrel": (8, "finished"), "sweep-robin": (2, "failed"), "serve-demo": (None, "cancelled")}
    first = next(run for run in runs(tmp_path, "ray") if run["run_name"] == "sft-kestrel")
    assert first["started_at"] == datetime(2026, 11, 19, 8, tzinfo=UTC)


def test_the_command_for_ray_gives_the_lines_of_its_page() -> None:
    assert by_jq("ray", RAY_JOBS) == block("ray", "csv")


def test_skypilot_jobs_hold_no_gpus_while_they_recover(tmp_path: Path) -> None:
    finished, running = runs(tmp_path, "skypilot")
    assert (finished["gpu_seconds"], finished["gpu_count"], finished["status"]) == (19_200 * 8, 8, "finished")
    assert (running["gpu_seconds"], running["gpu_count"], running["status"]) == (None, 16, "running")


def test_the_script_for_skypilot_gives_the_lines_of_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = SimpleNamespace(queue=lambda **_: SKY_JOBS)
    monkeypatch.setitem(sys.modules, "sky", SimpleNamespace(jobs=queue, get=lambda asked: asked))
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(block("skypilot", "python"), "skypilot.md", "exec"), {})  # noqa: S102 - the page's own script
    assert said.getvalue() == block("skypilot", "csv")
