"""Page 3: what changed and why, and where it is going."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.change_steps import ChangeStep, change_steps, reach
from templates.figures.marks import change_bar
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.outlook import Outlook, outlook
from templates.pages.plan_bridge import plan_steps
from templates.table_unit import TableUnit

MOST_MOVERS: Final = {"A4": 8, "letter": 6}
MOST_ANOMALIES: Final = 4
DRIVERS: Final = {
    "price": "Price",
    "volume": "Volume",
    "mix": "Mix of models",
    "efficiency": "Efficiency",
    "one_off": "One-off training",
    "restatement": "Restatement",
    "other": "Other",
}
WHOLE: Final = 504.0
LEFT: Final = 300.0
RIGHT: Final = 188.0


@dataclass(frozen=True)
class MoverRow:
    """One entity's change, ready to print."""

    name: str
    previous: str
    current: str
    bar: Markup | None
    change: str
    driver: str
    lasts: str
    owner: str


@dataclass(frozen=True)
class AnomalyRow:
    """One stretch of days outside, ready to print."""

    name: str
    since: str
    until: str
    cost: str
    expected: str
    rows: str


@dataclass(frozen=True)
class DriverPart:
    """One driver and its part of the change."""

    words: str
    change: Decimal
    ref: Ref | None
    persistence: str
    share: Decimal | None


@dataclass(frozen=True)
class Bridge:
    """Everything that page 3 prints."""

    month: str
    compared: str
    previous: str
    change: Ref | None
    largest: DriverPart | None
    along: DriverPart | None
    increase: DriverPart | None
    decrease: DriverPart | None
    figure: Markup | None
    plan_figure: Markup | None
    plan_note: str
    unit: str
    rows: tuple[MoverRow, ...]
    others: MoverRow | None
    everything: MoverRow | None
    table_unit: str
    plan_variance: Ref | None
    landing: Ref | None
    landing_plan: Ref | None
    year: str
    lead: str
    anomalies: tuple[AnomalyRow, ...]
    outlook: Outlook | None
    faults: tuple[str, ...]


def bridge(night: Night) -> Bridge:
    """Page 3 of the night; without a month before it is the outlook alone."""
    rows = night.tables["variance_bridge"].filter(pl.col("month") == night.subject["month"])
    movers = night.tables["movers"].sort("position").to_dicts()
    parts = _parts(night, Decimal(rows["change_usd"].sum() or 0))
    unit = _unit(night, movers)
    drivers = _entity_drivers(rows)
    figure, plan_figure, plan_note, words, faults = _figures(night, parts, movers)
    most = max(MOST_MOVERS[night.paper] - 2 * night.squeeze("bridge"), 2)
    shown = movers[:most]
    widest = max((abs(row["change_usd"]) for row in shown), default=Decimal(0)) or Decimal(1)
    previous, compared = night.compared
    index, ahead = night.index, outlook(night)
    facts = SimpleNamespace(
        change=index["bridge_change"] if movers else None, previous=previous, compared=compared,
        plan_variance=index.get("plan_variance"), landing=index.get("landing"),
        landing_plan=index.get("landing_plan"), year=str(night.subject["month"].year), outlook=ahead,
    )  # fmt: skip
    sums = [part.change for part in parts]
    return Bridge(
        month=night.month,
        largest=max(parts, key=lambda part: abs(part.change), default=None),
        along=max(parts, key=lambda part: part.share or Decimal(0), default=None),
        increase=max(parts, key=lambda part: part.change, default=None) if sums else None,
        decrease=min(parts, key=lambda part: part.change, default=None) if sums else None,
        figure=figure,
        plan_figure=plan_figure,
        plan_note=plan_note,
        unit=words,
        rows=tuple(_mover(night, row, unit, drivers, widest) for row in shown),
        others=_summed(f"{len(movers) - most:,} others", movers[most:], unit),
        everything=_summed("All cost", movers, unit),
        table_unit=unit.words,
        lead=night.say("bridge", "lead", SimpleNamespace(**vars(facts), is_known=night.is_known)),
        anomalies=tuple(_anomalies(night)),
        faults=(*_faults(rows, movers), *faults),
        **vars(facts),
    )


def _anomalies(night: Night) -> Iterator[AnomalyRow]:
    most = max(MOST_ANOMALIES - night.squeeze("bridge"), 1)
    for row in night.tables["recent_anomalies"].sort("position").head(most).to_dicts():
        yield AnomalyRow(
            name=night.say("bridge", "anomaly_subject", row),
            since=formats.day_short(row["since"]),
            until=formats.day_short(row["until"]),
            cost=night.money.short(row["actual_usd"]),
            expected=night.money.span(row["low_usd"], row["high_usd"]),
            rows=night.say("bridge", "anomaly_rows", row),
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


def _parts(night: Night, change: Decimal) -> list[DriverPart]:
    return [
        DriverPart(
            night.say("bridge", "driver", row), row["change_usd"],
            night.index.get(f"bridge_{row['driver']}"), row["persistence"],
            row["change_usd"] / change if change else None,
        )
        for row in night.tables["change_drivers"].sort("position").to_dicts()
    ]  # fmt: skip


def _figures(
    night: Night, parts: Sequence[DriverPart], movers: list[Row]
) -> tuple[Markup | None, Markup | None, str, str, tuple[str, ...]]:
    """The two bridges on one scale: month to month, and plan to month."""
    if not parts:
        return None, None, "", "", ()
    sums = dict(night.tables["change_drivers"].select("driver", "change_usd").iter_rows())
    before = sum((row["previous_usd"] for row in movers), Decimal(0))
    now = sum((row["current_usd"] for row in movers), Decimal(0))
    variance = night.now["effective_usd"] - (night.now["plan_usd"] or Decimal(0))
    unit = TableUnit.of_axis(night.money, [*sums.values(), *([variance] if night.now["plan_usd"] is not None else [])])
    steps = [
        ChangeStep(words, float(sums[driver] / unit.scale), night.money.change(sums[driver]))
        for driver, words in DRIVERS.items()
        if driver in sums
    ]
    plan = plan_steps(night, unit)
    reaches = [reach(steps), *([reach(plan.steps)] if plan else [])]
    limits = min(low for low, _ in reaches), max(high for _, high in reaches)
    previous, compared = night.compared
    largest = max(steps, key=lambda step: abs(step.amount)).name.lower()
    alt = f"From {night.money.short(before)} in {previous} to {night.money.short(now)} in {compared}; the largest step is {largest}."  # noqa: E501 - one sentence
    first = change_steps(
        steps, (previous, night.money.short(before)), (compared, night.money.short(now)), LEFT if plan else WHOLE,
        limits if plan else reaches[0], alt,
    )  # fmt: skip
    if plan is None:
        return first, None, "", unit.words, ()
    words = f"From a plan of {plan.plan} to {night.money.short(night.now['effective_usd'])} in {night.month}."
    second = change_steps(
        plan.steps, ("Plan", plan.plan), (night.month, night.money.short(night.now["effective_usd"])), RIGHT,
        reaches[1], words,
    )  # fmt: skip
    return first, second, plan.note, unit.words, plan.faults


def _entity_drivers(rows: pl.DataFrame) -> dict[tuple[str, str | None], str]:
    """The driver with the largest part of each entity's change."""
    entity = (
        pl.when(pl.col("account") == "direct")
        .then("phase")
        .otherwise(pl.when(pl.col("account") == "commitment_unused").then(pl.lit("idle")).otherwise("account"))
    )
    model = pl.when(pl.col("account") == "direct").then("model_id")
    summed = rows.group_by(entity=entity, model=model, driver="driver").agg(pl.col("change_usd").sum())
    ordered = summed.sort(pl.col("change_usd").abs(), "driver", descending=[True, False])
    first = ordered.unique(["entity", "model"], keep="first", maintain_order=True)
    return {(row["entity"], row["model"]): row["driver"] for row in first.to_dicts()}


def _mover(
    night: Night, row: Row, unit: TableUnit, drivers: dict[tuple[str, str | None], str], widest: Decimal
) -> MoverRow:
    driver = drivers.get((row["cost_class"], row["model_id"]), "other")
    name = colours.NAMES[row["cost_class"]]
    change = row["change_usd"]
    words = f"{'more' if change > 0 else 'less'} by {night.money.short(abs(change))}"
    return MoverRow(
        name=f"{formats.fitted(row['model_id'], 80)}, {name.lower()}" if row["model_id"] else name,
        previous=unit.cell(row["previous_usd"]),
        current=unit.cell(row["current_usd"]),
        bar=change_bar(float(change / widest), words),
        change=unit.cell(change, plus="+"),
        driver=DRIVERS[driver].lower(),
        lasts=night.say("bridge", "lasts", row["persistence"], formats.month_short(night.subject["period_end"])),
        owner=formats.fitted(row["owner"], 60) if row["owner"] else formats.UNKNOWN,
    )


def _summed(name: str, rows: list[Row], unit: TableUnit) -> MoverRow | None:
    if not rows:
        return None
    before = sum((row["previous_usd"] for row in rows), Decimal(0))
    now = sum((row["current_usd"] for row in rows), Decimal(0))
    return MoverRow(name, unit.cell(before), unit.cell(now), None, unit.cell(now - before, plus="+"), "", "", "")
