"""The cash of what is recommended, month by month, and the sum of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.actions.options import options_of
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.portfolio_selection import KEY, best_first, decisions_of, key_of
from transforms.decisions.portfolio.simulation_context import night_of
from transforms.decisions.portfolio.valuation import cash_of
from transforms.decisions.quantiles import percentiles
from warehouse.schemas.decisions import CashCurves, RecommendedTotals

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from transforms.decisions.portfolio.portfolio import Company

_LISTS: Final = ("cash_usd_p10", "cash_usd_p50", "cash_usd_p90")


def cash_curves(
    settings: pl.DataFrame,
    scaling_law: pl.DataFrame,
    law_draws: pl.DataFrame,
    positions: pl.DataFrame,
    task_shares: pl.DataFrame,
    workloads: pl.DataFrame,
    models: pl.DataFrame,
    serving_states: pl.DataFrame,
    supply: pl.DataFrame,
    pool_users: pl.DataFrame,
    candidates: pl.DataFrame,
    portfolio: pl.DataFrame,
) -> pl.DataFrame:
    """One month of each recommendation, and of the best rejected alternative of each model that holds."""
    night = night_of(settings, scaling_law, law_draws)
    decided = decisions_of(portfolio)
    rows = [
        row
        for card in decided.to_dicts()
        for row in _months(card, [card[name] for name in _LISTS], night.as_of, is_recommended=True)
    ]
    second = _best_rejected(candidates, decided)
    wanted = task_shares.join(second, on=["model_id", "task"], how="semi")
    company = company_of(night, positions, wanted, workloads, models, serving_states, supply, pool_users)
    rows += [row for card in second.to_dicts() for row in _rejected_months(card, company)]
    order = ("model_id", "pool_id", "task", "deployment_id", "action", "target", "month")
    return CashCurves.frame(rows_in_cents(CashCurves, rows).sort(order, nulls_last=True))


def recommended_totals(settings: pl.DataFrame, portfolio: pl.DataFrame) -> pl.DataFrame:
    """The one sum over everything recommended on the night, draw by draw: percentiles do not add up."""
    sums = portfolio.filter(pl.col("position") == 0).with_columns(
        decisions=pl.lit(decisions_of(portfolio).height), as_of=pl.lit(settings.item(0, "as_of"))
    )
    return RecommendedTotals.frame(sums)


def _best_rejected(candidates: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    holding = candidates.filter(
        pl.col("net_present_value_usd_mean").is_not_null(), pl.col("model_id").is_not_null()
    ).join(decided, on="model_id", how="anti")
    return best_first(holding).unique("model_id", keep="first", maintain_order=True)


def _rejected_months(card: Mapping[str, Any], company: Company) -> Iterator[dict[str, Any]]:
    wanted = tuple(card[name] for name in KEY)
    options = options_of(
        company.subjects[card["model_id"]],
        company,
        (card["action"],),
        card["task"],
        (card["target_model_id"], card["target_params"]),
    )
    for proposal in options.proposals:
        if key_of(proposal) == wanted:
            lists = [values.tolist() for values in percentiles(cash_of(proposal, company.fleet).cumulative)]
            yield from _months(card, lists, company.night.as_of, is_recommended=False)
    for holding in company.fleet.of_model(card["model_id"]):
        holding.forget()


def _months(
    card: Mapping[str, Any], lists: Sequence[Sequence[float]], as_of: dt.date, *, is_recommended: bool
) -> Iterator[dict[str, Any]]:
    size = card["target_params"]
    target = card["target_model_id"] or (f"{size / 1e9:.3g}B" if size else "")
    for month, values in enumerate(zip(*lists, strict=True)):
        yield {name: card[name] for name in KEY} | {
            "as_of": as_of,
            "target": target,
            "is_recommended": is_recommended,
            "month": month,
            **dict(zip(_LISTS, values, strict=True)),
        }
