"""Published nights: whole, never changed, and `current` names the newest."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

from warehouse import publish

FIRST, SECOND = date(2026, 11, 20), date(2026, 11, 21)


def night(content: bytes) -> dict[str, bytes]:
    listed = [{"file": "ledger.csv", "sha256": hashlib.sha256(content).hexdigest()}]
    return {"ledger.csv": content, "manifest.json": json.dumps({"outputs": listed}).encode()}


def test_a_night_is_published_whole_and_current_names_it(tmp_path: Path) -> None:
    path = publish.publish(tmp_path, FIRST, 1, night(b"a"))

    assert (tmp_path / "current").resolve() == path
    assert publish.is_intact(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2026-11-20", "current"]


def test_a_revision_stands_beside_what_it_revises(tmp_path: Path) -> None:
    publish.publish(tmp_path, FIRST, 1, night(b"a"))
    publish.publish(tmp_path, FIRST, 2, night(b"b"))

    assert publish.nights(tmp_path) == {FIRST: 2}
    assert (tmp_path / "2026-11-20" / "ledger.csv").read_bytes() == b"a"
    assert (tmp_path / "current").resolve().name == "2026-11-20-r2"


def test_an_older_night_made_up_later_does_not_become_current(tmp_path: Path) -> None:
    publish.publish(tmp_path, SECOND, 1, night(b"b"))
    publish.publish(tmp_path, FIRST, 1, night(b"a"))

    assert (tmp_path / "current").resolve().name == "2026-11-21"


def test_what_a_killed_run_left_is_swept_away_and_never_taken_for_a_night(tmp_path: Path) -> None:
    publish.publish(tmp_path, FIRST, 1, night(b"a"))
    (tmp_path / ".2026-11-21.4242").mkdir()

    assert publish.nights(tmp_path) == {FIRST: 1}
    publish.point_to_newest(tmp_path)
    assert not (tmp_path / ".2026-11-21.4242").exists()


def test_a_night_that_lost_a_byte_is_not_intact(tmp_path: Path) -> None:
    path = publish.publish(tmp_path, FIRST, 1, night(b"abc"))
    (path / "ledger.csv").write_bytes(b"ab")

    assert not publish.is_intact(path)
