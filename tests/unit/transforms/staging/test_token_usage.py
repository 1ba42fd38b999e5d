"""The model and the deployment of a request, and the weight of its tokens: allocation rules, section 7."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from transforms.staging.token_usage import token_usage
from warehouse.schemas import CATALOGUE

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
MODELS = [{"model_id": "aurora-405b", "aliases": ["Aurora 405B", "aurora"]}, {"model_id": "ember", "aliases": []}]


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def used(*requests: dict[str, Any], **policy: list[dict[str, Any]]) -> dict[str, Any]:
    sent = {
        "hour": TEN, "part_start": TEN, "source": "gateway", "status": "ok", "requests": 1, "requests_with_usage": 1,
        "input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 10, "units": 0.0, "duration_us": 1_800_000_000,
    }  # fmt: skip
    rules = [
        {"position": number, "line": number + 2, "priority": 1, "source": "*", **rule}
        for number, rule in enumerate(policy.get("attribution", []))
    ]
    found = token_usage(
        table("request_hours", [{**sent, **request} for request in requests]),
        table("models", MODELS),
        table("attribution", rules),
        table("deployments", policy.get("deployments", [])),
        table("token_weights", policy.get("token_weights", [])),
        table("traffic_overlaps", policy.get("traffic_overlaps", [])),
    )
    return found.row(0, named=True)


@pytest.mark.parametrize("sent", ["aurora-405b", "AURORA-405B ", "aurora 405b", "au\u200brora"])
def test_a_model_is_known_by_its_id_or_an_alias_whatever_case_and_blanks(sent: str) -> None:
    found = used({"model": sent})

    assert (found["model_id"], found["model"]) == ("aurora-405b", sent)


def test_an_unknown_model_is_null_and_so_is_none() -> None:
    assert used({"model": "mystery-7b"})["model_id"] is None
    assert used({"model": None})["model_id"] is None


def test_the_first_rule_for_models_comes_before_the_names() -> None:
    rules = [
        {"field": "team", "pattern": "x", "target": "deployment", "target_id": "no model"},
        {"field": "team", "pattern": "x", "target": "model", "target_id": "ember"},
    ]

    assert used({"model": "aurora", "team": "X"}, attribution=rules)["model_id"] == "ember"
    assert used({"model": "aurora", "team": "y"}, attribution=rules)["model_id"] == "aurora-405b"


def serves(name: str, model: str = "ember", **more: Any) -> dict[str, Any]:
    return {"line": 2, "deployment_id": name, "model_id": model, "gpu_count": 8.0, **more}


def test_a_deployment_as_sent_counts_if_it_is_known_then_a_rule_then_the_only_one_serving_the_model() -> None:
    rules = [{"field": "deployment", "pattern": "pod-*", "target": "deployment", "target_id": "by-rule"}]
    deployments = [serves("by-id"), serves("only", "aurora-405b"), serves("twin")]

    def deployed(**request: Any) -> str | None:
        found: str | None = used(request, attribution=rules, deployments=deployments)["deployment_id"]
        return found

    assert deployed(model="aurora", deployment="by-id") == "by-id"
    assert deployed(model="aurora", deployment="pod-7") == "by-rule"
    assert deployed(model="aurora", deployment="elsewhere") == "only"
    assert deployed(model="aurora") == "only"
    assert deployed(model="ember") is None
    assert deployed(model="mystery") is None


def test_the_only_deployment_is_the_only_one_at_that_instant() -> None:
    deployments = [serves("old", valid_to=TEN), serves("new", valid_from=TEN)]

    assert used({"model": "ember"}, deployments=deployments)["deployment_id"] == "new"


def test_two_rows_of_one_deployment_are_one_deployment() -> None:
    deployments = [serves("d", valid_to=TEN + timedelta(hours=1)), serves("d")]

    assert used({"model": "ember"}, deployments=deployments)["deployment_id"] == "d"


def test_without_weights_every_token_weighs_one() -> None:
    # 100 input tokens (40 of them cached) and 10 output tokens
    assert used({})["weighted_tokens_milli"] == 110_000


def test_tokens_weigh_by_kind_cached_ones_apart_from_the_rest_of_the_input() -> None:
    weights = [{"deployment_id": "*", "input_milli": 1000, "cached_input_milli": 100, "output_milli": 4000}]

    # 60 × 1 + 40 × 0.1 + 10 × 4 = 104
    assert used({}, token_weights=weights)["weighted_tokens_milli"] == 104_000


def test_the_row_of_the_deployment_comes_before_the_star_and_holds_at_the_start_of_the_part() -> None:
    star = {"deployment_id": "*", "input_milli": 1, "cached_input_milli": 1, "output_milli": 1}
    own = {"deployment_id": "d", "input_milli": 2, "cached_input_milli": 2, "output_milli": 2, "valid_from": TEN}
    request = {"deployment": "d"}
    policy = {"token_weights": [star, own], "deployments": [serves("d")]}

    assert used(request, **policy)["weighted_tokens_milli"] == 220
    assert used({**request, "part_start": TEN - timedelta(minutes=1)}, **policy)["weighted_tokens_milli"] == 110
    assert used({}, **policy)["weighted_tokens_milli"] == 110


def test_the_day_of_a_rule_is_the_day_of_the_request() -> None:
    rules = [
        {"field": "model", "pattern": "*", "target": "model", "target_id": "ember", "valid_from": date(2026, 11, 21)}
    ]

    assert used({"model": "aurora"}, attribution=rules)["model_id"] == "aurora-405b"


def test_concurrency_is_the_time_of_requests_over_the_time_of_the_hour() -> None:
    found = used({})

    assert (found["duration_s_sum"], found["concurrency_mean"]) == (1800.0, 0.5)
