"""The pools that a bill's GPUs are in, by rule or by the line that would put them there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

from transforms.suggestion_names import phase_in
from warehouse.schemas.names import model_key


@dataclass
class Pool:
    """A pool: its GPUs over the days its bill covers, and the machines billed in it."""

    pool_id: str
    gpu_hours: float = 0.0
    days: set[date] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)

    @property
    def gpu_count(self) -> int:
        """GPUs held at a time, one at least."""
        return max(round(self.gpu_hours / (24 * len(self.days))), 1) if self.days else 1


def pools(charges: pl.DataFrame, charge_rules: pl.DataFrame, proposed: pl.DataFrame) -> dict[str, Pool]:
    """The pools by id. `proposed` has `charge_id` and `proposed`, its pool where no rule reaches it yet."""
    ruled = charge_rules.select("charge_id", "pool_id").unique("charge_id")
    held = (
        charges.filter((pl.col("gpu_hours") > 0) | pl.col("gpu_model").is_not_null())
        .join(ruled, on="charge_id", how="left")
        .join(proposed, on="charge_id", how="left")
        .with_columns(pl.coalesce("pool_id", "proposed").alias("pool_id"))
        .drop_nulls("pool_id")
        .group_by("pool_id", "resource_id", "resource_name")
        .agg(pl.col("gpu_hours").sum(), pl.col("charge_day").unique())
    )
    by_id: dict[str, Pool] = {}
    for pool_id, *names, hours, days in held.sort("pool_id", "gpu_hours").iter_rows():
        pool = by_id.setdefault(pool_id, Pool(pool_id))
        pool.gpu_hours += hours
        pool.days |= set(days)
        pool.hosts |= {host_key(name) for name in names if name}
    return by_id


def host_key(name: str) -> str:
    """A machine's name as it is compared: without its domain and case."""
    return model_key(name).partition(".")[0]


def pool_of(hosts: Iterable[str], by_id: Mapping[str, Pool]) -> dict[str, str]:
    """Host -> the pool it is billed in; hosts that no bill names are absent."""
    billed = {host: pool.pool_id for pool in by_id.values() for host in pool.hosts}
    return {host: billed[host_key(host)] for host in hosts if host_key(host) in billed}


def likeliest(candidates: Iterable[Pool], use: Literal["training", "serving"]) -> Pool | None:
    """The pool whose name says the use, else one whose name says no other, else the one with the most GPU time."""

    def rank(pool: Pool) -> tuple[bool, bool, float, str]:
        phase = phase_in(pool.pool_id, "")
        named_use = {"": "", "inference": "serving"}.get(phase, "training")
        return named_use == use, named_use == "", pool.gpu_hours, pool.pool_id

    return max(candidates, key=rank, default=None)
