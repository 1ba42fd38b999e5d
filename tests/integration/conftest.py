"""A night of the invented company, run once for all who look at it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.sample import write_sample


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample after `trisect run`, which must publish it without a word of complaint; nobody writes into it."""
    folder = tmp_path_factory.mktemp("sample_night")
    write_sample(folder)
    command = [str(Path(sys.executable).with_name("trisect")), "run", "--project", str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder
