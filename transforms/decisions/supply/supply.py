"""What the GPUs of each pool cost from now on, month by month, and which part of it could still be left unpaid.

Owned GPUs are bought: only power, where assets.csv tells it, ends when they are switched off. A commitment is paid to
its end whether it is used or not. What is billed by the hour ends with the hour.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.decisions.demand.demand_draws import LONGEST_MONTHS
from transforms.decisions.dollars import rows_in_cents
from transforms.money import units
from transforms.periods import DAYS_PER_MONTH, HOURS_PER_MONTH
from warehouse.schemas.columns import MONEY
from warehouse.schemas.decisions import Supply
from warehouse.schemas.names import ACCRUAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from transforms.decisions.law.laws import Floats

# A fee that covers no more than a month recurs, and does not tell when the contract ends.
_MONTHLY_FEE_DAYS: Final = 35
# The usual term of a commitment; an end that nobody tells lies somewhere between this month's and a term from now.
TERM_MONTHS: Final = 12
# Days of the bill that tell what a pool holds now, and days after which a pool that is billed no more is gone.
_NOW_DAYS: Final = 7
_GONE_DAYS: Final = 3
_PRICE_DAYS: Final = 28
# On-demand over effective price where the bill lists none: the order of a one-year commitment's discount.
_ASSUMED_PREMIUM: Final = 1.4
_NOTICE: Final = "notice:"


@dataclass(frozen=True)
class Contract:
    """When a commitment may end: the first day that is no longer paid, at the earliest and at the latest."""

    earliest: dt.date
    latest: dt.date
    basis: str
    renewal: str | None = None
    notice_days: int = 0

    @property
    def is_known(self) -> bool:
        """Whether the end is one day."""
        return self.earliest == self.latest

    def sign_by(self, as_of: dt.date) -> dt.date:
        """The last day on which somebody can still say that it is not renewed."""
        return max(self.earliest - dt.timedelta(days=max(self.notice_days, 1)), as_of)


def supply(
    settings: pl.DataFrame,
    billed_days: pl.DataFrame,
    pool_states: pl.DataFrame,
    commitment_terms: pl.DataFrame,
    assets: pl.DataFrame,
    fx: pl.DataFrame,
) -> pl.DataFrame:
    """One pool, month ahead and kind of supply, each commitment by itself, the cheapest to keep first.

    A model or deployment whose charges name no pool has a pool of its own, called `model:` or `deployment:` and its
    name; where such charges bring no GPU time, one of its "GPUs" is a dollar an hour. Rates are what the bill paid.
    """
    as_of = settings.item(0, "as_of")
    contracts = contract_ends(billed_days, commitment_terms, as_of)
    lines = _lines(_homed(billed_days, as_of), fx, settings, contracts)
    listed = {row["pool_id"]: row for row in pool_states.to_dicts()}
    rows = [
        row
        for pool_id, layers in sorted(_layers(lines, commitment_terms, assets, contracts, as_of).items())
        for row in _months(pool_id, layers, listed.get(pool_id), as_of)
    ]
    order = ("pool_id", "month", "keep_order", "commitment_discount_id")
    return Supply.frame(rows_in_cents(Supply, rows).sort(order, nulls_last=True))


def _homed(billed_days: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """Charges with the pools of commitments on what was not used of them, which carries no resource and so no tag.

    It is shared among the pools that the commitment covers, by the cost of what they used of it in the last weeks.
    """
    key = "commitment_discount_id"
    is_homeless = (
        pl.col("commitment_discount_status").eq_missing(pl.lit("Unused"))
        & pl.col(key).is_not_null()
        & pl.all_horizontal(pl.col("pool_id", "deployment_id", "model_id").is_null())
    )
    homeless = billed_days.filter(is_homeless)
    if homeless.is_empty():
        return billed_days
    used = billed_days.filter(
        pl.col("charge_category") == "Usage",
        pl.col(key).is_not_null(),
        pl.col("pool_id").is_not_null(),
        pl.col("charge_day") > as_of - dt.timedelta(days=2 * _PRICE_DAYS),
    )
    cost = pl.col("effective_cost").cast(pl.Float64).sum().clip(0)
    shares = used.group_by(key, "pool_id").agg(cost=cost).filter(pl.col("cost") > 0).sort(key, "pool_id")
    shares = shares.with_columns(share=pl.col("cost") / pl.col("cost").sum().over(key)).drop("cost")
    homed = (
        homeless.drop("pool_id")
        .join(shares, on=key, how="left")
        .with_columns(share=pl.col("share").fill_null(1.0))
        .with_columns((pl.col("effective_cost").cast(pl.Float64) * pl.col("share")).cast(MONEY).alias("effective_cost"))
    )
    return pl.concat([billed_days.filter(~is_homeless), homed.select(billed_days.columns)])


def _lines(
    billed_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame, contracts: Mapping[str, Contract]
) -> pl.DataFrame:
    """One pool and commitment of the last weeks: what it holds now, in GPUs, and what an hour of it has cost.

    Charges of a month without a rate of exchange are left out: their cost in the reporting currency is not known.
    Where a commitment of a pool has just ended, what the pool holds now is what it holds since.
    """
    as_of = settings.item(0, "as_of")
    own = pl.col("currency") == settings.item(0, "currency")
    rates = fx.select(pl.col("month").dt.truncate("1mo"), "currency", rate=pl.col("rate").cast(pl.Float64))
    is_unused = pl.col("commitment_discount_status").eq_missing(pl.lit("Unused"))
    named = pl.coalesce(
        "pool_id",
        pl.format("deployment:{}", "deployment_id"),
        pl.format("model:{}", "model_id"),
    )
    billed = (
        billed_days.filter(
            pl.col("charge_category").is_in(["Usage", "Credit"]),
            pl.col("charge_day") <= as_of,
            pl.col("charge_day") > pl.lit(as_of) - pl.duration(days=2 * _PRICE_DAYS),
            pl.col("pool_id").is_not_null() | pl.col("deployment_id").is_not_null() | (pl.col("phase") == "inference"),
        )
        .with_columns(pool_id=named, month=pl.col("charge_day").dt.truncate("1mo"), is_unused=is_unused)
        .join(rates, on=["month", "currency"], how="left")
        .with_columns(rate=pl.when(own).then(1.0).otherwise("rate"))
        .filter(pl.col("pool_id").is_not_null(), pl.col("rate").is_not_null())
        .with_columns(
            hours=units("gpu_hours").cast(pl.Float64) / 1e12,
            usd=units("effective_cost").cast(pl.Float64) / 1e12 * pl.col("rate"),
            is_owned=pl.col("source") == ACCRUAL,
        )
    )
    usage = billed.filter(pl.col("charge_category") == "Usage")
    last = usage.select(pl.col("charge_day").max()).item()
    dated = usage.with_columns(last_day=pl.col("charge_day").max().over("pool_id"))
    recent = dated.filter(pl.col("last_day") >= pl.lit(last, pl.Date) - pl.duration(days=_GONE_DAYS))
    key = ("pool_id", "commitment_discount_id", "is_owned")
    over = {name: contract.latest for name, contract in contracts.items() if contract.latest <= as_of}
    lapsed = pl.col("commitment_discount_id").replace_strict(over, default=None, return_dtype=pl.Date)
    day, ended = pl.col("charge_day"), pl.col("last_day")
    week = ended - pl.duration(days=_NOW_DAYS - 1)
    changed = pl.when(pl.col("lapsed_on") <= ended).then("lapsed_on")
    first = pl.max_horizontal(week, changed, day.min().over("pool_id"))
    now = day >= pl.col("now_from")
    return (
        recent.with_columns(lapsed_on=lapsed.max().over("pool_id"))
        .with_columns(now_from=first)
        .with_columns(
            days=(ended - pl.col("now_from")).dt.total_days() + 1,
            has_gpus=(pl.col("hours").sum().over("pool_id") > 0),
            is_now=now,
            is_priced=day > ended - pl.duration(days=_PRICE_DAYS),
        )
        .group_by(key)
        .agg(
            days=pl.col("days").first(),
            has_gpus=pl.col("has_gpus").first(),
            gpu_model=pl.col("gpu_model").drop_nulls().sort().first(),
            hours_now=pl.col("hours").filter("is_now", ~pl.col("is_unused")).sum(),
            usd_now=pl.col("usd").filter("is_now", ~pl.col("is_unused")).sum(),
            unused_now=pl.col("usd").filter("is_now", "is_unused").sum(),
            hours=pl.col("hours").filter("is_priced", ~pl.col("is_unused")).sum(),
            usd=pl.col("usd").filter("is_priced", ~pl.col("is_unused")).sum(),
        )
        .join(_paid_after_credits(billed, as_of), on="pool_id", how="left")
        .with_columns(
            pl.when("is_owned").then(name).otherwise(pl.col(name) * pl.col("paid_ratio").fill_null(1.0)).alias(name)
            for name in ("usd_now", "unused_now", "usd")
        )
        .sort(key, nulls_last=True)
    )


def _paid_after_credits(billed: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """One pool: the part of its charges that is paid in the end, where credits come on at least every other day.

    What is credited is saved by nobody. A refund of one day lowers no price.
    """
    recent = billed.filter(~pl.col("is_owned"), pl.col("charge_day") > pl.lit(as_of) - pl.duration(days=_PRICE_DAYS))
    is_credit = pl.col("charge_category") == "Credit"
    usd, day = pl.col("usd"), pl.col("charge_day")
    rows = recent.group_by("pool_id").agg(
        charged=usd.filter(~is_credit).sum(),
        credited=usd.filter(is_credit).sum(),
        days=day.filter(~is_credit).n_unique(),
        credit_days=day.filter(is_credit).n_unique(),
    )
    recurs = (pl.col("credit_days") * 2 >= pl.col("days")) & (pl.col("charged") > 0)
    paid = (1 + pl.col("credited") / pl.col("charged")).clip(0, 1)
    return rows.select("pool_id", paid_ratio=pl.when(recurs).then(paid).otherwise(1.0))


def contract_ends(billed_days: pl.DataFrame, terms: pl.DataFrame, as_of: dt.date) -> dict[str, Contract]:
    """The end of each commitment by its id: as commitments.csv says, else as its fee says, else between two days.

    A fee carries no tag of a pool, as fees do not: it is joined by the id that stands on the usage.
    """
    named = billed_days.filter(pl.col("commitment_discount_id").is_not_null())
    fees = named.filter(
        pl.col("charge_category") == "Purchase",
        ~pl.col("commitment_discount_status").eq_missing(pl.lit("Unused")),
        (pl.col("last_end") - pl.col("first_start")) > dt.timedelta(days=_MONTHLY_FEE_DAYS),
    )
    ends = fees.group_by("commitment_discount_id").agg(pl.col("last_end").max().dt.date())
    billed: dict[str, dt.date] = dict(ends.iter_rows())
    contracts = {name: _unknown_end(as_of) for name in named["commitment_discount_id"].unique().sort()}
    contracts |= {name: Contract(end, end, "bill") for name, end in billed.items()}
    for row in terms.sort("commitment_id", "valid_from", nulls_last=False).to_dicts():
        contracts[row["commitment_id"]] = _agreed(row, billed.get(row["commitment_id"]), as_of)
    return contracts


def _unknown_end(as_of: dt.date) -> Contract:
    """With this month at the earliest, a usual term from now at the latest."""
    first = (as_of.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return Contract(first, _months_later(as_of + dt.timedelta(days=1), TERM_MONTHS), "assumed")


def _agreed(row: Mapping[str, Any], billed: dt.date | None, as_of: dt.date) -> Contract:
    """The end by commitments.csv; one that was to be stopped by a day that is past has been renewed for a term."""
    renewal = row["renewal"]
    notice = int(renewal.removeprefix(_NOTICE)) if renewal and renewal.startswith(_NOTICE) else 0
    end = row["valid_to"] or billed
    night = as_of + dt.timedelta(days=1)
    if end is None and notice:
        end = night + dt.timedelta(days=notice)
    if end is None:
        unknown = _unknown_end(as_of)
        return Contract(unknown.earliest, unknown.latest, "assumed", renewal, notice)
    term = max(round((end - row["valid_from"]).days / DAYS_PER_MONTH), 1) if row["valid_from"] else TERM_MONTHS
    while renewal not in {None, "ends"} and row["valid_to"] and end - dt.timedelta(days=notice) < night:
        end = _months_later(end, term)
    return Contract(end, end, "commitments.csv", renewal, notice)


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class _Layer:
    """GPUs of a pool that are paid in the same way."""

    kind: str
    gpus: float
    rate: float
    unit: str
    gpu_model: str | None = None
    commitment_id: str | None = None
    contract: Contract | None = None
    begins: dt.date | None = None
    avoidable_rate: float = 0.0
    is_rate_listed: bool = True


def _layers(
    lines: pl.DataFrame,
    terms: pl.DataFrame,
    assets: pl.DataFrame,
    contracts: Mapping[str, Contract],
    as_of: dt.date,
) -> dict[str, list[_Layer]]:
    """What each pool is made of; GPUs that only commitments.csv calls committed are taken out of the others."""
    layers: dict[str, list[_Layer]] = {}
    power = {row["pool_id"]: row["power_usd_per_gpu_hour"] or 0.0 for row in assets.sort("pool_id").to_dicts()}
    for row in lines.to_dicts():
        layer = _layer(row, contracts, power)
        if layer.gpus > 0:
            layers.setdefault(row["pool_id"], []).append(layer)
    billed = set(lines["commitment_discount_id"].drop_nulls())
    latest = terms.sort("commitment_id", "valid_from", nulls_last=False).unique("commitment_id", keep="last")
    for row in latest.sort("commitment_id").to_dicts():
        ended = contracts[row["commitment_id"]].latest <= as_of
        if row["commitment_id"] in billed or not row["pool_id"] or not row["gpu_count"] or ended:
            continue
        layers[row["pool_id"]] = _with_terms(layers.get(row["pool_id"], []), row, contracts[row["commitment_id"]])
    return layers


def _layer(row: Mapping[str, Any], contracts: Mapping[str, Contract], power: Mapping[str, float]) -> _Layer:
    hours, usd, per = (row["hours"], row["usd"], 24.0 * row["days"])
    unit = "GPU" if row["has_gpus"] else "USD an hour"
    rate = (usd / hours if hours > 0 else 0.0) if row["has_gpus"] else 1.0
    gpus = (row["hours_now"] if row["has_gpus"] else row["usd_now"]) / per
    gpus += row["unused_now"] / per / rate if rate > 0 else 0.0
    name = row["commitment_discount_id"]
    if name is not None:
        return _Layer("committed", gpus, rate, unit, row["gpu_model"], name, contracts[name])
    if row["is_owned"]:
        watts = min(power.get(row["pool_id"], 0.0), rate) if rate > 0 else power.get(row["pool_id"], 0.0)
        return _Layer("owned", gpus, rate, unit, row["gpu_model"], avoidable_rate=watts)
    return _Layer("on_demand", gpus, rate, unit, row["gpu_model"], avoidable_rate=rate)


def _with_terms(layers: Sequence[_Layer], row: Mapping[str, Any], contract: Contract) -> list[_Layer]:
    """The layers with GPUs of a contract that no bill names: they are not on demand, and not owned."""
    left, kept, rate = float(row["gpu_count"]), [], None
    gpu_model = next((layer.gpu_model for layer in layers if layer.gpu_model), None)
    for layer in sorted(layers, key=lambda each: each.kind, reverse=True):
        taken = min(left, layer.gpus) if layer.kind != "committed" else 0.0
        rate = layer.rate if taken and rate is None else rate
        left -= taken
        if layer.gpus > taken:
            kept.append(_Layer(**{**vars(layer), "gpus": layer.gpus - taken}))
    stated = float(row["usd_per_hour"]) / row["gpu_count"] if row["usd_per_hour"] else rate or 0.0
    gpus = float(row["gpu_count"])
    made = _Layer("committed", gpus, stated, "GPU", gpu_model, row["commitment_id"], contract, row["valid_from"])
    return [*kept, made]


_KEEP_ORDER: Final = {"owned": 0, "committed": 1, "on_demand": 2}


def _months(
    pool_id: str, layers: Sequence[_Layer], state: Mapping[str, Any] | None, as_of: dt.date
) -> Iterator[dict[str, Any]]:
    """The rows of one pool; one that holds nothing on demand has a row of none, for what an hour more would cost."""
    dear, is_listed = on_demand_rate(layers, state)
    unit = layers[0].unit if layers else "GPU"
    if not any(layer.kind == "on_demand" for layer in layers):
        layers = [*layers, _Layer("on_demand", 0.0, dear, unit, avoidable_rate=dear, is_rate_listed=is_listed)]
    for layer in layers:
        yield from _layer_months(pool_id, layer, as_of)


def _layer_months(pool_id: str, layer: _Layer, as_of: dt.date) -> Iterator[dict[str, Any]]:
    """The rows of GPUs that are paid in the same way: what of a contract is over by then could be left unpaid."""
    early, late = (_paid_ratios(layer, which, as_of) for which in ("earliest", "latest"))
    held = _held_ratios(layer, late, as_of)
    hours = layer.gpus * held * HOURS_PER_MONTH
    usd = hours * layer.rate
    bound = layer.gpus * np.minimum(late, held) * HOURS_PER_MONTH * layer.rate
    avoidable = usd - bound if layer.kind == "committed" else hours * layer.avoidable_rate
    identity = _identity(pool_id, layer, as_of)
    for month, start in enumerate(month_starts(as_of)):
        yield identity | {
            "month": start,
            "months_ahead": month,
            "gpu_hours": float(hours[month]),
            "usd": float(usd[month]),
            "avoidable_usd": float(avoidable[month]),
            "paid_ratio_earliest": float(early[month]),
            "paid_ratio_latest": float(late[month]),
        }


def _identity(pool_id: str, layer: _Layer, as_of: dt.date) -> dict[str, Any]:
    """What is the same in every month of a layer."""
    contract = layer.contract
    return {
        "as_of": as_of,
        "pool_id": pool_id,
        "supply_kind": layer.kind,
        "commitment_discount_id": layer.commitment_id,
        "keep_order": _KEEP_ORDER[layer.kind],
        "gpus": layer.gpus,
        "usd_per_gpu_hour": layer.rate,
        "avoidable_usd_per_gpu_hour": layer.avoidable_rate,
        "ends_on": contract.latest if contract and contract.is_known else None,
        "ends_on_earliest": contract.earliest if contract else None,
        "ends_on_latest": contract.latest if contract else None,
        "end_basis": contract.basis if contract else None,
        "renewal": contract.renewal if contract else None,
        "sign_by": contract.sign_by(as_of) if contract and contract.latest > as_of else None,
        "unit": layer.unit,
        "gpu_model": layer.gpu_model,
        "is_rate_assumed": not layer.is_rate_listed,
    }


def on_demand_rate(layers: Sequence[_Layer], state: Mapping[str, Any] | None) -> tuple[float, bool]:
    """What one more hour costs: as it is billed on demand, else as it is listed, else above what is paid."""
    billed = next((layer.rate for layer in layers if layer.kind == "on_demand"), None)
    if billed is not None:
        return billed, True
    gpus = sum(layer.gpus for layer in layers)
    paid = sum(layer.gpus * layer.rate for layer in layers) / gpus if gpus else 0.0
    listed = state["on_demand_usd_per_gpu_hour"] if state else None
    if layers and layers[0].unit != "GPU":
        return 1.0, True
    return (max(listed, paid), True) if listed else (_ASSUMED_PREMIUM * paid, False)


def month_starts(as_of: dt.date) -> list[dt.date]:
    """First day of each month ahead; months of 365.25 / 12 days from the end of the night on."""
    night = as_of + dt.timedelta(days=1)
    return [night + dt.timedelta(days=round(month * DAYS_PER_MONTH)) for month in range(LONGEST_MONTHS)]


def month_shares(until: dt.date | None, as_of: dt.date, since: dt.date | None = None) -> Floats:
    """Share of each month ahead from `since` to `until`, exclusive; open where None."""
    night = as_of + dt.timedelta(days=1)
    starts = np.arange(LONGEST_MONTHS) * DAYS_PER_MONTH
    ends = starts + DAYS_PER_MONTH
    last = np.inf if until is None else (until - night).days
    first = -np.inf if since is None else (since - night).days
    return np.asarray(np.clip(np.minimum(ends, last) - np.maximum(starts, first), 0, None) / DAYS_PER_MONTH)


def _paid_ratios(layer: _Layer, which: str, as_of: dt.date) -> Floats:
    """Share of each month in which the contract is paid whether it is used or not."""
    if layer.contract is None:
        return np.zeros(LONGEST_MONTHS)
    return month_shares(getattr(layer.contract, which), as_of, layer.begins)


def _held_ratios(layer: _Layer, paid: Floats, as_of: dt.date) -> Floats:
    """Part of each month in which the GPUs are there: of a contract that is to end no longer than it is paid."""
    if layer.contract is not None and layer.contract.renewal == "ends":
        return paid
    if layer.contract is not None and layer.begins:
        return np.maximum(paid, month_shares(None, as_of, layer.begins))
    return np.ones(LONGEST_MONTHS)
