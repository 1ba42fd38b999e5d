"""The same engine on changed assumptions, beside what the night published; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from transforms.decisions.actions.options import options_of
from transforms.decisions.actions.retrain_smaller import ACTION as RETRAIN
from transforms.decisions.actions.retrain_smaller import retrain_proposals
from transforms.decisions.demand.demand_draws import PATH_COLUMNS
from transforms.decisions.dollars import in_cents
from transforms.decisions.law.lifetime_optimum import lifetime_optimum
from transforms.decisions.portfolio.candidates import candidate_frame, option_rows
from transforms.decisions.portfolio.portfolio import company_of
from transforms.decisions.portfolio.portfolio_selection import best_first, portfolio
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.portfolio.simulation_context import MTOK, night_of
from transforms.decisions.quantiles import median
from transforms.decisions.supply.fleet import daily_tokens, is_forecast
from transforms.decisions.supply.latency import within_limits
from transforms.periods import DAYS_PER_MONTH, HOURS_PER_MONTH
from warehouse.schemas.decisions import Positions, Supply
from warehouse.vocabulary import LAWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transforms.decisions.law.laws import Quantity

_PORTFOLIO_READS: Final = (
    "settings", "scaling_law", "law_draws", "positions", "task_shares", "workloads", "models", "serving_states",
    "pool_states", "supply", "pool_users",
)  # fmt: skip
_ALTERNATIVE: Final = ("action", "task", "deployment_id", "target_model_id")
_NUMBERS: Final = {
    "one_off_usd_p50": "USD",
    "monthly_saving_usd_p10": "USD a month",
    "monthly_saving_usd_p50": "USD a month",
    "monthly_saving_usd_p90": "USD a month",
    "net_present_value_usd_p10": "USD",
    "net_present_value_usd_p50": "USD",
    "net_present_value_usd_p90": "USD",
    "payback_months_p50": "months",
    "probability": "ratio",
}
_STANDING: Final = {
    "daily_tokens": "tokens a day",
    "used_usd_per_mtok": "USD per million tokens",
    "allocated_usd_per_mtok": "USD per million tokens",
    "remaining_months": "months",
    "usd_per_training_flop": "USD per FLOP",
    "usd_per_inference_flop": "USD per FLOP",
}
_CAPACITY: Final = {
    "gpus_held": "GPUs",
    "gpus_needed_p50": "GPUs",
    "gpu_usd_a_month": "USD a month",
    "gpu_usd_a_month_needed_p50": "USD a month",
}
_OPTIMUM: Final = {
    "optimum_params_p10": "parameters",
    "optimum_params_p50": "parameters",
    "optimum_params_p90": "parameters",
    "optimum_tokens_p50": "tokens",
    "effective_demand_ratio": "ratio",
    "saving_ratio_p50": "ratio",
}


@dataclass(frozen=True)
class Overrides:
    """What is assumed otherwise than the night does; None leaves it as it is.

    Attributes:
        demand_ratio: demand as a multiple of the forecast.
        monthly_tokens: demand as tokens a month, level.
        params: size to retrain at, parameters used per token.
        usd_per_mtok: direct price of serving a million tokens; idle and shared cost keep their proportion.
        remaining_months: service still ahead.
        law: own, epoch, hoffmann or muennighoff.
        requests: requests of a whole life, for two sizes that are compared by their price of a request.
        usd_per_request: price of a request of the model.
        training_usd: cost of training the model.
        candidate_usd_per_request: price of a request of the other size.
        candidate_training_usd: cost of training the other size.
    """

    demand_ratio: float | None = None
    monthly_tokens: float | None = None
    params: float | None = None
    usd_per_mtok: float | None = None
    remaining_months: float | None = None
    law: str | None = None
    requests: float | None = None
    usd_per_request: float | None = None
    training_usd: float | None = None
    candidate_usd_per_request: float | None = None
    candidate_training_usd: float | None = None


def whatif(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One quantity of one alternative of the model, or of the model itself: published, changed, and the difference.

    Each row names its candidate, as published and as changed, and the size that it is compared with. `tables`
    holds the tables of the published night by name. Sizes to retrain at move with the assumptions, so the best of them
    is compared with the best.

    Raises:
        ValueError: when the model or the law is unknown, or a number cannot be; the text says what to give.
    """
    _refuse(model_id, overrides, tables)
    if overrides.requests is not None:
        return _life_costs(model_id, overrides, tables)
    changed = changed_tables(model_id, overrides, tables)
    before = _quantities(model_id, tables, tables["candidates"])
    after = _quantities(model_id, changed, _candidates(model_id, overrides, changed))
    key = [*_ALTERNATIVE, "quantity", "unit"]
    both = before.rename({"value": "published"}).join(
        after.rename({"value": "changed", "candidate": "changed_candidate"}),
        on=key,
        how="full",
        coalesce=True,
        nulls_equal=True,
    )
    compared = pl.lit(_size_of(tables["positions"].filter(pl.col("model_id") == model_id).row(0, named=True)))
    both = both.with_columns(compared_with=pl.when(pl.col("action").is_not_null()).then(compared))
    order = [pl.col("action").is_not_null(), *_ALTERNATIVE, pl.col("quantity").replace_strict(_positions(), default=99)]
    return both.with_columns(difference=pl.col("changed") - pl.col("published")).sort(order, nulls_last=False)


def changed_recommendations(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What would be recommended for the model: rows of recommendations."""
    _refuse(model_id, overrides, tables)
    changed = changed_tables(model_id, overrides, tables)
    subject = changed["positions"].filter(pl.col("model_id") == model_id)
    alternatives = _candidates(model_id, overrides, changed)
    chosen = portfolio(**{name: changed[name] for name in _PORTFOLIO_READS}, candidates=alternatives)
    return recommendations(changed["settings"], subject, alternatives, chosen)


def changed_tables(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of the night with the assumptions changed; a law is changed for all, the rest for the model."""
    law = overrides.law
    changed = dict(tables)
    if law is not None:
        changed["settings"] = tables["settings"].with_columns(law=pl.lit(law))
        changed["scaling_law"] = tables["scaling_law"].with_columns(is_chosen=pl.col("law_id") == law)
    is_subject = pl.col("model_id") == model_id
    values = _position_values(overrides)
    moved = tables["positions"].with_columns(
        pl.when(is_subject).then(value).otherwise(pl.col(name).cast(pl.Float64)).alias(name)
        for name, value in values.items()
    )
    if overrides.usd_per_mtok is not None:
        changed["supply"] = _repriced(model_id, overrides.usd_per_mtok, tables)
    if overrides.monthly_tokens is not None:
        moved = moved.with_columns(pl.when(~is_subject).then(pl.col(PATH_COLUMNS)))
    changed["positions"] = Positions.frame(moved)
    return changed


def _repriced(model_id: str, usd_per_mtok: float, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The supply of the pools that serve the model, so much dearer or cheaper as a token of it would be."""
    used = tables["positions"].filter(pl.col("model_id") == model_id)["used_usd_per_mtok"].cast(pl.Float64).item()
    users = tables["pool_users"].filter(pl.col("model_id") == model_id)
    factor = pl.when(pl.col("pool_id").is_in(users["pool_id"].implode())).then(usd_per_mtok / used if used else 1.0)
    rates = ("usd_per_gpu_hour", "avoidable_usd_per_gpu_hour")
    money = ("usd", "avoidable_usd")
    return Supply.frame(
        tables["supply"].with_columns(
            *(pl.col(name) * factor.otherwise(1.0) for name in rates),
            *(in_cents(pl.col(name).cast(pl.Float64) * factor.otherwise(1.0)) for name in money),
        )
    )


def _position_values(overrides: Overrides) -> dict[str, pl.Expr]:
    """New values of the position, by column."""
    values: dict[str, pl.Expr] = {}
    if overrides.demand_ratio is not None:
        values |= {name: pl.col(name) * overrides.demand_ratio for name in ("daily_tokens", "daily_tokens_trend")}
    if overrides.monthly_tokens is not None:
        values["daily_tokens"] = pl.lit(overrides.monthly_tokens / DAYS_PER_MONTH)
        values["daily_tokens_trend"] = pl.lit(0.0)
        values["demand_sigma"] = pl.col("demand_sigma").fill_null(0.0)
    if overrides.usd_per_mtok is not None:
        price, used = overrides.usd_per_mtok, pl.col("used_usd_per_mtok").cast(pl.Float64)
        markup = (pl.col("allocated_usd_per_mtok").cast(pl.Float64) / used).fill_null(1.0)
        values["used_usd_per_mtok"] = pl.lit(price)
        values["allocated_usd_per_mtok"] = (price * markup).round(9)
        values["usd_per_inference_flop"] = price / MTOK / (2 * pl.col("active_params"))
    if overrides.remaining_months is not None:
        values["remaining_months"] = pl.lit(overrides.remaining_months)
    return values


def _candidates(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The alternatives of the model on these tables, with the size wished for in place of the optimum."""
    night = night_of(tables["settings"], tables["scaling_law"], tables["law_draws"])
    names = ("positions", "task_shares", "workloads", "models", "serving_states", "supply", "pool_users")
    company = company_of(night, *(tables[name] for name in names))
    subject = company.subjects[model_id]
    if subject.months <= 0:
        return candidate_frame([], night)
    options = options_of(subject, company)
    if overrides.params is not None and any(one.alternative.action == RETRAIN for one in options.proposals):
        others = [proposal for proposal in options.proposals if proposal.alternative.action != RETRAIN]
        states = company.deployments.get(model_id, ())
        retrained = retrain_proposals(subject, company.fleet, overrides.params)
        wished = [within_limits(one, subject, states) for one in retrained]
        options = replace(options, proposals=[*wished, *others])
    return candidate_frame(option_rows(options, company.fleet), night)


def _quantities(model_id: str, tables: Mapping[str, pl.DataFrame], candidates: pl.DataFrame) -> pl.DataFrame:
    """One quantity of the model or of one of its alternatives."""
    own = pl.col("model_id") == model_id
    subject = tables["positions"].filter(own)
    optimum = lifetime_optimum(tables["settings"], tables["scaling_law"], tables["law_draws"], subject)
    best = best_first(candidates.filter(own)).unique(_ALTERNATIVE, keep="first", maintain_order=True)
    best = best.with_columns(candidate=pl.Series([_size_named(row) for row in best.to_dicts()], dtype=pl.String))
    capacity = _capacity(model_id, tables)
    return pl.concat(
        [_long(subject, _STANDING), _long(capacity, _CAPACITY), _long(optimum, _OPTIMUM), _long(best, _NUMBERS)]
    )


def _capacity(model_id: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The GPUs that serve the model, and those that its demand needs at the tokens that a GPU serves now."""
    night = night_of(tables["settings"], tables["scaling_law"], tables["law_draws"])
    names = ("positions", "task_shares", "workloads", "models", "serving_states", "supply", "pool_users")
    company = company_of(night, *(tables[name] for name in names))
    subject, own = company.subjects[model_id], company.fleet.of_model(model_id)
    held = sum(holding.gpus for holding in own)
    paid = sum(holding.gpus * _hour_usd(company.fleet.rows[holding.pool_id]) for holding in own)
    growth = 1.0
    if is_forecast(subject) and subject.months > 0:
        growth = median(subject.monthly_tokens) / (daily_tokens(subject) * DAYS_PER_MONTH)
    numbers = (held, held * growth, paid * HOURS_PER_MONTH, paid * growth * HOURS_PER_MONTH)
    return pl.DataFrame([dict(zip(_CAPACITY, map(float, numbers), strict=True))])


def _hour_usd(rows: Sequence[Mapping[str, Any]]) -> float:
    """What an hour of a GPU of a pool costs in the mean of all kinds of supply."""
    first = [row for row in rows if row["months_ahead"] == 0]
    gpus = sum(row["gpus"] for row in first)
    return sum(row["gpus"] * row["usd_per_gpu_hour"] for row in first) / gpus if gpus else 0.0


def _size_of(position: Mapping[str, Any]) -> str:
    """A model by its name, its size and the tokens it was trained on."""
    size, tokens = position["active_params"], position["training_tokens"]
    parts = [position["model_id"], size and f"{size / 1e9:.3g}B", tokens and f"on {tokens / 1e12:.3g}T tokens"]
    return " ".join(part for part in parts if part)


def _size_named(row: Mapping[str, Any]) -> str:
    """An alternative by the model, or the size and the tokens, that takes over."""
    size, tokens = row["target_params"], row["target_tokens"]
    parts = [row["target_model_id"], size and f"{size / 1e9:.3g}B", tokens and f"on {tokens / 1e12:.3g}T tokens"]
    return " ".join(part for part in parts if part) or row["action"].replace("_", " ")


def life_cost(training_usd: Quantity, usd_per_unit: Quantity, units: Quantity) -> Quantity:
    """What one size costs over a life: paid once for training, and for each token or request served."""
    return training_usd + usd_per_unit * units


def _life_costs(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What the model and another size cost over a life of so many requests, by the price of a request of each."""
    position = tables["positions"].filter(pl.col("model_id") == model_id).row(0, named=True)
    pairs = {
        "training_usd": (overrides.training_usd or 0.0, overrides.candidate_training_usd or 0.0),
        "serving_usd": (
            life_cost(0.0, overrides.usd_per_request or 0.0, overrides.requests or 0.0),
            life_cost(0.0, overrides.candidate_usd_per_request or 0.0, overrides.requests or 0.0),
        ),
    }
    pairs["life_cost_usd"] = tuple(pairs["training_usd"][side] + pairs["serving_usd"][side] for side in (0, 1))  # type: ignore[assignment]
    size = overrides.params
    row = {"action": RETRAIN, "task": None, "deployment_id": None, "target_model_id": None, "unit": "USD"}
    named = {
        "candidate": _size_of(position),
        "changed_candidate": f"{size / 1e9:.3g}B" if size else "the other size",
        "compared_with": _size_of(position),
    }
    rows = [
        row
        | named
        | {"quantity": name, "published": float(now), "changed": float(then), "difference": float(then - now)}
        for name, (now, then) in pairs.items()
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(_ALTERNATIVE, pl.String))


def _long(rows: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    index = [*_ALTERNATIVE, "candidate"]
    missing = [pl.lit(None, pl.String).alias(name) for name in index if name not in rows.columns]
    named = rows.with_columns(missing).select(*index, pl.col(*units).cast(pl.Float64))
    long = named.unpivot(list(units), index=index, variable_name="quantity")
    return long.with_columns(unit=pl.col("quantity").replace_strict(dict(units), return_dtype=pl.String))


def _positions() -> dict[str, int]:
    return {name: position for position, name in enumerate((*_STANDING, *_CAPACITY, *_OPTIMUM, *_NUMBERS))}


def _refuse(model_id: str, overrides: Overrides, tables: Mapping[str, pl.DataFrame]) -> None:
    models = tables["positions"].get_column("model_id").sort().to_list()
    if model_id not in models:
        raise ValueError(f"no model {model_id!r} in the published night; it knows {', '.join(models) or 'none'}")
    if overrides.law is not None and overrides.law not in LAWS:
        raise ValueError(f"no law {overrides.law!r}; choose one of {', '.join(LAWS)}")
    prices = ("usd_per_request", "candidate_usd_per_request")
    if overrides.requests is not None and any(getattr(overrides, name) is None for name in prices):
        raise ValueError("a number of requests needs the price of a request of both sizes; give the other one too")
    numbers = {name: value for name, value in vars(overrides).items() if isinstance(value, int | float)}
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}, which cannot be; give a number above zero")
