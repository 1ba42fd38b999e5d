"""Training that is still to be carried by what the model serves."""

from warehouse.schemas.columns import choice, count, day, measure, text, usd
from warehouse.schemas.economics.demand import LIFE_BASES
from warehouse.schemas.table import Table

ESTIMATE_BASES = ("policy", "forecast", "too_uncertain", "no_estimate", "exhausted", "not_serving")
CHANGE_CAUSES = ("policy", "forecast", "end_of_service", "too_uncertain", "no_estimate", "exhausted", "retired")


class TrainingAssets(Table):
    """One month of one model with training to carry: what was added, what it served, what parity would take."""

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model")
    additions_usd = usd("training of the month that did not fail, and the change of what is inherited and passed on")
    training_usd = usd("training to date that the thirds compare, waste and inherited included")
    inference_usd = usd("direct inference to date")
    production_unit = text("tokens, or the unit that the model delivers instead")
    production = measure("served in the month", "production_unit")
    production_to_date = measure("served by the end of the month", "production_unit")
    served_usd_per_unit = measure(
        "direct inference per unit served, of the last month with both", "reporting currency per production_unit"
    ).or_null()
    parity_usd = usd("inference to date at which it reaches its target share").or_null()


class Amortization(Table):
    """One month of one model's training still to be carried; the roll-forward closes exactly."""

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model")
    method = choice("how it is carried", "units_of_production", "straight_line")
    basis = choice("where the estimate comes from", *ESTIMATE_BASES)
    opening_usd = usd("balance at the start; the closing of the month before")
    additions_usd = usd("training of the month that did not fail, and what was inherited")
    amortized_usd = usd("carried by the month's service")
    written_off_usd = usd("stranded at retirement")
    closing_usd = usd("balance at the end")
    tokens_served = measure("served in the month", "production_unit")
    expected_tokens = measure("expected from the start of the month to retirement", "production_unit").or_null()
    expected_days = count("days of service expected from the start of the month, where straight line", "days").or_null()
    ends_on = day("last day of service that the estimate expects").or_null()
    life_basis = choice("how that day is known", *LIFE_BASES).or_null()
    tokens_to_parity = measure(
        "still to serve until inference reaches its target share; 0 where it has", "production_unit"
    ).or_null()
    production_unit = text("tokens, or the unit that the model delivers instead")


class EstimateChanges(Table):
    """One change of the estimate by which a model's training is carried, from the month in which it takes effect."""

    changed_on = day("first day on which the new estimate holds")
    model_id = text("model")
    cause = choice("why", *CHANGE_CAUSES)
    from_method = text("how it was carried").or_null()
    to_method = text("how it is carried now").or_null()
    from_expected_tokens = measure("what was still expected at this day under the old estimate", "units").or_null()
    to_expected_tokens = measure("what is expected from this day on", "units").or_null()
    from_expected_days = count("days that were still left of the life under the old estimate", "days").or_null()
    to_expected_days = count("days that are left of the life from this day on", "days").or_null()
    from_ends_on = day("last day of service under the old estimate").or_null()
    to_ends_on = day("last day of service now").or_null()
    balance_usd = usd("balance that the new estimate applies to")
    explanation = text("what changed, from what to what, and why")


class AmortizationRestatements(Table):
    """One closed month of one model whose training still to be carried is no longer what was first reported.

    The closing moves by opening + additions − amortised − written off; the opening by the closing of the month before.
    """

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model")
    reported_on = day("first published night after the end of the month")
    reported_closing_usd = usd("balance at the end, as that night reported it")
    current_closing_usd = usd("balance at the end now")
    closing_change_usd = usd("now less as first reported")
    opening_change_usd = usd("by which the balance at the start moved")
    additions_change_usd = usd("by which training of the month, and what was inherited, moved")
    amortized_change_usd = usd("by which what the month carried moved")
    written_off_change_usd = usd("by which what was stranded moved")
