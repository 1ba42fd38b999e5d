"""The verdict on each model's thirds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.checks import shares_off_one
from transforms.economics.spend.model_thirds import bases, thirds

NIGHT = date(2025, 5, 16)
TOMORROW = date(2025, 5, 17)


def judged(
    rows: Any,
    night: Any,
    spends: tuple[object, object, object],
    ahead: tuple[float, float, float] | None = None,
    model: dict[str, Any] | None = None,
    history_days: int = 90,
    law_excess: float | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """The thirds of one model by what it spent, what inference is still to come (P10, P50, P90), and its policy row."""
    phases = zip(("pretraining", "posttraining", "inference"), spends, strict=True)
    lifecycle = rows("lifecycle_spend", *({"model_id": "m", "phase": p, "direct_usd": usd} for p, usd in phases))
    known = {"model_id": "m", "origin": "own", "released_on": date(2025, 3, 17), **(model or {})}
    life = {name: known.get(name) for name in ("model_id", "released_on", "retires_on")}
    expected = rows("expected_service")
    by_law = rows(
        "two_phase_balance", *([] if law_excess is None else [{"model_id": "m", "law_excess_ratio": law_excess}])
    )
    if ahead is not None:
        quantiles = dict(zip(("expected_p10", "expected_p50", "expected_p90"), ahead, strict=True))
        method = "smoothing" if history_days >= 28 else "last_week"
        row = {"known_on": TOMORROW, "model_id": "m", "quantity": "inference_usd", "days": 300, "method": method,
               "history_days": history_days, **quantiles}  # fmt: skip
        expected = rows("expected_service", row)
    found = thirds(
        lifecycle, expected, rows("model_lives", life), rows("models", known), by_law, night(NIGHT, **settings)
    )
    assert shares_off_one(found).is_empty()
    return found.row(0, named=True)


def test_a_heavy_phase_and_what_it_has_cost(rows: Any, night: Any) -> None:
    # 60, 10, 30 of $100 and nothing more to come: (1/3)/(0.6 × 0.1 × 0.3)^(1/3) − 1 = 27.2 %, 27.2/127.2 × 100 = $21.4
    found = judged(rows, night, (60, 10, 30), model={"retires_on": NIGHT})
    assert found["penalty_ratio"] == pytest.approx(0.2719, abs=1e-4)
    assert float(found["distance_usd"]) == pytest.approx(21.38, abs=0.01)
    assert (found["status"], found["heavy_phase"], found["age_days"]) == ("pretraining_heavy", "pretraining", 60)


def test_the_verdict_is_that_of_the_projected_life(rows: Any, night: Any) -> None:
    # today 40, 40, 5; with $35 more of inference, surely, it ends at 40, 40, 40
    found = judged(rows, night, (40, 40, 5), ahead=(35, 35, 35))
    assert found["penalty_ratio"] > 0.4
    assert found["projected_inference_usd_p50"] == Decimal(40)
    assert (found["projected_penalty_ratio_p50"], found["status"]) == (0.0, "balanced")


def test_a_model_whose_future_decides_is_too_young(rows: Any, night: Any) -> None:
    # with $5 to come it is training-heavy, with $400 inference-heavy, with about $40 balanced
    found = judged(rows, night, (40, 40, 5), ahead=(5, 45, 400))
    assert found["projected_penalty_ratio_p10"] <= 0.10 < found["projected_penalty_ratio_p90"]
    assert found["status"] == "too_young"


def test_a_model_that_never_served_is_too_young_until_it_has_retired(rows: Any, night: Any) -> None:
    assert judged(rows, night, (40, 40, 0))["status"] == "too_young"
    retired = judged(rows, night, (45, 40, 0), model={"retires_on": date(2025, 5, 15)})
    assert (retired["status"], retired["heavy_phase"]) == ("pretraining_heavy", "pretraining")
    assert (retired["penalty_ratio"], retired["distance_usd"], retired["inference_ratio"]) == (None, None, 0.0)


def test_a_week_of_serving_comes_before_a_verdict(rows: Any, night: Any) -> None:
    # $10 on the first day; a year of it within P10 and P90 of a seventh and sevenfold is far from balance, but a day
    # tells of no week
    spends, ahead = (600, 200, 10), (532.0, 3640.0, 24886.0)
    first = judged(rows, night, spends, ahead=ahead, history_days=6)
    assert (first["status"], first["projected_inference_usd_p50"]) == ("too_young", None)
    assert judged(rows, night, spends, ahead=ahead, history_days=7)["status"] == "inference_heavy"
    # what has retired has no future to wait for
    retired = judged(rows, night, spends, ahead=ahead, history_days=6, model={"retires_on": NIGHT})
    assert retired["status"] == "pretraining_heavy"


def test_a_first_month_that_ended_in_silence_is_no_forecast_of_silence(rows: Any, night: Any) -> None:
    silent = {"known_on": TOMORROW, "model_id": "m", "quantity": "inference_usd", "days": 300, "method": "last_week"}
    for method, status in (("last_week", "too_young"), ("smoothing", "pretraining_heavy")):
        found = thirds(
            rows("lifecycle_spend", {"model_id": "m", "phase": "pretraining", "direct_usd": 9}),
            rows("expected_service", {**silent, "method": method}),
            rows("model_lives", {"model_id": "m"}),
            rows("models", {"model_id": "m", "origin": "own"}),
            rows("two_phase_balance"),
            night(NIGHT),
        )
        assert found["status"].to_list() == [status]


def test_a_model_that_is_optimal_under_the_law_says_so_beside_the_heuristic(rows: Any, night: Any) -> None:
    # T/D0 = 43: cost-optimal under the law, and 6 % "over" by the product of powers
    spends, served = (20, 20, 60), {"retires_on": NIGHT}
    near, far, unknown = (judged(rows, night, spends, model=served, law_excess=excess) for excess in (0.02, 0.3, None))
    assert near["status"] == far["status"] == "inference_heavy"
    assert (near["is_law_optimal"], far["is_law_optimal"], unknown["is_law_optimal"]) == (True, False, None)
    assert near["law_excess_ratio"] == 0.02


def test_nothing_spent_is_nothing_to_judge(rows: Any, night: Any) -> None:
    found = judged(rows, night, (0, 0, 0))
    assert (found["status"], found["penalty_ratio"], found["pretraining_ratio"]) == ("too_young", None, None)
    assert found["heavy_phase"] is None


def test_an_adopted_base_compares_the_two_phases_that_were_paid(rows: Any, night: Any) -> None:
    # 80 and 20 against one half each: 25 %; a fifth of $100 is $20
    found = judged(rows, night, (0, 80, 20), model={"origin": "adopted", "retires_on": NIGHT})
    assert found["status"] == "no_own_pretraining"
    assert (found["target_pretraining_ratio"], found["target_inference_ratio"]) == (0.0, 0.5)
    assert (found["pretraining_ratio"], found["posttraining_ratio"]) == (None, 0.8)
    assert found["penalty_ratio"] == pytest.approx(0.25)
    assert found["distance_usd"] == Decimal(20)


def test_an_own_model_on_a_base_from_outside_has_no_own_pretraining_either(rows: Any, night: Any) -> None:
    found = judged(rows, night, (0, 50, 50), ahead=(1, 1, 1), model={"base_model_id": "somebody-elses-7b"})
    assert found["status"] == "no_own_pretraining"
    trained_on = judged(rows, night, (50, 50, 50), ahead=(0, 0, 0), model={"base_model_id": "somebody-elses-7b"})
    assert trained_on["status"] == "balanced"


def test_the_target_can_be_any_weights(rows: Any, night: Any) -> None:
    weights = {"pretraining_weight": 3.0, "posttraining_weight": 2.0, "inference_weight": 5.0}
    found = judged(rows, night, (30, 20, 50), model={"retires_on": NIGHT}, **weights)
    assert (found["penalty_ratio"], found["status"], found["target_inference_ratio"]) == (0.0, "balanced", 0.5)


def test_inherited_training_counts_as_the_heirs_and_not_as_the_bases(rows: Any, night: Any) -> None:
    lifecycle = rows(
        "lifecycle_spend",
        {"model_id": "base", "phase": "pretraining", "direct_usd": 90, "inherited_usd": -90},
        {"model_id": "kid", "phase": "pretraining", "inherited_usd": 90},
        {"model_id": "kid", "phase": "posttraining", "direct_usd": 90},
        {"model_id": "kid", "phase": "inference", "direct_usd": 90},
    )
    models = rows("models", {"model_id": "base", "origin": "own"}, {"model_id": "kid", "base_model_id": "base"})
    lives = rows("model_lives", {"model_id": "kid", "retires_on": NIGHT})
    found = thirds(lifecycle, rows("expected_service"), lives, models, rows("two_phase_balance"), night(NIGHT))
    assert found.select("model_id", "pretraining_usd", "status").rows() == [
        ("base", Decimal(0), "too_young"),
        ("kid", Decimal(90), "balanced"),
    ]


def test_bases_follow_the_whole_line(rows: Any) -> None:
    models = rows(
        "models",
        {"model_id": "open", "origin": "adopted"},
        {"model_id": "tuned", "origin": "own", "base_model_id": "open"},
        {"model_id": "tuned-again", "origin": "own", "base_model_id": "tuned"},
        {"model_id": "ours", "origin": "own"},
    )
    assert dict(bases(models).iter_rows()) == {
        "open": "adopted",
        "tuned": "descends",
        "tuned-again": "descends",
        "ours": "own",
    }


def test_no_models_have_no_thirds(rows: Any, night: Any) -> None:
    tables = (
        rows(name) for name in ("lifecycle_spend", "expected_service", "model_lives", "models", "two_phase_balance")
    )
    assert thirds(*tables, night(NIGHT)).is_empty()


def test_shares_that_miss_one_are_found(rows: Any) -> None:
    off = rows("thirds", {"inference_ratio": 0.5, "posttraining_ratio": 0.4, "target_inference_ratio": 1.0})
    assert shares_off_one(off).height == 1
    assert shares_off_one(off.with_columns(posttraining_ratio=pl.lit(0.5))).is_empty()
