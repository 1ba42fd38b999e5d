"""trisect.toml: what it may say, and what an error tells."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load

COMPANY = '[company]\nname = "Example AI"\n'
SOURCE = '[[source]]\nname = "a"\nkind = "gpu_billing"\nformat = "focus"\nfiles = "inbox/a/*"\n'


def project(folder: Path, text: str) -> Path:
    (folder / "trisect.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_company_with_a_name_is_enough(tmp_path: Path) -> None:
    settings = load(project(tmp_path, COMPANY)).settings

    assert settings.company.currency == "USD"
    assert settings.thirds.dead_band == 0.10
    assert settings.machine().max_rejected_files == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (COMPANY + '[limits]\nmemmory = "4GB"\n', r"trisect.toml, line 4: unknown key 'memmory' in limits"),
        (COMPANY + "[limits]\nmemory = 4\n", r"line 4: Expected `str`, got `int`"),
        (COMPANY + "[thirds]\ntarget = { pretraining = 0 }\n", r"Expected `float` > 0"),
        (COMPANY + SOURCE + SOURCE, r"two sources are named 'a'"),
        (COMPANY + SOURCE.replace("inbox", "../inbox"), r"leaves the project"),
        (COMPANY + SOURCE.replace('"focus"', '"fokus"'), r"has format 'fokus'; gpu_billing has .*focus"),
        (COMPANY + SOURCE + '[source.options]\ntimezone = "Mars/Base"\n', r"timezone 'Mars/Base' is unknown"),
        ("[company\n", r"trisect.toml is no TOML"),
    ],
)
def test_an_error_names_file_line_value_and_remedy(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(project(tmp_path, text))


def test_a_folder_without_settings_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="run `trisect init"):
        load(tmp_path)


def test_the_environment_overrides_scalars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISECT_LIMITS_MAX_REJECTED_FILES", "3")
    monkeypatch.setenv("TRISECT_LIMITS_MEMORY", "1GB")
    monkeypatch.setenv("TRISECT_COMPANY_NAME", "42")

    settings = load(project(tmp_path, COMPANY)).settings

    assert settings.limits.max_rejected_files == 3
    assert settings.limits.memory == "1GB"
    assert settings.company.name == "42"


def test_the_night_is_one_row_that_covers_one_day(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 6, tzinfo=UTC)

    row = load(project(tmp_path, COMPANY)).settings.table(date(2026, 11, 21), now).row(0, named=True)

    assert row["night_start"] == datetime(2026, 11, 21, tzinfo=UTC)
    assert row["night_end"] == datetime(2026, 11, 22, tzinfo=UTC)
    assert row["materiality_usd"] == Decimal(1000)
