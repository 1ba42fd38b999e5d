"""What became of recommendations, and where runs in flight are heading."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from transforms.decisions.runs.divergence import divergence
from transforms.decisions.runs.run_tails import Curve, forecast_errors, half_width, interval, tail_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Company

NIGHT = dt.date(2026, 11, 21)
ASKED = dt.date(2026, 8, 1)


def asked(company: Company, action: str, night: dt.date = ASKED, **row: object) -> Company:
    """A card of an earlier night, which promised 6,000 to 9,000 a month."""
    promise = {f"monthly_saving_usd_p{level}": value for level, value in ((10, 6000), (50, 7500), (90, 9000))}
    return company.add("past_recommendations", night=night, rank=1, action=action, **promise, **row)


def serve(
    company: Company, model_id: str, first: dt.date, days: int, tokens: int, usd: float, task: str | None = None
) -> None:
    """So many tokens and dollars a day."""
    for ahead in range(days):
        day = first + dt.timedelta(days=ahead)
        hour = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        company.add("daily_service", day=day, model_id=model_id, input_tokens=tokens, inference_usd=usd, requests=1)
        counts = {"input_tokens": tokens, "weighted_tokens_milli": tokens * 1000, "status": "ok"}
        company.add("token_usage", hour=hour, model_id=model_id, task=task, **counts)
        paid = {"charge_date": day, "account": "direct", "phase": "inference", "effective_usd": usd}
        company.add("daily_spend", model_id=model_id, **paid)


def followed(company: Company) -> dict[str, Any]:
    """The one row of the track record."""
    return company.decide("track_record").row(0, named=True)


@pytest.fixture
def routed(company: Company) -> Company:
    """A task of 1e8 tokens a day at 4 dollars a million on the teacher in July; at 1.5 dollars on the student now."""
    company.rows.clear()
    serve(company, "teacher", dt.date(2026, 7, 5), 28, 10**8, 400.0, "triage")
    serve(company, "student", dt.date(2026, 10, 25), 28, 10**8, 150.0, "triage")
    return asked(company, "route", model_id="teacher", task="triage")


def test_a_task_that_moved_has_saved_the_difference_of_the_prices(routed: Company) -> None:
    # 1e8 × 30.4375 days × (4 − 1.5) / 1e6 = 7,609 dollars a month
    row = followed(routed)

    assert row["state"] == "realised"
    assert float(row["realised_usd"]) == pytest.approx(7609.375, abs=0.01)
    assert row["is_within"]


def test_a_task_that_stayed_is_still_open_while_it_is_asked_for(company: Company) -> None:
    company.rows.clear()
    serve(company, "teacher", dt.date(2026, 7, 5), 140, 10**8, 400.0, "triage")
    for night in (ASKED, NIGHT - dt.timedelta(days=1)):
        asked(company, "route", night, model_id="teacher", task="triage")
    row = followed(company)

    assert (row["state"], row["realised_usd"], row["recommended_as_of"]) == ("open", None, ASKED)


def test_a_card_that_is_no_longer_published_and_was_never_followed_is_withdrawn(company: Company) -> None:
    company.rows.clear()
    serve(company, "teacher", dt.date(2026, 7, 5), 140, 10**8, 400.0, "triage")

    assert followed(asked(company, "route", model_id="teacher", task="triage"))["state"] == "withdrawn"


def test_a_saving_outside_the_promise_is_said_to_be(routed: Company) -> None:
    for table, column in (("daily_service", "inference_usd"), ("daily_spend", "effective_usd")):
        routed.rows[table] = [
            {**row, column: 390.0} if row["model_id"] == "student" else row for row in routed.rows[table]
        ]

    assert followed(routed)["is_within"] is False


def test_a_retrained_model_is_followed_to_the_successor_that_names_it(company: Company) -> None:
    # the successor serves 1e8 tokens a day for 150 dollars that cost 400 before: 250 × 30.4375 = 7,609 a month
    company.rows.clear()
    company.add("models", model_id="large")
    company.add("models", model_id="small", base_model_id="large", released_on=dt.date(2026, 9, 1))
    serve(company, "large", dt.date(2026, 7, 5), 28, 10**8, 400.0)
    serve(company, "small", dt.date(2026, 10, 25), 28, 10**8, 150.0)
    row = followed(asked(company, "retrain_smaller", model_id="large"))

    assert (row["state"], row["is_within"]) == ("realised", True)
    assert "small" in row["reason"]


def test_a_released_pool_is_followed_by_its_idle_cost(company: Company) -> None:
    company.rows.clear()
    for first, usd in ((dt.date(2026, 7, 5), 300.0), (dt.date(2026, 10, 25), 60.0)):
        for ahead in range(28):
            day = first + dt.timedelta(days=ahead)
            company.add("daily_spend", charge_date=day, account="idle", pool_id="p", effective_usd=usd)
    row = followed(asked(company, "release_capacity", pool_id="p"))

    # (300 − 60) × 30.4375 = 7,305 a month
    assert (row["state"], float(row["realised_usd"])) == ("realised", 7305.0)


def test_what_was_acted_on_last_week_is_not_judged_yet(routed: Company) -> None:
    routed.rows["past_recommendations"][0] = {**routed.rows["past_recommendations"][0], "night": dt.date(2026, 10, 20)}
    serve(routed, "teacher", dt.date(2026, 9, 25), 26, 10**8, 400.0, "triage")
    row = followed(routed)

    assert (row["state"], row["is_within"]) == ("acted", None)


def test_what_the_night_itself_has_published_is_not_yet_past(company: Company) -> None:
    assert asked(company, "route", NIGHT).decide("track_record").is_empty()


def late(company: Company, days: int) -> Company:
    """The last days of the requests are not delivered, so that forecasts start before them."""
    known_to = NIGHT - dt.timedelta(days=days)
    for name, column in (("daily_service", "day"), ("token_usage", "hour")):
        company.rows[name] = [row for row in company.rows[name] if _date(row[column]) <= known_to]
    known = {"known_on": NIGHT + dt.timedelta(days=1), "model_id": "*", "unseen_days": days}
    return company.add("demand_states", quantity="tokens", **known)


def _date(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def test_days_that_nobody_has_told_of_are_no_days_without_service(routed: Company) -> None:
    # served since 18 October, known to the 14th of November: four whole weeks, not three
    serve(routed, "student", dt.date(2026, 10, 18), 7, 10**8, 150.0, "triage")

    assert float(followed(late(routed, 7))["realised_usd"]) == pytest.approx(7609.375, abs=0.01)


def test_eight_weeks_are_counted_to_the_last_known_day(routed: Company) -> None:
    # of 25 September, known to 20 November: 56 days; known to the 19th: 55
    routed.rows["past_recommendations"][0] = {**routed.rows["past_recommendations"][0], "night": dt.date(2026, 9, 25)}
    serve(routed, "teacher", dt.date(2026, 8, 29), 28, 10**8, 400.0, "triage")
    serve(routed, "student", dt.date(2026, 10, 18), 7, 10**8, 150.0, "triage")

    assert followed(late(routed, 1))["state"] == "realised"
    routed.rows["demand_states"].clear()
    assert followed(late(routed, 2))["state"] == "acted"


def test_a_recommendation_of_a_night_that_is_not_known_yet_is_not_judged(company: Company) -> None:
    company.rows.clear()
    serve(company, "teacher", dt.date(2026, 7, 5), 140, 10**8, 400.0, "triage")
    asked(company, "retire", NIGHT - dt.timedelta(days=2), model_id="teacher")
    row = followed(late(company, 5))

    assert (row["state"], row["realised_usd"], row["reason"]) == ("open", None, "known to 2026-11-16 only")


def test_holding_is_no_promise(company: Company) -> None:
    company.rows.clear()

    assert asked(company, "hold", model_id="a").decide("track_record").is_empty()


def curve(floor: float, tokens: float = 1e9, points: int = 200) -> Curve:
    """A loss that falls as E + 3 · (t / 1e6)^−0.3."""
    seen = np.geomspace(1e6, tokens, points)
    return Curve(seen, floor + 3 * (seen / 1e6) ** -0.3)


def test_the_tail_of_a_power_law_is_found_from_its_first_tenth() -> None:
    # 2 + 3 × 1000^−0.3 = 2.3777 at the end
    assert tail_loss(curve(2.0).until(0.1), 1e9) == pytest.approx(2.3777, rel=2e-3)


def test_a_curve_of_a_few_points_has_no_tail() -> None:
    assert tail_loss(curve(2.0, points=5), 1e9) is None


def test_the_interval_is_the_error_that_eight_of_ten_past_runs_stayed_under() -> None:
    # nine errors: rank ceil(10 × 0.8) = 8 of 0.01 … 0.09
    assert half_width(np.arange(1, 10) / 100) == 0.08
    assert half_width(np.array([0.01, 0.02])) is None


def training(company: Company, run_id: str, status: str, floor: float, share: float = 1.0, **row: object) -> None:
    """A run of the model `new` with its whole curve, or the first part of it."""
    seen = curve(floor).until(share)
    base = {
        "model_id": "new",
        "phase": "pretraining",
        "params": 1e8,
        "ended_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    }
    company.add("training_runs", run_id=run_id, status=status, final_loss=float(seen.loss[-1]), **{**base, **row})
    for tokens, loss in zip(seen.tokens, seen.loss, strict=True):
        company.add("training_metrics", run_id=run_id, tokens=float(tokens), name="loss", value=float(loss))


@pytest.fixture
def laboratory(company: Company) -> Company:
    """Six finished runs of a model planned for a billion tokens, the best at a floor of 2."""
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, training_tokens=1e9, origin="own")
    company.add("phase_compute", model_id="new", phase="pretraining", compute_flop=1e18, usd_per_flop=1e-15)
    for number in range(6):
        training(company, f"past-{number}", "finished", 2.0 + number / 10)
    return company


def test_a_run_that_cannot_reach_what_exists_is_stopped(laboratory: Company) -> None:
    training(laboratory, "now", "running", 3.0, share=0.3)
    row = laboratory.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["past_runs"]) == ("stop", 6)
    # 6 × 1e8 × 7e8 tokens left × 1e-15 dollars a FLOP = 420 dollars
    assert float(row["remaining_usd"]) == pytest.approx(420, rel=0.05)
    assert row["final_loss_p50"] == pytest.approx(3.378, rel=0.01)


def test_a_run_that_may_be_the_best_goes_on(laboratory: Company) -> None:
    training(laboratory, "now", "running", 1.8, share=0.3)

    assert laboratory.decide("run_forecasts").item(0, "verdict") == "continue"


def test_a_run_of_unknown_length_asks_for_its_plan(laboratory: Company) -> None:
    training(laboratory, "now", "running", 1.8, share=0.3, model_id="other")
    row = laboratory.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["reason_code"]) == ("unknown", "length_unknown")


def log(company: Company, run_id: str, loss: Sequence[float | None], **row: object) -> None:
    """A run in flight of ten million tokens a logged loss."""
    base = {"model_id": "new", "phase": "pretraining", "params": 1e8}
    company.add("training_runs", run_id=run_id, status="running", **{**base, **row})
    for number, value in enumerate(loss, start=1):
        company.add("training_metrics", run_id=run_id, tokens=number * 1e7, step=number, name="loss", value=value)


def falling(points: int) -> list[float]:
    return [float(2 + 3 * (number * 10) ** -0.3) for number in range(1, points + 1)]


def test_a_loss_that_rises_stops_a_run_that_nothing_can_be_compared_with(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, training_tokens=1e9, origin="own")
    log(company, "now", falling(10) + [2.9 + 0.1 * number for number in range(20)])
    company.add("run_spend", run_id="now", effective_usd=Decimal(300))
    row = company.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["reason_code"]) == ("stop", "rising")
    # 300 million of a billion tokens for 300 dollars: the rest would cost 700
    assert float(row["remaining_usd"]) == pytest.approx(700)
    assert row["lowest_at_tokens"] == pytest.approx(1e8, rel=0.1)


def test_a_loss_that_rose_just_now_is_rolled_back_to_its_best(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, training_tokens=1e9, origin="own")
    log(company, "now", falling(50) + [4.0] * 4)
    row = company.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["reason_code"]) == ("roll_back", "rising")


def test_a_loss_that_is_no_number_is_rolled_back(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, training_tokens=1e9, origin="own")
    log(company, "now", [*falling(50), None, None])
    row = company.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["reason_code"]) == ("roll_back", "not_a_number")


def test_a_run_on_its_way_does_not_diverge() -> None:
    dice = np.random.default_rng(1)
    for noise in (0.0, 0.02, 0.05):
        seen = np.arange(1, 400) * 1e6
        made = Curve(seen, (2 + 3 * (seen / 1e6) ** -0.3) * dice.lognormal(0, noise, seen.size))
        assert divergence(made, 0, None) is None


def test_a_fine_tuning_run_is_as_long_as_those_before_it_and_not_as_the_model(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, training_tokens=1e12, origin="own")
    for number in range(3):
        made = {"phase": "posttraining", "tokens": 4e8, "ended_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)}
        company.add("training_runs", run_id=f"sft-{number}", status="finished", model_id="new", **made)
    log(company, "now", falling(30), phase="posttraining", tokens=3e8)
    company.add("run_spend", run_id="now", effective_usd=Decimal(300))
    row = company.decide("run_forecasts").row(0, named=True)

    assert (row["kind"], row["planned_tokens"]) == ("sft", 4e8)
    assert float(row["remaining_usd"]) == pytest.approx(100)


def test_a_run_of_another_size_than_its_model_is_one_of_a_sweep(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e10, training_tokens=1e12, origin="own")
    log(company, "now", falling(30))

    row = company.decide("run_forecasts").row(0, named=True)
    assert (row["kind"], row["planned_tokens"], row["reason_code"]) == ("sweep", None, "length_unknown")


def test_the_loss_of_a_policy_that_rises_stops_no_rl_run(company: Company) -> None:
    company.rows.clear()
    company.add("models", model_id="new", params=1e8, origin="own")
    log(company, "now", falling(10) + [2.9 + 0.1 * number for number in range(20)], phase="posttraining")
    company.add("training_metrics", run_id="now", step=1, name="reward", value=0.1)
    row = company.decide("run_forecasts").row(0, named=True)

    assert (row["kind"], row["verdict"], row["reason_code"]) == ("rl", "unknown", "reward_decides")


def scaled(scale: float, bend: float) -> Curve:
    """A run whose loss bends by a part of the way that its first half does not show."""
    seen = np.geomspace(1e6, 1e9, 200)
    loss = 2 + 3 * (seen / 1e6) ** -0.3
    return Curve(seen, np.where(seen > 5e8, loss * (1 - bend * (seen / 1e9 - 0.5)), loss), scale)


def test_an_interval_from_smaller_runs_is_widened_until_past_larger_ones_lie_within_it() -> None:
    small = [scaled(1.0, 0.02 * number / 8) for number in range(8)]
    large = [scaled(10.0, 0.06 + 0.02 * number / 8) for number in range(8)]
    told = interval([*small, *large], 0.5, 1000.0)

    assert (told.basis, told.hold_outs, told.coverage) == ("smaller_scale", 8, 0.0)
    assert told.widened_coverage is not None
    assert told.widened_coverage >= 0.8
    assert told.widening > 3


def test_comparable_runs_need_no_widening() -> None:
    made = interval([scaled(1.0, 0.02 * number / 8) for number in range(8)], 0.5, 2.0)

    assert (made.basis, made.runs, made.widening) == ("comparable_scale", 8, 1.0)


def test_a_company_with_no_finished_run_is_told_that_the_interval_is_unknown(laboratory: Company) -> None:
    for name in ("training_runs", "training_metrics"):
        laboratory.rows[name].clear()
    training(laboratory, "now", "running", 1.8, share=0.3)
    row = laboratory.decide("run_forecasts").row(0, named=True)

    assert (row["verdict"], row["final_loss_p10"]) == ("unknown", None)
    assert row["reason_code"] == "too_few_runs"


def test_a_forecast_error_is_the_end_that_came_over_the_one_expected() -> None:
    assert np.abs(forecast_errors([curve(2.0), curve(2.5)], 0.5)).max() < 0.01
