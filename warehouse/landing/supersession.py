"""Which delivery of a bill counts: by when it was exported, how far it reaches and when it was first seen.

A unit is one account's month of a source in one view of its costs and, where bills come in parts, of one folder.
Deliveries of a unit replace one another. What a path says decides only which files may be parts of one delivery, never
which of two is newer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import duckdb
import polars as pl

from warehouse.landing.delivery_parts import Siblings, export_folder
from warehouse.schemas.raw import BillDeliveries, ChargeRows
from warehouse.sources.source import Source

_UNITS: Final = f"""
    SELECT coalesce(billing_account_id, '') AS billing_account_id, billing_period_start,
        coalesce(cost_view, '') AS cost_view, file_sha256,
        count(*) AS "rows", sum(billed_cost)::DECIMAL(38, 12) AS billed_cost, max(exported_at) AS exported_at,
        max(charge_start) AS last_start, max(charge_end) AS last_end
    FROM {ChargeRows.qualified()} WHERE source = $source GROUP BY ALL
"""
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


class BillFile(NamedTuple):
    """One path under which a bill lies: its content, what lists it, when it was exported, and the night it was seen.

    `is_standing` where a manifest above several versions of the bill lists this one.
    """

    file: str
    sha256: str
    manifest: str
    exported_at: datetime | None
    first_seen_at: datetime
    is_standing: bool = False


class Unit(NamedTuple):
    """What replaces and is replaced as one; the folder is empty unless bills come in parts."""

    billing_account_id: str
    billing_period_start: date
    cost_view: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Held:
    """One file's part of a unit."""

    at: BillFile
    rows: int
    billed_cost: Decimal
    exported_at: datetime | None
    last_start: datetime
    last_end: datetime


@dataclass(frozen=True)
class UnitDelivery:
    """The files of one unit that arrived as one."""

    name: str
    held: Sequence[Held]

    @property
    def exported_at(self) -> datetime | None:
        """When it was exported, as a manifest, a control file or its rows say."""
        return max((each.exported_at for each in self.held if each.exported_at), default=None)

    @property
    def reach(self) -> tuple[datetime, datetime]:
        """The last start and the last end of its charges."""
        return max(each.last_start for each in self.held), max(each.last_end for each in self.held)

    @property
    def first_seen_at(self) -> datetime:
        """The night that completed it."""
        return max(each.at.first_seen_at for each in self.held)

    @property
    def recency(self) -> tuple[datetime, bool, datetime, datetime, datetime]:
        """What orders deliveries that are not compared one by one: export, manifest, reach, first night."""
        return (self.exported_at or _NEVER, self.is_standing, *self.reach, self.first_seen_at)

    @property
    def is_standing(self) -> bool:
        """Whether a manifest above several versions of the bill lists this one."""
        return any(each.at.is_standing for each in self.held)

    @property
    def contents(self) -> dict[str, Held]:
        """Its contents by digest."""
        return {each.at.sha256: each for each in self.held}

    @property
    def rows(self) -> int:
        """How many rows it holds of the unit."""
        return sum(each.rows for each in self.contents.values())

    @property
    def billed_cost(self) -> Decimal:
        """What it bills in the unit, in whatever currencies."""
        return sum((each.billed_cost for each in self.contents.values()), Decimal(0))

    @property
    def file(self) -> str:
        """The path that stands for it."""
        return max(each.at.file for each in self.held)

    def is_newer(self, other: UnitDelivery) -> bool | None:
        """Whether it is newer than another; None where nothing decides."""
        if self.exported_at and other.exported_at and self.exported_at != other.exported_at:
            return self.exported_at > other.exported_at
        if self.is_standing != other.is_standing:
            return self.is_standing
        if self.reach != other.reach:
            return self.reach > other.reach
        if self.first_seen_at != other.first_seen_at:
            return self.first_seen_at > other.first_seen_at
        return None


@dataclass(frozen=True)
class DeliveredUnit:
    """One unit with its deliveries: the newest, the one it replaces, and those that nothing tells from the newest."""

    unit: Unit
    newest: UnitDelivery
    older: Sequence[UnitDelivery]
    undecided: Sequence[UnitDelivery]

    @property
    def replaced(self) -> UnitDelivery | None:
        """What would count if the newest had not come."""
        return _newest(self.older) if self.older else None


def delivered_units(
    connection: duckdb.DuckDBPyConnection, source: Source, files: Iterable[BillFile]
) -> list[DeliveredUnit]:
    """The units of a source whose files replace one another, each with its newest delivery."""
    paths: dict[str, list[BillFile]] = defaultdict(list)
    for at in files:
        paths[at.sha256].append(at)
    held: dict[Unit, list[Held]] = defaultdict(list)
    cursor = connection.execute(_UNITS, {"source": source.name})
    for account, period, view, sha256, rows, cost, exported_at, start, end in cursor.fetchall():
        for at in paths.get(sha256, ()):
            folder = export_folder(at.file) if source.delivery == "parts" else ""
            exported = at.exported_at or exported_at
            held[Unit(account, period, view, folder)].append(Held(at, rows, cost, exported, start, end))
    contents = {at.file: sha256 for sha256, every in paths.items() for at in every}
    siblings = Siblings.of(connection, source, contents)
    return [_delivered(unit, list(_deliveries(unit, held[unit], siblings))) for unit in sorted(held)]


def _deliveries(unit: Unit, held: Sequence[Held], siblings: Siblings) -> Iterator[UnitDelivery]:
    """The files of a unit by what arrived as one: what one manifest lists, or numbered files that share no charge."""
    names = siblings.parts_of(unit.billing_account_id, unit.billing_period_start, [each.at.file for each in held])
    together: dict[str, list[Held]] = defaultdict(list)
    for each in held:
        together[each.at.manifest or names[each.at.file]].append(each)
    for name in sorted(together):
        yield UnitDelivery(name, together[name])


def _delivered(unit: Unit, deliveries: Sequence[UnitDelivery]) -> DeliveredUnit:
    newest = _newest(deliveries)
    ours = newest.contents.keys()
    older = [each for each in deliveries if each is not newest and not each.contents.keys() <= ours]
    return DeliveredUnit(unit, newest, older, [each for each in older if not newest.is_newer(each)])


def _newest(deliveries: Sequence[UnitDelivery]) -> UnitDelivery:
    """The delivery that no other is newer than; where nothing decides, the last in the order of names."""
    newest = deliveries[0]
    for each in deliveries[1:]:
        newest = newest if newest.is_newer(each) else each
    return newest


def bill_deliveries(source: Source, units: Iterable[DeliveredUnit]) -> pl.DataFrame:
    """The files of the units, each content once in an account's month: current if any delivery of it counts."""
    rows: dict[tuple[str, date, str], dict[str, object]] = {}
    for each in units:
        account, period = each.unit[:2]
        for delivery in (*each.older, each.newest):
            is_current = delivery is each.newest or source.delivery == "append"
            for sha256, held in delivery.contents.items():
                before = rows.get((account, period, sha256))
                if before is not None and before["is_current"]:
                    continue
                rows[account, period, sha256] = {
                    "source": source.name,
                    "billing_account_id": account,
                    "billing_period_start": period,
                    "cost_view": each.unit.cost_view,
                    "delivery": delivery.name,
                    "file": held.at.file,
                    "file_sha256": sha256,
                    "rows": held.rows,
                    "billed_cost": held.billed_cost,
                    "exported_at": delivery.exported_at,
                    "is_current": is_current,
                }
    return BillDeliveries.frame(pl.DataFrame(list(rows.values()), schema=BillDeliveries.polars_schema())).sort(
        "source", "billing_account_id", "billing_period_start", "file"
    )


def superseded(units: Iterable[DeliveredUnit], source: Source) -> Mapping[str, str]:
    """Contents of which nothing counts any more, with the path of what replaced them."""
    if source.delivery == "append":
        return {}
    current = {sha256 for each in units for sha256 in each.newest.contents}
    return {
        sha256: each.newest.file
        for each in units
        for delivery in each.older
        for sha256 in delivery.contents
        if sha256 not in current
    }


@dataclass(frozen=True)
class Fallen:
    """A delivery that cannot count as it is: its contents and files, a file reason, and what was found."""

    contents: frozenset[str]
    files: Sequence[str]
    reason: str
    detail: str


def shrunken(units: Iterable[DeliveredUnit]) -> list[Fallen]:
    """Deliveries with under half the rows or cost of the one they follow, each with all units that it lost in.

    A delivery follows the one that it replaces. One that came in a later night than the newest, without an export time
    and reaching less far, follows it too: it has lost the days by which the newest reaches further.
    """
    lost: dict[frozenset[str], list[tuple[Unit, UnitDelivery, UnitDelivery]]] = defaultdict(list)
    for each in units:
        follows = [(each.newest, each.replaced)] if each.replaced else []
        later = (one for one in each.older if one.first_seen_at > each.newest.first_seen_at and not one.exported_at)
        follows += [(one, each.newest) for one in later]
        for after, before in follows:
            if before is not None and _is_half(after, before):
                lost[frozenset(after.contents)].append((each.unit, after, before))
    return [
        Fallen(
            contents,
            sorted({held.at.file for _, after, _ in losses for held in after.held}),
            "shrunken",
            f"{'; '.join(_shrinkage(*one) for one in losses)}; deliver it whole",
        )
        for contents, losses in lost.items()
    ]


def _is_half(after: UnitDelivery, before: UnitDelivery) -> bool:
    return after.rows * 2 < before.rows or 0 < before.billed_cost > 2 * after.billed_cost


def _shrinkage(unit: Unit, after: UnitDelivery, before: UnitDelivery) -> str:
    account, period = unit[:2]
    return (
        f"account {account or 'without name'}, {period:%Y-%m}: {after.rows} rows, {after.billed_cost.normalize():f} "
        f"where {before.rows} rows, {before.billed_cost.normalize():f} stand"
    )
