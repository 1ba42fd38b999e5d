"""What `trisect whatif` prints for a person on a terminal of 80 columns."""

from __future__ import annotations

import polars as pl
import pytest

from orchestration.whatif_output import shown

KEY = {"action": None, "task": None, "deployment_id": None, "target_model_id": None,
       "candidate": None, "changed_candidate": None, "compared_with": None}  # fmt: skip


def said() -> dict[str, pl.DataFrame]:
    route = {**KEY, "action": "route", "task": "triage", "target_model_id": "student",
             "candidate": "3 B", "changed_candidate": "2 B", "compared_with": "teacher, 34 B"}  # fmt: skip
    money = {"published": 123456.0, "changed": 23456.0, "difference": -100000.0}
    quantities = [
        {**KEY, "quantity": "used_usd_per_mtok", "unit": "USD per million tokens", "published": 0.3332, "changed": 0.5},
        {
            **KEY,
            "quantity": "daily_tokens",
            "unit": "tokens a day",
            "published": 7.66e10,
            "changed": None,
            "difference": -5e12,
        },
        {**KEY, "quantity": "gpu_usd_a_month", "unit": "USD a month", **money},
        {**route, "quantity": "net_present_value_usd_p50", "unit": "USD", **money},
        {**route, "quantity": "monthly_saving_usd_p10", "unit": "USD a month", **money},
        {**route, "quantity": "probability", "unit": "ratio", "published": 0.5, "changed": 0.25, "difference": -0.25},
    ]
    cards = pl.DataFrame([{"action": "route", "reason": "saves 23,456 a month"}])
    return {"quantities": pl.DataFrame(quantities, infer_schema_length=None), "recommendations": cards}


def test_no_word_and_no_number_is_cut_on_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown(said())
    text = capsys.readouterr().out

    assert "…" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "net present value p50, USD " in text
    assert "used USD per million tokens" in text
    assert "USD a month for its" in text
    assert "monthly saving p10, USD a month" in text


def test_each_alternative_is_named_once_above_its_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown(said())
    text = capsys.readouterr().out

    assert text.count("route triage student") == 1
    assert text.count("the model") == 1
    assert text.count("compared with") == text.count("teacher, 34 B") == 1
    assert "3 B" in text
    assert "2 B" in text
    assert text.index("the model") < text.index("route triage student") < text.index("net present value")


def test_dollars_are_read_digit_by_digit_and_unknown_is_a_dash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown(said())
    text = capsys.readouterr().out

    assert "123,456" in text
    assert "-100,000" in text
    assert "76.6 B" in text
    assert "-5 T" in text
    assert "–" in text
