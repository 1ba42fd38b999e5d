"""Lines of JSON that look like one another are split over whole columns.

One expression over all lines tells which have the keys of the first one, each once, and nothing that has to be looked
at with care. Those are parsed without a look at their inner JSON, and only the columns that are asked for are made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from warehouse.sources.decode.column_mapping import MOST_COLUMNS

_GAP: Final = r"[ \t]*"
_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_KEY: Final = re.compile(rf"({_STRING})({_GAP}:{_GAP})")
_NEXT: Final = re.compile(rf"{_GAP},{_GAP}|{_GAP}}}")
_END: Final = re.compile(rf"{_GAP}\Z")
_LEAF: Final = rf"(?:{_STRING}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|null|true|false)"
_LIST: Final = rf"\[{_GAP}(?:{_LEAF}(?:{_GAP},{_GAP}{_LEAF})*)?{_GAP}\]"
_IS_LEAF: Final = re.compile(_LEAF)
_IS_LIST: Final = re.compile(_LIST)
_MOST_LAYERS: Final = 8
_OUTSIDE_STRINGS: Final = r'("[^"]*")|[ \t]+'


class Shape(NamedTuple):
    """The keys of an object in order, the expression that lines like it match, and what each member holds.

    `texts` are the members that the first line has a text for, `nested` those with inner JSON.
    """

    keys: tuple[str, ...]
    pattern: str
    texts: frozenset[str]
    nested: frozenset[str]


@dataclass(frozen=True)
class AlikeRows:
    """Objects of one shape; their cells are what reading each line by itself would give."""

    columns: tuple[str, ...]
    rows: Sequence[Any]
    is_plain: frozenset[str]
    nested: frozenset[str]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)

    def column(self, name: str) -> pl.Series:
        """One member of each object, as text."""
        values = map(attrgetter(_field(self.columns.index(name))), self.rows)
        if name in self.is_plain:
            return pl.Series(name, list(values), dtype=pl.String)
        written = pl.Series(name, [bytes(value) for value in values], dtype=pl.Binary).cast(pl.String)
        return written.to_frame().select(_compact(name) if name in self.nested else _text(name)).to_series()


NO_ROWS: Final = AlikeRows((), (), frozenset(), frozenset())


class Split(NamedTuple):
    """Which lines have the shape, and these as objects."""

    is_alike: pl.Series
    rows: AlikeRows


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
    keys: list[str] = []
    texts, nested = set[str](), set[str]()
    pattern, position = "^" + re.escape(opening[0]), opening.end()
    while (key := _KEY.match(line, position)) is not None:
        value = _IS_LEAF.match(line, key.end())
        part = _Part(_LEAF, value.end()) if value else _inner(line, key.end(), 1)
        then = _NEXT.match(line, part.end) if part else None
        if part is None or then is None:
            return None
        keys.append(json.loads(key[1]))
        texts |= {keys[-1]} if value and value[0].startswith('"') else set()
        nested |= set() if value else {keys[-1]}
        pattern += f"{re.escape(key[0])}(?:{part.pattern}{'' if value else '|null'}){re.escape(then[0])}"
        position = then.end()
        if then[0].endswith("}"):
            break
    end = _END.match(line, position)
    is_whole = bool(keys) and end is not None and line[position - 1] == "}"
    is_usual = len(set(keys)) == len(keys) <= MOST_COLUMNS
    alike = Shape(tuple(keys), f"{pattern}{_GAP}$", frozenset(texts), frozenset(nested))
    return alike if is_whole and is_usual else None


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
    is_alike = lines.str.contains(wanted.pattern).fill_null(value=False)
    texts = lines.filter(is_alike).to_list()
    try:
        rows, is_plain = _parsed(texts, wanted, wanted.texts), wanted.texts
    except msgspec.ValidationError:  # a line has something else where the first one has a text
        rows, is_plain = _parsed(texts, wanted, frozenset()), frozenset[str]()
    return Split(is_alike, AlikeRows(wanted.keys, rows, is_plain, wanted.nested))


def _parsed(texts: Sequence[str], wanted: Shape, is_plain: frozenset[str]) -> Sequence[Any]:
    """Objects with a field for each key: a text where it is plain, else the JSON as it is written."""
    types = [(_field(at), (str | None) if key in is_plain else msgspec.Raw) for at, key in enumerate(wanted.keys)]
    names = {_field(at): key for at, key in enumerate(wanted.keys)}
    decode = msgspec.json.Decoder(msgspec.defstruct("Row", types, rename=names, gc=False)).decode
    return [decode(text) for text in texts]


def _field(position: int) -> str:
    return f"f{position}"


def _text(name: str) -> pl.Expr:
    cell = pl.col(name)
    inner = cell.str.strip_prefix('"').str.strip_suffix('"')
    return pl.when(cell != "null").then(inner).alias(name)


def _compact(name: str) -> pl.Expr:
    """Inner JSON without the white space between its parts, which is how json_cells writes it."""
    return pl.when(pl.col(name) != "null").then(pl.col(name).str.replace_all(_OUTSIDE_STRINGS, "$1")).alias(name)
