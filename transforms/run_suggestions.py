"""Lines for runs: the model and phase that their names say, the pool that their machines are billed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, Final

import polars as pl

from transforms.billed_pools import Pool, likeliest, pool_of
from transforms.suggestion_names import line, model_in, model_like, phase_in, slug

_HOUR_S: Final = 3600.0
_FIELDS: Final = ("project", "run_name", "cluster")


def of_runs(
    training_runs: pl.DataFrame, models: Mapping[str, str], pools: Mapping[str, Pool], listed: AbstractSet[str]
) -> Iterator[tuple[object, ...]]:
    """Rows of rule_suggestions: a rule for the model, the model itself where none is `listed`, a rule for the pool."""
    hours: dict[tuple[str, str, str], float] = defaultdict(float)
    runs = training_runs.select(
        "source", *_FIELDS, "hosts", "model_id", "pool_id", "gpu_seconds", "gpu_count", "started_at"
    )
    first_run: dict[str, tuple[str, date]] = {}
    for run in runs.sort("started_at", nulls_last=True).iter_rows(named=True):
        amount = (run["gpu_seconds"] or 0.0) / _HOUR_S
        if run["model_id"] is None and (named := _model(run, models)):
            field, value, model_id = named
            rule = line(100, run["source"], field, value, "model", model_id, phase_in(value, "pretraining"), "", "", "")
            hours[run["source"], "attribution.csv", rule] += amount
            if model_id not in listed and run["started_at"] is not None:
                source, day = first_run.setdefault(model_id, (run["source"], run["started_at"].date()))
                hours[source, "models.csv", line(model_id, "", "", "", "", "own", "", "", "", day, "", "")] += amount
        if run["pool_id"] is None:
            rules = [line(100, run["source"], *target, "", "", "", "") for target in pools_of_run(run, pools)]
            for rule in rules:
                hours[run["source"], "attribution.csv", rule] += amount / len(rules)
    for (source, file, rule), amount in sorted(hours.items(), key=lambda item: -item[1]):
        yield source, file, rule, amount, "GPU-hours", None


def pools_of_run(run: Mapping[str, Any], pools: Mapping[str, Pool]) -> list[tuple[str, str, str, str]]:
    """Field, pattern, target and pool: of each machine that a bill names, else of the run and the likeliest pool."""
    billed = pool_of(run["hosts"] or [], pools)
    if billed:
        return [("host", host, "pool", pool_id) for host, pool_id in sorted(billed.items())]
    field = next((field for field in ("cluster", "project", "run_name") if run[field]), None)
    enough = [pool for pool in pools.values() if pool.gpu_count >= (run["gpu_count"] or 0)]
    pool = likeliest(enough or pools.values(), "training")
    return [(field, run[field], "pool", pool.pool_id)] if field and pool else []


def _model(run: Mapping[str, Any], models: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Field, value and model: the first field that names a model, else one alike, else the first as a model's name.

    A project that is called as its source is the folder that the logs lie in, and names nothing.
    """
    is_folder = slug(run["project"] or "") == slug(run["source"])
    values = [(field, run[field]) for field in _FIELDS if run[field] and not (field == "project" and is_folder)]
    for guess in (model_in, model_like):
        for field, value in values:
            if model_id := guess(value, models):
                return field, value, model_id
    return (*values[0], slug(values[0][1])) if values else None
