"""A task goes to a student that the model teaches first.

Cost: the teacher's logits on every student token, 2·N_T FLOP each, at the price the teacher serves at, or at that of
training where it serves too little to have one; the student's own training, 6·N_S·D_S; evaluation and migration; and
at least the fewest GPUs that hold the student.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import GATE_CHANCE, Alternative, Proposal, Verdict
from transforms.decisions.actions.gpu_changes import add_gpus, moved_share, own_holdings, throughput
from transforms.decisions.law.architectures import nearest
from transforms.decisions.law.distillation import distilled_loss, supervised_loss, supervised_threshold_tokens
from transforms.decisions.law.laws import training_flop
from transforms.decisions.quantiles import median
from transforms.decisions.supply.roofline import least_gpus
from transforms.decisions.supply.serving_price import least_serving_usd, shape_of, size_price_ratio
from transforms.decisions.supply.substitute_price import is_within_reach
from transforms.periods import DAYS_PER_MONTH, HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.actions.task_migration import Departure, Evidence
    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.fleet import Fleet, Holding

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


@dataclass(frozen=True)
class Pupil:
    """The student that a model would teach, whatever the task: its cost, its price beside the teacher's, its loss."""

    teacher: Subject
    params: float

    @property
    def name(self) -> str:
        """What the cards call it."""
        return f"a {self.params / 1e9:.3g}B student"

    @property
    def tokens(self) -> float:
        """Tokens it is trained on."""
        return _TOKENS_PER_PARAM * self.params

    @cached_property
    def teaching_usd(self) -> Floats:
        """Logits on its tokens: at the used price within its reach, else 2·N_T FLOP each at the price of training."""
        if is_within_reach(self.teacher.position, self.tokens / (TRAIN_MONTHS * DAYS_PER_MONTH)):
            return self.teacher.used_price * self.tokens
        return 2 * float(self.teacher.position["active_params"]) * self.tokens * self.teacher.training_price

    @cached_property
    def training_usd(self) -> Floats:
        """Its own training, 6·N_S·D_S."""
        return np.asarray(training_flop(self.params, self.tokens) * self.teacher.training_price)

    @cached_property
    def throughput(self) -> Floats:
        """How far its GPU-seconds of a token may lie from what is expected, by draw: the same on each task."""
        return throughput(self.teacher.night, self.teacher.model_id, self.name)

    @cached_property
    def price_ratio(self) -> float:
        """Price of a token of it, relative to the teacher's."""
        return size_price_ratio(self.teacher.position, self.params)

    def least_units(self, home: Holding, fleet: Fleet) -> float:
        """The fewest GPUs that hold it, in units of the pool that it would serve from."""
        if fleet.rows[home.pool_id][0]["unit"] != "GPU":
            return least_serving_usd(self.teacher.position, self.params) / HOURS_PER_MONTH
        return float(least_gpus(self.teacher.position["gpu_model"] or "", shape_of(self.params)) or 1)

    @cached_property
    def losses(self) -> tuple[float, float, float]:
        """Predicted losses of the teacher, of the student taught by it, and of the student trained alone."""
        position = self.teacher.position
        own = float(supervised_loss(position["active_params"], position["training_tokens"]))
        taught = float(distilled_loss(own, self.params, self.tokens))
        return own, taught, float(supervised_loss(self.params, self.tokens))

    @property
    def taught_worse(self) -> Verdict | None:
        """Why it should not be taught; None where teaching makes it better."""
        _, taught, alone = self.losses
        words = f"trained alone the student would be better: loss {alone:.3f} against {taught:.3f} distilled"
        return None if taught < alone else Verdict("taught_worse", words)

    @cached_property
    def assumptions(self) -> dict[str, Any]:
        """What every card of it rests on."""
        own, taught, alone = self.losses
        return {
            "distillation_law": "Busbridge et al. 2025, arXiv:2502.08606",
            "teacher_loss": own,
            "student_loss_distilled": taught,
            "student_loss_alone": alone,
            "supervised_wins_from_tokens": supervised_threshold_tokens(own, self.params),
            "teacher_logits_usd_p50": median(self.teaching_usd),
            "training_usd_p50": median(self.training_usd),
            "evaluation_usd": self.teacher.night.evaluation_usd,
            "migration_usd": self.teacher.night.migration_usd,
            "serving_price_ratio": self.price_ratio,
            "least_serving_usd_a_month": least_serving_usd(self.teacher.position, self.params),
        } | self.teacher.night.calendar(TRAIN_MONTHS, MOVE_MONTHS)


def pupil_of(teacher: Subject) -> Pupil | None:
    """The student of a model; None where the model is too small to have one."""
    active = teacher.position["active_params"]
    size = nearest(max(_STUDENT_SHARE * active, _LEAST_PARAMS)).params
    return Pupil(teacher, size) if size <= _SMALLER * active else None


def distil_proposal(departure: Departure, pupil: Pupil, evidence: Evidence | None, fleet: Fleet) -> Proposal:
    """The task's GPUs leave the teacher as far as the student keeps it; the student needs at least one copy's."""
    teacher, task, night = departure.teacher, departure.task, departure.teacher.night
    share, kept = departure.share, departure.kept(pupil.name, evidence)
    moved = moved_share(teacher, fleet, TRAIN_MONTHS, MOVE_MONTHS)
    gpus: dict[str, Floats] = {}
    own = own_holdings(teacher, fleet)
    leaves = -(share * kept)
    for holding in own:
        less = holding.needed * leaves
        less *= moved
        add_gpus(gpus, holding.pool_id, less)
    home = max(own, key=lambda each: (each.gpus, each.pool_id))
    needed = own[0].needed if len(own) == 1 else sum((holding.needed for holding in own), np.zeros((1, 1)))
    student = needed * (share * pupil.price_ratio * pupil.throughput)
    np.maximum(student, pupil.least_units(home, fleet), out=student)
    student *= moved
    add_gpus(gpus, home.pool_id, student)
    one_off = pupil.teaching_usd + pupil.training_usd + night.evaluation_usd
    alternative = Alternative(
        action=ACTION,
        model_id=teacher.model_id,
        task=task.name,
        target_params=pupil.params,
        target_tokens=pupil.tokens,
        standing="measured" if evidence else "evaluate_first",
        gate_probability=1.0 if evidence else GATE_CHANCE,
        quality_gate=departure.gate_words(pupil.name, evidence),
        blocked=departure.blocked(evidence) or pupil.taught_worse,
        assumptions=departure.assumptions(evidence) | pupil.assumptions,
    )
    return Proposal(
        alternative,
        one_off=np.asarray(one_off + night.migration_usd),
        gpus=gpus,
        months=teacher.months,
        failed=one_off,
    )
