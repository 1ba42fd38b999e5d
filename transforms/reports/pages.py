"""Which pages the report has, what the title of each says, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from transforms.reports import title_cases as titles
from warehouse.schemas.reports import Pages

MOST_SHEETS: Final = 8
NAMES_ON_PAGE_5: Final = 6
Row = dict[str, Any]


def pages(
    subject: pl.DataFrame,
    month_figures: pl.DataFrame,
    month_classes: pl.DataFrame,
    headline_metrics: pl.DataFrame,
    quality_checks: pl.DataFrame,
    band_verdicts: pl.DataFrame,
    change_drivers: pl.DataFrame,
    amortization: pl.DataFrame,
    runoffs: pl.DataFrame,
    candidates: pl.DataFrame,
    recommendations: pl.DataFrame,
    training_runs: pl.DataFrame,
    quarters: pl.DataFrame,
    law_verdicts: pl.DataFrame,
    serving_batches: pl.DataFrame,
    runs_in_flight: pl.DataFrame,
    usage_gaps: pl.DataFrame,
    thirds: pl.DataFrame,
    served_groups: pl.DataFrame,
    models: pl.DataFrame,
) -> pl.DataFrame:
    """Every page in its order with the code of its title; a sheet only for a model with a decision, at most eight.

    A code is a verdict: the words for it stand in templates/words, the numbers in reports.numbers.
    """
    row = subject.row(0, named=True)
    now = month_figures.sort("month").row(-1, named=True)
    metrics = {one["metric"]: one for one in headline_metrics.to_dicts()}
    checks = {one["check"]: one["code"] for one in quality_checks.to_dicts()}
    case, missing = titles.decision_case(
        recommendations, candidates, quality_checks, training_runs, usage_gaps, models, now
    )
    spent = dict(
        month_classes.filter(month=row["month"]).select("cost_class", "effective_usd").iter_rows()
    )  # fmt: skip
    cost = metrics["effective_cost"]
    first, reason = titles.summary_title(now, cost["value"], spent, checks["model_coverage"], case, missing)
    bridge = titles.bridge_title(row, cost, change_drivers, quarters.height > 0)
    amortized = amortization.filter(pl.col("month") == row["month"])
    unit = titles.unit_title(metrics["unit_cost"], now)
    physics, stop = titles.compute_title(law_verdicts, serving_batches, runs_in_flight)
    ordered = [
        _page("summary", first, reason),
        _page("decisions", case, missing),
        _page("bridge", bridge, left_out=_bridge(row, bridge)),
        _page("thirds", titles.band_title(band_verdicts), left_out=_thirds(band_verdicts, thirds)),
        _page("unit_costs", unit, titles.waste_title(metrics["idle_and_failed"], now), _unit_costs(row)),
        _page("served", titles.served_title(served_groups), left_out=_served(served_groups)),
        _page("amortization", titles.amortization_title(metrics["unamortised_training"]["value"], runoffs,
              row["materiality_usd"]), left_out=None if amortized.height else "no training cost is amortised"),
        _page("compute", physics, stop, left_out=_compute(physics)),
        *_sheets(band_verdicts, recommendations),
        _page("reconciliation", titles.reconciliation_title(quality_checks)),
        _page("method", "method"),
    ]  # fmt: skip
    schema = {name: kind for name, kind in Pages.polars_schema().items() if name not in {"position", "is_shown"}}
    rows = pl.DataFrame(ordered, schema=schema).with_row_index("position", offset=1)
    return Pages.frame(rows.with_columns(is_shown=pl.col("reason").is_null()))


def _page(
    page: str, code: str, detail: str | None = None, left_out: str | None = None, model_id: str | None = None
) -> Row:
    return {"page": page, "model_id": model_id, "title_code": code, "title_detail": detail, "reason": left_out}


def _bridge(row: Row, code: str) -> str | None:
    if code != "nothing":
        return None
    if row["previous_month"] is None:
        return "no month before to compare with, and no forecast"
    return "the change of the month is not explained"


def _thirds(band_verdicts: pl.DataFrame, thirds: pl.DataFrame) -> str | None:
    if not band_verdicts.height or titles.has_balance(thirds):
        return None
    return "all direct cost is of one phase: there is no balance to judge"


def _unit_costs(row: Row) -> str | None:
    return None if row["first_day"] is not None else "nothing was served or billed"


def _served(served_groups: pl.DataFrame) -> str | None:
    """One dimension of few names stands on page 5 whole."""
    if not served_groups.height:
        return "no request names a team, a tenant or a task"
    if not any(served_groups["used_usd"]):
        return "what serving cost is not known"
    if served_groups["dimension"].n_unique() > 1 or served_groups.height > NAMES_ON_PAGE_5:
        return None
    return "page 5 shows all of it"


def _compute(code: str) -> str | None:
    return "no own model has a law, no deployment a known chip, and no run is going on" if code == "nothing" else None


def _sheets(band_verdicts: pl.DataFrame, recommendations: pl.DataFrame) -> Iterator[Row]:
    """Models with a decision, the most valuable decision first; the others are rows of one table."""
    asked = recommendations.filter(pl.col("action") != "hold").drop_nulls("model_id").sort("rank")
    states = dict(band_verdicts.select("model_id", "state").iter_rows())
    models = [model for model in dict.fromkeys(asked["model_id"]) if model in states]
    for model in models[:MOST_SHEETS]:
        yield _page("sheet", states[model], model_id=model)
