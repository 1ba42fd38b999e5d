"""The tables that the contract promises, with the columns it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.schemas import CATALOGUE

EXPANDED = {"_p10/_p50/_p90": ("_p10", "_p50", "_p90")}


def _names(text: str) -> list[str]:
    """Column names of one comma-separated list, with `…_p50` and `_p10/_p50/_p90` written out."""
    names: list[str] = []
    plain = re.sub(r"\(\d+,\d+\)", "", text)  # DECIMAL(38,18) is one type
    for part in (p.strip().split(" ")[0] for p in plain.split(",")):
        if part.startswith("…"):
            names.append(re.sub(r"_p\d+$", "", names[-1]) + part[1:])
        elif "/" in part:
            stem = re.sub(r"_p\d+/.*", "", part)
            names += [stem + suffix for suffix in EXPANDED["_p10/_p50/_p90"]]
        else:
            names.append(part)
    return names


def _promised(shared: Path) -> dict[str, list[str]]:
    text = (shared / "design" / "contract.md").read_text(encoding="utf-8")
    section = text[text.index("## 5. Tables") :]
    found = re.findall(r"^`(\w+)\.(\w+)`[^\n`]*`([^`]+)`", section, flags=re.MULTILINE)
    return {name: _names(columns) for _, name, columns in found}


def test_the_promises_can_be_read(shared: Path) -> None:
    assert {"charges", "postings", "thirds", "unit_costs", "recommendations"} <= set(_promised(shared))


@pytest.mark.parametrize("name", ["charges", "training_runs", "training_metrics", "token_usage", "postings", "thirds"])
def test_a_promised_table_has_every_promised_column(shared: Path, name: str) -> None:
    assert set(_promised(shared)[name]) <= set(CATALOGUE[name].columns())


@pytest.mark.parametrize(
    "name",
    ["lifecycle_spend", "amortization", "unit_costs", "reconciliation", "recommendations", "files"],
)
def test_a_promised_summary_has_every_promised_column(shared: Path, name: str) -> None:
    assert set(_promised(shared)[name]) <= set(CATALOGUE[name].columns())
