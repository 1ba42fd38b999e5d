"""The best guess first: tags before names before ids, a model that is named before all where there are no GPUs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

import polars as pl

from transforms.billed_pools import pools
from transforms.request_suggestions import of_requests
from transforms.run_suggestions import of_runs
from transforms.suggestion_names import line, model_in, named_models, phase_in, slug
from warehouse.schemas.names import tag_key

LARGEST: Final = 20
"""Lines of a source: beyond these, what is left is small, or there is no pattern in it."""

SCHEMA: Final = {
    "source": pl.String(),
    "file": pl.String(),
    "line": pl.String(),
    "amount": pl.Float64(),
    "unit": pl.String(),
    "gpu_hours": pl.Float64(),
}
# Keys that people use for what a resource is for, the most telling first; others follow by the money they cover.
_KEYS: Final = (
    *("model", "model_id", "pool", "cluster", "workload", "team", "project", "service", "app", "application"),
    *("owner", "costcenter", "cost-center", "cost_center", "namespace", "name"),
)
_STAMPS: Final = r"(?:created|modified|updated|launched)[-_ ]?(?:by|on|at|date|time)?$|creator$"
"""Keys with which a provider stamps every resource: they say who made it and when, and not what it is for."""
_NAMES: Final = ("resource_name", "sub_account_id", "service_name", "resource_id", "charge_description")
_MACHINES: Final = ("resource_name", "sub_account_id", "resource_id", "service_name", "charge_description")
"""The same of what has GPUs: a machine comes before the service that lets it."""
_MOST_VALUES: Final = 50


class _Guess(NamedTuple):
    """A field of a bill, its value, and what they would lead to."""

    field: str
    value: str
    target: str
    target_id: str
    phase: str


def rule_suggestions(
    charges: pl.DataFrame,
    charge_rules: pl.DataFrame,
    training_runs: pl.DataFrame,
    token_usage: pl.DataFrame,
    models: pl.DataFrame,
    bought_from: AbstractSet[str] = frozenset(),
) -> pl.DataFrame:
    """One line to paste: `source`, the `file` of policy/ it belongs in, the `line`, and what it would reach.

    Requests of the sources `bought_from` are to APIs that sell tokens.
    `amount` is in `unit` (a currency, GPU-hours or tokens); `gpu_hours` stands beside money. Largest first in a source.
    """
    names = named_models(models, token_usage)
    lines, guesses = _of_bills(charges, charge_rules, names)
    pooled = [(charge_id, guess.target_id) for guess, charge_id in guesses if guess.target == "pool"]
    proposed = pl.DataFrame(pooled, schema={"charge_id": pl.List(pl.String), "proposed": pl.String}, orient="row")
    pools_by_id = pools(charges, charge_rules, proposed.explode("charge_id"))
    with_gpus = set(charges.filter(pl.col("gpu_hours") > 0)["charge_id"])
    ruled = charge_rules.filter(pl.col("phase") == "inference").drop_nulls("model_id").select("model_id", "charge_id")
    about = [(guess.target_id, ids) for guess, ids in guesses if guess.target == "model"]
    named: dict[str, bool] = defaultdict(bool)
    for model_id, ids in (*about, *((model_id, [charge_id]) for model_id, charge_id in ruled.iter_rows())):
        named[model_id] |= not with_gpus.isdisjoint(ids)
    rows = [
        *lines,
        *of_runs(training_runs, names, pools_by_id, set(names.values())),
        *of_requests(token_usage, training_runs, pools_by_id, named, bought_from),
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort(
        "source", "file", "amount", "line", descending=[False, False, True, False]
    )


def _of_bills(
    charges: pl.DataFrame, charge_rules: pl.DataFrame, models: Mapping[str, str]
) -> tuple[list[tuple[object, ...]], list[tuple[_Guess, list[str]]]]:
    """The lines of the bills, and each guess with the charges it is about."""
    missed = charge_rules.filter(pl.col("account") == "unallocated").select("charge_id")
    groups = (
        charges.join(missed, on="charge_id", how="semi")
        .group_by("source", "currency", "tags", *_NAMES)
        .agg(
            pl.col("effective_cost").cast(pl.Float64).sum().alias("cost"),
            pl.col("gpu_hours").sum(),
            pl.col("gpu_model").is_not_null().any().alias("has_chip"),
            "charge_id",
        )
    )
    counted = charges.group_by("source").agg((pl.col("gpu_hours").sum() > 0).alias("is_counted"))
    groups = groups.join(counted, on="source").with_columns(
        ((pl.col("gpu_hours") > 0) | (pl.col("has_chip") & ~pl.col("is_counted"))).alias("has_gpus")
    )
    lines: list[tuple[object, ...]] = []
    guesses: list[tuple[_Guess, list[str]]] = []
    for (source, currency), rows in groups.sort("cost", descending=True).group_by(
        "source", "currency", maintain_order=True
    ):
        sums: dict[_Guess, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for row, guess in _guessed(rows.to_dicts(), models):
            sums[guess] = (sums[guess][0] + row["cost"], sums[guess][1] + row["gpu_hours"])
            guesses.append((guess, row["charge_id"]))
        for guess, (cost, gpu_hours) in sorted(sums.items(), key=lambda item: -item[1][0])[:LARGEST]:
            rule = line(100, source, guess.field, guess.value, guess.target, guess.target_id, guess.phase, "", "", "")
            lines.append((source, "attribution.csv", rule, cost, currency, gpu_hours))
    return lines, guesses


def _guessed(rows: list[dict[str, Any]], models: Mapping[str, str]) -> list[tuple[dict[str, Any], _Guess]]:
    """Each group of charges by the best field that it has; without GPUs, by the first that names a model.

    What is bought by the token has its model in a description, while its tags name who bought it.
    """
    parsed = [(row, json.loads(row["tags"] or "{}")) for row in rows]
    keys = _ranked([tags for _, tags in parsed], [row["cost"] for row, _ in parsed])
    guesses = []
    with_gpus: set[tuple[str, str]] = set()
    for row, tags in parsed:
        fields = [(f"tag:{key}", str(tags[key])) for key in keys if tags.get(key)]
        fields += [(name, str(row[name])) for name in (_MACHINES if row["has_gpus"] else _NAMES) if row[name]]
        if not fields:
            continue
        naming = [field for field in fields if model_in(field[1], models)] if not row["has_gpus"] else []
        best = (naming or fields)[0]
        with_gpus |= {best} if row["has_gpus"] else set()
        guesses.append((row, best))
    return [(row, _guess(*best, best in with_gpus, models)) for row, best in guesses]


def _guess(field: str, value: str, has_gpus: bool, models: Mapping[str, str]) -> _Guess:  # noqa: FBT001 - a fact
    """The model that is named, else a pool where there are GPUs, else shared."""
    model_id = model_in(value, models)
    if model_id is not None:
        return _Guess(field, value, "model", model_id, phase_in(value, "inference"))
    return _Guess(field, value, "pool", slug(value), "") if has_gpus else _Guess(field, value, "shared", "shared", "")


def _ranked(tags: list[dict[str, str]], costs: list[float]) -> list[str]:
    """Keys of tags, the best first: those whose word says what something is for, then by the money they cover."""
    money: dict[str, float] = defaultdict(float)
    values: dict[str, set[str]] = defaultdict(set)
    for members, cost in zip(tags, costs, strict=True):
        for key, value in members.items():
            if value:
                money[key] += abs(cost)
                values[key].add(value)
    named = {
        key: _bare(key) for key in money if len(values[key]) <= _MOST_VALUES and not re.search(_STAMPS, _bare(key))
    }
    key_ranks = {key: _KEYS.index(bare) if bare in _KEYS else len(_KEYS) for key, bare in named.items()}
    return sorted(named, key=lambda key: (key_ranks[key], -money[key], key))


def _bare(key: str) -> str:
    """A key without what the provider puts before it: `user:team` and `user_team` are `team`."""
    return re.sub(r"^(?:user|aws|project|x)[:_]", "", tag_key(key))
