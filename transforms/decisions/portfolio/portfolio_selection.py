"""Which alternatives are asked for together, and in which order.

Safe money comes first: what nobody uses needs nobody's quality. Then what was measured, then what must be evaluated
first. Each card is valued on what the cards before it have left, so that no dollar is saved twice. A model is changed
as a whole, or some of its tasks are moved, each once: of the answers that exclude each other the one of greatest
expected value, its gate inside. A model that takes traffic over is neither retired nor replaced
while that card is asked for, and nothing moves to a model that goes: the later of two such cards waits, and names the
other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.actions.options import options_of
from transforms.decisions.actions.release_capacity import release_proposal
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.simulation_context import night_of
from transforms.decisions.portfolio.valuation import cash_of, valued
from transforms.decisions.quantiles import ninth_decile, percentiles
from warehouse.schemas.decisions import Portfolio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.portfolio import Company
    from transforms.decisions.portfolio.valuation import Cash
    from transforms.decisions.supply.fleet import Fleet

TASK_ACTIONS: Final = ("route", "distil")
WHOLE_ACTIONS: Final = ("retrain_smaller", "retire")
POOL_ACTION: Final = "release_capacity"
ORDER_OF_STANDING: Final = ("safe", "measured", "evaluate_first")
KEY: Final = ("action", "model_id", "task", "pool_id", "deployment_id", "target_model_id", "target_params")
_WORTH: Final = "expected_value_usd"
# What an unmeasured dollar of the mean counts for beside a measured one that it excludes.
_UNMEASURED: Final = 0.9
_ORDER: Final = ("model_id", "task", "pool_id", "deployment_id", "action", "target_model_id", "target_params")


def best_first(candidates: pl.DataFrame) -> pl.DataFrame:
    """Candidates in order of their mean value, the unvalued last."""
    return candidates.sort(_WORTH, *_ORDER, descending=[True] + [False] * len(_ORDER), nulls_last=True)


def portfolio(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    pool_states: pl.DataFrame,
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
    candidates: pl.DataFrame,
) -> pl.DataFrame:
    """One card in the order in which it is decided, valued after all cards before it; first the sum of all of them."""
    night = night_of(settings, scaling_law, law_draws)
    company = company_of(night, positions, task_shares, workloads, models, serving_states, supply, pool_users)
    pools = {row["pool_id"]: row for row in pool_states.to_dicts()}
    choice = _Choice(company, pools, standing_pools=_fresh(company))
    for row in in_order(candidates):
        choice.decide(row)
    rows = [choice.total(), *choice.rows]
    named = [{**row, "as_of": night.as_of, "position": position} for position, row in enumerate(rows)]
    return Portfolio.frame(rows_in_cents(Portfolio, named))


def _fresh(company: Company) -> Fleet:
    """The fleet as it stands, for what everything could be left unpaid of before any card."""
    fleet = company.fleet
    return type(fleet)(
        fleet.night,
        fleet.horizon,
        fleet.supplies,
        fleet.rows,
        fleet.holdings,
        fleet.others,
        fleet.shared_models,
        fleet.used_gpus,
    )


def in_order(candidates: pl.DataFrame) -> list[dict[str, Any]]:
    """Eligible candidates as they are decided: by standing, then by value; of each model and task the best kind.

    The moves of a model's tasks add up; its change as a whole is tried before them where it is worth more. A card that
    excludes a clearly better one of a later standing is tried last, so that it is asked for only if the other is not.
    """
    eligible = best_first(candidates.filter("is_eligible")).to_dicts()
    outdone = {id(row) for row in _outdone(eligible)}
    ordered = []
    for is_outdone, standing in [(last, standing) for last in (False, True) for standing in ORDER_OF_STANDING]:
        now = [row for row in eligible if row["standing"] == standing and (id(row) in outdone) == is_outdone]
        moved: dict[str, float] = {}
        seen = set[tuple[object, object]]()
        for row in now:
            if row["action"] in TASK_ACTIONS and (row["model_id"], row["task"]) not in seen:
                seen.add((row["model_id"], row["task"]))
                moved[row["model_id"]] = moved.get(row["model_id"], 0.0) + float(row[_WORTH])
        ordered += sorted(now, key=lambda row: _turn(row, moved))
    return ordered


def _turn(row: Mapping[str, Any], moved: Mapping[str, float]) -> tuple[float, bool, float]:
    """When a card is tried: by its value, and a move by that of all moves of its model, after a whole of as much."""
    worth, is_move = float(row[_WORTH]), row["action"] in TASK_ACTIONS
    together = max(worth, moved[row["model_id"]]) if is_move else worth
    return -together, is_move, -worth


def _outdone(eligible: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Cards that exclude a clearly better answer for the same model of a later standing.

    What must be evaluated first is worth its mean over both ends of its gate, and counts for nine tenths of it: money
    that is measured is preferred to as much that is not.
    """
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in eligible:
        if row["action"] in TASK_ACTIONS + WHOLE_ACTIONS:
            by_model.setdefault(row["model_id"], []).append(row)
    for rows in by_model.values():
        yield from _outdone_of_model(rows)


def _outdone_of_model(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    whole = max((row for row in rows if row["action"] in WHOLE_ACTIONS), key=_preference, default=None)
    moves: dict[object, dict[str, Any]] = {}
    for row in sorted((row for row in rows if row["action"] in TASK_ACTIONS), key=_preference):
        moves[row["task"]] = row
    is_whole = whole is not None and _preference(whole) >= sum(map(_preference, moves.values()))
    answer = [whole] if is_whole and whole is not None else list(moves.values())
    last = max((ORDER_OF_STANDING.index(card["standing"]) for card in answer), default=0)
    for row in rows:
        same = [moves[row["task"]]] if not is_whole and row["action"] in TASK_ACTIONS else answer
        latest = ORDER_OF_STANDING.index(same[0]["standing"]) if len(same) == 1 else last
        if all(row is not card for card in answer) and ORDER_OF_STANDING.index(row["standing"]) < latest:
            yield row


def _preference(row: Mapping[str, Any]) -> float:
    """What a card counts for beside those that it excludes."""
    return float(row[_WORTH]) * (_UNMEASURED if row["standing"] == "evaluate_first" else 1.0)


@dataclass
class _Choice:
    """Cards decided so far, on a fleet that they have changed."""

    company: Company
    pools: Mapping[str, Mapping[str, Any]]
    standing_pools: Fleet
    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    sums: dict[str, Any] = field(default_factory=dict)

    def decide(self, row: Mapping[str, Any]) -> None:
        """Ask for a card, unless it loses to one that is asked for or is worth too little after those before it."""
        if self._is_answered(row):
            return
        waits = self._waits_for(row)
        proposal = self._proposal(row)
        if proposal is None:
            return
        cash = cash_of(proposal, self.company.fleet)
        after = valued(proposal, self.company.fleet, cash)
        if not after["is_eligible"]:
            words = f"worth too little after the cards before it: {after['reason']}"
            self.rows.append(after | _by_month(cash) | {"is_asked": False, "reason": words})
            return
        card = after | _by_month(cash) | {"is_asked": waits is None, "depends_on": waits}
        self.rows.append(card)
        if waits is None:
            self._ask(card, proposal, cash)

    def _is_answered(self, row: Mapping[str, Any]) -> bool:
        """Whether a card on the same model, task, pool or deployment is already asked for."""
        if row["action"] == POOL_ACTION:
            return any(card["pool_id"] == row["pool_id"] and card["action"] == POOL_ACTION for card in self.asked)
        own = [card for card in self.asked if card["model_id"] == row["model_id"]]
        if row["action"] == "tune_serving":
            same = [card for card in own if card["deployment_id"] == row["deployment_id"]]
            return bool(same) or any(card["action"] in WHOLE_ACTIONS for card in own)
        others = [card for card in own if card["action"] != "tune_serving"]
        if row["action"] in TASK_ACTIONS:
            return any(card["action"] in WHOLE_ACTIONS or card["task"] == row["task"] for card in others)
        return bool(others)

    def _waits_for(self, row: Mapping[str, Any]) -> str | None:
        """The card that is asked for and excludes this one; None where none does."""
        for card in self.asked:
            goes = card["action"] in WHOLE_ACTIONS and card["model_id"] == row["target_model_id"]
            stays = row["action"] in WHOLE_ACTIONS and card["target_model_id"] == row["model_id"]
            if row["model_id"] is not None and (goes or stays):
                return f"{card['action']} {card['model_id']}"
        return None

    def _proposal(self, row: Mapping[str, Any]) -> Proposal | None:
        """The card anew, on the fleet as those before it leave it."""
        if row["action"] == POOL_ACTION:
            release = release_proposal(self.pools[row["pool_id"]], self.company.fleet)
            return None if isinstance(release, Alternative) else release
        subject = self.company.subjects[row["model_id"]]
        options = options_of(
            subject, self.company, (row["action"],), row["task"], (row["target_model_id"], row["target_params"])
        )
        wanted = tuple(row[name] for name in KEY)
        return next((one for one in options.proposals if key_of(one) == wanted), None)

    def _ask(self, card: dict[str, Any], proposal: Proposal, cash: Cash) -> None:
        """Take the card for granted in the draws in which its gate is passed, and add it to the sum."""
        fleet, passes = self.company.fleet, cash.passes
        fleet.change(
            {name: gpus * passes for name, gpus in proposal.gpus.items()},
            proposal.released,
            proposal.cuts if passes.all() else {},
            {key: load * passes for key, load in proposal.loads.items()},
        )
        self.asked.append(card)
        self.touched |= set(proposal.pool_ids)
        parts = {
            "one_off": np.where(passes, cash.one_off, cash.failed),
            "monthly_saving": cash.monthly_saving,
            "net_present_value": cash.net_present_value,
            "next_year_saving": cash.next_year,
            "saved": cash.saved * passes,
            "cash": cash.cumulative,
            "first_years": max(card["monthly_saving_usd_p50"], 0.0) * cash.first_year,
        }
        self.sums = {name: self.sums.get(name, 0.0) + part for name, part in parts.items()}

    def total(self) -> dict[str, Any]:
        """All that is asked for, draw by draw: percentiles do not add up."""
        night, fleet = self.company.night, self.standing_pools
        nothing = np.zeros((fleet.horizon, night.draws))
        sums = self.sums or {
            "one_off": nothing[0], "monthly_saving": nothing[0], "net_present_value": nothing[0],
            "next_year_saving": nothing[0],
            "saved": nothing, "cash": np.concatenate([nothing[:1], nothing]), "first_years": nothing[:, 0],
        }  # fmt: skip
        row: dict[str, Any] = {
            "action": "hold", "standing": "safe", "gate_probability": 1.0, "is_measured": True,
            "is_extrapolated": False, "is_eligible": True, "quality_gate": "",
            "reason_code": "pays", "reason": "all that is asked for", "assumptions": "{}",
            "is_asked": True,
        }  # fmt: skip
        for name in ("one_off", "monthly_saving", "net_present_value", "next_year_saving"):
            levels = zip((10, 50, 90), percentiles(sums[name]), strict=True)
            row |= {f"{name}_usd_p{level}": float(value) for level, value in levels}
        row["expected_value_usd"] = float(sums["net_present_value"].mean())
        row["probability"] = float((sums["net_present_value"] > 0).mean())
        payable = fleet.payable_usd(self.touched)
        # the months in which the cards are in their first year, each as often as it saves
        months = sums["first_years"] / max(sums["first_years"].sum(), 1e-9)
        row["monthly_paid_usd_p50"] = float(percentiles(months @ payable)[1])
        row["next_year_paid_usd_p50"] = fleet.next_year_usd(self.touched)
        row["run_rate_paid_usd"] = fleet.run_rate_usd(self.touched)
        return row | _lists(sums["cash"], sums["saved"], payable)


def _by_month(cash: Cash) -> dict[str, list[float]]:
    return _lists(cash.cumulative, cash.saved * cash.passes, cash.paid)


def _lists(cumulative: Floats, saved: Floats, payable: Floats) -> dict[str, list[float]]:
    low, middle, high = percentiles(cumulative)
    return {
        "cash_usd_p10": low.tolist(),
        "cash_usd_p50": middle.tolist(),
        "cash_usd_p90": high.tolist(),
        "saved_usd_p90": ninth_decile(saved).tolist(),
        "payable_usd_p90": ninth_decile(payable).tolist(),
    }


def key_of(proposal: Proposal) -> tuple[Any, ...]:
    """What tells a proposal from all others."""
    return tuple(getattr(proposal.alternative, name) for name in KEY)


def decisions_of(portfolio: pl.DataFrame) -> pl.DataFrame:
    """The cards that are asked for."""
    return portfolio.filter("is_asked", pl.col("position") > 0)
