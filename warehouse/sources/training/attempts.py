"""The launches within one log: where records stop for much longer than their own distance, nothing ran."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

LONGEST_STEP: Final = 3_600_000_000
"""Microseconds that may pass between two records of one launch, whatever their distance is otherwise."""
STEPS: Final = 20
"""Median distances that may pass between two records of one launch."""


class Span(NamedTuple):
    """From the first to the last record of one launch, in microseconds since 1970."""

    start: int
    end: int


def launches(times: Iterable[int], starts: Iterable[int] = ()) -> Sequence[Span]:
    """The launches that the records of one log tell of, in the order of time; none without a record.

    A new one begins at each of `starts`, and after a hole of more than an hour and of more than 20 median distances of
    the records.

    Args:
        times: when something was logged, in any order.
        starts: those of the times at which a launch says that it begins.

    Example: records every minute for an hour, then none for five hours.
        >>> minute = 60_000_000
        >>> launches([*range(0, 60 * minute, minute), *range(360 * minute, 370 * minute, minute)])
        [Span(start=0, end=3540000000), Span(start=21600000000, end=22140000000)]
    """
    ordered, begun = sorted(set(times)), frozenset(starts)
    distances = [after - before for before, after in pairwise(ordered)]
    longest = max(LONGEST_STEP, STEPS * median(distances)) if distances else LONGEST_STEP
    spans: list[Span] = []
    for at in ordered:
        if spans and at not in begun and at - spans[-1].end <= longest:
            spans[-1] = Span(spans[-1].start, at)
        else:
            spans.append(Span(at, at))
    return spans


def trained_steps(spans: Sequence[Span], steps: Iterable[tuple[int, int]]) -> Sequence[Mapping[str, int | None]]:
    """The first and last step that each launch trained, as `first_step` and `last_step`; none where it logged none.

    Args:
        spans: launches in the order of time.
        steps: when each step was logged, and the step.
    """
    starts = [span.start for span in spans]
    logged: list[list[int]] = [[] for _ in spans]
    for at, step in steps:
        number = bisect_right(starts, at) - 1
        if number >= 0:
            logged[number].append(step)
    return [{"first_step": min(each, default=None), "last_step": max(each, default=None)} for each in logged]


def within(spans: Sequence[Span], start: int | None, end: int | None) -> Sequence[Span]:
    """The launches of a process that began at `start` and ended at `end`, where these are known.

    What comes before the first record is held too, because it was initialised then, and so is what comes after the
    last one. Without any record the process itself is the only launch.
    """
    if not spans:
        return [Span(start, start if end is None else max(start, end))] if start is not None else []
    first = spans[0] if start is None else Span(min(start, spans[0].start), spans[0].end)
    opened = [first, *spans[1:]]
    last = opened[-1]
    return opened if end is None else [*opened[:-1], Span(last.start, max(last.end, end))]
