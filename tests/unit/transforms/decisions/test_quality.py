"""Qualities of every sign, and metrics of either direction."""

from __future__ import annotations

import pytest

from transforms.decisions.actions.task_migration import Evidence
from warehouse.schemas.quality_metrics import better_direction


@pytest.mark.parametrize(
    ("better", "teacher", "student", "kept"),
    [
        ("higher", 0.90, 0.81, 0.9),
        ("higher", 0.7, 0.0, 0.0),
        ("higher", 0.0, 0.0, 1.0),
        ("higher", 0.0, 0.3, 2.0),
        ("higher", 80.0, 84.0, 1.05),
        # log-likelihoods: the one nearer to zero is the better one
        ("higher", -1.2, -1.5, 0.8),
        ("higher", 0.5, -0.1, 0.0),
        ("lower", 0.05, 0.20, 0.25),
        ("lower", 0.2, 0.0, 2.0),
        ("lower", 0.0, 0.1, 0.0),
        ("lower", -2.0, -1.0, 0.5),
    ],
)
def test_what_a_student_keeps_is_a_ratio_in_the_direction_of_the_metric(
    better: str, teacher: float, student: float, kept: float
) -> None:
    assert Evidence("metric", teacher, student, "2026-11-01", better).ratio == pytest.approx(kept)


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("accuracy", "higher"),
        ("graded_accuracy", "higher"),
        ("pass@1", "higher"),
        ("word_error_rate", "lower"),
        ("Hallucination Rate", "lower"),
        ("rmse", "lower"),
        ("zing", None),
    ],
)
def test_the_direction_of_a_metric_is_listed_or_unknown(metric: str, direction: str | None) -> None:
    assert better_direction(metric) == direction
