"""What the HTML twin has beyond the paper: cells that carry the head of their column, and areas for the keyboard."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final

TABLE: Final = re.compile(r"<table\b.*?</table>", re.DOTALL)
HEAD: Final = re.compile(r"<thead\b[^>]*>(.*?)</thead>", re.DOTALL)
ROW: Final = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
HEAD_CELL: Final = re.compile(r"<th\b([^>]*)>(.*?)</th>", re.DOTALL)
CELL: Final = re.compile(r"<(td|th)\b([^>]*)>")
SPAN: Final = re.compile(r'colspan="(\d+)"')
FIGURE: Final = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
BREAK: Final = re.compile(r"-?<br>")
TAG: Final = re.compile(r"<[^>]*>")
SECTION: Final = re.compile(
    r"<section\b([^>]*)>(\s*<h2>((?:(?!</h2>).)*)</h2>)(?=(?:(?!</section>).)*?<table)", re.DOTALL
)


def for_screens(markup: str) -> str:
    """The page with a label on each cell, for cards on narrow screens, and tables that the keyboard can scroll."""
    return SECTION.sub(_focusable, TABLE.sub(lambda found: _labelled(found[0]), markup))


def _focusable(found: re.Match[str]) -> str:
    name = escape(_text(found[3]), quote=True)
    return f'<section{found[1]} tabindex="0" role="region" aria-label="{name}">{found[2]}'


def _labelled(table: str) -> str:
    head = HEAD.search(table)
    if head is None:
        return table
    heads = [_text(words) for given, words in HEAD_CELL.findall(head[1]) for _ in range(_span(given))]
    body = table[head.end() :]
    return table[: head.end()] + ROW.sub(lambda row: _row(row[0], heads), body)


def _row(row: str, heads: list[str]) -> str:
    place = 0

    def cell(found: re.Match[str]) -> str:
        nonlocal place
        label = heads[place] if found[1] == "td" and _span(found[2]) == 1 and place < len(heads) else ""
        place += _span(found[2])
        given = f' data-label="{escape(label, quote=True)}"' if label else ""
        return f"<{found[1]}{found[2]}{given}>"

    return CELL.sub(cell, row)


def _span(given: str) -> int:
    found = SPAN.search(given)
    return int(found[1]) if found else 1


def _text(markup: str) -> str:
    """The words of a heading, without figures; a word that was broken for paper is whole again."""
    plain = BREAK.sub(lambda found: "" if found[0].startswith("-") else " ", FIGURE.sub(" ", markup))
    return " ".join(unescape(TAG.sub(" ", plain)).split())
