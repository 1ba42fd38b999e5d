"""What to do: scaling laws, lifetime optima, valued recommendations and what became of them."""

from warehouse.schemas.columns import choice, day, integer, json, measure, ratio, text, usd
from warehouse.schemas.table import Table

ACTIONS = ("hold", "retrain_smaller", "distil", "route", "tune_serving", "release_capacity", "retire")


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
