"""What every page of the invented company's report says, word for word.

A page that is meant to say something else: run with TRISECT_GOLDEN=write, read the difference, and give each changed
number a line in NUMBERS.md.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

PAGES = Path(__file__).parent / "report"
BLOCKS = {"h1", "h2", "h3", "p", "tr", "dt", "li", "section", "figure", "text", "div", "svg", "dl", "table"}


class Words(HTMLParser):
    """A page as lines: blocks end lines, cells are parted by bars, figures begin with what they say in words."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self._is_alternative = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the parser's signature
        """A block begins a line, a cell a column."""
        if tag in BLOCKS:
            self.lines.append("")
        if tag in {"td", "th", "dd"} and self.lines[-1]:
            self.lines[-1] += " | "
        self._is_alternative = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        """A block ends its line."""
        if tag in BLOCKS or tag == "title":
            self.lines.append("")
        self._is_alternative = False

    def handle_data(self, data: str) -> None:
        """Text goes to the line; an alternative text is marked."""
        self.lines[-1] += f"[{data}]" if self._is_alternative else data


def said(page: str) -> str:
    reader = Words()
    reader.feed(page)
    lines = (re.sub(r"[ \n]+", " ", line).strip() for line in reader.lines)
    return "\n".join(line for line in lines if line) + "\n"


def pages_of(markup: str) -> dict[str, str]:
    found = re.findall(r'<article class="page \w+" id="([\w-]+)".*?</article>', markup, re.DOTALL)
    bodies = re.findall(r'<article class="page \w+" id="[\w-]+".*?>(.*?)</article>', markup, re.DOTALL)
    return {
        f"{place:02d}-{name}.txt": said(body) for place, (name, body) in enumerate(zip(found, bodies, strict=True), 1)
    }


def test_the_report_has_the_pages_that_are_kept(report: str) -> None:
    pages = pages_of(report)
    if os.environ.get("TRISECT_GOLDEN") == "write":
        PAGES.mkdir(exist_ok=True)
        for name, words in pages.items():
            (PAGES / name).write_text(words, encoding="utf-8")
    assert sorted(pages) == sorted(path.name for path in PAGES.glob("*.txt"))


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.txt")), ids=lambda path: path.stem)
def test_the_page_says_what_it_said(report: str, path: Path) -> None:
    assert pages_of(report)[path.name] == path.read_text("utf-8")
