"""Which days of a table are stale, and what of them is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.charges import charges
from warehouse.connection import Limits, connect
from warehouse.incremental import plan
from warehouse.incremental.plan import Slices
from warehouse.schemas import CATALOGUE

DAILY = (charges, charge_rules, billed_hours, pool_uses, deployment_shares, postings)
NIGHT = date(2026, 11, 20)
PERIOD = date(2026, 11, 1)
DAY = timedelta(days=1)
RULE = {"position": 0, "line": 2, "source": "*", "field": "resource_id", "pattern": "gpu*",
        "target": "pool", "target_id": "p"}  # fmt: skip


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def charge(location: str, day: int, length: timedelta = DAY / 24, file: str = "f") -> dict[str, Any]:
    return {"file_sha256": file, "location": location, "source": "cloud", "content_hash": location,
            "dimension_hash": location.ljust(24, "0"), "billing_period_start": PERIOD,
            "billing_period_end": date(2026, 12, 1), "charge_start": at(day), "charge_end": at(day) + length,
            "charge_category": "Usage", "tags": "{}", "currency": "USD", "billed_cost": Decimal(1),
            "effective_cost": Decimal(1), "resource_id": "gpu", "gpu_model": "H100", "gpu_hours": 8.0}  # fmt: skip


def run(name: str, day: int, **more: Any) -> dict[str, Any]:
    return {"run_id": name, "source": "logs", "hosts": [], "end_source": "logged", "status": "finished",
            "gpu_count": 4.0, "held_from": at(day), "held_to": at(day, 1), "pool_id": "p", "model_id": "m",
            "phase": "pretraining", **more}  # fmt: skip


class Nights:
    """A warehouse whose inputs a test writes and whose days it computes."""

    def __init__(self, var: Path) -> None:
        self.connection = connect(var, Limits(threads=1))
        self.night = NIGHT
        self.code = "code"
        self.put("attribution", RULE)
        self.put("charge_rows", charge("a", 18), charge("b", 19), charge("c", 20))
        self.deliver(("f", "r", True))
        self.put("files", {"source": "cloud", "file": "f", "sha256": "f", "first_seen_at": at(20)})

    def log(self, *runs: dict[str, Any]) -> None:
        """All runs, each held in one attempt."""
        for name in ("training_runs", "run_attempts"):
            self.put(name, *runs)

    def put(self, name: str, *rows: dict[str, Any]) -> None:
        """All rows of a table."""
        table = CATALOGUE[name]
        schema = table.polars_schema()
        frame = pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)
        self.connection.register("rows", frame.to_arrow())
        self.connection.execute(f"DROP TABLE {table.qualified()}")
        self.connection.execute(f"CREATE TABLE {table.qualified()} AS SELECT * FROM rows")
        self.connection.unregister("rows")

    def deliver(self, *files: tuple[str, str, bool]) -> None:
        """Files of the bill: how each is read, and whether it counts."""
        unit = {"source": "cloud", "billing_account_id": "", "billing_period_start": PERIOD}
        self.put("bill_deliveries", *({**unit, "file_sha256": file, "is_current": counts} for file, _, counts in files))
        self.put(
            "readings", *({"source": "cloud", "file_sha256": file, "reader_digest": how} for file, how, _ in files)
        )

    def computed(self, doubt: Callable[[date], bool] = lambda _: False) -> dict[str, list[int]]:
        """The days of the month that a night computes, by table."""
        settings = {"as_of": self.night, "night_end": at(self.night.day) + DAY, "currency": "USD"}
        self.put("settings", settings)

        def doubted(charges: pl.DataFrame) -> pl.DataFrame:
            return charges.filter(pl.Series([doubt(day) for day in charges["charge_day"]], dtype=pl.Boolean))

        days = Slices(self.connection, lambda _: self.code, self.night)
        found = {
            function.__name__: days.renew(function, [doubted] if function is charges else []).computed
            for function in DAILY
        }
        return {name: [day.day for day in days] for name, days in found.items() if days}


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path)
    yield made
    made.connection.close()


def test_the_first_night_computes_every_day_and_the_next_none(nights: Nights) -> None:
    assert nights.computed()["postings"] == [18, 19, 20]
    assert nights.computed() == {}


def test_a_new_charge_computes_its_own_day_only(nights: Nights) -> None:
    nights.computed()
    other = charge("d", 19) | {"resource_id": "gpu-2"}  # another machine: one alone cannot bring its GPU time twice
    nights.put("charge_rows", *(charge(name, day) for name, day in (("a", 18), ("b", 19), ("c", 20))), other)

    found = nights.computed()
    assert list(found) == [function.__name__ for function in DAILY]
    assert set(map(tuple, found.values())) == {(19,)}


def test_a_charge_of_the_next_day_waits_for_its_night(nights: Nights) -> None:
    nights.night = NIGHT - DAY
    assert nights.computed()["postings"] == [18, 19, 20]
    assert nights.connection.execute("SELECT max(charge_day) FROM staging.charges").fetchall() == [(NIGHT - DAY,)]
    nights.night = NIGHT
    assert nights.computed()["charges"] == [20]
    assert nights.connection.execute("SELECT max(charge_day) FROM ledger.postings").fetchall() == [(NIGHT,)]


def test_a_delivery_that_is_replaced_takes_its_charges_away(nights: Nights) -> None:
    nights.computed()
    nights.deliver(("f", "r", False))

    assert nights.computed()["charges"] == [18, 19, 20]
    assert nights.connection.execute("SELECT count(*) FROM ledger.postings").fetchall() == [(0,)]


def test_a_file_that_is_read_otherwise_is_computed_again(nights: Nights) -> None:
    nights.computed()
    nights.deliver(("f", "another reader", True))

    assert nights.computed()["charges"] == [18, 19, 20]


def test_a_late_run_computes_the_charges_whose_hours_it_touches(nights: Nights) -> None:
    nights.put("charge_rows", charge("a", 17, 3 * DAY), charge("b", 18), charge("c", 20))
    nights.computed()
    nights.log(run("late", 18))

    # the charge of three days that starts on the 17th pays the hours of the 18th too
    assert nights.computed() == {"pool_uses": [18], "deployment_shares": [18], "postings": [17, 18]}


def test_a_run_that_gets_another_model_is_posted_again(nights: Nights) -> None:
    nights.log(run("r", 18))
    nights.computed()
    nights.log(run("r", 18, model_id="n"))

    assert nights.computed()["postings"] == [18]
    assert nights.connection.execute(
        "SELECT DISTINCT model_id FROM ledger.postings WHERE model_id IS NOT NULL"
    ).fetchall() == [("n",)]


def test_new_policy_or_code_computes_what_reads_it(nights: Nights) -> None:
    nights.computed()
    nights.put("attribution", {**RULE, "line": 3})
    # the hours come out as they were, so that nothing of the pools is shared anew
    assert list(nights.computed()) == ["charge_rules", "billed_hours", "postings"]
    nights.code = "another version"
    assert nights.computed()["charges"] == [18, 19, 20]


def test_a_day_without_rows_is_taken_away(nights: Nights) -> None:
    nights.computed()
    nights.put("charge_rows", charge("a", 18))

    assert nights.computed() == {}
    assert nights.connection.execute("SELECT DISTINCT charge_day FROM ledger.postings").fetchall() == [
        (date(2026, 11, 18),)
    ]


def test_a_day_that_a_check_doubts_is_computed_again(nights: Nights) -> None:
    nights.computed(doubt=lambda day: day.day == 19)

    assert nights.computed()["charges"] == [18, 19, 20]
    assert nights.computed() == {}


def test_days_are_taken_in_portions_of_so_many_rows(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "ROWS_AT_ONCE", 2)
    table, reads = CATALOGUE["charges"], [CATALOGUE["charge_rows"]]

    portions = Slices(nights.connection, str, NIGHT).stale(table, reads).portions
    assert [[day.day for day in days] for days in portions] == [[18, 19], [20]]


def test_a_kill_between_two_portions_keeps_the_first(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "ROWS_AT_ONCE", 1)
    write, written = Slices.write, []

    def killed(self: Slices, *arguments: Any) -> None:
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(arguments)
        write(self, *arguments)

    monkeypatch.setattr(Slices, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        nights.computed()
    monkeypatch.setattr(Slices, "write", write)

    assert nights.computed()["charges"] == [19, 20]
