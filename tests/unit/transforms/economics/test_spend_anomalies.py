"""A day that leaves the interval of its own past is told of; events, noise and growth are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from transforms.economics.spend.interval_of_days import outliers
from transforms.economics.spend.spend_anomalies import spend_anomalies

NIGHT = date(2026, 11, 20)
DAYS = 400


def series(draw: np.random.Generator, noise: float) -> Any:
    """400 days of growth, a level that walks, weekends and noise."""
    day = np.arange(DAYS)
    walk = np.cumsum(draw.normal(0, 0.004, DAYS))
    weekend = np.where(day % 7 >= 5, draw.uniform(0.6, 1.0), 1.0)
    return 1_000 * np.exp(0.001 * day + walk + draw.normal(0, noise, DAYS)) * weekend


def test_a_company_has_at_most_one_false_alarm_a_month_on_400_days() -> None:
    """Six models, two pools and four teams: 400 days are 13 months."""
    draw = np.random.default_rng(7)
    company = [series(draw, noise) for noise in np.linspace(0.005, 0.12, 12)]
    alarms = sum(len(list(outliers(values, 28))) for values in company)
    assert alarms <= DAYS / 30.4375


def test_eighteen_of_twenty_planted_days_are_found() -> None:
    """Spikes, outages and steps of 1.8 to 3 times in series with a noise of 3 to 10 %, each found within a day."""
    draw = np.random.default_rng(11)
    found = 0
    for place in range(20):
        values, day = series(draw, 0.03 + 0.0035 * place), int(draw.integers(150, 390))
        size = draw.uniform(1.8, 3.0)
        if place % 3 == 0:
            values[day] *= size
        elif place % 3 == 1:
            values[day] /= size
        else:
            values[day:] *= size
        found += any(one.position in {day, day + 1} for one in outliers(values, 150))
    assert found >= 18


def test_a_step_is_outside_for_days_and_then_the_new_level_is_expected() -> None:
    values = np.full(120, 100.0)
    values[100:] = 150.0
    places = [one.position for one in outliers(values, 60)]
    assert places[0] == 100
    assert places[-1] < 100 + 28


def test_a_day_of_nothing_is_outside_and_a_series_of_nothing_is_not() -> None:
    values = np.full(120, 100.0)
    values[110] = 0.0
    assert [one.position for one in outliers(values, 60)] == [110]
    assert list(outliers(np.zeros(120), 60)) == []


def test_where_days_of_nothing_are_usual_none_is_outside_and_no_interval_is_endless() -> None:
    """Every ninth and every thirteenth day costs nothing: more than one of twenty, and no weekday tells which."""
    values = np.full(180, 100.0)
    values[::9] = values[::13] = 0.0
    assert list(outliers(values, 60)) == []

    values[100:] = 100.0
    values[170] = 0.0
    last = list(outliers(values, 165))
    assert [one.position for one in last if not np.isfinite(one.high)] == []


def booked(rows: Any, spike: float, **given: Any) -> Any:
    """120 days of $100 of one model, pool and team, and of $300 of another source; the last day is partial."""
    written = []
    for place in range(120):
        day = NIGHT - timedelta(days=119 - place)
        usd = spike if day == NIGHT - timedelta(days=2) else 100 if place < 119 else 20
        base = {"charge_date": day, "currency": "USD", "account": "direct", "phase": "inference"}
        written.append(base | {"source": "cloud", "model_id": "owl", "pool_id": "h100", "team": "search",
                               "effective_cost": Decimal(str(usd))} | given)  # fmt: skip
        written.append(base | {"source": "other", "model_id": "crow", "effective_cost": Decimal(300)})
    return rows("booked_days", *written)


def anomalies(rows: Any, night: Any, spike: float, runs: Any = None, **life: Any) -> list[dict[str, Any]]:
    models = rows("models", {"model_id": "owl", **life})
    found = spend_anomalies(booked(rows, spike), rows("fx"), models, rows("training_runs", *(runs or [])), night(NIGHT))
    return found.to_dicts()


def test_a_spike_is_told_of_its_model_its_pool_and_its_team_with_its_ledger_rows(rows: Any, night: Any) -> None:
    """$250 where 100 are expected: the same $150 for all three."""
    found = anomalies(rows, night, 250)
    assert [(row["subject_kind"], row["subject"]) for row in found] == [
        ("model", "owl"), ("pool", "h100"), ("team", "search"),
    ]  # fmt: skip
    row = found[0]
    assert (row["actual_usd"], row["expected_usd"]) == (Decimal(250), Decimal(100))
    assert (row["ledger_source"], row["ledger_account"], row["ledger_change_usd"]) == ("cloud", "direct", Decimal(150))
    assert row["charge_date"] == row["since"] == NIGHT - timedelta(days=2)
    assert row["is_new"]


def test_the_last_day_of_a_bill_is_not_judged(rows: Any, night: Any) -> None:
    assert anomalies(rows, night, 100) == []


def test_a_day_that_is_no_hundredth_of_the_company_is_not_told(rows: Any, night: Any) -> None:
    """$109 against 100 leaves the interval of a flat series; a hundredth of $400 a day is 4."""
    assert len(anomalies(rows, night, 109)) == 3
    assert anomalies(rows, night, 103) == []


@pytest.mark.parametrize(
    "life", [{"released_on": NIGHT - timedelta(days=3)}, {"retires_on": NIGHT - timedelta(days=2)}]
)
def test_a_release_and_a_retirement_are_events(rows: Any, night: Any, life: dict[str, date]) -> None:
    assert "model" not in {row["subject_kind"] for row in anomalies(rows, night, 250, **life)}


def test_the_start_of_a_run_is_an_event_of_its_pool(rows: Any, night: Any) -> None:
    start = datetime(2026, 11, 18, 9, tzinfo=UTC)
    run = {"run_id": "r", "pool_id": "h100", "held_from": start}
    assert "pool" not in {row["subject_kind"] for row in anomalies(rows, night, 250, [run])}
