"""The lines of the ledger: cut by day, merged, numbered, never lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from transforms.ledger import postings as ledger
from transforms.ledger.checks import (
    charges_without_one_rule,
    misplaced_postings,
    pools_accrued_and_billed,
    postings_without_a_charge,
    totals_too_large,
    unbalanced_charges,
    unbalanced_invoices,
    unbalanced_sources,
)
from warehouse.schemas.ledger import Postings

NOON = datetime(2026, 10, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHARED = {"field": "resource_id", "pattern": "*", "target": "shared", "target_id": None, "team": "platform"}


def charge(name: str = "c", cost: str = "1", length: timedelta = DAY, **more: Any) -> dict[str, Any]:
    return {
        "charge_id": name,
        "charge_start": NOON,
        "charge_end": NOON + length,
        "billed_cost": cost,
        "resource_id": "r",
        **more,
    }


def test_a_whole_charge_is_cut_at_midnight_and_keeps_its_own_billing_period(books: Any) -> None:
    # noon to noon over the end of October: half a day each, the odd unit goes to the larger remainder, then the first
    lines = books(charges=[charge(cost="0.000000000005")], rules=[SHARED]).tables()["postings"]

    assert lines.select("posting_id", "line", "charge_date", "billing_period_start", "billed_cost").rows() == [
        ("c-1", 1, date(2026, 10, 31), date(2026, 10, 1), Decimal("0.000000000003")),
        ("c-2", 2, date(2026, 11, 1), date(2026, 10, 1), Decimal("0.000000000002")),
    ]
    assert lines["team"].to_list() == ["platform", "platform"]


def test_billed_and_effective_cost_are_split_separately_with_the_same_weights(books: Any) -> None:
    lines = books(charges=[charge(cost="-3", effective_cost="5")], rules=[SHARED]).tables()["postings"]

    assert lines["billed_cost"].to_list() == [Decimal("-1.5")] * 2
    assert lines["effective_cost"].to_list() == [Decimal("2.5")] * 2


def test_gpu_hours_of_a_charge_are_split_as_its_cost_and_told_in_seconds(books: Any) -> None:
    # 2.5 GPU-hours from noon to noon: 9,000 seconds, half on each day
    lines = books(charges=[charge(gpu_hours="2.5")], rules=[SHARED]).tables()["postings"]

    assert lines["gpu_seconds"].to_list() == [4500.0, 4500.0]


def test_lines_of_nothing_are_left_out_but_a_charge_keeps_one(books: Any) -> None:
    lines = books(charges=[charge(cost="0")], rules=[SHARED]).tables()["postings"]

    assert lines.select("posting_id", "billed_cost").rows() == [("c-1", Decimal(0))]


def test_a_correction_has_the_dates_of_what_it_corrects_and_the_period_of_its_bill(books: Any) -> None:
    late = charge(cost="-2", charge_class="Correction", billing_period_start=date(2026, 12, 1))
    lines = books(charges=[late]).tables()["postings"]

    assert lines["account"].unique().to_list() == ["adjustment"]
    assert lines["charge_date"].to_list() == [date(2026, 10, 31), date(2026, 11, 1)]
    assert lines["billing_period_start"].unique().to_list() == [date(2026, 12, 1)]


def test_portions_of_the_work_leave_the_ledger_as_it_is(books: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bill = [charge(f"c{number}", cost=f"{number}.07", length=number * DAY / 3) for number in range(20)]
    at_once = books(charges=bill, rules=[SHARED]).tables()["postings"]
    monkeypatch.setattr(ledger, "HOURS_AT_ONCE", 30)

    assert_frame_equal(books(charges=bill, rules=[SHARED]).tables()["postings"], at_once)


def test_without_charges_there_are_no_postings(books: Any) -> None:
    lines = books().tables()["postings"]

    assert lines.is_empty()
    assert lines.schema == Postings.empty().schema


def test_a_posting_says_when_its_charge_became_known(books: Any) -> None:
    lines = books(charges=[charge(known_at=NOON + 9 * DAY)]).tables()["postings"]

    assert lines["known_at"].unique().to_list() == [NOON + 9 * DAY]


def test_a_good_ledger_passes_every_check(books: Any) -> None:
    night = books(charges=[charge(), charge("e", invoice_id="i", currency="EUR")], rules=[SHARED]).tables()

    for check in (unbalanced_charges, unbalanced_invoices, unbalanced_sources, postings_without_a_charge):
        assert check(night["charges"], night["postings"]).is_empty()
    assert charges_without_one_rule(night["charges"], night["charge_rules"]).is_empty()
    assert misplaced_postings(night["postings"]).is_empty()


def test_one_unit_too_much_or_a_missing_line_breaks_the_balance_of_charge_invoice_and_source(books: Any) -> None:
    night = books(charges=[charge(), charge("d", cost="2")], rules=[SHARED]).tables()
    unit = pl.lit(Decimal("0.000000000001"), dtype=pl.Decimal(38, 12))
    is_first = pl.col("posting_id") == "c-1"
    spoiled = (
        night["postings"].with_columns(
            pl.when(is_first).then(pl.col("effective_cost") + unit).otherwise("effective_cost")
        ),
        night["postings"].filter(~is_first),
        night["postings"].filter(pl.col("charge_id") == "d"),
    )

    for postings in spoiled:
        assert unbalanced_charges(night["charges"], postings)["charge_id"].to_list() == ["c"]
        assert unbalanced_invoices(night["charges"], postings).height == 1
        assert unbalanced_sources(night["charges"], postings).height == 1


def test_postings_of_an_unknown_charge_and_charges_without_a_rule_are_named(books: Any) -> None:
    night = books(charges=[charge(), charge("d")], rules=[SHARED]).tables()

    without = night["charges"].filter(pl.col("charge_id") == "c")
    assert postings_without_a_charge(without, night["postings"])["charge_id"].unique().to_list() == ["d"]
    no_rule = night["charge_rules"].filter(pl.col("charge_id") == "c")
    assert charges_without_one_rule(night["charges"], no_rule)["charge_id"].to_list() == ["d"]


def test_an_account_that_contradicts_its_dimensions_is_named(books: Any) -> None:
    lines = books(charges=[charge()], rules=[SHARED]).tables()["postings"]

    for spoiled in (
        lines.with_columns(pl.lit("m").alias("model_id")),
        lines.with_columns(pl.lit("direct").alias("account")),
        lines.with_columns(pl.lit("idle").alias("account")),
        lines.with_columns(pl.lit("p").alias("pool_id")),
        lines.with_columns(pl.lit(value=True).alias("is_waste")),
    ):
        assert misplaced_postings(spoiled).height == 2


def test_a_pool_that_is_both_accrued_and_billed_is_named_with_the_day(books: Any) -> None:
    to_pool = {"field": "resource_id", "pattern": "r", "target": "pool", "target_id": "own"}
    accrued = charge(
        "a", source="accrual", resource_id="own", charge_start=NOON - DAY / 2, charge_end=NOON + DAY / 2, gpu_hours="8"
    )
    for start, is_twice in ((NOON, True), (NOON + DAY / 2, False)):
        bill = [accrued, charge(charge_start=start, charge_end=start + DAY, gpu_hours="1")]
        night = books(charges=bill, rules=[to_pool]).tables()
        found = pools_accrued_and_billed(night["billed_hours"])
        assert found.rows() == ([("own", date(2026, 10, 31))] if is_twice else [])


def test_totals_that_128_bits_may_not_hold_are_named(books: Any) -> None:
    large = [charge("a", "9000000000000000000000000"), charge("b", "-9000000000000000000000000")]

    assert totals_too_large(books(charges=large).tables()["billed_days"])["currency"].to_list() == ["USD"]
    assert totals_too_large(books(charges=large[:1]).tables()["billed_days"]).is_empty()
