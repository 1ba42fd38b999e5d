"""Runs in flight: where each is heading, and whether its remaining cost is worth paying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.law.laws import training_flop
from transforms.decisions.runs.divergence import Divergence, divergence
from transforms.decisions.runs.run_plans import run_plans
from transforms.decisions.runs.run_tails import LEAST_POINTS, Curve, interval, tail_loss
from warehouse.schemas.decisions import RunForecasts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_METRICS: Final = ("loss", "val_loss")
# Past curves that calibrate an interval; the newest, because older recipes ran differently.
_MOST_PAST: Final = 100


def run_forecasts(
    settings: pl.DataFrame,
    training_runs: pl.DataFrame,
    training_metrics: pl.DataFrame,
    models: pl.DataFrame,
    positions: pl.DataFrame,
    run_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One training run still going: where its loss is heading, what that still costs, and whether to go on.

    A run that has left its way is stopped or rolled back whatever it can be compared with. RL runs are judged by their
    reward (reward_forecasts); here they have their cost and their length alone.
    """
    as_of = settings.item(0, "as_of")
    running = training_runs.filter(pl.col("status") == "running").sort("run_id")
    finished = training_runs.filter(pl.col("status") == "finished", pl.col("ended_at").is_not_null())
    past = finished.sort("ended_at", "run_id", descending=[True, False])
    compared = pl.concat([running, past.head(_MOST_PAST)])
    metrics = training_metrics.join(compared.select("run_id"), on="run_id", how="semi")
    curves, unknown = _curves(metrics, compared), _unknown_at_end(metrics)
    plans = {row["run_id"]: row for row in run_plans(training_runs, training_metrics, models).to_dicts()}
    places = {row["model_id"]: row for row in positions.to_dicts()}
    spent = dict(run_spend.group_by("run_id").agg(pl.col("effective_usd").sum()).iter_rows())
    ended = {run_id: curves[run_id] for run_id in past.get_column("run_id").to_list() if run_id in curves}
    rows = []
    for run in running.to_dicts():
        plan = plans[run["run_id"]]
        same = [curve for run_id, curve in ended.items() if (plans[run_id]["kind"] == "sft") == (plan["kind"] == "sft")]
        cost = float(spent[run["run_id"]]) if run["run_id"] in spent else None
        facts = _Facts(run, plan, curves.get(run["run_id"]), unknown.get(run["run_id"], 0), cost)
        rows.append(facts.row(same, places.get(run["model_id"], {}), _best(run, finished)))
    return RunForecasts.frame(rows_in_cents(RunForecasts, rows).with_columns(as_of=pl.lit(as_of)))


def _losses(metrics: pl.DataFrame) -> pl.DataFrame:
    """Losses of each run: its training loss, or its validation loss where that is all there is."""
    losses = metrics.filter(pl.col("name").is_in(_METRICS))
    return losses.filter(pl.col("name") == pl.col("name").min().over("run_id"))


def _curves(metrics: pl.DataFrame, runs: pl.DataFrame) -> dict[str, Curve]:
    """Losses of each run by tokens, or by steps where no losses carry tokens, with the scale of the run."""
    losses = _losses(metrics).filter(pl.col("value").is_finite(), pl.col("value") > 0)
    has_tokens = (pl.col("tokens") > 0).any().over("run_id")
    at = pl.when(has_tokens).then("tokens").otherwise(pl.col("step").cast(pl.Float64))
    placed = losses.with_columns(at=at).filter(pl.col("at") > 0).sort("run_id", "at", "step", "value")
    sizes = {
        run_id: active or params
        for run_id, active, params in runs.select("run_id", "active_params", "params").iter_rows()
    }
    curves = {}
    for key, part in placed.group_by("run_id", maintain_order=True):
        run_id, tokens = str(key[0]), part.get_column("at").to_numpy()
        size = sizes[run_id]
        scale = float(training_flop(size, tokens[-1])) if size else float(tokens[-1])
        curves[run_id] = Curve(tokens, part.get_column("value").to_numpy(), scale)
    return curves


def _unknown_at_end(metrics: pl.DataFrame) -> dict[str, int]:
    """How many of the last losses of each run are no number."""
    ordered = _losses(metrics).sort("run_id", "step", "tokens", nulls_last=False)
    is_known = pl.col("value").is_finite().fill_null(value=False)
    last = ordered.group_by("run_id").agg(
        is_known.cast(pl.Int8).reverse().arg_max().alias("after"), is_known.any().alias("some")
    )
    return {run_id: int(after) for run_id, after, some in last.iter_rows() if some}


def _best(run: Mapping[str, Any], finished: pl.DataFrame) -> float | None:
    same = finished.filter(pl.col("model_id") == run["model_id"], pl.col("phase").eq_missing(run["phase"]))
    best = same.select(pl.col("final_loss").filter(pl.col("final_loss").is_finite()).min()).item()
    return None if best is None else float(best)


class _Facts:
    """One run in flight: its log, its plan, and what it has cost so far."""

    def __init__(
        self,
        run: Mapping[str, Any],
        plan: Mapping[str, Any],
        curve: Curve | None,
        unknown_at_end: int,
        spent: float | None,
    ) -> None:
        self.run, self.plan, self.curve, self.unknown, self.spent = run, plan, curve, unknown_at_end, spent
        has_tokens = curve is not None and run["run_id"] is not None and self._is_by_tokens(curve)
        self.axis = "tokens" if has_tokens else "steps"
        self.now = float(curve.tokens[-1]) if curve is not None and curve.tokens.size else None
        planned = plan[f"planned_{self.axis}"]
        self.planned = float(planned) if planned else None

    def _is_by_tokens(self, curve: Curve) -> bool:
        steps = self.run["steps"]
        return self.run["tokens"] is not None or steps is None or curve.tokens[-1] > steps

    @property
    def progress(self) -> float | None:
        """Part of the planned length that is over."""
        return min(self.now / self.planned, 1.0) if self.now and self.planned else None

    def row(self, past: Sequence[Curve], position: Mapping[str, Any], best: float | None) -> dict[str, Any]:
        """The row of the run; the verdict of one that diverges does not ask what it could be compared with."""
        share = self.progress
        row: dict[str, Any] = {
            "run_id": self.run["run_id"],
            "model_id": self.run["model_id"],
            "kind": self.plan["kind"],
            "planned_basis": self.plan[f"{self.axis}_basis"],
            f"planned_{self.axis}": self.planned,
            self.axis: self.now,
            "progress_ratio": share,
            "spent_usd": self.spent,
            "remaining_usd": self._remaining(position),
            "best_past_loss": best,
            "past_runs": 0,
        }
        if self.curve is None or self.curve.tokens.size < 2 * LEAST_POINTS:
            code = "reward_decides" if self.plan["kind"] == "rl" else "too_few_losses"
            return row | {"verdict": "unknown", "reason_code": code}
        row["loss"] = float(self.curve.loss[-1])
        bounds = interval(past, share or 1.0, self.curve.scale)
        # the loss of a policy is no measure of how good it is: only one that is no number tells
        is_told = self.plan["kind"] != "rl" or self.unknown
        wrong = divergence(self.curve, self.unknown, bounds.half_width) if is_told else None
        row |= {"past_runs": bounds.runs, "interval_basis": bounds.basis, "widening_ratio": bounds.widening}
        row |= {"hold_outs": bounds.hold_outs, "hold_out_coverage_ratio": bounds.coverage}
        row |= {"widened_coverage_ratio": bounds.widened_coverage}
        end = tail_loss(self.curve, max(self.planned, self.now or 0.0)) if self.planned else None
        if end is not None and not wrong and self.plan["kind"] != "rl":
            row["final_loss_p50"] = end
            if bounds.half_width is not None:
                row["final_loss_p10"] = end * float(np.exp(-bounds.half_width))
                row["final_loss_p90"] = end * float(np.exp(bounds.half_width))
        return row | self._verdict(row, wrong, best)

    def _remaining(self, position: Mapping[str, Any]) -> float | None:
        """Cost to the planned end: as each token or step has cost so far, else by FLOP at the price of training."""
        if self.now is None or self.planned is None:
            return None
        left = max(self.planned - self.now, 0.0)
        if self.spent is not None and self.spent > 0:
            return self.spent * left / self.now
        size = self.run["active_params"] or self.run["params"] or position.get("active_params")
        price = position.get("usd_per_training_flop")
        if self.axis == "steps" or not size or not price:
            return None
        return float(training_flop(float(size), left)) * float(price)

    def _verdict(self, row: Mapping[str, Any], wrong: Divergence | None, best: float | None) -> dict[str, Any]:
        """Stop where it diverges, or where even the hopeful end is worse than what the company already has."""
        if wrong is not None:
            verdict = "roll_back" if wrong.is_late else "stop"
            lowest = {"lowest_loss": wrong.best_loss, f"lowest_at_{self.axis}": wrong.best_at}
            return {"verdict": verdict, "reason_code": wrong.cause, **lowest}
        missing = self._missing(row)
        if missing:
            return {"verdict": "unknown", "reason_code": missing}
        if best is not None and row["final_loss_p10"] > best:
            return {"verdict": "stop", "reason_code": "worse_than_best"}
        return {"verdict": "continue", "reason_code": "nothing_to_compare" if best is None else "may_be_best"}

    def _missing(self, row: Mapping[str, Any]) -> str:
        """What keeps a run that is on its way from being judged by its loss."""
        lacks = {
            "reward_decides": self.plan["kind"] == "rl",
            "no_model": self.run["model_id"] is None,
            "length_unknown": self.planned is None,
            "too_few_runs": row.get("final_loss_p10") is None,
        }
        return next((code for code, is_so in lacks.items() if is_so), "")
