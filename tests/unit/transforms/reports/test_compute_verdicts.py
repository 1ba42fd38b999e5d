"""What page 7 says is decided by the law and by facts, before any word is chosen."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.scaling.two_phase import Curve
from transforms.reports.compute_verdicts import law_verdicts, runs_in_flight, serving_batches, task_standings
from transforms.reports.title_cases import compute_title
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 11, 20)


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table; numbers that a row leaves out are 0, text is empty."""
    schema = CATALOGUE[name]
    blanks: dict[Any, Any] = {pl.String: "", pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False, pl.Decimal: Decimal(0),
                              pl.Date: NIGHT, pl.List: [], pl.Datetime: None}  # fmt: skip
    blank = {one: None if kind.is_nullable else blanks[type(kind.dtype)] for one, kind in schema.columns().items()}
    written = [blank | row for row in rows]
    return schema.frame(pl.DataFrame(written, schema_overrides=schema.polars_schema())) if rows else schema.empty()


def balance(model: str = "m", **given: Any) -> dict[str, Any]:
    known = {"equal_from_ratio": 3.6, "equal_best_ratio": 9.3, "equal_to_ratio": 43.0, "tokens": 1e12}
    return {"model_id": model, **known, **given}


def verdicts(*rows: dict[str, Any], spent: dict[str, int] | None = None, retired: tuple[str, ...] = ()) -> pl.DataFrame:
    models = [row["model_id"] for row in rows]
    costs = [{"model_id": name, "inference_usd": Decimal((spent or {}).get(name, 1))} for name in models]
    return law_verdicts(
        table("scaling_evidence", *({"model_id": name} for name in models)),
        table("two_phase_balance", *rows),
        table("thirds", *costs),
        table("band_verdicts", *({"model_id": name, "is_retired": name in retired} for name in models)),
    )


@pytest.mark.parametrize(
    ("given", "verdict", "fits"),
    [
        ({"demand_ratio": None}, "demand_unknown", None),
        ({"demand_ratio": 100.0, "law_excess_ratio": 0.4, "optimum_tokens": 3e12}, "smaller_longer", False),
        ({"demand_ratio": 1.0, "law_excess_ratio": 0.4, "optimum_tokens": 5e11}, "larger_shorter", False),
        ({"demand_ratio": 9.0, "law_excess_ratio": 0.4, "optimum_tokens": 3e12}, "smaller_longer", True),
        ({"demand_ratio": 100.0, "law_excess_ratio": 0.09, "optimum_tokens": 3e12}, "near_optimum", False),
    ],
)
def test_the_direction_is_the_laws_and_a_model_near_its_optimum_is_not_accused(
    given: dict[str, Any],
    verdict: str,
    fits: bool | None,  # noqa: FBT001 - an expected value
) -> None:
    row = verdicts(balance(**given)).row(0, named=True)
    assert (row["verdict"], row["fits_equal_split"]) == (verdict, fits)


def test_a_demand_of_86_is_twice_past_a_range_that_ends_at_43_and_of_1_2_three_times_short_of_3_6() -> None:
    """86 / 43 = 2 and 3.6 / 1.2 = 3."""
    past, short = (verdicts(balance(demand_ratio=demand)).row(0, named=True) for demand in (86.0, 1.2))
    assert (past["beyond_ratio"], past["is_above"]) == (pytest.approx(2.0), True)
    assert (short["beyond_ratio"], short["is_above"]) == (pytest.approx(3.0), False)


def test_the_model_that_cost_most_leads_and_one_that_has_retired_or_is_not_known_does_not() -> None:
    rows = [balance("cheap", demand_ratio=99.0), balance("dear", demand_ratio=99.0), balance("gone", demand_ratio=99.0),
            balance("young", demand_ratio=None)]  # fmt: skip
    found = verdicts(*rows, spent={"cheap": 1, "dear": 5, "gone": 9, "young": 7}, retired=("gone",))
    assert found["model_id"].to_list() == ["dear", "cheap", "young"]


def test_gpus_that_two_models_share_are_counted_for_neither() -> None:
    rows = (
        {"deployment_id": "both", "model_id": "a", "batch_measured": 2.0, "small_batches_usd": Decimal(70)},
        {"deployment_id": "both", "model_id": "b", "batch_measured": 3.0, "small_batches_usd": Decimal(80)},
        {"deployment_id": "own", "model_id": "a", "batch_measured": 4.0, "small_batches_usd": Decimal(30)},
        {"deployment_id": "silent", "model_id": "c", "batch_measured": None, "small_batches_usd": Decimal(20)},
    )
    found = serving_batches(table("serving_regimes", *({"limited_by": "memory"} | row for row in rows)))
    assert found.select("deployment_id", "models", "small_batches_usd").rows() == [
        ("own", 1, Decimal(30)), ("silent", 1, None), ("both", 2, None), ("both", 2, None),
    ]  # fmt: skip


def test_an_rl_run_is_judged_by_its_reward_and_runs_to_stop_come_first() -> None:
    losses = table(
        "run_forecasts",
        {"run_id": "rl", "kind": "rl", "verdict": "unknown", "reason_code": "reward_decides"},
        {"run_id": "fine", "kind": "sft", "verdict": "continue", "reason_code": "may_be_best"},
        {"run_id": "bad", "kind": "sft", "verdict": "stop", "reason_code": "not_a_number"},
    )
    rewards = table(
        "reward_forecasts",
        {"run_id": "rl", "steps": 62.0, "planned_steps": 100.0, "reward": 0.71, "verdict": "continue",
         "reason_code": "still_gaining"},
        {"run_id": "over", "steps": 9.0, "verdict": "continue", "reason_code": "at_its_end"},
    )  # fmt: skip
    runs = table("training_runs", *({"run_id": name, "status": "running"} for name in ("rl", "fine", "bad")),
                 {"run_id": "over", "status": "finished"})  # fmt: skip
    found = runs_in_flight(losses, rewards, runs)
    assert found["run_id"].to_list() == ["bad", "fine", "rl"]
    assert found.row(2, named=True)["measured_by"] == "reward"
    assert found.row(2, named=True)["progress_ratio"] == pytest.approx(0.62)


def test_work_without_a_label_is_named_so_and_shares_add_up_to_all_of_it() -> None:
    """30 of 100 could move, 20 stay because they are open-ended, 50 nobody labelled."""
    rows = (
        {"model_id": "a", "task": "triage", "standing": "movable_measured", "task_class": "defined", "usd": 30},
        {"model_id": "a", "task": "chat", "standing": "stays", "task_class": "open_ended", "usd": 20},
        {"model_id": "b", "task": None, "standing": "stays", "task_class": "open_ended", "usd": 50},
    )
    found = task_standings(table("task_classes", *(
        {name: value for name, value in row.items() if name != "usd"} | {"monthly_inference_usd": Decimal(row["usd"])}
        for row in rows
    )))  # fmt: skip
    assert found.select("standing", "share_ratio").rows() == [
        ("movable_measured", 0.3), ("open_ended", 0.2), ("unlabelled", 0.5),
    ]  # fmt: skip


def test_the_page_leads_with_the_law_then_batches_then_runs_and_is_left_out_where_none_is_known() -> None:
    law, none = verdicts(balance(demand_ratio=99.0)), verdicts()
    batches = serving_batches(
        table("serving_regimes", {"deployment_id": "d", "limited_by": "memory", "batch_measured": 1.0,
                                  "small_batches_usd": Decimal(5)})
    )  # fmt: skip
    run = {"run_id": "r", "kind": "sft", "verdict": "stop", "reason_code": "rising"}
    runs = runs_in_flight(table("run_forecasts", run), table("reward_forecasts"), table("training_runs"))
    empty = table("serving_batches"), table("runs_in_flight")
    assert compute_title(law, batches, runs) == ("split_some", "stop")
    assert compute_title(none, batches, empty[1]) == ("batches", None)
    assert compute_title(none, empty[0], runs) == ("runs", "stop")
    assert compute_title(verdicts(balance(demand_ratio=None)), *empty) == ("demand_unknown", None)
    assert compute_title(none, *empty) == ("nothing", None)


@pytest.mark.parametrize(("alpha", "beta"), [(0.34, 0.28), (0.3478, 0.3658), (0.5, 0.2)])
def test_an_equal_split_costs_a_tenth_more_at_both_ends_of_its_range_and_nothing_at_its_best(
    alpha: float, beta: float
) -> None:
    curve = Curve(alpha, beta)
    low, high = curve.equal_range(0.1)
    assert low < curve.equal_best < high
    assert curve.equal_excess(low) == pytest.approx(0.1, abs=1e-6)
    assert curve.equal_excess(high) == pytest.approx(0.1, abs=1e-6)
    assert curve.equal_excess(curve.equal_best) == pytest.approx(0, abs=1e-9)
    assert curve.training_ratio(curve.optimum(curve.equal_best)) == pytest.approx(0.5)
