"""GPU-hours that each pool will need, month by month, and what of its supply stands idle beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.simulation_context import night_of
from transforms.decisions.quantiles import percentiles
from transforms.decisions.supply.fleet import is_forecast
from transforms.decisions.supply.supply import month_starts
from transforms.periods import HOURS_PER_MONTH
from warehouse.schemas.decisions import GpuDemand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.supply.fleet import Fleet


def gpu_demand(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
) -> pl.DataFrame:
    """One user of one pool in one month ahead, and what stands idle.

    A deployment needs its GPUs times the growth of its tokens, at the tokens a GPU-second that it serves now; one whose
    fleet does not follow its demand keeps what it has until its busy hours no longer fit. `policy` announces the rest.
    """
    night = night_of(settings, scaling_law, law_draws)
    company = company_of(
        night, positions, task_shares, workloads, models, serving_states, supply, pool_users
    )  # fmt: skip
    rows = [row for pool_id in sorted(company.fleet.supplies) for row in _pool_rows(company.fleet, pool_id)]
    frame = pl.DataFrame(rows, schema=GpuDemand.polars_schema())
    return GpuDemand.frame(frame.sort("pool_id", "month", "user_kind", "user_id"))


def _pool_rows(fleet: Fleet, pool_id: str) -> Iterator[dict[str, Any]]:
    for holding in fleet.holdings.get(pool_id, ()):
        forecast = holding.subject is not None and is_forecast(holding.subject) and not holding.is_shared
        basis = "tokens" if forecast else holding.row["basis"]
        yield from _months(fleet, (pool_id, holding.row["user_kind"], holding.row["user_id"]), holding.held, basis)
        holding.forget()
    for row in fleet.others.get(pool_id, ()):
        key = (pool_id, row["user_kind"], f"{row['user_id']} {row['since'] or ''}".strip())
        yield from _months(fleet, key, fleet.other_gpus(row), row["basis"])
    yield from _months(fleet, (pool_id, "idle", ""), fleet.pool(pool_id).idle, "supply less its users")


def _months(fleet: Fleet, key: tuple[str, str, str], gpus: Floats, basis: str) -> Iterator[dict[str, Any]]:
    low, middle, high = percentiles(np.broadcast_to(gpus, (fleet.horizon, max(gpus.shape[1], 1)))) * HOURS_PER_MONTH
    for month, start in enumerate(month_starts(fleet.night.as_of)[: fleet.horizon]):
        yield {
            "as_of": fleet.night.as_of,
            "pool_id": key[0],
            "month": start,
            "user_kind": key[1],
            "user_id": key[2],
            "gpu_hours_p10": float(low[month]),
            "gpu_hours_p50": float(middle[month]),
            "gpu_hours_p90": float(high[month]),
            "basis": basis,
        }
