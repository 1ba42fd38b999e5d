"""A partition is no label: whatever the way in, a night is published with its own numbers or refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration import commands
from orchestration.definitions import build
from orchestration.exit_codes import Exit
from warehouse import publish
from warehouse.errors import BusyError, HeldError
from warehouse.sample import write_empty

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
NIGHT = date(2026, 11, 20)
EARLIER = date(2026, 11, 12)
SETTINGS = """[company]
name = "Example AI"
[[source]]
name = "cloud"
kind = "gpu_billing"
format = "table"
files = "inbox/cloud/*.csv"
[source.constants]
currency = "USD"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company with a bill of 10 USD a day, and its night of 20 November as `trisect run` published it."""
    folder = tmp_path_factory.mktemp("other_night")
    write_empty(folder)
    (folder / "trisect.toml").write_text(SETTINGS)
    bill = folder / "inbox" / "cloud" / "november.csv"
    bill.parent.mkdir()
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(20)]
    bill.write_text(
        "charge_start,charge_end,billed_cost,effective_cost,resource_id\n"
        + "".join(f"{day}T00:00:00Z,{day + timedelta(days=1)}T00:00:00Z,10,10,node\n" for day in days)
    )
    assert commands.run(folder, NIGHT, NIGHT, NOW) == Exit.PUBLISHED
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A store of Dagster's that nobody keeps."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def asked_for(project: Path, instance: dg.DagsterInstance, night: date, *keys: str) -> dg.ExecuteInProcessResult:
    """The assets of these keys, or all, of one partition, as the UI and a backfill launch them."""
    job = build(project, NOW).resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey(key.split("/")) for key in keys] or None
    try:
        return job.execute_in_process(instance=instance, partition_key=night.isoformat(), asset_selection=selection)
    except dg.DagsterUserCodeExecutionError as error:
        raise error.user_exception from error


def content(project: Path, night: date) -> dict[str, str]:
    """Digest by name of what a night exports and does not depend on the time of its building."""
    outputs = publish.manifest(project / "var" / "published", night, 1)["outputs"]
    return {each["file"]: each["sha256"] for each in outputs if not each["file"].endswith((".pdf", ".html"))}


@pytest.mark.parametrize("key", ["published/night", "economics/unit_costs", "economics/daily_spend", "reports/subject"])
def test_one_table_of_another_night_is_refused_in_the_ui(project: Path, instance: dg.DagsterInstance, key: str) -> None:
    with pytest.raises(HeldError, match=r"other_night: \w+\.\w+ holds 2026-11-20, 2026-10-05 is asked for"):
        asked_for(project, instance, date(2026, 10, 5), key)

    assert set(publish.nights(project / "var" / "published")) == {NIGHT}


def test_one_table_of_another_night_is_refused_on_the_command_line_of_dagster(project: Path) -> None:
    home = project / "var" / "dagster"
    other = EARLIER.isoformat()  # a day of the ledger: Dagster itself refuses those before it
    arguments = ["asset", "materialize", "--select", 'key:"published/night"', "--partition", other]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *arguments, "-m", "orchestration.definitions"],
        env={**os.environ, "TRISECT_PROJECT": str(project), "DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "other_night" in done.stderr
    assert set(publish.nights(project / "var" / "published")) == {NIGHT}


def test_a_table_of_this_night_may_be_made_again(project: Path, instance: dg.DagsterInstance) -> None:
    assert asked_for(project, instance, NIGHT, "reports/subject", "published/night").success
    assert publish.nights(project / "var" / "published") == {NIGHT: 1}


def test_no_night_starts_in_the_ui_while_another_run_is_active(project: Path, instance: dg.DagsterInstance) -> None:
    held = "import sys, pathlib; from orchestration.run_lock import sole_run\n"
    held += "with sole_run(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()"
    command = [sys.executable, "-c", held, str(project / "var")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match="another run"):
            asked_for(project, instance, NIGHT, "reports/subject")
        other.communicate()


def test_a_backfill_in_any_order_gives_the_bytes_of_the_command(
    project: Path, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    for night in (EARLIER, NIGHT):
        assert asked_for(project, instance, night).success
    command = tmp_path / "command"
    shutil.copytree(project, command, ignore=shutil.ignore_patterns("var"))
    assert commands.run(command, EARLIER, EARLIER, NOW) == Exit.PUBLISHED

    assert content(project, EARLIER) == content(command, EARLIER)
    assert publish.manifest(project / "var" / "published", EARLIER, 1)["night"] == EARLIER.isoformat()
