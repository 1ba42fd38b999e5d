"""trisect.toml and the environment, checked: the only reader of both."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo

from orchestration import settings_errors
from orchestration.notify.settings import Delivery as DeliverySection
from orchestration.section import Section
from warehouse.errors import UnusableError
from warehouse.sources.source import Delivery, Kind, Source

if TYPE_CHECKING:
    from warehouse.connection import Limits
    from warehouse.landing.arrivals import Workspace

FILE: Final = settings_errors.FILE
PROJECT_VARIABLE: Final = "TRISECT_PROJECT"
HOME_VARIABLE: Final = "DAGSTER_HOME"
DAGSTER_VARIABLES: Final = {"DAGSTER_EVENT_BATCH_SIZE": "1000"}
"""Write the announcements of a run's assets at once; Dagster reads this from the environment only."""

Weight = Annotated[float, Field(gt=0, le=1e9)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class SettingsError(UnusableError):
    """The settings cannot be used: what is wrong, where, the value, what to do."""


class Company(Section):
    """Whose models these are."""

    name: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"


class SourceOptions(Section):
    """How the times of a source are written, and whether its input tokens hold the cached ones."""

    time_unit: Literal["iso", "s", "ms", "us", "ns"] | None = None
    time_origin: str | None = None
    timezone: str | None = None
    cached: Literal["inside", "beside"] | None = None


class Remote(Section):
    """Where `trisect fetch` brings the files of a source from; nothing else reads it.

    A bucket (s3://, gs://, az://) gives its objects; a database (postgresql://) one file a day of `table` by its
    `time_column`. No credential stands here.
    """

    url: Annotated[str, Field(pattern="^(s3|gs|az|postgresql|postgres)://")]
    table: str = ""
    time_column: str = ""


class SourceSection(Section):
    """One `[[source]]`."""

    name: Annotated[str, Field(min_length=1)]
    kind: Kind
    format: str
    files: Annotated[str, Field(min_length=1)]
    delivery: Delivery = "replace"
    final_newline: Literal["required", "optional"] = "required"
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str | int | float] = Field(default_factory=dict)
    options: SourceOptions = SourceOptions()
    accepted_findings: list[str] = Field(default_factory=list)
    priority: int | None = None
    remote: Remote | None = None

    def source(self) -> Source:
        """The value that the readers know."""
        options = self.options.model_dump(exclude_none=True)
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


class Target(Section):
    """Weights of the three phases; only their proportion matters."""

    pretraining: Weight = 1.0
    posttraining: Weight = 1.0
    inference: Weight = 1.0


class Thirds(Section):
    """What balance means."""

    target: Target = Target()
    dead_band: Fraction = 0.10


class Decisions(Section):
    """How decisions are valued."""

    law: Literal["auto", "own", "epoch", "hoffmann", "muennighoff"] = "auto"
    draws: Annotated[int, Field(ge=100, le=100_000)] = 2000
    materiality_usd: Annotated[float, Field(ge=0)] = 1000
    evaluation_usd: Annotated[float, Field(ge=0)] = 50_000
    migration_usd: Annotated[float, Field(ge=0)] = 20_000
    discount_rate: Fraction = 0.10
    quality_gate: Fraction = 0.97


class Report(Section):
    """How the report is set."""

    paper: Literal["A4", "letter"] = "A4"
    attachments: Literal["none", "data"] = "none"
    editions: list[Literal["finance", "owners"]] = Field(default_factory=list)


class Engine(Section):
    """What reduces the telemetry."""

    telemetry: Literal["duckdb", "polars", "spark"] = "duckdb"
    spark_master: str = ""


class LimitsSection(Section):
    """How much of the machine a night may take, and how much bad input it bears."""

    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*[KMGT]i?B$")] = "4GB"
    threads: Annotated[int, Field(ge=0)] = 0
    seconds_per_file: Annotated[int, Field(ge=1)] = 600
    max_rejected_ratio: Fraction = 0.01
    max_rejected_files: Annotated[int, Field(ge=0)] = 0
    max_doubtful_ratio: Fraction = 0.02


class DagsterSection(Section):
    """Where Dagster keeps its runs and events: below var/dagster, or in a PostgreSQL.

    `url_variable` names the variable of the environment that holds its address, with the password in it.
    """

    url_variable: Annotated[str, Field(pattern="^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""


class Retention(Section):
    """How long what a night leaves is kept; ledger lines are kept for ever."""

    dagster_nights: Annotated[int, Field(ge=1)] = 30
    published_months: Annotated[int, Field(ge=1)] = 24
    snapshot: bool = True


class Settings(Section):
    """The whole of trisect.toml."""

    company: Company
    source: list[SourceSection] = Field(default_factory=list)
    thirds: Thirds = Thirds()
    decisions: Decisions = Decisions()
    report: Report = Report()
    engine: Engine = Engine()
    limits: LimitsSection = LimitsSection()
    retention: Retention = Retention()
    dagster: DagsterSection = DagsterSection()
    delivery: DeliverySection = DeliverySection()

    def sources(self) -> list[Source]:
        """Every source, in the order of the file."""
        return [section.source() for section in self.source]

    def machine(self) -> Limits:
        """The limits as the warehouse knows them."""
        from warehouse.connection import Limits  # noqa: PLC0415 - a status needs no database

        return Limits(**self.limits.model_dump())


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
    def workspace(self) -> Workspace:
        """Where the project lies and what Trisect keeps, as landing knows them."""
        return self.workspace_beside(self.var)

    def workspace_beside(self, var: Path) -> Workspace:
        """The same, where what Trisect keeps lies elsewhere."""
        from warehouse.landing.arrivals import Workspace  # noqa: PLC0415 - as above
        from warehouse.landing.reading import ReadingLimits  # noqa: PLC0415 - as above

        limits = self.settings.limits
        return Workspace(self.root, var, ReadingLimits(limits.memory, limits.seconds_per_file))

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
    """The project at `root`, with every name in its settings held against what it names.

    Raises:
        SettingsError: naming file, line, value and what to do.
    """
    from orchestration import settings_faults  # noqa: PLC0415 - it knows every reader, a status needs none

    project, text = _read(root)
    faults = [settings_errors.sentence(*fault, text) for fault in settings_faults.faults(project.settings)]
    if faults:
        raise SettingsError("\n".join(faults))
    return project


def load_typed(root: Path) -> Project:
    """The project at `root` by the types of its settings alone: all that a status needs, at a tenth of the time.

    Raises:
        SettingsError: as `load`.
    """
    return _read(root)[0]


def _read(root: Path) -> tuple[Project, str]:
    """The project and the text of its settings."""
    path = root / FILE
    if not path.is_file():
        raise SettingsError(f"no {FILE} in {root}; run `trisect init {root}` or name the directory with --project")
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{FILE} is no TOML: {error}; correct it there") from error
    merged = _with_environment(document, os.environ)
    try:
        return Project(root, Settings.model_validate(merged)), text
    except ValidationError as error:
        raise SettingsError("\n".join(settings_errors.explained(error.errors(), text, Settings))) from None


def _with_environment(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The document with TRISECT_<SECTION>_<KEY> laid over its scalars."""
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in document.items()}
    for section, key, field in _scalars():
        value = environment.get(settings_errors.variable_of(section, key))
        if value is not None:
            merged.setdefault(section, {})[key] = value if field.annotation is str else _scalar(value)
    return merged


def _scalars() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every key of every section that may stand in the environment."""
    for name, section in Settings.model_fields.items():
        if isinstance(section.annotation, type) and issubclass(section.annotation, Section):
            yield from ((name, key, field) for key, field in section.annotation.model_fields.items())


def _scalar(text: str) -> Any:  # noqa: ANN401 - a TOML value has any type
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
