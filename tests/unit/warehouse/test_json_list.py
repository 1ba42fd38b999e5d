"""A JSON list of objects is read as the same objects one a line, digit by digit."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.sources.reader_protocol import Delivered, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

sys.path.insert(0, str(Path(__file__).parent))

from native_bills import charges, read_file
from test_gcp_billing import NESTED


@pytest.mark.parametrize("indent", [None, 2])
def test_a_bill_that_is_a_list_is_the_bill_of_its_objects(tmp_path: Path, indent: int | None) -> None:
    rows = [{**NESTED, "cost": 1.5e-05}, {**NESTED, "cost": "80.123456789012", "credits": []}]
    (tmp_path / "bill.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "bill.json").write_text("\ufeff" + json.dumps(rows, indent=indent), encoding="utf-8")
    lines, listed = (read_file(tmp_path / name, "gcp_billing", tmp_path) for name in ("bill.jsonl", "bill.json"))

    assert listed.totals == lines.totals == {"USD": (Decimal("69.873471789012"),) * 2}  # less one credit of 10.25
    assert charges(listed)["content_hash"].to_list() == charges(lines)["content_hash"].to_list()


def test_a_row_of_a_list_that_is_refused_is_left_out_by_both_readers(tmp_path: Path) -> None:
    (tmp_path / "bill.json").write_text(json.dumps([{**NESTED, "cost": "1,5"}, {**NESTED, "credits": []}]))
    reading = read_file(tmp_path / "bill.json", "gcp_billing", tmp_path)

    assert reading.refused.select("location", "reason").rows() == [("line 1", "bad_decimal")]
    assert reading.totals == {"USD": (Decimal("80.5"), Decimal("80.5"))}


def test_a_list_that_is_cut_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "bill.json").write_text(json.dumps([NESTED, NESTED])[:-40])
    with pytest.raises(RejectedFile, match="deliver it whole"):
        read_file(tmp_path / "bill.json", "gcp_billing", tmp_path)


def test_an_export_of_observations_is_a_list_and_older_ones_call_the_usage_so(tmp_path: Path) -> None:
    one = {
        "id": "o1",
        "type": "GENERATION",
        "startTime": "2026-11-20T10:00:00Z",
        "endTime": "2026-11-20T10:00:02Z",
        "model": "m",
        "usage": {"input": 10, "output": 3, "total": 13, "unit": "TOKENS"},
    }
    path = tmp_path / "content"
    path.write_text(json.dumps([one, {**one, "id": "o2"}]))
    night = datetime(2026, 11, 20, tzinfo=UTC)
    delivered = Delivered("inbox/langfuse/observations.json", "ab" * 32, 1, path, night)
    source = Source("langfuse", "request_telemetry", "langfuse", "inbox/langfuse/*")
    rows = FORMATS["request_telemetry", "langfuse"].read(delivered, source).frames["requests"]

    assert rows.select("request_id", "input_tokens", "output_tokens").rows() == [("o1", 10, 3), ("o2", 10, 3)]
