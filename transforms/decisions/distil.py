"""A task goes to a student that the model teaches first.

Cost: the teacher's logits on every student token, 2·N_T FLOP each, at the price the teacher serves at, or at that of
training where it serves too little to have one; the student's own training, 6·N_S·D_S; evaluation and migration; and
at least the fewest GPUs that hold the student.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.alternatives import Alternative, Proposal
from transforms.decisions.demand import DAYS_PER_MONTH
from transforms.decisions.distillation import distilled_loss, supervised_loss, supervised_threshold_tokens
from transforms.decisions.host_price import is_within_reach
from transforms.decisions.iso_loss import training_flop
from transforms.decisions.moves import blocked, gate_words, kept_draws, move_assumptions, share_draws
from transforms.decisions.serving_price import least_serving_usd, size_price_ratio
from transforms.decisions.shapes import nearest
from transforms.decisions.valuation import calendar, ramp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.laws import Floats
    from transforms.decisions.moves import Evidence, Task
    from transforms.decisions.night import Subject

ACTION: Final = "distil"
TRAIN_MONTHS: Final = 1.5
MOVE_MONTHS: Final = 1.0
# A student a tenth of its teacher's size, and its tokens per parameter; bounds of what is worth building.
_STUDENT_SHARE: Final = 0.1
_LEAST_PARAMS: Final = 5e8
_TOKENS_PER_PARAM: Final = 20.0
_SMALLER: Final = 0.6


def distil_missing(position: Mapping[str, Any]) -> str:
    """What is not known of the teacher, and how to supply it; empty where a student can be valued."""
    needs = {
        "active_params": "its size is unknown: give params in models.csv",
        "training_tokens": "its training tokens, hence its loss, are unknown: give training_tokens in models.csv",
        "usd_per_training_flop": "no training has a price per FLOP: attribute pre-training runs with params and tokens",
        "used_usd_per_mtok": "serving has no price of a token: attribute its serving GPUs in attribution.csv",
    }
    return next((words for name, words in needs.items() if not position[name]), "")


def student_params(position: Mapping[str, Any]) -> float | None:
    """Size of the student; None where the teacher is too small to have one."""
    active = position["active_params"]
    size = nearest(max(_STUDENT_SHARE * active, _LEAST_PARAMS)).params
    return size if size <= _SMALLER * active else None


def distil_proposal(teacher: Subject, task: Task, params: float, evidence: Evidence | None) -> Proposal:
    """The task at the price of a student of `params`."""
    night, tokens = teacher.night, _TOKENS_PER_PARAM * params
    name = f"a {params / 1e9:.3g}B student"
    share, kept = share_draws(teacher, task), kept_draws(teacher, task, name, evidence)
    teaching, training = _teaching(teacher, tokens), training_flop(params, tokens) * teacher.training_price
    price, idle = _price(teacher, share, params)
    alternative = Alternative(
        action=ACTION,
        model_id=teacher.model_id,
        task=task.name,
        target_params=params,
        target_tokens=tokens,
        is_measured=evidence is not None,
        quality_gate=gate_words(name, task, evidence),
        blocked=blocked(task, evidence) or _taught_worse(teacher, params, tokens),
        assumptions=move_assumptions(teacher, task, evidence) | _assumptions(teacher, params, teaching, training),
    )
    return Proposal(
        alternative,
        one_off=teaching + training + night.evaluation_usd + night.migration_usd,
        saving_per_token=share * (kept * teacher.allocated_price - price),
        fixed=np.zeros(night.draws),
        ramp=ramp(teacher.months, TRAIN_MONTHS, MOVE_MONTHS),
        idle_per_token=share * (kept * (teacher.allocated_price - teacher.used_price) - idle),
    )


def _teaching(teacher: Subject, tokens: float) -> Floats:
    """Logits on so many tokens: at the used price within its reach, else 2·N_T FLOP each at the price of training."""
    if is_within_reach(teacher.position, tokens / (TRAIN_MONTHS * DAYS_PER_MONTH)):
        return teacher.used_price * tokens
    return 2 * float(teacher.position["active_params"]) * tokens * teacher.training_price


def _price(teacher: Subject, share: Floats, params: float) -> tuple[Floats, Floats]:
    """The student's allocated price of a token, and the part of it that is idle and shared cost."""
    ratio = size_price_ratio(teacher.position, params)
    task_tokens = np.maximum(share * teacher.tokens.mean(axis=0), 1)
    used = np.maximum(teacher.used_price * ratio, least_serving_usd(teacher.position, params) / task_tokens)
    idle = (teacher.allocated_price - teacher.used_price) * ratio
    return used + idle, idle


def _losses(teacher: Subject, params: float, tokens: float) -> tuple[float, float, float]:
    """Predicted losses of the teacher, of the student taught by it, and of the student trained alone."""
    own = float(supervised_loss(teacher.position["active_params"], teacher.position["training_tokens"]))
    return own, float(distilled_loss(own, params, tokens)), float(supervised_loss(params, tokens))


def _taught_worse(teacher: Subject, params: float, tokens: float) -> str:
    _, taught, alone = _losses(teacher, params, tokens)
    if taught < alone:
        return ""
    return f"trained alone the student would be better: loss {alone:.3f} against {taught:.3f} distilled"


def _assumptions(teacher: Subject, params: float, teaching: Floats, training: Floats) -> dict[str, Any]:
    tokens = _TOKENS_PER_PARAM * params
    own, taught, alone = _losses(teacher, params, tokens)
    return {
        "distillation_law": "Busbridge et al. 2025, arXiv:2502.08606",
        "teacher_loss": own,
        "student_loss_distilled": taught,
        "student_loss_alone": alone,
        "supervised_wins_from_tokens": supervised_threshold_tokens(own, params),
        "teacher_logits_usd_p50": float(np.median(teaching)),
        "training_usd_p50": float(np.median(training)),
        "evaluation_usd": teacher.night.evaluation_usd,
        "migration_usd": teacher.night.migration_usd,
        "serving_price_ratio": size_price_ratio(teacher.position, params),
        "least_serving_usd_a_month": least_serving_usd(teacher.position, params),
    } | calendar(TRAIN_MONTHS, MOVE_MONTHS)
