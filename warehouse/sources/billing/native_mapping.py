"""What the native exports share: their columns under the names of raw.charge_rows, and exact arithmetic on text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY_SCALE
from warehouse.sources.billing.charge_casts import CELLS
from warehouse.sources.casts.decimals import quantity
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.source import Source

Spellings = Mapping[str, tuple[str, ...]]
"""Canonical column -> the names it has in the export, best first."""

_EXACT: Final = Context(prec=80)
_UNIT: Final = 10**MONEY_SCALE
_LARGEST: Final = 1e37  # of 128 bits
_SILENT: Final = ("", "NULL", "null")


def native_layout(
    source: Source,
    names: Spellings,
    required: tuple[tuple[str, ...], ...],
    *,
    is_identified: bool = False,
    tag_columns: tuple[str, ...] = (),
) -> Layout:
    """The columns of an export by their own names, unless the settings name one otherwise.

    Where each row has an id, columns that nobody asked for tell nothing more and are not read, but for `tag_columns`,
    given by how their names begin.
    """
    spelled = {
        name: (source.columns[name],) if name in source.columns else spellings for name, spellings in names.items()
    }
    return Layout(
        spelled,
        required,
        source.constants,
        unmapped="kept",
        last_line="any" if source.options.get("final_newline") == "optional" else "ended",
        kept_starts=tag_columns if is_identified else None,
    )


def charge_cells(rows: pl.DataFrame, derived: Mapping[str, pl.Expr | pl.Series]) -> pl.DataFrame:
    """The columns of raw.charge_rows as text: `derived` ones, else those that `rows` has, else nothing."""
    made = rows.with_columns(
        (pl.lit(value) if isinstance(value, pl.Series) else value).cast(pl.String).alias(name)
        for name, value in derived.items()
    )
    return made.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in CELLS if name not in made.columns)


def totals(plus: Sequence[pl.Series], minus: Sequence[pl.Series] = ()) -> pl.Series:
    """Sums of decimal cells, as text; a cell that says nothing adds nothing, and null where none says anything.

    A cell that is no number is the answer itself, so that the row is refused for it.

    Example:
        >>> totals([pl.Series(["1.10", None, "1,5"]), pl.Series(["2E-1", "", "1"])]).to_list()
        ['1.30', None, '1,5']
    """
    signed = [(1, cells) for cells in plus] + [(-1, cells) for cells in minus]
    if all(cells.null_count() == len(cells) for _, cells in signed[1:]):
        return signed[0][1]
    signs = [sign for sign, _ in signed]
    rows = pl.DataFrame([cells.alias(str(position)) for position, (_, cells) in enumerate(signed)])
    distinct = rows.unique()
    answers = pl.Series("total", [_total(signs, row) for row in distinct.iter_rows()], dtype=pl.String)
    joined = rows.join(
        distinct.with_columns(answers), on=rows.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["total"]


def _total(signs: Sequence[int], row: Sequence[str | None]) -> str | None:
    amounts = [(sign, cell) for sign, cell in zip(signs, row, strict=True) if cell and cell not in _SILENT]
    total = Decimal(0)
    for sign, cell in amounts:
        try:
            total = _EXACT.add(total, _EXACT.multiply(Decimal(sign), Decimal(cell)))
        except InvalidOperation:
            return cell
    return f"{total:f}" if amounts else None


def product(prices: pl.Series, quantities: pl.Series) -> pl.Series:
    """Prices times quantities, rounded half up to 12 decimals, as text; null where either is none."""
    first, second = quantity(prices).values, quantity(quantities).values
    pairs = pl.DataFrame({"price": first.to_physical(), "quantity": second.to_physical()})
    exact = (pl.col("price") * pl.col("quantity") * 2 + _UNIT) // (2 * _UNIT)
    is_small = (pl.col("price").cast(pl.Float64) * pl.col("quantity").cast(pl.Float64)).abs() < _LARGEST
    return pairs.select(
        pl.when(is_small).then(exact).cast(pl.Int128).reinterpret(dtype=first.dtype).cast(pl.String).alias("product")
    )["product"]


def blank_cells(name: str, height: int) -> pl.Series:
    """Cells that say nothing."""
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, height)
