"""A block of CSV is plain only where every line is one clean record."""

from __future__ import annotations

import pytest

from warehouse.sources.decode.csv_plain import plain_text
from warehouse.sources.decode.csv_splitting import Dialect

THREE = 3


def test_a_plain_block_comes_back_with_every_line_ended_by_a_line_feed() -> None:
    assert plain_text(b'1,2,3\r\n"a,b","6""6",\n,,caf\xc3\xa9', Dialect(), THREE) == (
        b'1,2,3\n"a,b","6""6",\n,,caf\xc3\xa9\n'
    )


@pytest.mark.parametrize(
    "line",
    [
        b"1,2\n",
        b"1,2,3,4\n",
        b"\n",
        b"   \n",
        b'1,"2"2,3\n',
        b'1,2"2,3\n',
        b'1, "2",3\n',
        b'1,"2,3\n',
        b'1,"2\n2",3\n',
        b"1,2,caf\xe9\n",
        b"1,2\r2,3\n",
        b"1,2,3\r\r\n",
        b"1,2,3\x00\n",
        b"1,2,\xc2\x85\n",
        b"1,2,\x7f\n",
    ],
)
def test_one_line_that_is_to_be_explained_leaves_the_block_to_who_looks_at_each_line(line: bytes) -> None:
    assert plain_text(b"1,2,3\n" + line + b"4,5,6\n", Dialect(), THREE) is None


def test_a_table_of_one_column_or_parted_by_white_space_is_looked_at_line_by_line() -> None:
    assert plain_text(b"1\n2\n", Dialect(), 1) is None
    assert plain_text(b"1\t2\t3\n", Dialect(separator="\t"), THREE) is None


def test_a_table_wider_than_any_bill_is_looked_at_line_by_line() -> None:
    assert plain_text(b"," * 499 + b"\n", Dialect(), 500) == b"," * 499 + b"\n"
    assert plain_text(b"," * 500 + b"\n", Dialect(), 501) is None


def test_where_nothing_is_quoted_a_quote_is_text() -> None:
    assert plain_text(b'1|2"|3\n', Dialect(separator="|", quote=""), THREE) == b'1|2"|3\n'
