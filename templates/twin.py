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
HYPHENATED: Final = re.compile(r"\b(Pre|Post)-<br>")
"""Words whose hyphen is their own and not of the break."""
TAG: Final = re.compile(r"<[^>]*>")
SECTION: Final = re.compile(
    r"<section\b([^>]*)>(\s*<h2>((?:(?!</h2>).)*)</h2>)(?=(?:(?!</section>).)*?<table)", re.DOTALL
)


def for_screens(markup: str) -> str:
    """The page with a label on each cell, for cards on narrow screens, and tables that the keyboard can scroll."""
    return SECTION.sub(_focusable, TABLE.sub(lambda match: _labelled(match[0]), markup))


def _focusable(match: re.Match[str]) -> str:
    name = escape(_text(match[3]), quote=True)
    return f'<section{match[1]} tabindex="0" role="region" aria-label="{name}">{match[2]}'


def _labelled(table: str) -> str:
    head = HEAD.search(table)
    if head is None:
        return table
    heads = [_text(words) for given, words in HEAD_CELL.findall(head[1]) for _ in range(_span(given))]
    body = table[head.end() :]
    return table[: head.end()] + ROW.sub(lambda row: _row(row[0], heads), body)


def _row(row: str, heads: list[str]) -> str:
    column = 0

    def cell(match: re.Match[str]) -> str:
        nonlocal column
        label = heads[column] if match[1] == "td" and _span(match[2]) == 1 and column < len(heads) else ""
        column += _span(match[2])
        given = f' data-label="{escape(label, quote=True)}"' if label else ""
        return f"<{match[1]}{match[2]}{given}>"

    return CELL.sub(cell, row)


def _span(given: str) -> int:
    match = SPAN.search(given)
    return int(match[1]) if match else 1


def _text(markup: str) -> str:
    """The words of a heading, without figures; a word that was broken for paper is whole again."""
    words = HYPHENATED.sub(r"\1-", FIGURE.sub(" ", markup))
    plain = BREAK.sub(lambda match: "" if match[0].startswith("-") else " ", words)
    return " ".join(unescape(TAG.sub(" ", plain)).split())
