"""Page 1: what to decide, what it cost, and how far the numbers can be relied on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

from markupsafe import Markup

from templates import colours, formats
from templates.figures.company_bars import CompanyBar, company_bars
from templates.figures.month_columns import MonthAhead, MonthColumn, month_columns
from templates.pages.decisions_requested import Request, asked_rows, requested, requests
from templates.pages.fit_summary import chart_height
from templates.pages.headline_metrics import Comparison, MetricRow, metric_rows
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.pages.since_last import SinceLast, since_last
from templates.pages.trust import Trust, trust
from templates.pages.without_rules import Named, without_rules
from templates.table_unit import TableUnit
from warehouse.vocabulary import PHASES

MOST_AHEAD: Final = 5
MOST_NOTES: Final = 3
MOSTLY: Final = Decimal("0.5")
SQUEEZE: Final = 22.0
LOWEST_CHART: Final = 36.0
ORDINALS: Final = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
MOMENTS: Final = {"year_ago": "A year ago", "now": "Now", "at_retirement": "At retirement"}


@dataclass(frozen=True)
class Cause:
    """One part of the change of the month."""

    words: str
    change: Decimal
    ref: Ref | None


@dataclass(frozen=True)
class Summary:
    """Everything that page 1 prints; sentences carry the marks of `wording`."""

    code: str
    missing: str
    month: str
    compared: str
    previous: str
    total: Ref | None
    plan: Comparison
    before: Comparison
    decisions: Ref | None
    saving: Ref | None
    one_off: Ref | None
    sign_by: date | None
    main_class: str
    main_share: Decimal
    gap: Row | None
    gap_usd: Ref | None
    has_plan: bool
    due: tuple[str, ...]
    due_count: int
    waiting: int
    largest: str
    largest_saving: Decimal | None
    parts: tuple[Cause, ...]
    training_share: Decimal
    unallocated_share: Decimal
    unmatched_tokens: int
    lead: tuple[str, str]
    metrics: tuple[MetricRow, ...]
    unit: str
    history: str
    months_name: str
    year: str
    columns: Markup | None
    columns_unit: str
    running: str
    thirds: Markup | None
    requests: tuple[Request, ...]
    asked: tuple[Row, ...]
    landing: Ref | None
    total_request: Request | None
    request_head: tuple[str, str, str, str]
    empty: str
    notes: tuple[str, ...]
    unruled: tuple[Named, ...]
    since: SinceLast
    trust: Trust


def summary(night: Night) -> Summary:
    """Page 1 of the night."""
    index, title = night.index, night.title("summary")
    checks = {row["check"]: row for row in night.tables["quality_checks"].to_dicts()}
    rows = metric_rows(night)
    asked, total, head = requests(night)
    since, sure = since_last(night), trust(night)
    signed = [row for row in requested(night) if row["standing"] != "evaluate_first"]
    sign_by = min((row["sign_by"] for row in signed if row["sign_by"]), default=None)
    due = [row for row in signed if sign_by and row["sign_by"] == sign_by]
    best = max(signed, key=lambda row: row["next_year_saving_usd_p50"] or 0, default=None)
    detail = title["title_detail"] or ""
    draft = Summary(
        code=title["title_code"],
        missing=night.say("decisions", "missing", detail) if title["title_code"] == "nothing_valued" else "",
        month=night.month,
        compared=night.compared[1],
        previous=night.compared[0],
        total=index.get("effective_cost"),
        plan=rows[0].plan,
        before=rows[0].previous,
        decisions=index.get("decisions"),
        saving=index.get("saving_p50"),
        one_off=index.get("one_off"),
        sign_by=sign_by,
        due_count=len(due),
        waiting=len(requested(night)) - len(signed),
        main_class=_main_class(night),
        main_share=_share(night, (_main_class(night),)),
        gap=next(iter(night.tables["usage_gaps"].sort("position").to_dicts()), None),
        gap_usd=index.get("usage_gap"),
        has_plan=any(row.plan.code != "unknown" for row in rows),
        due=tuple(night.say("decisions", "phrase", row, 20) for row in due[:2]),
        largest=night.say("decisions", "phrase", best, 20) if best else "",
        largest_saving=best["next_year_saving_usd_p50"] if best else None,
        parts=tuple(_parts(night)),
        training_share=_share(night, PHASES[:2]),
        unallocated_share=_share(night, ("unallocated",)),
        unmatched_tokens=checks["model_coverage"]["counted"] or 0,
        lead=("", ""),
        metrics=rows,
        unit=_unit_name(night),
        history=_counted(len(night.figures)),
        months_name=_months_name(len(night.figures), len(_ahead(night))),
        year=str(night.subject["month"].year),
        columns=None,
        columns_unit=_unit(night).words,
        running=_running(night),
        thirds=_thirds(night),
        requests=tuple(asked),
        asked=tuple(asked_rows(night)),
        landing=index.get("landing"),
        total_request=total,
        request_head=head,
        empty=_empty(night) if not asked else "",
        notes=tuple(_notes(night, len(asked)))[:MOST_NOTES],
        unruled=without_rules(night) if not asked else (),
        since=since,
        trust=sure,
    )
    lead = night.say("summary", "deadline", draft), night.say("summary", "cause", draft)
    height = chart_height(night.paper, " ".join(lead), asked, draft.notes, since) - SQUEEZE * night.squeeze("summary")
    return replace(draft, lead=lead, columns=_columns(night, max(height, LOWEST_CHART)))


def _empty(night: Night) -> str:
    """Why no decision is asked for, by the case of page 2."""
    case = night.title("decisions")
    missing = night.say("decisions", "missing", case["title_detail"] or "")
    return night.say("decisions", "nothing_asked", case["title_code"], missing)


def _share(night: Night, classes: Sequence[str]) -> Decimal:
    amounts = _month_classes(night)
    whole = sum(amounts.values(), Decimal(0))
    part = sum((amounts.get(name, Decimal(0)) for name in classes), Decimal(0))
    return part / whole if whole > 0 else Decimal(0)


def _main_class(night: Night) -> str:
    """The class with at least half of the month's cost."""
    classes = [name for name in _month_classes(night) if _share(night, (name,)) >= MOSTLY]
    return max(classes, key=lambda name: _share(night, (name,)), default="")


def _month_classes(night: Night) -> dict[str, Decimal]:
    rows = night.tables["month_classes"].filter(month=night.subject["month"])
    return dict(zip(rows["cost_class"], rows["effective_usd"], strict=True))


def _counted(months: int) -> str:
    return f"{months} months" if months > 1 else "1 month"


def _months_name(behind: int, ahead: int) -> str:
    """Thirteen months and five to come."""
    first = "Thirteen months" if behind == 13 else f"{formats.count_word(behind)} month{'s' if behind > 1 else ''}"  # noqa: PLR2004 - the usual
    return f"{first} and {formats.count_word(ahead).lower()} to come" if ahead else first


def _unit_name(night: Night) -> str:
    return "a million tokens" if night.now["tokens"] or not night.now["unit_name"] else "tokens"


def _parts(night: Night) -> Iterator[Cause]:
    """The two drivers that moved most and the rest: together they are the change."""
    rows = night.tables["change_drivers"].sort("position").to_dicts()
    for row in rows[:2]:
        yield Cause(
            night.say("bridge", "driver_name", row), row["change_usd"], night.index.get(f"bridge_{row['driver']}")
        )
    rest = sum((row["change_usd"] for row in rows[2:]), Decimal(0))
    if any(digit in night.money.change(rest) for digit in "123456789"):
        yield Cause("all other", rest, None)


def _unit(night: Night) -> TableUnit:
    amounts = [row[column] or Decimal(0) for row in night.figures for column in ("effective_usd", "plan_usd")]
    return TableUnit.of_axis(night.money, amounts)


def _ahead(night: Night) -> list[Row]:
    """Months after the one reported, as the outlook has them."""
    rows = night.tables["outlook"].sort("month").to_dicts()
    return [row for row in rows if row["month"] > night.subject["month"]][:MOST_AHEAD]


def _columns(night: Night, height: float) -> Markup | None:
    unit = _unit(night)
    classes: dict[date, dict[str, Decimal]] = {}
    for row in night.tables["month_classes"].to_dicts():
        classes.setdefault(row["month"], {})[row["cost_class"]] = row["effective_usd"]
    if not any(any(amounts.values()) for amounts in classes.values()):
        return None
    strip = TableUnit.of_axis(night.money, [_difference(row) or Decimal(0) for row in night.figures])
    labelled = _labelled([row["effective_usd"] for row in night.figures])
    months = [
        _column(row, classes[row["month"]], unit, strip, month_number == 0, month_number in labelled)
        for month_number, row in enumerate(night.figures)
    ]
    later = _ahead(night)
    ahead = [_month_ahead(row, unit, month_number == len(later) - 1) for month_number, row in enumerate(later)]
    costs = [row["effective_usd"] for row in night.figures]
    low, high, last = (night.money.short(amount) for amount in (min(costs), max(costs), costs[-1]))
    alt = f"{_counted(len(months))} of effective cost, from {low} to {high}; {night.month}: {last}."
    return month_columns(months, ahead, strip.head, alt, height)


def _labelled(costs: Sequence[Decimal]) -> set[int]:
    """Which columns carry their amount: the last, and the highest where it is not beside it."""
    last = len(costs) - 1
    highest = max(range(len(costs)), key=lambda month_number: (costs[month_number], month_number))
    return {last} | ({highest} if last - highest > 1 else set())


def _difference(row: Row) -> Decimal | None:
    return None if row["plan_usd"] is None else row["effective_usd"] - row["plan_usd"]


def _column(
    row: Row, amounts: dict[str, Decimal], unit: TableUnit, strip: TableUnit, is_first: bool, has_words: bool  # noqa: FBT001 - private
) -> MonthColumn:  # fmt: skip
    rest = sum((value for name, value in amounts.items() if name not in {*PHASES, "idle"}), Decimal(0))
    stack = [float(amounts[name] / unit.scale) for name in (*PHASES, "idle")]
    difference = _difference(row)
    return MonthColumn(
        letter=formats.month(row["month"])[0],
        year=str(row["month"].year) if is_first or row["month"].month == 1 else "",
        amounts=(*stack, float(rest / unit.scale)),
        plan=float(row["plan_usd"] / unit.scale) if row["plan_usd"] is not None else None,
        difference=float(difference / strip.scale) if difference is not None else None,
        difference_words=strip.cell(difference, plus="+") if difference is not None else "",
        words=_printed(row["effective_usd"], unit) if has_words else "",
    )


def _printed(amount: Decimal, unit: TableUnit) -> str:
    """An amount in the unit of the axis, with two decimals under a hundred."""
    return formats.plain(amount / unit.scale, 2 if abs(amount) < 100 * unit.scale and unit.scale > 1 else 0)


def _month_ahead(row: Row, unit: TableUnit, has_words: bool) -> MonthAhead:  # noqa: FBT001 - private
    low, median, high = (row[f"expected_usd_p{p}"] for p in (10, 50, 90))
    return MonthAhead(
        letter=formats.month(row["month"])[0],
        year=str(row["month"].year) if row["month"].month == 1 else "",
        spent=float(row["actual_usd"] / unit.scale),
        low=float(low / unit.scale),
        median=float(median / unit.scale),
        high=float(high / unit.scale),
        plan=float(row["plan_usd"] / unit.scale) if row["plan_usd"] is not None else None,
        words=_printed(median, unit) if has_words else "",
    )


def _running(night: Night) -> str:
    """The month that runs on the night: spent so far, and where it is heading."""
    rows = [row for row in _ahead(night) if row["month"] == night.subject["as_of"].replace(day=1)]
    if not rows or not rows[0]["actual_usd"]:
        return ""
    day = night.subject["as_of"].day
    facts = SimpleNamespace(
        month=formats.month(rows[0]["month"]), spent=rows[0]["actual_usd"], day=day,
        ordinal=ORDINALS.get(day, "th"), median=rows[0]["expected_usd_p50"], plan=rows[0]["plan_usd"],
    )  # fmt: skip
    return night.say("summary", "running", facts)


def _thirds(night: Night) -> Markup | None:
    rows = night.tables["company_thirds"].sort("position").to_dicts()
    drawn = [row for row in rows if row["inference_ratio"] is not None]
    if not drawn:
        return None
    bars = [
        CompanyBar(
            MOMENTS[row["moment"]],
            night.money.short(sum(row[f"{phase}_usd"] for phase in PHASES))
            + (", if nothing is decided" if row["moment"] == "at_retirement" else ""),
            (row["pretraining_ratio"], row["posttraining_ratio"], row["inference_ratio"]),
            tuple(formats.whole_percent(row[f"{phase}_ratio"]) for phase in PHASES),  # type: ignore[arg-type]
        )
        for row in drawn
    ]
    now = next((bar for bar, row in zip(bars, drawn, strict=True) if row["moment"] == "now"), bars[-1])
    named = ", ".join(f"{colours.NAMES[phase].lower()} {words}" for phase, words in zip(PHASES, now.words, strict=True))
    return company_bars(bars, night.target, f"The company’s thirds, lifetime direct spend: now {named}.")


def _paid(night: Night) -> str:
    """What the pools of all decisions are to cost in twelve months; empty where nothing is asked for."""
    for row in night.tables["recommended_totals"].to_dicts():
        paid, run_rate = row["next_year_paid_usd_p50"], row["run_rate_paid_usd"]
        if paid:
            return night.say("decisions", "paid", SimpleNamespace(paid=paid, run_rate=run_rate, whose="these"))
    return ""


def _notes(night: Night, shown: int) -> Iterator[str]:
    """A new anomaly, a use that is in question, the other decisions, what doing nothing costs, and an idle pool."""
    for row in night.tables["recent_anomalies"].filter("is_new").sort("position").head(1).to_dicts():
        yield night.say("bridge", "anomaly", row)
    for gap in night.tables["usage_gaps"].sort("position").head(1).to_dicts():
        yield night.say("summary", "usage_gap", gap)
    rows = requested(night)
    waiting = sum(1 for row in rows if row["standing"] == "evaluate_first")
    facts = SimpleNamespace(
        more=len(rows) - shown, waiting=waiting, saving=night.index.get("saving_p50"), of=_paid(night)
    )
    if others := night.say("summary", "others", facts) if rows else "":
        yield others
    if facts.saving is not None and facts.saving.value > 0:
        yield night.say("summary", "nothing", facts)
    pools = [row for row in night.tables["idle_pools"].sort("position").to_dicts() if row["decision_rank"] is None]
    if pools:
        reason = night.say("decisions", "pool_reason", pools[0]["reason"])
        yield night.say("summary", "idle", pools[0]["pool_id"], reason, pools[0]["idle_usd"], None)
