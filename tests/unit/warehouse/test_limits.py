"""What a night may take of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.connection import Limits, connect


@pytest.mark.parametrize(
    ("memory", "of_database"), [("4GB", "2.0GB"), ("1.5 GiB", "0.75 GiB"), ("500MB", "250.0MB"), ("1TB", "0.5TB")]
)
def test_half_of_the_memory_is_left_for_what_is_computed(memory: str, of_database: str) -> None:
    assert Limits(memory=memory).of_database() == of_database


def test_the_database_keeps_to_its_half(tmp_path: Path) -> None:
    connection = connect(tmp_path, Limits(memory="1GiB"))
    assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [("512.0 MiB",)]
    connection.close()
