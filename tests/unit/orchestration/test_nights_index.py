"""The page beside the nights lists each of them, newest first, and changes only when they do."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from orchestration.nights_index import write_index
from templates.message import News
from warehouse import publish


def published(folder: Path, night: date, revision: int = 1, subject: str = "Approve 1 decision") -> None:
    news = News(night.isoformat(), revision, ("FINAL",), (), subject, "", "", (), (), "")
    files: dict[str, bytes | Path] = {
        "leadership.html": b"<p>",
        "leadership.pdf": b"%PDF",
        "message.json": json.dumps(asdict(news)).encode(),
        "manifest.json": json.dumps({"outputs": []}).encode(),
    }
    publish.publish(folder, night, revision, files)


def page(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def test_nights_stand_newest_first_below_their_months_with_links_to_their_files(tmp_path: Path) -> None:
    for night in (date(2026, 9, 30), date(2026, 11, 1), date(2026, 10, 31)):
        published(tmp_path, night)

    write_index(tmp_path, "Quillmere")

    order = [
        "3 published nights",
        "November 2026",
        "2026-11-01",
        "October 2026",
        "2026-10-31",
        "September 2026",
        "2026-09-30",
    ]
    positions = [page(tmp_path).index(words) for words in order]
    assert positions == sorted(positions)
    assert 'href="2026-10-31/leadership.pdf"' in page(tmp_path)
    assert 'href="2026-10-31/ledger.csv"' not in page(tmp_path)


def test_a_revision_stands_in_the_place_of_what_it_revises(tmp_path: Path) -> None:
    published(tmp_path, date(2026, 11, 1), subject="Approve 1 decision")
    published(tmp_path, date(2026, 11, 1), 2, subject="Approve 2 decisions")

    write_index(tmp_path, "Quillmere")

    assert "FINAL, revision 2" in page(tmp_path)
    assert "Approve 2 decisions" in page(tmp_path)
    assert "Approve 1 decision" not in page(tmp_path)
    assert "2026-11-01-r2/leadership.html" in page(tmp_path)


def test_what_a_company_is_called_is_text_and_not_markup(tmp_path: Path) -> None:
    published(tmp_path, date(2026, 11, 1), subject="<script>")

    write_index(tmp_path, "A & <b>")

    assert "A &amp; &lt;b&gt;" in page(tmp_path)
    assert "<script>" not in page(tmp_path)


def test_a_night_of_an_older_version_is_listed_without_a_message(tmp_path: Path) -> None:
    published(tmp_path, date(2026, 11, 1))
    (tmp_path / "2026-11-01" / "message.json").unlink()

    write_index(tmp_path, "Quillmere")

    assert "One published night" in page(tmp_path)
    assert "2026-11-01/leadership.pdf" in page(tmp_path)


def test_the_page_is_written_again_only_when_it_says_something_else(tmp_path: Path) -> None:
    write_index(tmp_path, "Quillmere")
    assert not (tmp_path / "index.html").exists()

    published(tmp_path, date(2026, 11, 1))
    write_index(tmp_path, "Quillmere")
    inode = (tmp_path / "index.html").stat().st_ino
    write_index(tmp_path, "Quillmere")
    assert (tmp_path / "index.html").stat().st_ino == inode

    publish.withdraw(tmp_path / "2026-11-01")
    published(tmp_path, date(2026, 11, 2))
    write_index(tmp_path, "Quillmere")
    assert "2026-11-01" not in page(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-11-02", "current", "index.html"]
