"""A night of the invented company, run once for all who look at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.sample import write_sample


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample after `trisect run`, which must publish it without a word of complaint; nobody writes into it."""
    folder = tmp_path_factory.mktemp("sample_night")
    write_sample(folder)
    return ran(folder)


def ran(project: Path, *arguments: str) -> Path:
    """The project after one more `trisect run`."""
    command = [str(Path(sys.executable).with_name("trisect")), "run", "--project", str(project), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="session")
def run() -> Callable[..., Path]:
    """`trisect run`, which must publish."""
    return ran
