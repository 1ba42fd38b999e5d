"""One JSON object in one line becomes cells of text: numbers keep the digits they were written with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from warehouse.sources.decode.column_mapping import MOST_COLUMNS
from warehouse.sources.decode.json_text import DEEPEST, BadLine, each_key_once

Cells = Mapping[str, str | None]


class _Literal(str):
    """A number as it was written."""

    __slots__ = ()


def json_cells(line: str) -> Cells:
    """The members of the object as text: a number's digits, a text's characters, null, or inner JSON as text.

    Raises:
        BadLine: encoding, bad_json or limit; its detail never repeats what the line holds.
    """
    try:
        document = _decoder.decode(line)
        cells = {key: _written(value) for key, value in _members(document).items()}
        "".join(text or "" for pair in cells.items() for text in pair).encode()
    except UnicodeError as error:
        raise BadLine("encoding", "half a surrogate pair") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadLine("bad_json", str(error).partition(":")[0]) from error
    if len(cells) > MOST_COLUMNS:
        raise BadLine("limit", f"{len(cells)} keys; {MOST_COLUMNS} are read at most")
    return cells


def json_items(text: str) -> list[Cells]:
    """The objects of a JSON list, each with its members as text, as json_cells gives them.

    Raises:
        BadLine: encoding, bad_json or limit.
    """
    listed = json_cells('{"items":' + text + "}")
    try:
        return [
            json_cells(json.dumps(item)) for item in json.loads(listed["items"] or "[]", parse_float=str, parse_int=str)
        ]
    except (TypeError, ValueError) as error:
        raise BadLine("bad_json", str(error).partition(":")[0]) from error


def _members(document: object) -> dict[str, object]:
    if not isinstance(document, dict):
        raise TypeError("a JSON value that is no object")
    return document


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=each_key_once, parse_int=_Literal, parse_float=_Literal, parse_constant=_Literal
)


def _written(value: object) -> str | None:
    """A cell's text; inner objects and lists as compact JSON."""
    if value is None or type(value) is str:
        return value
    return _compact(value, 2)  # the line's own object is the first layer


def _compact(value: object, depth: int) -> str:
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    if isinstance(value, dict):
        members = (f"{_quoted(key)}:{_compact(inner, depth + 1)}" for key, inner in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_compact(inner, depth + 1) for inner in value) + "]"
    return str(value) if isinstance(value, _Literal) else _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
