"""The launches of one MLPerf log: each from a start record to the last record before the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from warehouse.sources.training.attempts import LONGEST_STEP, STEPS
from warehouse.sources.training.mlperf_records import Record

_STARTS: Final = frozenset({"init_start", "run_start"})
_RANKS_APART: Final = 60_000_000
"""Microseconds within which all ranks of one launch log that it starts."""


@dataclass
class Launch:
    """The records of one launch, folded; instants in microseconds since 1970, unknown ones None."""

    held_from: int
    held_to: int
    begun: dict[str, int] = field(default_factory=dict)
    run_stop: int | None = None
    run_status: str | None = None
    samples: int | None = None
    measured: list[Record] = field(default_factory=list)

    @property
    def init_start(self) -> int | None:
        """When the launch began to initialise."""
        return self.begun.get("init_start")

    @property
    def run_start(self) -> int | None:
        """When training began; initialisation came before."""
        return self.begun.get("run_start")

    def add(self, record: Record) -> None:
        """Fold one record in; records come in the order of time."""
        self.held_to = record.at
        if record.samples is not None:
            self.samples = max(record.samples, self.samples or 0)
        if record.key in _STARTS:
            self.begun.setdefault(record.key, record.at)
        if record.key == "run_stop":
            self.run_stop, self.run_status = record.at, record.status

    def is_over(self, record: Record, longest: float) -> bool:
        """Whether a record is the first of another launch.

        That is a start after this launch had stopped, or had started long enough before for all its ranks to say so; or
        any record after a hole that is much longer than the distance of the others.
        """
        if record.at - self.held_to > longest:
            return True
        if record.key not in _STARTS:
            return False
        earlier = self.begun.get(record.key, self.run_start)
        has_begun = earlier is not None and record.at - earlier > _RANKS_APART
        return has_begun or (self.run_stop is not None and record.at > self.run_stop)


def launched(records: Iterable[Record], metrics: frozenset[str]) -> Sequence[Launch]:
    """The launches in the order of time; `metrics` are the keys of the records that measure the training."""
    ordered = sorted(records, key=lambda record: record.at)
    longest = _longest_distance(ordered)
    launches: list[Launch] = []
    for record in ordered:
        if not launches or launches[-1].is_over(record, longest):
            launches.append(Launch(record.at, record.at))
        launches[-1].add(record)
        if record.key in metrics:
            launches[-1].measured.append(record)
    return launches


def _longest_distance(ordered: Sequence[Record]) -> float:
    """The longest time between two records of one launch, from those of the training: others come all at once."""
    first = next((number for number, record in enumerate(ordered) if record.key == "run_start"), 0)
    times = sorted({record.at for record in ordered[first:]})
    distances = [after - before for before, after in pairwise(times)]
    return max(LONGEST_STEP, STEPS * median(distances)) if distances else LONGEST_STEP
