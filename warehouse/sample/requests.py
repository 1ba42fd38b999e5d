"""What was asked and answered, as a gateway, a batch queue, an image service and traced agents record it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.sample.archive import packed, put, text_of
from warehouse.sample.company import Company
from warehouse.sample.demand import demand
from warehouse.sample.spans import write_spans

GATEWAY: Final = {
    "hour": "window_start",
    "model": "model",
    "deployment_id": "endpoint",
    "team": "team",
    "task": "use_case",
    "status": "outcome",
    "requests": "calls",
    "input_tokens": "prompt_tokens",
    "cached_input_tokens": "cached_tokens",
    "output_tokens": "completion_tokens",
    "duration_s": "latency_s",
}
BATCHES: Final = {
    "request_id": "batch_id",
    "start_at": "submitted",
    "end_at": "finished",
    "model": "model",
    "deployment_id": "endpoint",
    "team": "team",
    "tenant": "customer",
    "status": "result",
    "requests": "documents",
    "input_tokens": "tokens_in",
    "cached_input_tokens": "tokens_cached",
    "output_tokens": "tokens_out",
}
IMAGES: Final = {
    "hour": "hour",
    "model": "checkpoint",
    "deployment_id": "fleet",
    "team": "team",
    "status": "state",
    "requests": "jobs",
    "units": "images",
    "duration_s": "gpu_wall_s",
}
SENT_AS: Final = {
    "heron-34b": "quillmere/heron-34b",
    "heron-16b": "heron-m",
    "osprey-32b-code": "quillmere/osprey-code",
    "osprey-1b": "Osprey-Mini",
}
REPEATED_EVERY: Final = 97
BLANK_EVERY: Final = 250
CUSTOMERS: Final = ("halloway", "pinder-vale", "marchmont")


def write_requests(inbox: Path, company: Company) -> None:
    """One folder per source, one file per month (agents: per week)."""
    asked = demand(company).with_columns(
        pl.col("model_id").replace(SENT_AS).alias("model"), pl.col("hour").dt.strftime("%Y-%m").alias("month")
    )
    for source, write in (("gateway", _gateway), ("batches", _batches), ("images", _images)):
        of_source = asked.filter(pl.col("source") == source)
        for (month,), rows in of_source.partition_by("month", as_dict=True, maintain_order=True).items():
            write(inbox / source, str(month), rows)
    write_spans(inbox / "agents", company.seed, asked.filter(pl.col("source") == "agents"))


def _gateway(folder: Path, month: str, rows: pl.DataFrame) -> None:
    """Hourly sums by model, endpoint, use case and outcome, in Parquet."""
    table = rows.with_columns(
        pl.col("status").replace({"ok": "success"}), pl.col("hour").dt.replace_time_zone(None)
    ).select(pl.col(name).alias(written) for name, written in GATEWAY.items())
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", compression_level=12, statistics=False)
    put(folder / f"usage_{month}.parquet", buffer.getvalue())


def _batches(folder: Path, month: str, rows: pl.DataFrame) -> None:
    """One line per batch of documents; the queue writes some twice, and leaves empty lines."""
    lines = list(_batch_lines(rows))
    blank = range(BLANK_EVERY, len(lines), BLANK_EVERY)
    put(folder / f"batches_{month}.csv.gz", packed(text_of(tuple(BATCHES.values()), lines, blank)))


def _batch_lines(rows: pl.DataFrame) -> Iterator[dict[str, object]]:
    for number, row in enumerate(rows.to_dicts()):
        started = row["hour"] + timedelta(minutes=number % 7)
        values = row | {
            "request_id": f"lb-{row['hour']:%Y%m%d%H}",
            "start_at": _stamp(started),
            "end_at": _stamp(started + timedelta(minutes=41 + number % 5)),
            "tenant": CUSTOMERS[number % len(CUSTOMERS)],
            "status": "success",
        }
        line = {written: values[name] for name, written in BATCHES.items()}
        yield from [line] * (2 if number % REPEATED_EVERY == 0 else 1)


def _images(folder: Path, month: str, rows: pl.DataFrame) -> None:
    """Hourly sums of image jobs."""
    stamped = rows.with_columns(pl.col("hour").dt.strftime("%Y-%m-%d %H:%M:%S"), pl.lit("SUCCEED").alias("status"))
    lines = stamped.select(pl.col(name).alias(written) for name, written in IMAGES.items()).to_dicts()
    put(folder / f"images_{month}.csv.gz", packed(text_of(tuple(IMAGES.values()), lines)))


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
