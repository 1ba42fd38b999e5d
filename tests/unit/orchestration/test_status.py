"""What `trisect status` and `trisect doctor` say of a project."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration import last_failure
from orchestration.doctor import examined
from orchestration.settings import Project, load
from orchestration.status import in_words, status_of

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two published nights, the newest three days old."""
    (tmp_path / "trisect.toml").write_text('[company]\nname = "Example AI"\n')
    for night in ("2026-11-17", "2026-11-18"):
        (tmp_path / "var" / "published" / night).mkdir(parents=True)
        (tmp_path / "var" / "published" / night / "manifest.json").write_text('{"outputs": [], "inputs": []}')
    return load(tmp_path)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(-1.0, "from after this clock"), (6.4, "6 hours old"), (48.0, "48 hours old"), (456_000.0, "19000 days old")],
)
def test_an_age_is_told_in_hours_then_in_days(hours: float, words: str) -> None:
    assert in_words(hours) == words


def test_the_status_says_what_waits_and_why(project: Project) -> None:
    failure = last_failure.Failure(date(2026, 11, 19), NOW, "held: no_space: the disk is full", is_held=True)
    last_failure.note(project.var, failure)
    status = status_of(project, NOW)

    # the night of the 18th ended on the 19th at 00:00: 3 days and 6 hours
    assert list(status.sentences())[-1] == "last published night: 2026-11-18, revision 1, data 3 days old"
    assert "held: night 2026-11-19 at 2026-11-22T06:00:00+00:00: held: no_space" in next(iter(status.sentences()))
    assert status.gap() == "3 nights are missing, 2026-11-19 to 2026-11-21; run `trisect run`"
    document = json.loads(status.as_json())
    assert document["missing"] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert (document["night"], document["age_hours"]) == ("2026-11-18", 78.0)
    assert document["failure"]["is_held"] is True


def test_nothing_published_is_a_gap_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "trisect.toml").write_text('[company]\nname = "Example AI"\n')

    assert status_of(load(tmp_path), NOW).gap() == "no night is published yet; run `trisect run`"


def test_the_doctor_finds_what_is_damaged_and_says_what_to_do(project: Project) -> None:
    (project.var / "warehouse.duckdb").write_bytes(b"no warehouse" * 1000)
    (project.var / "published" / "2026-11-18" / "manifest.json").write_text(
        '{"outputs": [{"file": "a", "sha256": ""}]}'
    )

    found = {finding.name: finding for finding in examined(project)}

    assert {name for name, finding in found.items() if not finding.is_well} == {"warehouse", "published"}
    assert "`trisect run --night 2026-11-18`" in found["published"].sentence()
    assert "the next run builds it again" in found["warehouse"].sentence()
    assert all(finding.is_well for finding in examined(project) if finding.name == "warehouse")
