"""Cells of a bill, under the names of `raw.charge_rows`, become typed charges or reasons why they do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from warehouse.schemas.raw import ChargeRows
from warehouse.sources.casts.casts import (
    Cast,
    Judged,
    cells_at_fault,
    first_reason,
    free_text,
    key,
    null_if,
    refused,
    repeated,
    required,
    says_one_thing,
    word,
)
from warehouse.sources.casts.currencies import currency
from warehouse.sources.casts.decimals import Amounts, money, quantity
from warehouse.sources.casts.number_casts import size
from warehouse.sources.casts.timestamps import Clock, end_in_range, in_order, instants, start_in_range, written_days
from warehouse.vocabulary import CHARGE_CATEGORIES

_MADE_HERE: Final = ("file_sha256", "location", "source", "content_hash", "dimension_hash", "tags")

Read = Callable[[pl.Series], Cast]
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "charge_category": {name: name for name in CHARGE_CATEGORIES},
    "charge_class": {"Correction": "Correction"},
    "commitment_discount_status": {"Used": "Used", "Unused": "Unused"},
    "capacity_reservation_status": {"Used": "Used", "Unused": "Unused"},
}
_NUMBERS: Final[Mapping[str, Read]] = {
    "billed_cost": money,
    "effective_cost": money,
    "list_cost": money,
    "contracted_cost": money,
    "consumed_quantity": quantity,
    "gpus_per_unit": size,
    "gpu_hours": size,
    "currency": currency,
}
_REQUIRED: Final = {
    **dict.fromkeys(("charge_start", "charge_end", "billing_period_start", "billing_period_end"), "bad_date"),
    **dict.fromkeys(("billed_cost", "effective_cost"), "missing_cost"),
}
_DTYPES: Final = ChargeRows.polars_schema()
CELLS: Final = tuple(name for name in ChargeRows.columns() if name not in _MADE_HERE)


@dataclass(frozen=True)
class Charges:
    """The typed columns of some rows; why a row is refused and for which cell; the billed amounts with their rests."""

    rows: pl.DataFrame
    reasons: pl.Series
    faults: pl.Series
    billed: Amounts


def charges(cells: pl.DataFrame, tags: Cast, identity: pl.Series | None, clock: Clock, ahead: datetime) -> Charges:
    """Type every column of every row; of several reasons the first of the closed list counts."""
    billed = money(cells["billed_cost"])
    others = {name: _cast(name, cells[name], clock) for name in CELLS if name != "billed_cost"}
    read = others | {"billed_cost": required(billed, _REQUIRED["billed_cost"])}
    casts = {name: read[name] for name in CELLS} | {"tags": tags}
    rows = pl.DataFrame([cast.values.alias(name) for name, cast in casts.items()])
    judged = [
        Judged(name, cast.reasons, cells[name] if name in cells.columns else None) for name, cast in casts.items()
    ]
    start, end = cells["charge_start"], cells["charge_end"]
    judged += [
        *([] if identity is None else [Judged("identity", key(identity).reasons, identity)]),
        Judged("charge_start", start_in_range(rows["charge_start"], ahead), start),
        Judged("charge_end", end_in_range(rows["charge_end"]), end),
        Judged("charge_end", in_order(rows["charge_start"], rows["charge_end"]), end),
        Judged(
            "billing_period_end",
            in_order(rows["billing_period_start"], rows["billing_period_end"]),
            cells["billing_period_end"],
        ),
    ]
    reasons = first_reason(*(one.reasons for one in judged))
    strange = _strange_words(reasons, cells, rows)
    reasons = first_reason(reasons, *(one.reasons for one in strange))
    return Charges(rows, reasons, cells_at_fault(reasons, [*judged, *strange]), billed)


def stated_money(cells: pl.DataFrame) -> pl.DataFrame:
    """Currency and billed cost of rows of which nothing else is read; null where one is none."""
    return pl.DataFrame([_NUMBERS[name](cells[name]).values.alias(name) for name in ("currency", "billed_cost")])


def _cast(name: str, cells: pl.Series, clock: Clock) -> Cast:
    if cells.null_count() == len(cells) and name not in {*_REQUIRED, "currency"}:
        return Cast(cells.cast(_DTYPES[name]), cells)
    if says_one_thing(cells):
        return repeated(_cast(name, cells.head(1), clock), len(cells))
    cast = _read(name, cells, clock)
    return required(cast, _REQUIRED[name]) if name in _REQUIRED else cast


def _read(name: str, cells: pl.Series, clock: Clock) -> Cast:
    if _DTYPES[name] == pl.Date():
        return written_days(cells, clock)
    if _DTYPES[name].is_temporal():
        return instants(cells, clock)
    if name in _WORDS:
        return word(cells, _WORDS[name])
    return _NUMBERS.get(name, free_text)(cells)


def _strange_words(reasons: pl.Series, cells: pl.DataFrame, rows: pl.DataFrame) -> list[Judged]:
    """missing_key where nothing else is wrong but the category is none, or a status is none that FOCUS knows."""
    changed = [name for name in _WORDS if rows[name].null_count() > cells[name].null_count()]
    strange = [
        ("charge_category", rows["charge_category"].is_null()),
        *((name, rows[name].is_null() & null_if(cells[name]).is_not_null()) for name in changed),
    ]
    return [Judged(name, refused(when & reasons.is_null(), "missing_key"), cells[name]) for name, when in strange]
