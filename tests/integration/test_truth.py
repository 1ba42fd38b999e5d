"""Decisions on invented companies whose supply, demand and quality are known, against the cash that then came."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PARTS = ("future", "companies", "truth", "truth_table")
COMPANIES = 30


@pytest.fixture(scope="module")
def bench() -> dict[str, ModuleType]:
    """bench/truth.py and its parts, which write the table of docs/decisions.md over more companies than a test can."""
    for name in PARTS:
        spec = importlib.util.spec_from_file_location(f"bench.{name}", ROOT / "bench" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"bench.{name}"] = module
        spec.loader.exec_module(module)
    return {name: sys.modules[f"bench.{name}"] for name in PARTS}


@pytest.fixture(scope="module")
def verdicts(bench: dict[str, ModuleType]) -> list[Any]:
    """Three companies of each kind: enough to see that something broke, too few to see 95 from 97 %."""
    return [bench["truth"].judge(seed) for seed in range(COMPANIES)]


def test_nothing_is_asked_of_what_is_owned_or_under_contract_or_unknown(verdicts: list[Any]) -> None:
    bound = [verdict for verdict in verdicts if verdict.kind in {"owned", "contract", "mute"}]

    assert len(bound) == 9
    assert {verdict.chosen for verdict in bound} == {"hold"}


def test_the_best_answer_is_given_in_nearly_all_clear_cases(verdicts: list[Any]) -> None:
    clear = [verdict for verdict in verdicts if verdict.is_clear]

    assert len(clear) >= 20
    assert sum(verdict.is_right for verdict in clear) >= 0.9 * len(clear)


def test_what_is_claimed_is_seldom_more_than_what_comes(verdicts: list[Any]) -> None:
    chosen = [one for verdict in verdicts for one in verdict.intervals if one.is_chosen]

    assert len(chosen) >= 8
    assert sum(one.below for one in chosen) <= 0.2 * len(chosen)


def test_the_table_is_written_between_its_marks_and_nowhere_else(
    bench: dict[str, ModuleType], verdicts: list[Any]
) -> None:
    table = bench["truth_table"]
    rows = table.table(verdicts)
    first, last = table.MARKS
    document = table.written(f"before\n{first}old\n{last}after\n", rows)

    assert document == f"before\n{first}{rows}{last}after\n"
    assert f"| {COMPANIES} | companies |" in rows
