"""The index of every number that the report refers to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace

import polars as pl

from transforms.reports.metrics.amortization import amortization_numbers
from transforms.reports.metrics.bridge import bridge_numbers
from transforms.reports.metrics.compute import compute_numbers
from transforms.reports.metrics.decisions import decision_numbers
from transforms.reports.metrics.metric import Number, context
from transforms.reports.metrics.reconciliation import reconciliation_numbers
from transforms.reports.metrics.report_facts import Night
from transforms.reports.metrics.served import served_numbers
from transforms.reports.metrics.sheet import sheet_numbers
from transforms.reports.metrics.summary import summary_numbers
from transforms.reports.metrics.thirds import thirds_numbers
from transforms.reports.metrics.unit_costs import unit_cost_numbers
from warehouse.schemas import CATALOGUE
from warehouse.schemas.reports import Numbers

JOB = "night"
"""The name of Dagster's job; a night of it is found in its UI by this and its date."""

SECTIONS = {
    "summary": summary_numbers,
    "decisions": decision_numbers,
    "bridge": bridge_numbers,
    "thirds": thirds_numbers,
    "unit_costs": unit_cost_numbers,
    "served": served_numbers,
    "amortization": amortization_numbers,
    "compute": compute_numbers,
    "reconciliation": reconciliation_numbers,
}


def numbers(
    settings: pl.DataFrame,
    subject: pl.DataFrame,
    pages: pl.DataFrame,
    month_figures: pl.DataFrame,
    movers: pl.DataFrame,
    headline_metrics: pl.DataFrame,
    band_verdicts: pl.DataFrame,
    company_thirds: pl.DataFrame,
    idle_pools: pl.DataFrame,
    daily_spend: pl.DataFrame,
    lifecycle_spend: pl.DataFrame,
    thirds: pl.DataFrame,
    amortization: pl.DataFrame,
    runoffs: pl.DataFrame,
    reconciliation: pl.DataFrame,
    scope: pl.DataFrame,
    restated_months: pl.DataFrame,
    recommendations: pl.DataFrame,
    recommended_totals: pl.DataFrame,
    track_record: pl.DataFrame,
    variance_bridge: pl.DataFrame,
    unit_costs: pl.DataFrame,
    waste: pl.DataFrame,
    goodput: pl.DataFrame,
    quarters: pl.DataFrame,
    law_verdicts: pl.DataFrame,
    serving_batches: pl.DataFrame,
    runs_in_flight: pl.DataFrame,
    task_standings: pl.DataFrame,
    usage_gaps: pl.DataFrame,
    served_groups: pl.DataFrame,
    token_usage: pl.DataFrame,
    files: pl.DataFrame,
    quarantine: pl.DataFrame,
) -> pl.DataFrame:
    """Each number valued by its own query, in reading order; what has no value has no row."""
    return _rows(_valued(dict(locals())))  # the arguments, by the names of the tables they are


def _valued(tables: dict[str, pl.DataFrame]) -> list[Number]:
    asked = context({CATALOGUE[name].qualified(): frame for name, frame in tables.items()})
    run, digest = f"{JOB}/{tables['settings'].item(0, 'as_of')}", _input_digest(tables["files"])
    valued = (number.valued(asked) for number in _in_reading_order(Night.of(tables), tables["pages"]))
    return [replace(number, run=run, input_digest=digest) for number in valued if number.value is not None]


def _rows(numbers: list[Number]) -> pl.DataFrame:
    rows = [
        asdict(replace(number, position=position)) | {"query": number.query}
        for position, number in enumerate(numbers, start=1)
    ]
    return Numbers.frame(pl.DataFrame(rows, schema=Numbers.polars_schema())) if rows else Numbers.empty()


def _in_reading_order(night: Night, pages: pl.DataFrame) -> Iterator[Number]:
    """Each number where it is read first."""
    shown = pages.filter("is_shown").sort("position").iter_rows(named=True)
    asked = (number for row in shown for number in _of_page(night, row["page"], row["model_id"]))
    first: dict[str, Number] = {}
    for number in asked:
        first.setdefault(number.number_id, number)
    return iter(first.values())


def _of_page(night: Night, page: str, model_id: str | None) -> Iterator[Number]:
    if model_id is not None:
        yield from sheet_numbers(night, model_id)
    elif page in SECTIONS:
        yield from SECTIONS[page](night)


def _input_digest(files: pl.DataFrame) -> str:
    lines = sorted(f"{sha}\n" for sha in files["sha256"])
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
