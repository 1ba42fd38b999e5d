"""Why a million tokens costs another amount than in the month before: the largest of the parts that add up to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from templates.pages.night import Night, Row

PARTS: Final = {
    "used": "used_usd_per_mtok",
    "idle": "idle_share_usd_per_mtok",
    "shared": "shared_share_usd_per_mtok",
    "training": "amortized_training_usd_per_mtok",
}
WORDS: Final = {
    "mix": ("another mix of models", "another mix of models"),
    "price": ("dearer GPU time", "cheaper GPU time"),
    "efficiency": ("more GPU time for each token", "less GPU time for each token"),
    "idle": ("more idle cost", "less idle cost"),
    "shared": ("more shared cost", "less shared cost"),
    "training": ("more training amortised", "less training amortised"),
}


def rate_cause(night: Night) -> str:
    """The largest part of the change, for the lead of page 5; empty where nothing moved, or no month is before."""
    before, now = _rates(night, night.subject["previous_month"]), _rates(night, night.subject["month"])
    if not before or not now:
        return ""
    parts = rate_parts(before, now)
    whole = sum(parts.values())
    name = max(parts, key=lambda part: (parts[part] * (1 if whole > 0 else -1), part))
    return WORDS[_of_serving(night, whole) if name == "used" else name][whole < 0] if whole else ""


def rate_parts(before: Mapping[str, Row], now: Mapping[str, Row]) -> dict[str, float]:
    """Each part of the change: models that served in both months by what their rates became, all else by the mix."""
    old, new = _weights(before), _weights(now)
    stayed = [model for model in new if model in old]
    parts = {
        part: sum(new[model] * (_number(now[model][column]) - _number(before[model][column])) for model in stayed)
        for part, column in PARTS.items()
    }
    change = _mean(now, new) - _mean(before, old)
    return {**parts, "mix": change - sum(parts.values())}


def _rates(night: Night, month: date | None) -> dict[str, Row]:
    rows = night.tables["unit_costs"].filter(pl.col("fully_loaded_usd_per_mtok").is_not_null())
    return {row["model_id"]: row for row in rows.sort("model_id").to_dicts() if row["month"] == month}


def _weights(rows: Mapping[str, Row]) -> dict[str, float]:
    """Each model's share of the tokens."""
    served = {model: row["input_tokens"] + row["output_tokens"] for model, row in rows.items()}
    return {model: tokens / sum(served.values()) for model, tokens in served.items()}


def _mean(rows: Mapping[str, Row], weights: Mapping[str, float]) -> float:
    return sum(weights[model] * _number(row[column]) for model, row in rows.items() for column in PARTS.values())


def _number(value: object) -> float:
    return float(str(value)) if value is not None else 0.0


def _of_serving(night: Night, whole: float) -> str:
    """Whether GPU time became dearer or a token takes more of it, by the bridge of the month."""
    rows = night.tables["variance_bridge"].filter(month=night.subject["month"], account="direct", phase="inference")
    sums = dict(rows.group_by("driver").agg(pl.col("change_usd").sum()).iter_rows())
    sign = 1 if whole > 0 else -1
    return max(("efficiency", "price"), key=lambda driver: sign * sums.get(driver, 0))
