"""Every number of the report is what its own query returns, in the engine that readers use too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest

from bench.report_company import Company
from bench.report_tables import company_tables
from transforms.reports.metrics.metric import exact_value
from warehouse.schemas import CATALOGUE

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return company_tables(Company())


def test_each_table_of_the_stage_obeys_its_schema(tables: Tables) -> None:
    for name, table in CATALOGUE.items():
        if table.table_stage == "reports":
            table.validation().validate(tables[name], lazy=True)


def test_each_query_returns_its_number_from_the_tables_of_the_night(tables: Tables) -> None:
    with duckdb.connect() as connection:
        for name, table in CATALOGUE.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.table_stage}")
            frame = tables[name]  # noqa: F841 - named in the next line's SQL
            connection.execute(f"CREATE TABLE {table.qualified()} AS SELECT * FROM frame")
        for row in tables["numbers"].iter_rows(named=True):
            found = connection.execute(row["query"]).fetchall()[0][0]
            gap = abs(Decimal(repr(found) if isinstance(found, float) else found) - row["value"])
            assert gap <= abs(row["value"]) * Decimal("1e-9") + Decimal("1e-12"), row["number_id"]


def test_money_that_is_summed_is_exact(tables: Tables) -> None:
    spend = tables["daily_spend"].filter(
        pl.col("charge_date") >= date(2026, 10, 1),
        pl.col("charge_date") < date(2026, 11, 1),
        pl.col("account") != "out_of_scope",
    )
    cost = tables["numbers"].filter(number_id="effective_cost")["value"].item()
    assert cost == sum(spend["effective_usd"], Decimal(0))


def test_numbers_are_counted_in_reading_order_without_a_gap(tables: Tables) -> None:
    positions = tables["numbers"]["position"].to_list()
    assert positions == list(range(1, len(positions) + 1))
    order = tables["pages"].filter("is_shown").sort("position")["page"].unique(maintain_order=True).to_list()
    seen = tables["numbers"]["page"].unique(maintain_order=True).to_list()
    assert seen == [page for page in order if page in seen]


def shuffled(tables: Tables, seed: int) -> Tables:
    return {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in tables.items()}


def test_the_order_of_rows_changes_nothing(tables: Tables) -> None:
    from bench.report_tables import reported  # noqa: PLC0415 - the company's own way of computing the stage

    again = reported(shuffled(tables, 7))
    for name, table in CATALOGUE.items():
        if table.table_stage == "reports":
            assert again[name].equals(tables[name]), name


def small(**given: Any) -> Tables:
    return company_tables(Company(**given))


def test_a_month_without_a_bill_has_no_cost_and_no_page_of_changes() -> None:
    tables = small(has_bill=False)
    assert "effective_cost" not in set(tables["numbers"]["number_id"])
    left_out = dict(tables["pages"].filter(~pl.col("is_shown")).select("page", "reason").iter_rows())
    assert left_out["bridge"] == "no month before to compare with, and no forecast"


def test_classes_add_up_to_the_month_and_movers_to_its_change(tables: Tables) -> None:
    classes = tables["month_classes"].group_by("month").agg(pl.col("effective_usd").sum()).sort("month")
    figures = tables["month_figures"].select("month", "effective_usd").sort("month")
    assert classes.equals(figures)
    moved = sum(tables["movers"]["change_usd"], Decimal(0))
    costs = figures["effective_usd"].to_list()
    assert moved == costs[-1] - costs[-2]


def test_numbers_of_more_than_28_digits_keep_them_all() -> None:
    assert exact_value(Decimal("99999999999999999999.123456789012")) == Decimal("99999999999999999999.123456789012")
    assert exact_value(12345678901234567890.0) == Decimal(12345678901234567000)  # the shortest text of the double


def test_each_number_names_the_run_that_found_it(tables: Tables) -> None:
    night = tables["settings"].item(0, "as_of")

    assert tables["numbers"]["run"].unique().to_list() == [f"night/{night}"]
