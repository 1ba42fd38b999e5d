"""Who needs the GPUs of each pool: what serves and trains now, and what policy announces."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.periods import HOURS_PER_MONTH
from warehouse.schemas.decisions import PoolUsers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GPU_HOUR: Final = 1000 * 3600 * 1_000_000  # thousandth GPU × microseconds
_BUSY: Final = 0.99
_WINDOW_DAYS: Final = 28
_NOW_DAYS: Final = 7
# A deployment whose GPUs changed within half a year is one whose fleet follows its demand.
_FOLLOW_DAYS: Final = 182
_SPAN: Final = ("valid_from", "valid_to")


def pool_users(
    settings: pl.DataFrame,
    supply: pl.DataFrame,
    pool_states: pl.DataFrame,
    pool_uses: pl.DataFrame,
    deployments: pl.DataFrame,
    pools: pl.DataFrame,
    budgets: pl.DataFrame,
) -> pl.DataFrame:
    """One user of one pool over one stretch of time, with the GPUs that it holds.

    Deployments and workloads serve, runs train; a deployment, a size of a pool or a training budget that begins later
    is a launch that is known. Users that hold together more than the bill pays are scaled to it, as their cost is.
    """
    night_end = settings.item(0, "night_end")
    held = supply.filter(pl.col("months_ahead") == 0).group_by("pool_id").agg(pl.col("gpus").sum(), *_firsts())
    capacities = {row["pool_id"]: row for row in held.sort("pool_id").to_dicts()}
    rows = [
        *_deployed(deployments, capacities, night_end),
        *_directly_billed(capacities, deployments),
        *_observed(pool_uses, capacities, pool_states, night_end),
    ]
    rows = _scaled(rows, capacities)
    rows += [*_announced(pools, capacities, night_end), *_planned(budgets, rows, capacities, night_end)]
    frame = pl.DataFrame(rows, schema=PoolUsers.polars_schema() | {"as_of": pl.Date()})
    order = ("pool_id", "user_kind", "user_id", "model_id", "since")
    return PoolUsers.frame(frame.with_columns(as_of=settings.item(0, "as_of")).sort(order, nulls_last=False))


def _firsts() -> tuple[pl.Expr, ...]:
    price = pl.col("usd_per_gpu_hour").filter(pl.col("gpus") > 0)
    return (price.first().alias("rate"), pl.col("unit").first(), pl.col("gpu_model").drop_nulls().first())


def _deployed(
    deployments: pl.DataFrame, capacities: Mapping[str, Mapping[str, Any]], night_end: dt.datetime
) -> Iterator[dict[str, Any]]:
    """One stretch of one deployment that holds GPUs at the end of the night or later."""
    by_name = deployments.sort("deployment_id", "valid_from", "line", nulls_last=False)
    for (name,), spans in by_name.group_by("deployment_id", maintain_order=True):
        rows = spans.to_dicts()
        follows = _follows(rows, night_end)
        is_new = all(row["valid_from"] and row["valid_from"] >= night_end for row in rows)
        standing = [row for row in rows if row["valid_to"] is None or row["valid_to"] > night_end]
        for since, until, group in _stretches(standing, night_end):
            models = sorted({row["model_id"] for row in group})
            pool_id = group[0]["pool_id"] or f"deployment:{name}"
            if pool_id not in capacities and f"deployment:{name}" in capacities:
                pool_id = f"deployment:{name}"
            yield {
                "pool_id": pool_id,
                "user_kind": "launch" if is_new else "deployment",
                "user_id": name,
                "model_id": models[0] if len(models) == 1 else None,
                "models": len(models),
                "gpus": float(group[0]["gpu_count"]),
                "since": since,
                "until": until,
                "follows_demand": follows,
                "basis": "deployments.csv",
            }


def _stretches(
    rows: Sequence[Mapping[str, Any]], night_end: dt.datetime
) -> Iterator[tuple[dt.date | None, dt.date | None, list[Mapping[str, Any]]]]:
    """Rows that are valid together, from change to change."""
    moments = sorted({row["valid_from"] for row in rows if row["valid_from"] and row["valid_from"] > night_end}
                     | {row["valid_to"] for row in rows if row["valid_to"]})  # fmt: skip
    bounds: list[dt.datetime | None] = [None, *moments, None]
    for since, until in itertools.pairwise(bounds):
        at = since or night_end
        valid = [
            row
            for row in rows
            if (row["valid_from"] is None or row["valid_from"] <= at)
            and (row["valid_to"] is None or row["valid_to"] > at)
        ]
        if valid:
            yield since and since.date(), until and until.date(), valid


def _follows(rows: Sequence[Mapping[str, Any]], night_end: dt.datetime) -> bool:
    """Whether the GPUs of a deployment changed lately."""
    since = night_end - dt.timedelta(days=_FOLLOW_DAYS)
    recent = [
        row["gpu_count"]
        for row in rows
        if (row["valid_from"] is None or row["valid_from"] < night_end)
        and (row["valid_to"] is None or row["valid_to"] > since)
    ]
    return len(set(recent)) > 1


def _directly_billed(
    capacities: Mapping[str, Mapping[str, Any]], deployments: pl.DataFrame
) -> Iterator[dict[str, Any]]:
    """A model or deployment whose charges name no pool holds all that they pay for."""
    named = set(deployments["deployment_id"])
    for pool_id, held in capacities.items():
        kind, _, name = pool_id.partition(":")
        if not name or kind not in {"model", "deployment"} or (kind == "deployment" and name in named):
            continue
        yield {
            "pool_id": pool_id,
            "user_kind": "direct",
            "user_id": name,
            "model_id": name if kind == "model" else None,
            "models": 1,
            "gpus": held["gpus"],
            "follows_demand": True,
            "basis": "bill",
        }


def _observed(
    pool_uses: pl.DataFrame,
    capacities: Mapping[str, Mapping[str, Any]],
    pool_states: pl.DataFrame,
    night_end: dt.datetime,
) -> Iterator[dict[str, Any]]:
    """Workloads that serve a model, and all else that used a pool: training by its busy hours."""
    recent = pool_uses.filter(
        pl.col("hour") < night_end,
        pl.col("hour") >= night_end - dt.timedelta(days=_WINDOW_DAYS),
        "is_billed",
        pl.col("user_kind").is_in(["run", "workload"]),
        pl.col("pool_id").is_in(list(capacities)),
    )
    gpus = (pl.col("weight").sum().cast(pl.Float64) / _GPU_HOUR).alias("gpus")
    serves = (pl.col("user_kind") == "workload") & (pl.col("phase") == "inference") & pl.col("model_id").is_not_null()
    hours = pool_uses.filter("is_billed", pl.col("hour") < night_end).group_by("pool_id").agg(
        now=pl.col("hour").filter(pl.col("hour") >= night_end - dt.timedelta(days=_NOW_DAYS)).n_unique(),
        all=pl.col("hour").filter(pl.col("hour") >= night_end - dt.timedelta(days=_WINDOW_DAYS)).n_unique(),
    )  # fmt: skip
    counted = {row["pool_id"]: row for row in hours.to_dicts()}
    sigmas = dict(pool_states.select("pool_id", "use_sigma").iter_rows())
    now = recent.filter(serves, pl.col("hour") >= night_end - dt.timedelta(days=_NOW_DAYS))
    for row in now.group_by("pool_id", "model_id").agg(gpus).sort("pool_id", "model_id").to_dicts():
        yield {
            "pool_id": row["pool_id"],
            "user_kind": "workload",
            "user_id": row["model_id"],
            "model_id": row["model_id"],
            "models": 1,
            "gpus": row["gpus"] / max(counted[row["pool_id"]]["now"], 1),
            "follows_demand": True,
            "basis": "measured",
        }
    others = recent.filter(serves.not_().fill_null(value=True)).group_by("pool_id", "hour").agg(gpus)
    for (pool_id,), rows in others.sort("pool_id", "hour").group_by("pool_id", maintain_order=True):
        missing = max(counted[str(pool_id)]["all"] - rows.height, 0)
        levels = pl.concat([rows["gpus"], pl.Series("gpus", [0.0] * missing)])
        yield {
            "pool_id": pool_id,
            "user_kind": "training",
            "user_id": "training",
            "models": 0,
            "gpus": float(levels.quantile(_BUSY, "higher") or 0.0),
            "mean_gpus": float(levels.sum()) / len(levels),
            "use_sigma": sigmas.get(str(pool_id)),
            "follows_demand": False,
            "basis": "measured",
        }


def _scaled(rows: list[dict[str, Any]], capacities: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Users of now that hold more than is paid for, in proportion."""
    sums: dict[str, float] = {}
    for row in rows:
        if row.get("since") is None:
            sums[row["pool_id"]] = sums.get(row["pool_id"], 0.0) + row["gpus"]
    for row in rows:
        held = capacities.get(row["pool_id"], {}).get("gpus", 0.0)
        if row.get("since") is None and held and sums[row["pool_id"]] > held:
            row["gpus"] *= held / sums[row["pool_id"]]
    return rows


def _announced(
    pools: pl.DataFrame, capacities: Mapping[str, Mapping[str, Any]], night_end: dt.datetime
) -> Iterator[dict[str, Any]]:
    """More GPUs than now that pools.csv gives a pool later: somebody will need them."""
    night = night_end.date()
    for row in pools.sort("pool_id", "valid_from", nulls_last=False).to_dicts():
        held = capacities.get(row["pool_id"])
        if held is None or row["valid_from"] is None or row["valid_from"] < night:
            continue
        if row["gpu_count"] > held["gpus"]:
            yield {
                "pool_id": row["pool_id"],
                "user_kind": "announced",
                "user_id": "pools.csv",
                "models": 0,
                "gpus": row["gpu_count"] - held["gpus"],
                "since": row["valid_from"],
                "until": row["valid_to"],
                "follows_demand": False,
                "basis": "pools.csv",
            }


def _planned(
    budgets: pl.DataFrame,
    rows: Sequence[Mapping[str, Any]],
    capacities: Mapping[str, Mapping[str, Any]],
    night_end: dt.datetime,
) -> Iterator[dict[str, Any]]:
    """Planned training beyond what trains now, on the pool that trains most."""
    trained = {row["pool_id"]: row["gpus"] for row in rows if row["user_kind"] == "training"}
    home = max(sorted(trained), key=lambda name: trained[name], default=None)
    if home is None or not capacities[home]["rate"]:
        return
    ahead = budgets.filter(
        pl.col("month") >= night_end.date().replace(day=1),
        pl.col("phase").is_in(["pretraining", "posttraining"]),
    )
    for month, usd in ahead.group_by("month").agg(pl.col("usd").sum().cast(pl.Float64)).sort("month").iter_rows():
        more = usd / capacities[home]["rate"] / HOURS_PER_MONTH - trained[home]
        if more > 0:
            after = (month + dt.timedelta(days=32)).replace(day=1)
            yield {
                "pool_id": home,
                "user_kind": "planned_training",
                "user_id": "budgets.csv",
                "models": 0,
                "gpus": more,
                "since": max(month, night_end.date()),
                "until": after,
                "follows_demand": False,
                "basis": "budgets.csv",
            }
