"""Amortisation from the tables of a company."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.amortization.amortization import amortization, estimate_changes
from transforms.economics.amortization.training_assets import training_assets
from transforms.economics.checks import assets_off_the_training, open_roll_forwards
from transforms.economics.spend.service import production_units

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
NIGHT = date(2025, 3, 31)


@pytest.fixture
def company(rows: Any) -> dict[str, pl.DataFrame]:
    """A model that trained for $900 in January and served 400 tokens in February and 200 in March."""
    service = [
        {"day": date(2025, 2, 10), "model_id": "m", "requests": 1, "input_tokens": 300, "output_tokens": 100},
        {"day": date(2025, 3, 10), "model_id": "m", "requests": 1, "input_tokens": 200},
    ]
    spend = [
        {"month": JANUARY, "model_id": "m", "phase": "pretraining", "direct_usd": 1000, "waste_usd": 100},
        {"month": FEBRUARY, "model_id": "m", "phase": "inference", "direct_usd": 40},
        {"month": MARCH, "model_id": "m", "phase": "inference", "direct_usd": 30},
    ]
    return {
        "models": rows("models", {"model_id": "m", "origin": "own"}),
        "model_spend": rows("model_spend", *spend),
        "lineage_shares": rows("lineage_shares"),
        "daily_service": rows("daily_service", *service),
        "lives": rows("lives", {"model_id": "*", "method": "units_of_production", "expected_tokens": 1000.0}),
        "expected_service": rows("expected_service"),
        "published_amortization": rows("published_amortization"),
        "model_lives": rows(
            "model_lives", {"model_id": "m", "first_served_on": date(2025, 2, 10), "typical_days": 365.0}
        ),
    }


def assets(company: dict[str, pl.DataFrame], settings: pl.DataFrame) -> pl.DataFrame:
    names = ("models", "model_spend", "lineage_shares", "daily_service")
    units = production_units(company["daily_service"])
    return training_assets(*(company[name] for name in names), units, settings)


def table(company: dict[str, pl.DataFrame], settings: pl.DataFrame) -> pl.DataFrame:
    names = ("lives", "expected_service", "model_lives", "published_amortization")
    return amortization(assets(company, settings), *(company[name] for name in names), settings)


def test_the_roll_forward_of_a_quarter(company: Any, night: Any) -> None:
    # $900 that did not fail; 400 of 1000 tokens carry 360; 200 of the 600 left carry 540/3 = 180
    rolled = table(company, night(NIGHT))
    columns = ("opening_usd", "additions_usd", "amortized_usd", "closing_usd", "tokens_served")
    assert rolled.select(columns).rows() == [
        (Decimal(0), Decimal(900), Decimal(0), Decimal(900), 0.0),
        (Decimal(900), Decimal(0), Decimal(360), Decimal(540), 400.0),
        (Decimal(540), Decimal(0), Decimal(180), Decimal(360), 200.0),
    ]
    assert rolled["expected_tokens"].to_list() == [1000.0, 1000.0, 600.0]
    assert open_roll_forwards(rolled).is_empty()


def test_parity_is_reached_when_inference_has_cost_half_of_training(company: Any, night: Any) -> None:
    # equal thirds: inference is at parity at $1000/2, waste included; $40 and $30 are spent, 460 and 430 to go at
    # 40/400 = $0.1 and 30/200 = $0.15 per token
    rolled = table(company, night(NIGHT))
    assert rolled["tokens_to_parity"].to_list() == [None, pytest.approx(4600), pytest.approx(2866.6667)]


def test_parity_reached_is_nothing_to_serve(company: Any, night: Any) -> None:
    # target 10 : 0.1 … the share of inference is so small that $40 are beyond it
    rolled = table(company, night(NIGHT, inference_weight=0.01))
    assert rolled["tokens_to_parity"].to_list() == [None, 0.0, 0.0]


def test_nothing_is_kept_before_the_first_cost(company: Any, night: Any, rows: Any) -> None:
    early = {"day": date(2024, 12, 5), "model_id": "m", "requests": 1, "input_tokens": 100}
    service = pl.concat([company["daily_service"], rows("daily_service", early)])
    rolled = table(company | {"daily_service": service}, night(NIGHT))
    assert rolled["month"].min() == JANUARY
    # the 100 tokens served before are served: 900 of the 1000 are left
    assert rolled["expected_tokens"].to_list() == [900.0, 900.0, 500.0]


def test_a_bill_dated_after_the_night_counts_in_the_nights_month(company: Any, night: Any, rows: Any) -> None:
    later = {"month": date(2025, 4, 1), "model_id": "m", "phase": "posttraining", "direct_usd": 5}
    spend = pl.concat([company["model_spend"], rows("model_spend", later)])
    rolled = table(company | {"model_spend": spend}, night(NIGHT))
    assert rolled.select("month", "additions_usd").row(-1) == (MARCH, Decimal(5))


def test_a_model_of_images_is_kept_by_its_images(company: Any, night: Any, rows: Any) -> None:
    images = {"day": date(2025, 2, 10), "model_id": "m", "requests": 9, "units": 250.0, "unit_name": "image"}
    rolled = table(company | {"daily_service": rows("daily_service", images)}, night(NIGHT))
    assert rolled.select("production_unit", "tokens_served", "amortized_usd").row(1) == ("image", 250.0, Decimal(225))


def test_inherited_training_is_kept_by_the_heir_and_leaves_the_base(company: Any, night: Any, rows: Any) -> None:
    # by February the heir has taken two thirds of the base's $900, by March all of it
    shares = [
        {"month": month, "ancestor_id": "base", "model_id": heir, "phase": "pretraining", "training_usd": usd}
        for month, heir, usd in [
            (JANUARY, "base", 900), (JANUARY, "m", 0), (FEBRUARY, "base", 300), (FEBRUARY, "m", 600),
            (MARCH, "base", 0), (MARCH, "m", 900),
        ]
    ]  # fmt: skip
    spend = rows("model_spend", {"month": JANUARY, "model_id": "base", "phase": "pretraining", "direct_usd": 900})
    models = rows("models", {"model_id": "base"}, {"model_id": "m", "base_model_id": "base"})
    given = company | {"lineage_shares": rows("lineage_shares", *shares), "model_spend": spend, "models": models}
    rolled = table(given, night(NIGHT))
    additions = {
        model: frame["additions_usd"].to_list() for (model,), frame in rolled.group_by("model_id", maintain_order=True)
    }
    assert additions == {"base": [Decimal(900), Decimal(-600), Decimal(-300)], "m": [Decimal(600), Decimal(300)]}
    assert open_roll_forwards(rolled).is_empty()
    trained = rows("lifecycle_spend", {"model_id": "base", "phase": "pretraining", "direct_usd": 900})
    assert assets_off_the_training(rolled, trained).is_empty()


def test_changes_of_estimate_are_dated_and_say_why(company: Any, night: Any, rows: Any) -> None:
    lives = rows(
        "lives",
        {"model_id": "m", "method": "units_of_production", "expected_tokens": 1000.0, "valid_from": JANUARY},
        {
            "model_id": "m",
            "method": "units_of_production",
            "expected_tokens": 1800.0,
            "valid_from": MARCH,
            "reason": "traffic doubled",
        },
    )
    given = company | {"lives": lives}
    settings = night(NIGHT)
    names = ("expected_service", "model_lives", "published_amortization")
    changes = estimate_changes(assets(given, settings), lives, *(given[name] for name in names), settings)
    # 1000 − 400 served were still expected; 1800 − 400 are from March on
    row = changes.row(0, named=True)
    assert (row["changed_on"], row["cause"], row["balance_usd"]) == (MARCH, "policy", Decimal(540))
    assert (row["from_expected_tokens"], row["to_expected_tokens"]) == (600.0, 1400.0)
    assert row["explanation"] == (
        "lives.csv from 2025-03-01 on: 1,400 tokens are left, 600 tokens were before; traffic doubled"
    )
    assert changes.height == 1
    # 540 × 200 / 1400 = 77.142857142857
    assert table(given, settings)["amortized_usd"].to_list()[-1] == Decimal("77.142857142857")


def test_retirement_is_in_the_log_with_what_it_stranded(company: Any, night: Any) -> None:
    lives = company["model_lives"].with_columns(retires_on=pl.lit(date(2025, 3, 30)))
    given = company | {"model_lives": lives}
    settings = night(NIGHT)
    rolled = table(given, settings)
    assert rolled.select("written_off_usd", "closing_usd").row(-1) == (Decimal(360), Decimal(0))
    changes = estimate_changes(
        assets(given, settings),
        given["lives"],
        given["expected_service"],
        lives,
        given["published_amortization"],
        settings,
    )
    assert changes.select("cause", "balance_usd").rows() == [("retired", Decimal(360))]


def test_no_training_is_nothing_to_carry(company: Any, night: Any, rows: Any) -> None:
    assert table(company | {"model_spend": rows("model_spend")}, night(NIGHT)).is_empty()


def test_a_roll_forward_that_does_not_close_is_found(company: Any, night: Any) -> None:
    rolled = table(company, night(NIGHT))
    lost = rolled.with_columns(closing_usd=pl.col("closing_usd") - pl.lit(Decimal("0.000000000001")))
    assert open_roll_forwards(lost).height == 3
