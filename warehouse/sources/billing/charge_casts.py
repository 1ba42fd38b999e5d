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
    """The typed columns of some rows; why a row is refused, if so; and the billed amounts with what rounding took."""

    rows: pl.DataFrame
    reasons: pl.Series
    billed: Amounts


def charges(cells: pl.DataFrame, tags: Cast, identity: pl.Series | None, clock: Clock, ahead: datetime) -> Charges:
    """Type every column of every row; of several reasons the first of the closed list counts."""
    billed = money(cells["billed_cost"])
    others = {name: _cast(name, cells[name], clock) for name in CELLS if name != "billed_cost"}
    read = others | {"billed_cost": required(billed, _REQUIRED["billed_cost"])}
    casts = {name: read[name] for name in CELLS} | {"tags": tags}
    rows = pl.DataFrame([cast.values.alias(name) for name, cast in casts.items()])
    reasons = first_reason(
        *(cast.reasons for cast in casts.values()),
        *([] if identity is None else [key(identity).reasons]),
        start_in_range(rows["charge_start"], ahead),
        end_in_range(rows["charge_end"]),
        in_order(rows["charge_start"], rows["charge_end"]),
        in_order(rows["billing_period_start"], rows["billing_period_end"]),
    )
    return Charges(rows, _without_strange_words(reasons, cells, rows), billed)


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


def _without_strange_words(reasons: pl.Series, cells: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """missing_key where nothing else is wrong but the category is none, or a status is none that FOCUS knows."""
    strange = rows["charge_category"].is_null()
    for name in (name for name in _WORDS if rows[name].null_count() > cells[name].null_count()):
        strange = strange | (rows[name].is_null() & null_if(cells[name]).is_not_null())
    return refused(strange & reasons.is_null(), "missing_key").fill_null(reasons)
