"""Digests of rows: what a row says by column name, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from warehouse.sources.decode.row_digests import row_digests

CELL = st.one_of(st.none(), st.sampled_from(["a", "b", "", "é"]))
COLUMNS = st.integers(1, 6).flatmap(
    lambda height: st.dictionaries(
        st.sampled_from("abcdef"), st.one_of(st.lists(CELL, min_size=height, max_size=height),
                                             CELL.map(lambda cell: [cell] * height)), min_size=1)
)  # fmt: skip


def by_hand(row: dict[str, Any]) -> str:
    said = "".join(f"{name}\x1f{row[name]}\x1e" for name in sorted(row) if row[name] is not None)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@given(COLUMNS)
def test_a_digest_is_that_of_the_named_cells_of_its_row(columns: dict[str, list[str | None]]) -> None:
    rows = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    assert row_digests(rows).to_list() == [by_hand(row) for row in rows.iter_rows(named=True)]


def test_columns_that_say_one_thing_or_nothing_tell_what_they_tell_in_any_other_company() -> None:
    rows = pl.DataFrame({"same": ["x", "x"], "none": [None, None]}, schema={"same": pl.String, "none": pl.String})

    assert row_digests(rows).to_list() == [by_hand({"same": "x"})] * 2
    assert row_digests(rows.select("none")).to_list() == [by_hand({})] * 2
