"""The cash of what is recommended, month by month, and the sum of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.actions.alternatives import Proposal, cash_of
from transforms.decisions.actions.options import model_options
from transforms.decisions.actions.release_capacity import HORIZON_MONTHS, release_proposal
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.portfolio_selection import POOL_ACTION, best_first, chosen
from transforms.decisions.portfolio.simulation_context import night_of
from transforms.decisions.quantiles import median, percentiles
from warehouse.schemas.decisions import CashCurves, RecommendedTotals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.portfolio import Company
    from transforms.decisions.portfolio.simulation_context import Night
    from transforms.decisions.portfolio.valuation import Cash

_KEY: Final = ("action", "model_id", "task", "pool_id", "deployment_id", "target_model_id", "target_params")


@dataclass(frozen=True)
class _Curve:
    """The cash of one alternative, and the part of it that is not already counted elsewhere."""

    row: Mapping[str, Any]
    cash: Cash
    part: float


def cash_curves(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    pool_states: pl.DataFrame,
    candidates: pl.DataFrame,
) -> pl.DataFrame:
    """One month of each recommendation, and of the best rejected alternative of each model that holds."""
    night = night_of(settings, scaling_law, law_draws)
    wanted = _wanted(candidates, serving_states, night)
    tasks = task_shares.join(wanted, on=["model_id", "task"], how="semi")
    company = company_of(night, positions, tasks, workloads, models, serving_states)
    rows = [row for curve in _curves(night, company, pool_states, wanted) for row in _months(curve, night)]
    order = ("model_id", "pool_id", "task", "deployment_id", "action", "target", "month")
    return CashCurves.frame(rows_in_cents(CashCurves, rows).sort(order, nulls_last=True))


def recommended_totals(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    pool_states: pl.DataFrame,
    candidates: pl.DataFrame,
) -> pl.DataFrame:
    """The one sum over everything recommended on the night, draw by draw: percentiles do not add up."""
    night = night_of(settings, scaling_law, law_draws)
    wanted = _wanted(candidates, serving_states, night).filter("is_recommended")
    tasks = task_shares.join(wanted, on=["model_id", "task"], how="semi")
    company = company_of(night, positions, tasks, workloads, models, serving_states)
    curves = list(_curves(night, company, pool_states, wanted))
    return RecommendedTotals.frame(rows_in_cents(RecommendedTotals, [_totals(curves, night)]))


def _wanted(candidates: pl.DataFrame, serving_states: pl.DataFrame, night: Night) -> pl.DataFrame:
    """What is recommended, and the best valued alternative of the models that hold."""
    acted = chosen(candidates, serving_states, night.materiality_usd).with_columns(is_recommended=pl.lit(value=True))
    holding = candidates.filter(
        pl.col("net_present_value_usd_mean").is_not_null(), pl.col("model_id").is_not_null()
    ).join(acted, on="model_id", how="anti")
    second = best_first(holding).unique("model_id", keep="first", maintain_order=True)
    return pl.concat([acted, second.with_columns(is_recommended=pl.lit(value=False))])


def _curves(night: Night, company: Company, pool_states: pl.DataFrame, wanted: pl.DataFrame) -> Iterator[_Curve]:
    """The wanted alternatives with their draws, which are those they were valued with."""
    rows = {tuple(row[name] for name in _KEY): row for row in wanted.to_dicts()}
    yield from _model_curves(company, rows)
    nothing = np.zeros((HORIZON_MONTHS, night.draws))
    released = wanted.filter(pl.col("action") == POOL_ACTION).get_column("pool_id")
    for pool in pool_states.filter(pl.col("pool_id").is_in(released.implode())).sort("pool_id").to_dicts():
        release = release_proposal(night, pool)
        if isinstance(release, Proposal):
            row, cash = rows[_key(release)], cash_of([release], nothing, night)
            yield _Curve(row, cash, float(row["monthly_saving_usd_p50"]) / median(cash.monthly_saving[0]))


def _model_curves(company: Company, rows: Mapping[tuple[Any, ...], Mapping[str, Any]]) -> Iterator[_Curve]:
    actions: dict[str, set[str]] = {}
    for row in rows.values():
        actions.setdefault(row["model_id"], set()).add(row["action"])
    for options in model_options(company, actions):
        wanted = [proposal for proposal in options.proposals if _key(proposal) in rows]
        for proposal in wanted:
            yield _Curve(rows[_key(proposal)], cash_of([proposal], options.subject.tokens, company.night), 1.0)


def _key(proposal: Proposal) -> tuple[Any, ...]:
    return tuple(getattr(proposal.alternative, name) for name in _KEY)


def _months(curve: _Curve, night: Night) -> Iterator[dict[str, Any]]:
    size = curve.row["target_params"]
    target = curve.row["target_model_id"] or (f"{size / 1e9:.3g}B" if size else "")
    low, middle, high = percentiles(curve.cash.cumulative(0) * curve.part)
    for month in range(len(middle)):
        yield {name: curve.row[name] for name in (*_KEY, "is_recommended")} | {
            "as_of": night.as_of,
            "target": target,
            "month": month,
            "cash_usd_p10": float(low[month]),
            "cash_usd_p50": float(middle[month]),
            "cash_usd_p90": float(high[month]),
        }


def _totals(curves: list[_Curve], night: Night) -> dict[str, Any]:
    sums: dict[str, Floats] = {name: np.zeros(night.draws) for name in ("one_off", "saving", "present")}
    for curve in curves:
        sums["one_off"] += curve.cash.one_off[0]
        sums["saving"] += curve.cash.monthly_saving[0] * curve.part
        sums["present"] += curve.cash.net_present_value[0] * curve.part
    row: dict[str, Any] = {"as_of": night.as_of, "decisions": len(curves)}
    row["one_off_usd_p50"] = median(sums["one_off"])
    for name, draws in (("monthly_saving", sums["saving"]), ("net_present_value", sums["present"])):
        levels = zip((10, 50, 90), percentiles(draws), strict=True)
        row |= {f"{name}_usd_p{level}": float(value) for level, value in levels}
    return row
