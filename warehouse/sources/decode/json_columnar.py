"""Lines of JSON that look like one another are split over whole columns, without building objects."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

import polars as pl

from warehouse.sources.decode.column_mapping import MOST_COLUMNS

_GAP: Final = r"[ \t]*"
_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_VALUE: Final = rf"{_STRING}|[-0-9.eE+]+|null|true|false"
_KEY: Final = re.compile(rf"({_STRING})({_GAP}:{_GAP})")
_FLAT: Final = re.compile(_VALUE)
_NEXT: Final = re.compile(rf"{_GAP},{_GAP}|{_GAP}}}")
_END: Final = re.compile(rf"{_GAP}\Z")
_LEAF: Final = rf"(?:{_STRING}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|null|true|false)"
_LIST: Final = rf"\[{_GAP}(?:{_LEAF}(?:{_GAP},{_GAP}{_LEAF})*)?{_GAP}\]"
_IS_LEAF: Final = re.compile(_LEAF)
_IS_LIST: Final = re.compile(_LIST)
_MOST_LAYERS: Final = 8
_OUTSIDE_STRINGS: Final = r'("[^"]*")|[ \t]+'
_NUMBER: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_WORDS: Final = ("null", "true", "false")


class Shape(NamedTuple):
    """The keys of an object in order, the expression that lines like it match, and which members hold inner JSON."""

    keys: tuple[str, ...]
    pattern: str
    nested: tuple[bool, ...]


class Split(NamedTuple):
    """Which lines have the shape, and the cells of those, as reading them one by one would give them."""

    is_alike: pl.Series
    cells: pl.DataFrame


class _Part(NamedTuple):
    """The expression of a part of a line, and where the part ends."""

    pattern: str
    end: int


def shape(line: str) -> Shape | None:
    """The shape of a line; None for one that escapes something, lists objects, or says a key twice.

    Inner objects have the keys of this line in lines like it, each once, so that their text is what it says.
    """
    opening = re.match(rf"{_GAP}{{{_GAP}", line)
    if opening is None:
        return None
    keys, nested, pattern, position = [], [], "^" + re.escape(opening[0]), opening.end()
    while (key := _KEY.match(line, position)) is not None:
        value = _FLAT.match(line, key.end())
        part = _Part(_VALUE, value.end()) if value else _inner(line, key.end(), 1)
        then = _NEXT.match(line, part.end) if part else None
        if part is None or then is None:
            return None
        keys.append(json.loads(key[1]))
        nested.append(value is None)
        pattern += f"{re.escape(key[0])}({part.pattern}{'' if value else '|null'}){re.escape(then[0])}"
        position = then.end()
        if then[0].endswith("}"):
            break
    end = _END.match(line, position)
    is_whole = bool(keys) and end is not None and line[position - 1] == "}"
    is_usual = len(set(keys)) == len(keys) <= MOST_COLUMNS
    return Shape(tuple(keys), f"{pattern}{_GAP}$", tuple(nested)) if is_whole and is_usual else None


def _inner(line: str, position: int, layer: int) -> _Part | None:
    """A value below a member: a flat one, a list of such, or an object of them all."""
    flat = _IS_LEAF.match(line, position) or _IS_LIST.match(line, position)
    if flat is not None:
        return _Part(_LIST if flat[0].startswith("[") else _LEAF, flat.end())
    opening = re.compile(rf"{{{_GAP}").match(line, position)
    return None if opening is None or layer > _MOST_LAYERS else _inner_object(line, opening, layer)


def _inner_object(line: str, opening: re.Match[str], layer: int) -> _Part | None:
    keys, pattern, position = [], re.escape(opening[0]), opening.end()
    if line.startswith("}", position):
        return _Part(pattern + re.escape("}"), position + 1)
    while (key := _KEY.match(line, position)) is not None:
        part = _inner(line, key.end(), layer + 1)
        then = _NEXT.match(line, part.end) if part else None
        if part is None or then is None:
            return None
        keys.append(key[1])
        pattern, position = pattern + re.escape(key[0]) + part.pattern + re.escape(then[0]), then.end()
        if then[0].endswith("}"):
            return _Part(pattern, position) if len(set(keys)) == len(keys) else None
    return None


def split(lines: pl.Series, wanted: Shape) -> Split:
    """Split the lines that have the shape."""
    groups = lines.str.extract_groups(wanted.pattern).struct.unnest()
    is_alike = groups.select(
        pl.all_horizontal(
            pl.col(name).is_not_null() if inner else _is_value(name)
            for name, inner in zip(groups.columns, wanted.nested, strict=True)
        )
    ).to_series()
    members = zip(groups.columns, wanted.nested, strict=True)
    texts = groups.filter(is_alike).select(_compact(name) if inner else _text(name) for name, inner in members)
    return Split(is_alike, texts.rename(dict(zip(texts.columns, wanted.keys, strict=True))))


def _is_value(name: str) -> pl.Expr:
    cell = pl.col(name)
    is_value = cell.str.starts_with('"') | cell.is_in(_WORDS) | cell.str.contains(_NUMBER)
    return is_value.fill_null(value=False)


def _text(name: str) -> pl.Expr:
    cell = pl.col(name)
    inner = cell.str.strip_prefix('"').str.strip_suffix('"')
    return pl.when(cell != "null").then(inner).alias(name)


def _compact(name: str) -> pl.Expr:
    """Inner JSON without the white space between its parts, which is how json_cells writes it."""
    return pl.when(pl.col(name) != "null").then(pl.col(name).str.replace_all(_OUTSIDE_STRINGS, "$1")).alias(name)
