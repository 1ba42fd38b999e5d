"""Bills that arrive in any order over several nights: what counts is what a plain model of the exporters says.

No night may be held and nothing refused: each newer export covers the one before it, and the model knows which counts.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land
from warehouse.sources.source import Source

HEADER = (
    "BillingAccountId,SubAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ChargeCategory,ResourceId,BilledCost,EffectiveCost"
)
RESOURCES = ("vm1", "vm2")
FIRST_NIGHT = date(2026, 11, 21)
SOURCES = (
    Source("months", "gpu_billing", "focus", "inbox/months/**/*.csv"),
    Source("weeks", "gpu_billing", "focus", "inbox/weeks/**/*.csv", "parts"),
)
COUNTED = """
    SELECT source, sum(billed_cost)::BIGINT FROM raw.charge_rows SEMI JOIN
        (SELECT * FROM raw.bill_deliveries WHERE is_current) USING (source, file_sha256, billing_period_start)
    GROUP BY source
"""


@dataclass(frozen=True)
class MonthSoFar:
    """One run of an exporter: the month up to a day, at the cost of each day as that run knows it."""

    last_day: int
    cost: int

    @property
    def total(self) -> int:
        """What it bills for both resources."""
        return self.last_day * self.cost * len(RESOURCES)


def lines(first: int, last: int, cost: int) -> list[str]:
    return [
        f"1000,s1,USD,2026-11-01,2026-12-01,2026-11-{day:02},2026-11-{day + 1:02},Usage,{name},{cost},{cost}"
        for day in range(first, last + 1)
        for name in RESOURCES
    ]


class Deliveries(RuleBasedStateMachine):
    """A source whose exports of a month replace one another, and one whose exports of weeks add up."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.root = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        (self.root / "var").mkdir()
        self.connection = self.opened.enter_context(connect(self.root / "var", Limits(memory="500MB", threads=1)))
        self.night = FIRST_NIGHT
        self.under_way: list[MonthSoFar] = []
        self.arrived: list[MonthSoFar] = []
        self.folders: list[Path] = []
        self.weeks: set[int] = set()
        self.exports = 0
        self.last_day = 8
        self.has_manifests = True

    @initialize(has_manifests=st.booleans(), costs=st.lists(st.integers(50, 60), min_size=3, max_size=3))
    def exporter(self, *, has_manifests: bool, costs: list[int]) -> None:
        """Manifests say when a run was; without them the run that reaches further is the newer one."""
        self.has_manifests = has_manifests
        for cost in costs:
            self.export(2, cost)

    @rule(more=st.integers(1, 2), cost=st.integers(50, 60))
    @precondition(lambda self: self.last_day < 20)
    def run_exporter(self, more: int, cost: int) -> None:
        """The exporter runs once more."""
        self.export(more, cost)

    def export(self, more: int, cost: int) -> None:
        """The month a few days later; what the exporter wrote is under way."""
        self.last_day += more
        self.under_way.append(MonthSoFar(self.last_day, cost))

    @rule(which=st.integers(0, 9), parts=st.integers(1, 3), width=st.integers(1, 12), name=st.uuids())
    @precondition(lambda self: self.under_way)
    def arrive(self, which: int, parts: int, width: int, name: uuid.UUID) -> None:
        """Any of them arrives, in a folder of any name, whole or in numbered parts."""
        month = self.under_way.pop(which % len(self.under_way))
        folder = self.root / "inbox" / "months" / str(name)
        folder.mkdir(parents=True)
        rows = lines(1, month.last_day, month.cost)
        for part in range(parts):
            text = "\n".join([HEADER, *rows[part::parts]]) + "\n"
            (folder / f"part-{part + 8:0{width}}.csv").write_text(text)
        if self.has_manifests:
            submitted = {"runInfo": {"submittedTime": f"2026-11-{month.last_day + 1:02}T05:00:00Z"}}
            (folder / "manifest.json").write_text(json.dumps(submitted))
        self.arrived.append(month)
        self.folders.append(folder)

    @rule(which=st.integers(0, 9), name=st.uuids())
    @precondition(lambda self: self.folders)
    def rename(self, which: int, name: uuid.UUID) -> None:
        """Somebody moves a delivery to another folder, whose name sorts anywhere."""
        place = which % len(self.folders)
        self.folders[place] = self.folders[place].rename(self.folders[place].with_name(str(name)))

    @rule(first=st.integers(1, 9), days=st.integers(3, 7), name=st.text("gpuweek", min_size=1, max_size=4))
    def week(self, first: int, days: int, name: str) -> None:
        """An export of some days, which may overlap others, in a folder of its own that sorts anywhere.

        Its name is no run's id: folders that differ in such an id alone hold versions of one export.
        """
        self.exports += 1
        folder = self.root / "inbox" / "weeks" / f"{name}-{self.exports}"
        folder.mkdir(parents=True)
        (folder / "bill.csv").write_text("\n".join([HEADER, *lines(first, first + days - 1, 10)]) + "\n")
        self.weeks |= set(range(first, first + days))

    @rule()
    def next_night(self) -> None:
        """A day goes by."""
        self.night += timedelta(days=1)

    @invariant()
    def what_counts_is_what_happened(self) -> None:
        """The newest month and every day of the weeks once; nothing is held."""
        place = Workspace(self.root, self.root / "var")
        landing = land(place, SOURCES, self.connection, self.night, self.night + timedelta(days=1))
        assert [hold.reason for hold in landing.holds] == []
        newest = max(self.arrived, key=lambda month: month.last_day, default=None)
        expected = {"months": newest.total} if newest else {}
        if self.weeks:
            expected["weeks"] = len(self.weeks) * 10 * len(RESOURCES)
        assert dict(self.connection.execute(COUNTED).fetchall()) == expected

    def teardown(self) -> None:
        """The project is thrown away."""
        self.opened.close()


Deliveries.TestCase.settings = settings(max_examples=8, stateful_step_count=8, deadline=None)
test_what_counts_is_what_happened_in_whatever_order_bills_arrive = Deliveries.TestCase
