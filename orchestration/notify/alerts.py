"""What people are told beside the report: a night that is held, failed or missing, and doubts that are new."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from orchestration import last_failure
from orchestration.missing_nights import missing, yesterday
from orchestration.notify.settings import Occasion
from orchestration.settings import Project
from warehouse import outbox, publish

GRACE: Final = timedelta(hours=12)
"""How long after its end a night may take until it is missed."""
NAMED: Final = 5
MISSING: Final = "missing"
HEADLINES: Final[dict[Occasion, str]] = {
    "held": "is held and not published",
    "failed": "has failed and is not published",
    "missing": "is missing",
    "doubt": "has new doubts",
}


@dataclass(frozen=True)
class Alert:
    """One thing to tell: about which night, what, and what to do."""

    occasion: Occasion
    night: date
    sentence: str
    remedy: str
    last: date | None = None
    """The newest night that it is about, where it is about several."""

    def is_news(self, now: datetime, days: int) -> bool:
        """Whether it is recent enough to be told: an outage is as old as its newest night."""
        return (now.date() - (self.last or self.night)).days <= days

    @property
    def name(self) -> str:
        """What tells it from other alerts about the night: another reason, or another set of doubts, is other news."""
        if self.occasion == MISSING:
            return MISSING
        return f"{self.occasion}-{hashlib.sha256(self.sentence.encode()).hexdigest()[:8]}"


def alerts(project: Project, now: datetime, *, is_watch: bool = False) -> list[Alert]:
    """What is to be told now; missing nights only by a watch, because a run may be just making them up."""
    return [*_unpublished(project), *_new_doubts(project), *(_missing(project, now) if is_watch else ())]


def _unpublished(project: Project) -> Iterator[Alert]:
    failure = last_failure.noted(project.var)
    if failure is not None:
        occasion: Occasion = "held" if failure.is_held else "failed"
        yield Alert(occasion, failure.night, failure.reason, standing(project))


def _missing(project: Project, now: datetime) -> Iterator[Alert]:
    """The newest nights that are missing one after the other; gaps before them were told when they were the newest."""
    failure = last_failure.noted(project.var)
    gaps = _newest_stretch(missing(project, yesterday(now - GRACE)))
    if gaps and (failure is None or failure.night != gaps[0]) and not _was_told_with_others(project, gaps[0]):
        count = "1 night is" if len(gaps) == 1 else f"{len(gaps)} nights are"
        sentence = f"{count} not published, {gaps[0]} first and {gaps[-1]} last; no run has said why"
        yield Alert(MISSING, gaps[0], sentence, "See whether `trisect ui` runs; `trisect run` makes them up.", gaps[-1])


def _newest_stretch(nights: Sequence[date]) -> Sequence[date]:
    """The last of these nights with those that come one after the other before it."""
    start = len(nights) - 1
    while start > 0 and nights[start - 1] == nights[start] - timedelta(days=1):
        start -= 1
    return nights[max(start, 0) :]


def _was_told_with_others(project: Project, night: date) -> bool:
    """Whether nights before this one, which are made up by now, were told as missing when it was missed already."""
    missed_at = datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1) + GRACE
    folder = project.var / "delivery"
    return any(
        letter.issue == MISSING and letter.state in outbox.FINAL and datetime.fromisoformat(letter.at) >= missed_at
        for before in outbox.nights(folder)
        if before < night
        for letter in outbox.messages(folder, before)
    )


def _new_doubts(project: Project) -> Iterator[Alert]:
    """Doubts of the newest night that the night before did not have and nobody has accepted."""
    nights = publish.nights(project.published)
    newest = max(nights, default=None)
    if newest is None:
        return
    before = max((night for night in nights if night < newest), default=None)
    earlier = _doubts(project, before, nights[before]) if before else {}
    doubts = _doubts(project, newest, nights[newest])
    new = [doubts[key] for key in sorted(doubts.keys() - earlier.keys())]
    if new:
        named = "; ".join(f"{one['kind']} {one['subject']} of {one['source']}" for one in new[:NAMED])
        more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
        remedy = "`trisect check` says of each what to do; `accepted_findings` records that a person has looked."
        count = "1 new doubt" if len(new) == 1 else f"{len(new)} new doubts"
        yield Alert("doubt", newest, f"{count}, each once: {named}{more}", remedy)


def _doubts(project: Project, night: date, revision: int) -> dict[tuple[str, str, str], dict[str, Any]]:
    findings = publish.manifest(project.published, night, revision).get("findings", [])
    open_doubts = [one for one in findings if one["is_doubt"] and not one["is_accepted"]]
    return {(one["kind"], one["subject"], one["source"]): one for one in open_doubts}


def standing(project: Project) -> str:
    """Which report stands meanwhile."""
    nights = publish.nights(project.published)
    return f"The report of {max(nights)} stands." if nights else "No report is published yet."
