"""Page 1 keeps its place above the footer, and page 7 its one sheet, whatever is advised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import weasyprint
from templates.pages.recommendations import recommendations

from templates import render
from templates.pages.night import Night
from templates.pages.summary import Summary, summary
from templates.pages.thirds import thirds
from templates.typesetting.layout_checks import ReportFault, prove_layout
from templates.typesetting.line_count import line_count
from warehouse.schemas import CATALOGUE

if TYPE_CHECKING:
    from bench.report_company import Company

LONG = "a model of forty characters, no word less"
REASON = (
    "saves 528,184 a month and pays back with a chance of 93%; its tokens per parameter lie beyond the data of the law"
)


def document_of_no_pages() -> Any:
    return SimpleNamespace(pages=())


def advice(tables: Any, count: int, names: list[str], task: str) -> pl.DataFrame:
    """So many recommendations, in turn for each model, each with two rejected alternatives."""
    first = tables["recommendations"].row(0, named=True)
    entry = {"action": "route", "task": task, "why": "pays back with a chance of 12%, under 80%",
             "net_present_value_usd_p50": 123456}  # fmt: skip
    rows = [
        first
        | {
            "rank": rank,
            "model_id": names[rank % len(names)],
            "task": task,
            "action": "distil",
            "reason": REASON,
            "quality_gate": "validation loss at most 1.912 on the frozen evaluation set; the owner signs",
            "rejected": json.dumps([entry, {"action": "hold", "why": "leaves 361,618 unsaved"}]),
        }
        for rank in range(1, count + 1)
    ]
    schema = CATALOGUE["recommendations"]
    return schema.frame(pl.DataFrame(rows, schema=schema.polars_schema())) if rows else schema.empty()


@pytest.mark.parametrize("paper", ["A4", "letter"])
def test_page_1_ends_above_its_footer_with_three_long_decisions(
    paper: str, company: Company, tables_of: Callable[..., Any], built: dict[str, Any]
) -> None:
    lives = tuple(replace(life, name=f"{place} {LONG}"[:40], owner=LONG) for place, life in enumerate(company.lives))
    tables = tables_of(replace(company, lives=lives, factor=Decimal(229_000), currency="EUR", name=LONG))
    advised = advice(tables, 3, [life.name for life in lives], LONG[:40])
    assert render.pdf({**tables, "recommendations": advised}, attachments={}, paper=paper, **built).startswith(b"%PDF")


def test_words_below_the_foot_of_a_sheet_fail_the_night() -> None:
    sheet = '<article style="position: relative; height: 99%"><p style="position: absolute; top: 100%">Low words</p>'
    layout = weasyprint.HTML(string=sheet.replace("99%", "240mm; margin-top: 30mm")).render()
    with pytest.raises(ReportFault, match="runs into the footer on sheet 1 of the report: 'Low words'"):
        prove_layout(layout, document_of_no_pages())


def test_why_now_is_a_readable_phrase(tables: Any) -> None:
    names = tables["models"]["model_id"].to_list()
    page: Summary = summary(Night({**tables, "recommendations": advice(tables, 3, names, "triage")}, "A4", None))
    assert {request.why for request in page.requests} == {
        "saves $528k a month and pays back with a chance of 93\u00a0%"
    }


@pytest.mark.parametrize(("words", "lines"), [("", 1), ("one", 1), ("one two", 1), ("W" * 100, 6), ("of " * 30, 3)])
def test_lines_are_counted_as_they_are_laid_out(words: str, lines: int) -> None:
    assert line_count(words, 109, 7.6) == lines


@pytest.mark.parametrize(("count", "paper"), [(0, "A4"), (1, "A4"), (12, "A4"), (60, "letter")])
def test_page_7_is_one_sheet_however_many_decisions_there_are(
    count: int, paper: str, tables: Any, built: dict[str, Any]
) -> None:
    names = [f"{place} {LONG}"[:40] for place in range(60)]
    advised = advice(tables, count, names, LONG[:40])
    night = {**tables, "recommendations": advised}
    page = recommendations(Night(night, paper, None))
    assert len(page.rows) + page.more == count
    assert len(page.cards) + page.without_card == count
    assert len(page.rejected) + page.more_rejected == 2 * count
    assert render.pdf(night, attachments={}, paper=paper, **built).startswith(b"%PDF")


@pytest.mark.parametrize("status", ["too_young", "no_own_pretraining"])
def test_a_model_that_is_not_judged_is_not_said_to_be_inside_the_band(status: str, tables: Any) -> None:
    rows = tables["thirds"]
    latest = rows.filter(pl.col("as_of") == tables["subject"]["as_of"].item()).sort("model_id")
    one = latest.head(1).with_columns(status=pl.lit(status), penalty_ratio=pl.lit(3.76))
    two = latest.slice(1, 1).with_columns(status=pl.lit("balanced"), penalty_ratio=pl.lit(0.04))
    alone = thirds(Night({**tables, "thirds": one.cast(dict(rows.schema))}, "A4", None)).verdict
    assert alone.standing in {"too young to judge", "on an adopted base"}
    both = pl.concat([one, two]).cast(dict(rows.schema))
    beside = thirds(Night({**tables, "thirds": both}, "A4", None)).verdict
    assert (beside.case, beside.model) == ("all_in", two["model_id"].item())
    assert beside.widest == Decimal("0.04")
