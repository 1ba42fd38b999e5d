"""Nights of landing: what arrives, repeats, is replaced, leaves or is damaged, and what the tables then say."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import READER, Landing, land, last_day
from warehouse.landing.reading import DEFAULT_LIMITS, ReadingLimits
from warehouse.sources.source import Delivery, Source

NIGHT = date(2026, 11, 20)
HEADER = (
    "BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,"
    "ChargeCategory,ResourceId,BilledCost,EffectiveCost"
)


def bill(*rows: tuple[str, str], month: str = "2026-11", day: str = "2026-11-05") -> bytes:
    """A bill of resources and costs."""
    following = "2026-12" if month == "2026-11" else "2026-11"
    lines = [f"1000,USD,{month}-01,{following}-01,{day},{day},Usage,{name},{cost},{cost}" for name, cost in rows]
    return ("\n".join([HEADER, *lines]) + "\n").encode()


@dataclass
class Company:
    """A project directory and its warehouse."""

    root: Path
    sources: Sequence[Source] = (Source("cloud", "gpu_billing", "focus", "inbox/cloud/*"),)
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        (self.root / "var").mkdir(parents=True)
        self.connection = connect(self.root / "var", Limits(memory="500MB"))

    def deliver(self, files: Mapping[str, bytes]) -> Company:
        """Put files into the inbox."""
        for name, content in files.items():
            path = self.root / "inbox" / "cloud" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self

    def land(self, night: date = NIGHT, run_on: date | None = None, limits: ReadingLimits = DEFAULT_LIMITS) -> Landing:
        """One night, run on the next day or made up later."""
        run_on = run_on or night + timedelta(days=1)
        return land(Workspace(self.root, self.root / "var", limits), self.sources, self.connection, night, run_on)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the warehouse answers."""
        return self.connection.execute(query).fetchall()

    def account(self) -> dict[str, tuple[int, ...]]:
        """File -> rows, accepted, quarantined, duplicates, blank."""
        query = "SELECT file, rows, accepted, quarantined, duplicates, blank FROM raw.files"
        counted = {file.removeprefix("inbox/cloud/"): tuple(counts) for file, *counts in self.rows(query)}
        assert all(counts[0] == sum(counts[1:]) for counts in counted.values())
        return counted

    def findings(self) -> list[tuple[str, str, str]]:
        """Source, kind and subject of what landing noticed."""
        return self.rows("SELECT source, kind, subject FROM raw.landed_findings ORDER BY ALL")

    def current(self) -> list[tuple[str, Decimal]]:
        """The charges that count now: resource and cost."""
        return self.rows(
            """SELECT resource_id, billed_cost FROM raw.charge_rows SEMI JOIN
            (SELECT * FROM raw.bill_deliveries WHERE is_current) USING (source, file_sha256, billing_period_start)
            ORDER BY ALL"""
        )


Found = Callable[..., Company]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Found]:
    """A company whose bill is delivered in one way or the other."""
    opened: list[Company] = []

    def found(delivery: Delivery = "replace", pattern: str = "inbox/cloud/*") -> Company:
        source = Source("cloud", "gpu_billing", "focus", pattern, delivery)
        opened.append(Company(tmp_path / f"company{len(opened)}", (source,)))
        return opened[-1]

    yield found
    for each in opened:
        each.connection.close()


A, B, C = ("a", "1.5"), ("b", "2.25"), ("c", "4")


@pytest.mark.parametrize("delivery", ["replace", "append"])
def test_the_same_bytes_under_another_name_are_duplicates(company: Found, delivery: Delivery) -> None:
    one = company(delivery).deliver({"a.csv": bill(A, A), "copy of a.csv": bill(A, A)})
    assert one.land().rejections == ()
    assert one.account() == {"a.csv": (2, 2, 0, 0, 0), "copy of a.csv": (2, 0, 0, 2, 0)}
    assert one.current() == [("a", Decimal("1.5"))] * 2  # equal rows of one file are two charges


def test_the_same_bytes_in_two_bills_are_money_once_and_come_back_when_the_first_leaves(tmp_path: Path) -> None:
    clouds = tuple(Source(name, "gpu_billing", "focus", f"inbox/cloud/{name}*") for name in ("a", "b"))
    one = Company(tmp_path, clouds).deliver({"a.csv": bill(A, B), "b.csv": bill(A, B)})

    one.land()
    assert one.account() == {"a.csv": (2, 2, 0, 0, 0), "b.csv": (2, 0, 0, 2, 0)}
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]

    (one.root / "inbox/cloud/a.csv").unlink()
    one.land()
    assert one.account() == {"b.csv": (2, 2, 0, 0, 0)}
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]


def test_one_file_that_two_sources_name_is_money_once(tmp_path: Path) -> None:
    clouds = tuple(Source(name, "gpu_billing", "focus", "inbox/cloud/*") for name in ("a", "b"))
    one = Company(tmp_path, clouds).deliver({"x.csv": bill(A, B)})

    one.land()
    counted = one.rows("SELECT source, rows, accepted, duplicates FROM raw.files ORDER BY source")
    assert counted == [("a", 2, 2, 0), ("b", 2, 0, 2)]
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]


def test_two_columns_of_cost_in_one_file_are_two_bills(tmp_path: Path) -> None:
    kinds = [{"charge_start": "day", "billed_cost": column} for column in ("gpus", "disks")]
    bills = tuple(
        Source(columns["billed_cost"], "gpu_billing", "table", "inbox/cloud/*", "append", columns, {"currency": "USD"})
        for columns in kinds
    )
    one = Company(tmp_path, bills).deliver({"x.csv": b"day,gpus,disks\n2026-11-05,8.5,0.25\n"})
    one.land()
    assert one.rows("SELECT source, billed_cost FROM raw.charge_rows ORDER BY source") == [
        ("disks", Decimal("0.25")), ("gpus", Decimal("8.5")),
    ]  # fmt: skip


def test_a_row_of_an_earlier_file_is_a_duplicate_where_bills_append(company: Found) -> None:
    one = company("append").deliver({"1.csv": bill(A, B), "2.csv": bill(B, C, C)})
    one.land()
    assert one.account() == {"1.csv": (2, 2, 0, 0, 0), "2.csv": (3, 2, 0, 1, 0)}
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25")), ("c", Decimal(4)), ("c", Decimal(4))]


def test_what_left_with_an_earlier_file_comes_back_from_the_later_one(company: Found) -> None:
    one = company("append").deliver({"1.csv": bill(A, B), "2.csv": bill(B, C)})
    one.land()
    (one.root / "inbox/cloud/1.csv").unlink()
    one.land()
    assert one.account() == {"2.csv": (2, 2, 0, 0, 0)}
    assert one.current() == [("b", Decimal("2.25")), ("c", Decimal(4))]


def test_the_order_of_arrival_does_not_matter_where_bills_append(company: Found) -> None:
    first, second = company("append"), company("append")
    first.deliver({"1.csv": bill(A, B), "2.csv": bill(B, C)}).land()
    second.deliver({"2.csv": bill(B, C)}).land()
    second.deliver({"1.csv": bill(A, B)}).land()
    assert first.account() == second.account()
    assert first.current() == second.current()


def test_the_later_path_replaces_a_month_and_the_older_file_stays_accepted(company: Found) -> None:
    one = company().deliver({"2026-11_1.csv": bill(A, B)})
    one.land()
    assert one.deliver({"2026-11_2.csv": bill(A, ("b", "3"), C)}).land(date(2026, 11, 21)).holds == ()
    assert one.account() == {"2026-11_1.csv": (2, 2, 0, 0, 0), "2026-11_2.csv": (3, 3, 0, 0, 0)}
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal(3)), ("c", Decimal(4))]
    replaced = "SELECT superseded_by FROM raw.files ORDER BY file"
    assert one.rows(replaced) == [("inbox/cloud/2026-11_2.csv",), (None,)]


def test_months_are_replaced_apart(company: Found) -> None:
    october = bill(C, month="2026-10", day="2026-10-03")
    one = company().deliver({"1.csv": october, "2.csv": bill(A)})
    one.land()
    one.deliver({"3.csv": bill(A, B)}).land(date(2026, 11, 21))
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25")), ("c", Decimal(4))]


def test_an_old_bill_that_is_delivered_again_counts_again(company: Found) -> None:
    one = company().deliver({"1.csv": bill(A, B)})
    one.land()
    one.deliver({"2.csv": bill(A, C)}).land(date(2026, 11, 21))
    assert one.current() == [("a", Decimal("1.5")), ("c", Decimal(4))]
    one.deliver({"3.csv": bill(A, B)}).land(date(2026, 11, 22))
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]
    assert one.account()["3.csv"] == (2, 0, 0, 2, 0)


@pytest.mark.parametrize(
    "names",
    [
        ("aws/part-0001.csv", "aws/part-0002.csv"),
        ("aws/part_0_0001.csv", "aws/part_0_0002.csv"),
        ("aws/cur-00001.csv", "aws/cur-00002.csv"),
        ("aws/part-00000-5f2c.csv", "aws/part-00001-5f2c.csv"),
    ],
)
def test_parts_of_one_folder_are_one_delivery(company: Found, names: tuple[str, str]) -> None:
    one = company(pattern="inbox/cloud/**/*.csv").deliver(dict(zip(names, (bill(A), bill(B)), strict=True)))
    assert one.land().holds == ()
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]


def test_numbered_files_of_one_folder_that_share_no_charge_add_up(company: Found) -> None:
    one = company().deliver({"2026-11_1.csv": bill(A), "2026-11_2.csv": bill(B)})
    one.land()
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]


@pytest.mark.parametrize("smaller", [bill(A), bill(A, ("b", "0.01"), ("c", "0.01"))])
def test_a_newer_file_with_under_half_of_the_month_is_rejected(company: Found, smaller: bytes) -> None:
    one = company().deliver({"1.csv": bill(A, B, C)})
    one.land()
    (rejection,) = one.deliver({"2.csv": smaller}).land(date(2026, 11, 21)).rejections
    assert (rejection.file, rejection.reason) == ("inbox/cloud/2.csv", "shrunken")
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25")), ("c", Decimal(4))]
    assert one.account()["2.csv"] == (0, 0, 0, 0, 0)


def test_a_second_night_reads_only_what_is_new(company: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    one = company("append").deliver({"1.csv": bill(A), "2.csv.gz": gzip.compress(bill(B))})
    one.land()
    read: list[str] = []
    monkeypatch.setattr(
        "warehouse.landing.reading.read",
        lambda _, order, __: read.append(order.source_file.file) or pytest.fail("read"),
    )
    one.land(date(2026, 11, 21))
    assert read == []
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25"))]
    assert one.rows("SELECT DISTINCT first_seen_at::DATE FROM raw.files") == [(NIGHT,)]


def test_a_file_whose_reading_does_not_end_is_refused_and_the_others_count(company: Found) -> None:
    """The child that reads is stopped, as a parser that hangs stands still; after a second another child reads on."""
    one = company("append").deliver({"1.csv": bill(A)})
    one.land()
    one.deliver({"2.csv": bill(B), "3.csv": bill(C)})
    assert READER.pid is not None
    os.kill(READER.pid, signal.SIGSTOP)

    (rejection,) = one.land(limits=ReadingLimits(seconds_per_file=5)).rejections

    assert (rejection.file, rejection.reason) == ("inbox/cloud/2.csv", "limit")
    assert "did not end within 5 s" in rejection.detail
    assert "seconds_per_file" in rejection.detail
    assert one.current() == [("a", Decimal("1.5")), ("c", Decimal(4))]
    assert one.land().rejections == ()
    assert one.current() == [("a", Decimal("1.5")), ("b", Decimal("2.25")), ("c", Decimal(4))]


def test_a_file_that_changed_counts_with_its_new_content(company: Found) -> None:
    one = company().deliver({"1.csv": bill(A, B)})
    one.land()
    one.deliver({"1.csv": bill(A, B, C)}).land()
    assert one.account() == {"1.csv": (3, 3, 0, 0, 0)}
    assert len(one.current()) == len(one.rows("SELECT 1 FROM raw.charge_rows")) == 3


def test_a_start_after_the_night_is_taken_in_once_the_night_has_come(company: Found) -> None:
    late = bill(A) + bill(C, day="2026-11-23").split(b"\n", 1)[1]
    one = company("append").deliver({"1.csv": late})
    one.land()
    assert one.account() == {"1.csv": (2, 1, 1, 0, 0)}
    assert one.rows("SELECT location, reason FROM raw.quarantine") == [("line 3", "date_out_of_range")]
    one.land(date(2026, 11, 21))  # the 23rd lies before the 21st and three days
    assert one.account() == {"1.csv": (2, 2, 0, 0, 0)}
    one.land()  # and the earlier night is what it was
    assert one.account() == {"1.csv": (2, 1, 1, 0, 0)}


def test_a_night_that_is_made_up_leaves_later_days_to_their_nights(company: Found) -> None:
    late = bill(A) + bill(C, day="2026-11-27").split(b"\n", 1)[1]
    one = company("append").deliver({"1.csv": late})
    # a week without a run: the 27th is over, so nothing is wrong with its row, which waits for its night
    one.land(run_on=date(2026, 11, 28))
    assert one.account() == {"1.csv": (2, 2, 0, 0, 0)}
    one.land(date(2026, 11, 21), run_on=date(2026, 11, 28))
    assert one.account() == {"1.csv": (2, 2, 0, 0, 0)}
    one.land(date(2026, 11, 22), run_on=date(2026, 11, 26))
    assert one.account() == {"1.csv": (2, 1, 1, 0, 0)}


def control(files: Mapping[str, bytes], **more: object) -> bytes:
    entries = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    return json.dumps({"files": [entry | more for entry in entries]}).encode()


def test_a_control_file_that_agrees_changes_nothing_and_is_no_data(company: Found) -> None:
    one = company()
    files = {"1.csv": bill(A, B)}
    one.deliver({**files, "1.control.json": control(files, rows=2, billed_cost="3.75")})
    assert one.land().rejections == ()
    assert one.account() == {"1.csv": (2, 2, 0, 0, 0)}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"rows": 3}, "2 rows, where the control file says 3"),
        ({"billed_cost": "3.76"}, "billed 3.75"),
        ({"bytes": 1}, "1 bytes"),
    ],
)
def test_a_control_file_that_differs_rejects_its_file_every_night(
    company: Found, more: dict[str, object], found: str
) -> None:
    one = company()
    files = {"1.csv": bill(A, B)}
    one.deliver({**files, "1.control.json": control(files, **more)})
    for _ in range(2):
        (rejection,) = one.land().rejections
        assert (rejection.file, rejection.reason) == ("inbox/cloud/1.csv", "control_mismatch")
        assert found in rejection.detail
        assert one.current() == []
    one.deliver({"1.control.json": control(files)})
    assert one.land().rejections == ()
    assert len(one.current()) == 2


def test_a_control_file_proves_an_open_last_line_and_an_empty_file(company: Found) -> None:
    one = company()
    files = {"1.csv": bill(A)[:-1], "2.csv": b"", "3.csv": bill()}
    one.deliver(files)
    assert {rejection.reason for rejection in one.land().rejections} == {"no_final_newline", "empty_file"}
    one.deliver({"all.control.json": control(files)})
    assert one.land().rejections == ()
    assert one.account() == {"1.csv": (1, 1, 0, 0, 0), "2.csv": (0, 0, 0, 0, 0), "3.csv": (0, 0, 0, 0, 0)}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.csv", "missing_part"),
        ("../../policy/models.csv", "unsafe_path"),
        ("/etc/passwd", "unsafe_path"),
        ("https://example.com/bill.csv", "unsafe_path"),
    ],
)
def test_a_control_file_that_names_what_is_not_there_or_elsewhere_is_rejected(
    company: Found, name: str, reason: str
) -> None:
    one = company().deliver({"1.csv": bill(A), "x.control.json": control({name: b"x"})})
    (rejection,) = one.land().rejections
    assert (rejection.file, rejection.reason) == ("inbox/cloud/x.control.json", reason)
    assert name in rejection.detail
    assert one.account() == {"1.csv": (1, 1, 0, 0, 0)}


def test_a_control_file_states_invoices(company: Found) -> None:
    stated = {"files": [], "invoices": [{"invoice_id": "I-1", "currency": "usd", "billed_cost": 3.75}]}
    one = company().deliver({"1.csv": bill(A, B), "1.control.json": json.dumps(stated).encode()})
    for _ in range(2):
        one.land()
        query = "SELECT source, invoice_id, currency, billed_cost FROM raw.invoice_totals"
        assert one.rows(query) == [("cloud", "I-1", "USD", Decimal("3.75"))]


def test_names_are_only_names(company: Found) -> None:
    names = [
        "a[12].csv",
        "a1.csv",
        "it's.csv",
        "a*.csv",
        "-rf.csv",
        "new\nline.csv",
        "'; drop table x; --.csv",
        "%s {0}.csv",
    ]
    rows = {name: bill((f"node-{place}", "1")) for place, name in enumerate(names)}
    one = company("append").deliver(rows)
    assert one.land().rejections == ()
    assert one.account() == dict.fromkeys(names, (1, 1, 0, 0, 0))


def test_links_and_pipes_are_rejected_and_nothing_behind_them_is_stored(company: Found) -> None:
    one = company().deliver({"a.csv": bill(A)})
    (one.root / "secret.csv").write_bytes(bill(("secret", "1")))
    (one.root / "inbox/cloud/link.csv").symlink_to(one.root / "secret.csv")
    os.mkfifo(one.root / "inbox/cloud/pipe.csv")
    found = {rejection.file: rejection.reason for rejection in one.land().rejections}
    assert found == {"inbox/cloud/link.csv": "not_regular", "inbox/cloud/pipe.csv": "not_regular"}
    assert one.current() == [("a", Decimal("1.5"))]


def test_a_night_that_fails_leaves_the_tables_as_they_were(company: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    one = company("append").deliver({"1.csv": bill(A)})
    one.land()

    def torn(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("warehouse.landing.landing.account", torn)
    one.deliver({"2.csv": bill(B)})
    with pytest.raises(OSError, match="No space left"):
        one.land()
    assert one.account() == {"1.csv": (1, 1, 0, 0, 0)}
    assert one.current() == [("a", Decimal("1.5"))]
    assert list((one.root / "var" / "tmp").glob("landing-*")) == []


def test_a_source_of_which_nothing_has_come_is_told(company: Found) -> None:
    one = company()
    one.land()
    assert one.findings() == [("", "no_bill", "bills"), ("cloud", "source_without_files", "inbox/cloud/*")]


def test_a_source_whose_files_hold_nothing_of_its_format_is_told(tmp_path: Path) -> None:
    one = Company(tmp_path, (Source("runs", "training_logs", "megatron", "inbox/cloud/*"),))
    one.deliver({"a.log": b"epoch 1 loss 3\n", "b.log": b"epoch 2 loss 2\n"}).land()
    assert one.findings() == [("", "no_bill", "bills"), ("runs", "source_without_rows", "inbox/cloud/*")]


@pytest.mark.parametrize(
    ("category", "ends", "until", "last"),
    [
        ("Usage", "2026-12-01", date(2027, 1, 9), date(2026, 11, 30)),  # the month's last day, not its first
        ("Usage", "2026-12-01", NIGHT, NIGHT),  # what lies ahead of the clock is not over
        ("Purchase", "2029-12-01", date(2027, 1, 9), date(2026, 11, 1)),  # bought ahead: nothing was used yet
    ],
)
def test_the_first_night_is_the_last_day_that_usage_was_billed_for(
    company: Found, category: str, ends: str, until: date, last: date
) -> None:
    row = f"1000,USD,2026-11-01,2026-12-01,2026-11-01,{ends},{category},a,1,1"
    one = company().deliver({"a.csv": f"{HEADER}\n{row}\n".encode()})
    one.land(until)

    assert last_day(one.connection, one.root / "var", until) == last
