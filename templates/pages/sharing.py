"""What other ways of sharing pools would change: the models' shares and ranks on page B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from templates import formats
from templates.pages.night import Night, Row

POLICIES: Final = ("booked", "idle_with_users", "whole_nodes", "provider_weights")
MOST: Final = 8


@dataclass(frozen=True)
class SharingRow:
    """One model: its share of all models' cost and its rank, under each way of sharing."""

    model: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sharing:
    """The models that cost most, how many are not listed, and a sentence on what moves."""

    rows: tuple[SharingRow, ...]
    more: int
    sentence: str


def sharing(night: Night) -> Sharing | None:
    """The table, in the reporting currency; none where no choice differs: one model has all, or no pool is shared."""
    sensitivity = night.tables["policy_sensitivity"].filter(currency=night.settings["currency"])
    costs = {(row["model_id"], row["policy"]): row for row in sensitivity.to_dicts()}
    models = [row["model_id"] for row in sensitivity.filter(policy="booked").sort("rank").to_dicts()]
    if len(models) == 1 or not any(_differs(costs, model) for model in models):
        return None
    rows = [SharingRow(formats.name(model, 24), _cells(costs, model)) for model in models[:MOST]]
    return Sharing(tuple(rows), len(models) - len(rows), _sentence(costs, models))


def _differs(costs: dict[tuple[str, str], Row], model: str) -> bool:
    return len({costs[model, policy]["effective_cost"] for policy in POLICIES if (model, policy) in costs}) > 1


def _cells(costs: dict[tuple[str, str], Row], model: str) -> tuple[str, ...]:
    rows = [costs.get((model, policy)) for policy in POLICIES]
    return tuple(
        f"{formats.percent(row['share_ratio'])} ({formats.plain(row['rank'])})" if row else formats.UNKNOWN
        for row in rows
    )


def _sentence(costs: dict[tuple[str, str], Row], models: list[str]) -> str:
    """How many models would change their place, so that a reader knows whether the choice of policy matters."""
    moved = [
        model
        for model in models
        if any(
            costs[model, name]["rank"] != costs[model, "booked"]["rank"] for name in POLICIES if (model, name) in costs
        )
    ]
    if not moved:
        return "No other way of sharing would change the order of the models."
    subject = "One model" if len(moved) == 1 else f"{formats.plain(len(moved))} models"
    return f"{subject} of {formats.plain(len(models))} would change place under at least one other way of sharing."
