"""Which bill rows are charges now, what they are called and the GPU time they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from transforms.staging.accruals import accruals
from transforms.staging.charge_findings import charge_findings
from transforms.staging.charges import charges
from transforms.staging.checks import bill_rows_in_no_unit
from transforms.staging.delivered_days import delivered_days
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from warehouse.schemas import CATALOGUE

NIGHT_END = datetime(2026, 11, 21, tzinfo=UTC)
SEEN = NIGHT_END - timedelta(days=1)
PERIOD = date(2026, 11, 1)
WIDE = Context(prec=40)


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def row(**more: Any) -> dict[str, Any]:
    start = more.get("charge_start", datetime(2026, 11, 20, 10, tzinfo=UTC))
    return {
        "file_sha256": "f1",
        "location": "line 2",
        "source": "cloud",
        "content_hash": "a",
        "dimension_hash": "d" * 64,
        "billing_period_start": PERIOD,
        "billing_period_end": date(2026, 12, 1),
        "charge_start": start,
        "charge_end": start + timedelta(hours=1),
        "charge_category": "Usage",
        "tags": "{}",
        "currency": "USD",
        "billed_cost": Decimal(1),
        "effective_cost": Decimal(1),
        **more,
    }


def bill(rows: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> pl.DataFrame:
    unit = {"source": "cloud", "billing_account_id": "", "billing_period_start": PERIOD, "is_current": True}
    inputs: dict[str, list[dict[str, Any]]] = {
        "bill_deliveries": [{**unit, "file_sha256": name} for name in ("f1", "f2")],
        "files": [{"source": "cloud", "file": name, "sha256": name, "first_seen_at": SEEN} for name in ("f1", "f2")],
        "instances": [],
        "rates": [],
        "pools": [],
        "long_charges": rows,
        "settings": [{"night_end": NIGHT_END, "as_of": SEEN.date(), "currency": "USD"}],
        **tables,
    }
    frames = {name: table(name, listed) for name, listed in inputs.items()}
    accrued = accruals(frames.pop("rates"), frames.pop("pools"), frames["settings"])
    of_units = {name: frames[name] for name in ("bill_deliveries", "instances", "settings")}
    repeated = repeated_gpu_hours(frames.pop("long_charges"), **of_units)
    return charges(table("charge_rows", rows), accruals=accrued, repeated_gpu_hours=repeated, **frames)


def test_a_charge_is_named_by_its_source_its_dimensions_and_its_place_among_equals() -> None:
    found = bill([row(content_hash="b"), row(content_hash="a", location="line 3"), row(dimension_hash="e" * 64)])

    names = found.select("charge_id", "location").rows()
    assert names == [
        (f"cloud-{'d' * 24}-1", "line 3"),
        (f"cloud-{'d' * 24}-2", "line 2"),
        (f"cloud-{'e' * 24}-1", "line 2"),
    ]


def test_equal_rows_are_two_charges() -> None:
    assert bill([row(), row(location="line 3")])["charge_id"].n_unique() == 2


def test_the_order_of_rows_and_the_names_of_files_leave_every_name_and_number_as_it_is() -> None:
    rows = [row(content_hash=str(number), billed_cost=Decimal(number)) for number in range(4)]
    moved = [{**one, "file_sha256": "f2", "location": f"row {number}"} for number, one in enumerate(reversed(rows))]

    assert_frame_equal(bill(rows).drop("file_sha256", "location"), bill(moved).drop("file_sha256", "location"))


def test_rows_of_a_replaced_delivery_are_no_charges() -> None:
    unit = {"source": "cloud", "billing_account_id": "", "billing_period_start": PERIOD}
    units = [{**unit, "file_sha256": "f1", "is_current": False}, {**unit, "file_sha256": "f2", "is_current": True}]

    assert bill([row(), row(file_sha256="f2")], bill_deliveries=units)["file_sha256"].to_list() == ["f2"]


def test_a_unit_is_a_source_a_payer_account_and_a_period() -> None:
    unit = {"source": "cloud", "billing_period_start": PERIOD, "file_sha256": "f1"}
    units = [
        {**unit, "billing_account_id": "a", "is_current": True},
        {**unit, "billing_account_id": "b", "is_current": False},
    ]
    rows = [row(billing_account_id="a"), row(billing_account_id="b"), row(billing_account_id=None)]

    assert bill(rows, bill_deliveries=units)["billing_account_id"].to_list() == ["a"]


def test_a_row_that_no_delivery_lists_is_named_by_a_check() -> None:
    rows = table("charge_rows", [row(), row(billing_account_id="x")])
    units = table(
        "bill_deliveries",
        [{"source": "cloud", "billing_account_id": "", "billing_period_start": PERIOD, "file_sha256": "f1"}],
    )

    delivered = delivered_days(rows, units.with_columns(pl.lit(value=True).alias("is_current")))
    assert delivered.select("is_current", "rows").sort("is_current").rows() == [(None, 1), (True, 1)]
    assert bill_rows_in_no_unit(delivered)["rows"].to_list() == [1]


def test_the_ledger_of_a_night_holds_what_starts_before_its_end_whole() -> None:
    last = row(charge_start=NIGHT_END - timedelta(microseconds=1), charge_end=NIGHT_END + timedelta(days=9))
    next_night = row(charge_start=NIGHT_END)

    assert bill([last, next_night])["charge_end"].to_list() == [NIGHT_END + timedelta(days=9)]


def test_a_charge_is_known_since_its_export_else_since_the_night_that_saw_its_file() -> None:
    exported = NIGHT_END - timedelta(days=5)

    assert bill([row(), row(dimension_hash="e" * 64, exported_at=exported)])["known_at"].to_list() == [SEEN, exported]


HOURS = {"consumed_quantity": Decimal("1.5"), "consumed_unit": "Hours"}


@pytest.mark.parametrize(
    ("columns", "gpu_hours"),
    [
        ({**HOURS, "gpus_per_unit": 8.0}, "12"),
        ({**HOURS, "gpus_per_unit": 8.0, "instance_type": "p5.4xlarge"}, "12"),
        ({**HOURS, "instance_type": "P5.48xlarge"}, "12"),
        ({**HOURS, "instance_type": "p5.4xlarge"}, "1.5"),
        ({**HOURS, "consumed_unit": "Hrs", "gpus_per_unit": 0.5}, "0.75"),
        ({**HOURS, "consumed_unit": "GPU-Hours", "gpus_per_unit": 8.0}, "1.5"),
        ({**HOURS, "consumed_unit": "GB-Hours", "gpus_per_unit": 8.0}, "0"),
        ({**HOURS, "consumed_unit": "Days", "gpus_per_unit": 8.0}, "288"),  # 1.5 × 24 × 8
        ({**HOURS, "consumed_unit": "Minutes", "gpus_per_unit": 8.0}, "0.2"),  # 1.5 ÷ 60 × 8
        ({**HOURS, "consumed_unit": "seconds", "gpus_per_unit": 1.0}, "0.000416666667"),  # 1.5 ÷ 3600, half up
        ({**HOURS, "consumed_unit": "GPU-Seconds", "consumed_quantity": Decimal(7200)}, "2"),
        (HOURS, "0"),
        ({"gpu_hours": 2.5}, "2.5"),
        ({**HOURS, "gpus_per_unit": 8.0, "charge_category": "Purchase"}, "0"),
        ({**HOURS, "gpus_per_unit": 8.0, "charge_class": "Correction"}, "0"),
        ({**HOURS, "gpus_per_unit": 8.0, "commitment_discount_status": "Unused"}, "0"),
        ({**HOURS, "gpus_per_unit": 8.0, "capacity_reservation_status": "Unused"}, "0"),
        ({**HOURS, "gpus_per_unit": 8.0, "commitment_discount_status": "Used"}, "12"),
        ({**HOURS, "gpus_per_unit": 8.0, "consumed_quantity": Decimal(-1)}, "0"),
        ({**HOURS, "gpus_per_unit": 8.0, "consumed_quantity": None}, "0"),
        ({**HOURS, "gpus_per_unit": 3.0, "consumed_quantity": Decimal("0.333333333333")}, "0.999999999999"),
        ({**HOURS, "gpus_per_unit": 8.0, "consumed_quantity": Decimal(10**20)}, "0"),
    ],
)
def test_gpu_hours_are_the_quantity_times_the_gpus_of_a_unit_and_count_for_usage_only(
    columns: dict[str, Any], gpu_hours: str
) -> None:
    types = [
        {"position": 0, "pattern": "p5.48*", "gpu_model": "H100", "gpus": 8.0},
        {"position": 1, "pattern": "p5.*", "gpu_model": "H100", "gpus": 1.0},
    ]
    found = bill([row(**columns)], instances=types).row(0, named=True)

    assert found["gpu_hours_exact"] == Decimal(gpu_hours)
    assert found["gpu_hours"] == float(gpu_hours)


@pytest.mark.parametrize(
    ("columns", "gpu_model"),
    [
        ({"gpu_model": "B200", "instance_type": "p5.48xlarge"}, "B200"),
        ({"instance_type": "p5.48xlarge", "sku_id": "A100-hour"}, "H100"),
        ({"sku_id": "gpu-a100-80g", "charge_description": "8 x H100 node"}, "A100"),
        ({"charge_description": "NVIDIA H200 node, per hour"}, "H200"),
        ({"charge_description": "GB200 rack"}, "GB200"),
        ({"charge_description": "xH100x"}, None),
        ({"charge_description": "Cloud TPU-V5p chips"}, "TPU v5p"),
        ({"charge_description": "a chip that no row of the table names: Z9000"}, None),
        ({}, None),
    ],
)
def test_the_chip_is_the_rows_own_word_else_the_instance_type_else_a_name(
    columns: dict[str, Any], gpu_model: str | None
) -> None:
    chips = ("H100", "A100", "H200", "B200", "GB200", "TPU v5p")
    types = [{"position": 0, "pattern": "p5.48*", "gpu_model": "H100", "gpus": 8.0}]
    types += [{"position": 1, "pattern": "other", "gpu_model": chip, "gpus": 1.0} for chip in chips]

    assert bill([row(**columns)], instances=types)["gpu_model"].item() == gpu_model


def test_an_instance_type_is_looked_up_on_the_day_of_the_charge() -> None:
    types = [
        {"position": 0, "pattern": "x", "gpu_model": "A100", "gpus": 1.0, "valid_to": date(2026, 11, 20)},
        {"position": 1, "pattern": "x", "gpu_model": "H100", "gpus": 1.0, "valid_from": date(2026, 11, 20)},
    ]
    earlier = row(instance_type="x", charge_start=datetime(2026, 11, 19, tzinfo=UTC), dimension_hash="e" * 64)

    assert bill([row(instance_type="x"), earlier], instances=types)["gpu_model"].to_list() == ["H100", "A100"]


# ---- owned GPUs ------------------------------------------------------------------------------------------------------
MACHINE = {
    "resource_id": "vm1",
    "charge_start": datetime(2026, 11, 20, tzinfo=UTC),
    "charge_end": datetime(2026, 11, 21, tzinfo=UTC),
    "consumed_quantity": Decimal(24),
    "consumed_unit": "Hours",
    "gpus_per_unit": 8.0,
}


def hours_of(*rows: Mapping[str, Any]) -> dict[str, tuple[float, Decimal]]:
    """GPU-hours that a row brings, and those that it leaves to another, by its digest."""
    found = bill(
        [
            row(**{**MACHINE, "dimension_hash": name * 64, "location": name, **more})
            for name, more in zip("abcd", rows, strict=False)
        ]
    )
    cells = found.select(pl.col("charge_id").str.slice(6, 1), "gpu_hours", "gpu_hours_capped").rows()
    return {name: (hours, capped) for name, hours, capped in cells}


def test_a_licence_beside_compute_brings_its_cost_and_no_gpu_hours() -> None:
    # 8 GPUs × 24 hours are there once, and the row that costs most an hour brings them
    licence, compute = {"effective_cost": Decimal(60), "sku_id": "soft1"}, {"effective_cost": Decimal(300)}
    found = hours_of(licence, compute, {"resource_id": "vm2"}, {"resource_id": None})

    alone = (192.0, Decimal(0))
    assert found == {"a": (0.0, Decimal(192)), "b": alone, "c": alone, "d": alone}


def test_ids_that_differ_in_case_name_one_machine() -> None:
    assert hours_of({"effective_cost": Decimal(9)}, {"resource_id": "VM1"}) == {
        "a": (192.0, Decimal(0)),
        "b": (0.0, Decimal(192)),
    }


def test_two_halves_of_one_machine_stay_whole() -> None:
    half = {"consumed_quantity": Decimal(12)}

    # 12 hours on demand and 12 reserved, both billed over the day: 96 + 96 of 192
    assert hours_of(half, {**half, "commitment_discount_status": "Used"}) == {
        "a": (96.0, Decimal(0)),
        "b": (96.0, Decimal(0)),
    }


def test_hourly_compute_and_a_licence_by_the_day_meet_in_the_hours_of_both() -> None:
    hour = {"charge_end": MACHINE["charge_start"] + timedelta(hours=1), "consumed_quantity": Decimal(1)}
    found = hours_of({**hour, "effective_cost": Decimal(50)}, {"effective_cost": Decimal(24)})

    assert found == {"a": (8.0, Decimal(0)), "b": (184.0, Decimal(8))}  # the licence leaves one of its 24 hours


def test_a_licence_of_a_month_brings_no_gpu_hours_beside_compute_of_any_of_its_days() -> None:
    """8 GPUs on the 18th and the 20th, and a licence of 30 days that states 8 × 720: 2 × 192 GPU-hours are there."""
    first = MACHINE["charge_start"] - timedelta(days=19)
    month = {"charge_start": first, "charge_end": first + timedelta(days=30), "consumed_quantity": Decimal(720)}
    licence = {**month, "effective_cost": Decimal(90_000), "sku_id": "soft1"}
    early = {"charge_start": MACHINE["charge_start"] - timedelta(days=2),
             "charge_end": MACHINE["charge_start"] - timedelta(days=1)}  # fmt: skip
    day = (192.0, Decimal(0))
    assert hours_of(licence, {}, early) == {"a": (0.0, Decimal(5760)), "b": day, "c": day}
    assert hours_of(licence, {"resource_id": "vm2"})["a"] == (5760.0, Decimal(0))


def test_a_machine_billed_half_by_the_month_and_half_by_the_day_stays_whole() -> None:
    """4 of 8 GPUs by the month and 4 by the day are 8; 6 and 4 are 8, too: the month repeats 2 of its 6."""
    first = MACHINE["charge_start"] - timedelta(days=19)
    month = {"charge_start": first, "charge_end": first + timedelta(days=30)}
    half = {"consumed_quantity": Decimal(12)}
    assert hours_of({**month, "consumed_quantity": Decimal(360)}, half)["a"] == (2880.0, Decimal(0))
    assert hours_of({**month, "consumed_quantity": Decimal(540)}, half)["a"] == (2880.0, Decimal(1440))


def test_a_fleet_under_one_name_and_machines_one_after_the_other_are_not_cut() -> None:
    fleet = {"consumed_quantity": Decimal(48)}  # two machines
    morning = {"charge_end": datetime(2026, 11, 20, 12, tzinfo=UTC), "consumed_quantity": Decimal(12)}
    evening = {"charge_start": datetime(2026, 11, 20, 12, tzinfo=UTC), "consumed_quantity": Decimal(12)}

    assert hours_of(fleet) == {"a": (384.0, Decimal(0))}
    assert hours_of(morning, evening) == {"a": (96.0, Decimal(0)), "b": (96.0, Decimal(0))}


def test_commitments_of_a_fleet_under_one_name_add_up_and_a_licence_beside_them_does_not() -> None:
    # two machines under each of two contracts and two on demand are six: 3 × 384 GPU-hours; the licence is of all six
    two = {"consumed_quantity": Decimal(48)}
    licence = {"consumed_quantity": Decimal(144), "sku_id": "soft1", "effective_cost": Decimal(1)}
    first, second = ({**two, "commitment_discount_id": name} for name in ("ri-1", "ri-2"))
    found = hours_of(first, second, two, licence)

    whole = (384.0, Decimal(0))
    assert found == {"a": whole, "b": whole, "c": whole, "d": (0.0, Decimal(1152))}
    assert hours_of(two, {**two, "currency": "EUR"}) == {"a": whole, "b": whole}


def test_the_parts_of_a_split_charge_add_up_and_are_not_cut() -> None:
    part = {"consumed_unit": "GPU-Hours", "gpus_per_unit": 1.0, "allocated_method_id": "by-gpu-time"}
    found = hours_of({**part, "consumed_quantity": Decimal(64)}, {**part, "consumed_quantity": Decimal(128)})

    assert found == {"a": (64.0, Decimal(0)), "b": (128.0, Decimal(0))}  # 192 of one machine, in two models


def test_what_is_capped_is_a_finding_with_its_gpu_time() -> None:
    rows = [row(**MACHINE, dimension_hash="a" * 64, sku_id="soft1"), row(**MACHINE, dimension_hash="b" * 64)]
    (finding,) = charge_findings(bill(rows)).to_dicts()

    assert (finding["kind"], finding["subject"], finding["rows"]) == ("gpu_hours_capped", "vm1", 1)
    assert finding["gpu_seconds"] == 192 * 3600


INSTANCES = [
    {"position": 1, "pattern": "*p5.48xlarge", "gpu_model": "H100", "gpus": 8.0},
    {"position": 2, "pattern": "*ND96isr_H100_v5", "gpu_model": "H100", "gpus": 8.0},
    {"position": 3, "pattern": "*NV6ads_A10_v5", "gpu_model": "A10", "gpus": 0.166667},
]


@pytest.mark.parametrize(
    ("names", "hours"),
    [
        ({"charge_description": "$98.32 per On Demand Linux p5.48xlarge Instance Hour"}, 16.0),
        ({"sku_id": "USW2-BoxUsage:p5.48xlarge"}, 16.0),
        ({"resource_name": "Standard_ND96isr_H100_v5"}, 16.0),
        ({"charge_description": "Standard_NV6ads_A10_v5 West Europe"}, 0.333334),
        ({"charge_description": "xp5.48xlargest things"}, 0.0),
        ({"charge_description": "p5.4xlarge"}, 0.0),
    ],
)
def test_an_instance_type_is_found_in_the_names_of_a_row_that_has_none(names: dict[str, str], hours: float) -> None:
    used = {"consumed_quantity": Decimal(2), "consumed_unit": "Hours"}

    assert bill([row(**used, **names)], instances=INSTANCES)["gpu_hours"].item() == hours


POOL = {"pool_id": "own", "gpu_model": "H100", "gpu_count": 16.0}


def accrued(rates: list[dict[str, Any]], pools: list[dict[str, Any]]) -> pl.DataFrame:
    return bill([], rates=rates, pools=pools).sort("charge_start")


def test_a_rate_accrues_a_charge_a_day_while_rate_and_pool_hold_up_to_the_night() -> None:
    rate = {"pool_id": "own", "usd_per_gpu_hour": Decimal("2.000000000001"), "valid_from": date(2026, 10, 31)}
    found = accrued([rate], [{**POOL, "valid_from": date(2026, 11, 18)}])

    # 16 GPUs × 24 h = 384 GPU-hours × 2.000000000001
    assert found["charge_day"].to_list() == [date(2026, 11, day) for day in (18, 19, 20)]
    assert set(found["billed_cost"]) == set(found["effective_cost"]) == {Decimal("768.000000000384")}
    assert set(found["gpu_hours_exact"]) == {Decimal(384)}
    assert set(found.select("source", "currency", "billing_period_start", "resource_id").rows()) == {
        ("accrual", "USD", date(2026, 11, 1), "own")
    }


def test_an_accrued_cost_is_rounded_half_up_at_twelve_decimals() -> None:
    # 0.1 GPU × 24 h = 2.4 GPU-hours × 0.000000000001 = 0.0000000000024, and × 0.000000000005 = 0.000000000012
    day = {"valid_from": date(2026, 11, 20)}
    for rate, cost in (("0.000000000001", "0.000000000002"), ("0.000000000005", "0.000000000012")):
        found = accrued([{"pool_id": "own", "usd_per_gpu_hour": Decimal(rate), **day}], [{**POOL, "gpu_count": 0.1}])
        assert found["billed_cost"].to_list() == [Decimal(cost)]


def test_a_part_of_a_gpu_costs_its_exact_part() -> None:
    # 0.142857143 GPUs × 24 h × 2.1 = 7.2000000072
    day = {"valid_from": date(2026, 11, 20), "valid_to": date(2026, 11, 21)}
    found = accrued(
        [{"pool_id": "own", "usd_per_gpu_hour": Decimal("2.1"), **day}], [{**POOL, "gpu_count": 0.142857143}]
    )

    assert found["billed_cost"].to_list() == [Decimal("7.2000000072")]
    assert found["gpu_hours_exact"].to_list() == [Decimal("3.428571432")]


def test_each_rate_holds_on_its_own_days_only() -> None:
    rates = [
        {
            "pool_id": "own",
            "usd_per_gpu_hour": Decimal(1),
            "valid_from": date(2026, 11, 18),
            "valid_to": date(2026, 11, 20),
        },
        {"pool_id": "own", "usd_per_gpu_hour": Decimal(3), "valid_from": date(2026, 11, 20)},
        {"pool_id": "another", "usd_per_gpu_hour": Decimal(9), "valid_from": date(2026, 11, 1)},
    ]

    assert accrued(rates, [POOL])["billed_cost"].to_list() == [Decimal(384), Decimal(384), Decimal(1152)]


def test_a_rate_without_any_first_day_is_an_error_that_names_the_pool() -> None:
    with pytest.raises(ValueError, match=r"policy/rates\.csv: the rate of pool 'own' has no first day"):
        accrued([{"pool_id": "own", "usd_per_gpu_hour": Decimal(1)}], [POOL])


def worth(opening: str, closing: str, first: date, after: date, **more: Any) -> dict[str, Any]:
    values = {"opening_usd": Decimal(opening), "closing_usd": Decimal(closing)}
    return {"pool_id": "own", **values, "valid_from": first, "valid_to": after, **more}


def test_owned_gpus_lose_their_value_evenly_by_day_and_to_the_last_unit() -> None:
    # 100 − 30 = 70 dollars over 3 days: 23.333333333333⅓ a day, and the unit that is left over goes to the first day
    found = accrued([worth("100", "30", date(2026, 11, 18), date(2026, 11, 21))], [POOL])

    first, other = Decimal("23.333333333334"), Decimal("23.333333333333")
    assert found["effective_cost"].to_list() == found["billed_cost"].to_list() == [first, other, other]
    assert set(found["gpu_hours_exact"]) == {Decimal(384)}
    assert set(found["charge_description"]) == {"depreciation, policy/rates.csv"}


def test_market_values_are_rows_one_after_the_other_and_each_days_loss_is_that_of_its_row() -> None:
    # 100 → 80 over two days, 80 → 74 over the next day
    rows = [
        worth("100", "80", date(2026, 11, 18), date(2026, 11, 20)),
        worth("80", "74", date(2026, 11, 20), date(2026, 11, 21)),
    ]

    assert accrued(rows, [POOL])["billed_cost"].to_list() == [Decimal(10), Decimal(10), Decimal(6)]


def test_a_price_for_power_and_space_comes_on_top_of_the_loss_of_value() -> None:
    # 16 GPUs × 24 h × 0.25 = 96 dollars, and 1,200 over 4 days = 300 a day, of which the night knows two
    priced = worth("1200", "0", date(2026, 11, 19), date(2026, 11, 23), usd_per_gpu_hour=Decimal("0.25"))
    found = accrued([priced], [POOL])

    assert found["billed_cost"].to_list() == [Decimal(396), Decimal(396)]
    assert set(found["charge_description"]) == {"rate card and depreciation, policy/rates.csv"}


def test_the_loss_of_a_day_does_not_depend_on_how_many_gpus_the_pool_has_that_day() -> None:
    grown = [
        {**POOL, "valid_to": date(2026, 11, 20)},
        {**POOL, "gpu_count": 32.0, "valid_from": date(2026, 11, 20)},
    ]
    found = accrued([worth("60", "0", date(2026, 11, 18), date(2026, 11, 21))], grown)

    assert found.select("billed_cost", "gpu_hours").rows() == [(20, 384.0), (20, 384.0), (20, 768.0)]


@settings(max_examples=40)
@given(
    opening=st.integers(0, 10**32 - 1),
    kept=st.fractions(0, 1),
    days=st.integers(1, 4000),
)
def test_the_losses_of_a_life_add_up_to_cost_less_salvage(opening: int, kept: Fraction, days: int) -> None:
    closing = int(opening * kept)
    first = NIGHT_END.date() - timedelta(days=days)
    values = [Decimal(value).scaleb(-12, context=WIDE) for value in (opening, closing)]
    life = {"pool_id": "own", "opening_usd": values[0], "closing_usd": values[1]}
    costs = accrued([{**life, "valid_from": first, "valid_to": NIGHT_END.date()}], [POOL])["billed_cost"].to_physical()

    assert costs.sum() == opening - closing
    assert costs.len() == days
    assert costs.max() - costs.min() in {0, 1}
