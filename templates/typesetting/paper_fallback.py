"""What a page gives up when something does not fit its paper: size first, then parts, at last all but its title."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

PARTS: Final = ("table", "dl", "p", "section")
PART_CLASSES: Final = ("notes", "news", "card", "panel", "panels", "two")
PART: Final = "data-part"
"""Which part of its page an element is, as a number; a line that stands for a part has none."""
LEFT_OUT: Final = "This part does not fit on paper: leadership.html of the same night shows it whole."


@dataclass(frozen=True)
class PaperFallback:
    """What pages give up, by the anchor of the page; a part is counted in the order of the page's markup."""

    narrow: frozenset[str] = frozenset()
    without: frozenset[tuple[str, int]] = frozenset()
    bare: frozenset[str] = frozenset()

    def apply(self, root: Element) -> None:
        """Changes the markup: narrow pages are set smaller, and a line stands for each part that is left out."""
        for article in root.iter("article"):
            anchor = article.get("id", "")
            if anchor in self.narrow:
                article.set("class", f"{article.get('class', '')} narrow")
            if anchor in self.bare:
                article[:] = [child for child in article if child.tag == "h1"]
                article.append(_line())
                continue
            for part_number, part in enumerate(list(_parts(article))):
                part.set(PART, str(part_number))
                if (anchor, part_number) in self.without:
                    _leave_out(part)


def _parts(article: Element) -> Iterator[Element]:
    """The parts of a page that can be left out, outer ones before those within."""
    for element in article.iter():
        is_classed = any(name in PART_CLASSES for name in element.get("class", "").split())
        if element.tag in PARTS or is_classed:
            yield element


def _leave_out(part: Element) -> None:
    heading = [child for child in part if child.tag == "h2"] if part.tag in {"section", "div"} else []
    following = part.tail
    is_panel = "panel" in part.get("class", "").split()
    part.clear()
    part.tail = following
    if heading or is_panel:
        part.tag = "section"
        part.set("class", "panel empty" if is_panel else "")
        part.extend([*heading, _line()])
    else:
        part.tag, part.text = "p", LEFT_OUT
        part.set("class", "note")


def _line() -> Element:
    line = Element("p", {"class": "note"})
    line.text = LEFT_OUT
    return line
