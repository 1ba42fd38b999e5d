"""What a model sheet says where a figure has nothing to draw, and beside the figures that it has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from templates import render
from templates.pages.missing_panels import why_no_sizes, why_no_tasks
from templates.pages.night import Night
from templates.pages.outlook import outlook
from templates.pages.panels import balance_panel, cost_panel, tasks_panel
from templates.pages.sheet import sheet

if TYPE_CHECKING:
    from bench.report_company import Company

Tables = dict[str, pl.DataFrame]
ATLAS = "Atlas-70B"
MONEY = pl.Decimal(38, 12)


def placed(tables: Tables, **given: Any) -> Night:
    """The night in which the first model stands otherwise."""
    rows = tables["positions"].with_columns(**{name: pl.lit(value) for name, value in given.items()})
    return Night({**tables, "positions": rows})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"served_days": 0}, "It has not served yet, so the demand ahead of it is not known."),
        ({"remaining_months": 0.0}, "No service is ahead of it: no other size could pay."),
        ({"daily_tokens": 0.0}, "Nobody asks it for tokens any more: no other size could pay."),
        ({}, "No other size reaches its loss on any amount of data within a thousand times its own."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_model_without_other_sizes_says_what_its_life_says(tables: Tables, given: dict[str, Any], words: str) -> None:
    assert why_no_sizes(placed(tables, **given), ATLAS) == words


def test_a_model_that_has_retired_says_when(tables: Tables) -> None:
    night = placed(tables, remaining_months=0.0)
    models = tables["models"].with_columns(retires_on=pl.lit(date(2026, 8, 31)))
    assert why_no_sizes(Night({**night.tables, "models": models}), ATLAS) == (
        "No service is ahead of it, it retired on 2026-08-31: no other size could pay."
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"unit_name": "image", "daily_tokens": None}, "It delivers images; shares of tasks are counted in tokens."),
        ({"monthly_inference_usd": Decimal(0)}, "Nothing was asked of it in the last four weeks."),
        ({}, "No request of the last weeks carries a task."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_model_without_tasks_says_why(tables: Tables, given: dict[str, Any], words: str) -> None:
    assert why_no_tasks(placed(tables, **given), ATLAS) == words


def test_requests_without_a_task_are_a_sentence_and_no_bar(tables: Tables) -> None:
    nameless = tables["task_shares"].with_columns(task=pl.lit(None, pl.String))
    panel = tasks_panel(Night({**tables, "task_shares": nameless}), ATLAS)
    assert panel.figure is None
    assert panel.missing == "Its requests carry no task: send one with each request, or map one in attribution.csv."


@pytest.mark.parametrize(("gate", "passed"), [(0.97, 2), (0.99, 1), (0.90, 3)])
def test_the_gate_of_the_settings_decides_which_student_passed(tables: Tables, gate: float, passed: int) -> None:
    # the three students keep 0.989, 0.994 and 0.91 of their teacher
    settings = tables["settings"].with_columns(quality_gate_ratio=pl.lit(gate))
    panel = tasks_panel(Night({**tables, "settings": settings}), ATLAS)
    assert f"a student passed the gate on {passed}." in str(panel.figure)
    assert f"at least {gate * 100:.0f} %" in panel.note.replace("\u00a0", " ")


def ahead(tables: Tables, **given: Any) -> str:
    """What the sheet says of the weeks ahead where something else is expected of the tasks."""
    rows = tables["task_demand"].with_columns(**{name: pl.lit(value) for name, value in given.items()})
    columns = {name: dtype for name, dtype in tables["task_demand"].schema.items() if name in given}
    panel = tasks_panel(Night({**tables, "task_demand": rows.cast(columns)}), ATLAS)
    return panel.note.replace("\u00a0", " ").partition("on the task.")[2].strip()


def test_the_largest_task_is_told_with_its_bounds_and_the_errors_of_its_past_forecasts(tables: Tables) -> None:
    # 0.28 of 105 billion tokens, a tenth less and more
    weeks = "The next four weeks of Ticket triage: 29.4 B tokens, 26.5 B to 32.3 B"
    assert ahead(tables) == f"{weeks}; past forecasts were off by 6.4 %."
    assert ahead(tables, mape_ratio=None) == f"{weeks}."


def test_nothing_is_said_of_the_weeks_ahead_of_a_task_without_a_name_or_of_images(tables: Tables) -> None:
    assert ahead(tables, task=None) == ""
    assert ahead(tables, production_unit="image") == ""


def test_an_empty_panel_prints_no_lone_dash(tables: Tables, built: dict[str, Any]) -> None:
    markup = render.html(tables, **built)
    heads = re.findall(r'<h2 class="panel-head">(.*?)</h2>', markup)
    assert any(head.startswith("<b>The same quality at other sizes</b>") for head in heads)
    assert not any(head.endswith("–") for head in heads)


def test_a_model_that_has_carried_its_training_is_not_said_to_serve_later(tables: Tables) -> None:
    rows = tables["amortization"].filter(model_id=ATLAS).sort("month")
    ended = rows.with_columns(
        amortized_usd=pl.when(pl.col("month") == rows["month"].max()).then(0).otherwise("amortized_usd").cast(MONEY)
    )
    never = rows.with_columns(amortized_usd=pl.lit(0).cast(MONEY))

    assert "not yet serving" not in balance_panel(Night({**tables, "amortization": ended}), ATLAS).unit
    assert balance_panel(Night({**tables, "amortization": never}), ATLAS).unit.endswith("; not yet serving")


def test_training_that_models_made_from_it_carry_is_told_from_its_lifetime_cost(tables: Tables) -> None:
    night = Night(tables)
    row = tables["thirds"].filter(model_id=ATLAS).row(0, named=True)
    assert "borne by" not in cost_panel(night, row).unit
    lent = row | {"pretraining_usd": row["pretraining_usd"] - Decimal(1_200_000)}
    assert cost_panel(night, lent).unit.endswith("; $1.20M is borne by models made from it")
    taken = row | {"pretraining_usd": row["pretraining_usd"] + Decimal(1_200_000)}
    assert cost_panel(night, taken).unit.endswith("; $1.20M more is of its base")


@pytest.mark.parametrize(
    ("size", "words"),
    [(11.6e9, "an 11.6 B retrain"), (8e9, "an 8 B retrain"), (18e9, "an 18 B retrain"), (39e9, "a 39 B retrain"),
     (110e9, "a 110 B retrain"), (1.1e9, "a 1.1 B retrain")],
)  # fmt: skip
def test_a_size_in_a_title_has_its_article(tables: Tables, size: float, words: str) -> None:
    advice = tables["recommendations"].with_columns(
        assumptions=pl.lit(f'{{"target_params": {size}}}'), action=pl.lit("retrain_smaller")
    )
    asked = tables["requested_decisions"].filter(pl.col("model_id") == ATLAS)
    assert (
        sheet(Night({**tables, "recommendations": advice, "requested_decisions": asked}), ATLAS).action.replace(
            "\u00a0", " "
        )
        == words
    )


def test_the_method_says_the_cost_of_capital_and_the_gate(
    company: Company, tables_of: Callable[[Company], Tables], built: dict[str, Any]
) -> None:
    tables = tables_of(replace(company, lives=company.lives[:2]))
    settings = tables["settings"].with_columns(discount_ratio=pl.lit(0.085), quality_gate_ratio=pl.lit(0.985))
    markup = render.html({**tables, "settings": settings}, **built).replace("\u00a0", " ")
    assert "8.5 % a year takes savings ahead back to today" in markup
    assert "a student keeps at least 98.5 % of its teacher" in markup


@pytest.mark.parametrize(
    ("days", "words"), [(0, ""), (1, "of the last 1 day has not come"), (3, "of the last 3 days have not come")]
)
def test_the_outlook_says_which_days_it_does_not_know(tables: Tables, days: int, words: str) -> None:
    states = tables["demand_states"].with_columns(unseen_days=pl.lit(days, dtype=pl.Int64))
    found = outlook(Night({**tables, "demand_states": states}))

    assert found is not None
    assert words in found.note
    assert ("not come" in found.note) == bool(days)
