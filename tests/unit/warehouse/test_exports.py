"""Exports: same rows, same bytes, no cell that a spreadsheet would run, nothing lost on the way back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from warehouse import exports
from warehouse.manifest import money
from warehouse.schemas.history import PastRecommendations

ROWS = pl.DataFrame(
    {
        "key": ["b", "a", "c"],
        "name": ["=1+1", "plain", None],
        "cost": pl.Series([Decimal("-1.5"), Decimal(0), Decimal("0.000000000001")], dtype=pl.Decimal(38, 12)),
        "at": [datetime(2026, 11, 20, 1, tzinfo=UTC)] * 3,
    },
    schema_overrides={"at": pl.Datetime("us", "UTC")},
)


def test_rows_stand_in_order_of_their_key_and_money_has_twelve_decimals() -> None:
    assert exports.csv(ROWS, ("key",)).decode() == (
        "key,name,cost,at\n"
        "a,plain,0.000000000000,2026-11-20T01:00:00.000000Z\n"
        "b,'=1+1,-1.500000000000,2026-11-20T01:00:00.000000Z\n"
        "c,,0.000000000001,2026-11-20T01:00:00.000000Z\n"
    )


def test_the_order_of_rows_does_not_change_a_byte() -> None:
    assert exports.csv(ROWS, ("key",)) == exports.csv(ROWS.reverse(), ("key",))


def test_every_start_of_a_formula_is_guarded_and_taken_off_again() -> None:
    names = ["=a", "+a", "-2+3", "@SUM(1)", "\ta", "\ra", "a=", "'=quoted"]
    rows = pl.DataFrame({"rank": range(8), "model_id": names, "night": [date(2026, 11, 20)] * 8})

    written = exports.csv(rows, ("rank",))

    guarded = pl.read_csv(written, infer_schema=False)["model_id"].to_list()
    assert [name[0] for name in guarded[:6]] == ["'"] * 6
    read = exports.read_csv(written, PastRecommendations)
    assert read["model_id"].to_list()[:7] == names[:7]
    assert read["night"].to_list() == rows["night"].to_list()


def test_money_is_text_with_twelve_decimals_and_never_minus_zero() -> None:
    assert money(Decimal("-0")) == "0.000000000000"
    assert money(Decimal("1E+3")) == "1000.000000000000"
    assert money(Decimal("-7.333333333333")) == "-7.333333333333"
