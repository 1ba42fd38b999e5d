"""A pattern finds files by their names alone, and overlooks nothing that could have matched."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.landing.inbox import controls, matched

FILES = ("inbox/a/y.csv", "inbox/a/b/x.csv", "inbox/a/a[1].csv", "inbox/a/.hidden.csv", "inbox/c/y.txt")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for file in (*FILES, "inbox/a/1.control.json", "inbox/a/b/2.control.json", "inbox/c/3.control.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("inbox/a/*", ["inbox/a/a[1].csv", "inbox/a/y.csv"]),
        ("inbox/**/*.csv", ["inbox/a/a[1].csv", "inbox/a/b/x.csv", "inbox/a/y.csv"]),
        ("inbox/?/y.*", ["inbox/a/y.csv", "inbox/c/y.txt"]),
        ("inbox/a/a[1].csv", ["inbox/a/a[1].csv"]),  # a bracket is a bracket
        ("inbox/**/part-*", []),
    ],
)
def test_stars_and_question_marks_are_all_that_is_special(project: Path, pattern: str, files: list[str]) -> None:
    assert matched(project, pattern) == files


def test_a_pattern_may_name_files_of_the_project_itself(project: Path) -> None:
    (project / "bill.csv").touch()
    assert matched(project, "*.csv") == ["bill.csv"]
    assert controls(project, "*.csv") == []


def test_a_link_to_a_folder_on_the_way_is_listed_and_not_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.csv").touch()
    (project / "inbox/a/link").symlink_to(tmp_path / "outside")
    assert "inbox/a/link" in matched(project, "inbox/**/*.csv")
    assert matched(project, "inbox/*/x.csv") == []  # one folder deep, the link lies two deep
    assert "inbox/a/link" in matched(project, "inbox/a/*/x.csv")


def test_control_files_are_found_where_files_could_match_even_if_none_does(project: Path) -> None:
    assert controls(project, "inbox/c/*.csv") == ["inbox/c/3.control.json"]
    assert controls(project, "inbox/a/*.csv") == ["inbox/a/1.control.json"]
    assert controls(project, "inbox/**/*.csv") == [
        "inbox/a/1.control.json",
        "inbox/a/b/2.control.json",
        "inbox/c/3.control.json",
    ]
