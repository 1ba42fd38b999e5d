"""What GPUs did, as the exporter of NVIDIA's DCGM tells it: one scrape of one host a file, or a table of hours.

A row is one measurement of one GPU. It adds no cost.

Reference: https://github.com/NVIDIA/dcgm-exporter, etc/default-counters.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final

import polars as pl
from prometheus_client.samples import Sample

from warehouse.schemas.raw import GpuSamples
from warehouse.sources.casts.casts import first_reason, free_text, null_if, refused, required
from warehouse.sources.casts.date_guard import EPOCH, plausible_starts
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.number_casts import size
from warehouse.sources.casts.timestamps import clock_of, instants, start_in_range
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.exposition import Scrape, sampled_at, samples, scrape_of, scrapes_at_other_times
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.reader_protocol import NOTHING_REFUSED, Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source

METRICS: Final = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": "engine_activity",
    "DCGM_FI_DEV_GPU_UTIL": "utilization",
    "DCGM_FI_DEV_FB_USED": "memory_used",
}
COLUMNS: Final = {
    "sampled_at": ("hour", "time", "timestamp"),
    "gpu": ("UUID", "gpu_uuid", "gpu"),
    "activity": ("activity", "engine_activity", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"),
    "utilization": ("utilization", "gpu_util", "DCGM_FI_DEV_GPU_UTIL"),
    "memory_used": ("memory_used", "fb_used", "DCGM_FI_DEV_FB_USED"),
    "host": ("Hostname", "host", "node"),
    "gpu_model": ("modelName", "gpu_model"),
    "namespace": ("namespace", "exported_namespace"),
    "pod": ("pod", "exported_pod"),
    "container": ("container", "exported_container"),
    "profile": ("GPU_I_PROFILE",),
}
"""Canonical column -> its names in a table of hours, best first."""

_MEASURED: Final = {"activity": "engine_activity", "utilization": "utilization", "memory_used": "memory_used"}
# Prometheus puts `exported_` before a label of the exporter that it has itself, so that this one is the workload's.
_LABELS: Final = {
    "host": ("Hostname", "hostname", "instance"),
    "gpu_model": ("modelName",),
    "namespace": ("exported_namespace", "namespace"),
    "pod": ("exported_pod", "pod"),
    "container": ("exported_container", "container"),
}
_TABLES: Final = (".csv", ".parquet", ".pq", ".jsonl", ".ndjson")
_PERCENT: Final = 100
_SLICES: Final = 7
_SLICE: Final = r"^(\d)g\."
_ABOVE_WHOLE: Final = 1.01
"""Counters of the hardware overshoot by their last digit."""


def read(delivered: Delivered, source: Source) -> Reading:
    """The measurements of one scrape, or of a table that has a row for each GPU and hour.

    Raises:
        RejectedFile: missing_column, where neither the path nor the samples say when it was taken; as
            warehouse.sources.decode.exposition.samples and warehouse.sources.decode.records.batches.
    """
    suffixes = [suffix for suffix in PurePosixPath(delivered.file).suffixes if suffix not in {".gz", ".zst"}]
    if suffixes and suffixes[-1].lower() in _TABLES:
        return _hours(delivered, source)
    scrape = scrape_of(delivered.file, source)
    lines = samples(delivered.content, METRICS.__contains__)
    if lines.samples and scrape.at is None and any(sample.timestamp is None for _, sample in lines.samples):
        raise RejectedFile(
            "missing_column",
            "neither the path nor the samples say when it was scraped: name the file <host>_<time>.prom, "
            "the time in ISO 8601 or in seconds since 1970",
        )
    rows = [
        row
        for location, sample in lines.samples
        if (row := _row(location, sample, scrape, source, delivered, lines.refusals))
    ]
    refused_rows, count = lines.refusals.frame(), len(rows)
    rows += [
        row
        for copy in scrapes_at_other_times(scrape, delivered, source)
        for location, sample in lines.samples
        if sample.timestamp is None and (row := _row(location, sample, copy, source, delivered, Refusals()))
    ]
    return Reading(
        rows=count + refused_rows.height,
        frames={GpuSamples.table_name: pl.DataFrame(rows, schema=GpuSamples.polars_schema())},
        refused=refused_rows,
        foreign_lines=lines.foreign_lines,
        flags=("tz_assumed",) if scrape.is_zone_assumed else (),
        counted=count,
    )


def _row(
    location: str, sample: Sample, scrape: Scrape, source: Source, delivered: Delivered, refusals: Refusals
) -> dict[str, Any] | None:
    """One sample as raw.gpu_samples has it; None where it is refused."""
    at = sampled_at(sample, scrape)
    if at is None or at not in plausible_starts(delivered.ahead):
        refusals.add(location, "date_out_of_range", "scraped before 2015 or after the night")
        return None
    metric = METRICS[sample.name]
    value = float(sample.value) / (_PERCENT if metric == "utilization" else 1)
    if not 0 <= value <= (float("inf") if metric == "memory_used" else _ABOVE_WHOLE) or value == float("inf"):
        refusals.add(location, "bad_count", f"{sample.name} is {sample.value}, and no measurement")
        return None
    labels = sample.labels
    named = {column: _label(column, names, labels, source) for column, names in _LABELS.items()}
    host = named["host"] or scrape.target
    device = labels.get("UUID") or f"{host}/{labels.get('gpu', labels.get('device', ''))}"
    part = labels.get("GPU_I_ID")
    return {
        "file_sha256": delivered.sha256,
        "location": location,
        "source": source.name,
        "gpu": f"{device}/{part}" if part else device,
        "gpus": _gpus(labels.get("GPU_I_PROFILE")),
        "metric": metric,
        "value": value if metric == "memory_used" else min(value, 1.0),
        **named,
        "host": host,
        "sampled_at": EPOCH + timedelta(microseconds=at),
        "is_hourly": False,
    }


def _label(column: str, names: tuple[str, ...], labels: Mapping[str, str], source: Source) -> str | None:
    """The label that the settings or the exporter name, else the constant of the settings."""
    wanted = (source.columns[column],) if column in source.columns else names
    return next((labels[name] for name in wanted if labels.get(name)), None) or source.constants.get(column)


def _gpus(profile: str | None) -> float:
    """The part of a chip that an instance of it is: `1g.10gb` is a seventh."""
    shares = pl.Series([profile], dtype=pl.String).str.extract(_SLICE).cast(pl.Float64).fill_null(_SLICES) / _SLICES
    return float(shares.item())


def _hours(delivered: Delivered, source: Source) -> Reading:
    """The rows of a table: a mean of each metric of a GPU in an hour."""
    spelled = {name: (source.columns[name],) if name in source.columns else names for name, names in COLUMNS.items()}
    layout = Layout(spelled, (("sampled_at",), ("gpu",), ("activity", "utilization")), source.constants)
    frames, refused_rows, rows, blank = [GpuSamples.empty()], [NOTHING_REFUSED], 0, 0
    flags: set[str] = set()
    counted = 0
    for batch in batches(delivered, layout):
        typed, reasons = _typed(batch, delivered, source)
        good = typed.filter(reasons.is_null())
        frames.append(_melted(good, delivered, source))
        refused_rows += [batch.refused, refusals(batch.rows, reasons)]
        rows, blank = rows + batch.rows.height + batch.refused.height + batch.blank, blank + batch.blank
        flags |= assumptions(source, batch.rows["sampled_at"], batch.rows["sampled_at"])
        counted += good.height
    return Reading(
        rows=rows,
        frames={GpuSamples.table_name: pl.concat(frames)},
        refused=pl.concat(refused_rows),
        blank=blank,
        flags=tuple(sorted(flags)),
        counted=counted,
    )


def _typed(batch: Batch, delivered: Delivered, source: Source) -> tuple[pl.DataFrame, pl.Series]:
    """Values of some rows, and why a row has none."""
    at = required(instants(batch.rows["sampled_at"], clock_of(source)), "bad_date")
    gpu = required(free_text(null_if(batch.rows["gpu"])), "missing_key")
    texts = {
        name: free_text(null_if(batch.rows[name])) for name in ("host", "gpu_model", "namespace", "pod", "container")
    }
    sizes = {name: size(batch.rows[name]) for name in _MEASURED}
    shares = {"activity": sizes["activity"].values, "utilization": sizes["utilization"].values / _PERCENT}
    is_strange = pl.Series([False]).new_from_index(0, batch.rows.height)
    for share in shares.values():
        is_strange |= ((share < 0) | (share > _ABOVE_WHOLE)).fill_null(value=False)
    typed = pl.DataFrame(
        [
            batch.rows["location"],
            at.values.dt.truncate("1h").alias("sampled_at"),
            gpu.values.alias("gpu"),
            *(cast.values.alias(name) for name, cast in texts.items()),
            *(share.clip(upper_bound=1.0).alias(name) for name, share in shares.items()),
            sizes["memory_used"].values.alias("memory_used"),
            (batch.rows["profile"].str.extract(_SLICE).cast(pl.Float64).fill_null(_SLICES) / _SLICES).alias("gpus"),
        ]
    )
    return typed, first_reason(
        at.reasons,
        gpu.reasons,
        start_in_range(typed["sampled_at"], delivered.ahead),
        *(cast.reasons for cast in (*texts.values(), *sizes.values())),
        refused(is_strange, "bad_count"),
    )


def _melted(rows: pl.DataFrame, delivered: Delivered, source: Source) -> pl.DataFrame:
    """A row for each metric that a row of the table states."""
    measured = rows.unpivot(
        list(_MEASURED), index=[name for name in rows.columns if name not in _MEASURED], variable_name="metric"
    )
    return GpuSamples.frame(
        measured.drop_nulls("value").with_columns(
            pl.col("metric").replace(_MEASURED),
            pl.lit(delivered.sha256).alias("file_sha256"),
            pl.lit(source.name).alias("source"),
            pl.lit(value=True).alias("is_hourly"),
        )
    )
