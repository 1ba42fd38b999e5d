"""Prices where credits exceed cost: none, and never a logarithm or a ratio of one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from transforms.decisions.supply.prices import gpu_prices, token_prices

if TYPE_CHECKING:
    from conftest import TableOf

NIGHT = dt.date(2026, 11, 21)


@pytest.mark.parametrize("allocated", [Decimal(-5), Decimal(0)])
def test_a_month_whose_credits_exceed_its_cost_has_its_direct_price(table_of: TableOf, allocated: Decimal) -> None:
    months = [
        {"month": dt.date(2026, month, 1), "model_id": "m", "input_tokens": 10**9, "used_usd_per_mtok": Decimal(2)}
        for month in range(5, 11)
    ]
    costs = [month | {"allocated_usd_per_mtok": allocated if month["month"].month == 10 else 3} for month in months]
    row = token_prices(table_of("unit_costs", costs), table_of("settings", [{"as_of": NIGHT}])).row(0, named=True)

    # two months: 3 and 2 in place of the credit
    assert row["allocated_usd_per_mtok"] == Decimal("2.5")
    assert 0.02 <= row["price_sigma"] <= 0.8


def test_gpus_in_credit_have_no_price(table_of: TableOf) -> None:
    spend = {"model_id": "m", "account": "direct", "phase": "inference", "gpu_seconds": 3600.0, "charge_date": NIGHT}

    assert gpu_prices(table_of("daily_spend", [spend | {"effective_usd": Decimal(-3)}])).is_empty()
    assert gpu_prices(table_of("daily_spend", [spend | {"effective_usd": Decimal(3)}])).item(0, "usd_per_gpu_hour") == 3
