"""Physical lines become CSV records: a quoted field may span lines, a broken quote costs one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from warehouse.sources.decode.csv_splitting import Dialect
from warehouse.sources.reader_protocol import RejectedFile

MOST_BROKEN: Final = 1000
LONGEST_RECORD: Final = 16 << 20
_NEAR: Final = 1024
_COLUMNS: Final = ("line", "text", "is_utf8")

Places = npt.NDArray[np.intp]


@dataclass
class RecordJoiner:
    """The records of the lines of a file, block by block.

    A record of several lines counts only if its quotes and its width are right; otherwise its first line stands alone
    and reading resumes at the next one. `waiting` are lines whose quote is not closed yet, `broken` counts the lines
    that had to stand alone because of their quotes.
    """

    dialect: Dialect
    width: int
    broken: int = 0
    waiting: pl.DataFrame | None = None

    @property
    def is_between_records(self) -> bool:
        """Whether no line waits for the next block."""
        return self.waiting is None or self.waiting.is_empty()

    def records(self, block: pl.DataFrame) -> pl.DataFrame:
        """The records that end in this block: `line` (their first), `text` without its end, `is_utf8`.

        Raises:
            RejectedFile: bad_quote, if quoting is broken throughout.
        """
        whole = block if self.waiting is None else pl.concat([self.waiting, block])
        ended, self.waiting = self._assembled(whole, LONGEST_RECORD)
        return ended

    def last_records(self) -> pl.DataFrame | None:
        """What waited for a quote that no block closed.

        Raises:
            RejectedFile: as records.
        """
        return None if self.waiting is None else self._assembled(self.waiting, 0)[0]

    def _assembled(self, lines: pl.DataFrame, patience: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The records, and the lines behind them: at most `patience` bytes wait for their quote to be closed."""
        odd = _odd_quotes(lines, self.dialect)
        pieces, begin, reach = [lines.select(_COLUMNS).clear()], 0, len(odd)
        while begin < len(odd):
            firsts, lasts = _paired(odd[begin : begin + reach], begin)
            piece, sound = self._sound(lines, firsts, lasts)
            pieces.append(piece)
            is_stuck, is_all = sound < len(firsts), begin + reach >= len(odd)
            progress = int(firsts[sound]) if is_stuck else int(lasts[-1]) + 1 if len(lasts) else begin
            if not is_stuck and is_all and _size(lines[progress:]) <= patience:
                return pl.concat(pieces), lines[progress:]
            reach = _NEAR if is_stuck or is_all else reach * (8 if progress == begin else 1)
            begin = progress
            if is_stuck or is_all:
                pieces.append(self._alone(lines, begin))
                begin += 1
        return pl.concat(pieces), lines.clear()

    def _sound(self, lines: pl.DataFrame, firsts: Places, lasts: Places) -> tuple[pl.DataFrame, int]:
        """The records before the first one that cannot be right, and how many they are."""
        longer = np.flatnonzero(lasts > firsts)
        joined: list[tuple[int, str, bool]] = []
        sound = len(firsts)
        for index in longer:
            run = lines[int(firsts[index]) : int(lasts[index]) + 1]
            text = "".join(run["whole"]).rstrip("\r\n")
            if not self._is_sound(text):
                sound = int(index)
                break
            joined.append((run.item(0, "line"), text, bool(run["is_utf8"].all())))
        single = firsts[:sound][lasts[:sound] == firsts[:sound]]
        rows = lines.select(_COLUMNS)[single] if len(single) < lines.height else lines.select(_COLUMNS)
        if not joined:
            return rows, sound
        return pl.concat([rows, pl.DataFrame(joined, schema=rows.schema, orient="row")]).sort("line"), sound

    def _is_sound(self, text: str) -> bool:
        fields = replace(self.dialect, bare_quote="broken").fields(text)
        return fields is not None and len(fields) == self.width

    def _alone(self, lines: pl.DataFrame, index: int) -> pl.DataFrame:
        row = lines.select(_COLUMNS)[index : index + 1]
        self.broken += self.dialect.fields(row.item(0, "text")) is None
        if self.broken > MOST_BROKEN:
            raise RejectedFile("bad_quote", f"quotes are broken in more than {MOST_BROKEN} rows; export the file again")
        return row


def _odd_quotes(lines: pl.DataFrame, dialect: Dialect) -> npt.NDArray[np.bool_]:
    """Whether a line opens or closes a quoted field that goes beyond it."""
    if not dialect.quote:
        return np.zeros(lines.height, dtype=np.bool_)
    counts = lines["text"].str.count_matches(dialect.quote, literal=True)
    return (counts % 2 == 1).to_numpy()


def _paired(odd: npt.NDArray[np.bool_], begin: int) -> tuple[Places, Places]:
    """First and last line of each record, if every quote that opens is closed by the next one."""
    is_inside = np.logical_xor.accumulate(odd)
    lasts = np.flatnonzero(~is_inside) + begin
    firsts = np.concatenate(([begin], lasts[:-1] + 1)).astype(np.intp) if len(lasts) else lasts
    return firsts, lasts


def _size(lines: pl.DataFrame) -> int:
    return int(lines["whole"].str.len_bytes().sum())
