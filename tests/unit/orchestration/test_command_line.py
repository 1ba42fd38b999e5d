"""What is typed at the command: nights that cannot be, numbers that cannot be, names that are spelt in another way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import polars as pl
import pytest

from orchestration import cli
from orchestration.exit_codes import Exit
from orchestration.preview import Glance
from orchestration.run_lock import sole_run
from orchestration.settings import DAGSTER_VARIABLES, HOME_VARIABLE
from orchestration.whatif_output import subject_of
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
    monkeypatch.setattr(
        "orchestration.commands._one_night", lambda _project, night, _now: ran.append(str(night)) or Exit.PUBLISHED
    )

    assert trisect("run", *words, "--now", NOW)[0] == Exit.PUBLISHED
    assert ran == nights


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

    [said] = Glance(landing, *frames, versions={}, proved_beside={}).sentences()

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
