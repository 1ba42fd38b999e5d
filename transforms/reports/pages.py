"""Which pages the report has, and why the others are left out."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from transforms.reports.outlook import LEAST_HISTORY_DAYS
from warehouse.schemas.reports import Pages

MOST_SHEETS: Final = 8
HEAVY: Final = ("pretraining_heavy", "posttraining_heavy", "inference_heavy")


def pages(
    subject: pl.DataFrame,
    month_figures: pl.DataFrame,
    thirds: pl.DataFrame,
    amortization: pl.DataFrame,
    recommendations: pl.DataFrame,
    variance_bridge: pl.DataFrame,
    quarters: pl.DataFrame,
) -> pl.DataFrame:
    """Every page in its order; model sheets stand where they belong, at most eight."""
    row = subject.row(0, named=True)
    served = month_figures.filter((pl.col("tokens") > 0) | (pl.col("units") > 0)).height > 0
    reasons = {
        "summary": None,
        "bridge": _bridge(row, variance_bridge),
        "thirds": None,
        "unit_economics": None if served else "no tokens or units were served",
        "waste": None,
        "amortization": None if amortization.height else "no training cost is carried",
        "recommendations": None,
        "outlook": _outlook(row, quarters),
    }
    ordered = [{"page": page, "model_id": None, "reason": reason} for page, reason in reasons.items()]
    ordered += [{"page": "sheet", "model_id": model, "reason": None} for model in _sheets(thirds, recommendations)]
    ordered += [{"page": page, "model_id": None, "reason": None} for page in ("reconciliation", "method")]
    schema = {"page": pl.String, "model_id": pl.String, "reason": pl.String}
    rows = pl.DataFrame(ordered, schema=schema).with_row_index("position", offset=1)
    return Pages.frame(rows.with_columns(is_shown=pl.col("reason").is_null()))


def _bridge(row: dict[str, Any], variance_bridge: pl.DataFrame) -> str | None:
    if row["previous_month"] is None:
        return "no month before to compare with"
    explained = variance_bridge.filter(pl.col("month") == row["month"]).height > 0
    return None if explained else "the change of the month is not explained"


def _outlook(row: dict[str, Any], quarters: pl.DataFrame) -> str | None:
    if row["history_days"] < LEAST_HISTORY_DAYS:
        return "under 28 days of history"
    return None if quarters.height else "serving cost is not forecast"


def _sheets(thirds: pl.DataFrame, recommendations: pl.DataFrame) -> list[str]:
    """Models outside the band or with an action first, then by lifetime spend."""
    advised = recommendations.filter(pl.col("action") != "hold")["model_id"].drop_nulls()
    spend = pl.col("pretraining_usd") + pl.col("posttraining_usd") + pl.col("inference_usd")
    ranked = thirds.with_columns(
        is_first=pl.col("status").is_in(HEAVY) | pl.col("model_id").is_in(advised.implode()), spend=spend
    ).filter(pl.col("spend") != 0)
    return ranked.sort("is_first", "spend", "model_id", descending=[True, True, False])["model_id"].to_list()[
        :MOST_SHEETS
    ]
