"""One night through Dagster."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

import dagster as dg

from orchestration.dagster_store import dagster_instance
from orchestration.settings import Project
from warehouse.errors import BusyError, HeldError, UnusableError
from warehouse.recovery import set_aside_what_is_damaged


def run_night(definitions: dg.Definitions, project: Project, night: date, now: datetime) -> None:
    """Run one night in this process, visible in Dagster's UI; an error of a step is raised as it was.

    Where it fails over a store that is damaged, that is set aside and the night runs again. A signal that ends the run
    comes out as KeyboardInterrupt, whichever it was.
    """
    try:
        _executed(definitions, project, night, now)
    except (HeldError, BusyError, UnusableError):
        raise
    except Exception:
        if not set_aside_what_is_damaged(project.var):
            raise
        _executed(definitions, project, night, now)


def _executed(definitions: dg.Definitions, project: Project, night: date, now: datetime) -> None:
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    job = definitions.resolve_job_def("night")
    with (
        dagster_instance(project.var, project.settings.dagster) as instance,
        dg.partition_loading_context(effective_dt=now + timedelta(days=1)),
    ):
        try:
            job.execute_in_process(
                instance=instance,
                partition_key=night.isoformat(),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except dg.DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        except dg.DagsterUserCodeExecutionError as error:
            raise error.user_exception from error
        except dg.DagsterError as error:
            if is_red(error):
                raise HeldError(red(str(error))) from error
            raise


def is_red(error: BaseException) -> bool:
    """Whether Dagster ended a run because a blocking check is red; it does not export the class of that error."""
    return type(error).__name__ == "DagsterAssetCheckFailedError"


def red(message: str) -> str:
    """Why a night is held whose checks are red, from Dagster's words."""
    checks = ", ".join(line.strip() for line in message.splitlines()[1:])
    return f"held: these checks are red: {checks}; `trisect ui` shows the offending rows of each"
