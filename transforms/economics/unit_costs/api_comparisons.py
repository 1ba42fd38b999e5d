"""Build or buy: what a model's tokens would have cost at an API, beside what they have cost."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.periods import is_open
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import ApiComparisons

_CELL: Final = ("month", "model_id")
_PRICED_IN: Final = "USD"
_NAME_WITH_SIZE: Final = r"[a-z].*\d+b|\d+b.*[a-z]"
_BUILD: Final = ("used_usd", "idle_share_usd", "shared_share_usd")


def api_comparisons(
    api_prices: pl.DataFrame, models: pl.DataFrame, unit_costs: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One month of one model that served tokens and one price that was valid on the last day of the month.

    A row of the policy that names the model stands for it alone. Else any model of an API counts whose name contains
    the model's name or alias, its size in it, whatever the case and punctuation: the alias `llama-3.1-405b` is
    `Meta-Llama-3.1-405B-Instruct`. The price is that of the month's own mix: input, input read from a cache, output.
    Prices without a model are in US dollars and left out where the company reports in another currency.
    """
    offers = _offers(api_prices, models, settings)
    served = unit_costs.filter(pl.col("input_tokens") + pl.col("output_tokens") > 0).join(offers, on="model_id")
    valid = _latest(served.filter(is_open(pl.col("month").dt.month_end())))
    rows = valid.with_columns(buy_usd=_bought(), build_usd=pl.sum_horizontal(_BUILD), api_usd_per_mtok=_rate())
    build, buy = (pl.col(f"{side}_usd").cast(pl.Float64) for side in ("build", "buy"))
    order = ("buy_usd", "provider", "api_model")
    ranked = rows.sort(*_CELL, *order).with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_CELL), buy_ratio=pl.when(build > 0).then(buy / build)
    )
    return ApiComparisons.frame(ranked.sort(*_CELL, "rank"))


def _offers(api_prices: pl.DataFrame, models: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One own model and one price it can be compared with."""
    named = api_prices.filter(pl.col("model_id").is_not_null()).with_columns(is_named=pl.lit(value=True))
    is_comparable = settings["currency"].item() == _PRICED_IN
    free = api_prices.filter(pl.col("model_id").is_null(), pl.lit(is_comparable)).drop("model_id")
    names = _names(models.join(named, on="model_id", how="anti"))
    alike = names.join(free.with_columns(key=_key(pl.col("api_model"))), how="cross", suffix="_api").filter(
        pl.col("key_api").str.contains(pl.col("key"), literal=True)
    )
    return pl.concat([named, alike.with_columns(is_named=pl.lit(value=False))], how="diagonal")


def _latest(offers: pl.DataFrame) -> pl.DataFrame:
    """Of prices of one model of one provider the one that began last, then the one looked up last, then the lowest."""
    newest = offers.sort(
        "valid_from", "priced_on", "input_usd_per_mtok", "output_usd_per_mtok",
        descending=[True, True, False, False], nulls_last=True,
    )  # fmt: skip
    return newest.unique([*_CELL, "provider", "api_model"], keep="first", maintain_order=True)


def _names(models: pl.DataFrame) -> pl.DataFrame:
    """One own model and one of its names that tells its size, as it is compared."""
    own = models.select("model_id", name=pl.concat_list(pl.concat_list("model_id"), "aliases")).explode("name")
    keyed = own.with_columns(key=_key(pl.col("name")))
    return keyed.filter(pl.col("key").str.contains(_NAME_WITH_SIZE)).select("model_id", "key").unique()


def _key(name: pl.Expr) -> pl.Expr:
    """Letters and digits alone, in small letters."""
    return name.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")


def _bought() -> pl.Expr:
    """Tokens times prices per million, half up at 12 decimals."""
    cached_price = pl.coalesce("cached_input_usd_per_mtok", "input_usd_per_mtok").to_physical()
    fresh = (pl.col("input_tokens") - pl.col("cached_input_tokens")).cast(pl.Int128)
    total = (
        fresh * pl.col("input_usd_per_mtok").to_physical()
        + pl.col("cached_input_tokens").cast(pl.Int128) * cached_price
        + pl.col("output_tokens").cast(pl.Int128) * pl.col("output_usd_per_mtok").to_physical()
    )
    return ((2 * total + 10**6) // (2 * 10**6)).reinterpret(dtype=MONEY)


def _rate() -> pl.Expr:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Int128)
    amount = _bought().to_physical() * 10**6
    return ((2 * amount + tokens) // (2 * tokens)).reinterpret(dtype=MONEY)
