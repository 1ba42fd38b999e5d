"""What the title of each page says, as a code: the verdicts of the night, decided before any word is chosen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import polars as pl

from warehouse.vocabulary import PHASES

MOSTLY: Final = Decimal("0.5")
SMALL_WASTE: Final = Decimal("0.03")
TRAINING: Final = ("pretraining", "posttraining")
Row = dict[str, Any]


def decision_case(
    recommendations: pl.DataFrame,
    candidates: pl.DataFrame,
    quality_checks: pl.DataFrame,
    training_runs: pl.DataFrame,
    usage_gaps: pl.DataFrame,
    models: pl.DataFrame,
    now: Row,
) -> tuple[str, str | None]:
    """Whether something is asked for, nothing is needed, or nothing could be valued, and then what is missing first.

    Nothing is needed only where it is known of every model with a material cost that it serves somebody. A company that
    trains no model of its own will never have a log: it waits for an evaluation of another model. Where most cost has
    no rule, what was weighed is a small part of the company: its verdict is none on the rest.
    """
    if recommendations.filter(pl.col("action") != "hold").height:
        return "decisions", None
    if now["unallocated_usd"] > MOSTLY * max(now["effective_usd"], Decimal(0)):
        return "nothing_valued", "rules"
    if usage_gaps.height and candidates["monthly_saving_usd_p50"].drop_nulls().len():
        return "usage_gap", usage_gaps.sort("position")["code"].item(0)
    if candidates["monthly_saving_usd_p50"].drop_nulls().len():
        return "nothing_needed", None
    codes = {row["check"]: row["code"] for row in quality_checks.to_dicts()}
    gaps = (
        ("bills", codes["ledger"] == "no_bill"),
        ("telemetry", codes["model_coverage"] in {"no_telemetry", "nothing_served"}),
        ("model_names", codes["model_coverage"] == "unmatched"),
        ("evaluations", models.height > 0 and bool((models["origin"] == "adopted").all())),
        ("training_logs", not training_runs.height),
        ("training_prices", True),
    )
    return "nothing_valued", next(name for name, is_missing in gaps if is_missing)


def summary_title(
    now: Row, cost_value: Decimal | None, classes: dict[str, Decimal], coverage: str, case: str, missing: str | None
) -> tuple[str, str | None]:
    """The case of page 1 and the code of what it adds: decisions first, then what keeps the month from being judged."""
    if cost_value is None:
        return "no_bill", None
    if now["effective_usd"] < 0:
        return "credits", None
    if case == "decisions":
        return "decisions", None
    if now["unallocated_usd"] > MOSTLY * now["effective_usd"]:
        return "unattributed", None
    if not now["tokens"] and not now["units"] and not classes.get("inference"):
        trained = sum((classes.get(phase, Decimal(0)) for phase in TRAINING), Decimal(0))
        return "nothing_served", coverage if trained else "no_training"
    return case, missing


def bridge_title(row: Row, metrics: Row, drivers: pl.DataFrame, has_forecast: bool) -> str:  # noqa: FBT001 - one fact
    """Whether cost rose, fell or stayed, and whether the largest two drivers nearly cancel."""
    if row["previous_month"] is None or not drivers.height:
        return "outlook_only" if has_forecast else "nothing"
    sizes = drivers["change_usd"].to_list()
    most, least = max(sizes), min(sizes)
    if metrics["previous_direction"] in {"up", "down"}:
        return "rose" if metrics["previous_direction"] == "up" else "fell"
    if metrics["previous_direction"] == "not_meaningful":
        return "changed"
    if most > 0 > least and abs(most + least) * 2 < min(most, -least):
        return "level_cancelling"
    return "level_two" if most > 0 > least else "level_one"


def band_title(verdicts: pl.DataFrame) -> str:
    """How many models there are to judge, and whether one is outside; retired models are none of them."""
    living = verdicts.filter(~pl.col("is_retired"))
    if not verdicts.height:
        return "no_models"
    if not living.height:
        return "all_retired"
    if living.height == 1:
        return "one_model"
    if living["is_outside"].any():
        return "some_out"
    if living["is_judged"].any():
        return "all_in"
    return "all_young" if (living["state"] == "too_young").any() else "all_adopted"


def has_balance(thirds: pl.DataFrame) -> bool:
    """Whether the models together have paid for two phases: with one phase alone there is no balance to judge."""
    return sum(bool((thirds[f"{phase}_usd"] != 0).any()) for phase in PHASES) > 1


def unit_title(metrics: Row, now: Row) -> str:
    """Whether a million tokens, or one unit of something else, has a price to state."""
    if metrics["value"] is not None:
        return f"tokens_{metrics['previous_direction'] or 'alone'}"
    if now["units"]:
        return "units"
    return metrics["reason"] if metrics["reason"] in {"few_tokens", "credits"} else "not_known"


def waste_title(metrics: Row, now: Row) -> str:
    """Whether what was wasted or idle is known, and large enough to lead."""
    if metrics["value"] is None:
        return "not_known"
    if metrics["reason"] == "no_run_log":
        return "idle_only"
    total = now["effective_usd"]
    if not metrics["value"] or total <= 0:
        return "nothing"
    return "small" if metrics["value"] < SMALL_WASTE * total else "some"


def amortization_title(balance: Decimal | None, runoffs: pl.DataFrame, materiality: Decimal) -> str:
    """By which method the balance runs off, and whether a retirement that is known would leave some of it."""
    if not balance:
        return "nothing"
    if balance < 0:
        return "credit"
    if Decimal(runoffs["stranded_usd"].sum() or 0) > materiality:
        return "past_retirement"
    bases = set(runoffs.filter(pl.col("closing_usd") > 0)["basis"])
    if bases == {"not_serving"}:
        return "not_serving"
    return {("schedule",): "schedule", ("pace",): "pace"}.get(tuple(sorted(bases - {"not_serving"})), "mixed")


def served_title(served_groups: pl.DataFrame) -> str:
    """Whether one name of the first dimension leads, or most of serving carries none."""
    first = next((one for one in ("team", "tenant", "task") if (served_groups["dimension"] == one).any()), None)
    ours = served_groups.filter(pl.col("dimension") == pl.lit(first, pl.String))
    whole = Decimal(ours["used_usd"].sum() or 0)
    unnamed = Decimal(ours.filter(pl.col("name").is_null())["used_usd"].sum() or 0)
    if whole <= 0:
        return "nothing"
    return "unnamed" if unnamed > MOSTLY * whole else "named"


def compute_title(
    law_verdicts: pl.DataFrame, serving_batches: pl.DataFrame, runs_in_flight: pl.DataFrame
) -> tuple[str, str | None]:
    """What page 7 leads with: the split that the law judges, else batches, else runs; and whether a run should stop.

    Nothing where there is neither an own model that a law can judge, nor a deployment on known GPUs, nor a run.
    """
    detail = "stop" if runs_in_flight["verdict"].is_in(["stop", "roll_back"]).any() else None
    if law_verdicts["fits_equal_split"].drop_nulls().len():
        return ("split_all" if law_verdicts["fits_equal_split"].drop_nulls().all() else "split_some"), detail
    if serving_batches["small_batches_usd"].drop_nulls().len():
        return ("batches" if serving_batches["small_batches_usd"].sum() else "batches_full"), detail
    if runs_in_flight.height:
        return "runs", detail
    if law_verdicts.height:
        return "demand_unknown", detail
    return ("batches_unknown" if serving_batches.height else "nothing"), detail


def reconciliation_title(quality_checks: pl.DataFrame) -> str:
    """Whether every invoice that states a total ties out."""
    codes = {row["check"]: row["code"] for row in quality_checks.to_dicts()}
    if codes["ledger"] == "different":
        return "not_equal"
    return str(codes["invoices"])
