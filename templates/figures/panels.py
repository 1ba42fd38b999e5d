"""The frame of the four panels of a model sheet: 244 points wide, with a time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from templates import colours
from templates.figures.scales import Scale
from templates.svg import text

WIDTH: Final = 244.0
HEIGHT: Final = 142.0
LEFT: Final = 24.0
RIGHT: Final = 178.0
TOP: Final = 8.0
BOTTOM: Final = 126.0


def time_labels(labels: Sequence[str], across: Scale, most: int = 4) -> Iterator[str]:
    """At most so many labels, the first and the last among them."""
    last = len(labels) - 1
    if last <= 0:
        yield from (text((across(0), HEIGHT - 5), label, size=6.6, fill=colours.TEXT_2) for label in labels)
        return
    every = max(-(-last // max(most - 1, 1)), 1)
    label_numbers = [label_number for label_number in range(0, last, every) if last - label_number >= every * 0.6]
    for label_number in [*label_numbers, last]:
        at = (across(label_number), HEIGHT - 5)
        yield text(at, labels[label_number], size=6.6, fill=colours.TEXT_2, anchor="middle")
