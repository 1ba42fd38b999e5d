"""Fixtures that every kind of test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public data, scenarios and corpus beside the checkout; tests that need it are skipped without."""
    folder = Path(os.environ.get("TRISECT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared data is not beside the checkout")
    return folder
