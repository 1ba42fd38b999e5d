"""When nights run by themselves: every night at three, with every missing night made up; on from the start."""

from collections.abc import Iterator

import dagster as dg

from orchestration.missing_nights import missing, yesterday
from orchestration.preview import NOTHING, is_anything_delivered
from orchestration.settings import load, project_directory
from warehouse import publish


@dg.schedule(
    job_name="night",
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 03:00 UTC: one run for each night up to yesterday that is not published, in order.",
)
def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run for each night up to yesterday that is not published, in order; none before anything is delivered."""
    project, until = load(project_directory()), yesterday(context.scheduled_execution_time)
    if not publish.nights(project.published) and not is_anything_delivered(project):
        yield dg.SkipReason(NOTHING)
        return
    for night in missing(project, until) or [until]:
        yield dg.RunRequest(run_key=night.isoformat(), partition_key=night.isoformat())
