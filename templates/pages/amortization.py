"""Page 6: what training is not yet amortised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.balance_area import Balance, balance_area
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_ROWS: Final = 16
ROOMY_ROWS: Final = 12
NAME_WIDTH: Final = 78.0
MOST_LAYERS: Final = 5
MOST_CHANGES: Final = 5
STEPS: Final = ("opening_usd", "additions_usd", "amortized_usd", "written_off_usd", "closing_usd")
METHODS: Final = {"units_of_production": "by tokens", "straight_line": "by days"}


@dataclass(frozen=True)
class CarriedRow:
    """One model's roll-forward, ready to print."""

    name: str
    method: str
    cells: tuple[str, ...]
    expected: str
    parity: str
    ends: str
    retires: str
    stranded: str


@dataclass(frozen=True)
class Amortization:
    """Everything that page 6 prints."""

    balance: Ref | None
    stranded: Ref | None
    early_life: tuple[str, ...]
    last_end: date | None
    longest_months: Decimal | None
    lead: str
    figure: Markup | None
    figure_unit: str
    is_on_sheet: bool
    rows: tuple[CarriedRow, ...]
    others: CarriedRow | None
    everything: CarriedRow
    unit: str
    steps: tuple[Ref | None, ...]
    month: str
    is_dense: bool
    is_closed: bool
    is_rounded: bool
    changes: tuple[tuple[str, str, str], ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Every roll-forward closes."""
        return () if self.is_closed else ("opening + additions − amortised − written off is not closing",)


def amortization(night: Night) -> Amortization:
    """Page 6 of the night."""
    rows = _rows(night)
    unit = TableUnit.of(night.money, [sum((row[step] for row in rows), Decimal(0)) for step in STEPS])
    runoffs = {row["model_id"]: row for row in night.tables["runoffs"].to_dicts()}
    most = max(MOST_ROWS - 3 * night.squeeze("amortization"), 2)
    early = sorted((row for row in runoffs.values() if row["stranded_usd"]), key=lambda row: -row["stranded_usd"])
    has_sheet = night.tables["pages"].filter(pl.col("is_shown") & (pl.col("page") == "sheet")).height > 0
    is_on_sheet = night.is_flowing and has_sheet
    figure, figure_unit = (None, "") if is_on_sheet else _figure(night)
    index = night.index
    return Amortization(
        balance=index.get("carried"),
        stranded=index.get("stranded"),
        early_life=tuple(formats.name(row["model_id"], 16) for row in early),
        last_end=max((row["ends_on"] for row in runoffs.values() if row["ends_on"]), default=None),
        longest_months=_longest(runoffs),
        lead=_lead(night, rows, early),
        figure=figure,
        figure_unit=figure_unit,
        is_on_sheet=is_on_sheet,
        rows=tuple(_row(row, unit, runoffs.get(row["model_id"])) for row in rows[:most]),
        others=_summed(f"{len(rows) - most:,} others", rows[most:], unit) if rows[most:] else None,
        everything=_summed("All models", rows, unit, _left(rows, runoffs)),
        unit=unit.words,
        steps=tuple(index.get(f"carried_{step}") for step in ("opening", "additions", "amortized", "written_off")),
        month=night.month,
        is_dense=len(rows) > ROOMY_ROWS,
        is_closed=_is_closed(rows),
        is_rounded=_is_rounded(rows, unit),
        changes=tuple(_changes(night)),
    )


def _rows(night: Night) -> list[Row]:
    """The roll-forward of the month reported, the largest balance first."""
    rows = night.tables["amortization"].filter(month=night.subject["month"]).to_dicts()
    used = [row for row in rows if any(row[step] for step in STEPS)]
    return sorted(used, key=lambda row: (-abs(row["closing_usd"]), row["model_id"]))


def _lead(night: Night, rows: list[Row], early: list[Row]) -> str:
    index = night.index
    names = ("opening", "additions", "amortized", "written_off")
    facts = SimpleNamespace(
        in_month=night.in_month, balance=index.get("carried"), **{name: index.get(f"carried_{name}") for name in names},
        methods=sorted({row["method"] for row in rows}), early=early[0] if early else None,
    )  # fmt: skip
    return night.say("amortization", "lead", facts)


def _longest(runoffs: dict[str, Row]) -> Decimal | None:
    """The most months that any model still waits."""
    months = [row["left_months"] for row in runoffs.values() if row["left_months"]]
    return formats.decimal(max(months)) if months else None


def _row(row: Row, unit: TableUnit, runoff: Row | None) -> CarriedRow:
    return CarriedRow(
        name=formats.fitted(row["model_id"], NAME_WIDTH),
        method=METHODS[row["method"]],
        cells=_cells([row[step] for step in STEPS], unit),
        expected=formats.tokens(row["expected_tokens"]),
        parity=formats.tokens(row["tokens_to_parity"]),
        ends=formats.day(runoff["ends_on"]) if runoff else formats.UNKNOWN,
        retires=formats.day(runoff["retires_on"]) if runoff else formats.UNKNOWN,
        stranded=unit.cell(runoff["stranded_usd"]) if runoff else formats.UNKNOWN,
    )


def _cells(amounts: list[Decimal], unit: TableUnit) -> tuple[str, ...]:
    opening, added, amortized, written_off, closing = amounts
    return (
        unit.cell(opening),
        unit.cell(added, plus="+"),
        unit.cell(-amortized),
        unit.cell(-written_off),
        unit.cell(closing),
    )


def _left(rows: list[Row], runoffs: dict[str, Row]) -> Decimal | None:
    """What retirements would leave of all balances; nothing where no model's end is known."""
    amounts = [runoffs[row["model_id"]]["stranded_usd"] for row in rows if row["model_id"] in runoffs]
    left_amounts = [amount for amount in amounts if amount is not None]
    return sum(left_amounts, Decimal(0)) if left_amounts else None


def _summed(name: str, rows: list[Row], unit: TableUnit, left: Decimal | None = None) -> CarriedRow:
    sums = [sum((row[step] for row in rows), Decimal(0)) for step in STEPS]
    return CarriedRow(name, "", _cells(sums, unit), "", "", "", "", unit.cell(left))


def _is_closed(rows: list[Row]) -> bool:
    """Opening + additions − amortised − written off = closing, in every row."""
    return all(
        row["opening_usd"] + row["additions_usd"] - row["amortized_usd"] - row["written_off_usd"] == row["closing_usd"]
        for row in rows
    )


def _is_rounded(rows: list[Row], unit: TableUnit) -> bool:
    """Whether printed steps miss a printed closing, or printed rows a printed sum."""

    def printed(amount: Decimal) -> Decimal:
        return formats.rounded(amount / unit.scale, unit.places)

    across = any(
        printed(row["opening_usd"]) + printed(row["additions_usd"]) - printed(row["amortized_usd"])
        - printed(row["written_off_usd"]) != printed(row["closing_usd"])
        for row in rows
    )  # fmt: skip
    sums = (sum((row[step] for row in rows), Decimal(0)) for step in STEPS)
    down = any(
        sum((printed(row[step]) for row in rows), Decimal(0)) != printed(total)
        for step, total in zip(STEPS, sums, strict=True)
    )
    return across or down


def _changes(night: Night) -> list[tuple[str, str, str]]:
    """The latest changes of estimate: the day, the model, and the cause."""
    rows = night.tables["estimate_changes"].sort("changed_on", "model_id", descending=[True, False]).head(MOST_CHANGES)
    return [
        (formats.day(row["changed_on"]), formats.name(row["model_id"], 20), night.say("amortization", "change", row))
        for row in rows.to_dicts()
    ]


def _figure(night: Night) -> tuple[Markup | None, str]:
    months = [row["month"] for row in night.figures]
    by_model: dict[str, dict[date, Decimal]] = {}
    for row in night.tables["amortization"].to_dicts():
        by_model.setdefault(row["model_id"], {})[row["month"]] = row["closing_usd"]
    zero = Decimal(0)
    series = {
        model: [balance_by_month.get(month, zero) for month in months] for model, balance_by_month in by_model.items()
    }
    ranked = sorted(series, key=lambda model: (-series[model][-1], -max(series[model]), model))
    rest = [
        sum((series[model][month_number] for model in ranked[MOST_LAYERS:]), zero)
        for month_number in range(len(months))
    ]
    layers = [(formats.fitted(model, 100, 7.2), series[model]) for model in ranked[:MOST_LAYERS]]
    layers += [(f"{len(ranked) - MOST_LAYERS:,} others", rest)] if any(rest) else []
    layers = [(name, values) for name, values in layers if any(values)]
    totals = [sum((values[month_number] for _, values in layers), zero) for month_number in range(len(months))]
    if not layers or max(totals) <= 0:
        return None, ""
    unit = TableUnit.of_axis(night.money, totals)
    drawn = [
        Balance(name, night.money.short(values[-1]), tuple(float(max(value, zero) / unit.scale) for value in values))
        for name, values in layers
    ]
    alt = (
        f"Balance of training not yet amortised over {len(months)} months: {night.money.short(totals[0])} in "
        f"{formats.month_year(months[0])}, {night.money.short(totals[-1])} in {formats.month_year(months[-1])}."
    )
    return balance_area(drawn, [formats.month_tick(month) for month in months], alt), unit.words
