"""What is noticed between two nights: files that came late or changed, and runs that ended without a word."""

from datetime import date, timedelta
from typing import Final

import dagster as dg

from orchestration import last_failure
from orchestration.clock import moment
from orchestration.notify import dispatch
from orchestration.resources import PARTITION
from orchestration.settings import load, project_directory
from warehouse import publish
from warehouse.landing.inbox import late_arrivals

SETTLED: Final = timedelta(minutes=10)
"""How long a file must have been left alone before a night is run for it."""
REFUSED: Final = ("BusyError", "OtherNightError")
"""Runs that were refused what they asked for: no night has failed."""
RETRIED: Final = "dagster/will_retry"
ENDED: Final = (
    "the process of the run was ended from outside: killed, out of memory, or the machine was restarted; "
    "the next run makes the night up"
)


@dg.sensor(
    job_name="night",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs the newest published night again when a file of the inbox came late or changed after it.",
)
def late_files(_context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run of the newest published night for the files that its report does not know."""
    project = load(project_directory())
    standing = publish.nights(project.published)
    if not standing:
        return dg.SkipReason("no night is published yet; the schedule or `trisect run` publishes the first")
    night = max(standing)
    read = publish.files_read(project.published, night, standing[night])
    late = late_arrivals(project.root, [source.files for source in project.settings.sources()], read)
    if not late:
        return dg.SkipReason(f"no file has come or changed since {night} was published")
    newest = max(late, key=lambda arrival: arrival.at)
    if newest.at > moment(None) - SETTLED:
        return dg.SkipReason(f"{newest.file} came a moment ago; it is read when it has rested {SETTLED}")
    return dg.RunRequest(
        run_key=f"{night} {len(late)} {newest.at.isoformat()}",
        partition_key=night.isoformat(),
        tags={"trisect/late_files": str(len(late))},
    )


@dg.sensor(
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of nights that are missing half a day after their end, and sends again what did not go out.",
)
def missing_nights(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Nothing is run: the schedule makes nights up, this says that it did not."""
    project, now = load(project_directory()), moment(None)
    troubles = dispatch.delivered(project, now, is_watch=True)
    return dg.SkipReason("; ".join(troubles) or "everybody has what they should have")


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notes and tells why a night is not published when its run ended without saying so itself.",
)
def failed_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Runs whose worker was killed, and runs of single partitions from the UI."""
    project, partition = load(project_directory()), context.dagster_run.tags.get(PARTITION)
    if partition is None:
        return dg.SkipReason("the run was for no night")
    night, causes = date.fromisoformat(partition), _causes(context)
    noted = last_failure.noted(project.var)
    if context.dagster_run.tags.get(RETRIED) == "true":
        return dg.SkipReason("Dagster runs it once more; only if that fails as well is it told")
    if any(name in REFUSED for name, _ in causes):
        return dg.SkipReason("the run was refused; nothing of the night has failed")
    if noted is not None and noted.night == night:
        return dg.SkipReason("the night has noted itself why it is not published")
    reason = causes[-1][1] if causes else ENDED
    is_held = any(name == "HeldError" for name, _ in causes)
    now = moment(None)
    last_failure.note(project.var, last_failure.Failure(night, now, reason.strip(), is_held=is_held))
    dispatch.delivered(project, now)
    return None


def _causes(context: dg.RunFailureSensorContext) -> list[tuple[str, str]]:
    """Class and message of the errors of the failed steps, outermost first."""
    causes = []
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        while error is not None:
            causes.append((str(error.cls_name), error.message))
            error = error.cause
    return causes
