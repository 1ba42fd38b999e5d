"""The short way to read times and the long one end at the same moment, or at the same reason."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.sources.casts import timestamps
from warehouse.sources.casts.timestamps import Clock

numbers = st.tuples(
    st.sampled_from([1969, 2016, 2024, 2026, 2100]), st.integers(1, 13), st.integers(1, 31), st.integers(0, 24)
)
texts = st.builds(
    lambda day, minute, second, gap, decimals, offset: (
        f"{day[0]:04}-{day[1]:02}-{day[2]:02}{gap}{day[3]:02}:{minute:02}:{second:02}{decimals}{offset}"
    ),
    numbers,
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["T", " "]),
    st.sampled_from(["", ".5", ".123456", ".1234567", ".000000001"]),
    st.sampled_from(["Z", "+00:00", "", "+02:00"]),
)
alike = st.builds(
    lambda days, tail: [f"{y:04}-{m:02}-{d:02}T{h % 24:02}:30:05{tail}" for y, m, d, h in days],
    st.lists(numbers, min_size=1, max_size=5),
    st.sampled_from(["Z", ".5Z", ".123456+00:00", "", ".1234567"]),
)
odd = st.lists(
    texts | st.none() | st.sampled_from(["", "NULL", "2026-11-20", "soon", "2026-1-2T00:00:00Z"]), max_size=5
)


@given(alike | odd, st.sampled_from(["UTC", "Europe/Berlin"]))
def test_both_ways_agree(cells: list[str | None], zone: str) -> None:
    column, clock = pl.Series("start_at", cells, dtype=pl.String), Clock(zone)
    short = timestamps.instants(column, clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timestamps, "plain_times", lambda *_: None)
        long = timestamps.instants(column, clock)
    assert short.values.to_list() == long.values.to_list()
    assert short.reasons.to_list() == long.reasons.to_list()
