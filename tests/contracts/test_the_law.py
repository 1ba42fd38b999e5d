"""The one law: a table has one name, and a signature says what it reads."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import pytest

import transforms
from warehouse.schemas import CATALOGUE, STAGES, tables_of

COMPUTED = ("staging", "ledger", "economics", "decisions", "reports")
GATHERED = ("raw",)


def _functions(stage: str) -> dict[str, list[Callable[..., object]]]:
    package = importlib.import_module(f"transforms.{stage}")
    found: dict[str, list[Callable[..., object]]] = {}
    for module in pkgutil.walk_packages(package.__path__, f"transforms.{stage}."):
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if function.__module__ == module.name and not module.name.endswith(".checks"):
                found.setdefault(name, []).append(function)
    return found


TABLES = [table for stage in STAGES for table in tables_of(stage) if table.table_stage in COMPUTED]


def test_table_names_are_unique_over_all_stages() -> None:
    names = [table.table_name for stage in STAGES for table in tables_of(stage)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.qualified())
def test_every_computed_table_has_one_function_of_its_name_that_reads_tables(table: type) -> None:
    functions = _functions(table.table_stage).get(table.table_name, [])

    assert len(functions) == 1, f"{table.qualified()} is computed {len(functions)} times"
    assert set(inspect.signature(functions[0]).parameters) <= set(CATALOGUE)


@pytest.mark.parametrize("table", CATALOGUE.values(), ids=lambda table: table.qualified())
def test_every_table_says_what_a_row_is_and_every_column_what_it_means(table: type) -> None:
    assert (inspect.getdoc(table) or "").startswith(("One ", "The one "))
    assert all(column.description for column in table.columns().values())


def test_the_stages_of_the_code_are_the_stages_of_the_warehouse() -> None:
    packages = {module.name for module in pkgutil.iter_modules(transforms.__path__) if module.ispkg}

    assert packages == {*COMPUTED, *GATHERED}
