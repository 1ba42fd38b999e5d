"""Moving one task of a model to a smaller one: what is known of the task, and the cash of the move.

What the student does not keep at the teacher's quality goes back to the teacher and is paid twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import GATE_CHANCE, Verdict
from transforms.decisions.randomness import generator, next_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Subject

# Week-to-week spread of a task's share, relative to it, above which its past says too little about its future.
STATIONARY_RATIO: Final = 0.5
# Pseudo-observations behind the share of requests that an evaluated student keeps.
_MEASURED_WEIGHT: Final = 60.0
_MOST_KEPT: Final = 0.995
# Kept by a student that is better where the qualities have no ratio: one is zero, or they differ in sign.
_FAR_BETTER: Final = 2.0


@dataclass(frozen=True)
class Evidence:
    """One measured comparison of a student with its teacher on one task."""

    metric: str
    teacher_quality: float
    student_quality: float
    measured_on: str
    better: str = "higher"

    @property
    def ratio(self) -> float:
        """Share of the teacher's quality that the student keeps; turned over where less is better.

        Above 1 the student is better. Zero and negative qualities are values: of a teacher at zero a student that is
        no worse keeps all, and of two log-likelihoods the one nearer to zero is the better one.
        """
        teacher, student = self.teacher_quality, self.student_quality
        better, worse = (student, teacher) if self.better == "higher" else (teacher, student)
        if teacher == student:
            return 1.0
        if better > 0 and worse > 0:
            return better / worse
        if better < 0 and worse < 0:
            return worse / better
        return _FAR_BETTER if better > worse else 0.0

    def passes(self, gate_ratio: float) -> bool:
        """Whether the student keeps enough of it."""
        return self.ratio >= gate_ratio


@dataclass(frozen=True)
class Task:
    """One task of one model."""

    name: str | None
    share: float
    share_sigma: float
    weeks: int

    @property
    def is_stationary(self) -> bool:
        """Whether the last weeks agree well enough."""
        return self.share_sigma <= STATIONARY_RATIO * self.share


@dataclass(frozen=True)
class Departure:
    """One task that may leave its model."""

    teacher: Subject
    task: Task

    @cached_property
    def share(self) -> Floats:
        """Share of the model's tokens that are the task's, by draw: the same on each card of the task."""
        task, night = self.task, self.teacher.night
        spread = task.share_sigma * (1 + 1 / max(task.weeks, 1)) ** 0.5
        return np.asarray(
            np.clip(task.share + spread * next_errors(self._dice("share"), task.weeks, night.draws), 0, 1)
        )

    def kept(self, student: str, evidence: Evidence | None) -> Floats:
        """Share of the task's requests that the student keeps, by draw; unmeasured, as if it passes the gate."""
        dice, draws = self._dice("kept", student), self.teacher.night.draws
        if evidence is None:
            return dice.uniform(self._gate, 1, draws)
        mean = min(evidence.ratio, _MOST_KEPT)
        if mean <= 0:
            return np.zeros(draws)
        return dice.beta(mean * _MEASURED_WEIGHT, (1 - mean) * _MEASURED_WEIGHT, draws)

    def assumptions(self, evidence: Evidence | None) -> dict[str, Any]:
        """What every move of the task rests on."""
        gate: dict[str, Any] = {"gate_chance_assumed": GATE_CHANCE, "kept_quality_ratio": (1 + self._gate) / 2}
        if evidence:
            gate = {"quality_metric": evidence.metric, "measured_on": evidence.measured_on}
            gate["kept_quality_ratio"] = evidence.ratio
        gate["quality_gate_ratio"] = self._gate
        shares = {"share_of_inference": self.task.share, "share_sigma": self.task.share_sigma}
        return gate | shares | self.teacher.outlook()

    def gate_words(self, student: str, evidence: Evidence | None) -> str:
        """What must hold of the quality, and what was measured."""
        if evidence is None:
            return f"quality unmeasured: evaluate {student} on {self.task.name} and add the row to workloads.csv"
        measured = f"measured {evidence.ratio:.1%} by {evidence.metric} on {evidence.measured_on}"
        return f"{student} keeps at least {self._gate:.0%} of the quality; {measured}"

    def blocked(self, evidence: Evidence | None) -> Verdict | None:
        """Why the task may not be moved; None where nothing stands against it."""
        if evidence is not None and not evidence.passes(self._gate):
            words = f"keeps {evidence.ratio:.1%} of the quality, under the gate of {self._gate:.0%}"
            return Verdict("under_gate", words)
        if not self.task.is_stationary:
            spread = self.task.share_sigma / self.task.share
            words = f"the task's share moves by {spread:.0%} from week to week, over {STATIONARY_RATIO:.0%}"
            return Verdict("unstable_task", words)
        return None

    @property
    def _gate(self) -> float:
        return self.teacher.night.quality_gate_ratio

    def _dice(self, name: str, *student: str) -> np.random.Generator:
        return generator(self.teacher.night.as_of, self.teacher.model_id, name, str(self.task.name), *student)


def priced(position: Mapping[str, Any]) -> str:
    """What is missing before a task of the model can be priced; empty where nothing is."""
    needs = {
        "daily_tokens": "has no forecast of tokens: deliver its request telemetry with token counts",
    }
    missing = next((words for name, words in needs.items() if position[name] is None), "")
    return f"{position['model_id']} {missing}" if missing else ""
