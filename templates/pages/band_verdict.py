"""How models stand against the band today, and which of them the title of page 3 names."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from templates import formats
from templates.pages.index import Ref
from templates.pages.night import Night, Row

PHASES: Final = ("pretraining", "posttraining", "inference")
HEAVY_IN: Final = {
    "pretraining_heavy": "pre-training",
    "posttraining_heavy": "post-training",
    "inference_heavy": "inference",
}

STANDING: Final = {
    "too_young": "too young to judge",
    "no_own_pretraining": "on an adopted base",
}


@dataclass(frozen=True)
class Verdict:
    """What the title says: the case, and the model that it names."""

    case: str
    outside: Ref | None
    judged: Ref | None
    spent: Ref | None
    distance: Ref | None
    model: str
    phase: str
    standing: str
    widest: Decimal | None
    shares: tuple[Decimal | None, ...]
    total: Decimal

    @property
    def refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        if self.case == "some_out":
            return self.outside, self.judged, self.distance
        return (self.spent,) if self.case in {"one_model", "all_young", "all_adopted"} else ()


def is_outside(row: Row, band: float) -> bool:
    """Whether a model that is judged is outside the band today, wherever it is heading.

    A penalty without bound has no number.
    """
    return _is_judged(row) and (row["penalty_ratio"] is None or row["penalty_ratio"] > band)


def is_inside(row: Row, band: float) -> bool:
    """Whether a model that is judged is inside the band today."""
    return _is_judged(row) and not is_outside(row, band)


def _is_judged(row: Row) -> bool:
    return row["status"] == "balanced" or row["status"] in HEAVY_IN


def band_of(night: Night) -> float:
    """The penalty up to which nothing is asked for."""
    return float(night.settings["dead_band_ratio"])


def spend(row: Row) -> Decimal:
    """Lifetime direct spend."""
    return Decimal(sum(row[f"{phase}_usd"] for phase in PHASES))


def verdict_of(night: Night, rows: list[Row]) -> Verdict:
    """What the title of page 3 says of all models with direct cost."""
    index, band = night.index, band_of(night)
    case = _case(rows, band)
    named = _named(rows, case, band)
    return Verdict(
        case=case,
        outside=index.get("models_outside"),
        judged=index.get("models_judged"),
        spent=index.get(f"{named['model_id']}:lifetime") if named else None,
        distance=index.get("distance"),
        model=named["model_id"] if named else "",
        phase=HEAVY_IN.get(named["status"], "") if named and is_outside(named, band) else "",
        standing=_standing(named, band) if named else "",
        widest=_decimal(named["penalty_ratio"]) if named else None,
        shares=tuple(_decimal(named[f"{phase}_ratio"]) for phase in PHASES) if named else (),
        total=spend(named) if named else Decimal(0),
    )


def _standing(row: Row, band: float) -> str:
    """Where a model stands today, in words."""
    if row["status"] == "balanced":
        return "outside the band, but heading into it" if is_outside(row, band) else "inside the band"
    if row["status"] in HEAVY_IN:
        return "inside the band, but heading out of it"
    return STANDING.get(row["status"], "not judged yet")


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else formats.decimal(value)


def _case(rows: list[Row], band: float) -> str:
    if not rows:
        return "no_models"
    if len(rows) == 1:
        return "one_model"
    if any(is_outside(row, band) for row in rows):
        return "some_out"
    statuses = {row["status"] for row in rows}
    if statuses & {"balanced", *HEAVY_IN}:
        return "all_in"
    return "all_young" if "too_young" in statuses else "all_adopted"


def _named(rows: list[Row], case: str, band: float) -> Row | None:
    """The model that the title names."""
    if case == "some_out":
        outside = [row for row in rows if is_outside(row, band)]
        return min(outside, key=lambda row: (-(row["distance_usd"] or 0), row["model_id"]))
    judged = [row for row in rows if row["penalty_ratio"] is not None and row["status"] in {"balanced", *HEAVY_IN}]
    if case == "all_in" and judged:
        return max(judged, key=lambda row: (row["penalty_ratio"], row["model_id"]))
    return rows[0] if rows else None
