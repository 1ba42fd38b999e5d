"""What each model is expected to serve, and until when."""

import polars as pl

from warehouse.schemas.columns import Column, choice, count, day, measure, ratio, text, usd
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
METHODS = ("smoothing", "seasonal_naive", "last_week")
SHAPES = ("level", "exponential", "linear", "annual")
QUANTITIES = ("tokens", "units", "inference_usd", "running_usd")


def _numbers(description: str, unit: str) -> Column:
    """A list of measured quantities."""
    return Column(pl.List(pl.Float64()), "DOUBLE[]", unit, description)


class ModelLives(Table):
    """One model's service: from when, until when, and how that is known."""

    table_key = ("model_id",)

    model_id = text("model")
    released_on = day("first day of service, as planned").or_null()
    first_served_on = day("first day with requests, or with cost of serving where nobody tells of any").or_null()
    last_served_on = day("last such day").or_null()
    retires_on = day("last planned day of service").or_null()
    ends_on = day("last day of service expected").or_null()
    basis = choice("how the end is known", *LIFE_BASES)
    typical_days = measure("life to fall back on: the shorter of the policy's and the family's median", "days")


class EstimateDays(Table):
    """One day on which estimates are made: the first of each month, and the day after the night."""

    table_key = ("known_on",)

    known_on = day("first day not seen")


class DemandStates(Table):
    """One series of a model (or `*`, all models) as known on one day: level, trend, season, and how far off so far.

    running_usd is all cost in scope but pre- and post-training: what goes on without anybody deciding anything.

    Only days before `known_on` have been seen, also by the choice of the method and by the errors. A series ends where
    telemetry or the bill does: the last `unseen_days` before known_on are unknown, not zero.
    """

    table_key = ("known_on", "model_id", "quantity")
    table_partition = "known_on"

    known_on = day("first day not seen")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    method = choice("how", *METHODS)
    history_days = count("days from the first service to the last day known", "days")
    unseen_days = count("days before known_on that telemetry, or the bill, does not cover yet", "days")
    level = measure("mean day", "quantity per day")
    trend = measure("change of the mean day, damped by 0.98 a day", "quantity per day")
    season = _numbers("weekdays from Monday relative to the mean day", "ratio")
    sigma = measure("standard deviation of the logarithm of a four weeks' sum", "nepers")
    day_sigmas = _numbers("the same of single days, one, two, three and four weeks ahead", "nepers")
    folds = count("past forecasts that could be compared with what came")
    mape_ratio = ratio("mean absolute percentage error of past forecasts four weeks ahead").or_null()
    naive_mape_ratio = ratio("the same of repeating last week").or_null()
    coverage_ratio = ratio("share of past four-week sums within P10 and P90").or_null()


class DemandPaths(Table):
    """One way in which one series may go on, as known on one day: a level, and its growth over the days ahead.

    Days ahead count from origin_on. The level of a path `level` stays; `exponential` grows at a rate that has a
    half-life, or goes on for 180 days and halves every 180 days after; `linear` gains the same amount a day; `annual`
    repeats the year before. Errors around a path are spread by the days of the total asked for.
    """

    table_key = ("known_on", "model_id", "quantity", "path")

    known_on = day("first day not seen")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    path = count("number of the way of going on", "number")
    origin_on = day("first day after the last full week known")
    shape = choice("how it goes on", *SHAPES)
    weight_ratio = ratio("how far past errors support it; those of a series add up to 1")
    level = measure("mean day at the origin", "quantity per day")
    daily_growth_ratio = measure("growth of the level a day at the origin", "1 per day")
    half_life_days = measure("days after which the growth is half; null: 180 after the first 180", "days").or_null()
    season = _numbers("52 weeks ahead relative to the level, of an annual path", "ratio").or_null()
    sigma_28 = measure("standard deviation of the logarithm of the next 28 days' sum around the path", "nepers")
    sigma_90 = measure("the same of 90 days", "nepers")
    sigma_180 = measure("the same of 180 days", "nepers")


class DemandAccuracy(Table):
    """One series and horizon: how far off its forecasts have been by the night."""

    table_key = ("as_of", "model_id", "quantity", "horizon_days")

    as_of = day("night")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    horizon_days = count("days of the sum that is forecast", "days")
    sigma = measure("standard deviation of the logarithm of the sum around its median, as of the night", "nepers")
    folds = count("past forecasts, one a week of the last year, that could be compared with what came")
    mape_ratio = ratio("mean absolute percentage error of them").or_null()
    coverage_ratio = ratio("share of past sums within the P10 and P90 known at their origin").or_null()


class ExpectedService(Table):
    """One series of a model as known on one day: what is still to come until the end of service."""

    table_key = ("known_on", "model_id", "quantity")

    known_on = day("first day not seen")
    model_id = text("model")
    quantity = choice("what is expected", *QUANTITIES)
    ends_on = day("last day of service expected")
    days = count("days from known_on to the end", "days")
    history_days = count("days from the first service to the last day known", "days")
    unseen_days = count("days before known_on that telemetry, or the bill, does not cover yet", "days")
    method = choice("how", *METHODS)
    expected_p10 = measure("low", "quantity")
    expected_p50 = measure("median", "quantity")
    expected_p90 = measure("high", "quantity")
    variation_ratio = ratio("standard deviation over mean")


class DemandForecast(Table):
    """One day ahead of one series of a model (or `*`, all models): what is expected."""

    table_key = ("day", "model_id", "quantity")

    day = day("day after the night")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    expected_p10 = measure("low", "quantity")
    expected_p50 = measure("median", "quantity")
    expected_p90 = measure("high", "quantity")


class TaskDemand(Table):
    """One task of one model over the four weeks after the night: what is expected, and how far off that was so far.

    The tasks of a model add up to the median of its own forecast. A model that does not serve in these weeks, or has
    not in the last four, has no row.
    """

    table_key = ("as_of", "model_id", "task")

    as_of = day("night")
    model_id = text("model")
    task = text("task as labelled by the requests; null where they carry no label").or_null()
    production_unit = text("tokens, or the unit that the model delivers instead")
    days = count("days of the four weeks on which the model still serves", "days")
    recent = measure("served in the last four weeks known", "production_unit")
    share_ratio = ratio("share of what the model served in these weeks")
    share_sigma = ratio("standard deviation of the weekly share around its mean")
    weeks = count("weeks behind the share", "weeks")
    basis = choice("how it is known", "back_tested", "few_folds", "short_history")
    sigma = measure("standard deviation of the logarithm of what is expected", "nepers")
    expected_p10 = measure("low", "production_unit")
    expected_p50 = measure("median", "production_unit")
    expected_p90 = measure("high", "production_unit")
    folds = count("past forecasts from the first of a month that could be compared with what came")
    mape_ratio = ratio("mean absolute percentage error of these, four weeks each; null under three").or_null()
    repeat_mape_ratio = ratio("the same of repeating the four weeks before").or_null()
    coverage_ratio = ratio("share of what came that lay within P10 and P90").or_null()


class Parity(Table):
    """One model: how much it must still serve until inference has cost its target share, and when that is expected."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    production_unit = text("tokens, or the unit that the model delivers instead")
    tokens_to_parity = measure("still to serve; 0 where it is reached", "production_unit").or_null()
    served_usd_per_unit = measure("latest direct cost", "reporting currency per production_unit").or_null()
    parity_on_p10 = day("day of parity if demand is high (P90); null: never in its service").or_null()
    parity_on_p50 = day("day of parity at median demand; null: never in its service").or_null()
    parity_on_p90 = day("day of parity if demand is low (P10); null: never in its service").or_null()
    verdict = choice("in a word", "reached", "expected", "never", "unknown")


class SpendOutlook(Table):
    """One month or quarter that is not over, or not known to its end: spend to come, plan, chance to stay within it."""

    table_key = ("period_start", "period_end")

    period_start = day("first day")
    period_end = day("last day")
    grain = choice("length", "month", "quarter")
    actual_usd = usd("spent to the night")
    serving_usd_p10 = usd("serving still to come, low")
    serving_usd_p50 = usd("the same, median")
    serving_usd_p90 = usd("the same, high")
    other_usd = usd("idle, shared and the like still to come, at the pace of the last three months")
    training_usd = usd("training still to come: what is planned, else what runs now to the end of its month")
    training_basis = choice("where that comes from", "plan", "running", "none")
    total_usd_p10 = usd("actual and to come, low")
    total_usd_p50 = usd("actual and to come, median")
    total_usd_p90 = usd("actual and to come, high")
    budget_usd = usd("plan").or_null()
    within_plan_ratio = ratio("chance that the total stays within the plan").or_null()
    method = choice("how serving is forecast; unknown where nothing is served", *METHODS).or_null()
    history_days = count("days of history behind it", "days")
    unseen_days = count("days to the night that requests or bills do not cover yet; they are still to come", "days")
    mape_ratio = ratio("mean absolute percentage error of past forecasts four weeks ahead").or_null()
    naive_mape_ratio = ratio("the same of repeating last week").or_null()
    coverage_ratio = ratio("share of past four-week sums within P10 and P90").or_null()
