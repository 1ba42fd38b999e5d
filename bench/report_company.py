"""An invented company of seven models and fourteen small ones, as the tables that the report is made from.

Nothing here is measured: amounts are chosen so that every part of the report has something to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl

from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table

Rows = list[dict[str, Any]]
FIRST_MONTH: Final = date(2025, 9, 1)
NIGHT: Final = date(2026, 11, 21)
UNIT: Final = Decimal("0.000000000001")
POSTING_DAYS: Final = (1, 8, 15)


@dataclass(frozen=True)
class Life:
    """One model: dollars of each phase and the months (counted from the first) in which they were spent."""

    name: str
    released: int | None
    pretraining: tuple[int, int, int]
    posttraining: tuple[int, int, int]
    inference: tuple[int, int, int]
    origin: str = "own"
    params: float = 1e9
    owner: str | None = "Foundation models"
    growth: float = 0.5


SEVEN: Final = (
    Life("Atlas-70B", 4, (4_900_000, 0, 5), (3_000_000, 3, 14), (11_500_000, 4, 15), params=70e9, growth=0.6),
    Life("Fjord-110B", 13, (6_200_000, 4, 13), (550_000, 11, 14), (250_000, 13, 15), params=110e9, growth=9.0),
    Life("Cedar-32B", 6, (2_200_000, 1, 6), (1_700_000, 4, 13), (2_400_000, 6, 15), params=32e9),
    Life("Llama-405B", 8, (0, 0, 0), (400_000, 8, 12), (2_600_000, 8, 15), origin="adopted", params=405e9),
    Life("Elm-12B", 8, (1_600_000, 4, 8), (300_000, 7, 12), (500_000, 8, 15), params=12e9),
    Life("Birch-8B", 4, (900_000, 0, 3), (350_000, 2, 7), (800_000, 4, 15), params=8e9),
    Life("Dune-3B", 9, (310_000, 6, 9), (620_000, 8, 13), (280_000, 9, 15), params=3e9),
)
SMALL: Final = tuple(
    Life(f"pilot-{n:02d}", None, (16_000, n % 5, n % 5 + 3), (29_000, n % 6 + 2, n % 6 + 6), (16_000, n % 6 + 6, 15))
    for n in range(14)
)


@dataclass(frozen=True)
class Company:
    """What is invented: the models, how long ago it began, and which parts it has."""

    name: str = "Example AI"
    currency: str = "USD"
    lives: tuple[Life, ...] = SEVEN + SMALL
    first_month: int = 0
    night: date = NIGHT
    factor: Decimal = Decimal(1)
    has_plan: bool = True
    has_bill: bool = True
    target: tuple[float, float, float] = (1.0, 1.0, 1.0)
    dead_band: float = 0.1
    changes: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def month_at(place: int) -> date:
    """The month that many months after the first."""
    index = FIRST_MONTH.year * 12 + FIRST_MONTH.month - 1 + place
    return date(index // 12, index % 12 + 1, 1)


def rows_of(table: type[Table], rows: Rows) -> pl.DataFrame:
    """Rows as a table."""
    return table.frame(pl.DataFrame(rows, schema_overrides=table.polars_schema())) if rows else table.empty()


def _spread(amount: int, start: int, end: int, ramp: int = 0) -> dict[int, Decimal]:
    weights = {place: 1 + ramp * (place - start) for place in range(start, end)}
    whole = sum(weights.values())
    return {place: (Decimal(amount) * weight / whole).quantize(UNIT) for place, weight in weights.items()}


def phase_months(life: Life) -> dict[str, dict[int, Decimal]]:
    """Dollars by phase and month."""
    return {
        "pretraining": _spread(*life.pretraining),
        "posttraining": _spread(*life.posttraining),
        "inference": _spread(*life.inference, ramp=1),
    }


def _spend_row(company: Company, day: date, amount: Decimal, **given: object) -> dict[str, Any]:
    billed = (amount * company.factor).quantize(UNIT)
    return {
        "charge_date": day, "source": "aws", "currency": company.currency, "account": "direct", "model_id": None,
        "phase": None, "pool_id": "h100", "team": None, "is_waste": False, "is_restated": False,
        "gpu_seconds": float(abs(amount)) / 2.5 * 3600, "billed_usd": billed, "effective_usd": billed,
        "billed_cost": billed, "effective_cost": billed,
    } | given  # fmt: skip


def _in_three(amount: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    part = (amount / 3).quantize(UNIT)
    return part, part, amount - 2 * part


def daily_spend(company: Company) -> pl.DataFrame:
    """Three postings a month of every model and phase, and of idle, shared and unallocated cost."""
    entries: list[tuple[int, Decimal, dict[str, Any]]] = []
    for life in company.lives:
        for phase, months in phase_months(life).items():
            for place, amount in months.items():
                waste = (amount * Decimal("0.08")).quantize(UNIT) if phase != "inference" else Decimal(0)
                who = {"model_id": life.name, "phase": phase}
                entries.append((place, amount - waste, who))
                entries += [(place, waste, who | {"is_waste": True})] if waste else []
    for place in range(15):
        entries += [
            (place, Decimal(300_000 + 14_000 * (place % 5)), {"account": "idle"}),
            (place, Decimal(60_000 if place % 3 else 95_000), {"account": "commitment_unused", "pool_id": "h200"}),
            (place, Decimal(190_000 + 3_000 * place), {"account": "shared", "pool_id": None}),
            (place, Decimal(70_000 + 4_500 * place), {"account": "unallocated", "pool_id": None}),
            (place, Decimal(-8_000), {"account": "adjustment", "pool_id": None}),
            (place, Decimal(31_000), {"account": "out_of_scope", "pool_id": None}),
        ]
    rows = [
        _spend_row(company, month_at(place).replace(day=day), part, **who)
        for place, amount, who in entries
        if place >= company.first_month
        for day, part in zip(POSTING_DAYS, _in_three(amount), strict=True)
        if month_at(place).replace(day=day) <= company.night
    ]
    return rows_of(CATALOGUE["daily_spend"], rows if company.has_bill else [])


def settings(company: Company) -> pl.DataFrame:
    """The one row of settings."""
    start = datetime.combine(company.night, datetime.min.time(), UTC)
    return rows_of(CATALOGUE["settings"], [{
        "as_of": company.night, "night_start": start, "night_end": start + timedelta(days=1),
        "built_at": start + timedelta(days=1, hours=4), "company": company.name, "currency": company.currency,
        "pretraining_weight": company.target[0], "posttraining_weight": company.target[1],
        "inference_weight": company.target[2], "dead_band_ratio": company.dead_band, "law": "auto", "draws": 2000,
        "materiality_usd": Decimal(1000), "evaluation_usd": Decimal(50000), "migration_usd": Decimal(20000),
        "discount_ratio": 0.10, "quality_gate_ratio": 0.97,
    }])  # fmt: skip


def models(company: Company) -> pl.DataFrame:
    """One row a model."""
    return rows_of(CATALOGUE["models"], [{
        "model_id": life.name, "aliases": [], "family": None, "base_model_id": None, "teacher_model_id": None,
        "origin": life.origin, "params": life.params, "active_params": life.params,
        "training_tokens": life.params * 30 if life.origin == "own" else None,
        "released_on": month_at(life.released).replace(day=14) if life.released is not None else None,
        "retires_on": date(2027, 7, 1) if life.released is not None else None, "owner": life.owner,
    } for life in company.lives])  # fmt: skip


def _to_night(company: Company, life: Life) -> dict[str, Decimal]:
    months = phase_months(life)
    last = (company.night.year - 2025) * 12 + company.night.month - 9
    return {
        phase: sum((amount for place, amount in spent.items() if company.first_month <= place <= last), Decimal(0))
        * company.factor
        for phase, spent in months.items()
    }


def _penalty(spent: list[float], target: list[float]) -> float | None:
    whole = sum(spent)
    if whole <= 0 or min(spent) <= 0:
        return None
    ratio = 1.0
    for amount, share in zip(spent, target, strict=True):
        ratio *= (share / (amount / whole)) ** share
    return ratio - 1


def _status(company: Company, life: Life, spent: list[float], penalty: float | None) -> str:
    if life.origin == "adopted":
        return "no_own_pretraining"
    if life.released is None or life.released >= 12:
        return "too_young"
    if penalty is not None and penalty <= company.dead_band:
        return "balanced"
    heaviest = max(range(3), key=lambda place: spent[place] / company.target[place])
    return f"{('pretraining', 'posttraining', 'inference')[heaviest]}_heavy"


def thirds(company: Company) -> pl.DataFrame:
    """Each model's balance, with an invented projection."""
    whole = sum(company.target)
    target = [weight / whole for weight in company.target]
    rows: Rows = []
    for life in company.lives if company.has_bill else ():
        spent = _to_night(company, life)
        total = sum(spent.values(), Decimal(0))
        amounts = [float(amount) for amount in spent.values()]
        counted = amounts[1:] if life.origin == "adopted" else amounts
        aim = (
            [target[1] / (target[1] + target[2]), target[2] / (target[1] + target[2])] if len(counted) == 2 else target
        )
        penalty = _penalty(counted, aim)
        projected = float(spent["inference"]) * (1 + life.growth)
        spread = [_penalty([*counted[:-1], projected * factor], aim) for factor in (0.7, 1.0, 1.4)]
        known = sorted(value for value in spread if value is not None) or [None, None, None]
        rows.append({
            "as_of": company.night, "model_id": life.name, **{f"{phase}_usd": spent[phase] for phase in spent},
            **{f"{phase}_ratio": float(spent[phase] / total) if total > 0 else None for phase in spent},
            **{f"target_{phase}_ratio": share for phase, share in zip(spent, target, strict=True)},
            "penalty_ratio": penalty,
            "distance_usd": (total * Decimal(repr(penalty / (1 + penalty)))).quantize(UNIT) if penalty else None,
            **{f"projected_inference_usd_p{p}": Decimal(repr(projected * f)).quantize(UNIT)
               for p, f in ((10, 0.7), (50, 1.0), (90, 1.4))},
            "projected_penalty_ratio_p10": known[0], "projected_penalty_ratio_p50": known[1],
            "projected_penalty_ratio_p90": known[2],
            "age_days": (company.night - month_at(life.released).replace(day=14)).days if life.released else None,
            "status": _status(company, life, amounts, penalty),
        })  # fmt: skip
    return rows_of(CATALOGUE["thirds"], rows)
