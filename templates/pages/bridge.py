"""Page 2: what changed and why."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.waterfall import Step, waterfall
from templates.pages.changes import Change
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.plan_bridge import PlanBridge, plan_bridge
from templates.table_unit import TableUnit

MOST_MOVERS: Final = {"A4": 10, "letter": 8}
DRIVERS: Final = {
    "price": "Price",
    "volume": "Volume",
    "mix": "Mix of models",
    "efficiency": "Efficiency",
    "one_off": "One-off training",
    "restatement": "Restatement",
    "other": "Other",
}
PASSING: Final = ("one_off", "restatement")


@dataclass(frozen=True)
class MoverRow:
    """One entity's change, ready to print."""

    name: str
    previous: str
    current: str
    change: str
    ratio: str
    driver: str
    lasts: str
    owner: str


@dataclass(frozen=True)
class DriverPart:
    """One driver and its part of the change."""

    name: str
    change: Decimal
    ref: Ref
    lasts: bool


@dataclass(frozen=True)
class Bridge:
    """Everything that page 2 prints."""

    month: str
    compared: str
    previous: str
    change: Change
    ref: Ref
    parts: tuple[DriverPart, ...]
    figure: Markup
    unit: str
    rows: tuple[MoverRow, ...]
    others: MoverRow | None
    everything: MoverRow
    table_unit: str
    plan: Change | None
    plan_ref: Ref | None
    against_plan: PlanBridge | None
    faults: tuple[str, ...]

    @property
    def largest(self) -> DriverPart:
        """The driver that moved most in the direction of the change, or most at all where cost is level."""
        return self.parts[0]

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        if self.change.is_level:
            return tuple(part.ref for part in self.parts[:2])
        return (self.ref,)


def bridge(night: Night) -> Bridge:
    """Page 2 of the night."""
    rows = night.tables["variance_bridge"].filter(pl.col("month") == night.subject["month"])
    previous, compared = night.compared
    movers = night.tables["movers"].sort("position").to_dicts()
    now = sum((row["current_usd"] for row in movers), Decimal(0))
    change = Decimal(rows["change_usd"].sum() or 0)
    before = now - change
    unit = _unit(night, movers)
    drivers = _entity_drivers(rows)
    figure, words = _figure(night, rows, before, now)
    most = MOST_MOVERS[night.paper]
    against_plan = plan_bridge(night, max(before, now, night.now["effective_usd"]))
    return Bridge(
        month=night.month,
        compared=compared,
        previous=previous,
        change=Change(now, before, night.subject["materiality_usd"]),
        ref=night.index["bridge_change"],
        parts=tuple(_parts(night, rows, change)),
        figure=figure,
        unit=words,
        rows=tuple(_mover(row, unit, drivers) for row in movers[:most]),
        others=_summed(f"{len(movers) - most:,} others", movers[most:], unit),
        everything=_summed("All cost", movers, unit) or _empty(),
        table_unit=unit.words,
        plan=Change.of(night.now["effective_usd"], night.now["plan_usd"], night.subject["materiality_usd"]),
        plan_ref=night.index.get("plan_variance"),
        against_plan=against_plan,
        faults=(*_faults(rows, movers), *(against_plan.faults if against_plan else ())),
    )


def _unit(night: Night, movers: list[Row]) -> TableUnit:
    """The unit of the entities, in which the line of all cost is not too wide either."""
    columns = [[row[f"{side}_usd"] for row in movers] for side in ("previous", "current")]
    return TableUnit.of_rows(
        night.money, [*columns[0], *columns[1]], max(sum(column, Decimal(0)) for column in columns)
    )


def _faults(rows: pl.DataFrame, movers: list[Row]) -> tuple[str, ...]:
    """The drivers and the entities explain the same change."""
    explained = Decimal(rows["change_usd"].sum() or 0)
    moved = sum((row["change_usd"] for row in movers), Decimal(0))
    return (f"drivers explain {explained}, entities {moved}",) if explained != moved else ()


def _parts(night: Night, rows: pl.DataFrame, change: Decimal) -> list[DriverPart]:
    sums = rows.group_by("driver").agg(pl.col("change_usd").sum()).to_dicts()
    parts = [
        DriverPart(DRIVERS[row["driver"]], row["change_usd"], night.index[f"bridge_{row['driver']}"],
                   row["driver"] not in PASSING)
        for row in sums
    ]  # fmt: skip
    return sorted(parts, key=lambda part: (part.change * change <= 0, -abs(part.change), part.name))


def _figure(night: Night, rows: pl.DataFrame, before: Decimal, now: Decimal) -> tuple[Markup, str]:
    unit = TableUnit.of_axis(night.money, [before, now])
    previous, compared = night.compared
    sums = dict(rows.group_by("driver").agg(pl.col("change_usd").sum()).iter_rows())

    def step(name: str, amount: Decimal, words: str, *, is_total: bool = False) -> Step:
        return Step(name, float(amount / unit.scale), words, is_total)

    steps = [step(previous, before, night.money.short(before), is_total=True)]
    steps += [
        step(words, sums[driver], night.money.change(sums[driver]))
        for driver, words in DRIVERS.items()
        if driver in sums
    ]
    steps.append(step(compared, now, night.money.short(now), is_total=True))
    words = f"{night.money.short(now)} in {compared}"
    alt = (
        f"Waterfall from {night.money.short(before)} in {previous} to {words}; "
        f"the largest step is {max(steps[1:-1], key=lambda part: abs(part.amount)).name.lower()}."
    )
    return waterfall(steps, alt), unit.words


def _entity_drivers(rows: pl.DataFrame) -> dict[tuple[str, str | None], str]:
    """The driver with the largest part of each entity's change."""
    place = (
        pl.when(pl.col("account") == "direct")
        .then("phase")
        .otherwise(pl.when(pl.col("account") == "commitment_unused").then(pl.lit("idle")).otherwise("account"))
    )
    model = pl.when(pl.col("account") == "direct").then("model_id")
    summed = rows.group_by(entity=place, model=model, driver="driver").agg(pl.col("change_usd").sum())
    ordered = summed.sort(pl.col("change_usd").abs(), "driver", descending=[True, False])
    first = ordered.unique(["entity", "model"], keep="first", maintain_order=True)
    return {(row["entity"], row["model"]): row["driver"] for row in first.to_dicts()}


def _mover(row: Row, unit: TableUnit, drivers: dict[tuple[str, str | None], str]) -> MoverRow:
    change = Change(row["current_usd"], row["previous_usd"])
    driver = drivers.get((row["cost_class"], row["model_id"]), "other")
    is_small = row["previous_usd"] < formats.LEAST_BASE
    name = colours.NAMES[row["cost_class"]]
    return MoverRow(
        name=f"{formats.fitted(row['model_id'], 80)}, {name.lower()}" if row["model_id"] else name,
        previous=unit.cell(row["previous_usd"]),
        current=unit.cell(row["current_usd"]),
        change=unit.cell(change.amount, plus="+"),
        ratio="n.m." if is_small else formats.whole_percent(change.ratio, plus="+"),
        driver=DRIVERS[driver].lower(),
        lasts="one-off" if driver in PASSING else "lasting",
        owner=formats.fitted(row["owner"], 80) if row["owner"] else formats.UNKNOWN,
    )


def _summed(name: str, rows: list[Row], unit: TableUnit) -> MoverRow | None:
    if not rows:
        return None
    before = sum((row["previous_usd"] for row in rows), Decimal(0))
    now = sum((row["current_usd"] for row in rows), Decimal(0))
    change = Change(now, before)
    ratio = "n.m." if before < formats.LEAST_BASE else formats.whole_percent(change.ratio, plus="+")
    return MoverRow(name, unit.cell(before), unit.cell(now), unit.cell(change.amount, plus="+"), ratio, "", "", "")


def _empty() -> MoverRow:
    return MoverRow("All cost", "0", "0", "0", formats.UNKNOWN, "", "", "")
