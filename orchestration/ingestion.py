"""The first assets of a night: settings and policy as tables, the inbox as raw tables, what was published before."""

from collections.abc import Iterator

import dagster as dg

from orchestration.resources import Warehouse, night_end, night_of
from orchestration.settings import Project
from orchestration.settings_tables import accepted_findings, settings_table, source_priorities
from orchestration.table_assets import spec
from transforms.staging import request_hours as hourly
from warehouse import history
from warehouse.connection import Limits
from warehouse.errors import HeldError
from warehouse.landing import file_cache, landing
from warehouse.landing.requests.daily_reduction import refresh_request_hours
from warehouse.landing.requests.engines import Engine, engine
from warehouse.landing.requests.landed_files import landed_requests, policy_changes_within_hours
from warehouse.schemas import history as history_schemas
from warehouse.schemas import policy as policy_schemas
from warehouse.schemas import raw as raw_schemas
from warehouse.schemas import tables_of
from warehouse.sources.policy.policy import read_policy
from warehouse.tables import content_version

COMPUTED = (raw_schemas.RequestHours, raw_schemas.Findings)
LANDED = [table for table in tables_of(raw_schemas) if table not in COMPUTED]
SETTINGS = (policy_schemas.Settings, policy_schemas.AcceptedFindings, policy_schemas.SourcePriorities)
POLICY = [table for table in tables_of(policy_schemas) if table not in SETTINGS]
REMEMBERED = tables_of(history_schemas)
REDUCED_FROM = [raw_schemas.Files, policy_schemas.Deployments, policy_schemas.TokenWeights]


@dg.multi_asset(specs=[spec(table) for table in SETTINGS])
def settings(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """The night, and what trisect.toml says."""
    project_settings = warehouse.project.settings
    with warehouse.writing(*SETTINGS):
        yield warehouse.write(
            policy_schemas.Settings, settings_table(project_settings, night_of(context), warehouse.clock())
        )
        yield warehouse.write(policy_schemas.AcceptedFindings, accepted_findings(project_settings))
        yield warehouse.write(policy_schemas.SourcePriorities, source_priorities(project_settings))


@dg.multi_asset(specs=[spec(table) for table in POLICY])
def policy(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """policy/*.csv, checked."""
    rows = read_policy(warehouse.project.root)
    with warehouse.writing(*POLICY):
        for table in POLICY:
            yield warehouse.write(table, rows[table.table_name])


@dg.multi_asset(specs=[spec(table) for table in LANDED])
def inbox(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """The files of the inbox, each landed once."""
    project = warehouse.project
    sources, run_on = project.settings.sources(), warehouse.clock().date()
    with warehouse.writing(*LANDED):
        landed = landing.land(
            project.workspace, sources, warehouse.connection, night_of(context), run_on, _engine(project).candidates
        )
        version = file_cache.version(warehouse.connection)
        for table in LANDED:
            yield warehouse.landed(table, version)
        hold(landed, project.settings.machine())


@dg.multi_asset(specs=[spec(table) for table in REMEMBERED])
def published_before(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None]]:
    """What earlier nights published."""
    with warehouse.writing(*REMEMBERED):
        history.remember(warehouse.connection, warehouse.project.published)
        for table in REMEMBERED:
            yield warehouse.landed(table, content_version(warehouse.connection, table))


@dg.multi_asset(specs=[spec(raw_schemas.RequestHours, REDUCED_FROM)])
def request_hours(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The landed requests, reduced to hours."""
    warehouse.require(REDUCED_FROM)
    connection = warehouse.connection
    files = landed_requests(connection, warehouse.project.var)
    changes = policy_changes_within_hours(connection)
    reduction = _engine(warehouse.project).reduction
    with warehouse.writing(raw_schemas.RequestHours):
        refresh_request_hours(connection, files, hourly, changes, night_end(context), reduction)
        return warehouse.landed(raw_schemas.RequestHours)


def _engine(project: Project) -> Engine:
    chosen = project.settings.engine
    return engine(chosen.telemetry, chosen.spark_master, project.var)


def hold(landed: landing.Landing, limits: Limits) -> None:
    """Hold the night where more files or rows were refused than the settings allow.

    Raises:
        HeldError: naming reason, file and what to do.
    """
    if len(landed.rejections) > limits.max_rejected_files:
        first = landed.rejections[0]
        raise HeldError(
            f"held: {first.reason}: {first.file} of source {first.source} cannot count: {first.detail}; "
            f"{len(landed.rejections)} rejected, {limits.max_rejected_files} allowed by max_rejected_files"
        )
    for landing_hold in landed.holds:
        raise HeldError(f"held: {landing_hold.reason}: source {landing_hold.source}: {landing_hold.detail}")
    for source in landed.refusals:
        if source.refused > limits.max_rejected_ratio * source.countable:
            raise HeldError(
                f"held: too_many_rejected: source {source.source} has {source.refused} of {source.countable} rows "
                f"quarantined, most of them in {source.worst_file}, {limits.max_rejected_ratio:.2%} are allowed; "
                "correct the file, or raise max_rejected_ratio (`trisect check` names every row)"
            )
