"""CSV as it comes: every reason costs one row, and every other row keeps its place."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.csv_records import csv_sheets, last_line_is_open
from warehouse.sources.reader_protocol import RejectedFile


class Told(NamedTuple):
    """What came of a file: rows by location, refusals, and blank lines."""

    rows: list[tuple[str, ...]]
    refused: list[tuple[str, str]]
    blank: int


def told(folder: Path, text: bytes, layout: Layout | None = None) -> Told:
    path = folder / "table.csv"
    path.write_bytes(text)
    wanted = layout or Layout({name: (name,) for name in "abc"}, unmapped="kept")
    sheets = list(csv_sheets(path, wanted))
    rows = [(at, *row) for sheet in sheets for at, row in zip(sheet.location, sheet.cells.rows(), strict=True)]
    refused = [row for sheet in sheets for row in sheet.refused.select("location", "reason").rows()]
    return Told(rows, refused, sum(sheet.blank for sheet in sheets))


def rejection(folder: Path, text: bytes, layout: Layout | None = None) -> RejectedFile:
    with pytest.raises(RejectedFile) as rejected:
        told(folder, text, layout)
    return rejected.value


def test_each_reason_costs_one_row(tmp_path: Path) -> None:
    text = (
        b"a,b,c\n"
        b"1,2,3\n"  # 2
        b"1,2\n"  # 3 short
        b"1,2,3,4\n"  # 4 long
        b"A, B ,c\n"  # 5 the header again
        b'1,"x"y,3\n'  # 6 text after a closing quote
        b"1,caf\xe9,3\n"  # 7 Latin-1
        b'1,"never closed,3\n'  # 8
        b"4,5,6\n"  # 9
        b'7,"8 ""8""","9,9"\n'  # 10
    )
    found = told(tmp_path, text)
    assert found.rows == [("line 2", "1", "2", "3"), ("line 9", "4", "5", "6"), ("line 10", "7", '8 "8"', "9,9")]
    assert sorted(found.refused) == [
        ("line 3", "short_row"),
        ("line 4", "long_row"),
        ("line 5", "header_repeat"),
        ("line 6", "bad_quote"),
        ("line 7", "encoding"),
        ("line 8", "bad_quote"),
    ]


def test_a_field_over_several_lines_is_one_record_at_its_first_line(tmp_path: Path) -> None:
    found = told(tmp_path, b'a,b,c\n1,"2\r\n\n2",3\n4,5,6\n')
    assert found == Told([("line 2", "1", "2\r\n\n2", "3"), ("line 5", "4", "5", "6")], [], 0)


def test_an_open_quote_does_not_swallow_the_quoted_rows_behind_it(tmp_path: Path) -> None:
    found = told(tmp_path, b'a,b,c\n1,"open,3\n1,2,"{""k"": 1}"\n1,"",x\n"1","2","3"\n')
    assert found.refused == [("line 2", "bad_quote")]
    assert [row[0] for row in found.rows] == ["line 3", "line 4", "line 5"]


def test_a_quote_within_a_bare_field_is_text(tmp_path: Path) -> None:
    found = told(tmp_path, b'a,b,c\n1,19" rack,3\n1,5" x 3",3\n')
    assert [row[2] for row in found.rows] == ['19" rack', '5" x 3"']
    assert found.refused == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_of_any_kind_part_the_same_records(tmp_path: Path, end: bytes) -> None:
    lines = [b'\xef\xbb\xbf a ,\xc2\xa0b\xc2\xa0,"c"', b"1,2,3", b"", b"4,5,6", b""]
    found = told(tmp_path, end.join(lines))
    assert found == Told([("line 2", "1", "2", "3"), ("line 4", "4", "5", "6")], [], 1)


def test_blank_lines_count_only_below_the_header(tmp_path: Path) -> None:
    found = told(tmp_path, b"\n  \na,b,c\n\n1,2,3\n \t\n\n")
    assert found == Told([("line 5", "1", "2", "3")], [], 3)


def test_a_last_line_without_end_is_read_and_seen(tmp_path: Path) -> None:
    assert told(tmp_path, b"a,b,c\n1,2,3").rows == [("line 2", "1", "2", "3")]
    assert last_line_is_open(tmp_path / "table.csv")
    told(tmp_path, b"a,b,c\n1,2,3\n  ")
    assert not last_line_is_open(tmp_path / "table.csv")


def test_a_file_of_white_space_is_empty(tmp_path: Path) -> None:
    assert rejection(tmp_path, b" \n\n \t\n").reason == "empty_file"


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n".encode("utf-16"), "a,b,c\n1,2,3\n".encode("utf-16-le")])
def test_utf_16_is_refused_as_a_whole(tmp_path: Path, text: bytes) -> None:
    assert rejection(tmp_path, text).reason == "encoding"


def test_columns_are_found_by_exact_name_then_any_case_then_alias(tmp_path: Path) -> None:
    layout = Layout({"x": ("Cost", "price"), "y": ("B",)})
    found = told(tmp_path, b"price,cost,b\n1,2,3\n", layout)
    assert found.rows == [("line 2", "2", "3")]  # "cost" is Cost in another case, before the alias; price is dropped


def test_a_missing_column_is_looked_for_before_a_double_one(tmp_path: Path) -> None:
    needs = Layout({"z": ("Z",)}, (("z",),), unmapped="kept")
    missing = rejection(tmp_path, b"a,A\n1,2\n", needs)
    assert (missing.reason, "missing column Z, found: 2 columns (a, A)" in missing.detail) == ("missing_column", True)
    assert rejection(tmp_path, b"a,b,A\n1,2,3\n").reason == "duplicate_column"


def test_the_names_in_a_log_without_header_are_not_repeated(tmp_path: Path) -> None:
    secret = rejection(tmp_path, b"sk-secret,b\n1,2\n", Layout({"z": ("Z",), "b": ("b",)}, (("z",),)))
    assert "sk-secret" not in str(secret)


def test_too_many_columns_and_too_long_a_line_reject_the_file(tmp_path: Path) -> None:
    wide = b",".join(b"x%d" % place for place in range(2001))
    assert rejection(tmp_path, wide + b"\n").reason == "limit"
    assert rejection(tmp_path, b"a,b,c\n1,2," + b"3" * (17 << 20) + b"\n").reason == "limit"


def test_quotes_broken_throughout_reject_the_file(tmp_path: Path) -> None:
    assert rejection(tmp_path, b"a,b,c\n" + b'1,"2"2,"3\n' * 1500).reason == "bad_quote"


def test_records_are_the_same_wherever_a_block_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a,b,c\n" + b'1,"2\n2",caf\xc3\xa9\r\n\n4,5,"6""6"\n7,"8,9\nx,y\xff,z\n' * 40
    whole = told(tmp_path, text)
    for size in (40, 97, 1000):
        monkeypatch.setattr("warehouse.sources.decode.text_blocks.text_blocks.__defaults__", (size,))
        assert told(tmp_path, text) == whole
    assert len(whole.rows) == 80  # two of each round; the open quote and the broken byte are refused
    assert pl.Series([reason for _, reason in whole.refused]).value_counts().height == 2


@pytest.mark.parametrize(("mark", "name"), [(b";", "semicolons"), (b"\t", "tabs")])
def test_other_separators_than_commas_are_named(tmp_path: Path, mark: bytes, name: str) -> None:
    refusal = rejection(tmp_path, b"Z,B\n1,2\n".replace(b",", mark), Layout({"z": ("Z",)}, (("z",),)))
    assert (refusal.reason, f"separated by {name}: save it with commas" in refusal.detail) == ("missing_column", True)
