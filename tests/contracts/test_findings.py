"""The closed list of findings and the page that explains it to users are one."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.schemas.findings import FINDING_KINDS, FindingRow, remedy, sentence

PAGE = Path(__file__).parent.parent.parent / "docs" / "findings.md"
VALUES = {
    "source": "cloud", "file": "inbox/a.csv", "subject": "i-0abc", "counterpart": "other", "rows": 1234,
    "amount": Decimal("70.5"), "currency": "USD", "gpu_seconds": 7200.0, "tokens": 1e6,
    "day_from": date(2026, 11, 1), "day_to": date(2026, 11, 2),
}  # fmt: skip


def test_the_page_explains_every_kind_and_no_other() -> None:
    assert re.findall(r"^## `(\w+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE) == list(FINDING_KINDS)


@pytest.mark.parametrize("kind", FINDING_KINDS)
def test_the_page_says_whether_it_is_a_doubt_and_what_to_do(kind: str) -> None:
    section = PAGE.read_text(encoding="utf-8").split(f"## `{kind}`")[1].split("\n## ")[0]

    assert f"*{'Doubt' if FINDING_KINDS[kind].is_doubt else 'Notice'}.*" in section
    assert f"(`{FINDING_KINDS[kind].remedy_code}`): {FINDING_KINDS[kind].remedy}." in section


@pytest.mark.parametrize("kind", FINDING_KINDS)
def test_every_kind_is_said_in_words_with_and_without_amounts(kind: str) -> None:
    bare = dict.fromkeys(FindingRow.columns()) | {"source": "", "kind": kind, "subject": "x", "rows": 0}

    assert "None" not in sentence(bare) + remedy(bare)
    assert sentence({**VALUES, "kind": kind}).endswith(
        "(70.50 USD, 2.0 GPU-hours, 1,000,000 tokens; 2026-11-01 to 2026-11-02)"
    )


@pytest.mark.parametrize("kind", FINDING_KINDS)
def test_every_kind_is_raised_somewhere(kind: str) -> None:
    rooms = [path for room in ("transforms", "warehouse") for path in (PAGE.parents[1] / room).rglob("*.py")]
    raising = [path for path in rooms if path.name != "findings.py" or path.parent.name != "schemas"]

    assert any(re.search(rf"\b{kind}\b", path.read_text(encoding="utf-8")) for path in raising)
