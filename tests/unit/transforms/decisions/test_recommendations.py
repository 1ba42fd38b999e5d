"""What is recommended, and why nothing is."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.portfolio.eligibility import chance_words
from warehouse.schemas.decisions import Candidates, Recommendations

if TYPE_CHECKING:
    from conftest import Company


def card(cards: pl.DataFrame, model_id: str) -> dict[str, Any]:
    """The first card of a model."""
    return cards.filter(pl.col("model_id") == model_id).row(0, named=True)


def triaged(company: Company, tokens_a_day: float, student_quality: float) -> Company:
    """The teacher serves one task, and the student was evaluated on it."""
    company.serve("teacher", tokens_a_day, 30, "triage").expect("teacher", tokens_a_day, 365)
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
    # 1e9 tokens a day × 30.4375 days = 30,437.5 million tokens a month, all of one task;
    # the student keeps 0.891 / 0.90 = 99 % of the requests: 0.99 × 10 − 2 = 7.9 dollars saved a million tokens.
    made = card(triaged(company, 1e9, 0.891).decide(), "teacher")

    assert (made["action"], made["task"]) == ("route", "triage")
    assert float(made["monthly_saving_usd_p50"]) == pytest.approx(30437.5 * 7.9, rel=0.05)
    assert float(made["one_off_usd_p50"]) == 20000
    assert made["probability"] > 0.95


def test_a_student_under_the_quality_gate_is_rejected_by_name(company: Company) -> None:
    made = card(triaged(company, 1e9, 0.80).decide(), "teacher")

    assert made["action"] == "hold"
    assert "88.9%" in made["reason"]
    assert any(other["target_model_id"] == "student" for other in json.loads(made["rejected"]))


def test_an_error_rate_counts_as_better_when_it_is_lower(company: Company) -> None:
    triaged(company, 1e9, 0.891).rows["workloads"][0] |= {
        "quality_metric": "word_error_rate",
        "better": "lower",
        "student_quality": 0.8,
    }
    made = card(company.decide(), "teacher")

    assert made["action"] == "route"


def test_traffic_too_small_to_repay_the_migration_is_held(company: Company) -> None:
    # 1e6 tokens a day: 30 million a month × 7.9 dollars = 240 dollars a month, under the materiality of 1,000.
    made = card(triaged(company, 1e6, 0.891).decide(), "teacher")

    assert made["action"] == "hold"
    assert "materiality" in made["reason"]


def test_a_model_without_telemetry_is_held_and_told_what_to_deliver(company: Company) -> None:
    made = card(company.decide(), "teacher")

    assert made["action"] == "hold"
    assert "telemetry" in made["reason"]


def test_a_model_that_has_retired_is_held(company: Company) -> None:
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 0)
    made = card(company.decide(), "teacher")

    assert (made["action"], made["reason"][:22]) == ("hold", "Its service has ended:")


def test_a_model_that_retires_next_month_is_not_worth_a_migration(company: Company) -> None:
    # 50 million tokens a day × 30 days × 7.9 dollars = 11,850 dollars at most, against 20,000 for the migration.
    company.serve("teacher", 5e7, 30, "triage").expect("teacher", 5e7, 30)
    made = card(triaged(company, 0, 0.891).decide(), "teacher")

    assert made["action"] == "hold"


def test_requests_without_a_task_are_asked_for_one(company: Company) -> None:
    company.serve("teacher", 1e9, 30).expect("teacher", 1e9, 365)
    reasons = company.decide("candidates").filter(pl.col("model_id") == "teacher").get_column("reason").to_list()

    assert any("carry no task" in reason for reason in reasons)


def test_every_model_has_a_card_and_ranks_run_from_one(company: Company) -> None:
    cards = triaged(company, 1e9, 0.891).decide()

    assert cards.get_column("rank").to_list() == [1, 2]
    assert cards.get_column("model_id").to_list() == ["teacher", "student"]
    Recommendations.validation().validate(cards)
    Candidates.validation().validate(company.decide("candidates"))


def test_the_order_of_the_rows_that_come_in_changes_nothing(company: Company) -> None:
    triaged(company.serve("teacher", 1e8, 30, "chat"), 1e9, 0.891)
    first = company.decide()
    for rows in company.rows.values():
        rows.reverse()

    assert company.decide().equals(first)


def test_a_company_without_models_has_no_card(company: Company) -> None:
    company.rows.clear()

    assert company.decide().is_empty()


@pytest.mark.parametrize(
    ("chance", "words"),
    [(1.0, "100%"), (0.9995, "99.9%"), (0.9845, "98%"), (0.8, "80%"), (0.796, "79.6%"), (0.0004, "0.0%"), (0.0, "0%")],
)
def test_a_chance_is_never_said_to_be_certain_or_enough_when_it_is_not(chance: float, words: str) -> None:
    assert chance_words(chance) == words
