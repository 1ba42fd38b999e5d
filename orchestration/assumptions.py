"""`trisect whatif`: the decision engine on changed assumptions, as a table to read or as JSON."""

from __future__ import annotations

from collections.abc import Mapping

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from orchestration.settings import Project
from transforms.decisions.whatif import Overrides, changed_recommendations, whatif
from warehouse import exports
from warehouse.connection import look
from warehouse.tables import Frames

COLUMNS = ("published", "changed", "difference")


def answer(project: Project, model_id: str, overrides: Overrides) -> Mapping[str, pl.DataFrame]:
    """What the engine says: the quantities of each alternative, and what would be recommended."""
    connection = look(project.var)
    try:
        tables = Frames(connection)
        quantities = whatif(model_id, overrides, tables)
        return {"quantities": quantities, "recommendations": changed_recommendations(model_id, overrides, tables)}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    finally:
        connection.close()


def as_json(said: Mapping[str, pl.DataFrame]) -> str:
    """The answer as one JSON document."""
    return exports.document({name: exports.rows(rows, ()) for name, rows in said.items()}).decode()


def shown(said: Mapping[str, pl.DataFrame]) -> None:
    """Print the answer for a person."""
    console = Console()
    for row in said["recommendations"].iter_rows(named=True):
        console.print(f"{row['action']}: {row['reason']}", markup=False)
    table = Table("alternative", "quantity", *COLUMNS, "unit")
    for row in said["quantities"].iter_rows(named=True):
        place = " ".join(str(row[name]) for name in ("action", "task", "deployment_id", "target_model_id") if row[name])
        table.add_row(place or "the model", row["quantity"], *(_number(row[name]) for name in COLUMNS), row["unit"])
    console.print(table)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
