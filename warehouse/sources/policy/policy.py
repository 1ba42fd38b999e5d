"""Reads policy/*.csv: what only the company knows, typed, checked as a whole, with every fault named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.schemas import policy
from warehouse.schemas.quality_metrics import better_direction
from warehouse.schemas.table import Table
from warehouse.sources.policy.faults import Fault, PolicyError
from warehouse.sources.policy.files import Sheet, columns_in_file, read_sheet
from warehouse.sources.policy.model_names import Names, names_of
from warehouse.sources.policy.table_checks import (
    MODEL_REFERENCES,
    circles,
    endless_rates,
    faults_of_rows,
    unknown_models,
    values_without_gpus,
)

TABLES: Final[Mapping[str, type[Table]]] = {
    table.table_name: table
    for table in (
        policy.Models,
        policy.Attribution,
        policy.Deployments,
        policy.Pools,
        policy.Rates,
        policy.Fx,
        policy.Lives,
        policy.TokenWeights,
        policy.Instances,
        policy.ApiPrices,
        policy.Budgets,
        policy.Workloads,
        policy.CommitmentTerms,
        policy.Assets,
    )
}
NEEDED: Final = ("models", "attribution")
# Files that are not called as their table, because the ledger has a table of that name.
FILE_NAMES: Final[Mapping[str, str]] = {"commitment_terms": "commitments"}
BUILT_IN_INSTANCES: Final = Path(__file__).with_name("instances.csv")
BUILT_IN_API_PRICES: Final = Path(__file__).with_name("api_prices.csv")


def read_policy(project: Path) -> Mapping[str, pl.DataFrame]:
    """Every policy table by name; a table without a file is empty, instances and API prices end with the built-in ones.

    Raises:
        PolicyError: with every fault found, each saying what, where, which value and what to do.
    """
    written = {name: _sheet(project, name) for name in TABLES}
    names, shared_names = names_of(written["models"])
    sheets = {name: _spelt_alike(name, sheet, names) for name, sheet in written.items()}
    faults = [
        *shared_names,
        *(fault for sheet in sheets.values() for fault in sheet.faults),
        *(fault for name, sheet in sheets.items() for fault in faults_of_rows(name, sheet)),
        *_faults_of_references(sheets, names),
        *endless_rates(sheets["rates"], sheets["pools"]),
        *values_without_gpus(sheets["rates"], sheets["pools"]),
    ]
    if faults:
        raise PolicyError(faults)
    return {name: _table(name, sheet, names) for name, sheet in sheets.items()}


def built_in_instances() -> Sheet:
    """The instance types of the large providers, with the page that publishes each."""
    return read_sheet(BUILT_IN_INSTANCES, BUILT_IN_INSTANCES.name, policy.Instances)


def built_in_api_prices() -> Sheet:
    """The prices of models with open weights at those who serve them, as catalogued in November 2026."""
    return read_sheet(BUILT_IN_API_PRICES, BUILT_IN_API_PRICES.name, policy.ApiPrices)


def _sheet(project: Path, name: str) -> Sheet:
    """One policy file; a needed one that is absent is a fault."""
    named = FILE_NAMES.get(name, name)
    path, file = project / "policy" / f"{named}.csv", f"policy/{named}.csv"
    sheet = read_sheet(path, file, TABLES[name])
    if path.exists() or name not in NEEDED:
        return sheet
    header = ",".join(columns_in_file(TABLES[name]))
    return replace(sheet, faults=(Fault(file, 0, "missing policy table", name, f"create it with the header {header}"),))


def _faults_of_references(sheets: Mapping[str, Sheet], names: Names) -> Iterator[Fault]:
    """Unknown names are told only when models.csv itself is sound: else every name would be unknown."""
    if sheets["models"].faults:
        return
    for column in MODEL_REFERENCES["models"]:
        yield from circles(sheets["models"], column)
    for name, sheet in sheets.items():
        yield from unknown_models(name, sheet, names)


def _spelt_alike(name: str, sheet: Sheet, names: Names) -> Sheet:
    """Models as models.csv spells them and currencies in capitals, so that two spellings of one are seen as one."""
    rows = _named(sheet.rows, MODEL_REFERENCES.get(name, ()), names)
    return replace(sheet, rows=rows.with_columns(pl.col("currency").str.to_uppercase()) if name == "fx" else rows)


def _table(name: str, sheet: Sheet, names: Names) -> pl.DataFrame:
    rows = sheet.rows
    if name == "attribution":
        rows = _positioned(_targeted(rows, names).sort("priority", "line"))
    if name == "instances":
        rows = _positioned(pl.concat([rows, built_in_instances().rows]))
    if name == "api_prices":
        rows = pl.concat([rows, built_in_api_prices().rows])
    if name == "workloads":
        directions = [better_direction(metric) for metric in rows["quality_metric"]]
        rows = rows.with_columns(better=pl.coalesce("better", pl.Series("better", directions, dtype=pl.String)))
    return TABLES[name].frame(rows)


def _named(rows: pl.DataFrame, columns: tuple[str, ...], names: Names) -> pl.DataFrame:
    """References as models.csv spells them."""
    return rows.with_columns(
        pl.Series(column, [_spelt(value, names) for value in rows[column]], dtype=pl.String) for column in columns
    )


def _targeted(rules: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Fields in small letters up to a key; model targets as models.csv spells them, unknown ones as they are."""
    spelt = [
        _spelt(target_id, names) if target == "model" else target_id
        for target, target_id in rules.select("target", "target_id").rows()
    ]
    return rules.with_columns(
        pl.Series("target_id", spelt, dtype=pl.String),
        pl.col("field").str.replace(r"^[^:]*", pl.col("field").str.extract(r"^([^:]*)").str.to_lowercase()),
    )


def _spelt(value: str | None, names: Names) -> str | None:
    return value if value is None else names.canonical(value) or value


def _positioned(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"))
