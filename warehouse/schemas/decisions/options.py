"""What could be done, what is recommended, and its cash."""

from warehouse.schemas.columns import choice, count, day, flag, integer, json, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACTIONS


class Candidates(Table):
    """One alternative of one model (and task or pool): valued, or not valued and what is missing."""

    as_of = day("night")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    deployment_id = text("deployment").or_null()
    action = choice("what could be done", *ACTIONS)
    target_model_id = text("model that takes over").or_null()
    target_params = measure("size of the model that takes over", "parameters").or_null()
    target_tokens = measure("tokens it is trained on", "tokens").or_null()
    one_off_usd_p10 = usd("cost once, low").or_null()
    one_off_usd_p50 = usd("cost once, median").or_null()
    one_off_usd_p90 = usd("cost once, high").or_null()
    monthly_saving_usd_p10 = usd("saving a month, low").or_null()
    monthly_saving_usd_p50 = usd("saving a month, median").or_null()
    monthly_saving_usd_p90 = usd("saving a month, high").or_null()
    net_present_value_usd_p10 = usd("net present value, low").or_null()
    net_present_value_usd_p50 = usd("net present value, median").or_null()
    net_present_value_usd_p90 = usd("net present value, high").or_null()
    net_present_value_usd_mean = usd("net present value, mean: the one that adds up").or_null()
    expected_value_usd = usd("the mean, times the chance of the gate where quality is unmeasured").or_null()
    payback_months_p50 = measure("months until it has paid back", "months").or_null()
    probability = ratio("chance that it pays back within the remaining life").or_null()
    monthly_idle_saving_usd_p50 = usd("part of the saving that is idle and shared cost").or_null()
    break_even_demand_ratio = ratio("share of the demand at which it is worth nothing, median").or_null()
    is_measured = flag("the quality after it was measured, or does not change")
    is_extrapolated = flag("beyond the data of the law")
    is_eligible = flag("valued, probable enough, worth asking for, and its gates are met")
    quality_gate = text("what must hold of the quality before it is done")
    reason = text("verdict in a sentence: why, why not, or what is missing and how to supply it")
    assumptions = json("every assumption behind the numbers")


class CashCurves(Table):
    """One month of one alternative: its cash since approval, undiscounted, by draws."""

    table_key = ("as_of", "model_id", "task", "pool_id", "deployment_id", "action", "target", "month")

    as_of = day("night")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    deployment_id = text("deployment").or_null()
    action = choice("what would be done", *ACTIONS)
    target = text("model or size that takes over, empty where none does")
    is_recommended = flag("false for the best rejected alternative of a model that holds")
    month = count("months since approval; 0 is the one-off cost", "months")
    cash_usd_p10 = usd("cash since approval, low")
    cash_usd_p50 = usd("cash since approval, median")
    cash_usd_p90 = usd("cash since approval, high")


class RecommendedTotals(Table):
    """The one sum over everything recommended on the night, from joint draws."""

    table_key = ("as_of",)

    as_of = day("night")
    decisions = count("recommendations other than hold")
    one_off_usd_p50 = usd("cost once, median")
    monthly_saving_usd_p10 = usd("saving a month, low")
    monthly_saving_usd_p50 = usd("saving a month, median")
    monthly_saving_usd_p90 = usd("saving a month, high")
    net_present_value_usd_p10 = usd("net present value, low")
    net_present_value_usd_p50 = usd("net present value, median")
    net_present_value_usd_p90 = usd("net present value, high")


class Recommendations(Table):
    """One valued action on one model (and task or pool), hold included."""

    table_key = ("as_of", "rank")

    as_of = day("night")
    rank = integer("1 is the most valuable")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    action = choice("what to do", *ACTIONS)
    one_off_usd_p50 = usd("cost once, median").or_null()
    monthly_saving_usd_p10 = usd("saving a month, low").or_null()
    monthly_saving_usd_p50 = usd("saving a month, median").or_null()
    monthly_saving_usd_p90 = usd("saving a month, high").or_null()
    net_present_value_usd_p10 = usd("net present value, low").or_null()
    net_present_value_usd_p50 = usd("net present value, median").or_null()
    net_present_value_usd_p90 = usd("net present value, high").or_null()
    payback_months_p50 = measure("months until it has paid back", "months").or_null()
    probability = ratio("chance that it pays back within the remaining life").or_null()
    quality_gate = text("what must hold of the quality before it is done")
    reason = text("why, in a sentence")
    assumptions = json("every assumption behind the numbers")
    rejected = json("alternatives and why they lost")
