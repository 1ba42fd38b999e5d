"""The columnar CSV reader and a plain one, line by line, see the same records in any text."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.csv_records import csv_sheets

WIDTH = 3
NAMES = ("alpha", "beta", "gamma")
LAYOUT = Layout({name: (name,) for name in NAMES})

Seen = tuple[list[tuple[str, ...]], list[tuple[str, str]], int]


def fields(record: str, *, bare_quotes: bool) -> list[str] | None:
    """The fields of a record, by one expression for a field; None where the quoting is broken."""
    found, place = [], 0
    field = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)|([^",][^,]*|)(?=,|\Z)', re.DOTALL)
    while place <= len(record):
        match = field.match(record, place)
        if match is None or (not bare_quotes and '"' in (match[2] or "")):
            return None
        found.append((match[1] or "").replace('""', '"') if match[2] is None else match[2])
        place = match.end() + 1
    return found


def plainly(text: str) -> Seen:
    """Every line in turn: alone if its quotes are even, else with the lines up to the next odd one, if that fits."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)
    rows, refused, blank, place = [], [], 0, 1
    while place < len(lines):
        length = 1
        if lines[place].count('"') % 2:
            odd = [other for other in range(place + 1, len(lines)) if lines[other].count('"') % 2]
            joined = "".join(lines[place : odd[0] + 1]).rstrip("\r\n") if odd else ""
            split = fields(joined, bare_quotes=False) if odd else None
            length = odd[0] + 1 - place if split is not None and len(split) == WIDTH else 1
        record = "".join(lines[place : place + length]).rstrip("\r\n")
        found = fields(record, bare_quotes=length == 1)
        if not record.strip():
            blank += 1
        elif found is None:
            refused.append((f"line {place + 1}", "bad_quote"))
        elif re.sub(r'["\s]', "", record).lower() == ",".join(NAMES):
            refused.append((f"line {place + 1}", "header_repeat"))
        elif len(found) != WIDTH:
            refused.append((f"line {place + 1}", "short_row" if len(found) < WIDTH else "long_row"))
        else:
            rows.append((f"line {place + 1}", *found))
        place += length
    return rows, refused, blank


def by_columns(path: Path, text: str) -> Seen:
    path.write_bytes(text.encode())
    sheets = list(csv_sheets(path, LAYOUT))
    rows = [
        (at, *(cell or "" for cell in row))
        for sheet in sheets
        for at, row in zip(sheet.location, sheet.cells.rows(), strict=True)
    ]
    refused = [row for sheet in sheets for row in sheet.refused.select("location", "reason").rows()]
    in_order = sorted(refused, key=lambda row: int(row[0].split()[1]))
    return sorted(rows, key=lambda row: int(row[0].split()[1])), in_order, sum(sheet.blank for sheet in sheets)


HEADER = ",".join(NAMES)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])
snippets = st.sampled_from(
    ['"', '""', ",", ",,", "\n", "\r\n", "\r", "a", "7.5", "é", " ", HEADER, '"x"', ',"', '",', "1,2,3\n"]
)
dirty = st.lists(snippets, max_size=40).map("".join)
clean_rows = st.lists(st.tuples(*[st.text('ab",\n é', max_size=5)] * WIDTH), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(dirty, line_ends, st.sampled_from([1 << 24, 5, 17]))
def test_dirty_text_is_seen_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, end: str, block: int
) -> None:
    monkeypatch.setattr("warehouse.sources.decode.text_blocks.text_blocks.__defaults__", (block,))
    whole = HEADER + end + text
    assert by_columns(tmp_path / "dirty.csv", whole) == plainly(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clean_rows, line_ends)
def test_clean_text_is_what_was_written(tmp_path: Path, rows: list[tuple[str, ...]], end: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([NAMES, *rows])
    seen, refused, blank = by_columns(tmp_path / "clean.csv", out.getvalue())
    assert [row[1:] for row in seen] == rows
    assert (refused, blank) == ([], 0)
