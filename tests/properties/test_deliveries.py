"""Whatever a month's exports are called, cut into and delivered with, the last one counts, or the night is held."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land
from warehouse.sources.source import Source

HEADER = (
    "BillingAccountId,SubAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ChargeCategory,ResourceId,BilledCost,EffectiveCost"
)
RESOURCES = ("vm1", "vm2")


@dataclass(frozen=True)
class Export:
    """The month up to a day, as one run of an exporter writes it: a cost for each resource and day."""

    last_day: int
    costs: tuple[int, ...]
    parts: int
    folder: uuid.UUID
    has_manifest: bool
    is_late: bool

    @property
    def rows(self) -> list[str]:
        """The lines of the bill."""
        subjects = [(day, name) for day in range(1, self.last_day + 1) for name in RESOURCES]
        return [
            f"1000,s1,USD,2026-11-01,2026-12-01,2026-11-{day:02},2026-11-{day + 1:02},Usage,{name},{cost},{cost}"
            for (day, name), cost in zip(subjects, self.costs, strict=False)
        ]

    @property
    def total(self) -> Decimal:
        """What it bills."""
        return Decimal(sum(self.costs[: self.last_day * len(RESOURCES)]))

    def write(self, root: Path) -> None:
        """The run's folder with a random name, its parts, and its manifest if it writes one."""
        folder = root / "inbox" / str(self.folder)
        folder.mkdir(parents=True)
        for part in range(self.parts):
            lines = [HEADER, *self.rows[part :: self.parts]]
            (folder / f"part-{part:0{self.parts + 1}}.csv").write_text("\n".join(lines) + "\n")
        if self.has_manifest:
            submitted = f"2026-11-{self.last_day + 1:02}T05:00:00Z"
            (folder / "manifest.json").write_text(json.dumps({"runInfo": {"submittedTime": submitted}}))


@st.composite
def months(draw: st.DrawFn) -> list[Export]:
    """Exports of one month that reach further each time and may cost each day otherwise."""
    days = sorted(draw(st.sets(st.integers(2, 20), min_size=1, max_size=3)))
    costs = st.lists(st.integers(50, 60), min_size=40, max_size=40).map(tuple)
    return [
        Export(day, draw(costs), draw(st.integers(1, 3)), draw(st.uuids()), draw(st.booleans()), draw(st.booleans()))
        for day in days
    ]


@contextmanager
def project() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "var").mkdir()
        (root / "inbox").mkdir()
        yield root


@settings(max_examples=10, deadline=None)
@given(months())
def test_the_last_export_of_a_month_counts_in_whatever_shape_and_order_it_came(exports: list[Export]) -> None:
    source = Source("cloud", "gpu_billing", "focus", "inbox/**/*.csv")
    with project() as root, connect(root / "var", Limits(memory="500MB", threads=1)) as connection:
        came: list[Export] = []
        on_time = [export for export in exports if not export.is_late]
        nights = [[export] for export in on_time] + [[export for export in exports if export.is_late]]
        for number, arriving in enumerate(nights):
            for export in arriving:
                export.write(root)
                came.append(export)
            night = date(2026, 11, 21) + timedelta(days=number)
            landing = land(Workspace(root, root / "var"), [source], connection, night, night + timedelta(days=1))
            query = """SELECT coalesce(sum(billed_cost), 0) FROM raw.charge_rows SEMI JOIN
                (SELECT * FROM raw.bill_deliveries WHERE is_current) USING (source, file_sha256)"""
            (counted,) = connection.execute(query).fetchall()[0]
            newest = max(came, key=lambda export: export.last_day, default=None)
            is_refused = bool(landing.holds or landing.rejections)
            assert is_refused or counted == (newest.total if newest else 0)
