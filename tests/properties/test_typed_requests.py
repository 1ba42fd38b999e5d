"""Requests in typed Parquet are read as their text would be: the same rows, the same refusals with the same reasons."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.schemas.landed import Requests
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import table
from warehouse.sources.requests.cache_accounting import INSIDE, stated
from warehouse.sources.requests.request_reader import read_requests
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
texts = st.none() | st.sampled_from(
    ["", " ", "NULL", "null", "a", "gateway-7", "Zoë", "e\u0301", "a\x07b", "tab\tin", "\u0085", "x" * 40]
)
counts = st.none() | st.integers(-2, 5) | st.sampled_from([10**12, 2**62])
seconds = st.none() | st.sampled_from([0.0, 0.1, 0.29, 1.0000005, 2.9999999, 1e-7, 0.3000001, -0.5, 86_400.123456])
moments = st.integers(-400, 96).map(lambda hours: NIGHT + timedelta(hours=hours, microseconds=hours % 7))
row = st.fixed_dictionaries(
    {
        "request_id": texts,
        "start_at": st.none() | moments,
        "duration_s": seconds,
        "ttft_ms": seconds,
        **dict.fromkeys(("model", "team", "status"), texts | st.sampled_from(["SUCCESS", "503", "pending"])),
        **dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens"), counts),
    }
)
SCHEMA = {
    "request_id": pl.String, "start_at": pl.Datetime("us", "UTC"), "duration_s": pl.Float64, "ttft_ms": pl.Float64,
    "model": pl.String, "team": pl.String, "status": pl.String, "input_tokens": pl.Int64,
    "cached_input_tokens": pl.Int64, "output_tokens": pl.Int64,
}  # fmt: skip


def both(frame: pl.DataFrame, source: Source) -> tuple[Reading, pl.DataFrame, Reading, pl.DataFrame]:
    """The file as it is typed, and by way of text; each with its rows."""
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content"
        frame.write_parquet(content)
        delivered = Delivered("inbox/a.parquet", "ab" * 32, content.stat().st_size, content, NIGHT)
        typed = table.read(delivered, source)
        layout = table.layout_of(delivered.file, source)
        by_text = read_requests(delivered, source, layout, table.shape, stated(source) or INSIDE)
        [part] = typed.parts["requests"]
        return typed, pl.read_parquet(part), by_text, by_text.frames["requests"]


@settings(max_examples=25)
@given(
    rows=st.lists(row, min_size=1, max_size=12),
    unit=st.sampled_from(["us", "ns", "ms"]),
    is_local=st.booleans(),
    options=st.sampled_from([{}, {"cached": "beside"}, {"timezone": "Europe/Berlin"}]),
)
def test_typed_columns_give_what_their_text_gives(
    *, rows: list[dict[str, object]], unit: str, is_local: bool, options: dict[str, str]
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col("start_at").dt.cast_time_unit(unit))  # type: ignore[arg-type]
    if is_local:
        frame = frame.with_columns(pl.col("start_at").dt.replace_time_zone(None))
    source = Source("gateway", "request_telemetry", "table", "inbox/*", options=options, constants={"task": "chat"})
    typed, landed, by_text, expected = both(frame, source)
    assert landed.schema == Requests.polars_schema()
    assert landed["position"].is_sorted()
    assert landed.drop("position").equals(expected.drop("position"))  # text does not count rows that it refuses first
    refused = ["location", "reason"]
    assert (
        typed.refused.select(refused).sort(refused).to_dicts()
        == by_text.refused.select(refused).sort(refused).to_dicts()
    )
    assert (typed.rows, typed.blank, typed.flags) == (by_text.rows, by_text.blank, by_text.flags)


def test_unsigned_decimal_and_dictionary_columns_are_read_too() -> None:
    frame = pl.DataFrame(
        {
            "request_id": ["a", "b", "c"],
            "start_at": [NIGHT] * 3,
            "model": pl.Series(["kestrel", None, "kestrel"], dtype=pl.Categorical),
            "input_tokens": pl.Series([1, 2**63 + 1, 3], dtype=pl.UInt64),
            "output_tokens": pl.Series(["1", "2", "3.5"], dtype=pl.String).str.to_decimal(scale=1),
        }
    )
    typed, landed, by_text, expected = both(frame, Source("gateway", "request_telemetry", "table", "inbox/*"))
    assert landed.to_dicts() == expected.to_dicts()
    assert typed.refused["reason"].to_list() == ["bad_count", "bad_count"]
    assert by_text.refused["location"].to_list() == typed.refused["location"].to_list() == ["row 2", "row 3"]
