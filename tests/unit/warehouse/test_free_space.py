"""A night that the disk has no room for does not begin."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from warehouse import free_space
from warehouse.errors import HeldError


def test_a_night_needs_three_times_what_is_new_and_a_fifth() -> None:
    assert free_space.needed(100 * 2**20) == 360 * 2**20  # 3 · 100 · 1.2
    assert free_space.needed(0) == free_space.LEAST


def test_a_disk_with_too_little_room_is_named_with_need_and_amount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_600_000_000))
    free_space.require(tmp_path, 1_000_000_000)  # needs 3,600 MB

    with pytest.raises(HeldError, match=r"no_space: the disk of .* has 3,600 MB free .* need 3,604\s?"):
        free_space.require(tmp_path, 1_001_000_000)
