"""Which models cost money and serve nobody, or nobody knows whom."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.change_drivers import change_drivers
from transforms.reports.served_groups import served_groups
from transforms.reports.title_cases import has_balance, served_title
from transforms.reports.usage_gaps import usage_gaps

NIGHT = date(2026, 11, 20)
SERVES: dict[str, Any] = {
    "model_id": "m", "unit_name": None, "monthly_inference_usd": Decimal(100_000), "recent_tokens": 1e9,
    "recent_requests": 1_000, "is_telemetry_delivered": True,
}  # fmt: skip
TYPES = {"unit_name": pl.String, "monthly_inference_usd": pl.Decimal(38, 12)}


def gaps(*positions: dict[str, Any], contract: date | None = None, **life: Any) -> list[dict[str, Any]]:
    names = [row["model_id"] for row in positions]
    models = pl.DataFrame(
        [{"model_id": name, "released_on": None, "retires_on": None} | life for name in names],
        schema_overrides={"released_on": pl.Date, "retires_on": pl.Date},
    )
    users = pl.DataFrame(
        [{"user_kind": "deployment", "since": None, "model_id": name, "pool_id": "pool"} for name in names],
        schema_overrides={"since": pl.Date},
    )
    supply = pl.DataFrame(
        [{"supply_kind": "committed", "pool_id": "pool", "ends_on_latest": contract}],
        schema_overrides={"ends_on_latest": pl.Date},
    )
    settings = pl.DataFrame({"as_of": [NIGHT], "materiality_usd": [Decimal(1_000)]})
    found = usage_gaps(settings, pl.DataFrame(positions, schema_overrides=TYPES), models, users, supply)
    return found.to_dicts()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, None),
        ({"recent_requests": 0, "recent_tokens": 0.0, "is_telemetry_delivered": False}, "no_requests"),
        ({"recent_tokens": 0.0}, "no_tokens"),
        ({"recent_requests": 0, "recent_tokens": 0.0}, "unused"),
        ({"recent_tokens": 9_999_999.0}, "unused"),
        ({"recent_tokens": 10_000_000.0}, None),
        ({"recent_requests": 0, "recent_tokens": 0.0, "unit_name": "image"}, None),
        ({"recent_tokens": 0.0, "monthly_inference_usd": Decimal(999)}, None),
    ],
)
def test_no_requests_no_tokens_and_no_users_are_three_things(given: dict[str, Any], code: str | None) -> None:
    assert [row["code"] for row in gaps(SERVES | given)] == ([code] if code else [])


def test_a_model_under_a_tenth_of_serving_is_no_question() -> None:
    """9 of 109 thousand is 8 %, 12 of 112 thousand is 11 %."""
    small = {"model_id": "small", "recent_tokens": 0.0}
    assert gaps(SERVES, SERVES | small | {"monthly_inference_usd": Decimal(9_000)}) == []
    assert len(gaps(SERVES, SERVES | small | {"monthly_inference_usd": Decimal(12_000)})) == 1


def test_a_model_that_has_retired_or_was_released_this_month_is_no_question() -> None:
    idle = SERVES | {"recent_requests": 0, "recent_tokens": 0.0}
    assert gaps(idle, retires_on=NIGHT) == []
    assert gaps(idle, released_on=date(2026, 11, 10)) == []


def test_the_contract_of_its_pool_says_until_when_it_is_paid() -> None:
    idle = SERVES | {"recent_requests": 0, "recent_tokens": 0.0}
    assert gaps(idle, contract=date(2029, 6, 1))[0]["paid_until"] == date(2029, 6, 1)
    assert gaps(idle)[0]["paid_until"] is None


def test_a_driver_names_the_entity_with_half_of_it_else_the_class_of_cost() -> None:
    """Of +100 one model has 60; of −90 three have 30 each, and serving all of it."""
    month = date(2026, 10, 1)
    parts = [("other", "a", 60), ("other", "b", 40), ("mix", "a", -30), ("mix", "b", -30), ("mix", "c", -30)]
    bridge = pl.DataFrame(
        [{"month": month, "driver": driver, "account": "direct", "phase": "inference", "model_id": model,
          "change_usd": Decimal(usd)} for driver, model, usd in parts],
        schema_overrides={"change_usd": pl.Decimal(38, 12)},
    )  # fmt: skip
    movers = pl.DataFrame(schema={"cost_class": pl.String, "model_id": pl.String, "persistence": pl.String})
    found = change_drivers(pl.DataFrame({"month": [month]}), bridge, movers)
    assert found.select("driver", "largest_class", "largest_model_id").rows() == [
        ("other", "inference", "a"), ("mix", "inference", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("pretraining", "inference", "expected"), [(0, 5, False), (5, 0, False), (1, 5, True)])
def test_one_phase_alone_has_no_balance(pretraining: int, inference: int, expected: bool) -> None:  # noqa: FBT001 - an expected value
    rows = pl.DataFrame({"pretraining_usd": [pretraining], "posttraining_usd": [0], "inference_usd": [inference]})
    assert has_balance(rows) is expected


def test_what_a_team_cost_stands_beside_the_month_before_and_adds_up_to_serving() -> None:
    """October: 70 + 30 without a team; September: 40 and nothing without one."""
    october, september = date(2026, 10, 1), date(2026, 9, 1)
    spend = pl.DataFrame(
        [{"month": month, "account": "direct", "phase": "inference", "team": team, "tenant": None, "task": None,
          "effective_usd": Decimal(usd)}
         for month, team, usd in ((october, "search", 70), (october, None, 30), (september, "search", 40))],
        schema_overrides={"effective_usd": pl.Decimal(38, 12), "tenant": pl.String, "task": pl.String},
    )  # fmt: skip
    usage = pl.DataFrame(
        schema={"hour": pl.Datetime("us", "UTC"), "model_id": pl.String, "team": pl.String, "tenant": pl.String,
                "task": pl.String, "input_tokens": pl.Int64, "output_tokens": pl.Int64}
    )  # fmt: skip
    subject = {"month": [october], "period_end": [date(2026, 11, 1)], "previous_month": [september]}
    found = served_groups(pl.DataFrame(subject), spend, usage)
    assert found.select("dimension", "name", "used_usd", "previous_usd").rows() == [
        ("team", "search", Decimal(70), Decimal(40)), ("team", None, Decimal(30), Decimal(0)),
    ]  # fmt: skip
    assert served_title(found) == "named"
