"""Companies at the edge, through every table of the economics and every check of a night."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from bench.economics import CHECKS, FLOW
from transforms.economics.scaling.scaling_evidence import scaling_evidence, two_phase_balance
from warehouse.schemas import CATALOGUE

NIGHT = date(2025, 5, 20)
YESTERDAY = NIGHT - timedelta(days=1)
DAYS = [NIGHT - timedelta(days=back) for back in range(60)]
MODEL = {"model_id": "m", "origin": "own", "params": 1e9, "training_tokens": 1e10}
Tables = Mapping[str, pl.DataFrame]


@pytest.fixture
def computed(rows: Any, night: Any) -> Callable[..., Tables]:
    """Every table of a company given by the tables a test writes; no check may offend."""

    def compute(as_of: date = NIGHT, **given: list[dict[str, Any]]) -> Tables:
        tables = {"settings": night(as_of)} | {name: rows(name, *cells) for name, cells in given.items()}
        for function in (*FLOW, two_phase_balance, scaling_evidence, *CHECKS):
            names = inspect.signature(function).parameters
            found = function(**{name: tables.get(name, CATALOGUE[name].empty()) for name in names})
            if function in CHECKS:
                assert found.is_empty(), f"{function.__name__} offends"
            else:
                tables[function.__name__] = CATALOGUE[function.__name__].validation().validate(found)
        return tables

    return compute


def cost(day: date, usd: object, phase: str = "inference", **given: Any) -> dict[str, Any]:
    known = {"account": "direct", "model_id": "m", "phase": phase, "pool_id": "p", "currency": "USD"}
    when = {"charge_date": day, "charge_day": day, "billing_period_start": day.replace(day=1), "source": "cloud"}
    return {**known, **when, "billed_cost": usd, "effective_cost": usd, "gpu_seconds": 100.0, **given}


def request(day: date, tokens: int = 1000, **given: Any) -> dict[str, Any]:
    hour = datetime.combine(day, time(9), UTC)
    known = {"hour": hour, "part_start": hour, "model_id": "m", "status": "ok", "requests": 1}
    return {**known, "input_tokens": tokens, **given}


def training(usd: int = 600) -> dict[str, Any]:
    return cost(DAYS[-1], usd, "pretraining", run_id="r")


def test_no_company_at_all_has_tables_without_rows(computed: Callable[..., Tables]) -> None:
    tables = computed()
    named = [function.__name__ for function in FLOW]
    # the day after the night is one on which estimates are made, company or not
    assert {name for name in named if tables[name].height} == {"estimate_days"}


def test_one_model_that_trained_and_serves(computed: Callable[..., Tables]) -> None:
    # $600 of training, $10 a day over 60 days
    tables = computed(
        models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS)],
        token_usage=[request(day) for day in DAYS],
    )  # fmt: skip
    row = tables["thirds"].row(0, named=True)
    assert (row["pretraining_usd"], row["posttraining_usd"], row["inference_usd"]) == (600, 0, 600)
    assert (row["penalty_ratio"], row["heavy_phase"] is not None) == (None, True)
    assert tables["demand_forecast"].height == 4 * 28 + 28


def test_a_model_that_was_never_trained_has_nothing_to_carry(computed: Callable[..., Tables]) -> None:
    tables = computed(
        models=[MODEL], booked_days=[cost(day, 10) for day in DAYS], token_usage=[request(day) for day in DAYS]
    )
    assert tables["amortization"].is_empty()
    assert tables["parity"].is_empty()
    assert tables["unit_costs"]["amortized_training_usd_per_mtok"].drop_nulls().sum() == 0


def test_a_model_that_was_never_served_carries_all_and_is_not_judged(computed: Callable[..., Tables]) -> None:
    tables = computed(models=[MODEL], booked_days=[training()])
    assert tables["amortization"]["closing_usd"].to_list()[-1] == 600
    assert tables["thirds"]["status"].to_list() == ["too_young"]
    assert tables["unit_costs"].is_empty()


def test_cost_without_telemetry_has_no_rate_and_the_money_is_forecast(computed: Callable[..., Tables]) -> None:
    tables = computed(models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS)])
    assert tables["unit_costs"]["used_usd_per_mtok"].drop_nulls().is_empty()
    money = tables["demand_states"].filter(pl.col("known_on") > NIGHT)
    assert dict(money.select("quantity", "level").unique().iter_rows()) == {
        "inference_usd": pytest.approx(10), "running_usd": pytest.approx(10)
    }  # fmt: skip


def test_a_company_that_tells_of_no_request_serves_while_serving_costs(computed: Callable[..., Tables]) -> None:
    # $600 carried by the day over an assumed year from 22 March: 60 of 365 days, and the money decides the balance
    tables = computed(models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS)])
    assert tables["model_lives"].select("first_served_on", "last_served_on", "basis").rows() == [
        (DAYS[-1], NIGHT, "assumed")
    ]
    assert float(tables["amortization"]["amortized_usd"].sum()) == pytest.approx(600 * 60 / 365)
    assert tables["thirds"].select("status", "heavy_phase").rows() == [("inference_heavy", "inference")]
    # one that is told of no request beside others that are has not served
    two = computed(
        models=[MODEL, {**MODEL, "model_id": "n"}], booked_days=[cost(day, 10) for day in DAYS],
        token_usage=[request(day, model_id="n") for day in DAYS],
    )  # fmt: skip
    assert two["model_lives"].filter(pl.col("model_id") == "m")["first_served_on"].item() is None


def test_requests_that_tell_no_tokens_have_cost_and_no_rate(computed: Callable[..., Tables]) -> None:
    # the asset is carried by the day, since nothing that is counted is served
    tables = computed(
        models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS)],
        token_usage=[request(day, 0) for day in DAYS],
    )  # fmt: skip
    rates = tables["unit_costs"].select("used_usd_per_mtok", "used_usd_per_unit", "fully_loaded_usd_per_mtok")
    assert rates.null_count().row(0) == (3, 3, 3)
    assert set(tables["amortization"]["basis"]) == {"no_estimate"}
    assert float(tables["amortization"]["amortized_usd"].sum()) == pytest.approx(600 * 60 / 365)
    assert tables["parity"]["verdict"].to_list() == ["reached"]


def test_the_first_day(computed: Callable[..., Tables]) -> None:
    tables = computed(models=[MODEL], booked_days=[cost(NIGHT, 10)], token_usage=[request(NIGHT)])
    states = tables["demand_states"].filter(pl.col("model_id") == "m", pl.col("quantity") == "tokens")
    assert states.select("method", "level", "unseen_days").rows() == [("last_week", 1000.0, 0)]
    assert tables["variance_bridge"].is_empty()
    # a day is no ground for a verdict
    assert tables["thirds"]["status"].to_list() == ["too_young"]


def test_a_model_that_retired_yesterday_has_no_future_and_its_rest_is_stranded(
    computed: Callable[..., Tables],
) -> None:
    tables = computed(
        models=[{**MODEL, "released_on": DAYS[-1], "retires_on": YESTERDAY}],
        booked_days=[training(), *(cost(day, 10) for day in DAYS[1:])],
        token_usage=[request(day) for day in DAYS[1:]],
        lives=[{"model_id": "*", "method": "straight_line", "months": 12.0}],
    )
    assert tables["demand_forecast"].filter(pl.col("model_id") == "m").is_empty()
    row = tables["thirds"].row(0, named=True)
    assert row["projected_inference_usd_p50"] == row["inference_usd"] == 590
    rolled = tables["amortization"].sort("month")
    assert rolled["closing_usd"].to_list()[-1] == 0
    # 59 of 365 days are carried
    assert float(rolled["amortized_usd"].sum()) == pytest.approx(600 * 59 / 365)
    assert rolled["amortized_usd"].sum() + rolled["written_off_usd"].sum() == 600
    assert tables["estimate_changes"]["cause"].to_list() == ["retired"]


@pytest.mark.parametrize("unit", ["image", "second"])
def test_a_model_of_images_or_seconds_is_forecast_and_carried_by_them(
    computed: Callable[..., Tables], unit: str
) -> None:
    tables = computed(
        models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS)],
        token_usage=[request(day, 0, units=50.0, unit_name=unit) for day in DAYS],
    )  # fmt: skip
    states = tables["demand_states"].filter(pl.col("known_on") > NIGHT, pl.col("model_id") == "m")
    assert dict(states.select("quantity", "level").iter_rows())["units"] == pytest.approx(50)
    assert set(tables["amortization"]["production_unit"]) == {unit}
    assert tables["token_costs"].is_empty()


def test_a_budget_of_nothing_is_exceeded_by_everything(computed: Callable[..., Tables]) -> None:
    tables = computed(
        models=[MODEL], booked_days=[cost(day, 10) for day in DAYS], token_usage=[request(day) for day in DAYS],
        budgets=[{"month": NIGHT.replace(day=1), "model_id": "*", "phase": "*", "usd": 0}],
    )  # fmt: skip
    row = tables["budget_variances"].filter(pl.col("month") == NIGHT.replace(day=1)).row(0, named=True)
    assert (row["budget_usd"], row["actual_usd"]) == (0, 200)
    month = tables["spend_outlook"].filter(pl.col("grain") == "month", pl.col("period_start") <= NIGHT)
    assert month["within_plan_ratio"].to_list() == [0.0]


def test_a_month_that_a_credit_makes_negative_closes_everywhere(computed: Callable[..., Tables]) -> None:
    # $200 of May less a credit of $900 on the same model
    credit = cost(NIGHT, -900, gpu_seconds=0.0)
    tables = computed(
        models=[MODEL], booked_days=[training(), *(cost(day, 10) for day in DAYS), credit],
        token_usage=[request(day) for day in DAYS],
    )  # fmt: skip
    may = tables["unit_costs"].filter(pl.col("month") == NIGHT.replace(day=1)).row(0, named=True)
    assert may["used_usd"] == Decimal(-700)
    row = tables["thirds"].row(0, named=True)
    assert (row["inference_usd"], row["inference_ratio"]) == (Decimal(-300), 0.0)


def test_a_credit_on_training_is_given_back_and_never_carried_below_nothing(
    computed: Callable[..., Tables],
) -> None:
    tables = computed(
        models=[MODEL],
        booked_days=[training(), cost(NIGHT, -900, "pretraining", run_id="r"), *(cost(day, 10) for day in DAYS)],
        token_usage=[request(day) for day in DAYS],
    )
    rolled = tables["amortization"]
    assert rolled["closing_usd"].min() == 0
    assert rolled["amortized_usd"].sum() == Decimal(-300)


def test_a_circle_of_bases_is_refused_by_name(computed: Callable[..., Tables]) -> None:
    circle = [{**MODEL, "model_id": "a", "base_model_id": "b"}, {**MODEL, "model_id": "b", "base_model_id": "a"}]
    with pytest.raises(ValueError, match=r"base_model_id.*a"):
        computed(models=circle, booked_days=[training()])
