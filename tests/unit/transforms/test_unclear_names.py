"""Names in bills that a person should look at."""

from __future__ import annotations

import polars as pl

from transforms.unclear_names import unclear_names

COLUMNS = (
    *("source", "tags", "gpu_model", "charge_category"),
    *("sku_price_details", "sku_id", "charge_description", "resource_name"),
)
SCHEMA: dict[str, pl.DataType] = {**dict.fromkeys(COLUMNS, pl.String()), "gpu_hours": pl.Float64()}


def unclear(*rows: dict[str, object]) -> list[tuple[str, list[str], int]]:
    """Kind, names and charges of each group."""
    filled = [{"source": "cloud", "tags": "{}", "charge_category": "Usage", "gpu_hours": 0.0, **row} for row in rows]
    frame = pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in filled], schema=SCHEMA)
    return unclear_names(frame).select("kind", "names", "charges").rows()


def test_keys_that_differ_in_case_or_blanks_are_alike_and_others_are_not() -> None:
    found = unclear({"tags": '{"team":"a"}'}, {"tags": '{"Team":"b","pool":"x"}'}, {"tags": '{" team":"c"}'})
    assert found == [("tag_keys_alike", [" team", "Team", "team"], 3)]


def test_a_type_that_looks_like_accelerators_and_has_no_rule_is_named() -> None:
    found = unclear(
        {"sku_id": "USE1-BoxUsage:p9.48xlarge"},
        {"sku_price_details": '{"InstanceType":"Standard_ND999_Z1"}'},
        {"charge_description": "p9.48xlarge Linux"},
        {"sku_id": "p5.48xlarge", "gpu_model": "H100", "gpu_hours": 8.0},  # a rule knows it
        {"sku_id": "m5.large"},
    )
    assert found == [
        ("instance_type_unknown", ["Standard_ND999_Z1"], 1),
        ("instance_type_unknown", ["p9.48xlarge"], 2),
    ]


def test_a_bill_that_names_chips_and_never_how_many_is_named() -> None:
    pods = [{"source": "pods", "gpu_model": chip} for chip in ("H100", "A100", "H100")]
    machines = {"gpu_model": "H100", "gpu_hours": 8.0}, {"gpu_model": "H100"}  # compute, and the licence beside it
    assert unclear(*pods, *machines) == [("gpus_unknown", ["A100", "H100"], 3)]
