"""What to do, model by model; hold is an answer and says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.json_text import json_text
from transforms.decisions.portfolio.portfolio_selection import ORDER_OF_STANDING, POOL_ACTION, best_first, decisions_of
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
    "next_year_saving_usd_p10",
    "next_year_saving_usd_p50",
    "next_year_saving_usd_p90",
    "net_present_value_usd_p10",
    "net_present_value_usd_p50",
    "net_present_value_usd_p90",
)


def recommendations(
    settings: pl.DataFrame, positions: pl.DataFrame, candidates: pl.DataFrame, portfolio: pl.DataFrame
) -> pl.DataFrame:
    """One valued action on one model (and task or pool), hold included; a model without an action holds.

    A model that holds because something of it is not known, and a pool of which the end of a contract is not, is a data
    request to its owner.
    """
    acted = decisions_of(portfolio)
    standing_ranks = {row["model_id"]: row for row in positions.to_dicts()}
    by_subject = {key[0]: rows for key, rows in candidates.group_by("model_id", maintain_order=True)}
    cards = [_card(row, by_subject[row["model_id"]], standing_ranks) for row in acted.to_dicts()]
    waiting = {row["model_id"]: row for row in portfolio.filter(~pl.col("is_asked"), pl.col("position") > 0).to_dicts()}
    held = [
        _hold(row, by_subject.get(row["model_id"], candidates.clear()), waiting.get(row["model_id"]))
        for row in positions.sort("model_id").to_dicts()
        if row["model_id"] not in {card["model_id"] for card in cards}
    ]
    pools = [_pool_request(row) for row in _unknown_contracts(candidates)]
    return _ranked(cards + held + pools, settings)


def _card(
    row: Mapping[str, Any], alternatives: pl.DataFrame, positions: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    same = pl.all_horizontal(pl.col(name).eq_missing(row[name]) for name in _SAME)
    subject = pl.col("pool_id").eq_missing(row["pool_id"]) if row["model_id"] is None else pl.lit(value=True)
    nothing = {"action": "hold", "why": f"leaves {row['net_present_value_usd_p50']:,.0f} unsaved"}
    others = alternatives.filter(subject, ~same)
    assumptions = json.loads(row["assumptions"]) | {
        "target_model_id": row["target_model_id"],
        "target_params": row["target_params"],
        "target_tokens": row["target_tokens"],
        "is_extrapolated": row["is_extrapolated"],
        "is_quality_measured": row["is_measured"],
        "break_even_demand_ratio": row["break_even_demand_ratio"],
        "gate_probability": row["gate_probability"],
        "net_present_value_usd_p50_if_passed": float(row["net_present_value_if_passed_usd_p50"]),
    }
    return {
        **row,
        "depends_on": None,
        "owner": positions[row["model_id"]]["owner"] if row["model_id"] in positions else None,
        "assumptions": json_text(assumptions | _next_size(row, others)),
        "rejected": json_text([*_rejected(others), nothing]),
    }


def _next_size(row: Mapping[str, Any], others: pl.DataFrame) -> dict[str, Any]:
    """The next best size of a retraining, and what it costs and is worth: the choice between them is a person's."""
    sizes = best_first(
        others.filter(pl.col("action") == row["action"], pl.col("net_present_value_usd_mean").is_not_null())
    )
    if row["action"] != "retrain_smaller" or sizes.is_empty():
        return {}
    second = sizes.row(0, named=True)
    names = ("target_params", "target_tokens", "one_off_usd_p50", "net_present_value_usd_p50", "probability")
    return {"next_best": {name: _number(second[name]) for name in names}}


def _number(value: Any) -> float | None:  # noqa: ANN401 — a decimal or a float of the table
    return None if value is None else float(value)


def _hold(position: Mapping[str, Any], alternatives: pl.DataFrame, waiting: Mapping[str, Any] | None) -> dict[str, Any]:
    words = ("demand_basis", "life_basis", "remaining_months", "projected_penalty_ratio", "thirds_status")
    reason = _hold_reason(position, alternatives)
    if waiting is not None and waiting["depends_on"]:
        reason = f"{_phrase(waiting)} waits for another card: {waiting['depends_on']}"
    elif waiting is not None:
        reason = f"{_phrase(waiting)}: {waiting['reason']}"
    return {
        **dict.fromkeys(_NUMBERS, 0),
        "model_id": position["model_id"],
        "action": "hold",
        "standing": "data_request" if waiting is None and _is_request(position, alternatives) else None,
        "depends_on": waiting and waiting["depends_on"],
        "owner": position["owner"],
        "is_measured": True,
        "quality_gate": "none: nothing changes",
        "reason": reason,
        "assumptions": json_text({name: position[name] for name in words}),
        "rejected": json_text(_rejected(alternatives)),
    }


def _is_request(position: Mapping[str, Any], alternatives: pl.DataFrame) -> bool:
    """Whether something that nobody told stands between a model with service ahead and a value."""
    asks = alternatives.filter(pl.col("standing") == "data_request")
    return position["remaining_months"] > 0 and asks.height > 0


def _unknown_contracts(candidates: pl.DataFrame) -> list[dict[str, Any]]:
    """Releases of pools with a contract whose end nobody tells."""
    released = candidates.filter(pl.col("action") == POOL_ACTION).to_dicts()
    return [
        row
        for row in released
        if any(each["ends_on"] is None for each in json.loads(row["assumptions"]).get("contracts", ()))
    ]


def _pool_request(row: Mapping[str, Any]) -> dict[str, Any]:
    contracts = json.loads(row["assumptions"])["contracts"]
    unknown = ", ".join(each["commitment_discount_id"] for each in contracts if each["ends_on"] is None)
    return {
        "model_id": None,
        "pool_id": row["pool_id"],
        "action": "hold",
        "standing": "data_request",
        "owner": "finance",
        "is_measured": True,
        "quality_gate": "none: nothing changes",
        "reason": f"The end of {unknown} is not known: give valid_to and renewal in commitments.csv; until then "
        f"cards on {row['pool_id']} are valued at both ends",
        "assumptions": json_text({"contracts": contracts}),
        "rejected": "[]",
    }


def _hold_reason(position: Mapping[str, Any], alternatives: pl.DataFrame) -> str:
    silent = _silent_reason(position) if alternatives.is_empty() else ""
    if silent:
        return silent
    if position["remaining_months"] == 0:
        return "Its service has ended: nothing is left to save"
    valued = alternatives.filter(pl.col("net_present_value_usd_mean").is_not_null())
    if valued.is_empty():
        return _unknown(position, alternatives)
    best = best_first(valued).row(0, named=True)
    return f"Every alternative falls short; the best, {_phrase(best)}: {best['reason']}"


def _silent_reason(position: Mapping[str, Any]) -> str:
    """Why a model without any alternative has no demand to save on; empty where it has some."""
    if position["recent_requests"] > 0 and position["recent_tokens"] == 0:
        return "What was asked of it in four weeks brought no tokens: its requests fail, or come without their counts"
    if position["served_days"] == 0:
        return "No served request is known, so there is no saving to value: if it serves, deliver its request telemetry"
    if position["remaining_months"] == 0:
        return ""
    if position["daily_tokens"] == 0:
        return "Nothing was asked of it lately and nothing is forecast: there is no demand to save on"
    if position["recent_requests"] == 0:
        return "Nothing was asked of it in four weeks, and no GPUs serve it alone: there is nothing to save on"
    return ""


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
    """Safe, then measured, then what must be evaluated first, each the most valuable first; hold last."""
    schema = Candidates.polars_schema() | {
        "rejected": pl.String(),
        "depends_on": pl.String(),
        "owner": pl.String(),
        "place": pl.Int64(),
    }
    standing_ranks = {standing: standing_rank for standing_rank, standing in enumerate(ORDER_OF_STANDING)}
    placed = [
        {name: value for name, value in row.items() if name in schema}
        | {"place": standing_ranks.get(row["standing"] if row["action"] != "hold" else "", len(standing_ranks))}
        for row in rows
    ]
    order = [pl.col("place"), -pl.col("expected_value_usd").fill_null(0)]
    frame = pl.DataFrame(placed, schema=schema).sort(*order, "model_id", "pool_id", "task", "action", nulls_last=True)
    night = pl.lit(settings.item(0, "as_of")).alias("as_of")
    return Recommendations.frame(frame.with_columns(night, (pl.int_range(pl.len()) + 1).alias("rank")))
