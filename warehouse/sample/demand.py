"""What users ask for: requests, tokens and images by the hour, with a day, a week and a trend, and a little noise."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
import polars as pl

from warehouse.sample.company import Company, Traffic, at
from warehouse.sample.hours import Calendar, Hourly

PEAK_HOUR: Final = 15
DAY_SWING: Final = 0.45
WEEKEND: Final = 0.78
WORKDAY: Final = 1.08
SATURDAY: Final = 5
NOISE: Final = 0.05
HOURS_PER_MONTH: Final = 730.5
GRAIN: Final = 1000
ERROR_HOUR: Final = 13
ERROR_RATIO: Final = 0.02
AGENT_TOKENS: Final = (1810, 236)


def demand(company: Company) -> pl.DataFrame:
    """One row per hour, deployment, model, task and status: what was asked and answered."""
    calendar = Calendar(company)
    held = {each.deployment_id: calendar.gpus(each) for each in company.deployments}
    parts = [
        _of_task(company, calendar, traffic, task, share, held[traffic.deployment_id])
        for traffic in company.traffic
        for task, share in traffic.tasks
    ]
    answered = pl.concat(parts)
    return pl.concat([answered, _failures(answered)]).sort("hour", "deployment_id", "model_id", "task", "status")


def _of_task(
    company: Company, calendar: Calendar, traffic: Traffic, task: str, share: float, gpus: Hourly
) -> pl.DataFrame:
    noise = np.random.default_rng(
        [company.seed, zlib.crc32(f"{traffic.deployment_id}/{traffic.model_id}/{task}".encode())]
    )
    amount = share * _shape(calendar, traffic) * noise.lognormal(0, NOISE, calendar.count)
    open_hours = calendar.held(at(traffic.first.isoformat()), min(at(traffic.end.isoformat()), company.end)) > 0
    counts = _counts(traffic, amount, noise)
    return (
        pl.DataFrame({"hour": calendar.hours} | counts)
        .filter(pl.Series(open_hours & (gpus > 0)) & (pl.col("requests") > 0))
        .select(
            "hour",
            pl.lit(traffic.source).alias("source"),
            pl.lit(traffic.model_id).alias("model_id"),
            pl.lit(traffic.deployment_id).alias("deployment_id"),
            pl.lit(traffic.team).alias("team"),
            pl.lit(task or None, pl.String).alias("task"),
            pl.lit("ok").alias("status"),
            *counts,
        )
    )


def _shape(calendar: Calendar, traffic: Traffic) -> Hourly:
    """Expected amount of each hour."""
    hours = np.arange(calendar.count)
    since = hours - (at(traffic.first.isoformat()) - calendar.start).total_seconds() / 3600
    trend = (1 + traffic.monthly_growth) ** (since / HOURS_PER_MONTH)
    of_day = 1 + DAY_SWING * np.cos((hours % 24 - PEAK_HOUR) / 24 * 2 * np.pi)
    weekday = (hours // 24 + calendar.start.weekday()) % 7
    return np.asarray(traffic.per_hour * trend * of_day * np.where(weekday >= SATURDAY, WEEKEND, WORKDAY))


def _counts(traffic: Traffic, amount: Hourly, noise: np.random.Generator) -> dict[str, pl.Series]:
    """What the requests of each hour carry; agents come one by one, the others in grains of a thousand tokens."""
    requests = np.rint(amount / traffic.per_request)
    tokens_in = np.rint(amount * (1 - traffic.output_ratio) / GRAIN) * GRAIN
    tokens_out = np.rint(amount * traffic.output_ratio / GRAIN) * GRAIN
    cached = np.rint(tokens_in * traffic.cached_ratio / GRAIN) * GRAIN
    units = np.zeros_like(amount)
    if traffic.source == "agents":
        requests = noise.poisson(amount).astype(np.float64)
        tokens_in, tokens_out = requests * AGENT_TOKENS[0], requests * AGENT_TOKENS[1]
        cached = units
    if traffic.source == "images":
        tokens_in, tokens_out, cached, units = units, units, units, np.rint(amount)
    seconds = np.rint(requests * traffic.seconds_per_request)
    return {
        name: pl.Series(name, values.astype(np.int64))
        for name, values in (
            ("requests", requests),
            ("input_tokens", tokens_in),
            ("cached_input_tokens", cached),
            ("output_tokens", tokens_out),
            ("units", units),
            ("duration_s", seconds),
        )
    }


def _failures(answered: pl.DataFrame) -> pl.DataFrame:
    """Once a day the gateway counts what it could not answer; the input was read all the same."""
    share = ("requests", "input_tokens", "duration_s")
    nothing = ("cached_input_tokens", "output_tokens", "units")
    return (
        answered.filter((pl.col("source") == "gateway") & (pl.col("hour").dt.hour() == ERROR_HOUR))
        .with_columns(
            pl.lit("error").alias("status"),
            *((pl.col(name) * ERROR_RATIO).round().cast(pl.Int64) for name in share),
            *(pl.lit(0, pl.Int64).alias(name) for name in nothing),
        )
        .filter(pl.col("requests") > 0)
    )
