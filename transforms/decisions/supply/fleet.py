"""GPU demand by pool, month and draw, and the one function that turns it into cash.

A pool pays for the supply that its demand needs, the cheapest to keep first. What is committed and not needed is paid
all the same, so that it is in no difference between two demands; what was bought is in none either.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from transforms.compute import CHIPS
from transforms.decisions.demand.demand_draws import LONGEST_MONTHS
from transforms.decisions.quantiles import median
from transforms.decisions.randomness import generator
from transforms.decisions.supply.pool_states import LEVEL_WEEKS
from transforms.decisions.supply.roofline import MEMORY_BYTES, least_gpus
from transforms.decisions.supply.serving_plan import PLANNED_SHARE, busy_load, cheapest, limits_of
from transforms.decisions.supply.serving_price import shape_of
from transforms.decisions.supply.supply import month_shares, month_starts
from transforms.periods import DAYS_PER_MONTH, HOURS_PER_MONTH

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night, Subject

LEAST_HORIZON: Final = 12
_YEAR: Final = 12
_CACHED: Final = 96


@dataclass(frozen=True)
class MonthPart:
    """The part of a month between the ends and beginnings of contracts.

    Attributes:
        share: of the month.
        committed: GPUs paid whether used or not, by draw where the end of a contract is not known.
        renewable: GPUs under a commitment that has ended, renewed as needed at `renewal_rate`.
    """

    share: float
    committed: Floats
    renewable: Floats
    renewal_rate: Floats


@dataclass(frozen=True)
class PoolSupply:
    """What one pool pays for, in GPUs by month (and by draw where the end of a contract is not known).

    Attributes:
        owned: bought; `power_rate` a GPU-hour is all that ends with them.
        committed: paid whether used or not.
        renewable: under a commitment that has ended and is renewed as far as it is needed, at `renewal_rate`.
        on_demand_rate: of an hour beyond all of these.
        capacity: GPUs paid for if nothing changes.
        committed_usd: what the contracts cost in any case.
        is_late: the draws in which contracts of unknown end last their usual term; None where all ends are known.
        split: months in which a contract ends or begins, each in the parts between.
    """

    owned: Floats
    committed: Floats
    renewable: Floats
    renewal_rate: Floats
    capacity: Floats
    committed_usd: Floats
    power_rate: float
    on_demand_rate: float
    is_late: npt.NDArray[np.bool_] | None = None
    split: Mapping[int, Sequence[MonthPart]] = field(default_factory=dict)

    def avoidable_usd_by_part(self, month: int, gpus: Floats) -> Floats:
        """What a demand of so many GPUs all through one month costs beyond what is owned or committed in each part."""
        usd: Floats = np.zeros(1)
        for part in self.split[month]:
            short = np.maximum(gpus - self.owned[month] - part.committed, 0)
            discount = np.maximum(self.on_demand_rate - part.renewal_rate, 0)
            paid = self.on_demand_rate * short - discount * np.minimum(short, part.renewable)
            usd = usd + part.share * HOURS_PER_MONTH * paid
        if self.power_rate:
            usd = usd + self.power_rate * HOURS_PER_MONTH * np.minimum(gpus, self.owned[month])
        return usd

    def avoidable_usd(self, gpus: Floats) -> Floats:
        """What a demand of so many GPUs costs by month and draw beyond what is owned or committed."""
        return self._priced(gpus, np.subtract(gpus, self._bound))

    def avoidable_usd_in(self, gpus: Floats) -> Floats:
        """The same, written over the demand where nothing else needs it: a pass over memory is most of the time."""
        fits = not self.power_rate and np.broadcast_shapes(gpus.shape, self._bound.shape) == gpus.shape
        return self._priced(gpus, np.subtract(gpus, self._bound, out=gpus)) if fits else self.avoidable_usd(gpus)

    def _priced(self, gpus: Floats, usd: Floats) -> Floats:
        """USD of GPUs beyond the bound ones, in the place of their number; `gpus` are looked at for power alone."""
        np.maximum(usd, 0, out=usd)
        if self._has_renewals:
            renewed = np.minimum(usd, self.renewable)
            renewed *= self._renewal_discount
            usd *= self.on_demand_rate * HOURS_PER_MONTH
            usd -= renewed
        else:
            usd *= self.on_demand_rate * HOURS_PER_MONTH
        if self.power_rate:
            usd += self.power_rate * HOURS_PER_MONTH * np.minimum(gpus, self.owned)
        return usd

    @cached_property
    def _bound(self) -> Floats:
        """GPUs whose hours are paid in any case."""
        return np.asarray(self.owned + self.committed)

    @cached_property
    def _has_renewals(self) -> bool:
        return bool(self.renewable.any())

    @cached_property
    def _renewal_discount(self) -> Floats:
        """What a renewed GPU costs less a month than one on demand."""
        return np.asarray(np.maximum(self.on_demand_rate - self.renewal_rate, 0) * HOURS_PER_MONTH)


@dataclass(frozen=True)
class Holding:
    """One deployment, workload or directly billed model: the GPUs it holds, and how they go with its tokens.

    Attributes:
        row: its row of pool_users, of now or of its first day.
        plan_gpus: GPUs that its busy hours need by the roofline; 0 where that is not known, and then it does not grow.
        floor: GPUs that it cannot go under while it serves.
        spans: its rows of pool_users, one for each stretch of time.
        most: GPUs to which a card before has cut it; infinite where none has.
    """

    row: Mapping[str, Any]
    subject: Subject | None
    horizon: int
    as_of: dt.date
    plan_gpus: float
    floor: float
    spans: Sequence[Mapping[str, Any]]
    most: float = float("inf")

    @property
    def key(self) -> tuple[str, str, str]:
        """Pool, kind and name."""
        return self.row["pool_id"], self.row["user_kind"], self.row["user_id"]

    @property
    def pool_id(self) -> str:
        """The pool whose GPUs it holds."""
        return str(self.row["pool_id"])

    @property
    def gpus(self) -> float:
        """GPUs it holds now."""
        return min(float(self.row["gpus"]), self.most)

    @property
    def is_shared(self) -> bool:
        """Whether other models are served by the same GPUs, so that they stay when one of them goes."""
        return bool(self.row["models"] > 1)

    @property
    def is_launch(self) -> bool:
        """Whether it is announced and does not serve yet."""
        return bool(self.row["user_kind"] == "launch")

    @property
    def is_serving(self) -> bool:
        """Whether it serves on the night: what stood on after its model had retired is given back by nobody."""
        return not self.is_launch and (self.subject is None or self.subject.months > 0)

    @cached_property
    def path(self) -> Floats:
        """GPUs by month as policy gives them, months × 1."""
        shares = np.zeros(self.horizon)
        for span in self.spans:
            shares += span["gpus"] * month_shares(span["until"], self.as_of, span["since"])[: self.horizon]
        return np.asarray(np.minimum(shares, self.most)[:, None] * self._presence)

    @cached_property
    def held(self) -> Floats:
        """GPUs that it holds by month and draw: the fleet follows its demand, or stays until it must grow."""
        growth = self._growth
        if growth is None:
            return self.path
        if self.row["follows_demand"]:
            return np.asarray(np.maximum(self.path * growth, np.minimum(self.floor, self.path)))
        grown = min(self.plan_gpus, self.gpus) * growth * (self._presence * self._standing)
        return np.asarray(np.maximum(self.path, grown))

    @cached_property
    def needed(self) -> Floats:
        """GPUs of these that its tokens need: a smaller demand leaves slack that no smaller model has saved."""
        growth = self._growth
        if growth is None:
            return np.zeros((self.horizon, 1))
        gpus = np.maximum(self.path * growth, np.minimum(self.floor, self.path))
        return np.asarray(np.minimum(gpus, self.held))

    @property
    def _growth(self) -> Floats | None:
        """Tokens of each month and draw over those of now; None where they are not forecast."""
        subject = self.subject
        if subject is None or self.is_shared or not is_forecast(subject):
            return None
        growth = np.zeros((self.horizon, subject.night.draws))
        tokens = subject.tokens[: self.horizon]
        growth[: len(tokens)] = tokens / (daily_tokens(subject) * DAYS_PER_MONTH)
        return growth

    @property
    def _standing(self) -> Floats:
        """Part of each month in which policy lets it stand, months × 1."""
        spans = (month_shares(span["until"], self.as_of, span["since"])[: self.horizon] for span in self.spans)
        return np.asarray(np.clip(sum(spans, np.zeros(self.horizon)), 0, 1)[:, None])

    @property
    def _presence(self) -> Floats:
        """Part of each month in which the model serves, months × 1."""
        if self.subject is None:
            return np.ones((self.horizon, 1))
        return np.asarray(np.clip(self.subject.months - np.arange(self.horizon), 0, 1)[:, None])

    def forget(self) -> None:
        """Drop what was computed by month and draw: of hundreds of models it does not fit into memory."""
        for name in ("held", "needed"):
            self.__dict__.pop(name, None)


def is_forecast(subject: Subject) -> bool:
    """Whether the model serves tokens now, so that its GPUs can be told from the tokens that it will serve."""
    return bool(subject.position["daily_tokens"] and subject.position["recent_tokens"])


def daily_tokens(subject: Subject) -> float:
    """Tokens a day that the GPUs of now serve."""
    return float(subject.position["served_daily_tokens"] or subject.position["daily_tokens"])


@dataclass(frozen=True)
class PoolDemand:
    """Demand of one pool by month and draw: its users, and what stands idle beside them."""

    users: Floats
    idle: Floats
    supply: PoolSupply

    @cached_property
    def total(self) -> Floats:
        """GPUs that are paid for."""
        return np.asarray(self.users + self.idle) if self._has_idle else self.users

    @cached_property
    def avoidable_usd(self) -> Floats:
        """What they cost beyond what is owned or committed."""
        return self.supply.avoidable_usd(self.total)

    def saved_usd(self, gpus: Floats | float, released: Floats | float = 0.0) -> Floats:
        """What the pool costs less by month and draw after a change: `changed` without its parts.

        In a month in which a contract ends its demand may lie before or after that day, which a mean of the month does
        not tell: the smaller saving counts, so that nothing is saved before the end.
        """
        total, before = self._changed_total(gpus, released), self.avoidable_usd
        by_part = {
            month: self.supply.avoidable_usd_by_part(month, self.total[month])
            - self.supply.avoidable_usd_by_part(month, total[month])
            for month in self.supply.split
        }
        after = self.supply.avoidable_usd_in(total)
        fits = after.shape == np.broadcast_shapes(after.shape, before.shape)
        saved: Floats = np.subtract(before, after, out=after) if fits else before - after
        for month, least in by_part.items():
            saved[month] = np.minimum(saved[month], least)
        return np.asarray(saved)

    def _changed_total(self, gpus: Floats | float, released: Floats | float) -> Floats:
        """GPUs that are paid for after a change, in an array of their own."""
        total = self.users + np.asarray(gpus)
        np.maximum(total, 0, out=total)
        if self._has_idle:
            idle = np.subtract(self.idle, np.maximum(gpus, 0))
            if np.ndim(released):
                idle = idle - released
            np.maximum(idle, 0, out=idle)
            total = np.add(total, idle, out=total) if idle.size <= total.size else total + idle
        return np.asarray(total)

    def changed(self, gpus: Floats | float, released: Floats | float = 0.0) -> PoolDemand:
        """The pool with so many GPUs more or less in use; more of them are first taken from those that stand idle."""
        users = self.users + np.asarray(gpus)
        np.maximum(users, 0, out=users)
        idle = self.idle
        if self._has_idle:
            taken = np.maximum(gpus, 0) + released
            idle = np.subtract(idle, taken)
            np.maximum(idle, 0, out=idle)
        return PoolDemand(users, idle, self.supply)

    @cached_property
    def _has_idle(self) -> bool:
        return bool(self.idle.any())


@dataclass
class Fleet:
    """All pools of the company on the night, and who holds what of them; cards that are chosen change it.

    Attributes:
        pools: pools that cards have changed; the others are as they stand.
        cut: GPUs to which cards have cut a deployment.
        loads: GPUs' worth of traffic that cards have put on a host.
    """

    night: Night
    horizon: int
    supplies: Mapping[str, PoolSupply]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    holdings: Mapping[str, Sequence[Holding]]
    others: Mapping[str, Sequence[Mapping[str, Any]]]
    shared_models: Mapping[str, Sequence[str]]
    used_gpus: Mapping[str, float]
    pools: dict[str, PoolDemand] = field(default_factory=dict)
    cut: dict[tuple[str, str, str], float] = field(default_factory=dict)
    loads: dict[tuple[str, str, str], Floats] = field(default_factory=dict)
    _standing: dict[str, PoolDemand] = field(default_factory=dict)
    _contracts: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)
    _next_years: dict[tuple[str, ...], float] = field(default_factory=dict)
    _payable: dict[tuple[str, ...], Floats] = field(default_factory=dict)
    _host_uses: dict[tuple[str, str, str], tuple[Floats, Floats]] = field(default_factory=dict)

    def of_model(self, model_id: str) -> list[Holding]:
        """What serves a model, as the cards before leave it."""
        own = self._by_model.get(model_id, [])
        return [replace(one, most=self.cut[one.key]) if one.key in self.cut else one for one in own]

    def hosts_of(self, model_id: str) -> list[Holding]:
        """What serves a model, what it shares with others where it has nothing of its own: it can take more traffic."""
        own = self.of_model(model_id)
        return own or [
            holding
            for pool_id in sorted(self.supplies)
            for holding in self.holdings.get(pool_id, ())
            if model_id in self.shared_models.get(str(holding.row["user_id"]), ())
        ]

    @cached_property
    def _by_model(self) -> dict[str, list[Holding]]:
        named: dict[str, list[Holding]] = {}
        for pool_id in sorted(self.holdings):
            for holding in self.holdings[pool_id]:
                if holding.row["model_id"] is not None and pool_id in self.supplies:
                    named.setdefault(holding.row["model_id"], []).append(holding)
        return named

    def free_training_gpus(self) -> float:
        """GPUs that stand idle in the mean hour in the pools that train."""
        homes = sorted(
            {row["pool_id"] for rows in self.others.values() for row in rows if row["user_kind"] == "training"}
        )
        return sum(
            max(float(self.supplies[name].capacity[0, 0]) - self.used_gpus.get(name, 0.0), 0.0)
            for name in homes
            if name in self.supplies
        )

    def pool(self, pool_id: str) -> PoolDemand:
        """A pool as the cards before leave it."""
        if pool_id in self.pools:
            return self.pools[pool_id]
        if pool_id not in self._standing:
            if len(self._standing) >= _CACHED:
                self._standing.pop(next(iter(self._standing)))
            self._standing[pool_id] = self._pool(pool_id)
        return self._standing[pool_id]

    def _pool(self, pool_id: str) -> PoolDemand:
        """What a pool is used for if nothing is decided.

        GPUs of a fleet that shrinks with its demand, and of what policy ends from now on, are given back by themselves.
        """
        supply = self.supplies[pool_id]
        users = np.zeros((self.horizon, 1))
        shrunk = np.zeros((self.horizon, 1))
        for holding in self.holdings.get(pool_id, ()):
            held = holding.held
            users = users + held
            if holding.is_serving:
                left = held if holding.row["follows_demand"] else holding.path
                shrunk = shrunk + np.maximum(holding.gpus - left, 0)
        for row in self.others.get(pool_id, ()):
            users = users + self.other_gpus(row)
        idle = np.maximum(supply.capacity - shrunk - users, 0)
        return PoolDemand(users, idle, supply)

    def other_gpus(self, row: Mapping[str, Any]) -> Floats:
        """GPUs of what serves no model: training wanders from where it is, what is announced comes."""
        gpus = row["gpus"] * month_shares(row["until"], self.night.as_of, row["since"])[: self.horizon, None]
        if row["use_sigma"] is None:
            return np.asarray(gpus)
        dice = generator(self.night.as_of, "pool", row["pool_id"])
        steps = dice.standard_normal((self.horizon, self.night.draws))
        step_sigma = row["use_sigma"] * (DAYS_PER_MONTH / (7 * LEVEL_WEEKS)) ** 0.5
        return np.asarray(gpus * np.exp(step_sigma * steps.cumsum(axis=0)))

    def announced_gpus(self, pool_id: str) -> Floats:
        """GPUs more than now that policy gives to somebody on a pool, by month, months × 1."""
        gpus = np.zeros((self.horizon, 1))
        for holding in self.holdings.get(pool_id, ()):
            now = 0.0 if holding.is_launch else holding.gpus
            gpus += np.maximum(holding.path - now, 0)
        for row in self.others.get(pool_id, ()):
            if row["since"] is not None:
                gpus += self.other_gpus(row)
        return gpus

    def announced_from(self, pool_id: str) -> dt.date | None:
        """The first day from which policy gives somebody more GPUs of a pool than now."""
        held = self.holdings.get(pool_id, ())
        days = [each["since"] for one in held for each in one.spans if one.is_launch or each["gpus"] > one.gpus]
        days += [row["since"] for row in self.others.get(pool_id, ())]
        return min((day for day in days if day is not None and day > self.night.as_of), default=None)

    def saved_usd(self, gpus: Mapping[str, Floats], released: Mapping[str, Floats]) -> Floats:
        """Cash without a change of GPU demand less cash with it, by month and draw: the only way to a saving."""
        saved: Floats | None = None
        for pool_id in sorted({*gpus, *released}):
            less = self.pool(pool_id).saved_usd(*_of(pool_id, gpus, released))
            saved = less if saved is None else saved + less
        nothing = np.zeros((self.horizon, 1))
        return np.asarray(np.broadcast_to(nothing if saved is None else saved, (self.horizon, self.night.draws)))

    def hosted_gpus(self, host: Holding, load: Floats) -> Floats:
        """GPUs more that a host needs for traffic worth `load` GPUs: none as long as those it holds are enough."""
        if host.row["follows_demand"] or host.subject is None or not is_forecast(host.subject):
            return load
        ratio = min(host.plan_gpus / host.gpus, 1.0) if host.gpus and host.plan_gpus else 1.0
        used, before = self._host_use(host, ratio)
        after = ratio * (used + load)
        after -= host.held
        np.maximum(after, 0, out=after)
        after -= before
        return after

    def _host_use(self, host: Holding, ratio: float) -> tuple[Floats, Floats]:
        """GPUs' worth of a host's traffic before any more, and what it needs for it beyond those that it holds."""
        if host.key not in self._host_uses:
            if len(self._host_uses) >= _CACHED:
                self._host_uses.pop(next(iter(self._host_uses)))
            used = np.asarray(host.needed + self.loads.get(host.key, 0.0))
            self._host_uses[host.key] = used, np.asarray(np.maximum(ratio * used - host.held, 0))
        return self._host_uses[host.key]

    def contracts(self, pool_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Commitments of some pools that are not over, the first to end first, as a card prints them."""
        key = tuple(pool_ids)
        if key not in self._contracts:
            self._contracts[key] = self._running_contracts(key)
        return self._contracts[key]

    def _running_contracts(self, pool_ids: Iterable[str]) -> list[dict[str, Any]]:
        names = ("commitment_discount_id", "gpus", "end_basis", "renewal")
        days = ("ends_on", "ends_on_earliest", "ends_on_latest", "sign_by")
        running = [
            {"pool_id": pool_id}
            | {name: row[name] for name in names}
            | {name: row[name] and row[name].isoformat() for name in days}
            for pool_id in pool_ids
            for row in self.rows.get(pool_id, ())
            if row["months_ahead"] == 0
            and row["supply_kind"] == "committed"
            and row["ends_on_latest"] > self.night.as_of
        ]
        return sorted(running, key=lambda each: (each["ends_on_earliest"], each["commitment_discount_id"]))

    def month_start(self, month: int) -> dt.date:
        """First day of a month ahead."""
        return self._month_starts[month]

    @cached_property
    def _month_starts(self) -> list[dt.date]:
        return month_starts(self.night.as_of)

    def next_year_usd(self, pool_ids: Iterable[str]) -> float:
        """What some pools are to cost in the twelve months from the night, contracts too, in the median draw."""
        key = tuple(sorted(set(pool_ids)))
        if key not in self._next_years:
            pools = [self.pool(name) for name in key]
            sums = [(pool.avoidable_usd + pool.supply.committed_usd)[:_YEAR].sum(axis=0) for pool in pools]
            self._next_years[key] = median(np.broadcast_to(sum(sums, np.zeros(1)), (self.night.draws,)))
        return self._next_years[key]

    def run_rate_usd(self, pool_ids: Iterable[str]) -> float:
        """What some pools cost in twelve months at the GPUs and rates of the night; of owned ones their power alone."""
        hourly = sum(
            row["gpus"] * row["avoidable_usd_per_gpu_hour" if row["supply_kind"] == "owned" else "usd_per_gpu_hour"]
            for pool_id in sorted(set(pool_ids))
            for row in self.rows[pool_id]
            if row["months_ahead"] == 0
        )
        return float(hourly) * HOURS_PER_MONTH * _YEAR

    def payable_usd(self, pool_ids: Iterable[str]) -> Floats:
        """What could be left unpaid of some pools at most, by month and draw."""
        key = tuple(sorted(set(pool_ids)))
        if key not in self._payable:
            if len(self._payable) >= _CACHED:
                self._payable.pop(next(iter(self._payable)))
            sums: Floats = np.zeros((self.horizon, 1))
            for pool_id in key:
                sums = sums + self.pool(pool_id).avoidable_usd
            self._payable[key] = sums
        return np.asarray(np.broadcast_to(self._payable[key], (self.horizon, self.night.draws)))

    def change(
        self,
        gpus: Mapping[str, Floats],
        released: Mapping[str, Floats],
        cuts: Mapping[tuple[str, str, str], float],
        loads: Mapping[tuple[str, str, str], Floats],
    ) -> None:
        """Take a card's change of demand for granted in all that is valued after it."""
        self.cut |= cuts
        for key, load in loads.items():
            self.loads[key] = self.loads.get(key, 0.0) + load
        for cache in (self._next_years, self._payable, self._host_uses):
            cache.clear()
        for pool_id in sorted({*gpus, *released}):
            self.pools[pool_id] = self.pool(pool_id).changed(*_of(pool_id, gpus, released))


def _of(
    pool_id: str, gpus: Mapping[str, Floats], released: Mapping[str, Floats]
) -> tuple[Floats | float, Floats | float]:
    return gpus.get(pool_id, 0.0), released.get(pool_id, 0.0)


def fleet_of(
    night: Night,
    subjects: Mapping[str, Subject],
    states: Mapping[str, Sequence[Mapping[str, Any]]],
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
) -> Fleet:
    """The fleet of the night from its tables.

    Args:
        night: settings and draws.
        subjects: models by name.
        states: rows of serving_states by model.
        supply: the table.
        pool_users: the table.
    """
    longest = max((subject.months for subject in subjects.values()), default=0.0)
    horizon = min(max(int(np.ceil(longest)), LEAST_HORIZON), LONGEST_MONTHS)
    rows = {str(key): part.to_dicts() for (key,), part in supply.group_by("pool_id", maintain_order=True)}
    supplies = {pool_id: _pool_supply(pool_id, each, horizon, night) for pool_id, each in rows.items()}
    holdings: dict[str, list[Holding]] = {}
    others: dict[str, list[Mapping[str, Any]]] = {}
    users: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in pool_users.to_dicts():
        if row["models"]:
            users.setdefault((row["pool_id"], row["user_kind"], row["user_id"]), []).append(row)
        else:
            others.setdefault(row["pool_id"], []).append(row)
    for spans in users.values():
        subject = subjects.get(spans[0]["model_id"] or "")
        states_of_model = states.get(spans[0]["model_id"] or "", ())
        state = next((each for each in states_of_model if each["deployment_id"] == spans[0]["user_id"]), None)
        holding = _holding(spans, subject, state, (horizon, night.as_of))
        holdings.setdefault(spans[0]["pool_id"], []).append(holding)
    used = {row["pool_id"]: float(row["mean_gpus"]) for rows in others.values() for row in rows if row["mean_gpus"]}
    for pool_id in used:
        used[pool_id] += sum(holding.gpus for holding in holdings.get(pool_id, ()))
    shared: dict[str, list[str]] = {}
    for model_id in sorted(states):
        for state in states[model_id]:
            if state["models"] > 1:
                shared.setdefault(state["deployment_id"], []).append(model_id)
    return Fleet(night, horizon, supplies, rows, holdings, others, shared, used)


def _holding(
    spans: Sequence[Mapping[str, Any]],
    subject: Subject | None,
    state: Mapping[str, Any] | None,
    when: tuple[int, dt.date],
) -> Holding:
    row = spans[0]
    plan, floor = 0.0, 0.0
    if subject is not None and subject.position["active_params"] and row["user_kind"] != "direct":
        shape = shape_of(subject.position["active_params"], subject.position["params"])
        gpu_model = state["gpu_model"] if state else subject.position["gpu_model"]
        floor = float(least_gpus(gpu_model or "", shape) or 1)
        if state and state["models"] == 1 and gpu_model in CHIPS and gpu_model in MEMORY_BYTES:
            planned = cheapest(busy_load(state), shape, limits_of(state))
            plan = planned.busy_gpus / PLANNED_SHARE if planned else plan
    return Holding(row, subject, *when, plan, floor, spans)


def _pool_supply(pool_id: str, rows: Sequence[Mapping[str, Any]], horizon: int, night: Night) -> PoolSupply:
    """Layers of a pool added up; a contract whose end nobody knows ends early in one half of the draws."""
    ahead = [row for row in rows if row["months_ahead"] < horizon]
    ends = {end: _by_end(ahead, end, horizon) for end in ("earliest", "latest")}
    owned, capacity = np.zeros(horizon), np.zeros(horizon)
    for row in ahead:
        owned[row["months_ahead"]] += row["gpus"] if row["supply_kind"] == "owned" else 0.0
        capacity[row["months_ahead"]] += row["gpu_hours"] / HOURS_PER_MONTH
    early, late = ends["earliest"], ends["latest"]
    is_known = np.array_equal(early, late)
    is_late = (
        None if is_known else generator(night.as_of, "contract", pool_id).permutation(night.draws) < night.draws / 2
    )
    parts = [_by_draw(early[part][:, None], late[part][:, None], is_late) for part in range(len(early))]
    first = [row for row in ahead if row["months_ahead"] == 0]
    powers = [row["avoidable_usd_per_gpu_hour"] for row in first if row["supply_kind"] == "owned"]
    committed, renewable, renewal_usd, committed_usd = parts
    rates = _quotient(renewal_usd, renewable)
    return PoolSupply(
        owned=owned[:, None],
        committed=committed,
        renewable=renewable,
        renewal_rate=rates,
        capacity=capacity[:, None],
        committed_usd=committed_usd,
        power_rate=max(powers, default=0.0),
        on_demand_rate=next(row["usd_per_gpu_hour"] for row in first if row["supply_kind"] == "on_demand"),
        is_late=is_late,
        split=_split_months(ahead, horizon, is_late),
    )


def _by_draw(early: Floats, late: Floats, is_late: npt.NDArray[np.bool_] | None) -> Floats:
    """What holds in each draw: the same in all where the ends of contracts are known."""
    return late if is_late is None else np.where(is_late, late, early)


def _quotient(usd: Floats, gpus: Floats) -> Floats:
    return np.divide(usd, gpus, out=np.zeros_like(gpus), where=gpus > 0)


def _split_months(
    rows: Sequence[Mapping[str, Any]], horizon: int, is_late: npt.NDArray[np.bool_] | None
) -> dict[int, list[MonthPart]]:
    """Months in which a contract ends or begins, in the parts between."""
    layers: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["supply_kind"] == "committed":
            layers.setdefault(row["commitment_discount_id"], []).append(row)
    each = [sorted(layer, key=lambda row: row["months_ahead"]) for layer in layers.values()]
    return {month: parts for month in range(horizon) if (parts := _month_parts(each, month, is_late))}


def _month_parts(
    layers: Sequence[Sequence[Mapping[str, Any]]], month: int, is_late: npt.NDArray[np.bool_] | None
) -> list[MonthPart]:
    spans = {end: [_paid_span(layer, month, end) for layer in layers] for end in ("earliest", "latest")}
    cuts = sorted({0.0, 1.0, *(day for each in spans.values() for span in each for day in span)})
    if len(cuts) <= 2:  # noqa: PLR2004 - begin and end of the month
        return []
    parts = []
    for start, stop in itertools.pairwise(cuts):
        sums = {end: _in_part(layers, month, spans[end], (start + stop) / 2) for end in spans}
        pairs = zip(sums["earliest"], sums["latest"], strict=True)
        committed, renewable, usd = (_by_draw(np.array([early]), np.array([late]), is_late) for early, late in pairs)
        parts.append(MonthPart(stop - start, committed, renewable, _quotient(usd, renewable)))
    return parts


def _paid_span(layer: Sequence[Mapping[str, Any]], month: int, end: str) -> tuple[float, float]:
    """From where to where of a month a contract is paid: one that goes on into the next month began late."""
    ratios = [row[f"paid_ratio_{end}"] for row in layer[month : month + 2]]
    begins = len(ratios) > 1 and ratios[1] > 0 and ratios[0] < 1
    return (1 - ratios[0], 1.0) if begins else (0.0, ratios[0])


def _in_part(
    layers: Sequence[Sequence[Mapping[str, Any]]], month: int, spans: Sequence[tuple[float, float]], moment: float
) -> tuple[float, float, float]:
    """GPUs committed at a moment of a month; GPUs that are renewed as needed, and their USD an hour."""
    committed = renewable = usd = 0.0
    for layer, (first, last) in zip(layers, spans, strict=True):
        row = layer[month]
        if first <= moment < last:
            committed += row["gpus"]
        elif moment >= last and row["renewal"] != "ends" and row["gpu_hours"] > 0:
            renewable += row["gpus"]
            usd += row["gpus"] * row["usd_per_gpu_hour"]
    return committed, renewable, usd


def _by_end(rows: Sequence[Mapping[str, Any]], end: str, horizon: int) -> Floats:
    """GPUs committed; GPUs renewed as needed after an end, and their USD an hour; USD committed."""
    parts = np.zeros((4, horizon))
    for row in rows:
        if row["supply_kind"] != "committed":
            continue
        month, paid = row["months_ahead"], row["gpus"] * row[f"paid_ratio_{end}"]
        held = min(row["gpus"], row["gpu_hours"] / HOURS_PER_MONTH)
        free = 0.0 if row["renewal"] == "ends" else max(held - paid, 0.0)
        parts[:, month] += (
            paid,
            free,
            free * row["usd_per_gpu_hour"],
            paid * row["usd_per_gpu_hour"] * HOURS_PER_MONTH,
        )
    return parts
