"""What happened since the last report: decided, measured, restated, and what is newly in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures import marks
from templates.pages.night import Night, Row

MOST: Final = 2


@dataclass(frozen=True)
class Item:
    """One line: a mark where it is good or bad news, and the words."""

    mark: Markup | None
    words: str


@dataclass(frozen=True)
class SinceLast:
    """Four columns of at most two lines each, or one sentence where no report was before."""

    published: str
    columns: tuple[tuple[str, tuple[Item, ...]], ...]


def since_last(night: Night) -> SinceLast:
    """What the tables of the night say of the time since the night published before."""
    nights = night.tables["published_periods"].filter(night.before_tonight())["night"]
    last = nights.max()
    columns = (
        ("Decided", _filled(night, "decided", _decided(night))),
        ("Measured", _filled(night, "measured", _measured(night))),
        ("Restated", _filled(night, "restated", _restated(night))),
        ("Doubts", _filled(night, "doubts", _doubts(night))),
    )
    return SinceLast(formats.day_month(last) if last else "", columns)  # type: ignore[arg-type]


def _filled(night: Night, topic: str, items: Iterator[Item]) -> tuple[Item, ...]:
    shown = tuple(items)[:MOST]
    return shown or (Item(None, night.say("summary", "no_news", topic)),)


def _record(night: Night) -> list[Row]:
    rows = night.tables["track_record"].sort("recommended_as_of", "action", "model_id", "task", "pool_id").to_dicts()
    return [row | {"target_params": None, "target_model_id": None} for row in reversed(rows)]


def _decided(night: Night) -> Iterator[Item]:
    for row in _record(night):
        if row["state"] == "acted" and row["realised_usd"] is None:
            yield Item(marks.passed(), night.say("summary", "acted", night.say("decisions", "phrase", row, 18)))


def _measured(night: Night) -> Iterator[Item]:
    for row in _record(night):
        amounts = [row[name] for name in ("realised_usd", "predicted_usd_p10", "predicted_usd_p90")]
        if None not in amounts:
            mark = marks.attention() if row["is_within"] is False else marks.passed()
            phrase = night.say("decisions", "phrase", row, 18)
            yield Item(mark, night.say("summary", "measured", phrase, *amounts))


def _restated(night: Night) -> Iterator[Item]:
    for row in night.tables["restated_months"].sort("month", descending=True).to_dicts():
        yield Item(None, night.say("summary", "restated", row["month"], row["current_usd"], row["reported_usd"]))


def _doubts(night: Night) -> Iterator[Item]:
    """The largest doubts that nobody has accepted, and cost that no rule reaches by the largest name of it."""
    findings = night.tables["largest_findings"].filter("is_doubt", ~pl.col("is_accepted")).sort("rank")
    sentences: set[str] = set()
    for row in findings.to_dicts():
        amount = formats.Money(row["currency"]).short(row["amount"]) if row["amount"] and row["currency"] else ""
        words = night.say("summary", "finding", amount, row["kind"], row["subject"])
        if words not in sentences and len(sentences) < MOST:
            sentences.add(words)
            yield Item(marks.attention(), words)
    unallocated = night.now["unallocated_usd"]
    if unallocated and unallocated >= night.subject["materiality_usd"]:
        names = night.tables["unmatched"].filter(quantity="cost").sort("amount", "name", descending=[True, False])
        name = names["name"][0] if names.height else ""
        yield Item(marks.attention(), night.say("summary", "no_rule", unallocated, name))
