"""Cells of Parquet as the text another format would have written."""

from __future__ import annotations

import json
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_NESTED: Final = (pa.types.is_map, pa.types.is_struct, pa.types.is_list, pa.types.is_large_list)
_BYTES: Final = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
_PLAIN: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal128,
    pa.types.is_timestamp,
    pa.types.is_date,
)


def written(cells: pa.Array) -> pl.Series:
    """The cells as text: the shortest decimal that names a double, ISO times, maps and structs as JSON objects.

    Bytes that are not UTF-8 give null where the cell has none.
    """
    if pa.types.is_dictionary(cells.type):
        values = written(cells.dictionary)
        return values.gather(pl.Series(cells.indices))
    if any(test(cells.type) for test in _NESTED):
        is_map = pa.types.is_map(cells.type)
        return pl.Series([_json(value, is_map=is_map) for value in cells.to_pylist()], dtype=pl.String)
    if any(test(cells.type) for test in _BYTES):
        return pl.Series([_decoded(value) for value in cells.to_pylist()], dtype=pl.String)
    if any(test(cells.type) for test in _PLAIN):
        return pl.Series(cells).cast(pl.String)
    return pl.Series(pc.cast(cells, pa.large_string()))


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _json(value: object, *, is_map: bool) -> str | None:
    """A map arrives as a list of pairs, a struct as a mapping; an empty list stays one."""
    if value is None:
        return None
    return json.dumps(dict(value) if is_map else value, ensure_ascii=False, default=str)  # type: ignore[call-overload]
