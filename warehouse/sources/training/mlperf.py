"""MLPerf training: the reader of result logs and of the system descriptions beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.mlperf_layout import System, plain_name, read_description, result_path
from warehouse.sources.training.mlperf_log import Log, read_log
from warehouse.sources.training.run_rows import metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, sidecar_paths, with_sidecar


def side_files(file: str) -> Sequence[str]:
    """The description of the system a result ran on, and a sidecar."""
    stands = result_path(file)
    described = [stands.description] if stands else []
    return [] if _is_description(file) else [*described, *sidecar_paths(file)]


def read(delivered: Delivered, source: Source) -> Reading:
    """A log is one run in one or several launches, and as many rows as it has records.

    A system description or a sidecar is one row.
    """
    if is_sidecar(delivered.file):
        return _one_row(refuse_sidecar(delivered, source))
    if _is_description(delivered.file):
        return _one_row(_refuse_description(delivered))
    log, sidecar_fields = read_log(delivered), sidecar(delivered, source)
    try:
        runs = _runs(log, delivered, source, sidecar_fields)
    except BadLine as bad:
        return _without_system(log, delivered.file, bad)
    return Reading(
        rows=log.records,
        frames={
            "run_rows": run_rows(runs),
            "metric_rows": metric_rows(
                delivered.sha256, source.name, log.metrics(str(runs[0]["run_id"])) if runs else []
            ),
        },
        refused=log.refusals.frame(),
        foreign_lines=log.foreign_lines,
    )


def _is_description(file: str) -> bool:
    return plain_name(file).endswith(".json")


def _one_row(refusals: Refusals) -> Reading:
    return Reading(rows=1, frames={}, refused=refusals.frame())


def _refuse_description(delivered: Delivered) -> Refusals:
    refusals = Refusals()
    try:
        read_description(delivered.content)
    except BadLine as bad:
        refusals.add("file", bad.reason, bad.detail)
    return refusals


def _without_system(log: Log, file: str, bad: BadLine) -> Reading:
    """Without GPUs a run cannot count: every record is refused, with the path that was looked for."""
    for location in log.read_at:
        log.refusals.add(location, bad.reason, bad.detail, raw=_description(file))
    return Reading(rows=log.records, frames={}, refused=log.refusals.frame(), foreign_lines=log.foreign_lines)


def _description(file: str) -> str:
    stands = result_path(file)
    return stands.description if stands else sidecar_paths(file)[0]


def _system(delivered: Delivered, sidecar_fields: Mapping[str, object]) -> System:
    path = _description(delivered.file)
    if path in delivered.side_files and result_path(delivered.file):
        try:
            return read_description(delivered.side_files[path])
        except BadLine as bad:
            raise BadLine(bad.reason, f"{path}: {bad.detail}; correct it, then the log counts") from bad
    if "gpu_count" not in sidecar_fields:
        raise BadLine("missing_key", f"no description of the system: {path}; deliver it, then the log counts")
    return System(float(str(sidecar_fields["gpu_count"])), None)


def _runs(
    log: Log, delivered: Delivered, source: Source, sidecar_fields: Mapping[str, object]
) -> Sequence[Mapping[str, object]]:
    """One row for each launch of the log."""
    system, stands = _system(delivered, sidecar_fields), result_path(delivered.file)
    run = {
        "file_sha256": delivered.sha256,
        "location": "file",
        "source": source.name,
        "run_id": stands.run_id if stands else None,
        "run_name": stands.run_id if stands else None,
        "project": stands.benchmark if stands else log.benchmark,
        "cluster": stands.cluster if stands else None,
        "gpu_model": system.gpu_model,
        "gpu_count": system.gpu_count,
    }
    named = {"run_id": delivered.file, "run_name": sidecar_fields.get("run_id", delivered.file)}
    launches, rows = log.launches(), []
    for launch in launches:
        course = log.course(launch, is_first=launch is launches[0], is_last=launch is launches[-1])
        fields = named | with_sidecar(course | run, sidecar_fields)
        rows.append({**fields, "run_key": log.key(launch, run["project"]) or fields["run_id"]})
    return rows
