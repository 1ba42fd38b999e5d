"""What the invented company trains: a calendar of runs by pool, the failed and cancelled ones among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from warehouse.sample.company import Phase, Run, Status, at
from warehouse.sample.models import PARAMS

PEAK_FLOP_PER_S: Final = {"train-h100": 989e12, "train-h200": 989e12, "lab-a100": 312e12}
MFU: Final = 0.40
LAW: Final = (1.79, 455.0, 1980.0, 0.345, 0.366)
PROJECTS: Final[Mapping[Phase, str]] = {"pretraining": "pretrain", "posttraining": "post"}
LARGE_SWEEP: Final = 1e18
LOSS_SCATTER: Final = 0.0015
SWEEP_PARAMS: Final = (0.1e9, 0.2e9, 0.4e9, 0.8e9, 1.2e9, 1.6e9)
SWEEP_TOKENS_PER_PARAM: Final = (8, 16, 32, 64, 128)


def loss_of(params: float, tokens: float) -> float:
    """Nats per token under the law that this company's models obey."""
    irreducible, a, b, alpha, beta = LAW
    return float(irreducible + a / params**alpha + b / tokens**beta)


def hours_of(params: float, tokens: float, pool_id: str, gpus: int) -> float:
    """Hours that 6·N·D FLOP take."""
    return 6 * params * tokens / (gpus * PEAK_FLOP_PER_S[pool_id] * MFU) / 3600


def hours_to_tokens(params: float, hours: float, gpus: int) -> float:
    """Tokens that hours of H100 train on."""
    return round(hours * 3600 * gpus * PEAK_FLOP_PER_S["train-h100"] * MFU / (6 * params), -9)


def _pretraining(model_id: str, pool_id: str, gpus: int, start: str, tokens: float) -> Run:
    """A pre-training run, logged in MLPerf's format."""
    params = PARAMS[model_id]
    return Run(
        f"{model_id}-pretrain", f"{model_id}-pretrain", pool_id, gpus, at(start, 6),
        hours_of(params, tokens, pool_id, gpus), "finished", model_id, "pretraining", tokens, params,
        loss_of(params, tokens), "mlperf",
    )  # fmt: skip


def _post(model_id: str, kind: str, pool_id: str, gpus: int, start: str, days: float, status: Status) -> Run:
    """A fine-tuning, preference or reinforcement run of the tracker's export."""
    return Run(
        f"{model_id}-{kind}", f"{model_id}-post", pool_id, gpus, at(start, 8), days * 24, status, model_id,
        "posttraining",
    )  # fmt: skip


PRETRAINING = (
    _pretraining("wren-7b", "train-h100", 128, "2025-12-01", 1.6e12),
    _pretraining("heron-34b", "train-h100", 256, "2025-12-01", 1.2e12),
    _pretraining("wren-3b", "train-h100", 128, "2026-01-22", 1.5e12),
    _pretraining("heron-16b", "train-h200", 256, "2026-01-12", 2.1e12),
    _pretraining("heron-70b", "train-h100", 256, "2026-01-31", 1.5e12),
    _pretraining("osprey-1b", "lab-a100", 32, "2026-06-20", 0.6e12),
    _pretraining("heron-22b", "train-h200", 256, "2026-08-03", 2.7e12),
    Run("heron-70b-pretrain-1", "heron-70b-pretrain", "train-h100", 256, at("2026-01-24", 6), 110, "failed",
        "heron-70b", "pretraining", 0.097e12, 70e9, 2.61, "mlperf"),
    Run("heron-70b-longcontext", "heron-70b-pretrain", "train-h100", 192, at("2026-08-18", 6), 8.2 * 24, "timeout",
        "heron-70b", "pretraining", 0.13e12, 70e9, 2.02, "mlperf"),
    Run("heron-34b-refresh", "heron-34b-pretrain", "train-h100", 192, at("2026-07-22", 6), 25.5 * 24, "finished",
        "heron-34b", "pretraining", hours_to_tokens(34e9, 25.5 * 24, 192), 34e9, 1.958, "mlperf"),
    Run("plover-image-6b-base", "plover-image-6b-pretrain", "lab-a100", 64, at("2025-12-04", 6), 36 * 24, "finished",
        "plover-image-6b", "pretraining"),
)  # fmt: skip

POSTTRAINING = (
    _post("wren-7b", "sft", "train-h100", 128, "2025-12-17", 2, "finished"),
    _post("wren-7b", "rl", "train-h100", 128, "2026-01-12", 9, "finished"),
    _post("heron-34b", "sft", "train-h100", 128, "2026-01-03", 9, "finished"),
    _post("heron-34b", "rl-1", "train-h100", 192, "2026-01-05", 16, "finished"),
    _post("heron-16b", "sft", "train-h100", 128, "2026-02-08", 7, "finished"),
    _post("heron-16b", "rl-1", "train-h100", 128, "2026-02-16", 20, "finished"),
    _post("plover-image-6b", "aesthetics", "lab-a100", 48, "2026-01-12", 18, "finished"),
    _post("heron-34b", "safety", "train-h100", 64, "2026-03-12", 29, "finished"),
    _post("wren-3b", "sft", "train-h100", 64, "2026-03-10", 6, "finished"),
    _post("wren-3b", "dpo-1", "train-h100", 64, "2026-03-16", 1.2, "failed"),
    _post("wren-3b", "dpo-2", "train-h100", 64, "2026-03-18", 3, "finished"),
    _post("heron-34b-legal", "sft", "train-h100", 64, "2026-03-24", 10, "finished"),
    _post("heron-70b", "sft", "train-h100", 128, "2026-04-13", 9, "finished"),
    _post("heron-70b", "rl", "train-h100", 224, "2026-04-17", 20, "finished"),
    _post("osprey-32b-code", "sft", "train-h100", 64, "2026-04-26", 8, "finished"),
    _post("osprey-32b-code", "rl-1", "train-h100", 256, "2026-05-08", 28, "finished"),
    _post("heron-70b", "preference", "train-h100", 96, "2026-05-10", 18, "finished"),
    _post("heron-16b", "rl-2", "train-h100", 256, "2026-06-08", 20, "finished"),
    _post("heron-34b", "rl-2", "train-h100", 192, "2026-07-01", 20, "finished"),
    _post("osprey-32b-sql", "sft", "train-h100", 32, "2026-07-06", 5, "finished"),
    _post("osprey-1b", "teacher-logits", "train-h100", 32, "2026-07-12", 6, "finished"),
    _post("osprey-1b", "distil", "lab-a100", 32, "2026-07-08", 24, "finished"),
    _post("heron-22b", "sft", "train-h100", 32, "2026-09-14", 8, "finished"),
    _post("heron-22b", "rl-1", "train-h100", 192, "2026-09-15", 4.3, "failed"),
    _post("heron-22b", "rl-2", "train-h100", 192, "2026-09-21", 25, "finished"),
    _post("osprey-32b-code", "rl-2", "train-h100", 192, "2026-10-20", 18, "finished"),
    _post("heron-22b", "rl-3", "train-h100", 64, "2026-11-12", 208 / 24, "running"),
)

SCRATCH = tuple(
    Run(f"scratch-{number}", "scratch", "lab-a100", 8, at(day, 9), 60)
    for number, day in enumerate(("2026-03-02", "2026-05-26", "2026-09-07", "2026-10-12"), start=1)
)


def _series(
    model_id: str, kind: str, pool_id: str, gpus: int, start: str, days: float, pause_days: float, phase: Phase,
    endings: tuple[Status, ...],
) -> tuple[Run, ...]:  # fmt: skip
    """Runs one after the other; what does not finish stops after a third of its time."""
    return tuple(
        Run(
            f"{model_id}-{kind}-{number:02d}", f"{model_id}-{PROJECTS[phase]}", pool_id, gpus,
            at(start, 7 + 24 * (days + pause_days) * number), days * 24 / (1 if status == "finished" else 3), status,
            model_id, phase,
        )
        for number, status in enumerate(endings)
    )  # fmt: skip


def _stopped(count: int, *stops: tuple[int, Status]) -> tuple[Status, ...]:
    """How `count` runs ended: finished, but for those that are named."""
    return tuple(dict(stops).get(number, "finished") for number in range(count))


SERIES = (
    *_series("heron-70b", "ablation", "train-h100", 128, "2025-12-20", 2.6, 0.1, "pretraining",
             _stopped(5, (1, "failed"), (3, "cancelled"))),
    *_series("heron-22b", "ablation", "train-h100", 96, "2026-08-27", 1.6, 0.1, "pretraining",
             _stopped(10, (3, "cancelled"), (7, "cancelled"))),
    *_series("heron-22b", "mixture", "train-h100", 96, "2026-08-27", 1.6, 0.1, "pretraining",
             _stopped(10, (5, "cancelled"))),
    *_series("heron-34b", "evaluation", "train-h100", 32, "2026-06-29", 5, 2, "posttraining",
             _stopped(20, (11, "failed"))),
    *_series("plover-image-6b", "styles", "lab-a100", 24, "2026-03-02", 20, 10, "posttraining",
             _stopped(9, (4, "failed"))),
    *_series("wren-3b", "quantise", "lab-a100", 8, "2026-03-05", 9, 5, "posttraining", _stopped(18)),
)  # fmt: skip


def _sweep() -> tuple[Run, ...]:
    """Small models over a decade of sizes and of tokens per parameter: evidence for a scaling law of one's own."""
    runs: list[Run] = []
    start = at("2026-04-20", 8)
    for params in SWEEP_PARAMS:
        for ratio in SWEEP_TOKENS_PER_PARAM:
            gpus = 32 if params * params * ratio > LARGE_SWEEP else 8
            tokens = params * ratio
            run = _sweep_run(params, tokens, gpus, start)
            runs.append(run)
            start = run.end + timedelta(minutes=30)
    return tuple(runs)


def _sweep_run(params: float, tokens: float, gpus: int, start: datetime) -> Run:
    name = f"sweep-{params / 1e9:.1f}b-{tokens / params:.0f}x"
    hours = hours_of(params, tokens, "lab-a100", gpus)
    return Run(
        name, "scaling-2026", "lab-a100", gpus, start, hours, "finished", "heron-22b", "pretraining", tokens, params,
        loss_of(params, tokens),
    )  # fmt: skip


def runs(seed: int) -> tuple[Run, ...]:
    """Every run; measured losses scatter around the law."""
    planned = (*PRETRAINING, *POSTTRAINING, *SCRATCH, *SERIES, *_sweep())
    scatter = np.random.default_rng(seed).normal(1, LOSS_SCATTER, len(planned))
    return tuple(
        run if run.loss is None else replace(run, loss=round(run.loss * float(factor), 4))
        for run, factor in zip(planned, scatter, strict=True)
    )
