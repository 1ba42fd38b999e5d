"""What to do, model by model; hold is an answer and says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.actions.alternatives import json_text
from transforms.decisions.portfolio.portfolio_selection import best_first, chosen
from warehouse.schemas.decisions import Candidates, Recommendations

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_REJECTED: Final = 5
_SAME: Final = ("action", "task", "pool_id", "deployment_id", "target_model_id", "target_params")
_NUMBERS: Final = (
    "one_off_usd_p50",
    "monthly_saving_usd_p10",
    "monthly_saving_usd_p50",
    "monthly_saving_usd_p90",
    "net_present_value_usd_p10",
    "net_present_value_usd_p50",
    "net_present_value_usd_p90",
)


def recommendations(
    settings: pl.DataFrame, positions: pl.DataFrame, candidates: pl.DataFrame, serving_states: pl.DataFrame
) -> pl.DataFrame:
    """One valued action on one model (and task or pool), hold included; a model without an action holds."""
    materiality = float(settings.item(0, "materiality_usd"))
    acted = chosen(candidates, serving_states, materiality)
    by_subject = {key[0]: rows for key, rows in candidates.group_by("model_id", maintain_order=True)}
    cards = [_card(row, by_subject[row["model_id"]]) for row in acted.to_dicts()]
    held = [
        _hold(row, by_subject.get(row["model_id"], candidates.clear()))
        for row in positions.sort("model_id").to_dicts()
        if row["model_id"] not in {card["model_id"] for card in cards}
    ]
    return _ranked(cards + held, settings)


def _card(row: Mapping[str, Any], alternatives: pl.DataFrame) -> dict[str, Any]:
    same = pl.all_horizontal(pl.col(name).eq_missing(row[name]) for name in _SAME)
    subject = pl.col("pool_id").eq_missing(row["pool_id"]) if row["model_id"] is None else pl.lit(value=True)
    nothing = {"action": "hold", "why": f"leaves {row['net_present_value_usd_p50']:,.0f} unsaved"}
    assumptions = json.loads(row["assumptions"]) | {
        "target_model_id": row["target_model_id"],
        "target_params": row["target_params"],
        "target_tokens": row["target_tokens"],
        "is_extrapolated": row["is_extrapolated"],
        "is_quality_measured": row["is_measured"],
        "break_even_demand_ratio": row["break_even_demand_ratio"],
    }
    return {
        **row,
        "assumptions": json_text(assumptions),
        "rejected": json_text([*_rejected(alternatives.filter(subject, ~same)), nothing]),
    }


def _hold(position: Mapping[str, Any], alternatives: pl.DataFrame) -> dict[str, Any]:
    words = ("demand_basis", "life_basis", "remaining_months", "projected_penalty_ratio", "thirds_status")
    return {
        **dict.fromkeys(_NUMBERS, 0),
        "model_id": position["model_id"],
        "action": "hold",
        "is_measured": True,
        "quality_gate": "none: nothing changes",
        "reason": _hold_reason(position, alternatives),
        "assumptions": json_text({name: position[name] for name in words}),
        "rejected": json_text(_rejected(alternatives)),
    }


def _hold_reason(position: Mapping[str, Any], alternatives: pl.DataFrame) -> str:
    if position["served_days"] == 0 and alternatives.is_empty():
        return "No served request is known, so there is no saving to value: if it serves, deliver its request telemetry"
    if position["remaining_months"] == 0:
        return "Its service has ended: nothing is left to save"
    if position["daily_tokens"] == 0 and alternatives.is_empty():
        return "Nothing was asked of it lately and nothing is forecast: there is no demand to save on"
    valued = alternatives.filter(pl.col("net_present_value_usd_mean").is_not_null())
    if valued.is_empty():
        return _unknown(position, alternatives)
    best = best_first(valued).row(0, named=True)
    return f"Every alternative falls short; the best, {_phrase(best)}: {best['reason']}"


def _unknown(position: Mapping[str, Any], alternatives: pl.DataFrame) -> str:
    if alternatives.is_empty():
        return f"No alternative is known ({position['demand_basis']}): evaluate a smaller model, see workloads.csv"
    first = alternatives.sort("action", "task", "target_model_id", nulls_last=True).row(0, named=True)
    return f"Nothing can be valued yet; {_phrase(first)}: {first['reason']}"


def _phrase(row: Mapping[str, Any]) -> str:
    size = f"at {row['target_params'] / 1e9:.3g}B" if row["target_params"] and not row["target_model_id"] else None
    target = row["target_model_id"] and f"to {row['target_model_id']}"
    return " ".join(part for part in (row["action"].replace("_", " "), row["task"], target, size) if part)


def _rejected(alternatives: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: row[name] for name in ("action", "task", "target_model_id", "target_params", "probability")}
        | {
            "net_present_value_usd_p50": _text(row["net_present_value_usd_p50"]),
            "why": "worth less than what is recommended" if row["is_eligible"] else row["reason"],
        }
        for row in best_first(alternatives).head(_SHOWN_REJECTED).to_dicts()
    ]


def _text(value: object) -> str | None:
    return None if value is None else f"{value:.2f}"


def _ranked(rows: list[dict[str, Any]], settings: pl.DataFrame) -> pl.DataFrame:
    """Measured before unmeasured, the most valuable first, hold last."""
    schema = Candidates.polars_schema() | {"rejected": pl.String()}
    order = [pl.col("action") == "hold", ~pl.col("is_measured"), -pl.col("net_present_value_usd_p50")]
    frame = pl.DataFrame(rows, schema=schema).sort(*order, "model_id", "pool_id", "task", "action", nulls_last=True)
    night = pl.lit(settings.item(0, "as_of")).alias("as_of")
    return Recommendations.frame(frame.with_columns(night, (pl.int_range(pl.len()) + 1).alias("rank")))
