"""Text of a delivered cell becomes a typed value, or a reason of the closed list why it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import polars as pl

from warehouse.vocabulary import ROW_REASONS

REASONS: Final = tuple(ROW_REASONS)
REASON: Final = pl.Enum(REASONS)
NULLS: Final = ("", "NULL", "null", "None", "NaN", "N/A", "NA", "Unknown", "-")
MONEY_NULLS: Final = ("", "NULL", "null")
TEXT_NULLS: Final = ("", "NULL")
SHOWN: Final = 60
"""Characters of a cell that a sentence about it holds."""
_SEVERAL: Final = 2
_CONTROL: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]"


@dataclass(frozen=True)
class Cast:
    """One column: a value in each row, or none; and beside it why a cell that says something gives no value."""

    values: pl.Series
    reasons: pl.Series


def first_reason(*reasons: pl.Series) -> pl.Series:
    """Of each row the reason that stands first in the closed list; null where there is none."""
    reasoned = [series for series in reasons if series.null_count() < len(series)]
    if not reasoned:
        return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, len(reasons[0]))
    ranks = [series.cast(REASON).to_physical().alias(str(position)) for position, series in enumerate(reasoned)]
    first = pl.DataFrame(ranks).select(pl.min_horizontal(pl.all()).alias("reason"))["reason"]
    names = dict(enumerate(REASONS))
    return first.replace_strict(names, return_dtype=pl.String)


@dataclass(frozen=True)
class Judged:
    """A column, why its cells are refused, and the cells, where they may be shown."""

    name: str
    reasons: pl.Series
    cells: pl.Series | None = None

    def in_words(self) -> pl.Series:
        """What each row says in the column, by its name."""
        name = pl.lit(self.name)
        if self.cells is None:
            return pl.select(name.alias("detail")).to_series().new_from_index(0, len(self.reasons))
        cell = pl.lit(self.cells.cast(pl.String))
        shown = pl.when(cell.str.len_chars() > SHOWN).then(cell.str.head(SHOWN) + "…").otherwise(cell)
        text = (
            pl.when(cell.is_null()).then(pl.format("{} is empty", name)).otherwise(pl.format("{}: '{}'", name, shown))
        )
        return pl.select(text.alias("detail")).to_series()


def cells_at_fault(reasons: pl.Series, judged: Sequence[Judged]) -> pl.Series:
    """Of each refused row the first column that has its reason, and what the cell says: `billed_cost: '1,5'`."""
    faults = pl.Series("detail", [None], dtype=pl.String).new_from_index(0, len(reasons))
    for one in judged if reasons.null_count() < len(reasons) else ():
        if one.reasons.null_count() < len(one.reasons):
            is_told = ((one.reasons == reasons) & faults.is_null()).fill_null(value=False)
            faults = one.in_words().zip_with(is_told, faults)
    return faults.alias("detail")


def refused(when: pl.Series, reason: str) -> pl.Series:
    """The reason in every row in which `when` is true."""
    return pl.select(pl.when(when).then(pl.lit(reason)).otherwise(pl.lit(None, pl.String)).alias("reason")).to_series()


def says_one_thing(cells: pl.Series) -> bool:
    """Whether every cell says the same, as those of an account, a period or a currency do: it is read once then."""
    if len(cells) < _SEVERAL or cells.null_count() or cells[0] != cells[-1]:
        return False
    return bool((cells == cells[0]).all())


def repeated(cast: Cast, height: int) -> Cast:
    """What the first row gives, in every row."""
    return Cast(*(column.new_from_index(0, height) for column in (cast.values, cast.reasons)))


def required(cast: Cast, reason: str) -> Cast:
    """The same column where a cell without a value is refused for `reason`."""
    missing = refused(cast.values.is_null() & cast.reasons.is_null(), reason)
    return Cast(cast.values, first_reason(cast.reasons, missing))


def null_if(cells: pl.Series, nulls: tuple[str, ...] = NULLS) -> pl.Series:
    """The cells with null where one says nothing: white space alone, or a word that means unknown."""
    is_silent = cells.is_in(nulls) | (cells.str.strip_chars() == "")
    return pl.select(pl.when(~is_silent).then(cells).alias(cells.name)).to_series()


def free_text(cells: pl.Series) -> Cast:
    """Names and descriptions, composed (NFC); control characters but TAB, CR and LF are refused."""
    values = composed(null_if(cells, TEXT_NULLS))
    return Cast(values, refused(control_characters(cells), "control_char"))


def composed(texts: pl.Series) -> pl.Series:
    """The texts in NFC, which plain ASCII already is."""
    is_plain = (texts.str.len_bytes() == texts.str.len_chars()).all()
    return texts if is_plain else texts.str.normalize("NFC")


def control_characters(cells: pl.Series) -> pl.Series:
    """Whether a cell holds a control character other than TAB, CR and LF."""
    return cells.str.contains(_CONTROL).fill_null(value=False)


def key(cells: pl.Series) -> Cast:
    """An id that a row cannot do without."""
    return required(free_text(cells), "missing_key")


def word(cells: pl.Series, meanings: Mapping[str, str], reason: str | None = None) -> Cast:
    """One word of a closed list, told whatever its case; another word is refused for `reason`, or null without one."""
    words = null_if(cells).str.strip_chars().str.to_lowercase()
    folded = {spelling.lower(): meaning for spelling, meaning in meanings.items()}
    values = words.replace_strict(folded, default=None, return_dtype=pl.String)
    return Cast(values, refused(values.is_null() & words.is_not_null() & (reason is not None), reason or REASONS[0]))


def any_reason(frame_height: int, *reasons: pl.Series) -> pl.Series:
    """As first_reason, also for no column at all."""
    return reduce(first_reason, reasons, pl.Series("reason", [None] * frame_height, dtype=pl.String))
