"""Bills in FOCUS and as tables: what each column means, which row is refused, and what makes two rows one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.sources.billing import focus
from warehouse.sources.billing import table as table_bill
from warehouse.sources.billing.control_totals import OpinionsDifferError
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
FOCUS = Source("cloud", "gpu_billing", "focus", "inbox/*")
GOOD = {
    "BillingAccountId": "1000",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-11-20T00:00:00Z",
    "ChargePeriodEnd": "2026-11-20T01:00:00Z",
    "BilledCost": "12.5",
    "EffectiveCost": "10",
    "ResourceId": "node-1",
    "Tags": '{"team": "core"}',
}

Rows = Sequence[Mapping[str, Any]]
Read = Callable[..., Reading]


def as_csv(rows: Rows, header: Sequence[str] | None = None) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_parquet(rows: Rows) -> bytes:
    def column(name: str) -> pa.Array:
        cells = [row[name] or None for row in rows]
        if name.endswith("Cost"):
            return pa.array([cell and Decimal(cell) for cell in cells], pa.decimal128(38, 12))
        if "Period" in name:
            return pa.array([cell and datetime.fromisoformat(cell) for cell in cells], pa.timestamp("us", "UTC"))
        return pa.array(cells, pa.string())

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: column(name) for name in rows[0]}), sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a bill, and let the second reader add it up too."""

    def both(rows: Rows | bytes, source: Source = FOCUS, name: str = "bill.csv") -> Reading:
        content = rows if isinstance(rows, bytes) else as_csv(rows)
        path = tmp_path / "content"
        path.write_bytes(content)
        delivered = Delivered(name, "digest", len(content), path, NIGHT)
        reader = focus if source.format == "focus" else table_bill
        found = reader.read(delivered, source)
        FORMATS[source.kind, source.format].verify(delivered, source, found)
        return found

    return both


def charges(found: Reading) -> list[dict[str, Any]]:
    return found.frames["charge_rows"].to_dicts()


def refused(found: Reading) -> list[tuple[str, str]]:
    return sorted(found.refused.select("location", "reason").rows())


def test_a_focus_row_is_a_typed_charge(read: Read) -> None:
    (charge,) = charges(read([GOOD]))
    assert charge["billing_period_start"] == date(2026, 11, 1)
    assert charge["charge_end"] == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (charge["billed_cost"], charge["effective_cost"]) == (Decimal("12.5"), Decimal(10))
    assert (charge["tags"], charge["location"], charge["invoice_id"]) == ('{"team":"core"}', "line 2", None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ChargePeriodStart": ""}, "bad_date"),
        ({"BillingPeriodEnd": "03/04/2026"}, "bad_date"),
        ({"ChargePeriodStart": "2026-11-23T00:00:00Z", "ChargePeriodEnd": "2026-11-24"}, "date_out_of_range"),
        ({"ChargePeriodEnd": "9999-12-31T00:00:00Z"}, "date_out_of_range"),
        ({"ChargePeriodEnd": "2026-11-19T00:00:00Z"}, "end_before_start"),
        ({"BillingCurrency": ""}, "bad_currency"),
        ({"EffectiveCost": ""}, "missing_cost"),
        ({"BilledCost": "NaN"}, "non_finite"),
        ({"ListCost": "1,5"}, "bad_decimal"),
        ({"BilledCost": "1e30"}, "overflow"),
        ({"BilledCost": "1e-39"}, "precision_loss"),
        ({"Tags": '{"team": "a", "team": "b"}'}, "bad_json"),
        ({"ChargeCategory": "Rebate"}, "missing_key"),
        ({"CommitmentDiscountStatus": "Perhaps"}, "missing_key"),
        # of several reasons the first of the closed list: a footer with totals lacks everything else
        (dict.fromkeys(GOOD, "") | {"BillingAccountId": "TOTAL", "BilledCost": "12.5"}, "bad_date"),
        ({"BillingCurrency": "??", "BilledCost": "x"}, "bad_currency"),
    ],
)
def test_a_bad_cell_refuses_its_row_and_no_other(read: Read, changes: dict[str, str], reason: str) -> None:
    empty = dict.fromkeys(("ListCost", "CommitmentDiscountStatus"), "")
    found = read([GOOD | empty, GOOD | empty | changes, GOOD | empty])
    assert refused(found) == [("line 3", reason)]
    assert found.totals == {"USD": (Decimal(25), Decimal(20))}
    assert (found.rows, len(charges(found))) == (3, 2)


def test_the_money_of_a_refused_row_is_told_where_it_can_be_read(read: Read) -> None:
    rows = [GOOD, GOOD | {"ChargePeriodStart": "soon"}, GOOD | {"BilledCost": "7,5"}, GOOD | {"BillingCurrency": "X"}]
    found = read(rows).refused.sort("location")
    assert found["billed_cost"].to_list() == [Decimal("12.5"), None, None]
    assert found["currency"].to_list() == ["USD", None, None]
    assert json.loads(found["raw"][1])["billed_cost"] == "7,5"


def test_the_same_rows_have_the_same_digests_in_every_format_and_order_of_columns(read: Read) -> None:
    rows = [GOOD, GOOD | {"BilledCost": "12.50", "ResourceId": ""}, GOOD | {"ResourceId": "node-2"}]
    json_lines = "".join(json.dumps({name: cell or None for name, cell in row.items()}) + "\n" for row in rows)
    empty_column = [row | {"InvoiceId": ""} for row in rows]
    deliveries = {
        "a.csv": as_csv(rows),
        "b.csv": as_csv(rows, sorted(GOOD, reverse=True)),
        "c.csv": as_csv(empty_column),
        "d.jsonl": json_lines.encode(),
        "e.parquet": as_parquet(rows),
    }
    digests = [
        read(content, name=name).frames["charge_rows"].select("content_hash", "dimension_hash").rows()
        for name, content in deliveries.items()
    ]
    assert digests[1:] == digests[:-1]
    assert len(set(digests[0])) == 3


def test_costs_tell_contents_apart_and_not_dimensions(read: Read) -> None:
    one, other, third = charges(read([GOOD, GOOD | {"BilledCost": "13"}, GOOD | {"BilledCost": "12.500"}]))
    assert one["dimension_hash"] == other["dimension_hash"] == third["dimension_hash"]
    assert one["content_hash"] == third["content_hash"] != other["content_hash"]


def test_unknown_columns_of_a_bill_tell_rows_apart(read: Read) -> None:
    rows = [GOOD | {"AvailabilityZone": "a"}, GOOD | {"AvailabilityZone": "b"}, GOOD | {"AvailabilityZone": "b"}]
    one, other, same = charges(read(rows))
    assert one["dimension_hash"] != other["dimension_hash"] == same["dimension_hash"]


def test_a_column_may_be_called_as_our_own_ones_are(read: Read) -> None:
    names = ("location", "source", "billed_cost", "content_hash", "reason", "line")
    for name, content in {"a.csv": as_csv, "b.jsonl": lambda rows: json.dumps(rows[0]).encode()}.items():
        (charge,) = charges(read(content([GOOD | dict.fromkeys(names, "x")]), name=name))
        assert (charge["source"], charge["billed_cost"]) == ("cloud", Decimal("12.5"))


def test_custom_columns_and_allocated_tags_become_tags(read: Read) -> None:
    (charge,) = charges(read([GOOD | {"x_Project": "p1", "AllocatedTags": '{"team": "ml"}'}]))
    assert charge["tags"] == '{"team":"ml","x_Project":"p1"}'


def test_the_allocated_resource_names_a_row_that_has_no_name(read: Read) -> None:
    named = GOOD | {"ResourceName": "n", "AllocatedResourceId": "pod-1"}
    rows = charges(read([named, named | {"ResourceName": "NULL"}]))
    assert [row["resource_name"] for row in rows] == ["n", "pod-1"]
    assert {row["resource_id"] for row in rows} == {"node-1"}


@pytest.mark.parametrize(
    ("unit", "details", "gpus"),
    [
        ("Hours", '{"InstanceType": "p5.48xlarge", "GpuCount": 8}', 8.0),
        ("GPU-Hours", "", 1.0),
        ("Hours", '{"InstanceType": "p5.48xlarge"}', None),
        ("GB", '{"GpuCount": 8}', None),
        ("Hours", '{"GpuCount": "many"}', None),
    ],
)
def test_gpus_per_unit_follow_from_the_unit_and_the_price_details(
    read: Read, unit: str, details: str, gpus: float | None
) -> None:
    (charge,) = charges(read([GOOD | {"ConsumedUnit": unit, "SkuPriceDetails": details}]))
    assert charge["gpus_per_unit"] == gpus
    assert charge["instance_type"] == ("p5.48xlarge" if "InstanceType" in details else None)


def test_doubles_are_read_by_their_shortest_decimal_and_flagged(read: Read) -> None:
    columns = {name: pa.array([cell]) for name, cell in GOOD.items()} | {"BilledCost": pa.array([0.1 + 0.2])}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    found = read(sink.getvalue().to_pybytes(), name="bill.parquet")
    assert found.totals["USD"][0] == Decimal("0.3")  # 0.30000000000000004 rounded to 12 decimals
    assert found.rounding_residual == Decimal("4e-17")
    assert found.flags == ("float_money",)


def test_effective_costs_that_an_exporter_rounded_away_are_flagged(read: Read) -> None:
    small, large = GOOD | {"BilledCost": "0.4", "EffectiveCost": "0"}, GOOD | {"EffectiveCost": "13"}
    assert read([small, large]).flags == ("effective_rounded",)
    assert read([small, large | {"EffectiveCost": "12.5"}]).flags == ()


def test_a_total_that_does_not_fit_rejects_the_bill(read: Read) -> None:
    with pytest.raises(RejectedFile, match="overflow"):
        read([GOOD | {"BilledCost": "6e25"}, GOOD | {"BilledCost": "6e25"}])


def test_times_without_offset_are_flagged_where_no_zone_is_set(read: Read) -> None:
    local = GOOD | {"ChargePeriodStart": "2026-11-20 00:00:00"}
    assert read([local]).flags == ("tz_assumed",)
    berlin = read([local], Source("cloud", "gpu_billing", "focus", "inbox/*", options={"timezone": "Europe/Berlin"}))
    assert berlin.flags == ()
    assert charges(berlin)[0]["charge_start"] == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_invoice_details_state_totals_and_charge_nothing(read: Read) -> None:
    rows = [
        {"InvoiceDetailId": "1", "InvoiceId": "I-1", "BillingCurrency": "USD", "BilledCost": "1.10"},
        {"InvoiceDetailId": "2", "InvoiceId": "I-1", "BillingCurrency": "USD", "BilledCost": "2.20"},
        {"InvoiceDetailId": "3", "InvoiceId": "", "BillingCurrency": "USD", "BilledCost": "9"},
    ]
    found = read(rows)
    assert found.frames["invoice_totals"].select("invoice_id", "billed_cost").rows() == [("I-1", Decimal("3.3"))]
    assert (found.rows, refused(found)) == (3, [("line 4", "missing_key")])
    assert "charge_rows" not in found.frames


def test_contract_commitments_charge_nothing(read: Read) -> None:
    found = read([{"ContractCommitmentId": "c", "ContractCommitmentCost": "5", "BillingCurrency": "USD"}])
    assert (found.rows, dict(found.frames)) == (1, {})


def test_a_bill_without_a_required_column_is_no_other_data_set(read: Read) -> None:
    row = {name: cell for name, cell in GOOD.items() if name != "EffectiveCost"} | {"InvoiceDetailId": "1"}
    with pytest.raises(RejectedFile, match="missing column EffectiveCost"):
        read([row])


def table(columns: Mapping[str, str], constants: Mapping[str, str], **options: str) -> Source:
    return Source("neo", "gpu_billing", "table", "inbox/*", columns=columns, constants=constants, options=options)


def test_a_table_needs_a_start_one_cost_and_a_currency(read: Read) -> None:
    source = table({"charge_start": "When", "billed_cost": "Amount", "tag:team": "Team"}, {"currency": "eur"})
    found = read([{"When": "2026-11-20 06:30:00", "Amount": "-3.25", "Team": "core", "tag:env": "prod"}], source)
    (charge,) = charges(found)
    assert (charge["billed_cost"], charge["effective_cost"], charge["currency"]) == (Decimal("-3.25"),) * 2 + ("EUR",)
    assert charge["charge_end"] == charge["charge_start"] == datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    assert (charge["billing_period_start"], charge["billing_period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (charge["charge_category"], charge["tags"]) == ("Usage", '{"env":"prod","team":"core"}')
    assert found.flags == ("single_cost", "tz_assumed")


def test_a_table_with_a_duration_and_gpus_says_gpu_hours(read: Read) -> None:
    row = {"charge_start": "1795154400", "billed_cost": "9", "currency": "USD", "duration_s": "5400", "gpu_count": "4"}
    (charge,) = charges(read([row], table({}, {}, time_unit="s")))
    assert charge["charge_end"] - charge["charge_start"] == pl.select(pl.duration(seconds=5400)).item()
    assert (charge["gpus_per_unit"], charge["gpu_hours"]) == (4.0, 6.0)  # 4 GPUs × 1.5 hours


def test_a_key_of_its_own_is_the_identity_of_a_charge(read: Read) -> None:
    base = {"charge_start": "2026-11-20", "billed_cost": "1", "currency": "USD"}
    source = table({"charge_key": "Id"}, {})
    rows = [base | {"Id": "k1", "region": "a"}, base | {"Id": "k1", "region": "b"}, base | {"Id": "", "region": "a"}]
    found = read(rows, source)
    one, other = charges(found)
    assert one["dimension_hash"] == other["dimension_hash"]
    assert one["content_hash"] != other["content_hash"]
    assert refused(found) == [("line 4", "missing_key")]


@pytest.mark.parametrize("missing", ["charge_start", "currency", "billed_cost"])
def test_a_table_without_a_required_column_is_rejected(read: Read, missing: str) -> None:
    row = {"charge_start": "2026-11-20", "billed_cost": "1", "currency": "USD"}
    with pytest.raises(RejectedFile, match="missing_column"):
        read([{name: cell for name, cell in row.items() if name != missing}], table({}, {}))


def test_a_bill_larger_than_a_batch_lies_in_parts(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.sources.billing.charge_reader.HELD", 10)
    found = read([GOOD | {"ResourceId": f"node-{place}"} for place in range(25)])
    in_parts = sum(pl.read_parquet(path).height for path in found.parts["charge_rows"])
    assert in_parts + len(charges(found)) == found.rows == 25
    assert found.totals == {"USD": (Decimal("312.5"), Decimal(250))}  # 25 × 12.5 and 25 × 10


def test_two_readers_that_differ_stop_the_night(read: Read, tmp_path: Path) -> None:
    found = read([GOOD, GOOD])
    wrong = Reading(found.rows, found.frames, totals={"USD": (Decimal("25.000000000001"), Decimal(20))})
    delivered = Delivered("bill.csv", "digest", 0, tmp_path / "content", NIGHT)
    with pytest.raises(OpinionsDifferError, match=r"bill\.csv in USD: billed 25\.000000000001"):
        FORMATS[FOCUS.kind, FOCUS.format].verify(delivered, FOCUS, wrong)


def test_the_money_of_a_row_that_no_one_should_store_is_told_where_it_can_be_read(read: Read) -> None:
    spoilt = {"BillingAccountId": "a\x07b", "BilledCost": "7.25"}
    found = read([GOOD, GOOD | spoilt, GOOD | spoilt | {"BilledCost": "x"}, GOOD | {"BillingCurrency": "??"}])

    assert found.refused.sort("location").select("reason", "currency", "billed_cost").rows() == [
        ("control_char", "USD", Decimal("7.25")),
        ("control_char", None, None),
        ("bad_currency", None, None),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_bill_in_wide_characters_is_refused_for_its_encoding(read: Read, encoding: str) -> None:
    with pytest.raises(RejectedFile, match="encoding: the content is UTF-16 or UTF-32"):
        read(as_csv([GOOD]).decode().encode(encoding))
