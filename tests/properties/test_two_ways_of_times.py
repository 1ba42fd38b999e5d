"""A column of plain times means the same whether it is read the short way or the long one."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.sources.casts import timestamps
from warehouse.sources.casts.timestamps import Clock

parts = st.tuples(
    st.integers(0, 9999),
    st.integers(0, 14),
    st.integers(0, 32),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
)
decimals = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=9).map(".{}".format))


@st.composite
def plain_times(draw: st.DrawFn) -> str:
    year, month, day, hour, minute, second = draw(parts)
    between, end = draw(st.sampled_from("T ")), draw(st.sampled_from(["", "Z"]))
    return f"{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{draw(decimals)}{end}"


@given(st.lists(plain_times(), min_size=1, max_size=30))
def test_both_ways_give_one_instant_and_one_reason(cells: list[str]) -> None:
    column = pl.Series(cells)
    short = timestamps.instants(column, Clock())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timestamps, "plain_times", lambda *_: None)
        long = timestamps.instants(column, Clock())
    assert short.values.to_list() == long.values.to_list()
    assert short.reasons.to_list() == long.reasons.to_list()
