"""Lines to paste into policy/ for what no rule reaches: the best guess first, tags before names before ids."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from warehouse.schemas.names import model_key, tag_key

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
_HOUR_S: Final = 3600.0
# Keys that people use for what a resource is for, the most telling first; others follow by the money they cover.
_KEYS: Final = (
    *("model", "model_id", "pool", "cluster", "workload", "team", "project", "service", "app", "application"),
    *("owner", "costcenter", "cost-center", "cost_center", "namespace", "name"),
)
_NAMES: Final = ("resource_name", "sub_account_id", "service_name", "resource_id", "charge_description")
_PHASES: Final = (
    ("posttraining", r"sft|rlhf|dpo|grpo|fine.?tun|distil|post.?train|align"),
    ("pretraining", r"pre.?train|train"),
    ("inference", r"serv|infer|prod|api|chat"),
)
_MOST_VALUES: Final = 50


def rule_suggestions(
    charges: pl.DataFrame,
    charge_rules: pl.DataFrame,
    training_runs: pl.DataFrame,
    token_usage: pl.DataFrame,
    models: pl.DataFrame,
) -> pl.DataFrame:
    """One line to paste: `source`, the `file` of policy/ it belongs in, the `line`, and what it would reach.

    `amount` is in `unit` (a currency, GPU-hours or tokens); `gpu_hours` stands beside money. Largest first in a source.
    """
    rows = [
        *_of_bills(charges, charge_rules, _model_names(models)),
        *_of_runs(training_runs, _model_names(models)),
        *_of_requests(token_usage),
    ]
    suggestions = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return suggestions.sort("source", "file", "amount", "line", descending=[False, False, True, False])


def _model_names(models: pl.DataFrame) -> dict[str, str]:
    """Every name of every model as it is compared, with the model's id."""
    named = models.select("model_id", "aliases").iter_rows()
    return {model_key(name): model_id for model_id, aliases in named for name in (model_id, *(aliases or []))}


def _of_bills(
    charges: pl.DataFrame, charge_rules: pl.DataFrame, models: Mapping[str, str]
) -> Iterator[tuple[object, ...]]:
    missed = charge_rules.filter(pl.col("account") == "unallocated").select("charge_id")
    groups = (
        charges.join(missed, on="charge_id", how="semi")
        .group_by("source", "currency", "tags", *_NAMES)
        .agg(pl.col("effective_cost").cast(pl.Float64).sum().alias("cost"), pl.col("gpu_hours").sum())
    )
    for (source, currency), rows in groups.sort("cost", descending=True).group_by(
        "source", "currency", maintain_order=True
    ):
        lines = _covered(rows.to_dicts())
        for (field, value), (cost, gpu_hours) in sorted(lines.items(), key=lambda item: -item[1][0])[:LARGEST]:
            line = f"100,{_cell(source)},{_cell(field)},{_cell(value)},{_target(value, gpu_hours, models)},,,"
            yield source, "attribution.csv", line, cost, currency, gpu_hours


def _covered(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[float, float]]:
    """Field and value -> cost and GPU-hours: each group of charges is given to the best field that it has."""
    parsed = [(row, json.loads(row["tags"] or "{}")) for row in rows]
    keys = _ranked([tags for _, tags in parsed], [row["cost"] for row, _ in parsed])
    sums: dict[tuple[str, str], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for row, tags in parsed:
        key = next((key for key in keys if tags.get(key)), None)
        name = next((name for name in _NAMES if row[name]), None)
        if key is None and name is None:
            continue
        field = (f"tag:{key}", str(tags[key])) if key is not None else (str(name), str(row[str(name)]))
        before = sums[field]
        sums[field] = (before[0] + row["cost"], before[1] + row["gpu_hours"])
    return sums


def _ranked(tags: list[dict[str, str]], costs: list[float]) -> list[str]:
    """Keys of tags, the best first: those whose word says what something is for, then by the money they cover."""
    money: dict[str, float] = defaultdict(float)
    values: dict[str, set[str]] = defaultdict(set)
    for members, cost in zip(tags, costs, strict=True):
        for key, value in members.items():
            if value:
                money[key] += abs(cost)
                values[key].add(value)
    named = {key: _bare(key) for key in money if len(values[key]) <= _MOST_VALUES}
    key_ranks = {key: _KEYS.index(bare) if bare in _KEYS else len(_KEYS) for key, bare in named.items()}
    return sorted(named, key=lambda key: (key_ranks[key], -money[key], key))


def _bare(key: str) -> str:
    """A key without what the provider puts before it: `user:team` and `user_team` are `team`."""
    return re.sub(r"^(?:user|aws|project|x)[:_]", "", tag_key(key))


def _target(value: str, gpu_hours: float, models: Mapping[str, str]) -> str:
    """Target, id and phase as three cells: the model that is named, else a pool where there are GPUs, else shared."""
    folded = model_key(value)
    named = max((name for name in models if name and name in folded), key=len, default=None)
    if named is not None:
        return f"model,{_cell(models[named])},{_phase(value)}"
    return f"pool,{_cell(_slug(value))}," if gpu_hours > 0 else "shared,shared,"


def _phase(text: str) -> str:
    return next((phase for phase, words in _PHASES if re.search(words, text, re.IGNORECASE)), "inference")


def _of_runs(training_runs: pl.DataFrame, models: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    missed = training_runs.filter(pl.col("model_id").is_null()).with_columns(
        pl.coalesce("project", "run_name", "cluster").alias("value"),
        pl.when(pl.col("project").is_not_null())
        .then(pl.lit("project"))
        .when(pl.col("run_name").is_not_null())
        .then(pl.lit("run_name"))
        .otherwise(pl.lit("cluster"))
        .alias("field"),
    )
    sums = missed.drop_nulls("value").group_by("source", "field", "value").agg(pl.col("gpu_seconds").sum())
    for source, field, value, seconds in sums.sort("gpu_seconds", descending=True).iter_rows():
        named = max((name for name in models if name and name in model_key(value)), key=len, default=None)
        model = models[named] if named else _slug(value)
        phase = next((phase for phase, words in _PHASES[:2] if re.search(words, value, re.IGNORECASE)), "pretraining")
        line = f"100,{_cell(source)},{field},{_cell(value)},model,{_cell(model)},{phase},,,"
        yield source, "attribution.csv", line, seconds / _HOUR_S, "GPU-hours", None


def _of_requests(token_usage: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    sums = (
        token_usage.filter(pl.col("model").is_not_null())
        .group_by("source", "model")
        .agg(
            tokens.sum().alias("tokens"),
            pl.col("model_id").drop_nulls().first(),
            pl.col("deployment_id").is_null().any().alias("is_homeless"),
            pl.col("hour").min().dt.date().alias("since"),
        )
    )
    for source, model, amount, model_id, is_homeless, since in sums.sort("tokens", descending=True).iter_rows():
        name = model_id or _slug(model)
        if model_id is None:
            alias = _cell(model) if model != name else ""
            yield source, "models.csv", f"{_cell(name)},{alias},,,,own,,,,{since},,", amount, "tokens", None
        if is_homeless:
            line = f"{_cell(name)},{_cell(name)},serving,1,{since},"
            yield source, "deployments.csv", line, amount, "tokens", None


def _slug(text: str) -> str:
    """A name as an id: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-") or "unnamed"


def _cell(text: object) -> str:
    """A cell of CSV, quoted where it has to be."""
    value = str(text)
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if re.search(r'[",\n\r]', value) else value
