"""What is known of a pool does not depend on how its bill was cut, ordered or numbered."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from transforms.decisions.supply.pool_states import pool_states
from transforms.ledger.daily_charges import billed_days
from warehouse.schemas import CATALOGUE

END = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
SETTINGS = pl.DataFrame({"as_of": [dt.date(2026, 11, 21)], "night_end": [END]})
HOURS = st.lists(st.floats(0.001, 1000), min_size=2, max_size=40)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as the columns that they give."""
    types = CATALOGUE[name].polars_schema()
    return pl.DataFrame(rows, schema={key: types[key] for key in rows[0]}, strict=False)


def whole(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows with every column of the table, null where they give none."""
    return pl.concat([CATALOGUE[name].empty(), table(name, rows)], how="diagonal")


def states(gpu_hours: list[float], order: list[int]) -> pl.DataFrame:
    """The pool of charges with so many GPU-hours, numbered and delivered in an order."""
    priced = [
        {
            "charge_id": f"charge-{number:03d}",
            "charge_start": END - dt.timedelta(hours=1),
            "charge_day": END.date() - dt.timedelta(days=1),
            "consumed_quantity": Decimal(1),
            "gpu_hours_exact": Decimal(str(round(gpu_hours[place], 9))),
            "charge_end": END,
            "charge_category": "Usage",
            "gpu_hours": gpu_hours[place],
            "effective_cost": Decimal(str(round(gpu_hours[place] * 2, 6))),
            "list_cost": Decimal(str(round(gpu_hours[place] * 3, 6))) if place % 2 else None,
            "commitment_discount_id": "c" if place % 3 else None,
            "gpu_model": ("H100", "A100")[place % 2],
        }
        for number, place in enumerate(order)
    ]
    rules = [{"charge_id": row["charge_id"], "method": "pool", "pool_id": "p"} for row in priced]
    uses = [
        {
            "pool_id": "p",
            "hour": END - dt.timedelta(hours=1 + place % 5),
            "user_kind": ("run", "idle")[place % 2],
            "user_id": f"run-{place % 3}" if place % 2 == 0 else "",
            "is_billed": True,
            "weight": int(gpu_hours[place] * 3.6e12),
        }
        for place in order
    ]
    pools, spend = CATALOGUE["pools"].empty(), CATALOGUE["daily_spend"].empty()
    billed = billed_days(whole("charges", priced), whole("charge_rules", rules))
    return pool_states(SETTINGS, pools, billed, table("pool_uses", uses), spend)


@settings(max_examples=40)
@given(HOURS, st.randoms(use_true_random=False))
def test_a_bill_in_another_order_gives_the_same_pool(gpu_hours: list[float], dice: Any) -> None:
    straight = list(range(len(gpu_hours)))
    mixed = dice.sample(straight, len(straight))
    once, again = states(gpu_hours, straight), states(gpu_hours, mixed)

    assert once.height == 1
    assert_frame_equal(once, again, check_exact=True)
