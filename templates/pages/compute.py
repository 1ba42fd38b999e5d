"""Page 7: what a law says of the models, what limits their GPUs, and where runs that are going on are heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures.log_strip import Strip, log_strip, share_bar, strip_head, strip_row
from templates.figures.marks import sparkline
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.table_unit import TableUnit

MOST_MODELS: Final = 8
MOST_DEPLOYMENTS: Final = 8
MOST_TENFOLD: Final = 6
MOST_PRICES: Final = 6
MOST_RUNS: Final = 8
MOST_TEACHERS: Final = 3
MOST_SHARED: Final = 2
TRAINING_STRIP: Final = 58.0
DEMAND_STRIP: Final = 82.0
BATCH_STRIP: Final = 66.0
PLACES: Final = 3
"""Decimals of a loss: what a tenfold of compute buys is a matter of hundredths."""


@dataclass(frozen=True)
class LawRow:
    """One model beside the law, ready to print."""

    name: str
    cells: tuple[str, str, str]
    overtrain: Markup
    overtrain_words: str
    demand: Markup
    demand_words: str
    training_share: str
    verdict: str


@dataclass(frozen=True)
class TenfoldRow:
    """What ten times the compute of one model would buy."""

    name: str
    flop: str
    loss: str
    tenfold_loss: str
    cost: str


@dataclass(frozen=True)
class BatchRow:
    """One model on one deployment, ready to print."""

    name: str
    figure: Markup
    batch: str
    critical: str
    lost: str


@dataclass(frozen=True)
class PriceRow:
    """The price of tokens of one quality, ready to print."""

    name: str
    served_by: str
    months: Markup
    used: str
    api: str
    yearly: str


@dataclass(frozen=True)
class WorkRow:
    """One place of work, ready to print."""

    name: str
    bar: Markup
    share: str
    largest: str
    cost: str


@dataclass(frozen=True)
class RunRow:
    """One run that is going on, ready to print."""

    run: str
    kind: str
    done: str
    now: str
    end: str
    best: str
    left: str
    verdict: str
    needs_attention: bool


@dataclass(frozen=True)
class Compute:
    """Everything that page 7 prints."""

    fits: Ref | None
    judged: Ref | None
    beyond: Ref | None
    is_above: bool
    model: str
    small_batches: Ref | None
    deployments: int
    runs_going: int
    stops: int
    lead: str
    law: tuple[LawRow, ...]
    law_heads: tuple[Markup, Markup] | None
    law_note: str
    tenfold: tuple[TenfoldRow, ...]
    tenfold_unit: str
    batches: tuple[BatchRow, ...]
    batch_head: Markup | None
    batch_unit: str
    batch_note: str
    prices: tuple[PriceRow, ...]
    price_unit: str
    work: tuple[WorkRow, ...]
    work_unit: str
    work_total: Ref | None
    teachers: str
    runs: tuple[RunRow, ...]
    runs_unit: str
    as_of: str


def compute(night: Night) -> Compute:
    """Page 7 of the night."""
    tables, index, less = night.tables, night.index, night.squeeze("compute")
    law = tables["law_verdicts"].sort("position").to_dicts()
    batches = tables["serving_batches"].sort("position").to_dicts()
    runs = tables["runs_in_flight"].sort("position").to_dicts()
    misfit = next((row for row in law if row["fits_equal_split"] is False), None)
    named = misfit or next((row for row in law if row["fits_equal_split"]), None)
    stops = sum(row["verdict"] in {"stop", "roll_back"} for row in runs)
    heads, rows = _law(night, law[: max(MOST_MODELS - less, 2)])
    tenfold, tenfold_unit = _tenfold(night, [row["model_id"] for row in law][: max(MOST_TENFOLD - less, 2)])
    batch_head, batch_rows, batch_unit = _batches(night, batches[: max(MOST_DEPLOYMENTS - less, 2)])
    work, work_unit = _work(night)
    run_rows, runs_unit = _runs(night, runs[: max(MOST_RUNS - less, 2)])
    chosen = tables["scaling_law"].filter("is_chosen").to_dicts()
    return Compute(
        fits=index.get("split_fits"),
        judged=index.get("split_judged"),
        beyond=index.get("split_beyond"),
        is_above=bool(misfit and misfit["is_above"]),
        model=named["model_id"] if named else "",
        small_batches=index.get("small_batches"),
        deployments=sum(bool(row["small_batches_usd"]) for row in batches),
        runs_going=len(runs),
        stops=stops,
        lead=_lead(night, law, stops),
        law=rows,
        law_heads=heads,
        law_note=night.say("compute", "law", chosen[0]) if chosen and law else "",
        tenfold=tenfold,
        tenfold_unit=tenfold_unit,
        batches=batch_rows,
        batch_head=batch_head,
        batch_unit=batch_unit,
        batch_note=_batch_note(night, batches) if batches else "",
        prices=_prices(night, max(MOST_PRICES - less, 2)),
        price_unit=night.money.heading,
        work=work,
        work_unit=work_unit,
        work_total=index.get("work"),
        teachers=_teachers(night),
        runs=run_rows,
        runs_unit=runs_unit,
        as_of=formats.day(night.subject["as_of"]),
    )


def _lead(night: Night, law: Sequence[Row], stops: int) -> str:
    facts = SimpleNamespace(
        code=night.title("compute")["title_code"], stops=stops,
        low=law[0]["equal_from_ratio"] if law else None, high=law[0]["equal_to_ratio"] if law else None,
        stop_remaining=night.index.get("stop_remaining"), small_batches=night.index.get("small_batches"),
    )  # fmt: skip
    return night.say("compute", "lead", facts)


def _law(night: Night, rows: Sequence[Row]) -> tuple[tuple[Markup, Markup] | None, tuple[LawRow, ...]]:
    if not rows:
        return None, ()
    trained = log_strip([1.0, *(row["overtrain_ratio"] for row in rows)], TRAINING_STRIP)
    edges = [rows[0]["equal_from_ratio"], rows[0]["equal_to_ratio"]]
    wanted = log_strip([*edges, *(row["demand_ratio"] or 1.0 for row in rows)], DEMAND_STRIP)
    heads = (strip_head(trained, "logarithmic axis of over-training"), strip_head(wanted, "logarithmic axis of demand"))
    return heads, tuple(_law_row(night, row, trained, wanted) for row in rows)


def _law_row(night: Night, row: Row, trained: Strip, wanted: Strip) -> LawRow:
    over, demand = formats.factor(row["overtrain_ratio"]), formats.factor(row["demand_ratio"])
    demand_alt = "demand is not known" if row["demand_ratio"] is None else f"demand {demand} times"
    return LawRow(
        name=formats.fitted(row["model_id"], 66),
        cells=(
            formats.tokens(row["params"]), formats.tokens(row["tokens"]), formats.plain(row["tokens_per_param"]),
        ),
        overtrain=strip_row(trained, row["overtrain_ratio"], f"over-trained {over} times", target=1.0),
        overtrain_words=over,
        demand=strip_row(
            wanted, row["demand_ratio"], demand_alt, target=row["equal_best_ratio"],
            good=(row["equal_from_ratio"], row["equal_to_ratio"]), is_good=bool(row["fits_equal_split"]),
        ),
        demand_words=demand,
        training_share=formats.whole_percent(row["optimal_training_ratio"]).removesuffix(f"{formats.NBSP}%"),
        verdict=night.say("compute", "verdict", row),
    )  # fmt: skip


def _tenfold(night: Night, models: Sequence[str]) -> tuple[tuple[TenfoldRow, ...], str]:
    evidence_by_model = {row["model_id"]: row for row in night.tables["scaling_evidence"].to_dicts()}
    rows = sorted(
        (evidence_by_model[model] for model in models if model in evidence_by_model),
        key=lambda row: -row["tenfold_flop"],
    )
    unit = TableUnit.of(night.money, [row["tenfold_usd"] for row in rows if row["tenfold_usd"] is not None])
    return tuple(
        TenfoldRow(
            name=formats.fitted(row["model_id"], 76),
            flop=formats.flop(row["tenfold_flop"] / 10),
            loss=formats.plain(row["loss"], PLACES),
            tenfold_loss=formats.plain(row["tenfold_loss"], PLACES),
            cost=unit.cell(row["tenfold_usd"]),
        )
        for row in rows
    ), unit.words


def _batches(night: Night, rows: Sequence[Row]) -> tuple[Markup | None, tuple[BatchRow, ...], str]:
    if not rows:
        return None, (), ""
    sizes = [row["batch_measured"] for row in rows if row["batch_measured"]]
    strip = log_strip([max(size, 0.1) for size in sizes] + [row["critical_batch"] for row in rows], BATCH_STRIP)
    unit = TableUnit.of(night.money, [row["small_batches_usd"] or Decimal(0) for row in rows])
    several = {row["model_id"] for row in rows if sum(one["model_id"] == row["model_id"] for one in rows) > 1}
    return strip_head(strip, "logarithmic axis of requests in a batch"), tuple(
        BatchRow(
            name=formats.fitted(row["deployment_id"] if row["model_id"] in several else row["model_id"], 72),
            figure=strip_row(
                strip, max(row["batch_measured"], 0.1) if row["batch_measured"] else None,
                f"batch {formats.factor(row['batch_measured'])}, critical {formats.factor(row['critical_batch'])}",
                target=row["critical_batch"],
            ),
            batch=formats.factor(row["batch_measured"]),
            critical=formats.factor(row["critical_batch"]),
            lost=unit.cell(row["small_batches_usd"]),
        )
        for row in rows
    ), unit.words  # fmt: skip


def _batch_note(night: Night, rows: Sequence[Row]) -> str:
    shared = sorted({row["deployment_id"] for row in rows if row["models"] > 1})
    premium = night.index.get("latency_premium")
    facts = SimpleNamespace(
        shared=", ".join(formats.name(name, 24) for name in shared[:MOST_SHARED])
        + (" and others" if len(shared) > MOST_SHARED else ""),
        premium=premium if premium is not None and premium.value > 0 else None,
    )  # fmt: skip
    return night.say("compute", "batches", facts)


def _prices(night: Night, most: int) -> tuple[PriceRow, ...]:
    """Qualities that are served: those that an API sells first, then the largest price."""
    table = night.tables["equal_quality_prices"]
    serving = {row["model_id"] for row in night.tables["band_verdicts"].to_dicts() if not row["is_retired"]}
    now = [row for row in table.filter(month=night.subject["month"]).to_dicts() if row["model_id"] in serving]
    now.sort(key=lambda row: (row["api_usd_per_mtok"] is None, -row["used_usd_per_mtok"], row["model_id"]))
    months = [row["month"] for row in night.figures]
    rows = []
    for row in now[:most]:
        past = dict(table.filter(model_id=row["model_id"]).select("month", "used_usd_per_mtok").iter_rows())
        series = [float(past[month]) if month in past else None for month in months]
        used = night.money.per_mtok(row["used_usd_per_mtok"])
        rows.append(
            PriceRow(
                name=formats.fitted(row["model_id"], 66),
                served_by="itself"
                if row["serving_model_id"] == row["model_id"]
                else formats.fitted(row["serving_model_id"], 60),
                months=sparkline(series, [], f"{len(months)} months, last value {used}"),
                used=used,
                api=night.money.per_mtok(row["api_usd_per_mtok"]),
                yearly=formats.whole_percent(row["yearly_change_ratio"], plus="+"),
            )
        )
    return tuple(rows)


def _work(night: Night) -> tuple[tuple[WorkRow, ...], str]:
    rows = night.tables["task_standings"].sort("position").to_dicts()
    unit = TableUnit.of(night.money, [row["monthly_inference_usd"] for row in rows])
    return tuple(
        WorkRow(
            name=night.say("compute", "standing", row["standing"]),
            bar=share_bar(row["share_ratio"], f"{formats.whole_percent(row['share_ratio'])} of inference", 36.0),
            share=formats.whole_percent(row["share_ratio"]).removesuffix(f"{formats.NBSP}%"),
            largest=night.say("compute", "largest", row),
            cost=unit.cell(row["monthly_inference_usd"]),
        )
        for row in rows
    ), unit.words


def _teachers(night: Night) -> str:
    rows = night.tables["teacher_costs"].filter(pl.col("teacher_training_usd") > 0)
    ranked = rows.sort("teacher_training_usd", "model_id", descending=[True, False]).to_dicts()
    return night.say("compute", "teachers", ranked[:MOST_TEACHERS])


def _runs(night: Night, rows: Sequence[Row]) -> tuple[tuple[RunRow, ...], str]:
    unit = TableUnit.of(night.money, [row["remaining_usd"] for row in rows if row["remaining_usd"] is not None])

    def measured(value: float | None) -> str:
        return formats.plain(value, PLACES)

    return tuple(
        RunRow(
            run=formats.fitted(row["run_name"], 92),
            kind=night.say("compute", "kind", row["kind"]),
            done=formats.whole_percent(row["progress_ratio"]),
            now=f"{row['measured_by']} {measured(row['current'])}" if row["current"] is not None else formats.UNKNOWN,
            end=formats.UNKNOWN
            if row["final_p10"] is None
            else f"{measured(row['final_p10'])}–{measured(row['final_p90'])}",
            best=measured(row["best_past"]),
            left=unit.cell(row["remaining_usd"]),
            verdict=night.say("compute", "run_verdict", row),
            needs_attention=row["verdict"] in {"stop", "roll_back"},
        )
        for row in rows
    ), unit.words
