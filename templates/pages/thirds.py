"""Page 4: which models are out of balance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import colours, formats
from templates.figures.marks import penalty_head, penalty_mark, thirds_bar
from templates.pages.band_verdict import Verdict, spend, verdict_of, verdicts
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.triangle import triangle
from templates.table_unit import TableUnit
from warehouse.vocabulary import PHASES

MOST_ROWS: Final = {"A4": 14, "letter": 10}
SHORT_HEAD: Final = 4
NAME_WIDTH: Final = 62.0
FEWEST_ROWS: Final = 5
SMALL_SHARE: Final = Decimal("0.005")
ROOMY_ROWS: Final = {"A4": 8, "letter": 5}


@dataclass(frozen=True)
class ThirdsRow:
    """One model in the table, its cells ready to print."""

    name: str
    cells: tuple[str, ...]
    bar: Markup | None
    penalty: Markup | None
    verdict: str
    over: str
    age: str
    rank: str = ""


@dataclass(frozen=True)
class Thirds:
    """Everything that page 4 prints."""

    verdict: Verdict
    target_name: str
    band: str
    until: str
    figure: Markup
    notes: tuple[str, ...]
    rows: tuple[ThirdsRow, ...]
    small: ThirdsRow | None
    retired: ThirdsRow | None
    lead: str
    everything: ThirdsRow
    unit: str
    over_head: str
    penalty_head: Markup
    is_rounded: bool
    is_dense: bool
    check: tuple[tuple[str, Ref], ...]
    ledger: Ref | None
    is_whole: bool

    @property
    def has_models(self) -> bool:
        """Whether a model is left to draw: retired ones are a row of the table."""
        return bool(self.rows or self.small)

    @property
    def faults(self) -> tuple[str, ...]:
        """The lifetime ledger is the sum of its parts."""
        return () if self.is_whole else ("direct, idle, shared, unallocated and adjustments are not the ledger",)


def models_by_spend(night: Night) -> list[Row]:
    """Every model with direct cost, the largest first, with its share of idle and shared cost."""
    overhead = night.tables["band_verdicts"].select("model_id", "overhead_usd")
    current = night.tables["thirds"].filter(pl.col("as_of") == night.subject["as_of"])
    rows = [row for row in current.join(overhead, on="model_id", how="left").to_dicts() if spend(row)]
    return sorted(rows, key=lambda row: (-abs(spend(row)), row["model_id"]))


def shown_rows(rows: list[Row], most: int) -> list[Row]:
    """The models that stand in the table: as many as fit, and no tail of models that hardly cost anything."""
    least = SMALL_SHARE * sum((abs(spend(row)) for row in rows), Decimal(0))
    tail = sum(1 for row in rows[FEWEST_ROWS:] if abs(spend(row)) < least)
    kept = len(rows) - tail if tail > 1 else len(rows)
    return rows[: min(kept, most)]


def thirds(night: Night) -> Thirds:
    """Page 4 of the night."""
    rows = models_by_spend(night)
    verdict_by_model = verdicts(night)
    living = [row for row in rows if not verdict_by_model[row["model_id"]]["is_retired"]]
    gone = [row for row in rows if verdict_by_model[row["model_id"]]["is_retired"]]
    large = shown_rows(living, max(MOST_ROWS[night.paper] - bool(gone) - 2 * night.squeeze("thirds"), 2))
    rest = living[len(large) :]
    spent = [spend(row) for row in rows]
    unit = TableUnit.of_rows(night.money, spent, sum(spent, Decimal(0)))
    shown = [
        _table_row(row, unit, night, verdict_by_model[row["model_id"]], rank) for rank, row in enumerate(large, start=1)
    ]
    figure, notes = triangle(night, living, large)
    return Thirds(
        verdict=verdict_of(night, rows),
        target_name=night.target_name,
        band=formats.whole_percent(night.settings["dead_band_ratio"]),
        until=formats.day(night.subject["as_of"]),
        figure=figure,
        notes=tuple(notes),
        rows=tuple(shown),
        small=_summed(f"{len(rest):,} small models" if len(rest) > 1 else "1 small model", rest, unit),
        retired=_summed(_retired_name(gone), gone, unit),
        everything=_summed("All models", rows, unit) or _empty(unit),
        lead=night.say(
            "thirds",
            "lead",
            SimpleNamespace(
                target_name=night.target_name, band=formats.whole_percent(night.settings["dead_band_ratio"])
            ),
        ),
        unit=unit.words,
        over_head=unit.head if len(unit.head) < SHORT_HEAD else "",
        penalty_head=penalty_head(float(night.settings["dead_band_ratio"])),
        is_rounded=_is_rounded(rows, unit),
        is_dense=len(shown) > ROOMY_ROWS[night.paper],
        check=_check(night),
        ledger=night.index.get("lifetime_ledger"),
        is_whole=_is_whole(night),
    )


def _retired_name(rows: list[Row]) -> str:
    """How many have retired, the first two by name."""
    names = ", ".join(formats.name(row["model_id"], 12) for row in rows[:2])
    return f"{len(rows)} retired: {names}{' …' if len(rows) > 2 else ''}"  # noqa: PLR2004 - two names fit


def _table_row(row: Row, unit: TableUnit, night: Night, band_verdict: Row, rank: int) -> ThirdsRow:
    is_adopted = row["status"] == "no_own_pretraining"
    amounts: list[Decimal | None] = [row[f"{phase}_usd"] for phase in PHASES]
    cells = [formats.UNKNOWN if is_adopted else unit.cell(amounts[0]), *(unit.cell(amount) for amount in amounts[1:])]
    return ThirdsRow(
        name=formats.fitted(row["model_id"], NAME_WIDTH) + (" †" if is_adopted else ""),
        cells=(*cells, unit.cell(spend(row)), unit.cell(row["overhead_usd"])),
        bar=_bar(row),
        penalty=_penalty(row, night),
        verdict=_verdict(row),
        over=unit.cell(row["distance_usd"]) if band_verdict["is_outside"] else formats.UNKNOWN,
        age=formats.plain(row["age_days"]),
        rank=str(rank),
    )


def _verdict(row: Row) -> str:
    if row["status"] == "too_young":
        return "too young"
    if row["penalty_ratio"] is None:
        return "not served" if not row["inference_usd"] else formats.UNKNOWN
    return formats.whole_percent(row["penalty_ratio"], plus="+")


def _bar(row: Row) -> Markup | None:
    judged = [phase for phase in PHASES if row[f"target_{phase}_ratio"]]
    shares = [row[f"{phase}_ratio"] for phase in judged]
    if None in shares or min(shares, default=-1) < 0:
        return None
    words = ", ".join(
        f"{colours.NAMES[phase].lower()} {formats.whole_percent(share)}"
        for phase, share in zip(judged, shares, strict=True)
    )
    parts = [row[f"{phase}_ratio"] if phase in judged else 0.0 for phase in PHASES]
    return thirds_bar(parts, [row[f"target_{phase}_ratio"] or 0.0 for phase in PHASES], words)


def _penalty(row: Row, night: Night) -> Markup | None:
    low, high = row["projected_penalty_ratio_p10"], row["projected_penalty_ratio_p90"]
    penalty = row["penalty_ratio"]
    if penalty is None and low is None:
        return None
    spread = (low, high) if low is not None and high is not None else None
    words = f"cost of imbalance {formats.whole_percent(penalty)}"
    if spread:
        words += f", at retirement {formats.whole_percent(low)} to {formats.whole_percent(high)}"
    return penalty_mark(penalty, spread, night.settings["dead_band_ratio"], row["status"], words)


def _summed(name: str, rows: list[Row], unit: TableUnit) -> ThirdsRow | None:
    if not rows:
        return None
    sums = [sum((row[f"{phase}_usd"] for row in rows), Decimal(0)) for phase in PHASES]
    overhead = sum((row["overhead_usd"] or Decimal(0) for row in rows), Decimal(0))
    cells = (*sums, sum(sums, Decimal(0)), overhead)
    return ThirdsRow(name, tuple(unit.cell(amount) for amount in cells), _summed_bar(sums, rows[0]), None, "", "", "")


def _summed_bar(sums: list[Decimal], first: Row) -> Markup | None:
    """The shares of several models together."""
    whole = sum(sums, Decimal(0))
    if whole <= 0 or min(sums) < 0:
        return None
    shares = [float(amount / whole) for amount in sums]
    words = ", ".join(
        f"{colours.NAMES[phase].lower()} {formats.whole_percent(share)}"
        for phase, share in zip(PHASES, shares, strict=True)
    )
    return thirds_bar(shares, [first[f"target_{phase}_ratio"] or 0.0 for phase in PHASES], words)


def _empty(unit: TableUnit) -> ThirdsRow:
    return ThirdsRow("All models", tuple(unit.cell(Decimal(0)) for _ in range(5)), None, None, "", "", "")


def _is_rounded(rows: list[Row], unit: TableUnit) -> bool:
    """Whether printed parts miss a printed total."""

    def printed(amount: Decimal) -> Decimal:
        return formats.rounded(amount / unit.scale, unit.places)

    sums = [sum((row[f"{phase}_usd"] for row in rows), Decimal(0)) for phase in PHASES]
    columns = [sum((printed(row[f"{phase}_usd"]) for row in rows), Decimal(0)) for phase in PHASES]
    across = any(sum(printed(row[f"{phase}_usd"]) for phase in PHASES) != printed(spend(row)) for row in rows)
    down = any(column != printed(total) for column, total in zip(columns, sums, strict=True))
    return across or down or sum(printed(total) for total in sums) != printed(sum(sums, Decimal(0)))


def _check(night: Night) -> tuple[tuple[str, Ref], ...]:
    names = ("direct", "idle_shared", "unallocated", "adjustment")
    words = ("direct", "idle and shared", "unallocated", "adjustments")
    refs = [(word, night.index.get(f"lifetime_{name}")) for name, word in zip(names, words, strict=True)]
    return tuple((word, ref) for word, ref in refs if ref is not None)


def _is_whole(night: Night) -> bool:
    ledger = night.index.get("lifetime_ledger")
    parts = sum((ref.value for _, ref in _check(night)), Decimal(0))
    return ledger is None or parts == ledger.value
