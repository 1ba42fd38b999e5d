"""trisect.toml and the environment, checked: the only reader of both."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

import msgspec
import polars as pl

from orchestration.mail_settings import Delivery as DeliverySection
from warehouse.arrivals import Place
from warehouse.connection import Limits
from warehouse.schemas.policy import Settings as SettingsTable
from warehouse.sources.formats import READERS
from warehouse.sources.source import Delivery, Kind, Source

FILE: Final = "trisect.toml"
PROJECT_VARIABLE: Final = "TRISECT_PROJECT"
HOME_VARIABLE: Final = "DAGSTER_HOME"
DAGSTER_VARIABLES: Final = {"DAGSTER_EVENT_BATCH_SIZE": "1000"}
"""Write the announcements of a run's assets at once; Dagster reads this from the environment only."""

Weight = Annotated[float, msgspec.Meta(gt=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class SettingsError(ValueError):
    """The settings cannot be used: what is wrong, where, the value, what to do."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of trisect.toml."""


class Company(_Section, frozen=True):
    """Whose models these are."""

    name: str
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "USD"


class SourceSection(_Section, frozen=True):
    """One `[[source]]`."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    kind: Kind
    format: str
    files: Annotated[str, msgspec.Meta(min_length=1)]
    delivery: Delivery = "replace"
    final_newline: Literal["required", "optional"] = "required"
    columns: dict[str, str] = {}
    constants: dict[str, str | int | float] = {}
    options: dict[str, str | int | float] = {}

    def source(self) -> Source:
        """The value that the readers know."""
        options = {key: str(value) for key, value in self.options.items()}
        return Source(
            name=self.name,
            kind=self.kind,
            format=self.format,
            files=self.files,
            delivery=self.delivery,
            columns=self.columns,
            constants={key: str(value) for key, value in self.constants.items()},
            options={"final_newline": self.final_newline} | options,
        )


class Target(_Section, frozen=True):
    """Weights of the three phases; only their proportion matters."""

    pretraining: Weight = 1.0
    posttraining: Weight = 1.0
    inference: Weight = 1.0


class Thirds(_Section, frozen=True):
    """What balance means."""

    target: Target = Target()
    dead_band: Fraction = 0.10


class Decisions(_Section, frozen=True):
    """How decisions are valued."""

    law: Literal["auto", "own", "epoch", "hoffmann", "muennighoff"] = "auto"
    draws: Annotated[int, msgspec.Meta(ge=100, le=100_000)] = 2000
    materiality_usd: Annotated[float, msgspec.Meta(ge=0)] = 1000
    evaluation_usd: Annotated[float, msgspec.Meta(ge=0)] = 50_000
    migration_usd: Annotated[float, msgspec.Meta(ge=0)] = 20_000
    discount_rate: Fraction = 0.10
    quality_gate: Fraction = 0.97


class Report(_Section, frozen=True):
    """How the report is set."""

    paper: Literal["A4", "letter"] = "A4"
    attachments: Literal["none", "data"] = "none"
    editions: list[Literal["finance", "owners"]] = []


class Engine(_Section, frozen=True):
    """What reduces the telemetry."""

    telemetry: Literal["duckdb", "polars", "spark"] = "duckdb"
    spark_master: str = ""


class LimitsSection(_Section, frozen=True):
    """How much of the machine a night may take, and how much bad input it bears."""

    memory: Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?\s*[KMGT]i?B$")] = "4GB"
    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    max_rejected_ratio: Fraction = 0.01
    max_rejected_files: Annotated[int, msgspec.Meta(ge=0)] = 0


class Settings(_Section, frozen=True):
    """The whole of trisect.toml."""

    company: Company
    source: list[SourceSection] = []
    thirds: Thirds = Thirds()
    decisions: Decisions = Decisions()
    report: Report = Report()
    engine: Engine = Engine()
    limits: LimitsSection = LimitsSection()
    delivery: DeliverySection = DeliverySection()

    def sources(self) -> list[Source]:
        """Every source, in the order of the file."""
        return [section.source() for section in self.source]

    def machine(self) -> Limits:
        """The limits as the warehouse knows them."""
        return Limits(**msgspec.structs.asdict(self.limits))

    def table(self, night: date, now: datetime) -> pl.DataFrame:
        """policy.settings: what the transforms may know of the settings and of the night."""
        start = datetime(night.year, night.month, night.day, tzinfo=UTC)
        weights = msgspec.structs.asdict(self.thirds.target)
        row = {
            "as_of": night,
            "night_start": start,
            "night_end": start + timedelta(days=1),
            "built_at": now,
            "company": self.company.name,
            "currency": self.company.currency,
            **{f"{phase}_weight": weight for phase, weight in weights.items()},
            "dead_band_ratio": self.thirds.dead_band,
            "law": self.decisions.law,
            "draws": self.decisions.draws,
            "materiality_usd": Decimal(str(self.decisions.materiality_usd)),
            "evaluation_usd": Decimal(str(self.decisions.evaluation_usd)),
            "migration_usd": Decimal(str(self.decisions.migration_usd)),
            "discount_ratio": self.decisions.discount_rate,
            "quality_gate_ratio": self.decisions.quality_gate,
        }
        return pl.DataFrame([row], schema=SettingsTable.polars_schema())


@dataclass(frozen=True)
class Project:
    """A project directory and its settings."""

    root: Path
    settings: Settings

    @property
    def var(self) -> Path:
        """What Trisect keeps."""
        return self.root / "var"

    @property
    def place(self) -> Place:
        """Where the project lies and what Trisect keeps, as landing knows them."""
        return Place(self.root, self.var)

    @property
    def published(self) -> Path:
        """Where the nights are published."""
        return self.var / "published"


def project_directory() -> Path:
    """The project that the environment names, else the directory one stands in."""
    return Path(os.environ.get(PROJECT_VARIABLE, ".")).resolve()


def environment(home: Path, root: Path) -> dict[str, str]:
    """The environment for Dagster's own processes: its home, and the project."""
    return {**os.environ, **DAGSTER_VARIABLES, HOME_VARIABLE: str(home), PROJECT_VARIABLE: str(root)}


def use_dagster_home(home: Path) -> None:
    """Tell Dagster, in this process, where its store is and how it writes there."""
    os.environ.update({**DAGSTER_VARIABLES, HOME_VARIABLE: str(home)})


def variable(name: str) -> str:
    """What the environment holds under a name that the settings give; empty where there is none."""
    return os.environ.get(name, "")


def load(root: Path) -> Project:
    """The project at `root`.

    Raises:
        SettingsError: naming file, line, value and what to do.
    """
    path = root / FILE
    if not path.is_file():
        raise SettingsError(f"no {FILE} in {root}; run `trisect init {root}` or name the directory with --project")
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{FILE} is no TOML: {error}; correct it there") from error
    try:
        settings = msgspec.convert(_with_environment(document, os.environ), Settings, strict=True)
    except msgspec.ValidationError as error:
        raise SettingsError(_explained(str(error), text)) from error
    _refuse(settings, text)
    return Project(root, settings)


def _with_environment(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The document with TRISECT_<SECTION>_<KEY> laid over its scalars."""
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in document.items()}
    for section, key in _scalars():
        value = environment.get(f"TRISECT_{section}_{key.name}".upper())
        if value is not None:
            merged.setdefault(section, {})[key.name] = value if key.type is str else _scalar(value)
    return merged


def _scalars() -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    """Every key of every section that may stand in the environment."""
    for section in msgspec.structs.fields(Settings):
        if section.name != "source":
            yield from ((section.name, key) for key in msgspec.structs.fields(section.type))


def _scalar(text: str) -> Any:  # noqa: ANN401 - a TOML value has any type
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explained(message: str, text: str) -> str:
    """The validator's words with the line they are about."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    path = re.search(r"`\$\.?([^`]*)`$", message)
    places = [unknown[1]] if unknown else ([path[1].split(".")[-1].partition("[")[0]] if path else [])
    line = _line(text, places[0]) if places else 0
    section = path[1] if path and path[1] else "the top level"
    what = f"unknown key {unknown[1]!r} in {section}" if unknown else message
    return f"{FILE}, line {line}: {what}; see the settings in the README" if line else f"{FILE}: {what}"


def _line(text: str, key: str) -> int:
    pattern = re.compile(rf"^\s*\[*\s*(?:[\w.]+\.)?{re.escape(key)}\s*(?:=|\])")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 0)


def _refuse(settings: Settings, text: str) -> None:
    if settings.engine.telemetry == "spark":
        where = _line(text, "telemetry")
        raise SettingsError(f"{FILE}, line {where}: engine 'spark' is not in this version; use duckdb or polars")
    for key, fault in settings.delivery.faults(settings.report.editions):
        raise SettingsError(f"{FILE}, line {_line(text, key)}: {fault}")
    names = [section.name for section in settings.source]
    for section in settings.source:
        zone = str(section.options.get("timezone", "UTC"))
        if names.count(section.name) > 1:
            raise SettingsError(f"{FILE}: two sources are named {section.name!r}; give each a name of its own")
        if (section.kind, section.format) not in READERS:
            known = ", ".join(sorted(name for kind, name in READERS if kind == section.kind))
            raise SettingsError(
                f"{FILE}: source {section.name!r} has format {section.format!r}; {section.kind} has {known}"
            )
        if section.files.startswith("/") or ".." in Path(section.files).parts:
            where = _line(text, "files")
            raise SettingsError(f"{FILE}, line {where}: files = {section.files!r} leaves the project; keep it below it")
        if zone not in available_timezones():
            where = _line(text, "timezone")
            raise SettingsError(f"{FILE}, line {where}: timezone {zone!r} is unknown; use an IANA name such as UTC")
