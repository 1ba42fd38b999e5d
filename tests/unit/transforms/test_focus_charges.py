"""Postings as FOCUS charges: what is shared out, what stays exact, and what a posting says of itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from transforms.focus_charges import focus_charges
from warehouse.schemas.ledger import Postings
from warehouse.schemas.policy import Models
from warehouse.schemas.staging import Charges

START = datetime(2026, 11, 20, 18, tzinfo=UTC)
END = datetime(2026, 11, 21, 6, tzinfo=UTC)
MODELS = Models.frame(
    pl.DataFrame(
        [{"model_id": "kestrel", "aliases": [], "family": "birds", "origin": "own", "owner": "core"}],
        schema_overrides=Models.polars_schema(),
    )
)


def charge(**cells: object) -> pl.DataFrame:
    row = {
        "charge_id": "c",
        "source": "cloud",
        "billing_period_start": date(2026, 11, 1),
        "currency": "USD",
        "billing_period_end": date(2026, 12, 1),
        "charge_start": START,
        "charge_end": END,
        "known_at": START,
        "charge_day": START.date(),
        "charge_category": "Usage",
        "tags": '{"team":"a"}',
        "gpu_hours": 96.0,
        "billed_cost": Decimal(90),
        "effective_cost": Decimal(90),
        "list_cost": Decimal(100),
        "gpu_hours_exact": Decimal(96),
        "consumed_quantity": Decimal(12),
        "consumed_unit": "Hours",
        "sku_price_details": '{"GpuCount":"8"}',
    }
    return Charges.frame(pl.DataFrame([row | cells], schema_overrides=Charges.polars_schema()))


def posted(*lines: tuple[date, str, str | None, int]) -> pl.DataFrame:
    """Postings of the charge: day, account, model and cost of each; a tenth of the GPU time of each unit of money."""
    rows = [
        {
            "posting_id": f"c-{number}",
            "charge_id": "c",
            "charge_day": START.date(),
            "line": number,
            "source": "cloud",
            "charge_date": day,
            "billing_period_start": date(2026, 11, 1),
            "account": account,
            "model_id": model,
            "phase": "inference" if model else None,
            "pool_id": "serve",
            "rule": "line 2",
            "gpu_seconds": cost * 3840.0,
            "is_waste": False,
            "currency": "USD",
            "known_at": START,
            "billed_cost": Decimal(cost),
            "effective_cost": Decimal(cost),
        }
        for number, (day, account, model, cost) in enumerate(lines, 1)
    ]
    return Postings.frame(pl.DataFrame(rows, schema_overrides=Postings.polars_schema()))


TWO = posted((date(2026, 11, 20), "direct", "kestrel", 30), (date(2026, 11, 21), "idle", None, 60))


def test_what_only_the_charge_has_is_shared_as_its_costs_are_and_adds_up() -> None:
    rows = focus_charges(TWO, charge(), MODELS)

    # 100 at list by 30 : 60 is a third and two thirds; the unit that is left over goes to the larger remainder.
    assert rows["ListCost"].to_list() == [Decimal("33.333333333333"), Decimal("66.666666666667")]
    assert rows["BilledCost"].to_list() == [Decimal(30), Decimal(60)]
    assert rows["ConsumedUnit"].to_list() == ["GPU-Hours", "GPU-Hours"]
    assert rows["ConsumedQuantity"].to_list() == [Decimal(32), Decimal(64)]  # 96 GPU-hours by 30 : 60


def test_a_posting_lasts_as_long_as_its_charge_does_on_its_day() -> None:
    rows = focus_charges(TWO, charge(), MODELS)
    midnight = datetime(2026, 11, 21, tzinfo=UTC)

    assert rows.select("ChargePeriodStart", "ChargePeriodEnd").rows() == [(START, midnight), (midnight, END)]


def test_a_posting_names_its_model_as_tag_and_as_key_of_the_price() -> None:
    direct, idle = focus_charges(TWO, charge(), MODELS).rows(named=True)

    assert json.loads(direct["AllocatedTags"]) == {
        "account": "direct",
        "allocation": "direct/kestrel/inference",
        "model": "kestrel",
        "phase": "inference",
        "pool": "serve",
    }
    assert json.loads(direct["SkuPriceDetails"]) == {
        "GpuCount": "8",
        "ModelDeveloper": "core",
        "ModelFamily": "birds",
        "ModelId": "kestrel",
    }
    assert json.loads(idle["SkuPriceDetails"]) == {"GpuCount": "8"}
    assert direct["Tags"] == '{"team":"a"}'


def test_an_amount_that_the_bill_does_not_say_stays_unknown() -> None:
    rows = focus_charges(TWO, charge(list_cost=None, consumed_quantity=None), MODELS)

    assert rows["ListCost"].to_list() == [None, None]


def test_a_posting_without_its_charge_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"ledger\.postings has charge 'c'"):
        focus_charges(TWO, charge(charge_id="other"), MODELS)
