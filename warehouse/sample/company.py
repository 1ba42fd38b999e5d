"""What an invented company is made of: the shapes of the plan, from which its files are derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

Phase = Literal["pretraining", "posttraining", "inference"]
Status = Literal["finished", "failed", "cancelled", "timeout", "running"]
Account = Literal["pool", "commitment_unused", "shared", "adjustment", "unallocated", "out_of_scope"]

HOUR = timedelta(hours=1)
TOKEN_WEIGHTS: Final = {"input": 1.0, "cached_input": 0.1, "output": 4.0}


def at(day: str, hour: float = 0) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=hour)


def next_month(month: date) -> date:
    """First day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(frozen=True)
class Model:
    """One model as models.csv tells it."""

    model_id: str
    family: str
    params: float
    training_tokens: float | None
    released_on: str
    retires_on: str = ""
    aliases: tuple[str, ...] = ()
    base_model_id: str = ""
    teacher_model_id: str = ""
    origin: Literal["own", "adopted"] = "own"
    owner: str = ""


@dataclass(frozen=True)
class Provider:
    """One cloud and how its bill arrives."""

    name: str
    title: str
    account: str
    currency: str
    region: str
    tax_ratio: Decimal


@dataclass(frozen=True)
class Supply:
    """GPUs of one pool at one price, billed by the day, or by the hour where `hours` is not the whole day."""

    pool_id: str
    provider: str
    gpu_model: str
    gpus: int
    rate: Decimal
    list_rate: Decimal
    first: date
    end: date
    commitment: str = ""
    unused_gpus: int = 0
    gpus_per_row: int = 32
    hours: tuple[int, int] = (0, 24)
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)

    def intervals(self) -> Iterator[tuple[datetime, datetime]]:
        """One interval per row of the bill: a day, or each hour of it."""
        day = self.first
        while day < self.end:
            if day.weekday() in self.weekdays:
                yield from self._rows_of(at(day.isoformat()))
            day += timedelta(days=1)

    def _rows_of(self, midnight: datetime) -> Iterable[tuple[datetime, datetime]]:
        first, end = self.hours
        if (first, end) == (0, 24):
            return [(midnight, midnight + timedelta(days=1))]
        return [(midnight + hour * HOUR, midnight + (hour + 1) * HOUR) for hour in range(first, end)]


@dataclass(frozen=True)
class Line:
    """One line of a bill that is no GPU: once over [first, end), or every day of it where `daily`."""

    provider: str
    service: str
    description: str
    amount: Decimal
    first: date
    end: date
    account: Account
    cadence: Literal["day", "once"] = "once"
    category: Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"] = "Usage"
    charge_class: Literal["", "Correction"] = ""
    effective: Decimal | None = None
    pool_id: str = ""
    commitment: str = ""
    billed_in: date | None = None

    def effective_amount(self) -> Decimal:
        """What counts as consumed; a fee for later use has none."""
        return self.amount if self.effective is None else self.effective

    def intervals(self) -> Iterator[tuple[datetime, datetime]]:
        """One interval per row of the bill."""
        if self.cadence == "once":
            yield at(self.first.isoformat()), at(self.end.isoformat())
            return
        days = (self.end - self.first).days
        for start in (at(self.first.isoformat()) + timedelta(days=day) for day in range(days)):
            yield start, start + timedelta(days=1)


@dataclass(frozen=True)
class Run:
    """One training run; it holds its GPUs from start to end."""

    name: str
    project: str
    pool_id: str
    gpus: int
    start: datetime
    hours: float
    status: Status = "finished"
    model_id: str = ""
    phase: Phase | None = None
    tokens: float | None = None
    params: float | None = None
    loss: float | None = None
    log: Literal["mlperf", "table"] = "table"

    @property
    def end(self) -> datetime:
        """When it let go of its GPUs, to the minute."""
        return self.start + timedelta(minutes=round(self.hours * 60))


def chip_of(run: Run) -> str:
    """The chip that the run's pool is named for."""
    return run.pool_id.rpartition("-")[2].upper()


@dataclass(frozen=True)
class Stage:
    """GPUs of a deployment from start to end; no end is open."""

    start: datetime
    end: datetime | None
    gpus: int


@dataclass(frozen=True)
class Deployment:
    """One deployment: its pool, its models and how it grew."""

    deployment_id: str
    pool_id: str
    models: tuple[str, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Traffic:
    """Requests of one model on one deployment: tokens an hour at the start, and how they grow and split."""

    model_id: str
    deployment_id: str
    source: Literal["gateway", "batches", "agents", "images"]
    team: str
    tasks: tuple[tuple[str, float], ...]
    per_hour: float
    monthly_growth: float
    first: date
    end: date
    output_ratio: float = 0.15
    cached_ratio: float = 0.3
    per_request: float = 2400.0
    seconds_per_request: float = 4.5


@dataclass(frozen=True)
class Company:
    """The whole plan; `end` is the first moment that no file knows."""

    name: str
    currency: str
    seed: int
    start: datetime
    end: datetime
    models: tuple[Model, ...]
    providers: tuple[Provider, ...]
    owned: tuple[Supply, ...]
    supplies: tuple[Supply, ...]
    lines: tuple[Line, ...]
    runs: tuple[Run, ...]
    deployments: tuple[Deployment, ...]
    traffic: tuple[Traffic, ...]
    fx: tuple[tuple[date, str, Decimal], ...]
    law: tuple[float, float, float, float, float]

    def rate_of(self, month: date, currency: str) -> Decimal:
        """Reporting currency per unit."""
        rates = {(day, code): rate for day, code, rate in self.fx}
        return Decimal(1) if currency == self.currency else rates[month, currency]
