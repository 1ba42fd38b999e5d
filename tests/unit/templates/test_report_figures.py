"""Figures that leave an axis, stand on a plan, or compare with what was promised."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from templates.figures.unit_bars import UnitBar, cut_bars, unit_bars
from templates.figures.utilization import Use, utilization_scatter

from templates import render
from templates.figures.cash import CashMonth, cash_curve
from templates.figures.fan import FanEvent, FanMonth, fan
from templates.formats import Money
from templates.pages.band_verdict import is_outside, verdict_of
from templates.pages.night import Night
from templates.pages.plan_bridge import plan_bridge
from templates.pages.triangle import status_today
from templates.table_unit import TableUnit
from templates.typesetting.typeface import text_width
from warehouse.schemas import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.report_company import Company

Tables = dict[str, pl.DataFrame]
OCTOBER = date(2026, 10, 1)


def bar(name: str, whole: float, api: float | None = None) -> UnitBar:
    return UnitBar(name, (whole / 2, whole / 4, whole / 8, whole / 8), f"${whole:g}", api)


@pytest.mark.parametrize(
    ("wholes", "cut"),
    [
        ((1, 2, 3), []),
        ((1, 2, 10), []),  # 10 is five times 2, not more
        ((1, 2, 11), [11]),
        ((1, 2, 300, 400), [400, 300]),  # 300 is more than five times 2; 400 is longer still
        ((1, 100, 10_000, 1_000_000), [1_000_000, 10_000, 100]),
        ((5,), []),
        ((0, 0, 3), []),
    ],
)
def test_bars_are_cut_where_they_are_more_than_five_times_the_longest_of_the_others(
    wholes: tuple[float, ...], cut: list[float]
) -> None:
    assert [found.whole for found in cut_bars([bar(f"m{n}", whole) for n, whole in enumerate(wholes)])] == cut


def test_a_cut_bar_ends_with_the_axis_breaks_and_still_says_its_value() -> None:
    drawn = str(unit_bars([bar("near", 2.0), bar("far", 108_000.0)], "two models"))
    widths = [float(width) for width in re.findall(r'<rect x="[\d.]+" y="38.5" width="([\d.]+)" height="9.5"', drawn)]
    assert sum(widths) == pytest.approx(460 - 104, abs=0.1)  # from the left end of the axis to its right end
    assert "$108000" in drawn
    assert drawn.count("<polyline") == 2
    assert ">20,000<" not in drawn


def test_a_price_of_an_api_is_a_tick_on_the_axis_of_the_bars() -> None:
    without, with_price = (str(unit_bars([bar("atlas", 2.0, api)], "one model")) for api in (None, 1.0))
    assert "best API price" in with_price
    assert "best API price" not in without
    # 1.0 of an axis to 2.0 is halfway from 104 to 460
    assert '<line x1="282"' in with_price


def test_a_price_axis_over_many_decades_shows_whole_decades() -> None:
    uses = [Use(f"m{n}", 0.5, price, "") for n, price in enumerate((0.06, 38_000.0))]
    drawn = str(utilization_scatter(uses, "$", "two models"))
    labels = re.findall(r'text-anchor="end" fill="#58616C">([^<]*)<', drawn)
    assert labels == ["$0.1", "$1", "$10", "$100", "$1,000", "$10,000"]


def steps(night: Night) -> tuple[list[str], Any]:
    found = plan_bridge(night, Decimal(1))
    assert found is not None
    return re.findall(r'text-anchor="middle" fill="#14181D">([^<]*)<', str(found.figure)), found


def test_the_steps_from_plan_to_actual_are_the_lines_of_the_budget_and_the_rest(tables: Tables) -> None:
    words, found = steps(Night(tables))
    rows = tables["budget_variances"].filter(pl.col("month") == OCTOBER, pl.col("model_id") != "*")
    now = Night(tables).now
    rest = now["effective_usd"] - now["plan_usd"] - sum(rows["variance_usd"], Decimal(0))
    printed = [Night(tables).money.change(amount) for amount in (*rows["variance_usd"], rest)]
    assert sorted(word for word in words if "$" in word and word[0] in "+−") == sorted(printed)
    assert found.faults == ()


def test_a_budget_of_one_line_is_one_step(tables: Tables) -> None:
    one = tables["budget_variances"].filter(pl.col("model_id") == "*")
    words, found = steps(Night({**tables, "budget_variances": one}))
    assert "Difference" in words
    assert "one line for all cost" in found.note


def test_a_budget_that_says_another_variance_than_the_month_is_a_fault(tables: Tables) -> None:
    wrong = tables["budget_variances"].with_columns(pl.col("variance_usd") + 1)
    _, found = steps(Night({**tables, "budget_variances": wrong}))
    assert "the budget's variance is" in found.faults[0]


def test_without_a_plan_there_is_no_bridge_from_it(
    company: Company, tables_of: Callable[[Company], Tables], built: dict[str, Any]
) -> None:
    markup = render.html(tables_of(replace(company, has_plan=False)), **built)
    assert "From plan to" not in markup


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
    assert "Atlas-70B $0.900 at Pagoda (2026-10-03) for $1.00, 10\u00a0% less." in markup
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
    assert min(heights) > 200 - 6  # the names of the months stand at 194


def test_events_of_one_kind_and_day_are_one_tick(tables: Tables, built: dict[str, Any]) -> None:
    text = render.html(tables, **built)
    assert "2 commitments end, 2026-12-31" in text
    assert "h100-2" not in text  # it ends in 2028, after the forecast


def test_the_track_record_says_how_many_saved_what_was_promised(tables: Tables, built: dict[str, Any]) -> None:
    words = re.sub(r"<[^>]*>|(?:&#8202;)?K-\d+", "", render.html(tables, **built))
    # four were followed: two inside, one outside, one too early to judge
    assert "2 of 3 settled recommendations saved what was promised between P10 and P90: 67\u00a0%;" in words
    assert "One is too early to judge." in words
    assert "$12.0k, outside" in words


def test_a_record_of_what_nobody_followed_says_so(tables: Tables, built: dict[str, Any]) -> None:
    is_open = tables["track_record"].filter(pl.col("realised_usd").is_null())
    numbers = tables["numbers"].with_columns(
        value=pl.when(pl.col("number_id") == "track_all").then(1)
        .when(pl.col("number_id").is_in(["track_settled", "track_inside"])).then(0)
        .otherwise("value").cast(pl.Decimal(38, 12))
    )  # fmt: skip
    words = re.sub(
        r"<[^>]*>|(?:&#8202;)?K-\d+", "", render.html(tables | {"track_record": is_open, "numbers": numbers}, **built)
    )
    assert "None of 1 past recommendations was followed" in words


@pytest.mark.parametrize(
    ("status", "penalty", "side", "standing"),
    [
        ("balanced", 0.05, "not", "inside the band"),
        ("balanced", 0.2, "outside", "outside the band, but heading into it"),
        ("inference_heavy", 0.05, "not", "inside the band, but heading out of it"),
        ("inference_heavy", 0.2, "outside", None),
        ("inference_heavy", None, "outside", None),
        ("too_young", 0.9, "not", "too young to judge"),
        ("no_own_pretraining", 0.9, "not", "on an adopted base"),
    ],
)
def test_a_model_is_outside_by_what_it_has_cost_not_by_where_it_is_heading(
    tables: Tables, status: str, penalty: float | None, side: str, standing: str | None
) -> None:
    row = tables["thirds"].row(0, named=True) | {"status": status, "penalty_ratio": penalty}
    assert ("outside" if is_outside(row, 0.1) else "not") == side
    verdict = verdict_of(Night(tables), [row | {"overhead_usd": Decimal(0)}])
    assert (verdict.phase == "inference") is (standing is None)
    assert standing is None or verdict.standing == standing


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
    assert "45 of 45 invoices tie out" in re.sub(r"<[^>]*>", "", markup).replace("\n", " ")


def test_a_change_without_a_correction_is_a_warning_among_the_causes(tables: Tables, built: dict[str, Any]) -> None:
    markup = render.html(tables, **built)
    rows = re.findall(r"<tr>.*?</tr>", markup[markup.index('<table class="causes">') :], re.DOTALL)[1:4]
    assert [("needs attention" in row, "without a Correction" in row) for row in rows] == [
        (False, False), (True, True), (False, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "penalty", "drawn"),
    [
        ("inference_heavy", 0.05, "balanced"),
        ("inference_heavy", 0.2, "inference_heavy"),
        ("balanced", 0.05, "balanced"),
        ("balanced", 0.2, "posttraining_heavy"),  # 50 % against a third is farthest over its target
        ("too_young", 0.9, "too_young"),
    ],
)
def test_a_dot_is_drawn_by_where_its_model_stands_today(
    tables: Tables, status: str, penalty: float, drawn: str
) -> None:
    shares = {"pretraining_ratio": 0.2, "posttraining_ratio": 0.5, "inference_ratio": 0.3}
    row = tables["thirds"].row(0, named=True) | {"status": status, "penalty_ratio": penalty} | shares
    assert status_today(Night(tables), row) == drawn


def test_the_page_does_not_depend_on_how_many_digits_the_thread_reckons_in(
    tables: Tables, built: dict[str, Any]
) -> None:
    with localcontext(prec=6):
        narrow = render.html(tables, **built)

    assert narrow == render.html(tables, **built)
