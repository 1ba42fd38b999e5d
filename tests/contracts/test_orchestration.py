"""What users script against: commands, exit codes, and the graph of assets."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import ASSETS
from orchestration.checks import CHECKS
from orchestration.cli import trisect
from orchestration.definitions import build
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


def test_the_assets_are_the_tables_the_published_night_and_its_delivery() -> None:
    assets = {key.to_user_string() for asset in ASSETS for key in asset.keys}
    tables = {table.qualified().replace(".", "/") for table in CATALOGUE.values()}

    assert assets == tables | {"published/night", "published/delivery"}


def test_the_graph_of_assets_is_the_one_that_was_reviewed() -> None:
    assert graph() == GRAPH.read_text(encoding="utf-8").splitlines(), (
        "the graph has changed; review it, then write it to tests/contracts/asset_graph.txt"
    )


def test_the_code_location_loads_with_its_job_and_schedule(tmp_path: Path) -> None:
    definitions = build(tmp_path)

    dg.Definitions.validate_loadable(definitions)
    assert {job.name for job in definitions.resolve_all_job_defs()} >= {"night"}
    assert [schedule.name for schedule in definitions.schedules or ()] == ["nightly"]


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
