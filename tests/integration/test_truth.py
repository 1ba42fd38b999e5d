"""Decisions on invented companies whose law, demand, prices and quality are known, against what then came."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def truth() -> ModuleType:
    """bench/truth.py, which prints the table of docs/decisions.md over more companies than a test has time for."""
    for name in ("companies", "truth"):
        spec = importlib.util.spec_from_file_location(f"bench.{name}", ROOT / "bench" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"bench.{name}"] = module
        spec.loader.exec_module(module)
    return sys.modules["bench.truth"]


@pytest.fixture(scope="module")
def shares(truth: ModuleType) -> dict[str, float]:
    """Sixty companies: enough to see that something broke, too few to see 95 from 97 %."""
    found: dict[str, float] = truth.summary([truth.judge(seed) for seed in range(60)])
    return found


def test_the_truly_best_action_is_chosen_in_nearly_all_clear_cases(shares: dict[str, float]) -> None:
    assert shares["clear"] >= 40
    assert shares["right_when_clear"] >= 0.95


def test_where_nothing_pays_the_answer_is_hold(shares: dict[str, float]) -> None:
    assert shares["nothing_pays"] >= 20
    assert shares["held_when_nothing_pays"] >= 0.95


def test_the_truth_lies_within_p10_and_p90_about_eight_times_in_ten(shares: dict[str, float]) -> None:
    # the alternatives of one company share its demand, so 60 companies are few: 80 % give or take ten points
    assert 0.70 <= shares["covered"] <= 0.90
