"""Every alternative, valued by itself; none is left out because it lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.actions.alternatives import Alternative
from transforms.decisions.actions.options import Options, model_options
from transforms.decisions.actions.release_capacity import release_proposal
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.simulation_context import Night, night_of
from transforms.decisions.portfolio.valuation import unvalued, valued
from warehouse.schemas.decisions import Candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from transforms.decisions.supply.fleet import Fleet

_ORDER: Final = ("model_id", "task", "pool_id", "deployment_id", "action", "target_model_id", "target_params")


def candidates(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    pool_states: pl.DataFrame,
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
) -> pl.DataFrame:
    """One alternative of one model (and task or pool): valued, or not valued and what is missing."""
    night = night_of(settings, scaling_law, law_draws)
    company = company_of(night, positions, task_shares, workloads, models, serving_states, supply, pool_users)
    rows = [row for options in model_options(company) for row in option_rows(options, company.fleet)]
    pools = [pool_row(pool, company.fleet) for pool in pool_states.sort("pool_id").to_dicts()]
    return candidate_frame(rows + pools, night)


def option_rows(options: Options, fleet: Fleet) -> Iterator[dict[str, Any]]:
    """The alternatives of one model as rows of the table; of several sizes each names the next best."""
    yield from (unvalued(alternative) for alternative in options.unvalued)
    yield from (valued(proposal, fleet) for proposal in options.proposals)
    for holding in fleet.of_model(options.subject.model_id):
        holding.forget()


def pool_row(pool: Mapping[str, Any], fleet: Fleet) -> dict[str, Any]:
    """The release of what one pool does not need, as a row of the table."""
    option = release_proposal(pool, fleet)
    return unvalued(option) if isinstance(option, Alternative) else valued(option, fleet)


def candidate_frame(rows: Iterable[Mapping[str, Any]], night: Night) -> pl.DataFrame:
    """Rows of alternatives as the table, in a stable order."""
    frame = rows_in_cents(Candidates, ({**row, "as_of": night.as_of} for row in rows))
    return Candidates.frame(frame.sort(_ORDER, nulls_last=True, maintain_order=True))
