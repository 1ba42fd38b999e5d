"""How each deployment is loaded."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.decisions import ServingStates

WINDOW_DAYS: Final = 28
_HOUR_S: Final = 3600
_DAY_HOURS: Final = 24
_LEAST_DAYS: Final = 7
_BUSY: Final = 0.95
_KEY: Final = ("deployment_id", "model_id")


def serving_states(
    settings: pl.DataFrame, deployments: pl.DataFrame, token_usage: pl.DataFrame, pool_states: pl.DataFrame
) -> pl.DataFrame:
    """One model on one deployment over the last four weeks: its load, its batch and the chips it holds."""
    chips = pool_states.select("pool_id", "gpu_model")
    rows = (
        _held(deployments, settings)
        .join(_loads(token_usage, settings), on=_KEY, how="inner")
        .join(chips, on="pool_id", how="left")
        .with_columns(as_of=pl.lit(settings.item(0, "as_of")))
    )
    return ServingStates.frame(rows.sort(_KEY))


def _held(deployments: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model on one deployment as it stands at the end of the night."""
    end = settings.item(0, "night_end")
    starts = pl.col("valid_from").is_null() | (pl.col("valid_from") < end)
    lasts = pl.col("valid_to").is_null() | (pl.col("valid_to") >= end)
    standing = deployments.filter(starts, lasts).sort(*_KEY, "valid_from", "line", nulls_last=False)
    latest = standing.unique(_KEY, keep="last", maintain_order=True)
    return latest.with_columns(models=pl.col("model_id").n_unique().over("deployment_id"))


def _loads(token_usage: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model on one deployment: what its hours took in and gave out."""
    end = settings.item(0, "night_end")
    recent = (pl.col("hour") < end) & (pl.col("hour") >= end - pl.duration(days=WINDOW_DAYS))
    finished = token_usage.filter(
        recent, pl.col("status") != "pending", pl.col("deployment_id").is_not_null(), pl.col("model_id").is_not_null()
    )
    counts = (
        "requests",
        "input_tokens",
        "cached_input_tokens",
        "output_tokens",
        "ttft_s_sum",
        "duration_s_sum",
        "concurrency_mean",
    )
    timed = pl.col("ttft_s_sum").is_not_null()
    hourly = (
        finished.join(_spans(token_usage.filter(recent)), on="source")
        .sort(*_KEY, "hour", "part_start", "team", "tenant", "task", "status", "source", "model")
        .group_by(*_KEY, "hour", maintain_order=True)
        .agg(
            pl.col(counts).sum(),
            pl.col("span_hours").max(),
            timed_requests=pl.col("requests").filter(timed).sum(),
            timed_output=pl.col("output_tokens").filter(timed).sum(),
            timed_s=pl.col("duration_s_sum").filter(timed).sum(),
        )
    )
    return hourly.group_by(_KEY, maintain_order=True).agg(**_rates(), **_times())


def _spans(usage: pl.DataFrame) -> pl.DataFrame:
    """One source: hours that a row of it stands for, 1 unless it delivers at the same even distances every day.

    One delivery a day is taken as an hour's work: nobody can tell a daily sum from a nightly batch.
    """
    seen = usage.select("source", "hour").unique()
    clock = pl.col("hour").dt.hour().cast(pl.Int64)
    slots = clock.n_unique().cast(pl.Int64)
    step = _DAY_HOURS // slots
    is_even = (slots > 1) & (slots * step == _DAY_HOURS) & ((clock % step).n_unique() == 1)
    is_steady = pl.len() >= slots * _LEAST_DAYS
    return seen.group_by("source").agg(span_hours=pl.when(is_even & is_steady).then(step).otherwise(1))


def _rates() -> dict[str, pl.Expr]:
    seconds = pl.col("span_hours") * _HOUR_S
    computed = (pl.col("input_tokens") - pl.col("cached_input_tokens")) / seconds
    output = pl.col("output_tokens") / seconds
    per_request = pl.col("requests").sum().clip(1)
    prompt = pl.col("input_tokens").sum() / per_request
    return {
        "hours": pl.col("span_hours").sum(),
        "requests": pl.col("requests").sum(),
        "computed_input_tokens_per_s": computed.mean(),
        "output_tokens_per_s": output.mean(),
        "busy_input_tokens_per_s": computed.quantile(_BUSY, "higher"),
        "busy_output_tokens_per_s": output.quantile(_BUSY, "higher"),
        "concurrency": (pl.col("concurrency_mean") / pl.col("span_hours")).mean(),
        "prompt_tokens": prompt,
        "context_tokens": prompt + pl.col("output_tokens").sum() / per_request / 2,
    }


def _times() -> dict[str, pl.Expr]:
    requests, further = pl.col("timed_requests").sum(), (pl.col("timed_output") - pl.col("timed_requests")).sum()
    first = pl.col("ttft_s_sum").sum()
    rest = pl.col("timed_s").sum() - first
    return {
        "ttft_s": pl.when(requests > 0).then(first / requests),
        "tpot_s": pl.when((requests > 0) & (further > 0) & (rest > 0)).then(rest / further),
    }
