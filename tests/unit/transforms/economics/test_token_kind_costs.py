"""A token is not a token."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.unit_costs.token_kind_costs import token_costs

MAY = date(2025, 5, 1)
HOUR = datetime(2025, 5, 10, 7, tzinfo=UTC)


def used(**given: Any) -> dict[str, Any]:
    return {"hour": HOUR, "part_start": HOUR, "model_id": "m", "status": "ok", "deployment_id": "d", **given}


def split(rows: Any, usage: list[dict[str, Any]], weights: list[dict[str, Any]], usd: object = 10) -> dict[str, Any]:
    costs = rows("unit_costs", {"month": MAY, "model_id": "m", "used_usd": usd})
    found = token_costs(rows("token_usage", *usage), rows("token_weights", *weights), costs)
    return {row["kind"]: row for row in found.iter_rows(named=True)}


def weight(deployment_id: str, *milli: int, **given: Any) -> dict[str, Any]:
    kinds = ("input_milli", "cached_input_milli", "output_milli")
    return {"deployment_id": deployment_id, **dict(zip(kinds, milli, strict=True)), **given}


def test_weights_of_the_policy_split_the_cost(rows: Any) -> None:
    # 500 input of which 100 cached, 100 output at weights 1, 0.1 and 5.9: work 400 + 10 + 590 of 1000
    usage = used(input_tokens=500, cached_input_tokens=100, output_tokens=100)
    found = split(rows, [usage], [weight("*", 1000, 100, 5900)])
    assert {kind: row["used_usd"] for kind, row in found.items()} == {
        "input": Decimal(4),
        "cached_input": Decimal("0.1"),
        "output": Decimal("5.9"),
    }
    # 0.1 over 100 tokens is 1000 a million
    assert found["cached_input"]["used_usd_per_mtok"] == Decimal(1000)
    assert found["input"]["work_ratio"] == pytest.approx(0.4)
    assert found["output"]["basis"] == "token_weights"


def test_a_deployments_own_weights_come_first_and_only_while_they_hold(rows: Any) -> None:
    over = weight("d", 9000, 9000, 9000, valid_to=datetime(2025, 5, 1, tzinfo=UTC))
    own = weight("d", 1000, 1000, 3000, valid_from=datetime(2025, 5, 1, tzinfo=UTC))
    found = split(rows, [used(input_tokens=100, output_tokens=100)], [over, own, weight("*", 1000, 1000, 1000)])
    # 100 × 1 and 100 × 3
    assert found["output"]["used_usd"] == Decimal("7.5")


def test_without_weights_the_time_to_the_first_token_is_the_inputs(rows: Any) -> None:
    # 2 of 10 seconds until the first token, 8 after it
    usage = used(input_tokens=900, output_tokens=100, ttft_s_sum=2.0, duration_s_sum=10.0)
    found = split(rows, [usage], [])
    assert (found["input"]["used_usd"], found["output"]["used_usd"]) == (Decimal(2), Decimal(8))
    assert found["input"]["basis"] == "measured_time"


def test_times_of_a_minority_do_not_decide(rows: Any) -> None:
    timed = used(input_tokens=10, output_tokens=10, ttft_s_sum=2.0, duration_s_sum=10.0)
    found = split(rows, [timed, used(input_tokens=50, output_tokens=30)], [])
    assert found["input"]["basis"] == "equal"
    assert found["input"]["used_usd"] == Decimal(6)


def test_kinds_add_up_to_the_cost_to_the_last_decimal(rows: Any) -> None:
    found = split(rows, [used(input_tokens=2, cached_input_tokens=1, output_tokens=1)], [], usd=1)
    assert sum(row["used_usd"] for row in found.values()) == Decimal(1)


def test_a_model_of_images_has_no_kinds_of_token(rows: Any) -> None:
    assert split(rows, [used(units=5.0, unit_name="image", ttft_s_sum=1.0, duration_s_sum=2.0)], []) == {}


def test_no_service_is_no_token_cost(rows: Any) -> None:
    assert token_costs(rows("token_usage"), rows("token_weights"), rows("unit_costs")).is_empty()


def test_rows_in_another_order_cost_the_same(rows: Any) -> None:
    usage = [used(deployment_id=d, input_tokens=n, output_tokens=1) for n, d in enumerate("dexd", start=3)]
    weights = [weight("d", 1000, 1000, 3000), weight("*", 500, 500, 700)]
    costs = rows("unit_costs", {"month": MAY, "model_id": "m", "used_usd": "1.000000000007"})
    tables = rows("token_usage", *usage), rows("token_weights", *weights)
    once = token_costs(*tables, costs)
    again = token_costs(*(table.reverse() for table in tables), costs)
    assert once.equals(again)
    assert once["used_usd"].sum() == Decimal("1.000000000007")
    assert isinstance(once, pl.DataFrame)
