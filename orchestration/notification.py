"""The asset after the published night: who was sent what of it."""

import dagster as dg

from orchestration import delivery
from orchestration.publication import night
from orchestration.resources import STEPS, Warehouse
from orchestration.table_assets import NIGHTS


@dg.asset(
    key=["published", "delivery"],
    deps=[night],
    group_name="published",
    partitions_def=NIGHTS,
    kinds={"email"},
)
def letters(warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The e-mails about the published nights, one for each recipient; one that fails is a warning and waits.

    The night is published before and stays so: nothing that a mail server says can fail this step.
    """
    project, now = warehouse.project, warehouse.clock()
    troubles = delivery.delivered(project, now)
    progress = delivery.progress(project, now)
    for sentence in progress:
        STEPS.info("published.delivery: %s", sentence)
    said = "\n".join([*progress, *troubles]) or "no e-mail is asked for: there is no [delivery] in trisect.toml"
    return dg.MaterializeResult(metadata={"letters": dg.MetadataValue.text(said), "undelivered": len(troubles)})
