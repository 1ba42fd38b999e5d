"""Decisions on invented companies whose law, demand, prices and quality are known, against what then came."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "companies",
    "future",
    "task_worth",
    "training_companies",
    "serving_companies",
    "kin_companies",
    "pool_companies",
    "truth",
    "truth_table",
)


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
    """Eighty companies: enough to see that something broke, too few to see 95 from 97 %."""
    return [bench["truth"].judge(seed) for seed in range(80)]


@pytest.fixture(scope="module")
def shares(bench: dict[str, ModuleType], verdicts: list[Any]) -> dict[str, float]:
    found: dict[str, float] = bench["truth"].summary(verdicts)
    return found


def test_the_truly_best_action_is_chosen_in_nearly_all_clear_cases(shares: dict[str, float]) -> None:
    assert shares["clear"] >= 50
    assert shares["right_when_clear"] >= 0.95


@pytest.mark.parametrize("kind", ["hold", "moves", "retrain_smaller", "tune_serving", "release_capacity", "retire"])
def test_each_kind_of_answer_is_chosen_where_it_is_clearly_best(verdicts: list[Any], kind: str) -> None:
    best = [verdict.chosen for verdict in verdicts if verdict.is_clear and verdict.best == kind]

    assert len(best) >= 2
    assert best.count(kind) >= len(best) - 1


def test_each_task_goes_where_it_is_clearly_best(verdicts: list[Any]) -> None:
    tasks = [task for verdict in verdicts for task in verdict.tasks if task.is_clear]

    assert {task.best for task in tasks} >= {"route", "distil"}
    assert sum(task.chosen == task.best for task in tasks) >= 0.95 * len(tasks)


def test_where_nothing_pays_the_answer_is_hold(shares: dict[str, float]) -> None:
    assert shares["nothing_pays"] >= 20
    assert shares["held_when_nothing_pays"] >= 0.95


def test_the_truth_lies_within_p10_and_p90_about_eight_times_in_ten(shares: dict[str, float]) -> None:
    # the alternatives of one company share its demand, so 80 companies are few: 80 % give or take ten points
    assert 0.70 <= shares["covered"] <= 0.92
    assert 0.68 <= shares["values_covered"] <= 0.90


def test_the_table_is_written_between_its_marks_and_nowhere_else(
    bench: dict[str, ModuleType], verdicts: list[Any]
) -> None:
    table = bench["truth_table"]
    rows = table.table(verdicts)
    first, last = table.MARKS
    document = table.written(f"before\n{first}old\n{last}after\n", rows)

    assert document == f"before\n{first}{rows}{last}after\n"
    assert "| 80 | companies |" in rows
    assert all(f"| {kind} |" in rows for kind in ("hold", "retrain smaller", "release capacity", "retire"))
