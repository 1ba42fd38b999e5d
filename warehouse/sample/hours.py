"""The plan laid out by the hour: who holds how many GPUs when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from warehouse.sample.company import HOUR, Company, Deployment, next_month

Hourly = npt.NDArray[np.float64]


class Calendar:
    """Hours from the start of the plan to the end of the month it stops in."""

    def __init__(self, company: Company) -> None:
        self.start = company.start
        last = next_month((company.end - timedelta(days=1)).date().replace(day=1))
        self.end = datetime(last.year, last.month, last.day, tzinfo=UTC)
        self.count = (self.end - self.start) // HOUR

    @cached_property
    def hours(self) -> list[datetime]:
        """Start of each hour."""
        return [self.start + number * HOUR for number in range(self.count)]

    @cached_property
    def months(self) -> list[date]:
        """First day of the month of each hour."""
        return [hour.date().replace(day=1) for hour in self.hours]

    def held(self, start: datetime, end: datetime | None) -> Hourly:
        """Part of each hour that lies in [start, end)."""
        first = (max(start, self.start) - self.start) / HOUR
        last = (min(end or self.end, self.end) - self.start) / HOUR
        edges = np.arange(self.count, dtype=np.float64)
        return np.asarray(np.clip(np.minimum(edges + 1, last) - np.maximum(edges, first), 0, 1))

    def gpus(self, deployment: Deployment) -> Hourly:
        """GPU-hours that a deployment holds in each hour."""
        held = np.zeros(self.count)
        for stage in deployment.stages:
            held += stage.gpus * self.held(stage.start, stage.end)
        return held
