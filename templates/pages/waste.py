"""Page 5: what bought nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.pareto import Cause, pareto
from templates.figures.timeline import share_timeline
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_CAUSES: Final = 9
MOST_RUNS: Final = 10
YARDSTICK: Final = 0.9
SMALL_SHARE: Final = Decimal("0.03")
WORDS: Final = {
    "failed": "Failed runs",
    "cancelled": "Cancelled runs",
    "timeout": "Timed out runs",
    "abandoned_sweep": "Abandoned sweeps",
    "repeated_steps": "Repeated steps",
    "superseded": "Superseded runs",
    "idle": "Idle",
    "commitment_unused": "Unused",
}
IDLE: Final = ("idle", "commitment_unused")


@dataclass(frozen=True)
class WorstRun:
    """One run, ready to print."""

    run: str
    model: str
    phase: str
    cause: str
    gpu_hours: str
    cost: str


@dataclass(frozen=True)
class Waste:
    """Everything that page 5 prints."""

    month: str
    previous: str
    total: Ref | None
    training: Ref | None
    idle: Ref | None
    goodput: Ref | None
    share: Decimal | None
    points: Decimal | None
    largest: str
    largest_amount: Decimal
    figure: Markup | None
    timeline: Markup | None
    runs: tuple[WorstRun, ...]
    others: str
    unit: str

    @property
    def title_refs(self) -> tuple[Ref | None, ...]:
        """The numbers of the title, as they are read."""
        return (self.total,)

    @property
    def is_small(self) -> bool:
        """Under 3 % of cost."""
        return self.share is not None and self.share < SMALL_SHARE


def waste(night: Night) -> Waste:
    """Page 5 of the night."""
    causes = _causes(night, night.subject["month"])
    share = _share(night, night.now)
    before = _share(night, night.before) if night.before else None
    runs, others, unit = _runs(night)
    index = night.index
    return Waste(
        month=night.month,
        previous=night.previous,
        total=index.get("wasted"),
        training=index.get("wasted_training"),
        idle=index.get("wasted_idle"),
        goodput=index.get("goodput"),
        share=share,
        points=share - before if share is not None and before is not None else None,
        largest=_sentence(_cause_words(causes[0])) if causes else "",
        largest_amount=causes[0]["wasted_usd"] if causes else Decimal(0),
        figure=_figure(night, causes),
        timeline=_timeline(night),
        runs=tuple(runs),
        others=others,
        unit=unit,
    )


def _causes(night: Night, month: object) -> list[Row]:
    """Causes by size; what is idle by its pool."""
    pool = pl.when(pl.col("cause").is_in(IDLE)).then("pool_id")
    rows = night.tables["waste"].filter(month=month).group_by("cause", pool=pool).agg(pl.col("wasted_usd").sum())
    used = [row for row in rows.to_dicts() if row["wasted_usd"]]
    return sorted(used, key=lambda row: (-row["wasted_usd"], row["cause"], row["pool"] or ""))


def _cause_words(row: Row) -> str:
    return f"{WORDS[row['cause']]} in {formats.fitted(row['pool'], 50)}" if row["pool"] else WORDS[row["cause"]]


def _sentence(words: str) -> str:
    return words[:1].lower() + words[1:]


def _share(night: Night, figures: Row) -> Decimal | None:
    wasted = night.tables["waste"].filter(month=figures["month"])["wasted_usd"].sum() or 0
    whole = figures["effective_usd"]
    return Decimal(wasted) / whole if whole > 0 else None


def _figure(night: Night, causes: list[Row]) -> Markup | None:
    if not causes:
        return None
    whole = sum((row["wasted_usd"] for row in causes), Decimal(0))
    shown, rest = causes[:MOST_CAUSES], causes[MOST_CAUSES:]

    def bar(name: str, amount: Decimal, *, is_idle: bool) -> Cause:
        share = formats.whole_percent(amount / whole) if whole > 0 else formats.UNKNOWN
        return Cause(name, float(amount), f"{night.money.short(amount)}, {share}", is_idle)

    bars = [bar(_cause_words(row), row["wasted_usd"], is_idle=row["cause"] in IDLE) for row in shown]
    if rest:
        bars.append(bar(f"{len(rest):,} others", sum((row["wasted_usd"] for row in rest), Decimal(0)), is_idle=False))
    alt = f"{night.money.short(whole)} bought nothing; the largest cause is {bars[0].name.lower()}, {bars[0].words}."
    return pareto(bars, alt)


def _timeline(night: Night) -> Markup | None:
    known = dict(night.tables["goodput"].select("month", "goodput_ratio").iter_rows())
    months = [row["month"] for row in night.figures]
    shares = [known.get(month) for month in months]
    if not any(share is not None for share in shares):
        return None
    last = [share for share in shares if share is not None][-1]
    words = formats.percent(last)
    alt = f"Share of training GPU time that bought progress over {len(months)} months; last {words}, yardstick 90 %."
    return share_timeline([formats.month_tick(month) for month in months], shares, YARDSTICK, words, alt)


def _runs(night: Night) -> tuple[list[WorstRun], str, str]:
    rows = night.tables["run_spend"].filter(month=night.subject["month"]).to_dicts()
    lost = sorted((row for row in rows if row["wasted_usd"] > 0), key=lambda row: (-row["wasted_usd"], row["run_id"]))
    unit = TableUnit.of(night.money, [row["wasted_usd"] for row in lost])
    shown = [
        WorstRun(
            run=formats.fitted(row["run_name"] or row["run_id"], 130),
            model=formats.fitted(row["model_id"], 80),
            phase=(row["phase"] or formats.UNKNOWN).replace("training", "-training"),
            cause=WORDS.get(row["cause"], formats.UNKNOWN).lower(),
            gpu_hours=formats.plain(row["gpu_seconds"] * row["wasted_ratio"] / 3600),
            cost=unit.cell(row["wasted_usd"]),
        )
        for row in lost[:MOST_RUNS]
    ]
    rest = sum((row["wasted_usd"] for row in lost[MOST_RUNS:]), Decimal(0))
    others = f"{len(lost) - MOST_RUNS:,} more runs lost {night.money.short(rest)}." if len(lost) > MOST_RUNS else ""
    return shown, others, unit.words
