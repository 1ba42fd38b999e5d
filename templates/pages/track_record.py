"""The track record on page 7: what earlier recommendations promised, and what came of those that were followed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

from markupsafe import Markup

from templates import formats
from templates.figures.record_bars import Promise, record_bars
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST: Final = 5
ROW: Final = 13.5
FRAME: Final = 66.0


@dataclass(frozen=True)
class Track:
    """The figure with its unit, the counts behind its sentence, and what is not drawn."""

    figure: Markup | None
    unit: str
    all: Ref | None
    settled: Ref | None
    inside: Ref | None
    early: int
    not_drawn: int
    height: float
    words: str


def track(night: Night) -> Track:
    """The recommendations of earlier nights that were followed, the latest first."""
    rows = night.tables["track_record"].sort("recommended_as_of", "action", "model_id", "task", "pool_id").to_dicts()
    followed = [row for row in reversed(rows) if all(row[name] is not None for name in _amounts())]
    shown = followed[:MOST]
    unit = TableUnit.of_axis(night.money, [row[name] for row in shown for name in _amounts()])
    index = night.index
    return Track(
        figure=_figure(night, shown, unit) if shown else None,
        unit=unit.words,
        all=index.get("track_all"),
        settled=index.get("track_settled"),
        inside=index.get("track_inside"),
        early=sum(1 for row in followed if row["is_within"] is None),
        not_drawn=len(followed) - len(shown),
        height=FRAME + ROW * len(shown) if shown else 0.0,
        words=_words(night, rows, followed),
    )


def _words(night: Night, rows: list[Row], followed: list[Row]) -> str:
    """How far past advice held."""
    settled = [row for row in followed if row["is_within"] is not None]
    promised = sum((row["predicted_usd_p50"] for row in settled), Decimal(0))
    saved = sum((row["realised_usd"] for row in settled), Decimal(0))
    facts = SimpleNamespace(
        given=len(rows), followed=len(followed), settled=len(settled), early=len(followed) - len(settled),
        inside=sum(1 for row in settled if row["is_within"]), share=saved / promised if promised > 0 else None,
    )  # fmt: skip
    return night.say("decisions", "record", facts)


def _amounts() -> tuple[str, ...]:
    return (*(f"predicted_usd_p{p}" for p in (10, 50, 90)), "realised_usd")


def _figure(night: Night, rows: list[Row], unit: TableUnit) -> Markup:
    promises = [_promise(night, row, unit) for row in rows]
    inside = sum(1 for one in promises if one.is_within)
    alt = f"What {len(rows)} past recommendations promised and saved; {inside} saved between P10 and P90."
    return record_bars(promises, alt)


def _promise(night: Night, row: Row, unit: TableUnit) -> Promise:
    low, median, high, realised = (float(row[name] / unit.scale) for name in _amounts())
    verdict = {True: "inside", False: "outside", None: "too early"}[row["is_within"]]
    since = formats.month_tick(row["recommended_as_of"])
    words = f"{night.money.short(row['realised_usd'])}, {verdict}"
    plain = row | {"target_params": None, "target_model_id": None}
    name = formats.fitted(night.say("decisions", "short_phrase", plain, 22), 154, 7.2)
    return Promise(since, name, low, median, high, realised, words, row["is_within"])
