"""Which models, teams, tenants and tasks pay a deployment's hour: allocation rules, section 7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TO_DEPLOYMENT = {"field": "resource_id", "pattern": "*", "target": "deployment", "target_id": "d"}
CHARGE = {"charge_id": "c", "charge_start": TEN, "charge_end": TEN + HOUR, "billed_cost": "12", "resource_id": "node"}


def serves(*models: str, **more: Any) -> list[dict[str, Any]]:
    return [{"deployment_id": "d", "model_id": model, "gpu_count": 8.0, **more} for model in models]


def usage(model: str | None, tokens: int = 0, *, units: float = 0.0, duration: int = 0, **more: Any) -> dict[str, Any]:
    return {"deployment_id": "d", "model_id": model, "hour": TEN, "status": "ok", "weighted_tokens_milli": tokens,
            "units": units, "duration_us": duration, **more}  # fmt: skip


def paid(books: Any, deployments: list[dict[str, Any]], asked: list[dict[str, Any]], *by: str) -> dict[Any, str]:
    night = books(charges=[CHARGE], rules=[TO_DEPLOYMENT], deployments=deployments, usage=asked).tables()
    sums = night["postings"].group_by(by or ("model_id",)).agg(pl.col("billed_cost").sum())
    return {row[:-1] if by else row[0]: f"{row[-1].normalize():f}" for row in sums.iter_rows()}


def test_the_models_of_an_hour_pay_by_their_weighted_tokens(books: Any) -> None:
    # 3000 : 1000 thousandth tokens of 12 dollars
    assert paid(books, serves("m", "n"), [usage("m", 3000), usage("n", 1000)]) == {"m": "9", "n": "3"}


def test_without_tokens_they_pay_by_units_then_by_duration_then_alike(books: Any) -> None:
    two = serves("m", "n")

    assert paid(books, two, [usage("m", units=1, duration=9), usage("n", units=2)]) == {"m": "4", "n": "8"}
    assert paid(books, two, [usage("m", duration=5), usage("n", duration=1)]) == {"m": "10", "n": "2"}
    assert paid(books, two, []) == {"m": "6", "n": "6"}


def test_what_does_not_divide_among_equal_models_goes_to_the_first_of_their_names(books: Any) -> None:
    # 12 dollars over 70 models: 171,428,571,428 units each, the 40 units left over go to the first forty by name
    models = [f"m{number:02}" for number in range(70)]
    shares = paid(books, serves(*reversed(models)), [usage(model, 1) for model in models])

    assert [shares[model] for model in models] == ["0.171428571429"] * 40 + ["0.171428571428"] * 30


def test_units_may_be_fractions(books: Any) -> None:
    assert paid(books, serves("m", "n"), [usage("m", units=0.5), usage("n", units=0.25)]) == {"m": "8", "n": "4"}


@pytest.mark.parametrize(("status", "share"), [("ok", "6"), ("error", "6"), ("cancelled", "6"), ("pending", None)])
def test_every_status_but_pending_pays(books: Any, status: str, share: str | None) -> None:
    found = paid(books, serves("m", "n"), [usage("m", 1, status=status), usage("n", 1)])

    assert found.get("m") == share


def test_requests_of_other_deployments_hours_and_models_do_not_count(books: Any) -> None:
    others = [usage("m", 9, deployment_id="e"), usage("m", 9, hour=TEN + HOUR), usage("x", 9), usage(None, 9)]

    assert paid(books, serves("m", "n"), [usage("n", 1), *others]) == {"n": "12"}


def test_one_model_takes_all_even_without_traffic(books: Any) -> None:
    assert paid(books, serves("m"), []) == {"m": "12"}


def test_a_model_valid_at_some_time_within_the_hour_takes_part(books: Any) -> None:
    early = serves("m", valid_to=TEN + timedelta(minutes=1))
    before = serves("x", valid_to=TEN)

    assert paid(books, [*early, *serves("n"), *before], []) == {"m": "6", "n": "6"}


def test_no_model_valid_is_not_allocated_and_keeps_the_deployment(books: Any) -> None:
    found = paid(books, serves("m", valid_from=TEN + HOUR), [], "account", "deployment_id", "model_id", "rule")

    assert found == {("unallocated", "d", None, "deployment serves no model in this hour"): "12"}


def test_a_model_pays_in_the_phase_inference(books: Any) -> None:
    assert paid(books, serves("m"), [], "account", "phase") == {("direct", "inference"): "12"}


def test_a_models_part_is_shared_further_by_team_tenant_and_task(books: Any) -> None:
    # model m has 3 of 4 tokens = 9 dollars; within it team a 2 : team b 1
    asked = [usage("m", 2, team="a"), usage("m", 1, team="b", task="chat"), usage("n", 1, tenant="acme")]

    assert paid(books, serves("m", "n"), asked, "model_id", "team", "tenant", "task") == {
        ("m", "a", None, None): "6",
        ("m", "b", None, "chat"): "3",
        ("n", None, "acme", None): "3",
    }


def test_the_sum_of_a_model_does_not_depend_on_who_asked(books: Any) -> None:
    # 12 dollars over 7 equal tokens do not divide evenly; the split among teams must not move a unit between models
    teams = [usage("m", 1, team=f"t{number}") for number in range(3)] + [
        usage("n", 1, team=f"t{number}") for number in range(4)
    ]

    assert paid(books, serves("m", "n"), teams) == paid(books, serves("m", "n"), [usage("m", 3), usage("n", 4)])


def test_a_charge_that_a_rule_gives_to_a_deployment_has_no_pool(books: Any) -> None:
    assert paid(books, serves("m", pool_id="p"), [], "pool_id", "deployment_id") == {(None, "d"): "12"}


def test_a_deployment_in_a_pool_passes_its_part_of_the_pool_on_to_its_models(books: Any) -> None:
    # the deployment holds 8 of 16 GPUs: 6 of 12 dollars, of which model n has a third
    to_pool = {"field": "resource_id", "pattern": "*", "target": "pool", "target_id": "p"}
    night = books(
        charges=[{**CHARGE, "gpu_hours": "16"}],
        rules=[to_pool],
        deployments=serves("m", "n", pool_id="p"),
        usage=[usage("m", 2), usage("n", 1)],
    ).tables()

    sums = night["postings"].select("account", "model_id", "pool_id", "billed_cost").sort("model_id").rows()
    assert [(*row[:3], f"{row[3].normalize():f}") for row in sums] == [
        ("idle", None, "p", "6"),
        ("direct", "m", "p", "4"),
        ("direct", "n", "p", "2"),
    ]
