"""Every query of docs/bi.md and of the pages of single tools runs on a published night and says something."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

PAGE = Path(__file__).parents[2] / "docs/bi.md"
QUERIES = re.findall(r"```sql\n(.*?);\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

TOOLS = sorted((PAGE.parent / "bi").glob("*.md"))
MOUNTED = "/data/published/current/"


def test_the_page_has_ten_queries() -> None:
    assert len(QUERIES) == 10


def test_every_query_runs_on_a_published_night(sample_night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample_night / "var/published/current")

    assert [query for query in QUERIES if not duckdb.sql(query).fetchall()] == []


@pytest.mark.parametrize("page", TOOLS, ids=lambda page: page.stem)
def test_the_queries_of_a_tool_s_page_run_on_a_published_night(
    page: Path, sample_night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample_night / "var/published/current")
    queries = re.findall(r"^```sql\n(.*?);\n```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    with duckdb.connect() as connection:
        for table in Path("tables").glob("*.parquet"):
            connection.execute(f"CREATE VIEW {table.stem} AS FROM '{table}'")

        assert queries
        assert [query for query in queries if not connection.sql(query.replace(MOUNTED, "")).fetchall()] == []


def test_every_tool_that_the_page_names_has_its_own() -> None:
    assert {page.stem for page in TOOLS} == set(re.findall(r"\(bi/([\w-]+)\.md\)", PAGE.read_text(encoding="utf-8")))
