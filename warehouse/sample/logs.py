"""Pre-training as MLPerf logs it: one text file per run, one description per system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from warehouse.sample.archive import packed, put
from warehouse.sample.bill_rows import GPUS_PER_NODE
from warehouse.sample.company import Company, Run, chip_of
from warehouse.sample.training import loss_of

ORGANISATION: Final = "quillmere"
SEQUENCE_LENGTH: Final = 8192
START_UP: Final = timedelta(minutes=14)
EVALUATIONS: Final = 48
STOPPED: Final = {"finished": "success", "failed": "aborted"}


def write_logs(inbox: Path, company: Company) -> None:
    """`<org>/results/<system>/<benchmark>/result_N.txt.gz` and `<org>/systems/<system>.json`."""
    folder = inbox / "mlperf" / ORGANISATION
    logged = sorted((run for run in company.runs if run.log == "mlperf"), key=_location)
    for (system, benchmark), runs in groupby(logged, key=lambda run: _location(run)[:2]):
        for number, run in enumerate(runs):
            put(
                folder / "results" / system / benchmark / f"result_{number}.txt.gz", packed("\n".join(_log(run)) + "\n")
            )
    for run in logged:
        put(folder / "systems" / f"{system_of(run)}.json", json.dumps(_system(run), indent=2) + "\n")


def system_of(run: Run) -> str:
    """`h100x256`: chip and GPUs."""
    return f"{chip_of(run).lower()}x{run.gpus}"


def _location(run: Run) -> tuple[str, str, datetime]:
    return system_of(run), run.project, run.start


def _system(run: Run) -> dict[str, str]:
    return {
        "submitter": ORGANISATION,
        "division": "closed",
        "status": "internal",
        "system_name": system_of(run),
        "number_of_nodes": str(run.gpus // GPUS_PER_NODE),
        "accelerators_per_node": str(GPUS_PER_NODE),
        "accelerator_model_name": f"{chip_of(run)} 80GB" if chip_of(run) != "H200" else "H200 141GB",
        "host_processors_per_node": "2",
        "framework": "in-house",
    }


def _log(run: Run) -> Iterator[str]:
    """From the first record to the last; a run that runs out of time says nothing but what the scheduler says."""
    begin = run.start + START_UP
    yield f"[launcher] {run.name}: {run.gpus} ranks"
    yield _record(run.start, "POINT_IN_TIME", "cache_clear", value=True)
    yield _record(run.start + timedelta(seconds=2), "INTERVAL_START", "init_start")
    settings = {
        "submission_benchmark": run.project,
        "submission_org": ORGANISATION,
        "submission_platform": system_of(run),
        "global_batch_size": 2048,
        "max_sequence_length": SEQUENCE_LENGTH,
    }
    for key, value in settings.items():
        yield _record(run.start + timedelta(seconds=3), "POINT_IN_TIME", key, value=value)
    yield _record(begin, "INTERVAL_END", "init_stop")
    yield _record(begin, "INTERVAL_START", "run_start")
    yield from _evaluations(run, begin)
    if run.status in STOPPED:
        yield _record(run.end, "INTERVAL_END", "run_stop", status=STOPPED[run.status], samples_count=_samples(run, 1))
    else:
        yield _record(run.end, "POINT_IN_TIME", "tracked_stats", value={"throughput": 0.0}, step=_samples(run, 1))
        yield f"slurmstepd: error: *** JOB CANCELLED AT {run.end:%Y-%m-%dT%H:%M:%S} DUE TO TIME LIMIT ***"


def _evaluations(run: Run, begin: datetime) -> Iterator[str]:
    """Loss against samples, bent so that it ends where the run ended."""
    if run.params is None or run.tokens is None or run.loss is None:
        return
    offset = run.loss - loss_of(run.params, run.tokens)
    for step in range(1, EVALUATIONS + 1):
        part = step / EVALUATIONS
        moment = begin + (run.end - begin) * part - timedelta(seconds=1)
        loss = round(loss_of(run.params, run.tokens * part) + offset, 4)
        samples = _samples(run, part)
        yield _record(moment, "POINT_IN_TIME", "train_loss", value=loss, samples_count=samples)


def _samples(run: Run, part: float) -> int:
    return round((run.tokens or 0) * part / SEQUENCE_LENGTH)


def _record(moment: datetime, event: str, key: str, value: object = None, **metadata: object) -> str:
    record = {
        "namespace": "",
        "time_ms": round(moment.timestamp() * 1000),
        "event_type": event,
        "key": key,
        "value": value,
        "metadata": {"file": "train.py", "lineno": 1} | metadata,
    }
    return f":::MLLOG {json.dumps(record)}"
