"""Deliver, redeliver, replace, correct, come late, compute again: the ledger against a model of plain decimals."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from polars.testing import assert_frame_equal

from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.checks import unbalanced_charges
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.charges import charges
from warehouse.schemas import CATALOGUE

FIRST = date(2026, 10, 30)
RULE = {
    "position": 0,
    "line": 2,
    "source": "*",
    "field": "tag:pool",
    "pattern": "p",
    "target": "pool",
    "target_id": "p",
}

costs = st.integers(-(10**15), 10**15).map(lambda count: Decimal(count).scaleb(-12))
bill_rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 30), costs, st.booleans(), st.sampled_from(["p1", "n2"])), max_size=4
)


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Nights(RuleBasedStateMachine):
    """Bills of one source arrive night by night; `replaces` says whether a newer file replaces the unit's older one."""

    @initialize(replaces=st.booleans())
    def first_night(self, replaces: bool) -> None:  # noqa: FBT001 - drawn, not chosen
        """Nothing has arrived yet."""
        self.replaces = replaces
        self.night = FIRST
        self.files: list[dict[str, Any]] = []
        self.published: dict[date, pl.DataFrame] = {}

    @rule(rows=bill_rows, period=st.sampled_from([date(2026, 10, 1), date(2026, 11, 1)]))
    def deliver(self, rows: list[tuple[Any, ...]], period: date) -> None:
        """A new file of a period; rows may be late, negative or corrections, and may equal each other."""
        self.files.append({"name": f"f{len(self.files):03}", "seen": self.night, "period": period, "rows": rows})

    @rule()
    def next_night(self) -> None:
        """Publish the night and go on to the next."""
        self.published[self.night] = self.ledger(self.night)
        self.night += timedelta(days=1)

    @rule(back=st.integers(1, 5))
    def an_earlier_night_comes_out_again_as_it_was_published(self, back: int) -> None:
        """As known on D, line by line."""
        night = self.night - timedelta(days=back)
        if night in self.published:
            assert_frame_equal(self.ledger(night), self.published[night])

    @invariant()
    def the_ledger_is_the_bill_of_the_model(self) -> None:
        """Per billing period the postings add up to what plain decimals say."""
        lines = self.ledger(self.night).group_by("billing_period_start").agg(pl.col("billed_cost").sum())

        assert dict(lines.iter_rows()) == self.model(self.night)

    def current(self, night: date) -> list[dict[str, Any]]:
        """The files that count on a night: the last of each period, or all of them."""
        known = [file for file in self.files if file["seen"] <= night]
        return list({file["period"]: file for file in known}.values()) if self.replaces else known

    def model(self, night: date) -> dict[date, Decimal]:
        """What the bill of each period adds up to on a night."""
        sums: dict[date, Decimal] = defaultdict(Decimal)
        for file in self.current(night):
            for day, _, cost, *_ in file["rows"]:
                if FIRST + timedelta(days=day) <= night:
                    sums[file["period"]] += cost
        return dict(sums)

    def ledger(self, night: date) -> pl.DataFrame:
        """The postings of a night, from the files seen by then."""
        known = [file for file in self.files if file["seen"] <= night]
        counted = {file["name"] for file in self.current(night)}
        frames = {name: table(name, ()) for name in CATALOGUE}
        after = instant(night + timedelta(days=1))
        frames["settings"] = table("settings", [{"as_of": night, "night_end": after, "currency": "USD"}])
        frames["attribution"] = table("attribution", [RULE])
        frames["charge_rows"] = table("charge_rows", [row for file in known for row in _rows(file)])
        units = [_unit(file, is_current=file["name"] in counted) for file in known]
        frames["bill_deliveries"] = table("bill_deliveries", units)
        frames["files"] = table("files", [_file(file) for file in known])
        for function in (charges, charge_rules, billed_hours, pool_uses, deployment_shares, postings):
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            frames[function.__name__] = function(*(frames[name] for name in names))
        assert unbalanced_charges(frames["charges"], frames["postings"]).is_empty()
        return frames["postings"]


def _unit(file: Mapping[str, Any], *, is_current: bool) -> dict[str, Any]:
    return {"source": "cloud", "billing_account_id": "", "billing_period_start": file["period"],
            "file_sha256": file["name"], "is_current": is_current}  # fmt: skip


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    seen = instant(file["seen"])
    return {"source": "cloud", "file": file["name"], "sha256": file["name"], "first_seen_at": seen}


def _rows(file: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "file_sha256": file["name"], "location": f"line {number + 2}", "source": "cloud",
            "content_hash": f"{day} {hours} {cost} {corrects} {node}",
            "dimension_hash": f"{file['period']} {day} {hours} {node}",
            "billing_period_start": file["period"], "billing_period_end": file["period"], "charge_category": "Usage",
            "charge_start": instant(FIRST + timedelta(days=day)), "currency": "USD",
            "tags": json.dumps({"pool": node[0]}),
            "charge_end": instant(FIRST + timedelta(days=day)) + timedelta(hours=hours), "billed_cost": cost,
            "effective_cost": -cost, "charge_class": "Correction" if corrects else None,
        }
        for number, (day, hours, cost, corrects, node) in enumerate(file["rows"])
    ]  # fmt: skip


Nights.TestCase.settings = settings(max_examples=15, stateful_step_count=12)
TestNights = Nights.TestCase
