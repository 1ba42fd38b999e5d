"""Sentences from the tables as the report prints them: amounts in its own forms, cut at the end of a clause."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from templates.formats import ELLIPSIS, NBSP, Money, name
from templates.typesetting.typeface import printable

AMOUNT: Final = re.compile(r"\b(saves|costs|leaves|beyond the|materiality of) (\d[\d,]*)(?![\d.])")
PERCENT: Final = re.compile(r"(?<=\d)%")
CLAUSE: Final = re.compile(r"; |, (?=[^\d])")
LONGEST: Final = 2_000


def sentence(words: str | None, money: Money, limit: int) -> str:
    """A reason in the report's forms: whole, or its first clauses, or its first words with an ellipsis after them."""
    shown = printable((words or "")[:LONGEST])
    priced = AMOUNT.sub(lambda found: f"{found[1]} {money.short(Decimal(found[2].replace(',', '')))}", shown)
    return shortened(PERCENT.sub(f"{NBSP}%", priced), limit)


def shortened(words: str, limit: int) -> str:
    """Words that fit: all of them, whole clauses, or whole words with an ellipsis after them."""
    if len(words) <= limit:
        return words
    ends = [found.start() for found in CLAUSE.finditer(words) if found.start() <= limit]
    if ends and ends[-1] * 3 >= limit:
        return words[: ends[-1]]
    space = words.rfind(" ", 0, limit)
    return f"{words[:space].rstrip(',;')}{ELLIPSIS}" if space > 0 else name(words, limit)
