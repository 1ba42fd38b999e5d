"""A second allocator of plain Python integers, written from the rules sentence by sentence."""

from __future__ import annotations

import fnmatch
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

import pytest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Line = tuple[Any, ...]
Amounts = dict[Line, list[int]]


def split(whole: int, weights: list[int]) -> list[int]:
    """Largest remainder, equal remainders in the order of the list, the sign at the end."""
    total = sum(weights)
    parts = [divmod(abs(whole) * weight, total) for weight in weights]
    missing = abs(whole) - sum(quotient for quotient, _ in parts)
    favoured = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))[:missing]
    sign = -1 if whole < 0 else 1
    return [sign * (quotient + (index in favoured)) for index, (quotient, _) in enumerate(parts)]


def buckets(start: datetime, end: datetime, width: timedelta) -> Iterator[tuple[datetime, int]]:
    at = EPOCH + (start - EPOCH) // width * width
    while True:
        inside = (min(end, at + width) - max(start, at)) // MICROSECOND
        yield at, max(inside, 1)
        at += width
        if at >= end:
            return


def micros(start: datetime, end: datetime, hour: datetime) -> int:
    return max(0, (min(end, hour + HOUR) - max(start, hour)) // MICROSECOND)


def gpu_weight(hours: str) -> int:
    return int(Decimal(hours) * 36 * 10**11)


def rule_of(charge: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first rule whose tag, without case and blanks, matches on the day of the charge."""
    tags = {key.strip().lower(): value.lower() for key, value in json.loads(charge["tags"]).items()}
    day = charge["charge_start"].date()
    for rule in rules:
        value = tags.get(rule["field"].removeprefix("tag:"), "")
        if value and fnmatch.fnmatchcase(value, rule["pattern"]) and day < rule.get("valid_to", date.max):
            return rule
    return None


class Reference:
    """The allocation rules in integers, one charge after the other."""

    def __init__(self, world: Mapping[str, Any]) -> None:
        self.world = world

    def account(self, charge: Mapping[str, Any], rule: Mapping[str, Any] | None) -> str | None:
        """The account of a charge that stays whole, else none."""
        target = rule["target"] if rule else None
        if target == "out_of_scope":
            return target
        if "Unused" in (charge.get("commitment_discount_status"), charge.get("capacity_reservation_status")):
            return "commitment_unused"
        if target:
            return {"shared": "shared", "model": "direct"}.get(target)
        adjusts = charge["charge_category"] in ("Tax", "Credit", "Adjustment") or charge.get("charge_class")
        return "adjustment" if adjusts or Decimal(charge["billed_cost"]) < 0 else "unallocated"

    def lines(self, charge: Mapping[str, Any]) -> Amounts:
        """What each line of the charge gets of both costs; lines of nothing are left out."""
        rule = rule_of(charge, self.world["rules"])
        account = self.account(charge, rule)
        found: Amounts = defaultdict(lambda: [0, 0])
        for number, column in enumerate(("billed_cost", "effective_cost")):
            whole = int(Decimal(charge[column]).scaleb(12, Context(prec=60)))
            spans = list(buckets(charge["charge_start"], charge["charge_end"], DAY if account else HOUR))
            for (at, _), part in zip(spans, split(whole, [weight for _, weight in spans]), strict=True):
                for place, share in self.places(part, at, account, rule):
                    found[(at.date(), *place)][number] += share
        return {line: amounts for line, amounts in found.items() if any(amounts)}

    def places(
        self, part: int, at: datetime, account: str | None, rule: Mapping[str, Any] | None
    ) -> Iterator[tuple[Line, int]]:
        """One bucket of one cost, to its place or places."""
        if account:
            direct = rule if account == "direct" and rule else {}
            pool = rule["target_id"] if rule and rule["target"] == "pool" else None
            yield (
                (
                    account,
                    direct.get("target_id"),
                    direct.get("phase"),
                    None,
                    None,
                    pool,
                    (rule or {}).get("team"),
                    None,
                ),
                part,
            )
        elif rule and rule["target"] == "deployment":
            yield from self.models(part, at, "d0", None)
        elif rule:
            yield from self.users(part, at, rule["target_id"])

    def users(self, part: int, hour: datetime, pool: str) -> Iterator[tuple[Line, int]]:
        """One pool-hour, shared among those who used it."""
        uses = self.uses(hour, pool)
        for (kind, name, run, _), share in zip(uses, split(part, [use[3] for use in uses]), strict=True):
            if kind == "deployment":
                yield from self.models(share, hour, name, pool)
            elif kind == "idle":
                yield ("idle", None, None, None, None, pool, None, None), share
            elif run["model_id"]:
                yield ("direct", run["model_id"], run["phase"], name, None, pool, run["team"], None), share
            else:
                yield ("unallocated", None, None, name, None, pool, run["team"], None), share

    def uses(self, hour: datetime, pool: str) -> list[tuple[str, str, Any, int]]:
        """Kind, name, run and weight of every user, in the order of the split."""
        runs = [
            (
                "run",
                run["run_id"],
                run,
                int(Decimal(str(run["gpu_count"])) * 1000 + Decimal("0.5"))
                * micros(run["held_from"], run["held_to"], hour),
            )
            for run in sorted(self.world["runs"], key=lambda run: run["run_id"])
            if run["pool_id"] == pool
        ]
        names = sorted({row["deployment_id"] for row in self.world["deployments"] if row["pool_id"] == pool})
        serving = [("deployment", name, None, 8000 * self.valid(name, hour)) for name in names]
        used = sum(use[3] for use in [*runs, *serving])
        capacity = self.capacity(hour, pool)
        idle = 1 if capacity == used == 0 else max(capacity - used, 0)
        return [use for use in [*runs, *serving, ("idle", "", None, idle)] if use[3]]

    def valid(self, name: str, hour: datetime) -> int:
        """Microseconds of the hour in which the deployment has a row, each once."""
        rows = [row for row in self.world["deployments"] if row["deployment_id"] == name]
        edges = sorted(
            {
                hour,
                hour + HOUR,
                *(max(hour, min(hour + HOUR, row[key])) for row in rows for key in ("valid_from", "valid_to")),
            }
        )
        return sum(
            (end - start) // MICROSECOND
            for start, end in pairwise(edges)
            if any(row["valid_from"] <= start < row["valid_to"] for row in rows)
        )

    def capacity(self, hour: datetime, pool: str) -> int:
        """GPU time of the hour: stated by policy, else what the charges of the pool bring."""
        if self.world["stated"] and pool == "p1":
            return 16_000 * 3_600_000_000
        total = 0
        for charge in self.world["charges"]:
            rule = rule_of(charge, self.world["rules"])
            if rule and rule["target"] == "pool" and rule["target_id"] == pool and self.account(charge, rule) is None:
                spans = list(buckets(charge["charge_start"], charge["charge_end"], HOUR))
                parts = split(gpu_weight(charge["gpu_hours"]), [weight for _, weight in spans])
                total += sum(part for (at, _), part in zip(spans, parts, strict=True) if at == hour)
        return total

    def models(self, part: int, hour: datetime, name: str, pool: str | None) -> Iterator[tuple[Line, int]]:
        """One hour of one deployment, shared among models and then teams."""
        models = sorted(
            {row["model_id"] for row in self.world["deployments"]
             if row["deployment_id"] == name and max(row["valid_from"], hour) < min(row["valid_to"], hour + HOUR)}
        )  # fmt: skip
        if not models:
            yield ("unallocated", None, None, None, name, pool, None, None), part
            return
        asked = [
            row
            for row in self.world["usage"]
            if row["deployment_id"] == name and row["hour"] == hour and row["status"] != "pending"
        ]
        weights = self.weights([[row for row in asked if row["model_id"] == model] for model in models])
        for model, share in zip(models, split(part, weights), strict=True):
            teams = sorted(
                {row["team"] for row in asked if row["model_id"] == model},
                key=lambda team: (team is not None, team or ""),
            ) or [None]
            consumers = self.weights(
                [[row for row in asked if row["model_id"] == model and row["team"] == team] for team in teams]
            )
            for team, money in zip(teams, split(share, consumers), strict=True):
                yield ("direct", model, "inference", None, name, pool, team, None), money

    @staticmethod
    def weights(groups: list[list[Mapping[str, Any]]]) -> list[int]:
        """Tokens, else units, else duration, else one each."""
        for column in ("weighted_tokens_milli", "units", "duration_us"):
            sums = [int(sum(row[column] for row in rows)) for rows in groups]
            if any(sums):
                return sums
        return [1] * len(groups)


@pytest.fixture(scope="session")
def reference() -> type[Reference]:
    """The second allocator, to be given a world."""
    return Reference
