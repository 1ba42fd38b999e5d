"""Text of figures in scripts that join or reorder their letters: drawn as one run, as the rest of a page is.

WeasyPrint sets the text of an SVG letter by letter. That is right for Latin, Cyrillic, Chinese, Japanese and Korean;
Arabic would stand unjoined and from left to right, and Devanagari without its vowel signs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from weasyprint import svg as drawing

JOINED: Final = frozenset({"R", "AL"})
LETTER_BY_LETTER: Final = drawing.TAGS["text"]


class _Run(str):
    """A text that is one letter to who goes through it."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        yield str(self)


def is_joined(content: str) -> bool:
    """Whether a text is read from the right, or has signs that stand on other letters."""
    return not content.isascii() and any(
        unicodedata.bidirectional(sign) in JOINED or unicodedata.category(sign) in {"Mn", "Mc"} for sign in content
    )


def _text(svg: Any, node: Any, font_size: float) -> None:  # noqa: ANN401 - the library is untyped
    if node.text and is_joined(node.text):
        node._etree_node.text = _Run(node.text)  # noqa: SLF001 - the library has no other door to it
    LETTER_BY_LETTER(svg, node, font_size)


def use() -> None:
    """From now on figures are drawn so in this process; the library asks for its function by name too."""
    drawing.TAGS |= {tag: _text for tag, drawn in drawing.TAGS.items() if drawn is LETTER_BY_LETTER}
    drawing.text = _text
