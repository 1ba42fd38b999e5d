"""Every alternative, valued; none is left out because it lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.actions.alternatives import Alternative, unvalued, valued
from transforms.decisions.actions.options import Options, model_options
from transforms.decisions.actions.release_capacity import HORIZON_MONTHS, release_proposal
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.simulation_context import Night, night_of
from warehouse.schemas.decisions import Candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
) -> pl.DataFrame:
    """One alternative of one model (and task or pool): valued, or not valued and what is missing."""
    night = night_of(settings, scaling_law, law_draws)
    company = company_of(night, positions, task_shares, workloads, models, serving_states)
    rows = [row for options in model_options(company) for row in option_rows(options)]
    pools = [row for pool in pool_states.sort("pool_id").to_dicts() for row in _pool_rows(night, pool)]
    return candidate_frame(rows + pools, night)


def option_rows(options: Options) -> Iterator[dict[str, Any]]:
    """The alternatives of one model as rows of the table."""
    yield from (unvalued(alternative) for alternative in options.unvalued)
    if options.proposals:
        yield from valued(options.proposals, options.subject.tokens, options.subject.night)


def _pool_rows(night: Night, pool: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    option = release_proposal(night, pool)
    if isinstance(option, Alternative):
        yield unvalued(option)
    else:
        yield from valued([option], np.zeros((HORIZON_MONTHS, night.draws)), night)


def candidate_frame(rows: Iterable[Mapping[str, Any]], night: Night) -> pl.DataFrame:
    """Rows of alternatives as the table, in a stable order."""
    frame = rows_in_cents(Candidates, ({**row, "as_of": night.as_of} for row in rows))
    return Candidates.frame(frame.sort(_ORDER, nulls_last=True, maintain_order=True))
