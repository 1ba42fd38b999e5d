"""What users script against: commands, exit codes, and the graph of assets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import ASSETS
from orchestration.checks import CHECKS
from orchestration.cli import trisect
from orchestration.definitions import build, shown
from orchestration.exit_codes import Exit
from warehouse.schemas import CATALOGUE

ROOT = Path(__file__).parent.parent.parent
GRAPH = Path(__file__).parent / "asset_graph.txt"


def graph() -> list[str]:
    """One line for each asset: what it is and what it reads."""
    lines = []
    for asset in ASSETS:
        for spec in asset.specs:
            reads = sorted(dep.asset_key.to_user_string() for dep in spec.deps)
            lines.append(f"{spec.key.to_user_string()} <- {', '.join(reads) or 'outside'}")
    return sorted(lines)


def test_the_assets_are_the_tables_the_published_night_and_what_follows_it() -> None:
    assets = {key.to_user_string() for asset in ASSETS for key in asset.keys}
    tables = {table.qualified().replace(".", "/") for table in CATALOGUE.values()}

    assert assets == tables | {"published/night", "published/delivery", "published/retention", "published/nights_index"}


def test_the_graph_of_assets_is_the_one_that_was_reviewed() -> None:
    assert graph() == GRAPH.read_text(encoding="utf-8").splitlines(), (
        "the graph has changed; review it, then write it to tests/contracts/asset_graph.txt"
    )


def test_every_table_of_a_stage_stands_after_those_it_reads() -> None:
    """A stage computes its tables in the order they are written."""
    written: set[str] = set()
    early = []
    for asset in ASSETS:
        own = {key.to_user_string() for key in asset.keys}
        for spec in asset.specs:
            reads = {dep.asset_key.to_user_string() for dep in spec.deps}
            early += [(spec.key.to_user_string(), read) for read in reads & own - written]
            written.add(spec.key.to_user_string())

    assert early == []


def test_the_code_location_loads_with_its_job_and_schedule(tmp_path: Path) -> None:
    definitions = build(tmp_path)

    dg.Definitions.validate_loadable(definitions)
    assert {job.name for job in definitions.resolve_all_job_defs()} >= {"night"}
    assert [schedule.name for schedule in definitions.schedules or ()] == ["nightly"]
    assert [sensor.name for sensor in definitions.sensors or ()] == ["late_files", "missing_nights", "failed_runs"]


def test_what_runs_by_itself_is_switched_on_and_says_what_it_does(tmp_path: Path) -> None:
    definitions = build(tmp_path)
    [nightly] = definitions.schedules or ()

    assert nightly.default_status == dg.DefaultScheduleStatus.RUNNING
    assert all(sensor.default_status == dg.DefaultSensorStatus.RUNNING for sensor in definitions.sensors or ())
    assert all(each.description for each in (nightly, *(definitions.sensors or ()), *(definitions.jobs or ())))


def test_every_asset_has_an_owner_and_every_table_the_version_of_its_code() -> None:
    specs = [spec for asset in ASSETS for spec in asset.specs]

    assert all(spec.owners for spec in specs)
    assert all(spec.code_version for spec in specs if spec.group_name != "published")


def test_the_groups_of_the_graph_run_one_way() -> None:
    specs = {spec.key: spec for asset in ASSETS for spec in asset.specs}
    edges = {(specs[dep.asset_key].group_name, spec.group_name) for spec in specs.values() for dep in spec.deps}
    order = ["policy", "history", "raw", "staging", "ledger", "scaling_laws", "economics", "findings"]
    order += ["decisions", "reports", "published"]

    assert {group for edge in edges for group in edge} == set(order)
    assert [edge for edge in sorted(edges) if order.index(edge[0]) > order.index(edge[1])] == []


def test_the_ui_offers_the_nights_since_the_ledger_begins(tmp_path: Path) -> None:
    for month in ("2026-01", "2025-11", "2026-02"):
        ledger = tmp_path / "var" / "published" / "current" / "ledger" / f"{month}.parquet"
        ledger.parent.mkdir(parents=True, exist_ok=True)
        ledger.touch()

    nights = shown(tmp_path).resolve_job_def("night").partitions_def

    assert isinstance(nights, dg.DailyPartitionsDefinition)
    assert nights.start.date() == date(2025, 11, 1)


def test_every_check_blocks() -> None:
    checks = [check for stage in CHECKS.values() for check in stage]

    assert checks
    assert all(check.spec().blocking for check in checks)


@pytest.mark.parametrize("command", sorted(trisect.commands))
def test_every_command_is_in_the_readme_and_explains_itself(command: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert f"trisect {command}" in readme
    assert trisect.commands[command].help


def test_every_exit_code_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [code for code in Exit if f"| {code.value} |" not in readme] == []
