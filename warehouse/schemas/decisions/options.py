"""What could be done, what is recommended, and its cash."""

import polars as pl

from warehouse.schemas.columns import Column, choice, count, day, flag, integer, json, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACTIONS, STANDINGS, VERDICTS


def _by_month(description: str) -> Column:
    """An amount of each month since approval, the first one paid once."""
    return Column(pl.List(pl.Float64()), "DOUBLE[]", "reporting currency", description)


class Candidates(Table):
    """One alternative of one model (and task or pool): valued by itself, or not valued and what is missing.

    P10, P50, P90 and the chance count draws in which the quality gate fails; `…_if_passed_…` is given the gate.
    """

    as_of = day("night")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    deployment_id = text("deployment").or_null()
    action = choice("what could be done", *ACTIONS)
    target_model_id = text("model that takes over").or_null()
    target_params = measure("size of the model that takes over", "parameters").or_null()
    target_tokens = measure("tokens it is trained on", "tokens").or_null()
    standing = choice("safe: no answer changes; measured; evaluate first; or what is asked for", *STANDINGS)
    gate_probability = ratio("chance that the quality gate is passed")
    one_off_usd_p10 = usd("cost once, low").or_null()
    one_off_usd_p50 = usd("cost once, median").or_null()
    one_off_usd_p90 = usd("cost once, high").or_null()
    monthly_saving_usd_p10 = usd("saving a month in the first year in effect, low").or_null()
    monthly_saving_usd_p50 = usd("saving a month in the first year in effect, median").or_null()
    monthly_saving_usd_p90 = usd("saving a month in the first year in effect, high").or_null()
    monthly_saving_if_passed_usd_p50 = usd("saving a month if the gate is passed, median").or_null()
    monthly_paid_usd_p90 = usd("what its pools could be left unpaid of at most in such a month, high").or_null()
    next_year_saving_usd_p10 = usd("saving of the twelve months from the night, low").or_null()
    next_year_saving_usd_p50 = usd("saving of the twelve months from the night, median").or_null()
    next_year_saving_usd_p90 = usd("saving of the twelve months from the night, high").or_null()
    next_year_paid_usd_p50 = usd("what its pools are to cost in them without it, contracts too, median").or_null()
    run_rate_paid_usd = usd("what its pools cost in twelve months at the GPUs and rates of the night").or_null()
    net_present_value_usd_p10 = usd("net present value, low").or_null()
    net_present_value_usd_p50 = usd("net present value, median").or_null()
    net_present_value_usd_p90 = usd("net present value, high").or_null()
    net_present_value_if_passed_usd_p50 = usd("net present value if the gate is passed, median").or_null()
    net_present_value_usd_mean = usd("net present value if the gate is passed, mean").or_null()
    expected_value_usd = usd("net present value, mean: the one that adds up").or_null()
    evaluation_price_usd = usd("what is lost if the gate fails: the price of knowing").or_null()
    payback_months_p50 = measure("months until it has paid back, given the gate", "months").or_null()
    probability = ratio("chance that it pays back within the remaining life").or_null()
    probability_if_passed = ratio("the same given the gate").or_null()
    break_even_demand_ratio = ratio("share of its savings at which it is worth nothing, median").or_null()
    saves_from = day("first month that saves at least half of the most of a month in its first year").or_null()
    sign_by = day("last day on which somebody can still end or shrink the first contract it depends on").or_null()
    is_measured = flag("the quality after it was measured, or does not change")
    is_extrapolated = flag("beyond the data of the law")
    is_eligible = flag("valued, probable enough, worth asking for, and its gates are met")
    quality_gate = text("what must hold of the quality before it is done")
    reason_code = choice("verdict: it pays, could not be valued, or what stands against it", *VERDICTS)
    reason = text("verdict in a sentence: why, why not, or what is missing and how to supply it")
    assumptions = json("every assumption behind the numbers")


class Portfolio(Candidates):
    """One card in the order in which it is decided, valued after all cards before it; first the sum of all of them.

    Cards that exclude one that is asked for stand here too, and name it; they are not asked for.
    """

    table_key = ("as_of", "position")

    position = count("0 is the sum of all that are asked for, by joint draws")
    is_asked = flag("it is asked for; else `depends_on` says what it waits for")
    depends_on = text("the card that it waits for").or_null()
    cash_usd_p10 = _by_month("cash since approval, low")
    cash_usd_p50 = _by_month("cash since approval, median")
    cash_usd_p90 = _by_month("cash since approval, high")
    monthly_paid_usd_p50 = usd("of the sum: what its pools cost beyond contracts in such a month, median").or_null()
    saved_usd_p90 = _by_month("saving of the month, high")
    payable_usd_p90 = _by_month("what its pools could be left unpaid of at most in the month, high")


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
    monthly_saving_usd_p10 = usd("saving a month in the first year in effect, low")
    monthly_saving_usd_p50 = usd("saving a month in the first year in effect, median")
    monthly_saving_usd_p90 = usd("saving a month in the first year in effect, high")
    monthly_paid_usd_p50 = usd("what their pools cost beyond contracts in such a month, median").or_null()
    next_year_saving_usd_p10 = usd("saving of the twelve months from the night, low")
    next_year_saving_usd_p50 = usd("saving of the twelve months from the night, median")
    next_year_saving_usd_p90 = usd("saving of the twelve months from the night, high")
    next_year_paid_usd_p50 = usd("what their pools are to cost in them without any card, contracts too, median")
    run_rate_paid_usd = usd("what their pools cost in twelve months at the GPUs and rates of the night").or_null()
    net_present_value_usd_p10 = usd("net present value, low")
    net_present_value_usd_p50 = usd("net present value, median")
    net_present_value_usd_p90 = usd("net present value, high")


class Recommendations(Table):
    """One valued action on one model (and task or pool), hold included; a data request names what is missing.

    P10, P50, P90 and the chance count draws in which the quality gate fails.
    """

    table_key = ("as_of", "rank")

    as_of = day("night")
    rank = integer("1 is the first to decide: safe, measured, evaluate first; then by value")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    deployment_id = text("deployment").or_null()
    action = choice("what to do", *ACTIONS)
    standing = choice(
        "safe, measured, evaluate first, or a data request; null where nothing is asked", *STANDINGS
    ).or_null()
    target_model_id = text("model that takes over").or_null()
    target_params = measure("size of the model that takes over", "parameters").or_null()
    one_off_usd_p50 = usd("cost once, median").or_null()
    evaluation_price_usd = usd("price of the evaluation that comes first").or_null()
    monthly_saving_usd_p10 = usd("saving a month in the first year in effect, low").or_null()
    monthly_saving_usd_p50 = usd("saving a month in the first year in effect, median").or_null()
    monthly_saving_usd_p90 = usd("saving a month in the first year in effect, high").or_null()
    monthly_saving_if_passed_usd_p50 = usd("saving a month if the gate is passed, median").or_null()
    monthly_paid_usd_p90 = usd("what its pools could be left unpaid of at most in such a month, high").or_null()
    next_year_saving_usd_p10 = usd("saving of the twelve months from the night, low").or_null()
    next_year_saving_usd_p50 = usd("saving of the twelve months from the night, median").or_null()
    next_year_saving_usd_p90 = usd("saving of the twelve months from the night, high").or_null()
    next_year_paid_usd_p50 = usd("what its pools are to cost in them without it, contracts too, median").or_null()
    run_rate_paid_usd = usd("what its pools cost in twelve months at the GPUs and rates of the night").or_null()
    net_present_value_usd_p10 = usd("net present value, low").or_null()
    net_present_value_usd_p50 = usd("net present value, median").or_null()
    net_present_value_usd_p90 = usd("net present value, high").or_null()
    net_present_value_if_passed_usd_p50 = usd("net present value if the gate is passed, median").or_null()
    payback_months_p50 = measure("months until it has paid back, given the gate", "months").or_null()
    probability = ratio("chance that it pays back within the remaining life").or_null()
    probability_if_passed = ratio("the same given the gate").or_null()
    gate_probability = ratio("chance that the quality gate is passed").or_null()
    saves_from = day("first month that saves at least half of the most of a month in its first year").or_null()
    sign_by = day("last day on which somebody must act on a contract").or_null()
    depends_on = text("the card that the best alternative of a model that holds waits for").or_null()
    owner = text("who argues with the card, or supplies what is missing").or_null()
    quality_gate = text("what must hold of the quality before it is done")
    reason = text("why, in a sentence")
    assumptions = json("every assumption behind the numbers")
    rejected = json("alternatives and why they lost")
