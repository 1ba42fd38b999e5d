"""What follows a night: the e-mails about a published one, and the note and the e-mails about one that is not."""

from datetime import date

import dagster as dg

from orchestration import last_failure
from orchestration.nights import is_red, red
from orchestration.notify import dispatch
from orchestration.publication import night
from orchestration.resources import PARTITION, STEPS, OtherNightError, Warehouse
from orchestration.table_assets import NIGHTS, OWNERS
from warehouse.errors import HeldError


@dg.asset(
    key=["published", "delivery"],
    deps=[night],
    group_name="published",
    partitions_def=NIGHTS,
    kinds={"email"},
    owners=OWNERS,
)
def delivery(warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The e-mails about the published nights, one for each recipient; one that fails is a warning and waits.

    The night is published before and stays so: nothing that a mail server says can fail this step.
    """
    project, now = warehouse.project, warehouse.clock()
    last_failure.forget(project.var)
    troubles = dispatch.delivered(project, now)
    progress = dispatch.progress(project, now)
    for sentence in progress:
        STEPS.info("published.delivery: %s", sentence)
    report = "\n".join([*progress, *troubles]) or "no e-mail is asked for: there is no [delivery] in trisect.toml"
    return dg.MaterializeResult(metadata={"letters": dg.MetadataValue.text(report), "undelivered": len(troubles)})


@dg.failure_hook(required_resource_keys={"warehouse"})
def failure_told(context: dg.HookContext) -> None:
    """Note why a night that Dagster ran by itself is not published, and tell who asked to hear of held nights.

    `trisect run` does the same: an error ends its job before any hook is called.
    """
    warehouse: Warehouse = context.resources.warehouse
    run, error = context.instance.get_run_by_id(context.run_id), context.op_exception
    partition = run.tags.get(PARTITION) if run else None
    if partition is None or error is None or isinstance(error, OtherNightError):
        return
    is_held = is_red(error)
    last_failure.note(
        warehouse.project.var,
        last_failure.Failure(
            night=date.fromisoformat(partition),
            at=warehouse.clock(),
            reason=red(str(error)) if is_held else str(error),
            is_held=is_held or isinstance(error, HeldError),
        ),
    )
    dispatch.delivered(warehouse.project, warehouse.clock())
