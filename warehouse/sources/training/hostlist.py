"""Slurm's short form of host names, written out: `gpu[001-003,007],x1`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import product
from typing import Final

MOST_HOSTS: Final = 100_000
_ENTRY: Final = re.compile(r"(?:[^,\[]|\[[^\]]*\])+")
_PIECE: Final = re.compile(r"\[([^\]]*)\]|([^\[]+)")
_RANGE: Final = re.compile(r"(\d+)-(\d+)", re.ASCII)
_NOBODY: Final = frozenset({"", "none assigned", "(null)", "none", "unknown"})


def hosts(written: str | None) -> list[str]:
    """Every host in the order written; none for a job that was never placed.

    An entry that stands for more hosts than any machine has, or for none, is kept as it is written.
    """
    if written is None or written.strip().lower() in _NOBODY:
        return []
    return [host for entry in _ENTRY.findall(written) for host in _expanded(entry.strip())]


def _expanded(entry: str) -> list[str]:
    choices = [[plain] if plain else _numbers(ranges) for ranges, plain in _PIECE.findall(entry)]
    if not 0 < math.prod(len(choice) for choice in choices) <= MOST_HOSTS:
        return [entry]
    return ["".join(parts) for parts in product(*choices)]


def _numbers(ranges: str) -> Sequence[str]:
    """`008-010,12` is 008, 009, 010, 12: the first number of a range says how many digits all have."""
    numbers: list[str] = []
    for written in ranges.split(","):
        bounds = _RANGE.fullmatch(written.strip())
        first, last = (int(bounds[1]), int(bounds[2])) if bounds else (0, -1)
        if last - first >= MOST_HOSTS or (bounds and last < first):
            return []
        width = len(bounds[1]) if bounds else 0
        numbers += [f"{number:0{width}d}" for number in range(first, last + 1)] if bounds else [written.strip()]
    return numbers
