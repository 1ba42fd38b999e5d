"""Which delivery of a bill counts: exported, reaching, seen; covered or held; parts that add up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import Landing, land
from warehouse.sources.source import Delivery, Source

NIGHT = date(2026, 11, 20)
HEADER = (
    "BillingAccountId,SubAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ChargeCategory,ResourceId,BilledCost,EffectiveCost"
)
Charge = tuple[int, str, str]


def bill(*charges: Charge, account: str = "1000", sub_account: str = "s1") -> bytes:
    """Charges of November: day, resource and cost."""
    lines = [
        f"{account},{sub_account},USD,2026-11-01,2026-12-01,2026-11-{day:02},2026-11-{day + 1:02},Usage,{name},"
        f"{cost},{cost}"
        for day, name, cost in charges
    ]
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def days(last: int, cost: str = "10", name: str = "vm1") -> list[Charge]:
    """The month so far."""
    return [(day, name, cost) for day in range(1, last + 1)]


@dataclass
class Company:
    """A project directory and its warehouse."""

    root: Path
    delivery: Delivery = "replace"
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        (self.root / "var").mkdir(parents=True)
        self.connection = connect(self.root / "var", Limits(memory="500MB"))

    def deliver(self, files: Mapping[str, bytes]) -> Company:
        """Put files into the inbox."""
        for name, content in files.items():
            path = self.root / "inbox" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self

    def land(self, night: date = NIGHT) -> Landing:
        """One night."""
        source = Source("cloud", "gpu_billing", "focus", "inbox/**/*.csv", self.delivery)
        return land(
            Workspace(self.root, self.root / "var"), [source], self.connection, night, night + timedelta(days=1)
        )

    def held(self, night: date = NIGHT) -> list[str]:
        """Why the night is held."""
        return [hold.reason for hold in self.land(night).holds]

    def cost(self) -> Decimal:
        """What counts."""
        (total,) = self.connection.execute(
            """SELECT coalesce(sum(billed_cost), 0) FROM raw.charge_rows SEMI JOIN
            (SELECT * FROM raw.bill_deliveries WHERE is_current) USING (source, file_sha256, billing_period_start)"""
        ).fetchall()[0]
        return Decimal(total)

    def replaced(self) -> dict[str, str | None]:
        """File -> what replaced it."""
        rows: Sequence[tuple[str, str | None]] = self.connection.execute(
            "SELECT file, superseded_by FROM raw.files ORDER BY file"
        ).fetchall()
        return {file.removeprefix("inbox/"): winner and winner.removeprefix("inbox/") for file, winner in rows}


Founded = Callable[..., Company]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Founded]:
    """A company whose bill is delivered in one way or the other."""
    opened: list[Company] = []

    def founded(delivery: Delivery = "replace") -> Company:
        opened.append(Company(tmp_path / f"company{len(opened)}", delivery))
        return opened[-1]

    yield founded
    for each in opened:
        each.connection.close()


def azure_manifest(at: str, rows: int | None = None) -> bytes:
    return json.dumps({"dataRowCount": rows, "runInfo": {"runId": "x", "submittedTime": at}}).encode()


def test_the_export_time_of_a_manifest_decides_whatever_the_names_say(company: Founded) -> None:
    # The newer export covers the same days at a higher price; the random name of its folder sorts first.
    older, newer = "f0c1d2e3-0000-4000-8000-000000000001", "1a2b3c4d-0000-4000-8000-000000000002"
    one = company().deliver({
        f"mtd/{older}/part_0.csv": bill(*days(5)), f"mtd/{older}/manifest.json": azure_manifest("2026-11-06T01:00:00Z"),
        f"mtd/{newer}/part_0.csv": bill(*days(5, "11")),
        f"mtd/{newer}/manifest.json": azure_manifest("2026-11-07T01:00:00.1234567"),
    })  # fmt: skip
    assert one.held() == []
    assert one.cost() == 55  # 5 days of 11
    assert one.replaced()[f"mtd/{older}/part_0.csv"] == f"mtd/{newer}/part_0.csv"


def test_an_aws_manifest_lists_the_parts_of_its_assembly(company: Founded) -> None:
    def manifest(assembly: str, at: str) -> bytes:
        keys = [f"reports/cur/{assembly}/cur-{part}.csv" for part in ("00001", "00002")]
        return json.dumps({"assemblyId": assembly, "reportKeys": keys, "createdAt": at}).encode()

    one = company().deliver({
        "cur/b/cur-00001.csv": bill(*days(3)), "cur/b/cur-00002.csv": bill((4, "vm1", "10")),
        "cur/b/cur-Manifest.json": manifest("b", "2026-11-05T00:00:00Z"),
        "cur/a/cur-00001.csv": bill(*days(3, "12")), "cur/a/cur-00002.csv": bill((4, "vm1", "12")),
        "cur/a/cur-Manifest.json": manifest("a", "2026-11-06T00:00:00Z"),
    })  # fmt: skip
    assert one.held() == []
    assert one.cost() == 48  # 4 days of 12


def test_an_export_that_lacks_a_file_or_rows_of_its_manifest_is_refused_while_it_counts(company: Founded) -> None:
    def manifest(at: str, rows: int) -> bytes:
        blobs = [{"blobName": f"exports/x/part_{part}.csv"} for part in (0, 1)]
        return json.dumps({"blobs": blobs, "dataRowCount": rows, "runInfo": {"submittedTime": at}}).encode()

    one = company().deliver({
        "x/manifest.json": manifest("2026-11-06T00:00:00Z", 5), "x/part_0.csv": bill(*days(4)),
    })  # fmt: skip
    [refused] = one.land().rejections
    assert (refused.reason, refused.detail) == (
        "missing_part",
        "inbox/x/manifest.json lists exports/x/part_1.csv, which is not there; deliver the export whole",
    )
    assert one.cost() == 0
    one.deliver({"x/part_1.csv": bill((5, "vm1", "10"))})
    assert (one.land().rejections, one.cost()) == ((), 50)
    one.deliver({"x/manifest.json": manifest("2026-11-06T00:00:00Z", 6)})
    assert {each.reason for each in one.land().rejections} == {"control_mismatch"}
    one.deliver({"y/part_0.csv": bill(*days(6)), "y/manifest.json": azure_manifest("2026-11-07T00:00:00Z", 6)})
    assert (one.land().rejections, one.cost()) == ((), 60)  # what is replaced need not be whole


def aws_manifest(*keys: str) -> bytes:
    """Of a Cost and Usage Report: it names the files of a version, and no time."""
    return json.dumps({"assemblyId": "x", "reportKeys": list(keys)}).encode()


def test_of_the_versions_of_a_month_the_one_stands_that_the_manifest_above_them_lists(company: Founded) -> None:
    # Both versions reach as far, and both came in one night: only the manifest of the month tells them apart.
    month, lists = "cur/20261101-20261201", "reports/cur/20261101-20261201"
    here = company().deliver(
        {
            f"{month}/aaaa/bill-00001.csv": bill(*days(20, "12")),
            f"{month}/aaaa/bill-Manifest.json": aws_manifest(f"{lists}/aaaa/bill-00001.csv"),
            f"{month}/bbbb/bill-00001.csv": bill(*days(20, "10")),
            f"{month}/bbbb/bill-Manifest.json": aws_manifest(f"{lists}/bbbb/bill-00001.csv"),
            f"{month}/bill-Manifest.json": aws_manifest(f"{lists}/aaaa/bill-00001.csv"),
        }
    )

    assert here.held() == []
    assert here.cost() == Decimal(240)  # 20 days at 12


def test_a_manifest_in_a_folder_beside_the_data_lists_them_by_the_end_of_their_path(company: Founded) -> None:
    def manifest(run: str, at: str) -> bytes:
        names = [f"s3://bucket/x/data/BILLING_PERIOD=2026-11/{run}/bill-00001.csv"]
        return json.dumps({"createdAt": at, "dataFiles": names}).encode()

    here = company().deliver(
        {
            "data/BILLING_PERIOD=2026-11/r2/bill-00001.csv": bill(*days(20, "12")),
            "data/BILLING_PERIOD=2026-11/r9/bill-00001.csv": bill(*days(20, "10")),
            "metadata/BILLING_PERIOD=2026-11/r2/x-Manifest.json": manifest("r2", "2026-11-21T08:00:00Z"),
            "metadata/BILLING_PERIOD=2026-11/r9/x-Manifest.json": manifest("r9", "2026-11-21T02:00:00Z"),
        }
    )

    assert here.held() == []
    assert here.cost() == Decimal(240)


def test_a_control_file_says_when_its_file_was_exported(company: Founded) -> None:
    one = company()
    for folder, cost, at in (("z", "10", "2026-11-06T00:00:00Z"), ("a", "9", "2026-11-07T00:00:00+01:00")):
        content = bill(*days(4, cost))
        one.deliver({f"{folder}/bill.csv": content, f"{folder}/bill.control.json": control("bill.csv", content, at)})
    assert one.held() == []
    assert one.cost() == 36  # 4 days of 9


def control(name: str, content: bytes, at: str) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return json.dumps({"files": [{"name": name, "bytes": len(content), "sha256": digest}], "exported_at": at}).encode()


def test_without_an_export_time_the_delivery_that_reaches_later_is_newer(company: Founded) -> None:
    one = company().deliver({"z/bill.csv": bill(*days(5)), "a/bill.csv": bill(*days(6))})
    assert one.held() == []
    assert one.cost() == 60


def test_of_two_that_reach_alike_the_one_seen_later_is_newer(company: Founded) -> None:
    one = company().deliver({"z/bill.csv": bill(*days(5))})
    one.land()
    one.deliver({"a/bill.csv": bill(*days(5, "8"))})
    assert one.held(date(2026, 11, 21)) == []
    assert one.cost() == 40


def test_where_nothing_tells_the_newer_one_the_night_is_held_and_both_are_named(company: Founded) -> None:
    one = company().deliver({"z/bill.csv": bill(*days(5)), "a/bill.csv": bill(*days(5, "8"))})
    (hold,) = one.land().holds
    assert hold.reason == "delivery_order_unknown"
    assert "inbox/a/bill.csv" in hold.detail
    assert "inbox/z/bill.csv" in hold.detail


def test_what_was_seen_later_is_told_again_by_the_published_nights(company: Founded) -> None:
    one = company().deliver({"z/bill.csv": bill(*days(5)), "a/bill.csv": bill(*days(5, "8"))})

    def inputs(*names: str) -> list[dict[str, str]]:
        files = [(name, (one.root / "inbox" / name).read_bytes()) for name in names]
        return [
            {"source": "cloud", "file": f"inbox/{name}", "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files
        ]

    for night, names in (("2026-11-19", ["z/bill.csv"]), ("2026-11-20", ["z/bill.csv", "a/bill.csv"])):
        directory = one.root / "var" / "published" / night
        directory.mkdir(parents=True)
        (directory / "manifest.json").write_text(json.dumps({"inputs": inputs(*names)}))
    assert one.held() == []
    assert one.cost() == 40  # the second was seen a night later
    assert one.connection.execute("SELECT file[7], first_seen_at::DATE FROM raw.files ORDER BY file").fetchall() == [
        ("a", date(2026, 11, 20)), ("z", date(2026, 11, 19)),
    ]  # fmt: skip


@pytest.mark.parametrize("digits", [1, 2, 5, 12])
def test_part_numbers_have_any_length(company: Founded, digits: int) -> None:
    parts = {f"2026-11/focus-{number:0{digits}}.csv": bill((number + 1, "vm1", "10")) for number in range(4)}
    one = company().deliver(parts)
    assert one.held() == []
    assert one.cost() == 40


def test_numbered_files_that_repeat_charges_are_versions_whatever_their_tags_say(company: Founded) -> None:
    retagged = bill(*days(5, "11")).replace(b"EffectiveCost", b"EffectiveCost,x_Team").replace(b",11\n", b",11,a\n")
    one = company().deliver({"bill_v1.csv": bill(*days(5))})
    one.land()
    one.deliver({"bill_v2.csv": retagged})
    assert one.held(date(2026, 11, 21)) == []
    assert one.cost() == 55


def test_versions_in_parts_are_told_from_parts_in_versions(company: Founded) -> None:
    one = company().deliver({"v1_1.csv": bill(*days(3)), "v1_2.csv": bill((4, "vm1", "10"))})
    one.land()
    one.deliver({"v2_1.csv": bill(*days(3, "11")), "v2_2.csv": bill((4, "vm1", "11"), (5, "vm1", "11"))})
    assert one.held(date(2026, 11, 21)) == []
    assert one.cost() == 55


def test_a_delivery_that_lacks_a_sub_account_s_days_replaces_nothing_and_names_the_money(company: Founded) -> None:
    one = company().deliver({
        "acc-1/cost.csv": bill(*days(10, "70"), sub_account="acc-1"),
        "acc-2/cost.csv": bill(*((day, "vm2", "30") for day in range(4, 21)), sub_account="acc-2"),
    })  # fmt: skip
    (hold,) = one.land().holds
    assert hold.reason == "not_a_replacement"
    assert "700 USD of acc-1 on 10 days from 2026-11-01 to 2026-11-10 would vanish" in hold.detail
    assert one.held(date(2026, 11, 21)) == ["not_a_replacement"]  # and every night until it is corrected


def test_exports_of_two_services_without_sub_accounts_replace_nothing(company: Founded) -> None:
    one = company().deliver({
        "compute/cost.csv": bill(*days(20, "70"), sub_account=""),
        "storage/cost.csv": bill(*days(20, "50", "disk1"), sub_account=""),
    })  # fmt: skip
    one.deliver({"storage/cost.csv": bill(*days(21, "50", "disk1"), sub_account="")})
    (hold,) = one.land(date(2026, 11, 21)).holds
    assert hold.reason == "not_a_replacement"
    assert "repeats 0 of the 20 things" in hold.detail


def test_exports_in_parts_add_up_and_a_charge_of_two_of_them_counts_once(company: Founded) -> None:
    run1, run2 = "aaaaaaaa-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    one = company("parts").deliver({
        f"sub1/{run1}/cost.csv": bill(*days(10, "70"), sub_account="s1"),
        f"sub2/{run1}/cost.csv": bill(*days(10, "30", "vm2"), (1, "shared", "5"), sub_account="s2"),
    })  # fmt: skip
    assert one.held() == []
    assert one.cost() == 1005
    one.deliver({
        f"sub1/{run2}/cost.csv": bill(*days(11, "70"), sub_account="s1"),
        "all/cost.csv": bill((1, "shared", "5"), (12, "vm3", "1"), sub_account="s2"),
    })  # fmt: skip
    assert one.held(date(2026, 11, 21)) == []
    assert one.cost() == 770 + 300 + 5 + 1  # the newer run replaces the older one of its export; shared counts once


def test_a_part_without_rows_beside_full_ones_is_a_delivery_of_nothing(company: Founded) -> None:
    one = company().deliver({"sub1/a.csv": bill(*days(2)), "sub2/a.csv": bill()})
    landing = one.land()
    assert (landing.rejections, landing.holds) == ((), ())
    assert one.cost() == 20


def test_a_bill_without_rows_alone_is_refused_unless_its_manifest_says_so(company: Founded) -> None:
    alone = company().deliver({"sub1/a.csv": bill()})
    assert [rejection.reason for rejection in alone.land().rejections] == ["empty_file"]
    assert alone.deliver({"sub1/manifest.json": azure_manifest("2026-11-20", 0)}).land().rejections == ()


def test_a_delivery_that_shrank_in_two_accounts_is_one_refusal_in_words(company: Founded) -> None:
    def two(last: int) -> bytes:
        return bill(*days(last), account="x") + bill(*days(last), account="y").split(b"\n", 1)[1]

    one = company().deliver({"v1/bill.csv": two(6)})
    one.land()
    (rejection,) = one.deliver({"v2/bill.csv": two(1)}).land(date(2026, 11, 21)).rejections
    assert rejection.reason == "shrunken"
    assert "account x, 2026-11: 1 rows, 10 where 6 rows, 60 stand; account y" in rejection.detail
    assert one.cost() == 120
