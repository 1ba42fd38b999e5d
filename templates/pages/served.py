"""The page of teams, tenants and tasks: what serving each of them cost, and a million tokens of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.log_strip import share_bar
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

DIMENSIONS: Final = ("team", "tenant", "task")
MOST_NAMES: Final = 12
LEAST_TOKENS: Final = 10_000_000


@dataclass(frozen=True)
class GroupRow:
    """One team, tenant or task, ready to print."""

    name: str
    bar: Markup | None
    share: str
    cost: str
    change: str
    tokens: str
    price: str


@dataclass(frozen=True)
class Dimension:
    """All names of one dimension; the rows add up to the last."""

    name: str
    rows: tuple[GroupRow, ...]
    everything: GroupRow


@dataclass(frozen=True)
class Served:
    """Everything that the page prints."""

    dimension: str
    largest: str
    largest_usd: Ref | None
    all_usd: Ref | None
    unnamed_usd: Ref | None
    share: Decimal
    unnamed_share: Decimal
    price: Decimal | None
    in_month: str
    previous: str
    lead: str
    unit: str
    currency: str
    dimensions: tuple[Dimension, ...]


def served(night: Night) -> Served:
    """The page of the night."""
    rows = night.tables["served_groups"].to_dicts()
    named = [one for one in DIMENSIONS if any(row["dimension"] == one for row in rows)]
    first = named[0] if named else ""
    ours = [row for row in rows if row["dimension"] == first]
    whole = sum((row["used_usd"] for row in ours), Decimal(0))
    largest = max((row for row in ours if row["name"]), key=lambda row: (row["used_usd"], row["name"]), default=None)
    unnamed = sum((row["used_usd"] for row in ours if row["name"] is None), Decimal(0))
    unit = TableUnit.of_rows(night.money, [row["used_usd"] for row in rows if row["name"]], whole)
    most = max(MOST_NAMES - 2 * night.squeeze("served"), 3)
    page = Served(
        dimension=first,
        largest=largest["name"] if largest else "",
        largest_usd=night.index.get("served_largest"),
        all_usd=night.index.get("served_all"),
        unnamed_usd=night.index.get("served_unnamed"),
        share=largest["used_usd"] / whole if largest and whole > 0 else Decimal(0),
        unnamed_share=unnamed / whole if whole > 0 else Decimal(0),
        price=largest["usd_per_mtok"] if largest and largest["tokens"] >= LEAST_TOKENS else None,
        in_month=night.in_month,
        previous=night.previous,
        lead="",
        unit=unit.words,
        currency=night.money.heading,
        dimensions=tuple(
            _dimension(night, name, [row for row in rows if row["dimension"] == name], unit, most) for name in named
        ),
    )
    return Served(**{**vars(page), "lead": night.say("served", "lead", page)})


def _dimension(night: Night, name: str, rows: Sequence[Row], unit: TableUnit, most: int) -> Dimension:
    ranked = sorted(rows, key=lambda row: (row["name"] is None, -row["used_usd"], row["name"] or ""))
    whole = sum((row["used_usd"] for row in ranked), Decimal(0))
    shown, rest = ranked[:most], ranked[most:]
    printed = [
        _row(night, row, formats.fitted(row["name"], 120) if row["name"] else f"no {name}", unit, whole)
        for row in shown
    ]
    if rest:
        printed.append(_row(night, _summed(rest), f"{len(rest):,} others", unit, whole))
    return Dimension(name, tuple(printed), _row(night, _summed(ranked), "All of serving", unit, whole, has_bar=False))


def _summed(rows: Sequence[Row]) -> Row:
    used, tokens = sum((row["used_usd"] for row in rows), Decimal(0)), sum(row["tokens"] for row in rows)
    earlier = [row["previous_usd"] for row in rows]
    return {
        "used_usd": used,
        "tokens": tokens,
        "usd_per_mtok": used * 1_000_000 / tokens if tokens and used >= 0 else None,
        "previous_usd": None if None in earlier else sum(earlier, Decimal(0)),
    }


def _row(night: Night, row: Row, name: str, unit: TableUnit, whole: Decimal, *, has_bar: bool = True) -> GroupRow:
    share = row["used_usd"] / whole if whole > 0 else None
    words = formats.whole_percent(share)
    before = row["previous_usd"]
    return GroupRow(
        name=name,
        bar=share_bar(float(share), f"{words} of serving") if share is not None and has_bar else None,
        share=words.removesuffix(f"{formats.NBSP}%"),
        cost=unit.cell(row["used_usd"]),
        change=formats.UNKNOWN if before is None else unit.cell(row["used_usd"] - before, plus="+"),
        tokens=formats.tokens(row["tokens"]),
        price=night.money.per_mtok(row["usd_per_mtok"]) if row["tokens"] >= LEAST_TOKENS else "n.m.",
    )
