"""Every query that docs/sql.md shows runs on the copy of the warehouse that the sample company's night left."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
EMPTY = {"raw.quarantine", "decisions.track_record", "raw.findings", "account = 'unallocated'", "model_id IS NULL"}
"""What the sample has none of, or may have none of."""


def test_the_page_has_twenty_queries() -> None:
    assert len(QUERIES) >= 20


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: " ".join(query.split())[:50])
def test_a_query_of_the_page_answers(sample_night: Path, query: str) -> None:
    with duckdb.connect(str(sample_night / "var" / "snapshot.duckdb"), read_only=True) as connection:
        rows = connection.execute(query).fetchall()

    assert rows or any(words in query for words in EMPTY)
