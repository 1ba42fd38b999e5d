"""JSONL and Parquet give the same text as CSV, and what no one should store is taken out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.json_members import json_cells
from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.decode.records import Batch, batches
from warehouse.sources.reader_protocol import Delivered, RejectedFile

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
LAYOUT = Layout({"id": ("Id",), "cost": ("Cost",), "team": ("Team",)}, (("id",), ("cost",)), unmapped="kept")

Read = Callable[..., Batch]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file under a name, all of it as one batch."""

    def whole(name: str, content: bytes, layout: Layout = LAYOUT, *, is_proved: bool = False) -> Batch:
        path = tmp_path / "content"
        path.write_bytes(content)
        found = list(batches(Delivered(name, "", len(content), path, NIGHT, is_proved=is_proved), layout))
        return Batch(
            pl.concat([batch.rows for batch in found]),
            pl.concat([batch.unmapped for batch in found], how="diagonal"),
            found[0].present,
            found[0].floats,
            pl.concat([batch.refused for batch in found]),
            pl.concat([batch.unclean for batch in found]),
            sum(batch.blank for batch in found),
        )

    return whole


def reasons(batch: Batch) -> list[tuple[str, str]]:
    return sorted(batch.refused.select("location", "reason").rows())


def parquet(columns: dict[str, pa.Array], **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return bytes(sink.getvalue().to_pybytes())


def test_json_keeps_the_digits_of_its_numbers_quoted_or_not(read: Read) -> None:
    text = (
        b'{"Id": "a", "Cost": 9007199254740993.000000000001}\n\n{"Cost": "1e3", "Id": 7, "Note": {"k": [1.50, null]}}\n'
    )
    batch = read("x.jsonl", text)
    assert batch.rows.rows() == [("line 1", "a", "9007199254740993.000000000001", None), ("line 3", "7", "1e3", None)]
    assert batch.unmapped["Note"].to_list() == [None, '{"k":[1.50,null]}']
    assert (batch.present, batch.blank) == (frozenset({"id", "cost"}), 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1, "a": 2}', "bad_json"),
        ('{"a": {"b": 1, "b": 2}}', "bad_json"),
        ("[1, 2]", "bad_json"),
        ('"text"', "bad_json"),
        ('{"a": 01}', "bad_json"),
        ('{"a": 1} {"b": 2}', "bad_json"),
        ('{"a": ' + "[" * 64 + "]" * 64 + "}", "bad_json"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "bad_json"),
        ('{"a": "\\ud800"}', "encoding"),
        ("{" + ", ".join(f'"k{place}": 1' for place in range(2001)) + "}", "limit"),
    ],
)
def test_a_line_that_is_no_plain_object_has_its_reason(line: str, reason: str) -> None:
    with pytest.raises(BadLine) as bad:
        json_cells(line)
    assert bad.value.reason == reason


def test_json_of_64_layers_and_non_finite_numbers_are_read() -> None:
    assert json_cells('{"a": ' + "[" * 63 + "]" * 63 + "}") == {"a": "[" * 63 + "]" * 63}
    assert json_cells('{"a": NaN, "b": -Infinity, "c": "\\ud83d\\ude00"}') == {"a": "NaN", "b": "-Infinity", "c": "😀"}


def test_only_the_last_line_can_be_cut(read: Read) -> None:
    batch = read("x.jsonl", b'{"Id": 1, "Cost": 2}\n{"Id": 2, "Co\n{"Id": 3, "Cost": 4, "Te')
    assert reasons(batch) == [("line 2", "bad_json"), ("line 3", "truncated")]
    assert read("x.jsonl", b'{"Id": 1, "Cost": 2}').rows.height == 1  # a whole last object needs no end


def test_parquet_types_become_the_text_that_another_format_would_hold(read: Read) -> None:
    batch = read(
        "x.parquet",
        parquet(
            {
                "Id": pa.array(["a", "b"]).dictionary_encode(),
                "Cost": pa.array([0.1, 1e-7]),
                "Paid": pa.array([Decimal("1.5"), None], pa.decimal128(38, 12)),
                "At": pa.array([NIGHT, None], pa.timestamp("us", "UTC")),
                "Local": pa.array([1_000_000_000, None], pa.int64()).cast(pa.timestamp("ns")),
                "Day": pa.array([date(2026, 11, 20), None]),
                "Count": pa.array([5_000_000_000, None]),
                "Tags": pa.array([[("team", "x")], None], pa.map_(pa.string(), pa.string())),
                "Labels": pa.array([{"team": "x", "env": None}, None]),
            }
        ),
    )
    assert batch.rows["cost"].to_list() == ["0.1", "1e-7"]  # the shortest decimal that names the double
    assert batch.floats == {"cost"}
    assert batch.rows["location"].to_list() == ["row 1", "row 2"]
    assert batch.unmapped.row(0) == (
        "1.500000000000",
        "2026-11-20 00:00:00.000000+00:00",
        "1970-01-01 00:00:01.000000000",
        "2026-11-20",
        "5000000000",
        '{"team": "x"}',
        '{"team": "x", "env": null}',
    )
    assert set(batch.unmapped.row(1)) == {None}


def test_bytes_that_are_no_text_are_refused_in_parquet_too(read: Read) -> None:
    batch = read("x.parquet", parquet({"Id": pa.array([b"ok", b"caf\xe9"]), "Cost": pa.array(["1", "2"])}))
    assert batch.rows["id"].to_list() == ["ok"]
    assert reasons(batch) == [("row 2", "encoding")]


def test_damaged_parquet_is_told_by_what_is_wrong_with_it(read: Read) -> None:
    whole = parquet(
        {"Id": pa.array([str(row) for row in range(2000)]), "Cost": pa.array(["1"] * 2000)},
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    flipped = bytearray(whole)
    flipped[500] ^= 1
    expected = {whole[: len(whole) * 6 // 10]: "truncated", bytes(flipped): "checksum", b"Id,Cost\n1,2\n": "unreadable"}
    for content, reason in expected.items():
        with pytest.raises(RejectedFile) as rejected:
            read("x.parquet", content)
        assert rejected.value.reason == reason


def test_a_small_parquet_that_says_a_long_text_often_is_a_bomb(read: Read) -> None:
    bomb = parquet({"Id": pa.array(["x" * 100_000] * 4000).dictionary_encode(), "Cost": pa.array(["1"] * 4000)})
    with pytest.raises(RejectedFile) as rejected:
        read("x.parquet", bomb)
    assert rejected.value.reason == "limit"


def test_long_cells_and_control_characters_cost_one_row(read: Read) -> None:
    text = b"Id,Cost,Team,Other\na,1,x\x00y,\nb,2,,a\x1fb\nc,3,ok\ttab,\nd,4," + b"e" * (1 << 20) + b"f,\n"
    batch = read("x.csv", text)
    assert batch.rows["id"].to_list() == ["c"]
    assert reasons(batch) == [("line 2", "control_char"), ("line 3", "control_char"), ("line 5", "limit")]


def test_what_is_dropped_is_neither_checked_nor_shown(read: Read) -> None:
    log = Layout({"id": ("Id",), "cost": ("Cost",)}, unmapped="dropped")
    batch = read("x.csv", b"Id,Cost,Prompt\na,1,tell\x00me\nb\x00,2,secret\nc,3\n", log)
    assert batch.rows.rows() == [("line 2", "a", "1")]
    assert batch.unmapped.width == 0
    raw = dict(batch.refused.select("location", "raw").rows())
    assert json.loads(raw["line 3"]) == {"id": "b\x00", "cost": "2"}  # mapped columns only
    assert raw["line 4"] == ""  # a line that cannot be split could disclose anything


def test_a_constant_is_there_whatever_the_file_says(read: Read) -> None:
    layout = Layout(LAYOUT.names, LAYOUT.required, {"cost": "5", "team": "core"})
    batch = read("x.csv", b"Id,Team\na,other\n", layout)
    assert batch.rows.rows() == [("line 2", "a", "5", "core")]
    assert batch.present == {"id", "cost", "team"}


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet", "x"])
@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"<!DOCTYPE html><p>sign in</p>", b"%PDF-1.7"])
def test_other_things_are_no_table_whatever_their_name(read: Read, name: str, content: bytes) -> None:
    with pytest.raises(RejectedFile) as rejected:
        read(name, content)
    assert rejected.value.reason == "unreadable"


def test_a_name_that_says_nothing_leaves_it_to_the_content(read: Read) -> None:
    assert read("part-0001", b'{"Id": 1, "Cost": 2}\n').rows.height == 1
    assert read("part-0001.gz", b"Id,Cost\n1,2\n").rows.height == 1
    assert read("part-0001", parquet({"Id": pa.array(["1"]), "Cost": pa.array(["2"])})).rows.height == 1
    with pytest.raises(RejectedFile, match="unreadable"):
        read("bill.csv", b'{"error": "no access"}\n')


def test_a_file_of_a_header_alone_is_empty_unless_a_control_file_proves_it(read: Read, tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match="empty_file"):
        read("x.csv", b"Id,Cost\n\n")
    proved = Delivered("x.csv", "", 9, tmp_path / "content", NIGHT, is_proved=True)
    assert sum(batch.rows.height for batch in batches(proved, LAYOUT)) == 0


def test_a_bill_must_end_its_last_line_unless_a_control_file_proves_it(read: Read) -> None:
    bill = Layout(LAYOUT.names, LAYOUT.required, last_line="ended")
    with pytest.raises(RejectedFile, match="no_final_newline"):
        read("x.csv", b"Id,Cost\na,12.2", bill)
    assert read("x.csv", b"Id,Cost\na,12.25", bill, is_proved=True).rows["cost"].to_list() == ["12.25"]
    assert read("x.csv", b"Id,Cost\na,12.25").rows.height == 1


def test_a_document_over_several_lines_is_refused_with_the_way_to_write_it(read: Read) -> None:
    with pytest.raises(RejectedFile, match=r"unreadable.*line 1: bad_json.*jq -c"):
        read("log.jsonl", json.dumps({"Id": "a", "Cost": 1}, indent=1).encode())
    with pytest.raises(RejectedFile, match=r"line 1: bad_json: a key stands twice"):
        read("log.jsonl", b'{"Id":"a","Id":"b","Cost":1}\n')


def test_a_byte_order_mark_alone_is_an_empty_file_and_no_cut_one(read: Read) -> None:
    bill = Layout(LAYOUT.names, LAYOUT.required, last_line="ended")
    with pytest.raises(RejectedFile, match="empty_file"):
        read("x.csv", b"\xef\xbb\xbf", bill)
