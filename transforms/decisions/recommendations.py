"""What to do, model by model; hold is an answer and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.alternatives import json_text
from warehouse.schemas.decisions import Candidates, Recommendations

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_REJECTED: Final = 5
_NUMBERS: Final = (
    "one_off_usd_p50",
    "monthly_saving_usd_p10",
    "monthly_saving_usd_p50",
    "monthly_saving_usd_p90",
    "net_present_value_usd_p10",
    "net_present_value_usd_p50",
    "net_present_value_usd_p90",
)


def recommendations(settings: pl.DataFrame, positions: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """One valued action on one model (and task or pool), hold included.

    A task of a model is moved once at most, to where the mean value is highest; a model without an action holds.
    """
    chosen = _chosen(candidates)
    acted = set(chosen.get_column("model_id").to_list())
    cards = [_card(row, candidates) for row in chosen.to_dicts()]
    held = [_hold(row, candidates) for row in positions.sort("model_id").to_dicts() if row["model_id"] not in acted]
    return _ranked(cards + held, settings)


def _chosen(candidates: pl.DataFrame) -> pl.DataFrame:
    best = candidates.filter("is_eligible").sort(
        "net_present_value_usd_mean", "action", "target_model_id", descending=[True, False, False]
    )
    return best.unique(["model_id", "task", "pool_id"], keep="first", maintain_order=True)


def _card(row: Mapping[str, Any], candidates: pl.DataFrame) -> dict[str, Any]:
    others = _same_subject(candidates, row["model_id"]).filter(
        ~(
            (pl.col("action") == row["action"])
            & pl.col("task").eq_missing(row["task"])
            & pl.col("target_model_id").eq_missing(row["target_model_id"])
        )
    )
    nothing = {"action": "hold", "why": f"leaves {row['net_present_value_usd_p50']:,.0f} unsaved"}
    return {**row, "rejected": json_text([*_rejected(others), nothing])}


def _hold(position: Mapping[str, Any], candidates: pl.DataFrame) -> dict[str, Any]:
    alternatives = _same_subject(candidates, position["model_id"])
    return {
        **dict.fromkeys(_NUMBERS, 0),
        "model_id": position["model_id"],
        "action": "hold",
        "is_measured": True,
        "quality_gate": "none: nothing changes",
        "reason": _hold_reason(position, alternatives),
        "assumptions": json_text({name: position[name] for name in ("demand_basis", "life_basis")}),
        "rejected": json_text(_rejected(alternatives)),
    }


def _hold_reason(position: Mapping[str, Any], alternatives: pl.DataFrame) -> str:
    if position["served_days"] == 0:
        return "No served tokens are known: without demand there is no saving to value; deliver its request telemetry"
    if position["remaining_months"] == 0:
        return "Its service has ended: nothing is left to save"
    if alternatives.is_empty():
        return "No alternative is known: evaluate a smaller model on one of its tasks and add the row to workloads.csv"
    best = alternatives.sort("net_present_value_usd_mean", descending=True, nulls_last=True).row(0, named=True)
    return f"Every alternative falls short; the best, {_phrase(best)}, {best['reason']}"


def _phrase(row: Mapping[str, Any]) -> str:
    parts = (row["action"].replace("_", " "), row["task"], row["target_model_id"] and f"to {row['target_model_id']}")
    return " ".join(part for part in parts if part)


def _same_subject(candidates: pl.DataFrame, model_id: str | None) -> pl.DataFrame:
    return candidates.filter(pl.col("model_id").eq_missing(model_id))


def _rejected(alternatives: pl.DataFrame) -> list[dict[str, Any]]:
    best = alternatives.sort(
        "net_present_value_usd_mean", "action", "task", descending=[True, False, False], nulls_last=True
    )
    return [
        {
            "action": row["action"],
            "task": row["task"],
            "target_model_id": row["target_model_id"],
            "net_present_value_usd_p50": _text(row["net_present_value_usd_p50"]),
            "probability": row["probability"],
            "why": row["reason"],
        }
        for row in best.head(_SHOWN_REJECTED).to_dicts()
    ]


def _text(value: object) -> str | None:
    return None if value is None else f"{value:.2f}"


def _ranked(rows: list[dict[str, Any]], settings: pl.DataFrame) -> pl.DataFrame:
    """Measured before unmeasured, the most valuable first, hold last."""
    schema = Candidates.polars_schema() | {"rejected": pl.String()}
    order = [pl.col("action") == "hold", ~pl.col("is_measured"), -pl.col("net_present_value_usd_p50")]
    frame = pl.DataFrame(rows, schema=schema).sort(*order, "model_id", "task", nulls_last=True)
    night = pl.lit(settings.item(0, "as_of")).alias("as_of")
    return Recommendations.frame(frame.with_columns(night, (pl.int_range(pl.len()) + 1).alias("rank")))
