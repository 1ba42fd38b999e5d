"""Figures that leave an axis, stand on a plan, or compare with what was promised."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import polars as pl

from templates import render
from templates.figures.cash import CashMonth, cash_curve
from templates.figures.fan import HEIGHT, FanEvent, FanMonth, fan
from templates.figures.price_rows import WIDTH, Price, price_axis
from templates.formats import Money
from templates.pages.night import Night
from templates.pages.plan_bridge import plan_steps
from templates.svg import TOUCH, Label, placed, text
from templates.table_unit import TableUnit
from templates.typesetting.typeface import text_width
from warehouse.schemas import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.report_company import Company

Tables = dict[str, pl.DataFrame]
OCTOBER = date(2026, 10, 1)


UNIT = TableUnit.of_axis(Money("USD"), [Decimal(1000)])


def test_the_steps_from_plan_to_actual_are_the_lines_of_the_budget_and_the_rest(tables: Tables) -> None:
    found = plan_steps(Night(tables), UNIT)
    rows = tables["budget_variances"].filter(pl.col("month") == OCTOBER, pl.col("model_id") != "*")
    now = Night(tables).now
    rest = now["effective_usd"] - now["plan_usd"] - sum(rows["variance_usd"], Decimal(0))
    printed = [Night(tables).money.change(amount) for amount in (*rows["variance_usd"], rest)]
    assert found is not None
    assert sorted(step.words for step in found.steps) == sorted(printed)
    assert found.faults == ()


def test_a_budget_of_one_line_is_one_step(tables: Tables) -> None:
    one = tables["budget_variances"].filter(pl.col("model_id") == "*")
    found = plan_steps(Night({**tables, "budget_variances": one}), UNIT)
    assert found is not None
    assert [step.name for step in found.steps] == ["All cost"]
    assert "one line for all cost" in found.note


def test_a_budget_that_says_another_variance_than_the_month_is_a_fault(tables: Tables) -> None:
    wrong = tables["budget_variances"].with_columns(pl.col("variance_usd") + 1)
    found = plan_steps(Night({**tables, "budget_variances": wrong}), UNIT)
    assert found is not None
    assert "the budget's variance is" in found.faults[0]


def test_without_a_plan_there_is_no_bridge_from_it(
    company: Company, tables_of: Callable[[Company], Tables], built: dict[str, Any]
) -> None:
    markup = render.html(tables_of(replace(company, has_plan=False)), **built)
    assert "Plan to" not in markup


def test_a_price_axis_is_logarithmic_where_the_largest_is_over_eight_times_the_median() -> None:
    # the median of 1, 2 and 15 is 2, and 15 is less than eight times 2; 17 is more
    straight = price_axis([Price(1, 1, top, None) for top in (1.0, 2.0, 15.0)])
    logarithmic = price_axis([Price(1, 1, top, None) for top in (1.0, 2.0, 17.0)])
    assert (straight.is_log, logarithmic.is_log) == (False, True)
    assert all(0 <= axis.scale(top) <= WIDTH for axis, top in ((straight, 15.0), (logarithmic, 17.0)))


def test_no_text_of_any_figure_meets_another_or_leaves_its_frame() -> None:
    crowd = [text((40 + place, 20), f"model {place}", size=7) for place in range(6)]
    parts = [
        part for part in placed([*crowd, text((95, 10), "beyond the edge")], (100.0, 60.0)) if isinstance(part, Label)
    ]
    boxes = [part.box for part in parts]
    assert len(parts) > 3
    assert all(box.left >= -TOUCH and box.right <= 100 + TOUCH and box.bottom <= 60 + TOUCH for box in boxes)
    assert not any(one.meets(other) for place, one in enumerate(boxes) for other in boxes[:place])


def offer(**given: Any) -> dict[str, Any]:
    return {
        "month": OCTOBER, "model_id": "Atlas-70B", "provider": "Pagoda", "api_model": "pagoda-70b", "rank": 1,
        "is_named": True, "priced_on": date(2026, 10, 3), "reference": "invented",
        "api_usd_per_mtok": Decimal("0.9"), "allocated_usd_per_mtok": Decimal(1), "buy_usd": Decimal(90),
        "build_usd": Decimal(100), "buy_ratio": 0.9,
    } | given  # fmt: skip


def test_the_best_dated_price_is_compared_with_allocated_cost(tables: Tables, built: dict[str, Any]) -> None:
    table = CATALOGUE["api_comparisons"]
    rows = [offer(rank=2), offer(rank=1, priced_on=None, provider="Undated", api_usd_per_mtok=Decimal("0.1"))]
    prices = table.frame(pl.DataFrame(rows, schema_overrides=table.polars_schema()))
    markup = render.html({**tables, "api_comparisons": prices}, **built)
    assert "pagoda-70b of Pagoda would cost $0.900 for the same tokens (list of 2026-10-03)." in markup
    assert "Undated" not in markup


def test_an_axis_of_whole_dollars_has_room_for_its_numbers() -> None:
    months = [CashMonth(month, -600.0, month * 90.0 - 500, month * 99.0) for month in range(12)]
    drawn = str(cash_curve(months, ("a", "b", "c"), 3.0, "#000000", "cash"))
    for x, words in re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="end" fill="#58616C">([^<]*)<', drawn):
        assert float(x) - text_width(words, 6.8) >= 0


def test_an_axis_counts_in_units_that_leave_it_few_digits() -> None:
    sizes = {
        Decimal(999): "",
        Decimal(1000): "k",
        Decimal(2_500_000): "M",
        Decimal(10) ** 10: "B",
        Decimal(10) ** 12: "T",
    }
    assert {size: TableUnit.of_axis(Money("USD"), [size]).letter for size in sizes} == sizes


def test_events_hang_below_the_months_each_on_its_own_line() -> None:
    months = [FanMonth(f"m{n}", 1.0, 1.0, 1.0, None, n > 2) for n in range(5)]
    events = [FanEvent(2.5, "c0 ends"), FanEvent(3.0, "atlas retires")]
    drawn = str(fan(months, [("median", 1.0)], "forecast", events))
    heights = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>(?:c0 ends|atlas retires)<', drawn)]
    assert len(set(heights)) == 2
    assert min(heights) > HEIGHT - 6  # below the names of the months


def test_events_of_one_kind_and_day_are_one_tick(tables: Tables, built: dict[str, Any]) -> None:
    text = render.html(tables, **built)
    assert "31\u00a0Dec: 2 commitments end" in text
    assert "h100-2" not in text  # it ends in 2028, after the forecast


def test_an_invoice_that_changed_after_it_was_closed_stands_first_with_a_warning(
    tables: Tables, built: dict[str, Any]
) -> None:
    bills = tables["reconciliation"]
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    alert = (
        "closed_period_changed by 1000 without a Correction: 7 was published on 2026-11-02; the ledger equals the bill"
    )
    changed = bills.sort("source", "invoice_id").with_columns(
        invoice_total=None, explanation=pl.when(is_last).then(pl.lit(alert)).otherwise("explanation")
    )
    markup = render.html({**tables, "reconciliation": changed}, **built)
    first = re.search(r'<table class="invoices">.*?<tbody>\s*<tr>(.*?)</tr>', markup, re.DOTALL)
    assert first is not None
    assert "ties out, but has changed since it was closed: see Restatement" in first[1]
    assert "needs attention" in first[1]


def test_a_change_without_a_correction_is_a_warning_among_the_causes(tables: Tables, built: dict[str, Any]) -> None:
    markup = render.html(tables, **built)
    causes = re.findall(r'<table class="causes">.*?</table>', markup, re.DOTALL)[0]
    rows = re.findall(r"<tr>.*?</tr>", causes, re.DOTALL)[1:]
    warned = [("needs attention" in row, "without a Correction" in row) for row in rows]
    assert set(warned) == {(True, True), (False, False)}


def test_the_page_does_not_depend_on_how_many_digits_the_thread_reckons_in(
    tables: Tables, built: dict[str, Any]
) -> None:
    with localcontext(prec=6):
        narrow = render.html(tables, **built)

    assert narrow == render.html(tables, **built)
