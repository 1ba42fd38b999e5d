"""Lines of JSON that look like one another are split over whole columns, without building objects."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

import polars as pl

from warehouse.sources.decode.column_mapping import MOST_COLUMNS

_VALUE: Final = r'"[^"\\\x00-\x1f]*"|[-0-9.eE+]+|null|true|false'
_MEMBER: Final = re.compile(rf'("[^"\\\x00-\x1f]*")(\s*:\s*)(?:{_VALUE})(\s*,\s*|\s*}}\s*\Z)')
_NUMBER: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_WORDS: Final = ("null", "true", "false")


class Shape(NamedTuple):
    """The keys of a flat object in order, and the expression that lines like it match."""

    keys: tuple[str, ...]
    pattern: str


class Split(NamedTuple):
    """Which lines have the shape, and the cells of those, as reading them one by one would give them."""

    is_alike: pl.Series
    cells: pl.DataFrame


def shape(line: str) -> Shape | None:
    """The shape of a line; None for one that is nested, escapes something or says a key twice."""
    opening = re.match(r"\s*{\s*", line)
    if opening is None:
        return None
    keys, pattern, place = [], "^" + re.escape(opening[0]), opening.end()
    while place < len(line):
        member = _MEMBER.match(line, place)
        if member is None:
            return None
        keys.append(json.loads(member[1]))
        pattern += f"{re.escape(member[1] + member[2])}({_VALUE}){re.escape(member[3])}"
        place = member.end()
    return Shape(tuple(keys), pattern + "$") if 0 < len({*keys}) == len(keys) <= MOST_COLUMNS else None


def split(lines: pl.Series, wanted: Shape) -> Split:
    """Split the lines that have the shape."""
    groups = lines.str.extract_groups(wanted.pattern).struct.unnest()
    is_alike = groups.select(pl.all_horizontal(_is_value(name) for name in groups.columns)).to_series()
    texts = groups.filter(is_alike).select(_text(name) for name in groups.columns)
    return Split(is_alike, texts.rename(dict(zip(texts.columns, wanted.keys, strict=True))))


def _is_value(name: str) -> pl.Expr:
    cell = pl.col(name)
    is_value = cell.str.starts_with('"') | cell.is_in(_WORDS) | cell.str.contains(_NUMBER)
    return is_value.fill_null(value=False)


def _text(name: str) -> pl.Expr:
    cell = pl.col(name)
    inner = cell.str.strip_prefix('"').str.strip_suffix('"')
    return pl.when(cell != "null").then(inner).alias(name)
