"""What the rows of a policy table must fulfil together: no overlap, no unknown name, no circle."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from warehouse.schemas.names import model_key
from warehouse.sources.policy.faults import Fault
from warehouse.sources.policy.files import Sheet
from warehouse.sources.policy.model_names import Names
from warehouse.sources.policy.row_checks import EVERYTHING, Row, faults_of_row

OVERLAP_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "pools": ("pool_id",),
    "rates": ("pool_id",),
    "token_weights": ("deployment_id",),
    "deployments": ("deployment_id", "model_id"),
}
UNIQUE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "fx": ("month", "currency"),
    "lives": ("model_id", "valid_from"),
    "budgets": ("month", "model_id", "phase"),
    "workloads": ("task", "student_model_id", "quality_metric", "measured_on"),
}
MODEL_REFERENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "models": ("base_model_id", "teacher_model_id"),
    "deployments": ("model_id",),
    "lives": ("model_id",),
    "budgets": ("model_id",),
    "workloads": ("student_model_id",),
    "api_prices": ("model_id",),
}


def faults_of_rows(name: str, sheet: Sheet) -> Iterator[Fault]:
    """What is wrong with the rows of one table, each by itself and against the others."""
    rows = sheet.rows.to_dicts()
    for row in rows:
        yield from faults_of_row(name, sheet.file, row)
    if name in OVERLAP_KEYS:
        yield from _overlaps(sheet.file, rows, OVERLAP_KEYS[name])
    if name in UNIQUE_KEYS:
        yield from _repetitions(sheet.file, rows, UNIQUE_KEYS[name])
    if name == "deployments":
        yield from _disagreements(sheet.file, rows)


def unknown_models(name: str, sheet: Sheet, names: Names) -> Iterator[Fault]:
    """References to a model that models.csv does not have."""
    for row, column in itertools.product(sheet.rows.to_dicts(), MODEL_REFERENCES.get(name, ())):
        value = row[column]
        if value not in {None, EVERYTHING} and names.canonical(value) is None:
            yield Fault(sheet.file, row["line"], f"{column}: unknown model", value, names.hint(value))


def circles(models: Sheet, column: str) -> Iterator[Fault]:
    """Models that are their own ancestor, or their own teacher's teacher, named from the first in the file."""
    rows = {model_key(row["model_id"]): row for row in models.rows.to_dicts()}
    parents = {key: model_key(row[column]) for key, row in rows.items() if row[column]}
    seen: set[str] = set()
    for start in rows:
        path: list[str] = []
        at = start
        while at in parents and at not in seen:
            seen.add(at)
            path.append(at)
            at = parents[at]
        if at in path:
            circle = " → ".join([*path[path.index(at) :], at])
            yield Fault(models.file, rows[at]["line"], f"circle in {column}", circle, "clear one of them")


def endless_rates(rates: Sheet, pools: Sheet) -> Iterator[Fault]:
    """A rate and a row of its pool that both begin nowhere would accrue since the beginning of time."""
    undated = {row["pool_id"] for row in pools.rows.iter_rows(named=True) if row["valid_from"] is None}
    for row in rates.rows.iter_rows(named=True):
        if row["valid_from"] is None and row["pool_id"] in undated:
            remedy = "give the rate, or the pool in policy/pools.csv, a valid_from"
            yield Fault(
                rates.file, row["line"], "neither the rate nor its pool has a first day", row["pool_id"], remedy
            )


def values_without_gpus(rates: Sheet, pools: Sheet) -> Iterator[Fault]:
    """A loss of value on days on which the pool has no GPUs would be borne by nobody."""
    for row in rates.rows.filter(pl.col("opening_usd").is_not_null()).drop_nulls(["valid_from", "valid_to"]).to_dicts():
        first = _first_uncovered(row, pools)
        if first < _end(row):
            remedy = "give the pool a row in policy/pools.csv that holds until valid_to, or let the loss end earlier"
            yield Fault(rates.file, row["line"], f"the pool has no GPUs from {first} on", row["pool_id"], remedy)


def _first_uncovered(span: Row, pools: Sheet) -> str:
    """The first day since the span's start that no row of its pool covers."""
    rows = pools.rows.filter(pl.col("pool_id") == span["pool_id"]).to_dicts()
    reached = _start(span)
    for row in sorted(rows, key=_start):
        reached = max(reached, _end(row)) if _start(row) <= reached else reached
    return reached


def _overlaps(file: str, rows: Sequence[Row], keys: Sequence[str]) -> Iterator[Fault]:
    for row, earlier in _valid_together(rows, keys):
        what = f"overlap with line {earlier['line']}"
        value = ", ".join(_shown(row[key]) for key in keys)
        yield Fault(file, row["line"], what, value, "let valid_to of the one be valid_from of the other")


def _disagreements(file: str, rows: Sequence[Row]) -> Iterator[Fault]:
    together = _valid_together(rows, ("deployment_id",))
    for (row, earlier), column in itertools.product(together, ("pool_id", "gpu_count")):
        if row[column] != earlier[column]:
            what = f"{column}: another than in line {earlier['line']} at the same time"
            value = f"{row['deployment_id']}: {_shown(row[column])}, {_shown(earlier[column])}"
            yield Fault(file, row["line"], what, value, "one deployment holds one set of GPUs: make them equal")


def _valid_together(rows: Sequence[Row], keys: Sequence[str]) -> Iterator[tuple[Row, Row]]:
    """Each row that is valid while an earlier row of its key is, with the earlier row that lasts longest."""
    lasting: dict[tuple[Any, ...], Row] = {}
    for row in sorted(rows, key=lambda row: (_start(row), row["line"])):
        if _end(row) <= _start(row):
            continue
        key = tuple(row[column] for column in keys)
        earlier = lasting.get(key)
        if earlier is not None and _start(row) < _end(earlier):
            yield row, earlier
        if earlier is None or _end(earlier) < _end(row):
            lasting[key] = row


def _start(row: Row) -> str:
    """ISO text, which sorts as time does; open is before everything."""
    return str(row["valid_from"] or "")


def _end(row: Row) -> str:
    """ISO text, which sorts as time does; open is after everything."""
    return str(row["valid_to"] or "~")


def _repetitions(file: str, rows: Sequence[Row], keys: Sequence[str]) -> Iterator[Fault]:
    first: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = operator.itemgetter(*keys)(row)
        if key in first:
            value = ", ".join(_shown(part) for part in key)
            yield Fault(file, row["line"], f"repeats line {first[key]}", value, "keep one of the two rows")
        first.setdefault(key, row["line"])


def _shown(value: str | float | Decimal | date | datetime | None) -> str:
    return "" if value is None else str(value)
