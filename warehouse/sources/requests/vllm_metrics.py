"""Counters of vLLM and SGLang as exposition text: one scrape of one server a file, one sample a row.

A counter says what a process has counted since it began. What was served between two scrapes is decided over all
files of the source, in `warehouse/landing/requests/counter_growth.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Final

import polars as pl
from prometheus_client.samples import Sample

from warehouse.schemas.raw import CounterSamples
from warehouse.sources.casts.date_guard import EPOCH, plausible_starts
from warehouse.sources.decode.exposition import (
    Scrape,
    label_set,
    sampled_at,
    samples,
    scrape_of,
    scrapes_at_other_times,
)
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.status_words import REQUEST

LABELS: Final = {
    "model": ("model_name", "model"),
    "deployment_id": ("pod", "kubernetes_pod_name", "instance"),
    "team": ("team",),
    "tenant": ("tenant",),
    "task": ("task",),
}
"""Canonical column -> the labels that may hold it, best first."""

_SERVER: Final = re.compile(r"(?:ray_)?(vllm|sglang)[:_](.+)")
_COUNTERS: Final = {
    "prompt_tokens_total": "input_tokens",
    "generation_tokens_total": "output_tokens",
    "prefix_cache_hits_total": "cached_input_tokens",
    "gpu_prefix_cache_hits_total": "cached_input_tokens",
    "external_prefix_cache_hits_total": "cached_input_tokens",
    "cached_tokens_total": "cached_input_tokens",
    "request_success_total": "requests",
    "num_requests_total": "requests",
    "num_aborted_requests_total": "requests",
    "e2e_request_latency_seconds_sum": "duration_us",
    "time_to_first_token_seconds_sum": "ttft_us",
    "e2e_request_latency_seconds_bucket": "requests_within",
}
_SECONDS: Final = ("duration_us", "ttft_us")
_OLD_NAME: Final = "gpu_prefix_cache_hits_total"
_NEW_NAME: Final = "prefix_cache_hits_total"
_BEGUN: Final = "process_start_time_seconds"
_CREATED: Final = "_created"
_MICRO: Final = 1_000_000
_LONGEST_S: Final = 1e9
_PROCESS_LABELS: Final = ("namespace", "pod", "kubernetes_pod_name", "instance", "job")
_REASONS: Final = {**REQUEST, "tool_calls": "ok", "repetition": "ok"}


def read(delivered: Delivered, source: Source) -> Reading:
    """The counters of one scrape; a row is a sample of a counter that is read, every other line is foreign.

    Raises:
        RejectedFile: missing_column, where neither the path nor the samples say when it was taken; as
            warehouse.sources.decode.exposition.samples.
    """
    scrape = scrape_of(delivered.file, source)
    lines = samples(delivered.content, lambda name: _is_begun(name) or _counter(name) is not None)
    begun = _begun([sample for _, sample in lines.samples])
    counters = [(location, sample) for location, sample in lines.samples if not _is_begun(sample.name)]
    if counters and scrape.at is None and any(sample.timestamp is None for _, sample in counters):
        raise RejectedFile(
            "missing_column",
            "neither the path nor the samples say when it was scraped: name the file <pod>_<time>.prom, "
            "the time in ISO 8601 or in seconds since 1970",
        )
    superseded = _superseded_names(counters)
    rows = [
        row
        for location, sample in counters
        if _short(sample.name) not in superseded
        and (row := _row(location, sample, scrape, source, begun, delivered, lines.refusals))
    ]
    refused, count = lines.refusals.frame(), len(rows)
    rows += [
        row
        for copy in scrapes_at_other_times(scrape, delivered, source)
        for location, sample in counters
        if _short(sample.name) not in superseded
        and sample.timestamp is None
        and (row := _row(location, sample, copy, source, begun, delivered, Refusals()))
    ]
    told_again = sum(_short(sample.name) in superseded for _, sample in counters)
    frame = pl.DataFrame(rows, schema=CounterSamples.polars_schema())
    return Reading(
        rows=count + refused.height,
        frames={CounterSamples.table_name: frame},
        refused=refused,
        foreign_lines=lines.foreign_lines + told_again + (len(lines.samples) - len(counters)),
        flags=(
            *sorted(_servers(counters)),
            *(("from_histogram",) if frame["bound_us"].is_not_null().any() else ()),
            *(("tz_assumed",) if scrape.is_zone_assumed else ()),
        ),
        counted=count,
    )


def _row(
    location: str,
    sample: Sample,
    scrape: Scrape,
    source: Source,
    begun: Mapping[str, int],
    delivered: Delivered,
    refusals: Refusals,
) -> dict[str, Any] | None:
    """One sample as raw.counter_samples has it; None where it is refused."""
    at = sampled_at(sample, scrape)
    if at is None or at not in plausible_starts(delivered.ahead):
        refusals.add(location, "date_out_of_range", "scraped before 2015 or after the night")
        return None
    counter = _counter(sample.name) or ""
    if counter == "requests_within" and _is_no_bound(sample.labels.get("le")):
        refusals.add(location, "bad_count", f"{sample.name} has no bound le")
        return None
    value = float(sample.value) * (_MICRO if counter in _SECONDS else 1)
    if not 0 <= value < 2**63 or (counter not in _SECONDS and value != int(value)):
        refusals.add(location, "bad_count", f"{sample.name} is {sample.value}, and no count")
        return None
    named = {column: _label(column, sample.labels, source) for column in LABELS}
    return {
        "file_sha256": delivered.sha256,
        "location": location,
        "source": source.name,
        "target": scrape.target,
        "series": f"{sample.name}\n{label_set(sample.labels)}",
        "counter": counter,
        "status": _status(sample) if counter == "requests" else "ok",
        "model": named["model"],
        "deployment": named["deployment_id"] or PurePosixPath(scrape.target).name,
        **{column: named[column] for column in ("team", "tenant", "task")},
        "scraped_at": EPOCH + timedelta(microseconds=at),
        "bound_us": _bound_us(sample),
        "value": round(value),
        "begun_at": _begun_at(sample, begun),
    }


def _is_no_bound(label: str | None) -> bool:
    """Whether a bucket does not say up to how many seconds it counts."""
    try:
        return not float(label or "") >= 0
    except ValueError:
        return True


def _bound_us(sample: Sample) -> int | None:
    """How long the requests of a bucket took at most; None for all requests, and for samples of no bucket."""
    bound = float(sample.labels["le"]) if _counter(sample.name) == "requests_within" else math.inf
    return None if bound > _LONGEST_S else round(bound * _MICRO)


def _counter(name: str) -> str | None:
    return _COUNTERS.get(_short(name))


def _short(name: str) -> str:
    server = _SERVER.fullmatch(name)
    return server[2] if server else ""


def _servers(counters: list[tuple[str, Sample]]) -> set[str]:
    """Which servers tell of the counters: vllm, sglang."""
    return {server[1] for _, sample in counters if (server := _SERVER.fullmatch(sample.name))}


def _is_begun(name: str) -> bool:
    """Whether a sample says when the process, or the counter itself, began."""
    is_created = name.endswith(_CREATED) and _counter(_named_total(name)) is not None
    return name == _BEGUN or is_created


def _named_total(created: str) -> str:
    stem = created.removesuffix(_CREATED)
    return f"{stem}_sum" if stem.endswith("_seconds") else f"{stem}_total"


def _begun(starts: list[Sample]) -> Mapping[str, int]:
    """When each process began; where none says so, when each counter was created."""
    processes = {_process(one.labels): one.value for one in starts if one.name == _BEGUN}
    created = {
        f"{_named_total(one.name)}\n{label_set(one.labels)}": one.value for one in starts if one.name.endswith(_CREATED)
    }
    return {key: round(float(value) * _MICRO) for key, value in (processes or created).items() if value > 0}


def _process(labels: Mapping[str, str]) -> str:
    return label_set({name: value for name, value in labels.items() if name in _PROCESS_LABELS})


def _begun_at(sample: Sample, begun: Mapping[str, int]) -> datetime | None:
    key = f"{sample.name}\n{label_set(sample.labels)}"
    at = begun.get(key, begun.get(_process(sample.labels)))
    return None if at is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)


def _superseded_names(counters: list[tuple[str, Sample]]) -> frozenset[str]:
    """A server that tells one counter under its old and its new name tells it once."""
    names = {_short(sample.name) for _, sample in counters}
    return frozenset((_OLD_NAME,)) if {_OLD_NAME, _NEW_NAME} <= names else frozenset()


def _status(sample: Sample) -> str:
    """How the counted requests ended; vLLM has a label for it, SGLang a counter."""
    default = "abort" if _short(sample.name) == "num_aborted_requests_total" else "stop"
    return _REASONS.get(sample.labels.get("finished_reason", default).lower(), "unknown")


def _label(column: str, labels: Mapping[str, str], source: Source) -> str | None:
    """The label that the settings or the exporter name, else the constant of the settings."""
    names = (source.columns[column],) if column in source.columns else LABELS[column]
    label = next((labels[name] for name in names if labels.get(name)), None)
    return label or source.constants.get(column)
