"""Which canonical column a word of the user's means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

_MEANT: Final = MappingProxyType({
    "cost": ("billed_cost",),
    "amount": ("billed_cost",),
    "price": ("billed_cost",),
    "spend": ("billed_cost",),
    "total": ("billed_cost",),
    "date": ("charge_start", "started_at", "start_at"),
    "day": ("charge_start", "started_at", "start_at"),
    "time": ("charge_start", "started_at", "start_at"),
    "timestamp": ("charge_start", "started_at", "start_at"),
    "start": ("charge_start", "started_at", "start_at"),
    "started": ("charge_start", "started_at", "start_at"),
    "start_time": ("charge_start", "started_at", "start_at"),
    "created_at": ("started_at", "start_at", "charge_start"),
    "end": ("charge_end", "ended_at", "end_at"),
    "ended": ("charge_end", "ended_at", "end_at"),
    "end_time": ("charge_end", "ended_at", "end_at"),
    "duration": ("duration_s",),
    "runtime": ("duration_s",),
    "latency": ("duration_s",),
    "gpu": ("gpu_model",),
    "chip": ("gpu_model",),
    "gpus": ("gpu_count",),
    "num_gpus": ("gpu_count",),
    "instance": ("resource_id",),
    "machine": ("resource_id", "hosts"),
    "host": ("hosts", "resource_id"),
    "node": ("hosts", "resource_id"),
    "account": ("sub_account_id",),
    "project_id": ("sub_account_id", "project"),
    "service": ("service_name",),
    "description": ("charge_description",),
    "line_item": ("charge_description",),
    "invoice": ("invoice_id",),
    "name": ("run_name", "resource_name", "model"),
    "id": ("run_id", "request_id", "charge_key"),
    "loss": ("final_loss",),
    "deployment": ("deployment_id",),
    "endpoint": ("deployment_id",),
    "user": ("tenant",),
    "customer": ("tenant",),
    "prompt_tokens": ("input_tokens",),
    "completion_tokens": ("output_tokens",),
    "generated_tokens": ("output_tokens",),
    "cached_tokens": ("cached_input_tokens",),
})  # fmt: skip
"""The words that files use for a column, and what they mean in a bill, a log of runs or of requests: the first that is
columns there."""


def meant(word: str, columns: Sequence[str]) -> str | None:
    """The column of `columns` that the word means: by what people call it, else by its parts, else by its spelling."""
    plain = word.casefold().strip().replace(" ", "_").replace("-", "_")
    candidates = [column for column in _MEANT.get(plain, ()) if column in columns]
    candidates += [column for column in columns if plain and plain == column.casefold()]
    candidates += difflib.get_close_matches(plain, columns, n=1, cutoff=0.75)
    candidates += [column for column in columns if plain and plain in column.split("_")]
    candidates += difflib.get_close_matches(plain, columns, n=1)
    return next(iter(candidates), None)
