"""Words that people use for a column lead to the column."""

from __future__ import annotations

import pytest

from orchestration.canonical_words import meant
from warehouse.sources.registry import FORMATS


@pytest.mark.parametrize(
    ("kind", "word", "column"),
    [
        ("gpu_billing", "cost", "billed_cost"),
        ("gpu_billing", "Amount", "billed_cost"),
        ("gpu_billing", "date", "charge_start"),
        ("gpu_billing", "instance", "resource_id"),
        ("gpu_billing", "bilt_cost", "billed_cost"),
        ("training_logs", "start", "started_at"),
        ("training_logs", "gpus", "gpu_count"),
        ("training_logs", "loss", "final_loss"),
        ("request_telemetry", "timestamp", "start_at"),
        ("request_telemetry", "prompt tokens", "input_tokens"),
        ("request_telemetry", "endpoint", "deployment_id"),
        ("request_telemetry", "xqzw", None),
    ],
)
def test_a_word_means_the_column_that_people_call_so(kind: str, word: str, column: str | None) -> None:
    assert meant(word, tuple(FORMATS[kind, "table"].columns)) == column
