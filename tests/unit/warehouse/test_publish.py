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


def test_a_file_that_did_not_change_is_the_file_of_the_night_before(tmp_path: Path) -> None:
    def month(content: bytes) -> dict[str, bytes | Path]:
        given = tmp_path / "given.parquet"
        given.write_bytes(content)
        name = "ledger/2026-10.parquet"
        listed = [{"file": name, "sha256": hashlib.sha256(content).hexdigest()}]
        return {name: given, "manifest.json": json.dumps({"outputs": listed}).encode()}

    published = tmp_path / "published"
    first = publish.publish(published, FIRST, 1, month(b"same")) / "ledger/2026-10.parquet"
    second = publish.publish(published, SECOND, 1, month(b"same")) / "ledger/2026-10.parquet"
    third = publish.publish(published, SECOND, 2, month(b"other")) / "ledger/2026-10.parquet"

    assert first.samefile(second)
    assert not third.samefile(second)
    assert [path.read_bytes() for path in (first, second, third)] == [b"same", b"same", b"other"]


def test_a_file_that_was_damaged_since_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    given = tmp_path / "given.parquet"
    given.write_bytes(b"same")
    listed = json.dumps({"outputs": [{"file": "a.parquet", "sha256": hashlib.sha256(b"same").hexdigest()}]}).encode()
    first = publish.publish(tmp_path / "published", FIRST, 1, {"a.parquet": given, "manifest.json": listed})
    (first / "a.parquet").write_bytes(b"torn")
    given.write_bytes(b"same")
    second = publish.publish(tmp_path / "published", SECOND, 1, {"a.parquet": given, "manifest.json": listed})

    assert (second / "a.parquet").read_bytes() == b"same"
