"""Tags: JSON objects as delivered become one JSON object of texts, its keys in order."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from warehouse.schemas.names import tag_key
from warehouse.sources.casts.casts import TEXT_NULLS, Cast
from warehouse.sources.decode.json_members import Cells, json_cells, json_items
from warehouse.sources.decode.json_text import BadLine

NO_TAGS: Final = "{}"


def tags(layers: pl.DataFrame, columns: pl.DataFrame) -> Cast:
    """One object per row: each column of `layers` is a JSON object laid over the ones before it, key by key.

    Keys are kept as written and compared trimmed and without case, as rules compare them.
    `columns` are custom columns, each a tag under its own name. Reasons: bad_json, encoding, control_char.
    """
    height = layers.height
    rows = pl.concat([layers, columns], how="horizontal") if columns.width else layers
    distinct = rows.unique()
    merged = [_merged(row[: layers.width], columns.columns, row[layers.width :]) for row in distinct.iter_rows()]
    answers = distinct.with_columns(
        pl.Series("value", [value for value, _ in merged], dtype=pl.String),
        pl.Series("reason", [reason for _, reason in merged], dtype=pl.String),
    )
    cells = rows.join(answers, on=rows.columns, how="left", nulls_equal=True, maintain_order="left")
    if cells.height != height:
        raise AssertionError(f"{height} rows got {cells.height} sets of tags")
    return Cast(cells["value"], cells["reason"])


def json_objects(cells: pl.Series) -> Cast:
    """JSON objects with their members as texts and their keys in order; a cell that says nothing gives null."""
    cast = tags(cells.to_frame(), pl.DataFrame())
    is_silent = cells.is_null() | cells.is_in(TEXT_NULLS)
    return Cast(pl.select(pl.when(~is_silent).then(cast.values)).to_series(), cast.reasons)


def _merged(
    layers: tuple[str | None, ...], names: list[str], cells: tuple[str | None, ...]
) -> tuple[str | None, str | None]:
    """The text of the object, or the reason why there is none."""
    merged: dict[str, str] = {}
    try:
        for layer in layers:
            merged = _overlaid(merged, _members(layer))
    except BadLine as bad:
        return None, bad.reason
    custom = zip(names, cells, strict=True)
    merged = _overlaid(merged, {name: cell for name, cell in custom if cell is not None and cell not in TEXT_NULLS})
    if any(_is_control(sign) for text in (*merged, *merged.values()) for sign in text):
        return None, "control_char"
    return json.dumps(merged, ensure_ascii=False, sort_keys=True, separators=(",", ":")), None


def _overlaid(under: dict[str, str], over: dict[str, str]) -> dict[str, str]:
    """A key of the upper object takes away every spelling of it that the lower one has."""
    keys = {tag_key(key) for key in over}
    return {key: value for key, value in under.items() if tag_key(key) not in keys} | over


def _members(layer: str | None) -> dict[str, str]:
    """A null takes the key away; some exports leave the outer braces off, others list keys and values."""
    text = (layer or "").strip()
    if text in TEXT_NULLS:
        return {}
    if text.startswith("["):
        cells = _listed(text)
    else:
        cells = json_cells(text if not text.startswith('"') else "{" + text + "}")
    return {key: value for key, value in cells.items() if value is not None}


def _listed(text: str) -> Cells:
    """`[{"key": "team", "value": "serving"}]`, as BigQuery and Parquet write what others write as an object.

    Raises:
        BadLine: bad_json for another list, or a key that stands twice in it.
    """
    items = json_items(text)
    pairs = [{name.casefold(): cell for name, cell in item.items()} for item in items]
    keys = [pair.get("key") for pair in pairs]
    if any(pair.keys() != {"key", "value"} for pair in pairs) or None in keys or len(set(keys)) < len(keys):
        raise BadLine("bad_json", "a list that is none of keys and values, each key once")
    return {str(pair["key"]): pair["value"] for pair in pairs}


def _is_control(sign: str) -> bool:
    return (sign < " " and sign not in "\t\r\n") or "\x7f" <= sign <= "\x9f"
