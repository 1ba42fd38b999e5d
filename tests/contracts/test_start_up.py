"""Asking for help loads nothing heavy: what a command needs is imported when it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("dagster", "duckdb", "jinja2", "numpy", "pandera", "polars", "pyarrow", "scipy", "weasyprint")


def test_help_imports_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys; from orchestration.cli import trisect; trisect(['--help'], standalone_mode=False);"
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (asked.returncode, asked.stderr) == (0, "")


def test_a_status_loads_what_reads_files_and_settings_and_nothing_heavier(tmp_path: Path) -> None:
    (tmp_path / "trisect.toml").write_text('[company]\nname = "Example AI"\n')
    (tmp_path / "var" / "published" / "2026-11-20").mkdir(parents=True)
    script = (
        "import sys; from orchestration.cli import trisect;"
        f"code = trisect(['status', '--project', {str(tmp_path)!r}, '--now', '2026-11-21T06:00:00Z'],"
        " standalone_mode=False);"
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or code)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (asked.returncode, asked.stderr) == (0, "")
    assert "last published night: 2026-11-20" in asked.stdout
