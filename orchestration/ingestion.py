"""The first assets of a night: settings and policy as tables, the inbox as raw tables."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from orchestration.resources import Warehouse, night_of
from orchestration.table_assets import spec
from warehouse import landing
from warehouse.schemas import policy as policy_schemas
from warehouse.schemas import raw as raw_schemas
from warehouse.schemas import tables_of
from warehouse.sources.policy import read_policy

LANDED = [table for table in tables_of(raw_schemas) if table is not raw_schemas.RequestHours]
POLICY = [table for table in tables_of(policy_schemas) if table is not policy_schemas.Settings]


@dg.multi_asset(specs=[spec(policy_schemas.Settings)])
def settings(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The night, and what trisect.toml says."""
    row = warehouse.project.settings.table(night_of(context), warehouse.clock())
    return warehouse.write(policy_schemas.Settings, row)


@dg.multi_asset(specs=[spec(table) for table in POLICY])
def policy(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """policy/*.csv, checked."""
    rows = read_policy(warehouse.project.root)
    for table in POLICY:
        yield warehouse.write(table, rows[table.table_name])


@dg.multi_asset(specs=[spec(table) for table in LANDED])
def inbox(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """The files of the inbox, landed once each."""
    project = warehouse.project
    landed = landing.land(project.root, project.settings.sources(), warehouse.connection, night_of(context))
    hold(landed, warehouse)
    for table in LANDED:
        yield warehouse.landed(table)
