"""What the report says against an alternative is the verdict of the decision, not a guess from its numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.idle_pools import idle_pools
from transforms.reports.rejected_alternatives import rejected_alternatives
from warehouse.schemas import CATALOGUE

NIGHT, MONTH = date(2026, 11, 20), date(2026, 11, 1)
ROUTE: dict[str, Any] = {
    "as_of": NIGHT, "model_id": "m", "task": "chat", "action": "route", "target_model_id": "small",
    "monthly_saving_usd_p50": Decimal(9_000), "monthly_saving_if_passed_usd_p50": Decimal(9_000),
    "net_present_value_usd_p50": Decimal(80_000), "probability": 0.95, "probability_if_passed": 0.95,
    "is_eligible": False,
}  # fmt: skip
RELEASE: dict[str, Any] = {
    "as_of": NIGHT, "pool_id": "h100", "action": "release_capacity", "is_eligible": False,
    "monthly_saving_usd_p50": Decimal(0), "monthly_saving_if_passed_usd_p50": Decimal(0),
}  # fmt: skip


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CATALOGUE[name].polars_schema())


def code_of(*portfolio: dict[str, Any], **changed: Any) -> str:
    candidates = table("candidates", ROUTE | changed)
    [row] = rejected_alternatives(candidates, table("portfolio", *portfolio), table("recommendations")).to_dicts()
    return str(row["code"])


@pytest.mark.parametrize("verdict", ["under_gate", "too_slow", "unstable_task", "not_own_pretraining"])
def test_what_is_blocked_is_said_to_be_blocked_whatever_it_saves(verdict: str) -> None:
    assert code_of(reason_code=verdict) == verdict


def test_an_alternative_that_pays_and_is_not_asked_for_is_worth_less_than_what_is() -> None:
    assert code_of(reason_code="pays", is_eligible=True) == "worth_less"


def test_an_alternative_that_pays_alone_waits_or_is_worth_too_little_after_the_cards_before_it() -> None:
    unasked = ROUTE | {"position": 2, "is_asked": False}
    assert code_of(unasked | {"depends_on": "retrain_smaller m"}, reason_code="pays") == "waits"
    assert code_of(unasked, reason_code="pays") == "worth_too_little"
    assert code_of(unasked | {"task": "code"}, reason_code="pays") == "worth_less"


def test_what_is_recommended_is_no_alternative_to_itself() -> None:
    """Alone it saves 9,000 a month; after a decision before it 8,000: two values of one action, and no other."""
    asked = {key: ROUTE[key] for key in ("as_of", "model_id", "task", "target_model_id")} | {
        "rank": 1, "action": "retrain_smaller", "target_params": 18e9, "net_present_value_usd_p50": Decimal(70_000),
    }  # fmt: skip
    alone = ROUTE | {"action": "retrain_smaller", "target_params": 18e9, "reason_code": "pays"}
    larger = alone | {"target_params": 27e9, "net_present_value_usd_p50": Decimal(60_000)}
    rows = rejected_alternatives(
        table("candidates", alone, larger), table("portfolio"), table("recommendations", asked)
    )  # fmt: skip
    assert rows["target_params"].to_list() == [27e9]


def test_a_gate_at_even_odds_leaves_the_verdict_on_the_saving_if_it_is_passed() -> None:
    """In half of the draws nothing is saved, so the median is 0; it is no verdict that it saves nothing."""
    assert code_of(reason_code="below_materiality", monthly_saving_usd_p50=Decimal(0)) == "below_materiality"


def reason_of_pool(*candidates: dict[str, Any]) -> str:
    subject = table("subject").clear().select("month").vstack(pl.DataFrame({"month": [MONTH]}))
    waste = pl.DataFrame(
        {"month": [MONTH], "cause": ["idle"], "pool_id": ["h100"], "wasted_usd": [Decimal(500)]},
        schema_overrides={"wasted_usd": CATALOGUE["waste"].polars_schema()["wasted_usd"]},
    )
    [row] = idle_pools(subject, waste, table("recommendations"), table("candidates", *candidates)).to_dicts()
    return str(row["reason"])


@pytest.mark.parametrize("verdict", ["all_in_use", "paid_until_contract_end", "hardware_owned"])
def test_a_pool_that_saves_nothing_says_why_it_saves_nothing(verdict: str) -> None:
    """Idle GPUs that a contract has paid for are not needed by busy hours."""
    assert reason_of_pool(RELEASE | {"reason_code": verdict}) == verdict


def test_a_pool_whose_release_is_worth_too_little_falls_short_and_an_unweighed_one_is_not_valued() -> None:
    assert reason_of_pool(RELEASE | {"reason_code": "below_materiality"}) == "falls_short"
    assert reason_of_pool(RELEASE | {"reason_code": "not_valued"}) == "not_valued"
    assert reason_of_pool() == "not_valued"
