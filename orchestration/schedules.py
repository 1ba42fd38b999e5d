"""When nights run by themselves: every night at three, with every missing night made up; on from the start."""

from collections.abc import Iterator

import dagster as dg

from orchestration.missing_nights import missing, yesterday
from orchestration.settings import load, project_directory


@dg.schedule(
    job_name="night",
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 03:00 UTC: one run for each night up to yesterday that is not published, in order.",
)
def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """One run for each night up to yesterday that is not published, in order."""
    until = yesterday(context.scheduled_execution_time)
    for night in missing(load(project_directory()), until) or [until]:
        yield dg.RunRequest(run_key=night.isoformat(), partition_key=night.isoformat())
