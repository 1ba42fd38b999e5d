"""One month of one company in three layouts gives one ledger; two exports of one bill are refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from orchestration.ingestion import hold
from orchestration.preview import computed
from orchestration.settings import load
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.checks import days_off_the_bill
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.accruals import accruals
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from transforms.staging.run_attempts import run_attempts
from transforms.staging.token_usage import token_usage
from transforms.staging.training_runs import training_runs
from transforms.staging.workload_uses import workload_uses
from warehouse.connection import Limits, connect
from warehouse.errors import HeldError
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import Landing, land

LEDGER = (
    *(
        accruals,
        repeated_gpu_hours,
        charges,
        run_attempts,
        training_runs,
        token_usage,
        workload_uses,
        charge_rules,
        billed_hours,
    ),
    *(pool_uses, deployment_shares, postings, delivered_days, billed_days, booked_days),
)
READ_ON = date(2026, 11, 30)
HEADER = "priority,source,field,pattern,target,target_id,phase,team,valid_from,valid_to\n"
RULES = HEADER + (
    "1,*,tag:team,core,pool,h100,,,,\n1,*,tag:user_team,core,pool,h100,,,,\n"
    "2,*,tag:team,platform,shared,shared,,,,\n2,*,tag:user_team,platform,shared,shared,,,,\n"
)
MODELS = (
    "model_id,aliases,family,base_model_id,teacher_model_id,origin,params,active_params,training_tokens,released_on,"
    "retires_on,owner\nkestrel,,,,,own,,,,,,\n"
)
DEPLOYMENTS = "deployment_id,model_id,pool_id,gpu_count,valid_from,valid_to\nmain,kestrel,h100,6,2026-11-01,\n"
# Day, name, team, category, hours of a machine with eight H100, cost.
MONTH = [
    *((day, "i-1", "core", "Usage", 24, Decimal("2359.68")) for day in range(1, 31)),
    *((day, "i-2", "platform", "Usage", 0, Decimal("17.13")) for day in range(1, 31)),
    (15, "i-3", "unknown", "Usage", 0, Decimal("0.000000000001")),
    (1, "", "", "Tax", 0, Decimal("88.88")),
]
Row = Mapping[str, object]


def moments(day: int) -> tuple[str, str]:
    start = datetime(2026, 11, day, tzinfo=UTC)
    return f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


def as_cur() -> list[Row]:
    return [
        {
            "identity_line_item_id": f"{number}",
            "identity_time_interval": "/".join(moments(day)),
            "bill_payer_account_id": "1000",
            "bill_billing_period_start_date": "2026-11-01T00:00:00Z",
            "bill_billing_period_end_date": "2026-12-01T00:00:00Z",
            "line_item_usage_account_id": "2000",
            "line_item_line_item_type": kind,
            "line_item_usage_start_date": moments(day)[0],
            "line_item_usage_end_date": moments(day)[1],
            "line_item_resource_id": name,
            "line_item_usage_type": "BoxUsage:p5.48xlarge" if hours else "Other",
            "line_item_usage_amount": hours,
            "pricing_unit": "Hrs",
            "line_item_currency_code": "USD",
            "line_item_unblended_cost": cost,
            "resource_tags": json.dumps({"user_team": team}) if team else "{}",
        }
        for number, (day, name, team, kind, hours, cost) in enumerate(MONTH)
    ]


def as_focus() -> list[Row]:
    return [
        {
            "BillingAccountId": "1000",
            "BillingPeriodStart": "2026-11-01T00:00:00Z",
            "ChargeCategory": kind,
            "BillingPeriodEnd": "2026-12-01T00:00:00Z",
            "SubAccountId": "2000",
            "BillingCurrency": "USD",
            "ChargePeriodStart": moments(day)[0],
            "ChargePeriodEnd": moments(day)[1],
            "ResourceId": name,
            "BilledCost": cost,
            "EffectiveCost": cost,
            "ConsumedQuantity": hours or "",
            "ConsumedUnit": "Hours",
            "SkuPriceDetails": json.dumps({"InstanceType": "p5.48xlarge", "GpuCount": 8}) if hours else "",
            "Tags": json.dumps({"team": team}) if team else "",
        }
        for day, name, team, kind, hours, cost in MONTH
    ]


def as_azure() -> list[Row]:
    return [
        {
            "BillingAccountId": "1000",
            "BillingPeriodStartDate": "11/01/2026",
            "BillingPeriodEndDate": "11/30/2026",
            "Date": f"11/{day:02}/2026",
            "SubscriptionId": "2000",
            "ChargeType": kind,
            "PricingModel": "OnDemand",
            "ResourceId": name,
            "Cost": cost,
            "BillingCurrency": "USD",
            "Quantity": hours,
            "UnitOfMeasure": "1 Hour",
            "AdditionalInfo": json.dumps({"ServiceType": "Standard_ND96isr_H100_v5"}) if hours else "",
            "Tags": f'"team": "{team}"' if team else "",
        }
        for day, name, team, kind, hours, cost in MONTH
    ]


def project(folder: Path, **bills: tuple[str, Sequence[Row]]) -> Path:
    """A company with a pool of eight GPUs of which six serve; `bills` are format and rows by source."""
    (folder / "policy").mkdir(parents=True)
    for name, text in {"attribution": RULES, "models": MODELS, "deployments": DEPLOYMENTS}.items():
        (folder / f"policy/{name}.csv").write_text(text)
    settings = '[company]\nname = "One month"\n'
    for source, (layout, rows) in bills.items():
        named = {"name": source, "kind": "gpu_billing", "format": layout, "files": f"inbox/{source}/*.csv"}
        settings += "[[source]]\n" + "".join(f'{key} = "{value}"\n' for key, value in named.items())
        written(folder / f"inbox/{source}/bill.csv", rows)
    (folder / "trisect.toml").write_text(settings)
    return folder


def written(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def landed(folder: Path) -> tuple[Landing, pl.DataFrame]:
    """What landing the project holds up, and its ledger."""
    loaded = load(folder)
    connection = connect(folder / "var", Limits())
    place = Workspace(folder, folder / "var")
    landing = land(place, loaded.settings.sources(), connection, READ_ON, READ_ON)
    frames = computed(connection, loaded, place, READ_ON, LEDGER)
    ledger = frames["postings"]
    sides = {name: frames[name] for name in ("delivered_days", "accruals", "billed_days", "booked_days", "settings")}
    if not landing.holds:
        assert days_off_the_bill(**sides).is_empty()
    connection.close()
    return landing, ledger


def sums(ledger: pl.DataFrame) -> list[tuple[object, ...]]:
    costs = [pl.col("billed_cost").sum(), pl.col("effective_cost").sum(), pl.col("gpu_seconds").sum().round(3)]
    keys = ("account", "model_id", "phase", "pool_id", "charge_date", "currency")
    return ledger.group_by(keys).agg(costs).sort(keys, nulls_last=True).rows()


def test_one_month_in_three_layouts_gives_one_ledger(tmp_path: Path) -> None:
    layouts = {"aws_cur": as_cur(), "focus": as_focus(), "azure_cost": as_azure()}
    ledgers = [landed(project(tmp_path / layout, cloud=(layout, rows)))[1] for layout, rows in layouts.items()]

    assert sums(ledgers[0]) == sums(ledgers[1]) == sums(ledgers[2])
    accounts = ledgers[0].group_by("account").agg(pl.col("billed_cost").sum()).sort("account").rows()
    assert accounts == [  # 30 days: three quarters of 70,790.40 serve, a quarter is idle
        ("adjustment", Decimal("88.88")),
        ("direct", Decimal("53092.8")),
        ("idle", Decimal("17697.6")),
        ("shared", Decimal("513.9")),
        ("unallocated", Decimal("0.000000000001")),
    ]


def test_a_report_of_aws_and_its_focus_export_are_one_bill(tmp_path: Path) -> None:
    both = project(tmp_path, cur=("aws_cur", as_cur()), standard=("focus", as_focus()))
    landing, _ = landed(both)

    with pytest.raises(
        HeldError, match=r"same_money: source standard: cur \(aws_cur\) and standard \(focus\) bill account 1000"
    ):
        hold(landing, Limits())


def test_two_bills_of_one_account_that_hold_other_money_are_two_bills(tmp_path: Path) -> None:
    other = [{**row, "BilledCost": 5, "EffectiveCost": 5} for row in as_focus()]

    assert landed(project(tmp_path, cur=("aws_cur", as_cur()), market=("focus", other)))[0].holds == ()


def gcp(**cells: object) -> list[Row]:
    return [
        {
            "billing_account_id": "0123",
            "service": "{}",
            "sku": '{"id": "A", "description": "Core"}',
            "cost": 7 + day,
            "usage_start_time": moments(day)[0],
            "usage_end_time": moments(day)[1],
            "currency": "USD",
            "project": '{"id": "p"}',
            "invoice": '{"month": "202611"}',
            "credits": "[]",
            **cells,
        }
        for day in range(1, 31)
    ]


@pytest.mark.parametrize("is_one_folder", [True, False])
def test_both_exports_of_google_are_one_bill(tmp_path: Path, *, is_one_folder: bool) -> None:
    detailed = gcp(resource='{"name": "vm", "global_name": "//vm"}')
    folder = project(
        tmp_path, gcp=("gcp_billing", gcp()), **({} if is_one_folder else {"more": ("gcp_billing", detailed)})
    )
    if is_one_folder:
        written(tmp_path / "inbox/gcp/detailed.csv", detailed)

    assert landed(folder)[0].holds[0].reason == "same_money"


def test_both_views_of_azure_are_one_bill(tmp_path: Path) -> None:
    """A machine of its own, a reservation of 900 a month of which 600 are used, and 300 are not."""
    own, reserved = as_azure()[0], {**as_azure()[0], "PricingModel": "Reservation", "ReservationId": "r-1"}
    actual = [
        own,
        {**reserved, "Cost": 0, "ResourceId": "i-9"},
        {**reserved, "ChargeType": "Purchase", "Cost": 900, "Quantity": 1, "UnitOfMeasure": "1", "AdditionalInfo": ""},
    ]
    amortised = [
        own,
        {**reserved, "Cost": 600, "ResourceId": "i-9"},
        {**reserved, "ChargeType": "UnusedReservation", "Cost": 300, "ResourceId": ""},
    ]
    folder = project(tmp_path, azure=("azure_cost", actual))
    (folder / "inbox/azure/bill.csv").rename(folder / "inbox/azure/actual-1.csv")
    written(folder / "inbox/azure/amortized-1.csv", amortised)
    landing, ledger = landed(folder)

    assert landing.holds == ()
    # Billed: the machine's 2,359.68 and the purchase of 900. Consumed: 2,359.68 + 600 + 300.
    assert ledger["billed_cost"].sum() == Decimal("3259.68")
    assert ledger["effective_cost"].sum() == Decimal("3259.68")
    unused = ledger.filter(pl.col("account") == "commitment_unused")
    assert (unused["billed_cost"].sum(), unused["effective_cost"].sum()) == (Decimal(0), Decimal(300))
    assert ledger["gpu_seconds"].sum() == pytest.approx(2 * 8 * 24 * 3600)  # each machine's GPUs once


def test_what_the_actual_view_of_azure_lacks_is_told(tmp_path: Path) -> None:
    """Of two machines the amortised export has both, the actual one the first."""
    own, other = as_azure()[0], {**as_azure()[0], "SubscriptionId": "another", "ResourceId": "i-7"}
    folder = project(tmp_path, azure=("azure_cost", [own]))
    (folder / "inbox/azure/bill.csv").rename(folder / "inbox/azure/actual-1.csv")
    written(folder / "inbox/azure/amortized-1.csv", [own, other])
    landed(folder)
    with connect(folder / "var", Limits()) as connection:
        told = connection.execute(
            "SELECT kind, rows, amount FROM raw.landed_findings WHERE source = 'azure'"
        ).fetchall()
    assert told == [("views_differ", 1, Decimal("2359.68"))]


def in_october(rows: Sequence[Row]) -> list[Row]:
    """The same bill a month earlier; October's thirty-first day has no charge."""
    text = json.dumps(rows, default=str).replace("2026-12-01", "2026-11-01#").replace("2026-11-", "2026-10-")
    moved: list[Row] = json.loads(text.replace("2026-10-01#", "2026-11-01"))
    return moved


def as_legacy(rows: Sequence[Row]) -> list[Row]:
    """A report of the second version in the names of the first: `group/Name`, and a column a tag."""
    groups = {"identity": "identity", "bill": "bill", "line_item": "lineItem", "pricing": "pricing"}

    def renamed(name: str) -> str:
        group = next(group for group in groups if name.startswith(group))
        words = name.removeprefix(f"{group}_").split("_")
        return f"{groups[group]}/{''.join(word.capitalize() for word in words)}"

    return [
        {renamed(name): cell for name, cell in row.items() if name != "resource_tags"}
        | {"resourceTags/user:team": json.loads(str(row["resource_tags"])).get("user_team", "")}
        for row in rows
    ]


def billed(ledger: pl.DataFrame) -> dict[object, Decimal]:
    months = ledger.group_by(pl.col("charge_date").dt.month()).agg(pl.col("billed_cost").sum())
    return dict(months.sort("charge_date").rows())


OF_A_MONTH = sum((cost for *_, cost in MONTH), Decimal(0))


def test_reports_of_both_versions_of_aws_in_one_folder_add_up_month_by_month(tmp_path: Path) -> None:
    folder = project(tmp_path, aws=("aws_cur", as_cur()))
    written(folder / "inbox/aws/legacy.csv", as_legacy(in_october(as_cur())))
    landing, ledger = landed(folder)

    assert (landing.holds, landing.rejections) == ((), ())
    assert billed(ledger) == {10: OF_A_MONTH, 11: OF_A_MONTH}


def test_one_month_in_both_versions_of_aws_never_counts_twice(tmp_path: Path) -> None:
    folder = project(tmp_path, aws=("aws_cur", as_cur()))
    written(folder / "inbox/aws/legacy.csv", as_legacy(as_cur()))
    landing, ledger = landed(folder)

    assert landing.holds or billed(ledger) == {11: OF_A_MONTH}


def test_focus_of_two_versions_in_one_folder_adds_up_month_by_month(tmp_path: Path) -> None:
    """1.0 has no SkuPriceDetails; 1.2 names the invoice."""
    october = [{name: row[name] for name in row if name != "SkuPriceDetails"} for row in in_october(as_focus())]
    folder = project(tmp_path, cloud=("focus", [{**row, "InvoiceId": "inv-11"} for row in as_focus()]))
    written(folder / "inbox/cloud/october.csv", october)
    landing, ledger = landed(folder)

    assert (landing.holds, landing.rejections) == ((), ())
    assert billed(ledger) == {10: OF_A_MONTH, 11: OF_A_MONTH}


@pytest.mark.parametrize("layout", ["aws_cur", "focus", "azure_cost"])
def test_a_bill_that_is_cut_counts_nothing_and_holds_the_night(tmp_path: Path, layout: str) -> None:
    rows = {"aws_cur": as_cur, "focus": as_focus, "azure_cost": as_azure}[layout]()
    folder = project(tmp_path, cloud=(layout, rows))
    bill = folder / "inbox/cloud/bill.csv"
    bill.write_bytes(bill.read_bytes()[:-20])
    landing, ledger = landed(folder)

    assert [rejection.reason for rejection in landing.rejections] == ["no_final_newline"]
    assert ledger.is_empty()
    with pytest.raises(HeldError, match=r"no_final_newline: inbox/cloud/bill\.csv"):
        hold(landing, Limits())
