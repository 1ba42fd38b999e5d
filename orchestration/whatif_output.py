"""`trisect whatif`: the decision engine on changed assumptions, as a table to read or as JSON."""

from __future__ import annotations

from collections.abc import Mapping

import click
import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.settings import Project
from transforms.decisions.portfolio.whatif import Overrides, changed_recommendations, whatif
from warehouse import exports
from warehouse.connection import look
from warehouse.schemas.names import model_key
from warehouse.tables import Frames

COLUMNS = ("published", "changed", "difference")
# Numbers that are read digit by digit: smaller ones need decimals, larger ones the name of their size.
_LEAST_WHOLE, _MOST_WHOLE = 1e3, 1e9
_SIZES = ((1e12, "T"), (1e9, "B"))
_LABELS = {
    "gpus_held": "GPUs that serve it",
    "gpus_needed_p50": "GPUs needed p50",
    "gpu_usd_a_month": "USD a month for its GPUs",
    "gpu_usd_a_month_needed_p50": "USD a month for the GPUs needed p50",
}


def answer(project: Project, model_id: str, overrides: Overrides) -> Mapping[str, pl.DataFrame]:
    """What the engine says: the quantities of each alternative, and what would be recommended."""
    connection = look(project.var)
    try:
        tables = Frames(connection)
        subject = subject_of(model_id, tables["models"])
        quantities = whatif(subject, overrides, tables)
        return {"quantities": quantities, "recommendations": changed_recommendations(subject, overrides, tables)}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    finally:
        connection.close()


def subject_of(name: str, models: pl.DataFrame) -> str:
    """The model of models.csv that has this name or alias, as names are compared everywhere; else the name itself."""
    named = models.select("model_id", pl.concat_list("model_id", "aliases").alias("name")).explode("name")
    meant: dict[str, str] = {model_key(each): model_id for model_id, each in named.iter_rows()}
    return meant.get(model_key(name), name)


def as_json(answer_tables: Mapping[str, pl.DataFrame]) -> str:
    """The answer as one JSON document."""
    return exports.document({name: exports.rows(rows, ()) for name, rows in answer_tables.items()}).decode()


def shown(answer_tables: Mapping[str, pl.DataFrame]) -> None:
    """Print the answer for a person."""
    console = Console()
    for row in answer_tables["recommendations"].iter_rows(named=True):
        console.print(f"{row['action']}: {row['reason']}", markup=False)
    table = Table("quantity", *COLUMNS)
    last = None
    for row in answer_tables["quantities"].iter_rows(named=True):
        heading = " ".join(
            str(row[name]) for name in ("action", "task", "deployment_id", "target_model_id") if row[name]
        )
        if heading != last:
            table.add_section()
            table.add_row(f"[bold]{escape((heading or 'the model').replace('_', ' '))}")
            if row["compared_with"]:
                sizes = (row["candidate"], row["changed_candidate"])
                table.add_row("candidate", *(escape(size or "–") for size in sizes), "")
                table.add_row("compared with", escape(row["compared_with"]), "", "")
            last = heading
        table.add_row(_words(row["quantity"], row["unit"]), *(_number(row[name]) for name in COLUMNS))
    console.print(table)


def _words(quantity: str, unit: str) -> str:
    """The quantity and its unit, short enough for a terminal of 80 columns."""
    if quantity in _LABELS:
        return _LABELS[quantity]
    words = quantity.replace("_mtok", " million tokens").replace("_", " ").replace("usd per", "USD per")
    is_said = unit in words or "USD per" in words or quantity.startswith("daily") or unit == "ratio"
    return words if is_said else f"{words.replace(' usd', '')}, {unit}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    size, letter = next(((size, letter) for size, letter in _SIZES if abs(value) >= size), (1.0, ""))
    if letter and abs(value) < size * _LEAST_WHOLE:
        return f"{value / size:.4g} {letter}"
    return f"{value:,.0f}" if _LEAST_WHOLE <= abs(value) < _MOST_WHOLE else f"{value:.4g}"
