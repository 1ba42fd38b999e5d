"""The same quality from a smaller model: when it pays, and what stands against it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.law.laws import PUBLISHED, repeated_tokens_value, tokens_to_train_on

if TYPE_CHECKING:
    from conftest import Company


def retraining(company: Company) -> list[dict[str, Any]]:
    """The sizes to retrain at, the most valuable first."""
    rows = company.decide("candidates").filter(pl.col("action") == "retrain_smaller")
    return rows.sort("net_present_value_usd_mean", descending=True).to_dicts()


def change(company: Company, table: str, **values: object) -> Company:
    """The first row of a table with other values."""
    company.rows[table][0] = {**company.rows[table][0], **values}
    return company


def test_serving_that_has_outgrown_training_is_retrained_smaller(outgrown: Company) -> None:
    # T = 4e11 × 730 = 2.9e14 tokens; κ = 1e-17 / 2e-18 = 5, so T_eff / D is about 1,000: far above 7.5.
    card = outgrown.decide().row(0, named=True)
    said = json.loads(card["assumptions"])

    assert card["action"] == "retrain_smaller"
    assert said["target_params"] < 35e9
    assert said["law"] == "epoch"
    assert said["usd_per_inference_flop"] == pytest.approx(1e-17)
    # of the three published laws that are drawn one may be far off
    assert card["probability"] > 0.95


def test_the_one_off_cost_is_training_evaluation_and_migration(outgrown: Company) -> None:
    best = retraining(outgrown)[0]
    law, size = PUBLISHED["epoch"].law, best["target_params"]
    data = law.tokens_for(law.loss(70e9, 1.4e12), size)
    training = 6 * size * tokens_to_train_on(data, 1.4e12) * 2e-18

    assert float(best["one_off_usd_p50"]) == pytest.approx(float(training) + 70_000, rel=0.25)


def test_what_training_has_cost_so_far_changes_nothing(outgrown: Company) -> None:
    outgrown.add("lifecycle_spend", model_id="large", phase="pretraining", direct_usd=10**7)
    before = retraining(outgrown)
    outgrown.rows.pop("lifecycle_spend")

    assert retraining(outgrown) == before


def test_little_demand_does_not_repay_a_second_training(outgrown: Company) -> None:
    # T = 2e10 × 100 days = 2e12 tokens: T_eff / D = 5 × 2e12 / 1.4e12 = 7, but another 20 × 70B cost over a million.
    outgrown.rows.pop("demand_states")
    outgrown.rows.pop("expected_service")
    outgrown.rows.pop("model_lives")
    outgrown.expect("large", 2e9, 100)

    assert outgrown.decide().item(0, "action") == "hold"


def test_that_the_past_is_in_balance_blocks_nothing(outgrown: Company) -> None:
    # what was spent decides nothing: 4e11 tokens a day for two years are still to be served
    card = change(outgrown, "thirds", projected_penalty_ratio_p50=0.04).decide().row(0, named=True)

    assert card["action"] == "retrain_smaller"


def test_tokens_in_dispute_are_resolved_by_a_person_before_anything_is_valued(outgrown: Company) -> None:
    run = {"phase": "pretraining", "status": "finished", "model_id": "large", "params": 70e9}
    outgrown.add("training_runs", run_id="a", tokens=1.4e12, **run).add("training_runs", run_id="b", tokens=8e11, **run)
    card = outgrown.decide().row(0, named=True)
    sizes = retraining(outgrown)

    assert [size["net_present_value_usd_mean"] for size in sizes] == [None]
    assert "models.csv says 1.4e+12, its finished pre-training runs 2.2e+12" in sizes[0]["reason"]
    assert card["standing"] == "data_request"


def test_the_successor_is_post_trained_at_the_price_of_the_incumbent(outgrown: Company) -> None:
    without = float(retraining(outgrown)[0]["one_off_usd_p50"])
    outgrown.add("lifecycle_spend", model_id="large", phase="posttraining", direct_usd=Decimal(875_000))
    best = retraining(outgrown)[0]

    assert float(best["one_off_usd_p50"]) == pytest.approx(without + 875_000, rel=0.01)
    assert json.loads(best["assumptions"])["posttraining_usd"] == 875_000


def test_a_plan_beyond_the_data_of_the_law_says_how_far_in_size_data_and_compute(outgrown: Company) -> None:
    said = json.loads(retraining(outgrown)[0]["assumptions"])
    plan = outgrown.decide().row(0, named=True)

    assert said["params_over_law"] == pytest.approx(plan["target_params"] / 1.62e10, rel=1e-3)
    assert {"tokens_over_law", "flop_over_law", "tokens_per_param_over_law"} <= set(said)
    assert "next_best" in json.loads(plan["assumptions"])


def test_an_adopted_base_is_not_retrained(outgrown: Company) -> None:
    card = change(outgrown, "models", origin="adopted").decide().row(0, named=True)

    assert card["action"] == "hold"
    assert "paid by others" in card["reason"]


def test_a_mixture_of_experts_needs_a_law_of_its_own(outgrown: Company) -> None:
    rows = change(outgrown, "models", active_params=7e9).decide("candidates")
    reason = rows.filter(pl.col("action") == "retrain_smaller").item(0, "reason")

    assert "mixture of experts" in reason
    assert "20 runs" in reason


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("models", "params", "params in models.csv"),
        ("models", "training_tokens", "training_tokens in models.csv"),
        ("phase_compute", "usd_per_flop", "attribute pre-training runs"),
        ("unit_costs", "used_usd_per_mtok", "attribution.csv"),
    ],
)
def test_what_is_not_known_is_asked_for_by_name(outgrown: Company, table: str, column: str, words: str) -> None:
    rows = change(outgrown, table, **{column: None}).decide("candidates")
    reasons = rows.filter(pl.col("action") == "retrain_smaller").get_column("reason").to_list()

    assert len(reasons) == 1
    assert words in reasons[0]


def test_a_law_that_cannot_be_fitted_says_what_it_needs(outgrown: Company) -> None:
    outgrown.settings = {**outgrown.settings, "law": "own"}
    reason = outgrown.decide("candidates").filter(pl.col("action") == "retrain_smaller").item(0, "reason")

    assert "0 of at least 20 finished pre-training runs" in reason


def test_more_data_than_the_company_has_is_repeated() -> None:
    # 2.8e12 fresh tokens out of 1.4e12: 1 + 15.39 × (1 − e^(−R / 15.39)) = 2, so R = 1.034
    assert float(tokens_to_train_on(2.8e12, 1.4e12)) == pytest.approx(1.4e12 * 2.034, rel=1e-3)
    assert float(repeated_tokens_value(1.4e12 * 2.0339, 1.4e12)) == pytest.approx(2.8e12, rel=1e-3)


def test_sixteen_times_the_unique_tokens_is_more_than_repeating_can_give() -> None:
    assert tokens_to_train_on(17 * 1e12, 1e12) == float("inf")


def test_no_card_asks_for_a_size_that_is_hardly_smaller(outgrown: Company) -> None:
    assert all(row["target_params"] < 0.9 * 70e9 for row in retraining(outgrown))


def test_the_optimum_is_on_the_curve_of_equal_loss(outgrown: Company) -> None:
    curve = outgrown.decide("iso_loss")
    law = PUBLISHED["epoch"].law
    loss = law.loss(70e9, 1.4e12)
    best = curve.filter(pl.col("point") == "optimum").row(0, named=True)

    assert law.loss(curve["params"].to_numpy(), curve["tokens"].to_numpy()) == pytest.approx(loss)
    assert float(best["total_usd"]) == pytest.approx(float(curve["total_usd"].min()), rel=0.01)
    assert curve.filter(pl.col("point") == "now").item(0, "params") == 70e9


def test_the_lifetime_optimum_has_intervals_and_a_buildable_size(outgrown: Company) -> None:
    row = outgrown.decide("lifetime_optimum").row(0, named=True)

    assert row["optimum_params_p10"] < row["optimum_params_p50"] < row["optimum_params_p90"] < 70e9
    assert row["buildable_params"] == pytest.approx(row["optimum_params_p50"], rel=0.03)
    assert 0 < row["saving_ratio_p10"] < row["saving_ratio_p90"] < 1
    assert not row["is_equal_split_near"]


def test_a_model_without_demand_has_no_lifetime_optimum(company: Company) -> None:
    assert company.decide("lifetime_optimum").is_empty()


def test_twenty_runs_over_a_decade_make_a_law_of_their_own(company: Company) -> None:
    true = PUBLISHED["hoffmann"].law
    for size in (1e8, 3e8, 1e9, 3e9):
        for ratio in (2, 5, 10, 20, 40):
            loss = float(true.loss(size, ratio * size))
            run = {"params": size, "tokens": ratio * size, "final_loss": loss, "phase": "pretraining"}
            company.add("training_runs", run_id=f"{size:g}-{ratio}", status="finished", **run)
    laws = {row["law_id"]: row for row in company.decide("scaling_law").to_dicts()}

    assert laws["own"]["is_chosen"]
    assert laws["own"]["points"] == 20
    assert laws["own"]["alpha"] == pytest.approx(0.34, abs=1e-3)
    assert laws["own"]["E"] == pytest.approx(1.69, abs=5e-3)


def test_a_fit_is_kept_as_long_as_its_points_stay(company: Company) -> None:
    from transforms.decisions.law.scaling_law import law_draws  # noqa: PLC0415 — the function itself, not its table

    for size in (1e8, 3e8, 1e9, 3e9):
        for ratio in (2, 5, 10, 20, 40):
            loss = float(PUBLISHED["epoch"].law.loss(size, ratio * size))
            run = {"params": size, "tokens": ratio * size, "final_loss": loss, "phase": "pretraining"}
            company.add("training_runs", run_id=f"{size:g}-{ratio}", status="finished", **run)
    tables = company.tables()
    marked = tables["law_draws"].with_columns(
        objective=pl.when(pl.col("law_id") == "own").then(42.0).otherwise("objective")
    )
    again = law_draws(tables["law_points"], marked)
    other = law_draws(tables["law_points"].head(19), marked)

    assert again.filter(pl.col("law_id") == "own").get_column("objective").unique().to_list() == [42.0]
    assert other.filter(pl.col("law_id") == "own").is_empty()


def test_runs_whose_loss_never_changes_make_no_law(company: Company) -> None:
    # twenty sizes and ratios of one loss: the least squares are nought at exponents of nought, which say nothing
    for size in (1e8, 3e8, 1e9, 3e9):
        for ratio in (2, 5, 10, 20, 40):
            run = {"params": size, "tokens": ratio * size, "final_loss": 2.0, "phase": "pretraining"}
            company.add("training_runs", run_id=f"{size:g}-{ratio}", status="finished", **run)
    laws = {row["law_id"]: row for row in company.decide("scaling_law").to_dicts()}

    assert laws["epoch"]["is_chosen"]
    assert laws["own"]["E"] is None
    assert laws["own"]["source"] == "needs runs whose loss falls with their size and with their tokens"


def test_runs_of_other_phases_and_failed_runs_are_no_points(company: Company) -> None:
    run = {"params": 1e9, "tokens": 2e10, "final_loss": 2.5}
    for run_id, status, phase in (("a", "failed", "pretraining"), ("b", "finished", "posttraining")):
        company.add("training_runs", run_id=run_id, status=status, phase=phase, **run)
    company.add("training_runs", run_id="c", status="finished", phase="pretraining", **run)

    assert company.decide("law_points").get_column("run_id").to_list() == ["c"]


def test_the_night_of_the_cards_is_the_night_of_the_settings(outgrown: Company) -> None:
    assert outgrown.decide().get_column("as_of").unique().to_list() == [date(2026, 11, 21)]
