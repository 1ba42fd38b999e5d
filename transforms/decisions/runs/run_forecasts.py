"""Runs in flight: where each is heading, and whether its remaining cost is worth paying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.law.iso_loss_curve import training_flop
from transforms.decisions.runs.run_tails import LEAST_POINTS, Curve, forecast_errors, half_width, tail_loss
from warehouse.schemas.decisions import RunForecasts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_METRICS: Final = ("loss", "val_loss")
# Past curves that calibrate an interval; the newest, because older recipes ran differently.
_MOST_PAST: Final = 100


def run_forecasts(
    settings: pl.DataFrame, training_runs: pl.DataFrame, training_metrics: pl.DataFrame, positions: pl.DataFrame
) -> pl.DataFrame:
    """One training run still going: where its loss is heading, what that still costs, and whether to go on."""
    as_of = settings.item(0, "as_of")
    running = training_runs.filter(pl.col("status") == "running").sort("run_id")
    finished = training_runs.filter(pl.col("status") == "finished", pl.col("ended_at").is_not_null())
    past = finished.sort("ended_at", "run_id", descending=[True, False])
    known = pl.concat([running.select("run_id"), past.select("run_id").head(_MOST_PAST)])
    curves = _curves(training_metrics.join(known, on="run_id", how="semi"))
    places = {row["model_id"]: row for row in positions.to_dicts()}
    ended = [curves[run_id] for run_id in past.get_column("run_id").to_list() if run_id in curves]
    rows = [
        _forecast(run, curves.get(run["run_id"]), ended, places.get(run["model_id"], {}), _best(run, finished))
        for run in running.to_dicts()
    ]
    return RunForecasts.frame(rows_in_cents(RunForecasts, rows).with_columns(as_of=pl.lit(as_of)))


def _curves(training_metrics: pl.DataFrame) -> dict[str, Curve]:
    """Losses by tokens of each run: its training loss, or its validation loss where that is all there is."""
    losses = training_metrics.filter(
        pl.col("name").is_in(_METRICS), pl.col("value").is_finite(), pl.col("value") > 0, pl.col("tokens") > 0
    )
    first = losses.with_columns(pl.col("name").min().over("run_id").alias("chosen"))
    rows = first.filter(pl.col("name") == pl.col("chosen")).sort("run_id", "tokens", "step", "value")
    return {
        str(key[0]): Curve(part.get_column("tokens").to_numpy(), part.get_column("value").to_numpy())
        for key, part in rows.group_by("run_id", maintain_order=True)
    }


def _best(run: Mapping[str, Any], finished: pl.DataFrame) -> float | None:
    same = finished.filter(pl.col("model_id") == run["model_id"], pl.col("phase").eq_missing(run["phase"]))
    best = same.select(pl.col("final_loss").filter(pl.col("final_loss").is_finite()).min()).item()
    return None if best is None else float(best)


def _forecast(
    run: Mapping[str, Any],
    curve: Curve | None,
    past: Sequence[Curve],
    position: Mapping[str, Any],
    best: float | None,
) -> dict[str, Any]:
    planned = float(position.get("training_tokens") or 0)
    row = {
        "run_id": run["run_id"],
        "model_id": run["model_id"],
        "planned_tokens": planned or None,
        "best_past_loss": best,
    }
    missing = _missing(run, curve, planned)
    if curve is None or missing:
        return row | {"past_runs": 0, "verdict": "unknown", "reason": missing}
    now = float(curve.tokens[-1])
    end = tail_loss(curve, max(planned, now))
    errors = forecast_errors(past, min(now / planned, 1.0))
    width = half_width(errors)
    row |= {"tokens": now, "loss": float(curve.loss[-1]), "final_loss_p50": end, "past_runs": errors.size}
    row["remaining_usd"] = _remaining(run, position, max(planned - now, 0.0))
    if end is not None and width is not None:
        row |= {"final_loss_p10": end * float(np.exp(-width)), "final_loss_p90": end * float(np.exp(width))}
    return row | _verdict(row)


def _missing(run: Mapping[str, Any], curve: Curve | None, planned: float) -> str:
    if curve is None or curve.tokens.size < 2 * LEAST_POINTS:
        return "its log holds too few losses with tokens: log loss and tokens at least every hundredth of the run"
    if run["model_id"] is None:
        return "no rule of attribution.csv names the model it trains"
    if not planned:
        return f"nobody said how long it will train: give training_tokens of {run['model_id']} in models.csv"
    return ""


def _remaining(run: Mapping[str, Any], position: Mapping[str, Any], tokens: float) -> float | None:
    size = run["active_params"] or run["params"] or position["active_params"]
    price = position["usd_per_training_flop"]
    return round(float(training_flop(size, tokens) * price), 2) if size and price else None


def _verdict(row: Mapping[str, Any]) -> dict[str, str]:
    """Stop only where even the hopeful end is worse than what the company already has."""
    best, low = row["best_past_loss"], row.get("final_loss_p10")
    if low is None:
        words = f"{row['past_runs']} finished runs with curves are too few to say how far the forecast may be off"
        return {"verdict": "unknown", "reason": words}
    if best is not None and low > best:
        words = f"even its hopeful end of {low:.3f} is worse than the {best:.3f} that a finished run reached"
        return {"verdict": "stop", "reason": words}
    against = "no finished run of the model to compare with" if best is None else f"the best so far is {best:.3f}"
    return {"verdict": "continue", "reason": f"expected to end at {row['final_loss_p50']:.3f}; {against}"}
