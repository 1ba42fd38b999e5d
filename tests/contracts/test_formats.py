"""The registry is the only list of formats: the README names what it holds."""

from __future__ import annotations

import re
from pathlib import Path

from warehouse.sources.registry import FORMATS

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_names_every_format_of_the_registry_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    kinds = {kind for kind, _ in FORMATS}
    named = {(kind, name) for kind, text in rows if kind in kinds for name in re.findall(r"`(\w+)`", text)}

    assert named == set(FORMATS)


def test_every_format_has_its_page_with_its_settings() -> None:
    pages = {record.name: README.parent / record.page for record in FORMATS.values()}

    assert [name for name, page in pages.items() if not page.exists()] == []
    assert [name for name, page in pages.items() if f'format = "{name}"' not in page.read_text(encoding="utf-8")] == []
