"""Days that nobody has told of: unknown, not zero."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from transforms.economics.amortization.model_lives import expected_service
from transforms.economics.completeness import seen_before, unknown_days
from transforms.economics.forecast.demand_forecast import demand_forecast, parity
from transforms.economics.forecast.spend_outlook import spend_outlook
from transforms.economics.spend.model_thirds import thirds

FIRST = date(2025, 1, 6)  # a Monday
WEEK = 7


def told(source: str, days: list[int]) -> pl.DataFrame:
    dates = [FIRST + timedelta(days=day) for day in days]
    return pl.DataFrame({"day": dates, "source": source}, schema={"day": pl.Date, "source": pl.String})


def unknown(nights: int, **sources: list[int]) -> list[int]:
    days = pl.concat(told(source, days) for source, days in sources.items())
    return [int(day) for day in np.flatnonzero(unknown_days(days, FIRST, nights))]


def test_the_days_after_a_daily_source_fell_silent_are_unknown_however_many() -> None:
    assert unknown(12, requests=list(range(10))) == [10, 11]
    assert unknown(60, requests=list(range(10))) == list(range(10, 60))


def test_a_gap_stays_unknown_when_the_source_comes_back() -> None:
    assert unknown(20, requests=[*range(10), *range(12, 20)]) == [10, 11]


def test_weekends_of_a_company_that_works_on_weekdays_are_zeros() -> None:
    weekdays = [day for day in range(21) if day % WEEK < 5]
    assert unknown(21, requests=weekdays) == []


def test_less_than_a_week_in_a_row_is_no_daily_source() -> None:
    assert unknown(10, requests=list(range(6))) == []
    assert unknown(10, requests=list(range(7))) == [7, 8, 9]


def test_one_bill_that_lags_makes_its_days_unknown_while_another_one_comes() -> None:
    assert unknown(20, ours=list(range(20)), theirs=list(range(18))) == [18, 19]


def test_a_bill_that_is_silent_for_over_a_week_while_another_one_comes_has_ended() -> None:
    # the last of theirs is day 9: the seven days after it may still come, day 17 is without them
    assert unknown(20, ours=list(range(20)), theirs=list(range(10))) == list(range(10, 17))


def test_nothing_told_leaves_nothing_unknown() -> None:
    assert not unknown_days(told("requests", []), FIRST, 5).any()


def test_what_is_known_before_a_day_ends_with_the_last_known_one() -> None:
    # days 0 to 4, the days 1 and 2 unknown: before day 3 only day 0 is known
    assert seen_before(np.array([False, True, True, False, False])).tolist() == [0, 1, 1, 1, 4, 5]


def service(rows: Any, days: int, silent: dict[str, int], usd: int = 0) -> pl.DataFrame:
    """Two models with 100 and 50 tokens a day and more on Mondays; the last `silent` days of each are missing."""
    cells = [
        {
            "day": FIRST + timedelta(days=day),
            "model_id": model_id,
            "requests": 1,
            "input_tokens": tokens * (2 if day % WEEK == 0 else 1) + day,
            "inference_usd": usd,
        }
        for model_id, tokens in (("m", 100), ("n", 50))
        for day in range(days - silent.get(model_id, 0))
    ]
    frame: pl.DataFrame = rows("daily_service", *cells)
    return frame


def spend(rows: Any, days: int, usd: int = 10, **given: Any) -> pl.DataFrame:
    cell = {"source": "cloud", "account": "direct", "model_id": "m", "phase": "inference", **given}
    frame: pl.DataFrame = rows(
        "daily_spend",
        *({"charge_date": FIRST + timedelta(days=day), "effective_usd": usd, **cell} for day in range(days)),
    )
    return frame


def latest(states: pl.DataFrame) -> pl.DataFrame:
    return states.filter(pl.col("known_on") == pl.col("known_on").max()).sort("model_id", "quantity")


@pytest.mark.parametrize("silent", [1, 2, 5, 9])
@pytest.mark.parametrize("days", [20, 61, 140])
def test_a_night_without_its_last_days_knows_what_the_night_before_them_knew(
    rows: Any, night: Any, states_of: Any, days: int, silent: int
) -> None:
    whole, bill = service(rows, days, {}, 10), spend(rows, days)
    before = latest(states_of(whole, bill, night(FIRST + timedelta(days=days - 1))))
    after = latest(states_of(whole, bill, night(FIRST + timedelta(days=days - 1 + silent))))
    assert after.drop("known_on", "unseen_days").equals(before.drop("known_on", "unseen_days"))
    assert set(before["unseen_days"]) == {0}
    assert set(after["unseen_days"]) == {silent}
    assert set(after["quantity"]) == {"tokens", "inference_usd", "running_usd"}


def test_a_model_that_stopped_while_another_is_served_counts_zero(rows: Any, night: Any, states_of: Any) -> None:
    # under four weeks of history the level is the mean of the last week
    days = 22
    states = states_of(service(rows, days, {"m": 3}), rows("daily_spend"), night(FIRST + timedelta(days=days - 1)))
    found = latest(states).filter(pl.col("model_id") == "m").row(0, named=True)
    # the last seven days are 15 to 21; 15 to 18 served 100 + 15, … 100 + 18 tokens, 19 to 21 nothing
    assert found["level"] == pytest.approx((115 + 116 + 117 + 118) / 7)
    assert found["unseen_days"] == 0


def test_a_fee_of_the_whole_month_does_not_make_a_lagging_bill_zero(rows: Any, night: Any, states_of: Any) -> None:
    # a fee of $1 a day to the end of the month, use of $10 a day billed for 40 of 42 days
    fee = spend(rows, 60, 1, account="shared", model_id=None, phase=None)
    as_of = FIRST + timedelta(days=41)
    states = latest(states_of(rows("daily_service"), pl.concat([spend(rows, 40), fee]), night(as_of)))
    running = states.filter(pl.col("quantity") == "running_usd").row(0, named=True)
    assert (running["unseen_days"], running["level"]) == (2, pytest.approx(11))


def test_an_accrual_never_hides_that_the_bill_is_late(rows: Any, night: Any, states_of: Any) -> None:
    owned = spend(rows, 42, 5, source="accrual", account="idle", model_id=None, phase=None)
    states = latest(
        states_of(rows("daily_service"), pl.concat([spend(rows, 40), owned]), night(FIRST + timedelta(days=41)))
    )
    running = states.filter(pl.col("quantity") == "running_usd").row(0, named=True)
    assert (running["unseen_days"], running["level"]) == (2, pytest.approx(15))


def test_serving_cost_of_a_day_without_requests_is_unknown_though_its_bill_is_there(
    rows: Any, night: Any, states_of: Any
) -> None:
    # without requests the pools look idle: the bill of 42 days, requests of 40
    as_of = FIRST + timedelta(days=41)
    states = latest(states_of(service(rows, 40, {}, 10), spend(rows, 42), night(as_of)))
    unseen = dict(states.filter(pl.col("model_id") == "*").select("quantity", "unseen_days").iter_rows())
    assert unseen == {"tokens": 2, "inference_usd": 2, "running_usd": 0}


def state(quantity: str = "tokens", **given: Any) -> dict[str, Any]:
    known = {"known_on": FIRST, "model_id": "m", "quantity": quantity, "method": "smoothing", "level": 100.0}
    return {**known, "sigma": 0.2, "season": [1.0] * 7, "day_sigmas": [0.1, 0.2, 0.3, 0.4], **given}


def test_the_trend_counts_from_the_last_known_day(rows: Any, night: Any) -> None:
    # level 100, trend 10, one day unknown: the first day ahead is the second from there, 100 + (0.98 + 0.98²) · 10
    states = rows("demand_states", state(trend=10.0, unseen_days=1))
    ahead = demand_forecast(states, rows("model_lives"), night(FIRST - timedelta(days=1)))
    assert ahead["expected_p50"][0] == pytest.approx(119.404)
    life = {"model_id": "m", "ends_on": FIRST, "retires_on": FIRST, "basis": "retires_on"}
    still = expected_service(states, rows("demand_paths"), rows("model_lives", life)).row(0, named=True)
    assert (still["days"], still["unseen_days"], still["expected_p50"]) == (1, 1, pytest.approx(119.404))


def test_days_that_the_bill_does_not_cover_are_still_to_come_in_the_outlook(rows: Any, night: Any) -> None:
    # night of 20 May, billed to the 18th: $180; $4 of serving stand on the 19th and 20th. $10 a day runs on: 13 days to
    # the end of the month are $130, $4 of it booked: 184 + 126 = 310 = 31 days of $10
    as_of = date(2025, 5, 20)
    may = [{"charge_date": date(2025, 5, day), "account": "direct", "phase": "inference", "effective_usd": 10}
           for day in range(1, 19)]  # fmt: skip
    fees = [{**may[0], "charge_date": date(2025, 5, day), "effective_usd": 2} for day in (19, 20, 21)]
    series = {"model_id": "*", "known_on": date(2025, 5, 21), "level": 10.0, "unseen_days": 2}
    known = [state(quantity, **series) for quantity in ("inference_usd", "running_usd")]
    budget = {"month": date(2025, 5, 1), "model_id": "*", "phase": "*", "usd": 310}
    found = spend_outlook(
        rows("daily_spend", *may, *fees), rows("demand_states", *known), rows("demand_paths"),
        rows("model_lives"), rows("training_runs"), rows("budgets", budget), night(as_of),
    ).filter(pl.col("period_start") == date(2025, 5, 1)).row(0, named=True)  # fmt: skip
    assert (found["actual_usd"], found["serving_usd_p50"]) == (Decimal(184), Decimal(126))
    assert (found["total_usd_p50"], found["unseen_days"]) == (Decimal(310), 2)
    assert found["within_plan_ratio"] == pytest.approx(0.5)


def test_training_that_runs_on_goes_by_the_last_week_that_is_billed(rows: Any, night: Any) -> None:
    # billed to 18 May: $70 in the week to it, $10 a day; 13 days from the 19th to the end of May
    runs = rows("training_runs", {"run_id": "r", "model_id": "m", "phase": "pretraining", "status": "running"})
    days = [{"charge_date": date(2025, 5, day), "account": "direct", "model_id": "m", "phase": "pretraining",
             "effective_usd": 10} for day in range(10, 19)]  # fmt: skip
    known = state("running_usd", model_id="*", known_on=date(2025, 5, 21), level=0.0, unseen_days=2)
    found = spend_outlook(
        rows("daily_spend", *days), rows("demand_states", known), rows("demand_paths"), rows("model_lives"), runs,
        rows("budgets"), night(date(2025, 5, 20)),
    )  # fmt: skip
    assert found["training_usd"][1] == Decimal(130)


def test_unknown_days_are_still_to_come_in_the_projected_life(rows: Any, night: Any) -> None:
    # $100 a day, 8 days left and 2 unknown: $1,000 beside the $500 known
    as_of = FIRST - timedelta(days=1)
    expected = {"known_on": FIRST, "model_id": "m", "quantity": "inference_usd", "method": "smoothing", "days": 8,
                "unseen_days": 2, "expected_p50": 800.0, "expected_p90": 800.0}  # fmt: skip
    cells = [{"model_id": "m", "phase": phase, "direct_usd": 500} for phase in ("pretraining", "inference")]
    found = thirds(
        rows("lifecycle_spend", *cells), rows("expected_service", expected), rows("model_lives", {"model_id": "m"}),
        rows("models", {"model_id": "m", "origin": "own"}), rows("two_phase_balance"), night(as_of),
    )  # fmt: skip
    assert found["projected_inference_usd_p50"].item() == Decimal(1500)


def test_parity_counts_the_unknown_days_and_is_never_dated_on_one(rows: Any, night: Any) -> None:
    # 950 tokens at 100 a day are ten days; two of them are over and unknown, so the eighth day ahead
    as_of = FIRST - timedelta(days=1)
    month = as_of.replace(day=1)
    cell = {"month": month, "model_id": "m"}
    for needed, day in ((950.0, 8), (150.0, 1)):
        found = parity(
            rows("amortization", {**cell, "tokens_to_parity": needed, "production_unit": "tokens"}),
            rows("training_assets", cell), rows("demand_states", state(unseen_days=2)), rows("demand_paths"),
            rows("expected_service", {"known_on": FIRST, "model_id": "m", "quantity": "tokens", "days": 60}),
            night(as_of),
        )  # fmt: skip
        assert found["parity_on_p50"].item() == as_of + timedelta(days=day)
