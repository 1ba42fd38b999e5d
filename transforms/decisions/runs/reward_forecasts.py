"""RL runs: reward as a sigmoid of compute, so that the third that reinforcement learning costs has a law of its own.

R(C) = R0 + (A − R0) / (1 + (C_mid / C)^B): from the reward at the start to the asymptote A, half of it at C_mid.
Reference: Khatri et al. 2025, The Art of Scaling Reinforcement Learning Compute for LLMs (arXiv:2510.13786).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.quantiles import weighted_quantiles
from transforms.decisions.runs.run_plans import REWARDS, run_plans
from warehouse.schemas.decisions import RewardForecasts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats

_EXPONENTS: Final = np.geomspace(0.4, 6.0, 30)
_MIDPOINTS: Final = np.geomspace(0.03, 30.0, 70)  # in units of the compute so far
_EARLY: Final = 0.05
_POINTS: Final = 50
_LEAST_POINTS: Final = 20
# Neighbouring points of a smoothed reward tell the same thing twice.
_WORTH_OF_A_POINT: Final = 0.5
# Under a fiftieth of the reward that the whole run may gain, what is left is not worth its compute.
_LEAST_GAIN: Final = 0.02
_FALL: Final = 4.0
_LEAST_FALL: Final = 0.1


@dataclass(frozen=True)
class Sigmoid:
    """Fits of one run side by side, weighted by their likelihood: start, asymptote, exponent and midpoint."""

    start: Floats
    asymptote: Floats
    exponent: Floats
    midpoint: Floats
    weight: Floats
    noise: float

    def reward(self, compute: float) -> Floats:
        """Reward at an amount of compute, by fit."""
        return np.asarray(self.start + (self.asymptote - self.start) / (1 + (self.midpoint / compute) ** self.exponent))

    def gain(self, compute: float) -> Floats:
        """Reward that one more unit of compute brings, by fit: the slope of the sigmoid."""
        ratio = (self.midpoint / compute) ** self.exponent
        return np.asarray((self.asymptote - self.start) * self.exponent * ratio / compute / (1 + ratio) ** 2)


def sigmoid(compute: Floats, reward: Floats) -> Sigmoid | None:
    """The sigmoids that fit the rewards after the early phase; None where they are too few.

    For each exponent and midpoint of a grid the start and the asymptote are a line's two ends, by least squares. A fit
    whose asymptote lies below its start is none. Weights are the likelihood of the residuals.
    """
    late = compute > _EARLY * compute[-1]
    if late.sum() < _LEAST_POINTS:
        return None
    at, seen = _means(compute[late], reward[late])
    midpoint, exponent = (grid.ravel() for grid in np.meshgrid(_MIDPOINTS * compute[-1], _EXPONENTS))
    share = 1 / (1 + (midpoint[:, None] / at[None, :]) ** exponent[:, None])
    centred, gap = share - share.mean(axis=1, keepdims=True), seen - seen.mean()
    rise = (centred * gap).sum(axis=1) / np.maximum((centred**2).sum(axis=1), 1e-12)
    start = seen.mean() - rise * share.mean(axis=1)
    misfit = ((start[:, None] + rise[:, None] * share - seen) ** 2).sum(axis=1)
    misfit = np.where(rise >= 0, misfit, np.inf)
    least = float(misfit.min())
    if not np.isfinite(least):
        return None
    floor = least + 1e-12 * float((seen**2).sum())
    weight = ((misfit + 1e-12 * float((seen**2).sum())) / floor) ** (-_WORTH_OF_A_POINT * at.size / 2)
    kept = weight > 1e-4 * weight.max()
    noise = (least / max(at.size - 4, 1)) ** 0.5
    rows = (start[kept], (start + rise)[kept], exponent[kept], midpoint[kept], weight[kept] / weight[kept].sum())
    return Sigmoid(*rows, noise)


def _means(compute: Floats, reward: Floats) -> tuple[Floats, Floats]:
    """Means of equal stretches of compute."""
    edges = np.linspace(compute[0], compute[-1] * (1 + 1e-9), _POINTS + 1)
    which = np.clip(np.searchsorted(edges, compute, side="right") - 1, 0, _POINTS - 1)
    counts = np.bincount(which, minlength=_POINTS)
    has = counts > 0
    at, seen = (
        np.bincount(which, weights=values, minlength=_POINTS)[has] / counts[has] for values in (compute, reward)
    )
    return at, seen


def reward_forecasts(
    settings: pl.DataFrame,
    training_runs: pl.DataFrame,
    training_metrics: pl.DataFrame,
    models: pl.DataFrame,
    run_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One RL run that is going on or has finished: how far its reward can go, and what more of it costs.

    Compute is counted in GPU-hours as they were held; a step stands for its share of them.
    """
    plans = run_plans(training_runs, training_metrics, models).filter(pl.col("kind") == "rl")
    runs = training_runs.join(plans, on="run_id").filter(pl.col("status").is_in(["running", "finished"]))
    spent = run_spend.group_by("run_id").agg(spent_usd=pl.col("effective_usd").sum().cast(pl.Float64))
    rewards = _rewards(training_metrics.join(runs.select("run_id"), on="run_id", how="semi"))
    rows = [
        _forecast(run, rewards[run["run_id"]])
        for run in runs.join(spent, on="run_id", how="left").sort("run_id").to_dicts()
        if run["run_id"] in rewards
    ]
    frame = rows_in_cents(RewardForecasts, rows).with_columns(as_of=pl.lit(settings.item(0, "as_of")))
    return RewardForecasts.frame(frame)


def _rewards(metrics: pl.DataFrame) -> dict[str, tuple[str, Floats, Floats]]:
    """The reward of each run that its log names first of those known: name, steps and values."""
    lowered = metrics.with_columns(rank=pl.col("name").str.to_lowercase().replace_strict(
        {name: number for number, name in enumerate(REWARDS)}, default=None, return_dtype=pl.Int64
    ))  # fmt: skip
    ranked = lowered.filter(pl.col("rank").is_not_null(), pl.col("value").is_finite(), pl.col("step") > 0)
    first = ranked.filter(pl.col("rank") == pl.col("rank").min().over("run_id")).sort("run_id", "step", "value")
    rewards = {}
    for key, part in first.group_by("run_id", maintain_order=True):
        steps, values = (part[name].to_numpy().astype(np.float64) for name in ("step", "value"))
        rewards[str(key[0])] = (part.item(0, "name"), steps, values)
    return rewards


def _forecast(run: Mapping[str, Any], logged: tuple[str, Floats, Floats]) -> dict[str, Any]:
    metric, steps, values = logged
    now, planned = float(steps[-1]), run["planned_steps"]
    hours = run["gpu_seconds"] / 3600 if run["gpu_seconds"] else None
    left = max(float(planned) / now - 1, 0.0) if planned else None
    spent = run["spent_usd"]
    row: dict[str, Any] = {
        "run_id": run["run_id"], "model_id": run["model_id"], "status": run["status"], "reward_metric": metric,
        "steps": now, "planned_steps": planned, "planned_basis": run["steps_basis"], "gpu_hours": hours,
        "spent_usd": spent, "remaining_usd": None if left is None or not spent or spent < 0 else spent * left,
    }  # fmt: skip
    if now <= 0 or values.size < _LEAST_POINTS:
        return row | {"verdict": "unknown", "reason_code": "too_few_rewards"}
    compute = steps / now * (hours or now)
    fit = sigmoid(compute, values)
    if fit is None:
        return row | _without_fit(values)
    return row | _fitted(fit, float(compute[-1]), left, spent) | _verdict(fit, values, float(compute[-1]), left)


def _without_fit(values: Floats) -> dict[str, Any]:
    """Rewards that no rising curve fits: they fall, or are level from the start."""
    half = values.size // 2
    falls = float(values[half:].mean()) < float(values[:half].mean())
    return {"verdict": "stop" if falls else "unknown", "reason_code": "falling" if falls else "too_few_rewards"}


def _fitted(fit: Sigmoid, now: float, left: float | None, spent: float | None) -> dict[str, Any]:
    levels = (0.1, 0.5, 0.9)
    best = int(fit.weight.argmax())
    row: dict[str, Any] = dict(
        zip(
            (f"asymptote_p{round(100 * level)}" for level in levels),
            weighted_quantiles(fit.asymptote, fit.weight, levels),
            strict=True,
        )
    )
    row |= {"exponent": float(fit.exponent[best]), "midpoint_gpu_hours": float(fit.midpoint[best])}
    reward = float((fit.weight * fit.reward(now)).sum())
    row |= {"start_reward": float(fit.start[best]), "reward": reward}
    row["gained_ratio"] = (reward - row["start_reward"]) / max(row["asymptote_p50"] - row["start_reward"], 1e-12)
    if left is not None:
        row["final_reward_p50"] = float((fit.weight * fit.reward(now * (1 + left))).sum())
    if spent and spent > 0:
        row["reward_per_usd"] = float((fit.weight * fit.gain(now)).sum()) * now / spent
    return row


def _verdict(fit: Sigmoid, values: Floats, now: float, left: float | None) -> dict[str, Any]:
    """Roll back where the reward has fallen off its curve; stop where the rest of the run gains next to nothing."""
    recent = values[-max(values.size // 20, 3) :]
    expected = float((fit.weight * fit.reward(now)).sum())
    spread = float(np.median(np.abs(np.diff(values)))) / 0.6745 / 2**0.5
    start = float((fit.weight * fit.start).sum())
    room = max(_FALL * spread / recent.size**0.5, _FALL * fit.noise, _LEAST_FALL * (expected - start))
    if float(recent.mean()) < expected - room:
        return {"verdict": "roll_back", "reason_code": "below_curve"}
    if left is None:
        return {"verdict": "unknown", "reason_code": "length_unknown"}
    if left <= 0:
        return {"verdict": "continue", "reason_code": "at_its_end"}
    whole = float((fit.weight * (fit.asymptote - fit.start)).sum())
    gain = float((fit.weight * (fit.reward(now * (1 + left)) - fit.reward(now))).sum())
    if gain < _LEAST_GAIN * whole:
        return {"verdict": "stop", "reason_code": "saturated"}
    return {"verdict": "continue", "reason_code": "still_gaining"}
