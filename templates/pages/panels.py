"""The four panels of a model sheet; one without data says in a sentence what is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.balance_curve import Runoff, balance_curve
from templates.figures.cost_area import Event, cost_area
from templates.figures.iso_loss import OptimumBand, SizePoint, iso_loss, near
from templates.figures.task_bars import TaskBar, task_bars
from templates.pages.missing_panels import why_no_sizes, why_no_tasks
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit
from warehouse.vocabulary import PHASES

MOST_TASKS: Final = 5
UNLABELLED: Final = "Its requests carry no task: send one with each request, or map one in attribution.csv."
CREDITED: Final = "Credits are larger than its cost: there is nothing above zero to draw."
DAYS_A_MONTH: Final = 30.4375
TENTH: Final = 1.2815515655446004


@dataclass(frozen=True)
class Panel:
    """One panel: its subject, its unit, and the figure or what is missing."""

    subject: str
    unit: str
    figure: Markup | None
    missing: str
    note: str = ""


def cost_panel(night: Night, row: Row) -> Panel:
    """Cumulative spend by phase."""
    rows = night.tables["trails"].filter(model_id=row["model_id"]).sort("month").to_dicts()
    if not rows:
        return Panel("Cost so far", "", None, "It has no direct cost yet.")
    totals = [sum((one[f"{phase}_usd"] for phase in PHASES), Decimal(0)) for one in rows]
    if max(totals) <= 0:
        return Panel("Cost so far", "", None, CREDITED)
    unit = TableUnit.of_axis(night.money, totals)
    sums = [tuple(float(one[f"{phase}_usd"] / unit.scale) for phase in PHASES) for one in rows]
    amounts = [night.money.short(rows[-1][f"{phase}_usd"]) for phase in PHASES]
    total = night.money.short(totals[-1])
    alt = f"Cumulative cost since {formats.month_year(rows[0]['month'])}: {total} today."
    labels = [formats.month_tick(one["month"]) for one in rows]
    figure = cost_area(labels, sums, amounts, total, _events(night, row["model_id"], rows), alt)  # type: ignore[arg-type]
    moved = _moved_words(night, totals[-1], sum((row[f"{phase}_usd"] for phase in PHASES), Decimal(0)))
    return Panel("Cost so far", f"cumulative direct cost, {unit.words}{moved}", figure, "")


def _moved_words(night: Night, booked: Decimal, lifetime: Decimal) -> str:
    """What tells the cost as booked from the lifetime cost above: training shared with models made from it."""
    if night.money.short(booked) == night.money.short(lifetime):
        return ""
    amount = night.money.short(abs(booked - lifetime))
    return f"; {amount} {'is borne by models made from it' if booked > lifetime else 'more is of its base'}"


def _events(night: Night, model_id: str, rows: list[Row]) -> list[Event]:
    months = [row["month"] for row in rows]
    released = night.tables["models"].filter(model_id=model_id)["released_on"].to_list()
    events = []
    if released and released[0] and released[0].replace(day=1) in months:
        events.append(Event(months.index(released[0].replace(day=1)), "released"))
    crossings = [
        month_number for month_number, row in enumerate(rows) if row["inference_usd"] > row["pretraining_usd"] > 0
    ]
    if (
        crossings
        and 0 < crossings[0] < len(rows) - 1
        and all(abs(crossings[0] - event.month_number) > 1 for event in events)
    ):
        events.append(Event(crossings[0], "serving passed pre-training"))
    return events


def balance_panel(night: Night, model_id: str) -> Panel:
    """The balance of training, and where it runs to."""
    subject = "Training not yet amortised"
    end = night.subject["month"]
    rows = (
        night.tables["amortization"]
        .filter(pl.col("model_id") == model_id, pl.col("month") <= end)
        .sort("month")
        .to_dicts()
    )
    if not any(row["closing_usd"] or row["additions_usd"] for row in rows):
        has_training = any(row["amortized_usd"] for row in rows)
        return Panel(
            subject,
            "",
            None,
            "All of its training is amortised." if has_training else "It has no training cost of its own.",
        )
    if max(row["closing_usd"] for row in rows) <= 0 and rows[-1]["closing_usd"] < 0:
        return Panel(subject, "", None, CREDITED)
    unit = TableUnit.of_axis(night.money, [row["closing_usd"] for row in rows])
    last = rows[-1]
    runoff, words = _runoff(night, model_id, unit)
    figure = balance_curve(
        [formats.month_tick(row["month"]) for row in rows],
        [float(row["closing_usd"] / unit.scale) for row in rows],
        [float(row["additions_usd"] / unit.scale) for row in rows],
        runoff,
        [night.money.short(last["closing_usd"]), *words],
        f"{night.money.short(last['closing_usd'])} of training is not yet amortised at the end of {night.month}.",
    )
    method = {"units_of_production": "by tokens served", "straight_line": "by days"}[last["method"]]
    expected = f", {formats.tokens(last['expected_tokens'])} expected" if last["expected_tokens"] else ""
    yet = "" if any(row["amortized_usd"] for row in rows) else "; not yet serving"
    return Panel(subject, f"{unit.words} to {formats.month_tick(end)}; {method}{expected}{yet}", figure, "")


def _runoff(night: Night, model_id: str, unit: TableUnit) -> tuple[Runoff | None, list[str]]:
    rows = night.tables["runoffs"].filter(model_id=model_id).to_dicts()
    if not rows or not rows[0]["daily_usd"]:
        return None, ["", ""]
    row = rows[0]
    pace = float(row["daily_usd"] / unit.scale) * DAYS_A_MONTH
    states = night.tables["demand_states"].filter(pl.col("model_id") == model_id, pl.col("quantity") == "tokens")
    is_paced = row["basis"] == "pace" and states.height
    spread = math.exp(TENTH * float(states.sort("known_on")["sigma"][-1])) if is_paced else 1.0
    retires: date | None = row["retires_on"]
    ahead = ((retires - night.subject["period_end"]).days + 1) / DAYS_A_MONTH if retires else None
    left = night.money.short(row["stranded_usd"]) if row["stranded_usd"] else ""
    words = [f"retires {formats.month_tick(retires)}" if retires else "", left]
    return Runoff(pace / spread, pace, pace * spread, max(ahead, 0.0) if ahead is not None else None), words


def sizes_panel(night: Night, model_id: str) -> Panel:
    """Other sizes of the same quality."""
    subject = "The same quality at other sizes"
    tonight = {"as_of": night.subject["as_of"], "model_id": model_id}
    rows = night.tables["iso_loss"].filter(**tonight).sort("params", "point").to_dicts()
    if len(rows) < 3:  # noqa: PLR2004 - a curve has three points
        return Panel(subject, "", None, why_no_sizes(night, model_id))
    unit = TableUnit.of_axis(night.money, [row["total_usd"] for row in rows if row["point"] != "curve"])
    points = near([_point(row, unit) for row in rows])
    best = night.tables["lifetime_optimum"].filter(**tonight).to_dicts()
    band = _optimum(best[0]) if best else None
    law = best[0]["law_id"] if best else "unknown"
    low, high = points[0].params, points[-1].params
    sizes = [low * (high / low) ** (tick_number / 3) for tick_number in range(4)]
    alt = f"Lifetime cost at equal loss from {formats.tokens(low)} to {formats.tokens(high)} parameters"
    alt += f"; {band.words[0]}, {band.words[1]}." if band else "."
    figure = iso_loss(
        points, band, [(size, formats.tokens(formats.significant(formats.decimal(size), 2))) for size in sizes], alt
    )
    return Panel(subject, f"cost ahead at equal loss, {unit.words}; law {law}, shaded P10–P90", figure, "")


def _point(row: Row, unit: TableUnit) -> SizePoint:
    training, serving, total = (float(row[f"{name}_usd"] / unit.scale) for name in ("training", "serving", "total"))
    return SizePoint(row["params"], training, serving, total, row["point"], row["is_extrapolated"])


def _optimum(row: Row) -> OptimumBand:
    saving = formats.whole_percent(row["saving_ratio_p50"])
    sizes = [
        formats.tokens(formats.significant(formats.decimal(row[name]), 2)) for name in ("optimum_params_p50", "params")
    ]
    words = (f"optimum {sizes[0]}", f"now {sizes[1]}", f"−{saving}")
    return OptimumBand(row["optimum_params_p10"], row["optimum_params_p90"], words)


def tasks_panel(night: Night, model_id: str) -> Panel:
    """The largest tasks, and whether a student could take them."""
    subject = "What it is used for"
    rows = night.tables["task_shares"].filter(as_of=night.subject["as_of"], model_id=model_id).to_dicts()
    rows = [row for row in rows if row["share_ratio"] > 0]
    if not any(row["task"] for row in rows):
        return Panel(subject, "", None, UNLABELLED if rows else why_no_tasks(night, model_id))
    rows.sort(key=lambda row: (-row["share_ratio"], row["task"] or ""))
    kept, gate = _evaluated(night), night.settings["quality_gate_ratio"]
    bars = [_task(row, kept.get(row["task"]), gate) for row in rows[:MOST_TASKS]]
    rest = rows[MOST_TASKS:]
    if rest:
        share = sum(row["share_ratio"] for row in rest)
        name = f"{len(rest):,} other task{'s' if len(rest) > 1 else ''}"
        bars.append(TaskBar(name, share, formats.whole_percent(share), "", is_passed=False, is_rest=True))
    passed = sum(bar.is_passed for bar in bars)
    alt = f"Largest task {bars[0].name} with {bars[0].percent} of serving cost; a student passed the gate on {passed}."
    note = f"{_tasks_note(night, rows, kept)} {_ahead(night, model_id)}".rstrip()
    return Panel(subject, "share of serving cost; green: a student passed the gate", task_bars(bars, alt), "", note)


def _tasks_note(night: Night, rows: list[Row], kept: dict[str, float]) -> str:
    """What stands in the way of judging the tasks, and who could."""
    if any(row["task"] is None for row in rows):
        return "No label: requests without a task; send one with each, or map one in attribution.csv."
    if not any(row["task"] in kept for row in rows):
        return (
            "No student was compared with it on these tasks: what it could save is not known before workloads.csv says."
        )
    gate = formats.set_percent(night.settings["quality_gate_ratio"])
    return f"The gate: a student keeps at least {gate} of the quality of its teacher on the task."


def _ahead(night: Night, model_id: str) -> str:
    """What the task that is largest by then is expected to serve, and how far off that has been."""
    rows = night.tables["task_demand"].filter(pl.col("task").is_not_null(), pl.col("production_unit") == "tokens")
    tasks = rows.filter(model_id=model_id).sort("expected_p50", "task", descending=[True, False]).to_dicts()
    if not tasks:
        return ""
    row = tasks[0]
    low, median, high = (formats.tokens(row[f"expected_{level}"]) for level in ("p10", "p50", "p90"))
    off = f"; past forecasts were off by {formats.percent(row['mape_ratio'])}" if row["mape_ratio"] is not None else ""
    name = formats.fitted(row["task"], 120, 6.8)
    return f"The next four weeks of {name}: {median} tokens, {low} to {high}{off}."


def _evaluated(night: Night) -> dict[str, float]:
    """The best share of the teacher's quality that any student kept, by task."""
    rows = night.tables["workloads"].filter(pl.col("teacher_quality") > 0)
    kept = rows.with_columns(kept=pl.col("student_quality") / pl.col("teacher_quality"))
    return dict(kept.group_by("task").agg(pl.col("kept").max()).iter_rows())


def _task(row: Row, kept: float | None, gate: float) -> TaskBar:
    if kept is None:
        verdict, is_passed = "not evaluated", False
    else:
        is_passed = kept >= gate
        verdict = f"student at {formats.percent(kept)}" + ("" if is_passed else ", under gate")
    name = formats.fitted(row["task"], 70, 6.8) if row["task"] else "no label"
    return TaskBar(
        name, row["share_ratio"], formats.whole_percent(row["share_ratio"]), verdict, is_passed, is_rest=False
    )
