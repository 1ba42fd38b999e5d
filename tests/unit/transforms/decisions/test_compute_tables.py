"""What the compute page is drawn from: regimes of serving, kinds of task, and sizes for several samples a request."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from transforms.decisions.demand.task_classes import task_classes
from transforms.decisions.law.sampling_optimum import sampling_optimum
from transforms.decisions.supply.serving_regimes import serving_regimes

if TYPE_CHECKING:
    from conftest import Company, TableOf

NIGHT = dt.date(2026, 11, 21)
STATE = {
    "deployment_id": "d", "model_id": "m", "gpu_model": "H100", "gpu_count": 8.0, "models": 1, "concurrency": 32.0,
    "computed_input_tokens_per_s": 1000.0, "output_tokens_per_s": 500.0, "busy_input_tokens_per_s": 2000.0,
    "busy_output_tokens_per_s": 1000.0, "prompt_tokens": 1000.0, "context_tokens": 1200.0,
}  # fmt: skip


@pytest.fixture
def regime(table_of: TableOf) -> Any:
    def build(**given: object) -> dict[str, Any]:
        place = {"model_id": "m", "params": 8e9, "active_params": 8e9, "usd_per_gpu_hour": 3.0}
        found = serving_regimes(
            table_of("settings", [{"as_of": NIGHT}]),
            table_of("serving_states", [STATE | given]),
            table_of("positions", [place]),
        )
        return found.row(0, named=True)

    return build


def test_the_four_parts_of_a_deployment_add_up_to_its_gpus(regime: Any) -> None:
    row = regime()
    parts = ("useful_usd", "small_batches_usd", "between_peaks_usd", "excess_copies_usd")
    # 8 GPUs at 3 dollars an hour of 730.5 hours
    assert float(row["gpu_month_usd"]) == pytest.approx(8 * 3 * 730.5)
    assert float(sum(row[name] for name in parts)) == pytest.approx(8 * 3 * 730.5, abs=0.03)
    # 989.5 TFLOP/s over 3.35 TB/s; 32 requests on 8 copies of one GPU each are 4 in a batch, far below it
    assert row["ridge_flop_per_byte"] == pytest.approx(295, abs=1)
    assert row["critical_batch"] == pytest.approx(295, abs=1)
    assert (row["batch_measured"], row["limited_by"], row["has_latency_limit"]) == (4, "memory", False)


def test_a_fast_tier_has_its_price(regime: Any) -> None:
    row = regime(tpot_s_limit=0.006, busy_output_tokens_per_s=20000.0)
    assert row["has_latency_limit"]
    assert row["latency_premium_usd"] > 0


def test_without_durations_the_regime_is_unknown(regime: Any) -> None:
    row = regime(concurrency=0.0)
    assert (row["batch_measured"], row["limited_by"]) == (None, None)


def share(task: str | None, ratio: float, sigma: float) -> dict[str, Any]:
    return {"model_id": "large", "task": task, "share_ratio": ratio, "share_sigma": sigma, "weeks": 4}


def test_steady_labelled_tasks_are_defined_and_the_rest_stays_on_a_large_model(table_of: TableOf) -> None:
    hours = [dt.datetime(2026, 11, 20, hour, tzinfo=dt.UTC) for hour in range(4)]
    usage = [
        {"model_id": "large", "task": task, "hour": hour, "requests_with_usage": 10, "output_tokens": 10 * length}
        for task, lengths in {"sort": (50, 50, 52, 48), "agent": (10, 4000, 10, 10)}.items()
        for hour, length in zip(hours, lengths, strict=True)
    ]
    moved = {"model_id": "large", "action": "distil", "net_present_value_usd_p50": Decimal(5), "target_params": 3e9}
    found = task_classes(
        table_of("settings", [{"as_of": NIGHT}]),
        table_of(
            "task_shares",
            [share("sort", 0.5, 0.05), share("agent", 0.2, 0.01), share("new", 0.1, 0.09), share(None, 0.2, 0.01)],
        ),
        table_of("token_usage", usage),
        table_of("positions", [{"model_id": "large", "active_params": 70e9, "monthly_inference_usd": Decimal(1000)}]),
        table_of("candidates", [moved | {"task": "sort"}]),
    )
    told = {row["task"]: row for row in found.to_dicts()}
    # a spread of 0.05 around 0.5 comes every week by 90 %
    assert told["sort"]["stationary_ratio"] == pytest.approx(0.9)
    assert float(told["sort"]["monthly_inference_usd"]) == 500
    assert {task: (row["task_class"], row["standing"]) for task, row in told.items()} == {
        "sort": ("defined", "movable_unmeasured"),
        "agent": ("open_ended", "stays"),
        "new": ("open_ended", "stays"),
        None: ("open_ended", "stays"),
    }
    assert {row["unlabelled_ratio"] for row in told.values()} == {0.2}


def test_more_samples_ask_for_a_smaller_model_on_more_data(outgrown: Company) -> None:
    tables = outgrown.tables()
    names = ("settings", "scaling_law", "law_draws", "positions")
    served = outgrown.table("daily_service").with_columns(output_tokens=outgrown.table("daily_service")["input_tokens"])
    found = sampling_optimum(*(tables[name] for name in names), served)
    assert found["samples"].to_list() == [1, 4, 16]
    # as much output as input: 4 samples are (1 + 4) / 2 times the tokens, 16 are 17 / 2
    demand = found["demand_tokens"].to_list()
    assert [value / demand[0] for value in demand] == pytest.approx([1, 2.5, 8.5])
    assert found["optimum_params"].is_sorted(descending=True)
    assert found["optimum_tokens"].is_sorted()
    # one sample is what the lifetime optimum itself is for
    assert found["optimum_params"][0] == pytest.approx(tables["lifetime_optimum"]["optimum_params_p50"][0], rel=0.2)
