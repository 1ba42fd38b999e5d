"""What the settings say, as the tables that the transforms read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from orchestration.settings import Settings
from warehouse.schemas.policy import AcceptedFindings, SourcePriorities
from warehouse.schemas.policy import Settings as SettingsTable


def settings_table(settings: Settings, night: date, now: datetime) -> pl.DataFrame:
    """policy.settings: what the transforms may know of the settings and of the night."""
    start = datetime(night.year, night.month, night.day, tzinfo=UTC)
    weights = settings.thirds.target.model_dump()
    row = {
        "as_of": night,
        "night_start": start,
        "night_end": start + timedelta(days=1),
        "built_at": now,
        "company": settings.company.name,
        "currency": settings.company.currency,
        **{f"{phase}_weight": weight for phase, weight in weights.items()},
        "dead_band_ratio": settings.thirds.dead_band,
        "law": settings.decisions.law,
        "draws": settings.decisions.draws,
        "materiality_usd": Decimal(str(settings.decisions.materiality_usd)),
        "evaluation_usd": Decimal(str(settings.decisions.evaluation_usd)),
        "migration_usd": Decimal(str(settings.decisions.migration_usd)),
        "discount_ratio": settings.decisions.discount_rate,
        "quality_gate_ratio": settings.decisions.quality_gate,
        "max_doubtful_ratio": settings.limits.max_doubtful_ratio,
    }
    return pl.DataFrame([row], schema=SettingsTable.polars_schema())


def source_priorities(settings: Settings) -> pl.DataFrame:
    """policy.source_priorities: which of two sources counts where they see the same traffic."""
    rows = [(section.name, section.priority) for section in settings.source if section.priority is not None]
    return pl.DataFrame(rows, schema=SourcePriorities.polars_schema(), orient="row")


def accepted_findings(settings: Settings) -> pl.DataFrame:
    """policy.accepted_findings: the findings that a person has looked at, by source, kind and subject."""
    named = (
        (section.name, *entry.partition(":")[::2]) for section in settings.source for entry in section.accepted_findings
    )
    rows = [(source, kind.strip(), subject.strip().casefold()) for source, kind, subject in named]
    return pl.DataFrame(rows, schema=AcceptedFindings.polars_schema(), orient="row")
