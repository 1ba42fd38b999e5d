"""Restatements on page A: what closed months were first reported as, and from there to what is known now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.waterfall import Step, waterfall
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_MONTHS: Final = 12
MOST_CAUSES: Final = 12
CAUSES: Final = {
    "changed": "rows differ without a Correction",
    "late": "days billed later",
    "withdrawn": "bill is gone",
    "correction": "corrections dated into it",
    "policy": "rates, fleet or scope in policy",
    "exchange": "rates of exchange",
}


@dataclass(frozen=True)
class MonthRow:
    """One closed month, ready to print."""

    month: str
    night: str
    reported: str
    current: str
    change: str


@dataclass(frozen=True)
class CauseRow:
    """One cause of a month's difference, ready to print."""

    month: str
    source: str
    cause: str
    file: str
    change: str
    is_alert: bool = False


@dataclass(frozen=True)
class RestatedTotal:
    """All restated months."""

    reported: Ref
    current: Ref
    change: Ref


@dataclass(frozen=True)
class CauseBridge:
    """The causes as steps from nothing to the whole difference."""

    unit: str
    figure: Markup


@dataclass(frozen=True)
class Restatement:
    """What page A prints of closed months that changed; nothing but a sentence where none did."""

    months: tuple[MonthRow, ...]
    total: RestatedTotal | None
    bridge: CauseBridge | None
    causes: tuple[CauseRow, ...]
    nothing: str
    faults: tuple[str, ...]


def restatement(night: Night) -> Restatement:
    """The restatements known this night."""
    months = night.tables["restated_months"].sort("month", descending=True).to_dicts()
    causes = _ranked(night)
    amounts = (f"restated_{name}" for name in ("reported", "current", "change"))
    return Restatement(
        months=(*(_month(row) for row in months[:MOST_MONTHS]), *_other_months(months[MOST_MONTHS:])),
        total=RestatedTotal(*(night.index[name] for name in amounts)) if months else None,
        bridge=_bridge(night.money, causes) if causes else None,
        causes=(*(_cause(row) for row in causes[:MOST_CAUSES]), *_other_causes(causes[MOST_CAUSES:])),
        nothing=_nothing(night),
        faults=tuple(_faults(months, causes)),
    )


def _ranked(night: Night) -> list[Row]:
    rows = night.tables["restatements"].sort("month", "source", "cause").to_dicts()
    return sorted(rows, key=lambda row: -abs(row["change_usd"]))


def _nothing(night: Night) -> str:
    """Why there is no table."""
    closed = night.tables["reported_months"].filter(
        pl.col("night") < night.subject["as_of"], pl.col("night") >= pl.col("month").dt.offset_by("1mo")
    )
    if closed.is_empty():
        return "No earlier night has reported a closed month, so none can have changed."
    count = formats.count(closed["month"].n_unique())
    since = formats.day(closed["night"].min())  # type: ignore[arg-type]
    return f"Nothing was restated: {count} closed months cost what was first reported, since {since}."


def _faults(months: Sequence[Row], causes: Sequence[Row]) -> Iterator[str]:
    """The causes explain the difference of every month."""
    for row in months:
        explained = sum((cause["change_usd"] for cause in causes if cause["month"] == row["month"]), Decimal(0))
        is_whole = row["reported_usd"] + row["change_usd"] == row["current_usd"]
        if explained != row["change_usd"] or not is_whole:
            yield f"causes explain {explained} of {row['change_usd']} of {row['month']}"


def _month(row: Row) -> MonthRow:
    return MonthRow(
        formats.month_year(row["month"]),
        formats.day(row["first_night"]),
        formats.plain(row["reported_usd"], 2),
        formats.plain(row["current_usd"], 2),
        formats.plain_change(row["change_usd"], 2),
    )


def _other_months(rows: Sequence[Row]) -> Iterator[MonthRow]:
    """The line that keeps the sums of what is not listed."""
    if rows:
        sums = [sum((row[f"{name}_usd"] for row in rows), Decimal(0)) for name in ("reported", "current", "change")]
        amounts = formats.plain(sums[0], 2), formats.plain(sums[1], 2), formats.plain_change(sums[2], 2)
        yield MonthRow(f"{len(rows):,} earlier months", "", *amounts)


def _cause(row: Row) -> CauseRow:
    more = f" and {row['files'] - 1:,} more" if row["files"] > 1 else ""
    file = formats.name(row["file"].rsplit("/", 1)[-1], 34) + more if row["file"] else formats.UNKNOWN
    return CauseRow(
        formats.month_year(row["month"]),
        formats.fitted(row["source"], 80),
        CAUSES[row["cause"]],
        file,
        formats.plain_change(row["change_usd"], 2),
        is_alert=row["cause"] == "changed",
    )


def _other_causes(rows: Sequence[Row]) -> Iterator[CauseRow]:
    if rows:
        change = formats.plain_change(sum((row["change_usd"] for row in rows), Decimal(0)), 2)
        yield CauseRow(f"{len(rows):,} smaller causes", "", "", "", change)


def _bridge(money: formats.Money, causes: Sequence[Row]) -> CauseBridge:
    """What each cause made of it, over all months: the steps add up to the difference."""
    sums: dict[str, Decimal] = {}
    for row in causes:
        sums[row["cause"]] = sums.get(row["cause"], Decimal(0)) + row["change_usd"]
    whole = sum(sums.values(), Decimal(0))
    unit = TableUnit.of_axis(money, [*sums.values(), whole])
    steps = [
        Step(_capital(CAUSES[cause]), float(amount / unit.scale), money.change(amount), is_total=False)
        for cause, amount in ((cause, sums[cause]) for cause in CAUSES if cause in sums)
    ]
    steps.append(Step("Difference", float(whole / unit.scale), money.change(whole), is_total=True))
    largest = max(sums, key=lambda cause: (abs(sums[cause]), cause))
    alt = f"Closed months changed by {money.change(whole)} since they were first reported; most by: {CAUSES[largest]}."
    return CauseBridge(f"causes over all restated months, {unit.words}", waterfall(steps, alt))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
