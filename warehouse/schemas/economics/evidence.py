"""What a scaling law says about models as they are."""

from warehouse.schemas.columns import day, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table


class TwoPhaseBalance(Table):
    """One own model: whether equal spend on training and serving is near the optimum at its demand, by the night's law.

    Everything depends on demand_ratio alone: demand in training-equivalent tokens over the tokens that are
    compute-optimal for the same loss.
    """

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    law_id = text("scaling law")
    params = measure("parameters used per token", "parameters")
    tokens = measure("tokens it was trained on", "tokens")
    loss = measure("predicted loss", "nats per token")
    optimal_tokens = measure("compute-optimal tokens for the same loss, D0", "tokens")
    lifetime_tokens = measure("served to date and expected to the end of service, median", "tokens").or_null()
    price_ratio = ratio("price of a FLOP of serving over one of pre-training, as realised").or_null()
    demand_tokens = measure("lifetime tokens times price ratio, T_eff", "training-equivalent tokens").or_null()
    demand_ratio = ratio("T_eff over D0").or_null()
    optimal_training_ratio = ratio("cost-optimal share of training in training and serving").or_null()
    equal_excess_ratio = ratio("what an equal split costs more than the optimum; null where it cannot be").or_null()
    is_equal_plausible = flag("an equal split stays within 10 % of the optimum").or_null()
    is_extrapolated = flag("tokens per parameter beyond those the law was fitted to")


class ScalingEvidence(Table):
    """One own model beside the compute-optimal one of the same compute, and the price of the next 1 % of loss."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    law_id = text("scaling law")
    params = measure("parameters used per token", "parameters")
    tokens = measure("tokens it was trained on", "tokens")
    tokens_per_param = measure("D/N", "tokens per parameter")
    optimal_params = measure("compute-optimal size for the same compute", "parameters")
    optimal_tokens = measure("compute-optimal tokens for the same compute", "tokens")
    overtrain_ratio = ratio("D/N over the compute-optimal D/N of the same compute")
    loss = measure("predicted loss", "nats per token")
    reducible_loss = measure("part of it above the law's floor", "nats per token")
    more_tokens = measure(
        "more tokens for 1 % less reducible loss at this size; null: not reachable", "tokens"
    ).or_null()
    more_tokens_usd = usd("what they cost at the realised price of pre-training").or_null()
    more_compute_flop = measure("more compute for 1 % less reducible loss at the optimum", "FLOP")
    more_compute_usd = usd("what it costs at the realised price of pre-training").or_null()
    is_extrapolated = flag("tokens per parameter beyond those the law was fitted to")
