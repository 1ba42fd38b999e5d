"""The words by which systems say how a request or a run ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from warehouse.sources.casts.casts import null_if

REQUEST: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("succeeded", "succeed", "success", "successful", "ok", "complete", "completed"), "ok"),
        **dict.fromkeys(("finished", "done", "stop", "length"), "ok"),
        **dict.fromkeys(("failed", "fail", "failure", "error", "errored", "timeout", "timed_out"), "error"),
        **dict.fromkeys(("cancelled", "canceled", "abort", "aborted", "499"), "cancelled"),
        **dict.fromkeys(("pending", "processing", "queued", "running", "in_progress", "started"), "pending"),
        "unknown": "unknown",
    }
)
RUN: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("finished", "finish", "succeeded", "succeed", "success", "successful", "ok"), "finished"),
        **dict.fromkeys(("completed", "complete", "done", "terminated"), "finished"),
        **dict.fromkeys(("failed", "fail", "failure", "error", "crashed", "aborted", "abort"), "failed"),
        **dict.fromkeys(("out_of_memory", "node_fail", "boot_fail", "oom"), "failed"),
        **dict.fromkeys(("cancelled", "canceled", "killed", "preempted", "revoked", "stopped"), "cancelled"),
        **dict.fromkeys(("timeout", "timed_out", "deadline"), "timeout"),
        **dict.fromkeys(("running", "scheduled", "requeued", "suspended", "in_progress"), "running"),
        **dict.fromkeys(("completing", "configuring", "resizing", "signaling", "stage_out"), "running"),
        "unknown": "unknown",
    }
)
_CODES: Final = (("2[0-9]{2}", "ok"), ("[45][0-9]{2}", "error"))


def request_status(cells: pl.Series) -> pl.Series:
    """Status of requests; HTTP codes count as words, another word or none is unknown."""
    words = cells.unique().drop_nulls()
    meanings = dict(zip(words, [_request(word) for word in _folded(words)], strict=True))
    return cells.replace_strict(meanings, default="unknown", return_dtype=pl.String).fill_null("unknown")


def _request(word: str | None) -> str:
    codes = (status for pattern, status in _CODES if word and re.fullmatch(pattern, word))
    return REQUEST.get(word or "") or next(codes, "unknown")


def run_status(cells: pl.Series) -> pl.Series:
    """Status of runs; null where nothing is said, unknown for a word that no system uses."""
    folded = _folded(cells)
    return folded.replace_strict(dict(RUN), default="unknown", return_dtype=pl.String).zip_with(
        folded.is_not_null(), pl.Series([None], dtype=pl.String)
    )


def status_of(word: str) -> str:
    """Status of one run."""
    return str(run_status(pl.Series([word])).fill_null("unknown").item())


def _folded(cells: pl.Series) -> pl.Series:
    """`Timed Out` and `timed-out` are one word; a trailing `.0` of a code is none."""
    folded = null_if(cells).str.strip_chars().str.to_lowercase()
    return folded.str.replace_all(r"[\s-]+", "_").str.replace(r"^([0-9]{3})\.0$", "$1").alias("said")
