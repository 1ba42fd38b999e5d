"""What is typed at the command: nights that cannot be, numbers that cannot be, names that are spelt in another way."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import polars as pl
import pytest

from orchestration import cli
from orchestration.exit_codes import Exit
from orchestration.preview import Preview
from orchestration.progress import Detail, steps_shown
from orchestration.published_night import PublishedNight
from orchestration.resources import STEPS
from orchestration.run_lock import sole_run
from orchestration.schedules import nightly
from orchestration.settings import DAGSTER_VARIABLES, HOME_VARIABLE
from orchestration.whatif_output import subject_of
from warehouse.errors import HeldError
from warehouse.landing.progress import LANDED
from warehouse.sample import write_empty
from warehouse.schemas.raw import Files, Quarantine

Trisect = Callable[..., tuple[int, str]]
NOW = "2026-11-21T06:00:00Z"


@pytest.fixture
def trisect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trisect:
    """Run the command on an empty project: its exit code and what it said on both streams."""
    write_empty(tmp_path / "company")
    for name in (HOME_VARIABLE, *DAGSTER_VARIABLES):
        monkeypatch.setenv(name, "")  # so that what the command sets for Dagster ends with the test

    def typed(command: str, *words: str) -> tuple[int, str]:
        line = ["trisect", command, *words, "--project", str(tmp_path / "company")]
        monkeypatch.setattr("sys.argv", line)
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return int(str(left.value.code)), said.out + said.err

    return typed


def publish_nothing(folder: Path, night: str) -> None:
    """A published night with nothing in it but its manifest."""
    directory = folder / "company" / "var" / "published" / night
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text('{"inputs": [], "outputs": [], "findings": []}')


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--night", "2026-11-22"),
            "night 2026-11-22 begins after this clock, 2026-11-21T06:00:00+00:00; name one up",
        ),
        (("--from", "2026-11-20", "--to", "2027-01-01"), "night 2027-01-01 begins after this clock"),
        (("--night", "2014-12-31"), "night 2014-12-31 lies before 2015-01-01, the first there is"),
    ],
)
def test_a_night_that_cannot_be_is_a_matter_of_usage_and_no_failure(
    trisect: Trisect, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    code, said = trisect("run", *words, "--now", NOW)

    assert (code, says in said) == (Exit.UNUSABLE, True)
    assert not (tmp_path / "company" / "var" / "last_failure.json").exists()


def test_before_anything_is_delivered_no_night_is_published_and_the_schedule_asks_for_none(
    trisect: Trisect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = trisect("run", "--now", NOW)

    assert (code, "there is nothing to publish yet: no [[source]]" in said) == (Exit.UNUSABLE, True)
    assert "is published" not in said

    monkeypatch.setenv("TRISECT_PROJECT", str(tmp_path / "company"))
    at_three = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 21, 3, tzinfo=UTC))
    [skipped] = nightly(at_three)
    assert skipped.skip_message.startswith("there is nothing to publish yet")

    policy = tmp_path / "company" / "policy"
    (policy / "rates.csv").write_text("pool_id,usd_per_gpu_hour,valid_from,valid_to\nchat,2,2026-01-01,2027-01-01\n")
    pool = "pool_id,gpu_model,gpu_count,valid_from,valid_to\nchat,H100,8,2026-01-01,2027-01-01\n"
    (policy / "pools.csv").write_text(pool)
    [request] = nightly(at_three)
    assert request.partition_key == "2026-11-20"


def noted(ran: list[str], night: date) -> PublishedNight:
    """The night as published, one row of it quarantined, and noted among those that ran."""
    ran.append(str(night))
    return PublishedNight(night, revision=1, directory=Path("published"), quarantined=1, doubts=0)


@pytest.mark.parametrize(
    ("words", "at_a_terminal", "nights"),
    [
        (("--last",), True, ["2026-11-20"]),
        (("--all",), True, [f"2026-10-{day}" for day in range(11, 32)] + [f"2026-11-{day:02}" for day in range(1, 21)]),
        ((), False, [f"2026-10-{day}" for day in range(11, 32)] + [f"2026-11-{day:02}" for day in range(1, 21)]),
    ],
)
def test_many_missing_nights_are_made_up_where_somebody_said_so_or_nobody_sits_there(
    trisect: Trisect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    at_a_terminal: bool,  # noqa: FBT001 - a parameter of the test
    nights: list[str],
) -> None:
    publish_nothing(tmp_path, "2026-10-10")
    ran: list[str] = []
    monkeypatch.setattr("sys.stderr.isatty", lambda: at_a_terminal, raising=False)
    monkeypatch.setattr("orchestration.commands._one_night", lambda _project, night, *_: noted(ran, night))

    assert trisect("run", *words, "--now", NOW)[0] == Exit.PUBLISHED_WITH_QUARANTINE
    assert ran == nights


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "2026-11-20 is published with 1 rows quarantined: published/leadership.pdf\n"),
        (("--quiet",), ""),
        (
            ("--json", "-q"),
            """{"nights": [{"night": "2026-11-20", "revision": 1, "directory": "published", "report":
            "published/leadership.pdf", "quarantined": 1, "doubts": 0, "exit_code": 10}]}""",
        ),
    ],
)
def test_a_run_says_one_line_a_night_or_a_document_or_nothing(
    trisect: Trisect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    publish_nothing(tmp_path, "2026-11-19")
    monkeypatch.setattr("orchestration.commands._one_night", lambda _project, night, *_: noted([], night))

    code, said = trisect("run", *words, "--now", NOW)

    assert code == Exit.PUBLISHED_WITH_QUARANTINE
    assert (json.loads(said) == json.loads(says)) if "--json" in words else (said == says)


def test_a_run_that_fails_on_its_second_night_still_says_in_json_which_was_published(
    trisect: Trisect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_project: object, night: date, *_: object) -> PublishedNight:
        if night == date(2026, 11, 20):
            raise HeldError("held: missing_fx")
        return noted([], night)

    publish_nothing(tmp_path, "2026-11-18")
    monkeypatch.setattr("orchestration.commands._one_night", fails)

    code, said = trisect("run", "--json", "-q", "--now", NOW)

    document, _, rest = said.rpartition("}")
    assert (code, rest.strip()) == (Exit.HELD, "held: missing_fx")
    assert [one["night"] for one in json.loads(document + "}")["nights"]] == ["2026-11-19"]


def test_a_status_that_is_well_is_quiet_when_asked(trisect: Trisect, tmp_path: Path) -> None:
    publish_nothing(tmp_path, "2026-11-20")

    assert trisect("status", "-q", "--now", NOW) == (Exit.PUBLISHED, "")
    assert trisect("status", "-q", "--now", "2026-11-22T06:00:00Z")[0] == Exit.NIGHT_MISSING


def test_a_command_that_is_nearly_one_is_answered_with_it(
    trisect: Trisect, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["trisect", "stauts"])
    with pytest.raises(SystemExit) as left:
        cli.main()

    assert left.value.code == Exit.UNUSABLE
    assert capsys.readouterr().err == "no command 'stauts'; did you mean 'status'?\n"
    assert trisect("status", "--now", NOW)[0] == Exit.NIGHT_MISSING


def test_the_help_groups_the_commands_and_has_examples_and_exit_codes() -> None:
    grouped = {name for group in cli.click.rich_click.COMMAND_GROUPS["trisect"] for name in group["commands"]}

    assert grouped == set(cli.trisect.commands)
    assert set(cli.EXIT_MEANINGS) == set(Exit)
    for name, command in cli.trisect.commands.items():
        assert f"\n\ntrisect {name}" in (command.epilog or "")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("trisect st", ["status"]), ("trisect run --la", ["--last"]), ("trisect whatif atlas --law m", ["muennighoff"])],
)
def test_a_shell_completes_commands_options_and_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, completed: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["trisect"])
    monkeypatch.setenv("_TRISECT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))
    with pytest.raises(SystemExit) as left:
        cli.main()

    assert left.value.code == 0
    assert capsys.readouterr().out.splitlines() == [f"plain,{word}" for word in completed]


def test_files_and_tables_are_lines_only_where_somebody_asked(capsys: pytest.CaptureFixture[str]) -> None:
    for detail in ("quiet", "normal", "verbose"):
        with steps_shown("night 2026-11-20", detail):
            LANDED.info("aws: reading file 1 of 2")
            STEPS.info("staging.charges: 5 rows")

    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"\(\d+\.\d s\)", "(s)", line) for line in lines] == [
        "night 2026-11-20 aws: reading file 1 of 2 (s)",
        "night 2026-11-20 staging.charges: 5 rows (s)",
    ]


@pytest.mark.parametrize("detail", ["quiet", "normal", "verbose"])
@pytest.mark.parametrize("at_a_terminal", [False, True])
def test_what_was_damaged_is_said_whether_somebody_looks_or_not(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    detail: Detail,
    at_a_terminal: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: at_a_terminal, raising=False)
    with steps_shown("night 2026-11-20", detail):
        STEPS.warning("var/%s cannot be read; it is set aside [a]", "warehouse.duckdb")

    assert "var/warehouse.duckdb cannot be read; it is set aside [a]" in capsys.readouterr().err


def test_at_a_terminal_many_missing_nights_are_counted_before_they_are_run(
    trisect: Trisect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_nothing(tmp_path, "2026-10-10")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    code, said = trisect("run", "--now", NOW)

    assert code == Exit.UNUSABLE
    assert "41 nights are missing, 2026-10-11 to 2026-11-20, some 9 minutes of work; add --all" in said  # 41 × 12 s


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "1e300", "many"])
@pytest.mark.parametrize("option", ["--demand", "--monthly-tokens", "--params", "--price", "--life"])
def test_an_assumption_that_cannot_be_names_its_option_and_value(trisect: Trisect, option: str, number: str) -> None:
    code, said = trisect("whatif", "atlas", f"{option}={number}")

    assert code == Exit.UNUSABLE
    assert f"Invalid value for '{option}': '{number}' cannot be; give a number above zero, 1e+18 at most" in said


def test_demand_is_assumed_in_one_way_only(trisect: Trisect) -> None:
    code, said = trisect("whatif", "atlas", "--demand", "2", "--monthly-tokens", "1e9")

    assert (code, "exclude each other" in said) == (Exit.UNUSABLE, True)


def test_a_clock_that_runs_behind_the_newest_night_is_said(trisect: Trisect, tmp_path: Path) -> None:
    publish_nothing(tmp_path, "2026-11-20")

    code, said = trisect("status", "--now", "2026-11-10T06:00:00Z")

    assert (code, "data from after this clock" in said) == (Exit.PUBLISHED, True)


@pytest.mark.parametrize("name", ["atlas-7b", "ATLAS-7B", " atlas ", "vendor/Atlas"])
def test_a_model_is_found_by_any_of_its_names(name: str) -> None:
    models = pl.DataFrame({"model_id": ["atlas-7b", "other"], "aliases": [["atlas", "vendor/atlas"], []]})

    assert subject_of(name, models) == "atlas-7b"
    assert subject_of("unheard-of", models) == "unheard-of"


def test_a_refused_row_of_a_megabyte_is_shown_by_its_beginning() -> None:
    refused: dict[str, Any] = {"source": "bill", "file": "inbox/a.csv", "location": "line 7", "reason": "limit"}
    quarantine = pl.DataFrame(
        [{**refused, "raw": "x" * 1_000_000, "detail": ""}], schema_overrides=Quarantine.polars_schema()
    )
    landing: Any = SimpleNamespace()
    nothing = pl.DataFrame(schema={"source": pl.String})
    frames = (Files.empty(), quarantine, *[nothing] * 5)

    [said] = Preview(landing, *frames, versions={}, proved_beside={}, holds=()).sentences()

    assert said.startswith("refused: limit: inbox/a.csv, line 7: xxx")
    assert said.endswith("x… (1,000,000 characters)")
    assert len(said) < 500


def test_a_run_that_a_signal_ends_says_so_and_is_a_failure(trisect: Trisect, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object, **__: object) -> None:
        raise dg.DagsterExecutionInterruptedError

    monkeypatch.setattr(dg.JobDefinition, "execute_in_process", ended)

    code, said = trisect("run", "--night", "2026-11-20", "--now", NOW)

    assert (code, said.splitlines()[-1]) == (Exit.FAILED, "interrupted; nothing half was published, run again")


def test_what_a_run_creates_is_readable_by_its_user_alone(tmp_path: Path) -> None:
    usual = os.umask(0o022)
    with sole_run(tmp_path / "var"):
        (tmp_path / "var" / "library").mkdir()
        (tmp_path / "var" / "library" / "log").write_text("names")
    assert os.umask(usual) == 0o022  # as it was before the run

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "var").rglob("*")}
    assert modes == {"run.lock": 0o600, "library": 0o700, "log": 0o600}


@pytest.mark.parametrize(
    ("ended", "code", "says"),
    [
        (0, Exit.PUBLISHED, "the UI is closed"),
        (1, Exit.FAILED, "the UI ended with code 1; its own words stand above"),
    ],
)
def test_the_ui_that_is_closed_has_not_failed(
    trisect: Trisect, monkeypatch: pytest.MonkeyPatch, ended: int, code: Exit, says: str
) -> None:
    monkeypatch.setattr("orchestration.commands.serve", lambda *_: ended)

    left, said = trisect("ui", "--port", "3999")
    assert (left, said.splitlines()[-1]) == (code, says)
