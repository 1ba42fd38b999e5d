"""What could be done with each model: all alternatives, with their cash where it can be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from transforms.decisions.actions import distil, retire, retrain_smaller, route, tune_serving
from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.actions.gpu_changes import homes_missing
from transforms.decisions.actions.task_migration import Departure, priced
from transforms.decisions.portfolio.portfolio import Company
from transforms.decisions.supply.latency import within_limits
from transforms.decisions.supply.substitute_price import host_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from transforms.decisions.portfolio.simulation_context import Subject

_MOVES: Final = frozenset({route.ACTION, distil.ACTION})
ACTIONS: Final = _MOVES | {retrain_smaller.ACTION, tune_serving.ACTION, retire.ACTION}
# A task below this share of its model is not worth a student of its own.
_LEAST_SHARE: Final = 0.01


@dataclass(frozen=True)
class Options:
    """One model's alternatives: those with cash, and those of which something is not known."""

    subject: Subject
    proposals: Sequence[Proposal]
    unvalued: Sequence[Alternative]


def model_options(company: Company, actions: Mapping[str, Collection[str]] | None = None) -> Iterator[Options]:
    """The alternatives of each model with service ahead, by name of the model; only of some `actions` where given."""
    for subject in company.subjects.values():
        wanted = ACTIONS if actions is None else actions.get(subject.model_id, ())
        if subject.months > 0 and wanted:
            yield options_of(subject, company, wanted)


def options_of(
    subject: Subject,
    company: Company,
    actions: Collection[str] = ACTIONS,
    task: str | None = None,
    target: tuple[str | None, float | None] = (None, None),
) -> Options:
    """The alternatives of one model; of one of its tasks, onto one model or at one size alone where it is named."""
    offered = list(_all(subject, company, actions, task, target))
    return Options(
        subject,
        [option for option in offered if isinstance(option, Proposal)],
        [option for option in offered if isinstance(option, Alternative)],
    )


def _all(
    subject: Subject,
    company: Company,
    actions: Collection[str],
    task: str | None,
    target: tuple[str | None, float | None],
) -> Iterator[Proposal | Alternative]:
    position, fleet = subject.position, company.fleet
    if position["unit_name"] is not None and position["daily_tokens"] is None:
        words = (
            f"it delivers {position['unit_name']}s, not tokens: laws of loss and prices of tokens do not apply to it"
        )
        yield Alternative(retrain_smaller.ACTION, subject.model_id, missing=words)
        return
    if position["recent_requests"] == 0 and position["recent_tokens"] == 0:
        yield from _silent(subject, company)
        return
    untold = priced(position)
    if untold:
        yield Alternative(route.ACTION, subject.model_id, missing=untold)
        return
    if position["daily_tokens"] == 0:
        return
    if tune_serving.ACTION in actions:
        yield from _tuned(subject, company)
    homeless = homes_missing(subject, fleet)
    if homeless:
        yield Alternative(retire.ACTION, subject.model_id, missing=homeless)
        return
    if retrain_smaller.ACTION in actions:
        yield from _retrained(subject, company, target[1])
    if retire.ACTION in actions:
        yield from _retired(subject, company)
    if not _MOVES.isdisjoint(actions):
        yield from _moved(subject, company, actions, task, target[0])


def _silent(subject: Subject, company: Company) -> Iterator[Proposal | Alternative]:
    """A model of which no request is known: unused only where its own telemetry was delivered and holds none."""
    homes = company.fleet.hosts_of(subject.model_id)
    if all(home.is_launch for home in homes):
        return
    missing = homes_missing(subject, company.fleet)
    if not missing and not subject.position["is_telemetry_delivered"]:
        missing = (
            "its GPUs are paid, and its own telemetry of the last four weeks was not delivered: whether anybody "
            "uses it is not known; deliver its request telemetry"
        )
    if missing:
        yield Alternative(retire.ACTION, subject.model_id, missing=missing)
    else:
        yield retire.unused_proposal(subject, company.fleet)


def _retrained(subject: Subject, company: Company, size: float | None) -> Iterator[Proposal | Alternative]:
    missing = retrain_smaller.retrain_missing(subject.position, subject.night)
    if missing:
        yield missing
        return
    states = company.deployments.get(subject.model_id, ())
    proposals = retrain_smaller.retrain_proposals(subject, company.fleet, size)
    yield from (within_limits(proposal, subject, states) for proposal in proposals)


def _tuned(subject: Subject, company: Company) -> Iterator[Proposal | Alternative]:
    for state in company.deployments.get(subject.model_id, ()):
        missing = tune_serving.tune_missing(state, subject)
        if missing:
            home = {"pool_id": state["pool_id"], "deployment_id": state["deployment_id"]}
            yield Alternative(tune_serving.ACTION, subject.model_id, **home, missing=missing)
        else:
            yield tune_serving.tune_proposal(state, subject, company.fleet)


def _retired(subject: Subject, company: Company) -> Iterator[Proposal | Alternative]:
    """Towards the nearest relative that serves; a farther one is asked only where no nearer one does."""
    for nearest in company.hosts(subject.model_id):
        serving = [company.subjects[name] for name in nearest if not _unserving(company.subjects[name], company)]
        if serving:
            yield from (_retired_onto(subject, successor, company) for successor in serving)
            return
    for name in company.descendants(subject.model_id):
        if _unserving(company.subjects[name], company):
            continue
        words = f"{name} is made from it for something narrower: evaluate it on each of its tasks in workloads.csv"
        yield Alternative(retire.ACTION, subject.model_id, target_model_id=name, missing=words)


def _retired_onto(subject: Subject, successor: Subject, company: Company) -> Proposal | Alternative:
    missing = host_missing(subject, successor, share=1.0)
    if missing:
        return Alternative(retire.ACTION, subject.model_id, target_model_id=successor.model_id, missing=missing)
    return _unless_slow(retire.retire_proposal(subject, successor, company.fleet), company, successor)


def _moved(
    subject: Subject, company: Company, actions: Collection[str], only: str | None, student: str | None
) -> Iterator[Proposal | Alternative]:
    tasks = company.tasks.get(subject.model_id, ())
    untaught = distil.distil_missing(subject.position)
    if not tasks:
        words = "its requests carry no task: send a task with each request, or map one in attribution.csv"
        yield Alternative(route.ACTION, subject.model_id, missing=words)
    elif untaught:
        yield Alternative(distil.ACTION, subject.model_id, missing=untaught)
    states = company.deployments.get(subject.model_id, ())
    pupil = None if untaught else distil.pupil_of(subject)
    for departure in (Departure(subject, task) for task in tasks if only in {None, task.name}):
        if route.ACTION in actions:
            yield from _routed(departure, company, student)
        if pupil and departure.task.share >= _LEAST_SHARE and distil.ACTION in actions:
            evidence = company.plan_evidence(departure.task.name, subject.model_id)
            proposal = distil.distil_proposal(departure, pupil, evidence, company.fleet)
            yield within_limits(proposal, subject, states, departure.task.share)


def _routed(departure: Departure, company: Company, only: str | None) -> Iterator[Proposal | Alternative]:
    subject, task = departure.teacher, departure.task
    for name, evidence in company.students_for(task.name, subject.model_id):
        if only not in {None, name}:
            continue
        student = company.subjects[name]
        missing = _unserving(student, company) or host_missing(subject, student, task.share)
        if missing:
            yield Alternative(route.ACTION, subject.model_id, task.name, target_model_id=name, missing=missing)
        else:
            yield _unless_slow(route.route_proposal(departure, student, evidence, company.fleet), company, student)


def _unless_slow(proposal: Proposal, company: Company, host: Subject) -> Proposal:
    """The proposal, blocked where the users of the model would wait too long for the host."""
    alternative = proposal.alternative
    slow = company.too_slow(str(alternative.model_id), host.model_id)
    return replace(proposal, alternative=replace(alternative, blocked=slow)) if slow else proposal


def _unserving(student: Subject, company: Company) -> str:
    """Why a model cannot take traffic over; empty where it can."""
    if student.months <= 0:
        return f"{student.model_id} has retired"
    if not company.fleet.hosts_of(student.model_id):
        return f"{student.model_id} has no billed GPUs: give its deployment and pool in deployments.csv"
    return ""
