"""What decisions are valued by, as trisect.toml says it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load
from orchestration.settings_tables import settings_table

COMPANY = '[company]\nname = "Example AI"\n'
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def settings_row(folder: Path, text: str) -> dict[str, object]:
    (folder / "trisect.toml").write_text(COMPANY + text, encoding="utf-8")
    return settings_table(load(folder).settings, date(2026, 11, 21), NOW).row(0, named=True)


def test_a_company_that_says_nothing_pays_10_percent_a_year_and_asks_for_97_percent_of_the_quality(
    tmp_path: Path,
) -> None:
    row = settings_row(tmp_path, "")

    assert (row["discount_ratio"], row["quality_gate_ratio"]) == (0.10, 0.97)


def test_the_cost_of_capital_and_the_quality_gate_reach_the_night(tmp_path: Path) -> None:
    row = settings_row(tmp_path, "[decisions]\ndiscount_rate = 0.08\nquality_gate = 0.99\n")

    assert (row["discount_ratio"], row["quality_gate_ratio"]) == (0.08, 0.99)


def test_the_environment_overrides_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISECT_DECISIONS_DISCOUNT_RATE", "0.2")

    assert settings_row(tmp_path, "")["discount_ratio"] == 0.2


def test_a_percentage_in_place_of_a_share_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 4: discount_rate = .*Input should be less than or equal to 1"):
        settings_row(tmp_path, "[decisions]\ndiscount_rate = 10.0\n")
