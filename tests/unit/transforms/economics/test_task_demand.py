"""What each task is expected to serve: its share of its model's forecast, how wide, and how far off that has been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from math import exp, log, sqrt
from typing import Any

import polars as pl
import pytest

from transforms.economics.forecast.demand_forecast import demand_forecast
from transforms.economics.forecast.task_demand import task_demand
from transforms.economics.spend.service import task_days

NIGHT = date(2025, 6, 30)
P90 = 1.2815515655446004
MONTHS = tuple(date(2025, month, 1) for month in (3, 4, 5, 6))


def served(rows: Any, of_day: Callable[[int], dict[str | None, int]], days: int, **given: Any) -> pl.DataFrame:
    """Tokens by task of the model `m` on the day that lies so many days before the night."""
    frame: pl.DataFrame = rows(
        "task_days",
        *(
            {"day": NIGHT - timedelta(days=back), "model_id": "m", "task": task, "requests": 1, "tokens": tokens}
            | given
            for back in range(days)
            for task, tokens in of_day(back).items()
        ),
    )
    return frame


def state(known_on: date, level: float = 100.0, **given: Any) -> dict[str, Any]:
    steady = {"season": [1.0] * 7, "day_sigmas": [0.1] * 4, "sigma": 0.1, "method": "smoothing", "history_days": 300}
    return {"known_on": known_on, "model_id": "m", "quantity": "tokens", "level": level, **steady, **given}


def expected(rows: Any, night: Any, days: pl.DataFrame, *states: dict[str, Any], **given: Any) -> pl.DataFrame:
    """The table of the night, from states that end with that of the morning after it."""
    known = rows("demand_states", *(states or [state(NIGHT + timedelta(days=1))]))
    lives = rows("model_lives", {"model_id": "m", "retires_on": given.get("retires_on")})
    unit = given.get("unit_name")
    units = rows("production_units", {"model_id": "m", "production_unit": unit or "tokens", "unit_name": unit})
    settings = night(NIGHT)
    return task_demand(days, units, known, demand_forecast(known, lives, settings), settings)


def tokens_of(table: pl.DataFrame) -> dict[str | None, float]:
    return dict(table.select("task", pl.col("expected_p50").round(6)).iter_rows())


def test_a_task_is_its_recent_share_of_its_model_and_as_wide_as_both(rows: Any, night: Any) -> None:
    # chat had 60 of 100 a day in two weeks and 40 in two: half, with a standard deviation of √(4 × 0.1² / 3) = 0.1155
    days = served(rows, lambda back: {"chat": 60, "sql": 40} if back < 14 else {"chat": 40, "sql": 60}, 200)
    row = expected(rows, night, days).filter(pl.col("task") == "chat").row(0, named=True)
    sigma = sqrt(0.1**2 + log(1 + (0.04 / 3) / 0.25))
    assert (row["share_ratio"], row["recent"], row["weeks"], row["days"]) == (0.5, 1400.0, 4, 28)
    assert row["share_sigma"] == pytest.approx(0.11547, abs=1e-5)
    assert row["sigma"] == pytest.approx(sigma) == pytest.approx(0.24892, abs=1e-5)
    # 100 a day over 28 days, half of it
    assert row["expected_p50"] == pytest.approx(1400)
    assert row["expected_p10"] == pytest.approx(1400 * exp(-P90 * sigma)) == pytest.approx(1017.6, abs=0.1)
    assert row["expected_p90"] == pytest.approx(1400 * exp(P90 * sigma)) == pytest.approx(1926.1, abs=0.1)


def test_past_forecasts_of_a_task_are_compared_with_what_came(rows: Any, night: Any) -> None:
    # 50 a day always; three times 120 were expected of the model and half of it of the task, once 100
    days = served(rows, lambda _: {"chat": 50, "sql": 50}, 200)
    past = [state(known_on, level) for known_on, level in zip(MONTHS, (120.0, 120.0, 120.0, 100.0), strict=True)]
    found = expected(rows, night, days, *past, state(NIGHT + timedelta(days=1)))
    row = found.filter(pl.col("task") == "chat").row(0, named=True)
    assert (row["basis"], row["folds"]) == ("back_tested", 4)
    # (1680 / 1400 − 1) × 3 / 4; ln 1.2 = 0.18 is outside of 1.28 × 0.1
    assert row["mape_ratio"] == pytest.approx(0.15)
    assert (row["repeat_mape_ratio"], row["coverage_ratio"]) == (0.0, 0.25)


def test_two_past_forecasts_say_nothing(rows: Any, night: Any) -> None:
    days = served(rows, lambda _: {"chat": 50}, 200)
    row = expected(rows, night, days, *map(state, MONTHS[:2]), state(NIGHT + timedelta(days=1))).row(0, named=True)
    assert (row["basis"], row["folds"], row["mape_ratio"], row["coverage_ratio"]) == ("few_folds", 2, None, None)


def test_a_month_that_is_not_known_day_by_day_is_not_compared(rows: Any, night: Any) -> None:
    days = served(rows, lambda _: {"chat": 50}, 200).filter(pl.col("day") != date(2025, 4, 10))
    row = expected(rows, night, days, *map(state, MONTHS), state(NIGHT + timedelta(days=1))).row(0, named=True)
    # 10 April lies in the four weeks from the 1st, and in the four before 1 May
    assert row["folds"] == 2


def test_four_weeks_that_are_not_over_are_not_compared(rows: Any, night: Any) -> None:
    days = served(rows, lambda _: {"chat": 50}, 200)
    late = [state(known_on, unseen_days=0) for known_on in MONTHS]
    row = expected(rows, night, days, *late, state(NIGHT + timedelta(days=1), unseen_days=3)).row(0, named=True)
    # known to 27 June: the four weeks from 1 June end with the 28th
    assert row["folds"] == 3


def test_nothing_that_comes_after_a_night_changes_what_it_expects(rows: Any, night: Any) -> None:
    days = served(rows, lambda back: {"chat": 50 + back % 9, "sql": 40}, 200)
    states = [*map(state, MONTHS), state(NIGHT + timedelta(days=1))]
    later = rows("task_days", *({"day": NIGHT + timedelta(days=n), "model_id": "m", "task": task, "requests": 1,
                                 "tokens": 10**6} for n in range(1, 60) for task in ("sql", "new")))  # fmt: skip
    once = expected(rows, night, days, *states)
    again = expected(rows, night, pl.concat([days, later]), *states, state(date(2025, 8, 1), 9e9))
    assert once.height == 2
    assert once.equals(again)


def test_what_was_expected_of_a_month_does_not_depend_on_its_days(rows: Any, night: Any) -> None:
    # chat is half of the model before June, all of it in June: 1,400 were expected, 2,800 came
    states = [state(MONTHS[3]), state(NIGHT + timedelta(days=1))]
    before = served(rows, lambda _: {"chat": 50, "sql": 50}, 200).filter(pl.col("day") < MONTHS[3])
    june = served(rows, lambda _: {"chat": 100}, 30)
    row = expected(rows, night, pl.concat([before, june]), *map(state, MONTHS[:3]), *states).row(0, named=True)
    # three months without an error, and one of 1400 / 2800 − 1
    assert (row["task"], row["folds"], row["mape_ratio"]) == ("chat", 4, pytest.approx(0.125))


def test_requests_without_labels_are_one_task_that_is_the_model(rows: Any, night: Any) -> None:
    found = expected(rows, night, served(rows, lambda _: {None: 100}, 200))
    row = found.row(0, named=True)
    assert (found.height, row["task"], row["share_ratio"], row["share_sigma"]) == (1, None, 1.0, 0.0)
    assert (row["expected_p50"], row["sigma"]) == (pytest.approx(2800), pytest.approx(0.1))


def test_some_labels_leave_a_task_without_a_name(rows: Any, night: Any) -> None:
    found = expected(rows, night, served(rows, lambda _: {"chat": 75, None: 25}, 200))
    assert tokens_of(found) == {"chat": 2100.0, None: 700.0}


def test_a_task_that_ended_long_ago_is_not_expected(rows: Any, night: Any) -> None:
    found = expected(rows, night, served(rows, lambda back: {"chat": 100} | ({"old": 50} if back >= 28 else {}), 200))
    assert tokens_of(found) == {"chat": 2800.0}


def test_a_task_that_ended_two_weeks_ago_is_in_doubt(rows: Any, night: Any) -> None:
    days = served(rows, lambda back: {"chat": 100} if back < 14 else {"chat": 50, "old": 50}, 200)
    row = expected(rows, night, days).filter(pl.col("task") == "old").row(0, named=True)
    # shares of 0, 0, ½ and ½: ¼ with a standard deviation of √(4 × 0.25² / 3) = 0.2887, so ln(1 + 4/3) of variance
    assert (row["share_ratio"], row["expected_p50"]) == (0.25, pytest.approx(700))
    assert row["sigma"] == pytest.approx(sqrt(0.01 + log(7 / 3)))


def test_under_four_weeks_the_bounds_are_wide_and_say_so(rows: Any, night: Any) -> None:
    first = state(NIGHT + timedelta(days=1), method="last_week", history_days=5, sigma=1.0)
    row = expected(rows, night, served(rows, lambda _: {"chat": 60, "sql": 40}, 5), first).row(0, named=True)
    # one week alone says nothing of how steady a share is: half of it, ln 1.25
    assert (row["basis"], row["weeks"], row["folds"]) == ("short_history", 1, 0)
    assert row["sigma"] == pytest.approx(sqrt(1 + log(1.25)))


def test_a_model_that_delivers_images_is_counted_in_them(rows: Any, night: Any) -> None:
    images = [{"day": NIGHT - timedelta(days=back), "model_id": "m", "task": task, "requests": 1, "units": units,
               "unit_name": "image"} for back in range(60) for task, units in (("ads", 2.5), ("art", 7.5))]  # fmt: skip
    seconds = [{**image, "unit_name": "second", "units": 1e6} for image in images]
    known = state(NIGHT + timedelta(days=1), 10.0, quantity="units")
    found = expected(rows, night, rows("task_days", *images, *seconds), known, unit_name="image")
    assert tokens_of(found) == {"ads": 70.0, "art": 210.0}
    assert set(found["production_unit"]) == {"image"}


def test_days_that_nobody_has_told_of_are_not_days_without_the_task(rows: Any, night: Any) -> None:
    # the last three days are not delivered; the four weeks end on 27 June, and three more days are forecast as such
    days = served(rows, lambda _: {"chat": 60, "sql": 40}, 200).filter(pl.col("day") <= date(2025, 6, 27))
    row = expected(rows, night, days, state(NIGHT + timedelta(days=1), unseen_days=3)).row(0, named=True)
    assert (row["recent"], row["weeks"], row["expected_p50"]) == (1680.0, 4, pytest.approx(1680))
    # the level has walked for three days of the twenty-eight before: √(1 + 3/28) steps
    assert row["sigma"] == pytest.approx(0.1 * sqrt(1 + 3 / 28))


def test_a_model_serves_no_task_after_its_retirement(rows: Any, night: Any) -> None:
    days = served(rows, lambda _: {"chat": 100}, 200)
    row = expected(rows, night, days, retires_on=NIGHT + timedelta(days=10)).row(0, named=True)
    assert (row["days"], row["expected_p50"]) == (10, pytest.approx(1000))
    assert expected(rows, night, days, retires_on=NIGHT).is_empty()


def test_nothing_served_is_no_task(rows: Any, night: Any) -> None:
    empty = [rows(name) for name in ("task_days", "production_units", "demand_states", "demand_forecast")]
    assert task_demand(*empty, night(NIGHT)).is_empty()


def test_a_day_of_a_task_is_what_its_finished_requests_delivered(rows: Any) -> None:
    hour = rows("token_usage", {})["hour"].item().replace(month=6, day=30, hour=7)
    usage = [
        {"hour": hour.replace(hour=at), "model_id": model_id, "task": task, "status": status, "requests": 2,
         "input_tokens": 30, "output_tokens": 10, "weighted_tokens_milli": 70_000}
        for at, model_id, task, status in (
            (7, "m", "chat", "ok"), (9, "m", "chat", "error"), (9, "m", None, "ok"), (9, "m", "chat", "pending"),
            (9, None, "chat", "ok"),
        )
    ]  # fmt: skip
    found = task_days(rows("token_usage", *usage)).select("task", "requests", "tokens", "weighted_tokens_milli")
    assert found.rows() == [("chat", 4, 80, 140_000), (None, 2, 40, 70_000)]
