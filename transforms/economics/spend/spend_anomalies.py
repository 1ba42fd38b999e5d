"""Days on which the cost of a model, a pool or a team left the interval of its own past."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from transforms.economics.conversion import converted
from transforms.economics.rounding import usd_from
from transforms.economics.spend.interval_of_days import HISTORY, TESTED, outliers
from warehouse.schemas.economics import SpendAnomalies

SHOWN: Final = 28
RECENT: Final = 14
LEAST_SHARE: Final = 0.01
DAY: Final = timedelta(days=1)
EVENT_DAYS: Final = 7
ROW: Final = ("source", "account", "model_id", "pool_id")

Row = dict[str, Any]


def spend_anomalies(
    booked_days: pl.DataFrame,
    fx: pl.DataFrame,
    models: pl.DataFrame,
    training_runs: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One day of four weeks that is outside, and further than a hundredth of a day of the company from expectation.

    The ledger is computed anew each night under the policy in force, so that a change of policy moves all days alike
    and is no anomaly. The last day of a bill may be incomplete and is not judged.
    """
    as_of: date = settings["as_of"].item()
    spend = converted(booked_days, fx, settings).filter(
        pl.col("charge_date") <= as_of, pl.col("effective_usd").is_not_null(), pl.col("account") != "out_of_scope"
    )
    until = _known_until(spend, as_of)
    if until is None:
        return SpendAnomalies.empty()
    past = spend.filter(pl.col("charge_date").is_between(until - (SHOWN + TESTED + HISTORY) * DAY, until))
    least = LEAST_SHARE * float(past["effective_usd"].sum() or 0) / max(past["charge_date"].n_unique(), 1)
    events = _events(models, training_runs)
    rows = [row for kind, part in _subjects(past) for row in _of_kind(kind, part, until, least, events)]
    if not rows:
        return SpendAnomalies.empty()
    frame = pl.DataFrame(rows, infer_schema_length=None)
    money = [name for name in frame.columns if name.endswith("_usd")]
    exact = frame.with_columns(pl.col(money).cast(pl.Float64)).with_columns(usd_from(name) for name in money)
    return SpendAnomalies.frame(exact.sort("charge_date", "subject_kind", "subject", descending=[True, False, False]))


def _known_until(spend: pl.DataFrame, as_of: date) -> date | None:
    """The last day that every source which still bills has billed whole."""
    last = spend.group_by("source").agg(pl.col("charge_date").max())
    days = [day for day in last["charge_date"].to_list() if day > as_of - RECENT * DAY]
    return min(days) - DAY if days else None


def _subjects(spend: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    serving = spend.filter(pl.col("account") == "direct", pl.col("phase") == "inference")
    return [
        ("model", serving.filter(pl.col("model_id").is_not_null()).with_columns(subject="model_id")),
        ("pool", spend.filter(pl.col("pool_id").is_not_null()).with_columns(subject="pool_id")),
        ("team", serving.filter(pl.col("team").is_not_null()).with_columns(subject="team")),
    ]


def _events(models: pl.DataFrame, training_runs: pl.DataFrame) -> set[tuple[str, str, date]]:
    """Days on which something known begins or ends: a week from a release or a retirement, and two days of a run."""
    events = {
        ("model", row["model_id"], day + index * DAY)
        for row in models.select("model_id", "released_on", "retires_on").to_dicts()
        for day in (row["released_on"], row["retires_on"])
        if day is not None
        for index in range(EVENT_DAYS)
    }
    for row in training_runs.select("pool_id", "held_from", "held_to").drop_nulls("pool_id").to_dicts():
        for moment in (row["held_from"], row["held_to"]):
            if moment is not None:
                events |= {("pool", row["pool_id"], moment.date() + index * DAY) for index in (0, 1)}
    return events


def _of_kind(kind: str, part: pl.DataFrame, until: date, least: float, events: set[tuple[str, str, date]]) -> list[Row]:
    rows: list[Row] = []
    for (subject,), group in part.group_by(["subject"], maintain_order=True):
        daily = dict(group.group_by("charge_date").agg(pl.col("effective_usd").sum()).iter_rows())
        start = min(daily)
        days = [start + index * DAY for index in range((until - start).days + 1)]
        values = np.array([float(daily.get(day, 0)) for day in days])
        outside = [
            one
            for one in outliers(values, max(len(days) - SHOWN, 0))
            if abs(values[one.position] - one.expected) >= least and (kind, subject, days[one.position]) not in events
        ]
        since: date | None = None
        for one, before in zip(outside, [None, *outside], strict=False):
            day, is_above = days[one.position], values[one.position] > one.expected
            goes_on = before is not None and one.position - before.position == 1
            if (
                since is None
                or before is None
                or not goes_on
                or (values[before.position] > before.expected) != is_above
            ):
                since = day
            rows.append({
                "subject_kind": kind, "subject": subject, "charge_date": day, "actual_usd": values[one.position],
                "expected_usd": one.expected, "low_usd": one.low, "high_usd": one.high, "past_days": one.tested,
                "since": since, "is_new": since >= until - DAY, **_largest(group, day, is_above=bool(is_above)),
            })  # fmt: skip
    return rows


def _largest(group: pl.DataFrame, day: date, *, is_above: bool) -> Row:
    """The ledger rows of the day that moved most in its direction, against their median of the two weeks before."""
    window = group.filter(pl.col("charge_date").is_between(day - RECENT * DAY, day))
    daily = window.group_by(*ROW, "charge_date").agg(usd=pl.col("effective_usd").cast(pl.Float64).sum())
    moved = {
        key: float(own.filter(pl.col("charge_date") == day)["usd"].sum())
        - float(np.median([*own.filter(pl.col("charge_date") < day)["usd"], *[0.0] * RECENT][:RECENT]))
        for key, own in daily.group_by(*ROW, maintain_order=True)
    }
    best = max(moved, key=lambda key: (moved[key] if is_above else -moved[key], str(key)))
    return {f"ledger_{name}": value for name, value in zip(ROW, best, strict=True)} | {"ledger_change_usd": moved[best]}
