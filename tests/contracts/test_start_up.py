"""Asking for help loads nothing heavy: what a command needs is imported when it runs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("dagster", "duckdb", "jinja2", "numpy", "pandera", "polars", "scipy", "weasyprint")


def test_help_imports_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys; from orchestration.cli import trisect; trisect(['--help'], standalone_mode=False);"
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (asked.returncode, asked.stderr) == (0, "")
