"""What is recommended, and why nothing is."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.candidates import candidates
from transforms.decisions.positions import positions
from transforms.decisions.recommendations import recommendations
from transforms.decisions.task_shares import task_shares
from warehouse.schemas.decisions import Recommendations

if TYPE_CHECKING:
    from conftest import Company


def decide(company: Company) -> pl.DataFrame:
    """The recommendations of a company."""
    where = company.compute(positions)
    tasks = company.compute(task_shares)
    options = company.compute(candidates, positions=where, task_shares=tasks)
    return company.compute(recommendations, positions=where, candidates=options)


def card(cards: pl.DataFrame, model_id: str) -> dict[str, Any]:
    """The first card of a model."""
    return cards.filter(pl.col("model_id") == model_id).row(0, named=True)


def evaluated(company: Company, student_quality: float) -> Company:
    return company.add(
        "workloads",
        task="triage",
        student_model_id="student",
        quality_metric="accuracy",
        teacher_quality=0.90,
        student_quality=student_quality,
        measured_on=date(2026, 10, 1),
    )


def test_a_task_that_an_evaluated_student_serves_for_a_fifth_of_the_price_is_routed(company: Company) -> None:
    # 1e9 tokens a day × 30.4 days = 30,437 million tokens a month, all of one task;
    # the student keeps 0.891 / 0.90 = 99 % of the requests: 0.99 × 10 − 2 = 7.9 dollars saved a million tokens.
    made = card(decide(evaluated(company.serve("teacher", 1e9, 30, "triage"), 0.891)), "teacher")

    assert (made["action"], made["task"]) == ("route", "triage")
    assert float(made["monthly_saving_usd_p50"]) == pytest.approx(30437.5 * 7.9, rel=0.05)
    assert float(made["one_off_usd_p50"]) == 20000
    assert made["probability"] > 0.95


def test_a_student_under_the_quality_gate_is_rejected_by_name(company: Company) -> None:
    made = card(decide(evaluated(company.serve("teacher", 1e9, 30, "triage"), 0.80)), "teacher")

    assert made["action"] == "hold"
    assert "88.9%" in made["reason"]
    assert json.loads(made["rejected"])[0]["target_model_id"] == "student"


def test_traffic_too_small_to_repay_the_migration_is_held(company: Company) -> None:
    # 1e6 tokens a day: 30 million a month × 7.9 dollars = 240 dollars a month, under the materiality of 1,000.
    made = card(decide(evaluated(company.serve("teacher", 1e6, 30, "triage"), 0.891)), "teacher")

    assert made["action"] == "hold"
    assert "materiality" in made["reason"]


def test_a_model_without_telemetry_is_held_and_told_what_to_deliver(company: Company) -> None:
    made = card(decide(company), "teacher")

    assert made["action"] == "hold"
    assert "telemetry" in made["reason"]


def test_a_model_that_has_retired_is_held(company: Company) -> None:
    company.rows["models"][0] = {**company.rows["models"][0], "retires_on": date(2026, 11, 1)}
    made = card(decide(evaluated(company.serve("teacher", 1e9, 30, "triage"), 0.891)), "teacher")

    assert (made["action"], made["reason"][:22]) == ("hold", "Its service has ended:")


def test_every_model_has_a_card_and_ranks_run_from_one(company: Company) -> None:
    cards = decide(evaluated(company.serve("teacher", 1e9, 30, "triage"), 0.891))

    assert cards.get_column("rank").to_list() == [1, 2]
    assert cards.get_column("model_id").to_list() == ["teacher", "student"]
    Recommendations.validation().validate(cards)


def test_the_order_of_the_rows_that_come_in_changes_nothing(company: Company) -> None:
    evaluated(company.serve("teacher", 1e9, 30, "triage").serve("teacher", 1e8, 30, "chat"), 0.891)
    first = decide(company)
    for rows in company.rows.values():
        rows.reverse()

    assert decide(company).equals(first)


def test_a_company_without_models_has_no_card(company: Company) -> None:
    company.rows.clear()

    assert decide(company).is_empty()
