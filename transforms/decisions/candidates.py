"""Every alternative, valued; none is left out because it lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.decisions.alternatives import Threshold, unvalued, valued
from transforms.decisions.moves import route_alternative, route_cash, routes_of
from warehouse.schemas.decisions import Candidates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def candidates(
    settings: pl.DataFrame, positions: pl.DataFrame, task_shares: pl.DataFrame, workloads: pl.DataFrame
) -> pl.DataFrame:
    """One alternative of one model (and task or pool): valued, or not valued and what is missing."""
    night = settings.row(0, named=True)
    known = {row["model_id"]: row for row in positions.sort("model_id").to_dicts()}
    tasks = {str(key[0]): rows for key, rows in task_shares.group_by("model_id")}
    rows = [
        row
        for model_id, position in known.items()
        if model_id in tasks and position["remaining_months"] > 0
        for row in _routes(night, position, known, tasks[model_id], workloads)
    ]
    return _frame(rows, night)


def _routes(
    night: Mapping[str, Any],
    position: Mapping[str, Any],
    known: Mapping[str, Mapping[str, Any]],
    tasks: pl.DataFrame,
    workloads: pl.DataFrame,
) -> Iterator[dict[str, Any]]:
    routes = routes_of(position, tasks, known, workloads)
    alternatives = [(route, route_alternative(position, route)) for route in routes]
    yield from (unvalued(alternative) for _, alternative in alternatives if alternative.missing)
    possible = [(route, alternative) for route, alternative in alternatives if not alternative.missing]
    if not possible:
        return
    one_off = float(night["migration_usd"])
    cash = route_cash(night["as_of"], position, [route for route, _ in possible], one_off, night["draws"])
    threshold = Threshold(float(night["materiality_usd"]))
    yield from valued([alternative for _, alternative in possible], cash, threshold)


def _frame(rows: list[dict[str, Any]], night: Mapping[str, Any]) -> pl.DataFrame:
    schema = {
        name: pl.Float64() if name.endswith(_MONEY) else dtype for name, dtype in Candidates.polars_schema().items()
    }
    frame = pl.DataFrame([row | {"as_of": night["as_of"]} for row in rows], schema=schema)
    return Candidates.frame(frame.sort("model_id", "task", "pool_id", "action", "target_model_id", nulls_last=True))


_MONEY = ("_usd_p10", "_usd_p50", "_usd_p90", "_usd_mean")
