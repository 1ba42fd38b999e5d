"""The pages fit their paper when every part of them has as much to say as it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from bench.report_tables import reported
from templates import render
from warehouse.schemas import CATALOGUE
from warehouse.vocabulary import COST_DRIVERS

if TYPE_CHECKING:
    from bench.report_company import Company

LONG = "An-Extraordinarily-Long-Name-Of-A-Model-"
OCTOBER = date(2026, 10, 1)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name]
    return schema.frame(pl.DataFrame(rows, schema_overrides=schema.polars_schema()))


def of_all_drivers(bridge: pl.DataFrame) -> pl.DataFrame:
    """The change of the first entity, parted among all drivers."""
    first = bridge.row(0, named=True)
    parts = [
        first | {"driver": driver, "change_usd": Decimal(place * 1000)} for place, driver in enumerate(COST_DRIVERS)
    ]
    rest = first["change_usd"] - sum((part["change_usd"] for part in parts), Decimal(0))
    parts[-1]["change_usd"] += rest
    return pl.concat([table("variance_bridge", parts), bridge.slice(1)])


def offers(unit_costs: pl.DataFrame) -> pl.DataFrame:
    rows = unit_costs.filter(month=OCTOBER).to_dicts()
    return table("api_comparisons", [
        {"month": OCTOBER, "model_id": row["model_id"], "provider": "A-Provider-With-A-Long-Name", "api_model": "x",
         "rank": 1, "is_named": True, "priced_on": OCTOBER, "reference": "invented", "api_usd_per_mtok": Decimal(2),
         "allocated_usd_per_mtok": row["allocated_usd_per_mtok"], "buy_usd": Decimal(1), "build_usd": Decimal(2),
         "buy_ratio": 0.5}
        for row in rows
    ])  # fmt: skip


def promises(record: pl.DataFrame) -> pl.DataFrame:
    followed = record.drop_nulls("realised_usd")
    return pl.concat([
        followed.with_columns(model_id=pl.lit(LONG), recommended_as_of=pl.col("recommended_as_of") - timedelta(n))
        for n in range(5)
    ])  # fmt: skip


@pytest.fixture
def fullest(company: Company, tables_of: Callable[[Company], dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    lives = tuple(replace(life, name=f"{LONG}{n:02d}") for n, life in enumerate(company.lives))
    tables = tables_of(replace(company, lives=lives))
    costs = tables["unit_costs"]
    is_idle = pl.col("model_id") == lives[0].name
    far = [pl.when(is_idle).then(pl.col(name) * 40_000).otherwise(name).alias(name)
           for name in costs.columns if name.endswith("_usd_per_mtok")]  # fmt: skip
    models = tables["models"].with_row_index("place").with_columns(
        retires_on=pl.lit(date(2026, 12, 1)) + pl.duration(days=pl.col("place"))
    )  # fmt: skip
    months = tables["reported_months"].with_columns(pl.col("effective_usd") + 7)
    changed = {
        "unit_costs": CATALOGUE["unit_costs"].frame(costs.with_columns(far)),
        "models": CATALOGUE["models"].frame(models.drop("place")),
        "variance_bridge": of_all_drivers(tables["variance_bridge"]),
        "api_comparisons": offers(costs),
        "track_record": promises(tables["track_record"]),
        "reported_months": months,
    }
    return reported({**tables, **changed})


@pytest.mark.parametrize("paper", render.PAPERS)
def test_the_fullest_pages_fit_their_paper(fullest: dict[str, pl.DataFrame], built: dict[str, Any], paper: str) -> None:
    assert render.pdf(fullest, attachments={}, paper=paper, **built).startswith(b"%PDF")


def test_the_fullest_pages_end_their_lists_with_what_is_left_out(
    fullest: dict[str, pl.DataFrame], built: dict[str, Any]
) -> None:
    words = render.html(fullest, **built)
    assert "more models served" in words
    assert "small models" in words
