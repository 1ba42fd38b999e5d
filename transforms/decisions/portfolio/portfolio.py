"""What the options of one model need to know of the whole company."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.decisions.actions.alternatives import Verdict
from transforms.decisions.actions.model_lineage import Lineage, lineages_of
from transforms.decisions.actions.task_migration import Evidence, Task
from transforms.decisions.portfolio.simulation_context import Night, Subject
from transforms.decisions.supply.fleet import Fleet, fleet_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Company:
    """Models with their tasks, deployments, teachers, lineages and GPUs, and what was evaluated on each task."""

    night: Night
    subjects: Mapping[str, Subject]
    tasks: Mapping[str, Sequence[Task]]
    deployments: Mapping[str, Sequence[Mapping[str, Any]]]
    evidence: Mapping[str, Mapping[str, Evidence]]
    teachers: Mapping[str, str]
    lineages: Mapping[str, Lineage]
    fleet: Fleet

    def hosts(self, model_id: str) -> list[list[str]]:
        """Who may take a model's traffic, the nearest first: its base; its relatives; who passed all its tasks."""
        lineage = self.lineages.get(model_id, Lineage())
        ranks, seen = [], {model_id}
        for names in (lineage.bases, lineage.relatives, self._passed(model_id)):
            ranks.append([name for name in names if name in self.subjects and name not in seen])
            seen |= set(names)
        return ranks

    def descendants(self, model_id: str) -> list[str]:
        """Models made from this one: no hosts until they were evaluated on its tasks."""
        descendants = self.lineages.get(model_id, Lineage()).descendants
        return [name for name in descendants if name in self.subjects and name != model_id]

    def _passed(self, model_id: str) -> list[str]:
        """Students that kept the quality of every task of the model."""
        gate = self.night.quality_gate_ratio
        passed = [
            {name for name, evidence in self.students_for(task.name, model_id) if evidence and evidence.passes(gate)}
            for task in self.tasks.get(model_id, ())
        ]
        return sorted(set.intersection(*passed)) if passed else []

    def students_for(self, task: str | None, teacher: str) -> list[tuple[str, Evidence | None]]:
        """Models that were evaluated on the task or taught by the teacher.

        A student that names another teacher was measured against that one, which says nothing of this one's task.
        """
        taught = dict.fromkeys(self._students.get(teacher, ()))
        students: dict[str, Evidence | None] = {**taught, **self.evidence.get(str(task), {})}
        return [
            (name, students[name]) for name in sorted(students) if name in self.subjects and self._is_for(name, teacher)
        ]

    def plan_evidence(self, task: str | None, teacher: str) -> Evidence | None:
        """What was measured of a student that is no model of the company yet."""
        plans = [
            self.evidence[str(task)][name]
            for name in sorted(self.evidence.get(str(task), {}))
            if name not in self.subjects and self._is_for(name, teacher)
        ]
        return plans[0] if plans else None

    def too_slow(self, teacher: str, student: str) -> Verdict | None:
        """Why the users of the teacher would wait too long for the student; None where nothing says so."""
        for name, words in (("ttft_s", "first token"), ("tpot_s", "token")):
            limits = [state[f"{name}_limit"] for state in self.deployments.get(teacher, ())]
            times = [state[name] for state in self.deployments.get(student, ()) if state[name] is not None]
            limit = min((limit for limit in limits if limit is not None), default=None)
            if limit is not None and times and min(times) > limit:
                sentence = f"{student} takes {min(times):.3g} s to a {words}, over the limit of {limit:.3g} s"
                return Verdict("too_slow", sentence)
        return None

    @cached_property
    def _students(self) -> dict[str, list[str]]:
        """Who was taught by each teacher."""
        students: dict[str, list[str]] = {}
        for name, teacher in self.teachers.items():
            students.setdefault(teacher, []).append(name)
        return students

    def _is_for(self, student: str, teacher: str) -> bool:
        return student != teacher and self.teachers.get(student, teacher) == teacher


def company_of(
    night: Night,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
) -> Company:
    """The company of the night."""
    subjects = {row["model_id"]: Subject(night, row) for row in positions.sort("model_id").to_dicts()}
    deployments: dict[str, list[Mapping[str, Any]]] = {}
    for row in serving_states.sort("model_id", "deployment_id").to_dicts():
        deployments.setdefault(row["model_id"], []).append(row)
    fleet = fleet_of(night, subjects, deployments, supply, pool_users)
    evidence, teachers = _evidence(workloads), _teachers(models)
    return Company(night, subjects, _tasks(task_shares), deployments, evidence, teachers, lineages_of(models), fleet)


def _tasks(task_shares: pl.DataFrame) -> dict[str, list[Task]]:
    """Tasks by model; requests without a label are no task."""
    tasks: dict[str, list[Task]] = {}
    for row in task_shares.filter(pl.col("task").is_not_null()).sort("model_id", "task").to_dicts():
        tasks.setdefault(row["model_id"], []).append(
            Task(*(row[name] for name in ("task", "share_ratio", "share_sigma", "weeks")))
        )
    return tasks


def _evidence(workloads: pl.DataFrame) -> dict[str, dict[str, Evidence]]:
    """Measurements by task and student: the last one by each metric, and of these the one it keeps least of."""
    latest: dict[tuple[str, str, str], Evidence] = {}
    for row in workloads.sort("task", "student_model_id", "measured_on", "quality_metric").to_dicts():
        qualities = (row["teacher_quality"], row["student_quality"])
        measured = Evidence(
            row["quality_metric"], *qualities, row["measured_on"].isoformat(), row["better"] or "higher"
        )
        latest[row["task"], row["student_model_id"], row["quality_metric"]] = measured
    evidence: dict[str, dict[str, Evidence]] = {}
    for (task, student, _), measured in latest.items():
        earlier = evidence.setdefault(task, {}).get(student)
        if earlier is None or measured.ratio < earlier.ratio:
            evidence[task][student] = measured
    return evidence


def _teachers(models: pl.DataFrame) -> dict[str, str]:
    """The teacher of each student that names one."""
    students = models.filter(pl.col("teacher_model_id").is_not_null()).sort("model_id")
    return dict(students.select("model_id", "teacher_model_id").iter_rows())
