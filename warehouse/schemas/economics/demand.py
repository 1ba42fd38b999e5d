"""What each model is expected to serve, and until when."""

import polars as pl

from warehouse.schemas.columns import Column, choice, count, day, measure, ratio, text
from warehouse.schemas.table import Table

LIFE_BASES = (
    "retires_on",
    "model_policy",
    "family_median",
    "default_policy",
    "company_median",
    "assumed",
    "not_released",
)
QUANTITIES = ("tokens", "units", "inference_usd")


def _numbers(description: str, unit: str) -> Column:
    """A list of measured quantities."""
    return Column(pl.List(pl.Float64()), "DOUBLE[]", unit, description)


class ModelLives(Table):
    """One model's service: from when, until when, and how that is known."""

    table_key = ("model_id",)

    model_id = text("model")
    released_on = day("first day of service, as planned").or_null()
    first_served_on = day("first day with requests").or_null()
    last_served_on = day("last day with requests").or_null()
    retires_on = day("last planned day of service").or_null()
    ends_on = day("last day of service expected").or_null()
    basis = choice("how the end is known", *LIFE_BASES)
    typical_days = measure("life to fall back on: the shorter of the policy's and the family's median", "days")


class DemandStates(Table):
    """One series of a model (or `*`, all models) as known on one day: level, trend, season, and how far off so far.

    Only days before `known_on` have been seen, also by the choice of the method and by the errors.
    """

    table_key = ("known_on", "model_id", "quantity")

    known_on = day("first day not seen")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    method = choice("how", "smoothing", "seasonal_naive", "last_week")
    history_days = count("days from the first service to known_on", "days")
    level = measure("mean day", "quantity per day")
    trend = measure("change of the mean day, damped by 0.98 a day", "quantity per day")
    season = _numbers("weekdays from Monday relative to the mean day", "ratio")
    sigma = measure("standard deviation of the logarithm of a four weeks' sum", "nepers")
    day_sigmas = _numbers("the same of single days, one, two, three and four weeks ahead", "nepers")
    folds = count("past forecasts that could be compared with what came")
    mape_ratio = ratio("mean absolute percentage error of past forecasts four weeks ahead").or_null()
    naive_mape_ratio = ratio("the same of repeating last week").or_null()
    coverage_ratio = ratio("share of past four-week sums within P10 and P90").or_null()


class ExpectedService(Table):
    """One series of a model as known on one day: what is still to come until the end of service."""

    table_key = ("known_on", "model_id", "quantity")

    known_on = day("first day not seen")
    model_id = text("model")
    quantity = choice("what is expected", *QUANTITIES)
    ends_on = day("last day of service expected")
    days = count("days from known_on to the end", "days")
    method = choice("how", "smoothing", "seasonal_naive", "last_week")
    expected_p10 = measure("low", "quantity")
    expected_p50 = measure("median", "quantity")
    expected_p90 = measure("high", "quantity")
    variation_ratio = ratio("standard deviation over mean")
