"""Which model the title of page 4 names, and how models stand against the band today: the verdicts of the night."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from templates import formats
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from warehouse.vocabulary import PHASES


@dataclass(frozen=True)
class Verdict:
    """What the title says: the numbers, and the model that it names."""

    outside: Ref | None
    judged: Ref | None
    spent: Ref | None
    distance: Ref | None
    model: str
    standing: str
    widest: Decimal | None
    shares: tuple[Decimal | None, ...]
    total: Decimal


def verdicts(night: Night) -> dict[str, Row]:
    """Where each model stands today, by its name."""
    return {row["model_id"]: row for row in night.tables["band_verdicts"].sort("position").to_dicts()}


def spend(row: Row) -> Decimal:
    """Lifetime direct spend."""
    return Decimal(sum(row[f"{phase}_usd"] for phase in PHASES))


def verdict_of(night: Night, rows: list[Row]) -> Verdict:
    """What the title of page 4 says of all models with direct cost."""
    index, code = night.index, night.title("thirds")["title_code"]
    verdict_by_model = verdicts(night)
    living = [model for model, row in verdict_by_model.items() if not row["is_retired"]]
    by_name = {row["model_id"]: row for row in rows}
    named = by_name.get(_named(code, living, by_name))
    shares = tuple(_decimal(named[f"{phase}_ratio"]) for phase in PHASES) if named else ()
    return Verdict(
        outside=index.get("models_outside"),
        judged=index.get("models_judged"),
        spent=index.get(f"{named['model_id']}:lifetime") if named else None,
        distance=index.get("distance"),
        model=named["model_id"] if named else "",
        standing=night.say("thirds", "standing", verdict_by_model[named["model_id"]]) if named else "",
        widest=_decimal(named["penalty_ratio"]) if named else None,
        shares=() if None in shares else shares,
        total=spend(named) if named else Decimal(0),
    )


def _named(code: str, living: list[str], rows: dict[str, Row]) -> str:
    """The first of the verdicts where one leads, else the model that has cost most."""
    if not living:
        return ""
    if code in {"some_out", "all_in", "one_model"}:
        return living[0]
    return max(living, key=lambda model: (spend(rows[model]), model))


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else formats.decimal(value)
