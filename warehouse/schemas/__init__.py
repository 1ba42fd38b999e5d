"""The catalogue: every table of the warehouse by its one name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from warehouse.schemas import decisions, economics, history, ledger, policy, raw, reports, staging
from warehouse.schemas.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

STAGES = (raw, policy, history, staging, ledger, economics, decisions, reports)


def tables_of(stage: ModuleType) -> list[type[Table]]:
    """The tables of one stage, in the order they were written."""
    return [
        value
        for value in vars(stage).values()
        if isinstance(value, type) and issubclass(value, Table) and value.__module__.startswith(stage.__name__)
    ]


CATALOGUE: Mapping[str, type[Table]] = MappingProxyType(
    {table.table_name: table for stage in STAGES for table in tables_of(stage)}
)
