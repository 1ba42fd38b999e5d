"""States in which little is known: each gives an answer, and says what is missing."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.portfolio.recommendations import recommendations
from warehouse.schemas import CATALOGUE

if TYPE_CHECKING:
    from conftest import Company

COMPUTED = ("candidates", "recommendations", "cash_curves", "recommended_totals", "iso_loss", "lifetime_optimum")


def reasons(company: Company, model_id: str) -> list[str]:
    """What the alternatives of a model say."""
    return company.decide("candidates").filter(pl.col("model_id") == model_id).get_column("reason").to_list()


@pytest.mark.parametrize("name", COMPUTED)
def test_every_table_of_a_rich_company_keeps_its_schema(outgrown: Company, name: str) -> None:
    CATALOGUE[name].validation().validate(outgrown.decide(name), lazy=True)


@pytest.mark.parametrize("name", COMPUTED)
def test_every_table_of_an_empty_company_keeps_its_schema(company: Company, name: str) -> None:
    company.rows.clear()
    rows = company.decide(name)

    CATALOGUE[name].validation().validate(rows, lazy=True)
    assert rows.height == (1 if name == "recommended_totals" else 0)


def test_images_have_no_law_of_loss_and_no_price_of_a_token(company: Company) -> None:
    day = {"day": dt.date(2026, 11, 20), "model_id": "teacher", "requests": 10, "units": 10.0, "unit_name": "image"}
    company.add("daily_service", **day, inference_usd=Decimal(100))
    company.add("model_lives", model_id="teacher", ends_on=dt.date(2027, 11, 21), basis="retires_on")

    assert any("delivers images, not tokens" in reason for reason in reasons(company, "teacher"))


def unasked(company: Company, *, delivered: bool) -> dict[str, Any]:
    """The teacher's card: 200 dollars on each of the last 28 days, and no request for six weeks.

    Its requests came from the source `gateway`, which still delivers those of the student or not.
    """
    for back in range(28):
        company.bill(dt.date(2026, 11, 21) - dt.timedelta(days=back), Decimal(200), model_id="teacher")
    company.add("model_lives", model_id="teacher", ends_on=dt.date(2027, 11, 21), basis="retires_on")
    row = {"source": "gateway", "status": "ok", "requests": 5, "input_tokens": 1000}
    company.add("token_usage", hour=dt.datetime(2026, 10, 1, tzinfo=dt.UTC), model_id="teacher", **row)
    for back in range(30 if delivered else 0):
        hour = dt.datetime(2026, 11, 21, 5, tzinfo=dt.UTC) - dt.timedelta(days=back)
        company.add("token_usage", hour=hour, model_id="student", **row)
    return company.decide().filter(pl.col("model_id") == "teacher").row(0, named=True)


def test_a_model_that_nobody_asks_for_gives_its_chips_back(company: Company) -> None:
    # 200 × 30.4375 = 6,087.50 a month
    card = unasked(company, delivered=True)

    assert (card["action"], card["standing"]) == ("retire", "safe")
    assert float(card["monthly_saving_usd_p50"]) == pytest.approx(6087.5, rel=0.03)
    assert card["monthly_saving_usd_p90"] <= card["monthly_paid_usd_p90"]


def test_a_model_whose_telemetry_was_not_delivered_is_not_called_unused(company: Company) -> None:
    card = unasked(company, delivered=False)

    assert (card["action"], card["standing"]) == ("hold", "data_request")
    assert "was not delivered" in card["reason"]


def test_a_model_that_nobody_asks_for_and_no_gpus_serve_alone_is_told_so(company: Company) -> None:
    tables = company.tables()
    seen = {"recent_requests": 0, "recent_tokens": 0.0, "served_days": 9, "daily_tokens": 1e6, "remaining_months": 9.0}
    position = tables["positions"].filter(pl.col("model_id") == "teacher").with_columns(
        pl.lit(value).cast(tables["positions"].schema[name]).alias(name) for name, value in seen.items()
    )  # fmt: skip
    card = recommendations(
        tables["settings"], position, tables["candidates"].clear(), tables["portfolio"].filter(pl.col("position") == 0)
    ).row(0, named=True)

    assert (card["action"], card["reason"]) == (
        "hold", "Nothing was asked of it in four weeks, and no GPUs serve it alone: there is nothing to save on"
    )  # fmt: skip


def test_a_model_that_is_to_be_launched_is_asked_for_no_telemetry(company: Company) -> None:
    launch = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    company.add("deployments", deployment_id="d", model_id="teacher", pool_id="p", gpu_count=4, valid_from=launch)
    company.bill(dt.date(2026, 11, 21), Decimal(200), pool_id="p").expect("teacher", 0, 365)
    card = company.decide().filter(pl.col("model_id") == "teacher").row(0, named=True)

    assert (card["action"], card["standing"]) == ("hold", None)


def test_requests_that_bring_no_tokens_are_not_called_no_requests(company: Company) -> None:
    unasked(company, delivered=True)
    company.expect("teacher", 0, 365)
    night = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    company.add("token_usage", hour=night, model_id="teacher", requests=10, status="error")
    card = company.decide().filter(pl.col("model_id") == "teacher").row(0, named=True)

    assert (card["action"], card["reason"].split(":")[0]) == (
        "hold", "What was asked of it in four weeks brought no tokens"
    )  # fmt: skip


def test_a_forecast_of_nothing_is_no_unknown_demand(company: Company) -> None:
    company.serve("teacher", 1e9, 30).expect("teacher", 0, 365)
    card = company.decide().filter(pl.col("model_id") == "teacher").row(0, named=True)

    assert "nothing is forecast" in card["reason"]


def test_a_falling_demand_ends_at_nothing_and_not_below(outgrown: Company) -> None:
    outgrown.rows["demand_states"][0] = {**outgrown.rows["demand_states"][0], "trend": -4e10}
    saved = outgrown.decide("candidates").get_column("monthly_saving_usd_p50").drop_nulls()

    assert all(value >= 0 for value in saved)


def test_a_student_that_exists_is_a_route_and_not_a_distillation(company: Company) -> None:
    company.rows["models"][1] = {**company.rows["models"][1], "teacher_model_id": "teacher"}
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 365)
    rows = company.decide("candidates").filter(pl.col("task") == "triage").row(0, named=True)

    assert (rows["action"], rows["target_model_id"], rows["is_measured"]) == ("route", "student", False)
    assert rows["quality_gate"].startswith("quality unmeasured: evaluate student on triage")


def test_what_is_unmeasured_ranks_below_what_is_measured(company: Company) -> None:
    for task, tokens in (("small", 1e8), ("large", 1e9)):
        company.serve("teacher", tokens, 30, task)
    company.expect("teacher", 1.1e9, 365)
    company.rows["models"][1] = {**company.rows["models"][1], "teacher_model_id": "teacher"}
    measured = {"quality_metric": "accuracy", "teacher_quality": 0.9, "student_quality": 0.9}
    company.add("workloads", task="small", student_model_id="student", measured_on=dt.date(2026, 1, 1), **measured)

    assert company.decide().get_column("task").to_list()[:2] == ["small", "large"]


def test_a_measurement_against_another_teacher_says_nothing(company: Company) -> None:
    company.rows["models"][1] = {**company.rows["models"][1], "teacher_model_id": "another"}
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 365)
    measured = {"quality_metric": "accuracy", "teacher_quality": 0.9, "student_quality": 0.9}
    company.add("workloads", task="triage", student_model_id="student", measured_on=dt.date(2026, 1, 1), **measured)

    assert company.decide("candidates").filter(pl.col("target_model_id") == "student").is_empty()


def test_a_student_slower_than_the_users_can_wait_is_rejected(company: Company) -> None:
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 365)
    company.rows["models"][1] = {**company.rows["models"][1], "teacher_model_id": "teacher"}
    for model_id, limit in (("teacher", 0.5), ("student", None)):
        company.add("deployments", deployment_id=model_id, model_id=model_id, ttft_s_limit=limit, gpu_count=8.0)
        hour = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
        served = {"requests": 10, "output_tokens": 100, "ttft_s_sum": 20.0, "duration_s_sum": 30.0, "status": "ok"}
        company.add("token_usage", hour=hour, model_id=model_id, deployment_id=model_id, task="other", **served)
    route = company.decide("candidates").filter(pl.col("action") == "route", pl.col("task") == "triage")

    assert "over the limit of 0.5 s" in route.item(0, "reason")


def test_a_task_that_comes_and_goes_is_not_moved(company: Company) -> None:
    company.serve("teacher", 1e9, 30, "steady").expect("teacher", 1e9, 365)
    hour = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    burst = {"model_id": "teacher", "task": "burst", "status": "ok", "input_tokens": 10**10}
    company.add("token_usage", hour=hour, weighted_tokens_milli=10**13, **burst)
    company.rows["models"][1] = {**company.rows["models"][1], "teacher_model_id": "teacher"}
    route = company.decide("candidates").filter(pl.col("action") == "route", pl.col("task") == "burst")

    assert "from week to week" in route.item(0, "reason")


def test_a_teacher_of_unknown_training_cannot_be_predicted(company: Company) -> None:
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 365)

    assert any("training_tokens in models.csv" in reason for reason in reasons(company, "teacher"))


def test_a_successor_of_the_same_size_takes_the_traffic_of_a_dear_model(company: Company) -> None:
    company.rows["models"][1] = {**company.rows["models"][1], "params": 60e9, "family": "teacher"}
    company.serve("teacher", 1e9, 30).expect("teacher", 1e9, 365)
    card = company.decide().filter(pl.col("model_id") == "teacher").row(0, named=True)

    assert (card["action"], json.loads(card["assumptions"])["target_model_id"]) == ("retire", "student")
    assert "quality unmeasured" in card["quality_gate"]


def test_a_much_smaller_model_is_no_successor(company: Company) -> None:
    company.rows["models"][1] = {**company.rows["models"][1], "family": "teacher"}
    company.serve("teacher", 1e9, 30).expect("teacher", 1e9, 365)

    retirements = company.decide("candidates").filter(pl.col("action") == "retire")

    assert retirements.filter(pl.col("model_id") == "teacher").is_empty()


def test_the_best_rejected_alternative_of_a_model_that_holds_has_a_curve(outgrown: Company) -> None:
    outgrown.rows["models"][0] = {**outgrown.rows["models"][0], "origin": "adopted"}
    curve = outgrown.decide("cash_curves")

    assert curve.get_column("is_recommended").unique().to_list() == [False]
    assert curve.get_column("month").to_list() == list(range(25))


def test_the_cash_of_a_card_starts_with_its_one_off_and_turns_in_its_payback_month(outgrown: Company) -> None:
    card = outgrown.decide().row(0, named=True)
    curve = outgrown.decide("cash_curves").sort("month")
    cash = [float(value) for value in curve.get_column("cash_usd_p50")]

    assert cash[0] == -float(card["one_off_usd_p50"])
    assert next(month for month, value in enumerate(cash) if month and value >= 0) == card["payback_months_p50"]


def test_the_total_of_one_card_is_the_card(outgrown: Company) -> None:
    card, total = outgrown.decide().row(0, named=True), outgrown.decide("recommended_totals").row(0, named=True)

    assert total["decisions"] == 1
    for name in ("monthly_saving_usd_p10", "net_present_value_usd_p50", "net_present_value_usd_p90"):
        assert total[name] == card[name]
    # what its pool can be left unpaid of, in the months in which it saves: never less than it saves
    assert card["monthly_saving_usd_p50"] < total["monthly_paid_usd_p50"] <= card["monthly_paid_usd_p90"]


def test_a_cycle_of_bases_does_not_keep_the_night_from_ending(company: Company) -> None:
    for number, base in ((0, "student"), (1, "teacher")):
        company.rows["models"][number] = {**company.rows["models"][number], "base_model_id": base}

    assert company.decide("positions").get_column("training_tokens").to_list() == [None, None]


def test_a_child_was_trained_on_what_its_base_was(company: Company) -> None:
    company.rows["models"][0] = {**company.rows["models"][0], "training_tokens": 2e12}
    company.rows["models"][1] = {**company.rows["models"][1], "base_model_id": "teacher"}

    assert company.decide("positions").get_column("training_tokens").to_list() == [2e12, 2e12]


def test_days_that_the_bill_does_not_cover_yet_cost_nothing_known_and_not_nothing(company: Company) -> None:
    # 280 dollars in 28 days that are known, two days not yet: 10 a day are 304.375 a month of 30.4375 days
    company.rows.pop("daily_service")
    for back in range(2, 30):
        day = {"day": dt.date(2026, 11, 21) - dt.timedelta(days=back), "model_id": "teacher", "requests": 1}
        company.add("daily_service", **day, input_tokens=100, output_tokens=0, inference_usd=Decimal(10))
    known_on = dt.date(2026, 11, 22)
    company.add("demand_states", known_on=known_on, model_id="*", quantity="inference_usd", unseen_days=2)
    teacher = company.decide("positions").filter(pl.col("model_id") == "teacher").row(0, named=True)

    assert (float(teacher["monthly_inference_usd"]), teacher["recent_tokens"]) == (304.38, 2800)
