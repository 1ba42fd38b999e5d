"""How the fields of one CSV record are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Dialect:
    """A separator, and a quote that is written twice to stand for itself (empty: nothing is quoted).

    `bare_quote` says what a quote is within a field that does not begin with one.
    """

    separator: str = ","
    quote: str = '"'
    bare_quote: Literal["text", "broken"] = "text"

    def fields(self, text: str) -> list[str] | None:
        """The fields of one record, None where its quoting is broken."""
        cells: list[str] = []
        begin = 0
        while begin <= len(text):
            field, begin = self._field(text, begin)
            if field is None:
                return None
            cells.append(field)
        return cells

    def record(self, fields: list[str]) -> str:
        """The fields as one record, each quoted."""
        return self.separator.join(
            f"{self.quote}{field.replace(self.quote, self.quote * 2)}{self.quote}" for field in fields
        )

    def _field(self, text: str, begin: int) -> tuple[str | None, int]:
        """The field that begins there, and where the next one does."""
        if not self.quote or not text.startswith(self.quote, begin):
            end = text.find(self.separator, begin)
            field = text[begin : end if end >= 0 else len(text)]
            is_broken = self.bare_quote == "broken" and self.quote in field
            return None if is_broken else field, begin + len(field) + 1
        close = self._close(text, begin + 1)
        if close < 0 or not (close + 1 == len(text) or text.startswith(self.separator, close + 1)):
            return None, len(text)
        return text[begin + 1 : close].replace(self.quote * 2, self.quote), close + 2

    def _close(self, text: str, begin: int) -> int:
        """Where the quoted field ends: the first quote that is not written twice; -1 where none is."""
        close = text.find(self.quote, begin)
        while close >= 0 and text.startswith(self.quote, close + 1):
            close = text.find(self.quote, close + 2)
        return close
