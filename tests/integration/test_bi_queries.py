"""Every query of docs/bi.md runs on a published night and says something."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

PAGE = Path(__file__).parents[2] / "docs/bi.md"
QUERIES = re.findall(r"```sql\n(.*?);\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_ten_queries() -> None:
    assert len(QUERIES) == 10


def test_every_query_runs_on_a_published_night(sample_night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample_night / "var/published/current")

    assert [query for query in QUERIES if not duckdb.sql(query).fetchall()] == []
