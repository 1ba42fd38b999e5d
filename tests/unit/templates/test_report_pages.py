"""The pages in every state that a company can be in: what they say, and what they never say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from templates import render
from templates.pages.amortization import amortization
from templates.pages.night import Night
from templates.typesetting.layout_checks import ReportFault

if TYPE_CHECKING:
    from bench.report_company import Company

NEVER = re.compile(r"\b(nan|NaN|None|inf|Infinity|undefined)\b|\{\{|\{%|Decimal\(")
HOSTILE = (
    '<link rel=attachment href="file:///etc/passwd">', "{{7*7}}", "{% for x in y %}x{% endfor %}", "\u202eevil\u202c",
    "A" * 100_000, "日本語モデル", "😀 model", '"><object data="http://127.0.0.1/x"></object>', "=HYPERLINK(1)",
    "a\x00b\x1b",
    "", "O'Neil; DROP TABLE", "<script>alert(1)</script>", "${7*7}",
)  # fmt: skip


class Text(HTMLParser):
    """The text of a page as a reader sees it: without style and without what figures say to those who cannot see."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the parser's signature
        """Style and titles are not seen."""
        self._hidden += tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        """After them reading goes on."""
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        """Keeps what is seen."""
        if not self._hidden:
            self.parts.append(data)


def text_of(markup: str) -> str:
    reader = Text()
    reader.feed(markup)
    return " ".join("".join(reader.parts).split())


def titles_of(markup: str) -> list[str]:
    heads = re.findall(r"<h1[^>]*>(.*?)</h1>", markup, re.DOTALL)
    return [re.sub(r"\s*\u200a?K-\d+", "", text_of(head)) for head in heads]


@pytest.fixture
def page(company: Company, tables_of: Callable[[Any], Any], built: dict[str, Any]) -> Callable[..., str]:
    def make(**given: Any) -> str:
        return render.html(tables_of(replace(company, **given)), **built)

    return make


def test_without_a_bill_the_cost_is_not_known_and_no_zero(page: Callable[..., str]) -> None:
    row = re.search(r"<tr><th scope=\"row\">Effective cost.*?</tr>", page(has_bill=False), re.DOTALL)
    assert row is not None
    assert "– no bill has arrived" in text_of(re.sub(r"<title>.*?</title>|<br>", " ", row[0]))


def test_a_change_from_a_month_of_credits_is_an_amount(page: Callable[..., str]) -> None:
    # the company's months with the sign turned, and no plan: −$4.92M in September and −$4.36M in October
    words = text_of(page(factor=Decimal(-1), has_plan=False))
    assert "Credits of October are $4.36M more than its cost" in words
    assert "Cost changed by +$558k" in words


def test_the_largest_balance_stands_first_whatever_its_sign(company: Company, tables_of: Callable[[Any], Any]) -> None:
    names = [
        [row.name for row in amortization(Night(tables_of(replace(company, factor=Decimal(sign))))).rows]
        for sign in (1, -1)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, "Approve 2 decisions: $4.32M a year for $1.45M; October cost $4.36M, 18 % over plan"),
        ({"has_plan": False},
         "Approve 2 decisions: $4.32M a year for $1.45M; October cost $4.36M, 11 % less than September"),
        ({"first_month": 14, "has_plan": False},
         "Approve 2 decisions: $4.32M a year for $1.45M; 1 to 21 November cost $4.39M"),
        ({"has_bill": False}, "No bill has arrived; what 1 to 21 November cost is not known"),
    ],
)  # fmt: skip
def test_the_first_title_says_what_to_decide_and_what_it_cost(
    page: Callable[..., str], given: dict[str, Any], title: str
) -> None:
    assert titles_of(page(**given))[0] == title


def test_one_model_is_named_with_its_three_shares(page: Callable[..., str], company: Company) -> None:
    titles = titles_of(page(lives=company.lives[:1]))
    assert "Atlas-70B is heavy in inference: 25 %, 15 %, 59 % of $19.4M" in titles


def test_without_inference_or_training_the_triangle_gives_way_to_bars(
    page: Callable[..., str], company: Company
) -> None:
    trained = replace(company.lives[0], inference=(0, 0, 0), posttraining=(0, 0, 0), released=None)
    served = replace(company.lives[2], pretraining=(0, 0, 0), posttraining=(0, 0, 0))
    assert "Each model is one bar of its three phases." in page(lives=(trained, served))


def test_with_cost_of_one_phase_alone_no_balance_is_judged(page: Callable[..., str], company: Company) -> None:
    lives = tuple(
        replace(life, inference=(0, 0, 0), posttraining=(0, 0, 0), released=None) for life in company.lives[:3]
    )
    written = page(lives=lives)
    assert "so each is one bar" not in written
    assert "all direct cost is of one phase: there is no balance to judge" in written


@pytest.mark.parametrize(
    "given",
    [{}, {"has_plan": False}, {"first_month": 13, "night": date(2026, 10, 31)}, {"first_month": 14},
     {"has_bill": False}, {"currency": "EUR"}, {"factor": Decimal(240_000)},
     {"factor": Decimal("0.0001")}, {"factor": Decimal(-1)},
     {"target": (3.0, 2.0, 5.0), "dead_band": 0.3}],
    ids=str,
)  # fmt: skip
def test_no_page_says_what_only_a_program_would(page: Callable[..., str], given: dict[str, Any]) -> None:
    found = NEVER.search(text_of(page(**given)))
    assert found is None, found


def test_names_are_text_whatever_they_hold(page: Callable[..., str], company: Company) -> None:
    lives = tuple(replace(life, name=name) for life, name in zip(company.lives, HOSTILE, strict=False))
    markup = page(lives=lives, name="<b>{{Evil}}</b>")
    assert "<link" not in markup
    assert "<object" not in markup
    assert "<script" not in markup
    assert "\u202e" not in markup
    assert "&lt;b&gt;{{Evil}}&lt;/b&gt;" in markup
    assert "{{7*7}}" in text_of(markup)
    assert "A" * 100 not in markup


def test_every_reference_leads_to_a_row_of_the_index(page: Callable[..., str]) -> None:
    markup = page()
    referred = set(re.findall(r'href="#(K-\d+)"', markup))
    listed = set(re.findall(r'<tr id="(K-\d+)"', markup))
    assert referred
    assert referred <= listed


def test_every_number_is_linked_at_its_printed_form(
    page: Callable[..., str], tables: Any, printed_forms: Callable[[Decimal], set[str]]
) -> None:
    values = {f"K-{row['position']:02d}": row["value"] for row in tables["numbers"].to_dicts()}
    linked = re.findall(r'<a class="num" href="#(K-\d+)"[^>]*>(.*?)</a>', page())
    assert len(linked) > 40
    for k, words in linked:
        shown = text_of(words)
        forms = {form.replace("\u00a0", " ") for form in printed_forms(values[k])}
        assert "–" in shown or {shown, shown.removeprefix("+")} & forms, (k, shown)


def test_a_sum_that_does_not_hold_fails_the_report(tables: Any, built: dict[str, Any]) -> None:
    bridge = tables["variance_bridge"].with_columns(change_usd=tables["variance_bridge"]["change_usd"] * 2)
    with pytest.raises(ReportFault, match="does not add up: drivers explain"):
        render.html({**tables, "variance_bridge": bridge}, **built)


def test_a_month_that_is_not_billed_to_its_end_says_which_days_it_compares(tables: Any, built: dict[str, Any]) -> None:
    subject = tables["subject"].with_columns(known_days=pl.lit(29, dtype=pl.Int64))
    words = text_of(render.html({**tables, "subject": subject}, **built))
    assert "From 1 to 29 September to 1 to 29 October cost changed by" in words
    assert "Later days are not compared: requests or bills of them have not come yet." in words
    assert "October 2026, known to 29" in words
    assert "October 2026, not known yet" in text_of(
        render.html({**tables, "subject": subject.with_columns(known_days=pl.lit(0, dtype=pl.Int64))}, **built)
    )


def test_a_missing_number_is_named(tables: Any, built: dict[str, Any]) -> None:
    numbers = tables["numbers"].filter(tables["numbers"]["number_id"] != "bridge_change")
    with pytest.raises(LookupError, match=r"reports\.numbers has no row 'bridge_change'"):
        render.html({**tables, "numbers": numbers}, **built)


def test_what_a_reissue_changed_is_printed(tables: Any, built: dict[str, Any]) -> None:
    earlier = tables["numbers"].with_columns(value=tables["numbers"]["value"] + 1).head(1)
    markup = render.html(tables, earlier=earlier, **(built | {"revision": 2}))
    assert "REVISED r2" in markup
    assert "Changed since the revision before" in markup
