"""What a scaling law says about models as they are."""

from warehouse.schemas.columns import choice, day, exact, flag, measure, ratio, text, usd
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
    law_excess_ratio = ratio(
        "what training and serving cost beyond the law's optimum for the same loss and this demand"
    ).or_null()
    equal_excess_ratio = ratio("what an equal split costs more than the optimum; null where it cannot be").or_null()
    is_equal_plausible = flag("an equal split stays within 10 % of the optimum").or_null()
    equal_from_ratio = ratio("least T_eff over D0 at which an equal split costs at most 10 % more than the optimum")
    equal_best_ratio = ratio("T_eff over D0 at which an equal split is the optimum")
    equal_to_ratio = ratio("most T_eff over D0 at which an equal split costs at most 10 % more than the optimum")
    optimum_params = measure("size of least cost for the same loss and this demand", "parameters").or_null()
    optimum_tokens = measure("training tokens of that size", "tokens").or_null()
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
    optimal_loss = measure("predicted loss of the compute-optimal model of the same compute", "nats per token")
    tenfold_flop = measure("compute of a training with ten times the compute", "FLOP")
    tenfold_loss = measure("predicted loss of the compute-optimal model of ten times the compute", "nats per token")
    tenfold_usd = usd("what that training costs at the realised price of pre-training").or_null()
    is_extrapolated = flag("tokens per parameter beyond those the law was fitted to")


class TeacherCosts(Table):
    """One model with a size, or a teacher: its total and active parameters, and what its teacher cost, as a memo."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    origin = choice("who paid its pre-training", "own", "adopted")
    params = measure("parameters in total", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    sparsity_ratio = ratio("total over active parameters; 1 of a dense model").or_null()
    teacher_model_id = text("teacher it was distilled from").or_null()
    teacher_training_usd = usd(
        "training of the teacher to date, inherited included; part of the teacher's own cost, not of this model's"
    ).or_null()
    teacher_used_usd_per_mtok = exact(
        "what the teacher's tokens last cost, direct inference", "reporting currency per million tokens"
    ).or_null()


class EqualQualityPrices(Table):
    """One month and model: the cheapest tokens of the company, and of an API, that are at least as good.

    At least as good among own models is one whose loss the night's law predicts to be no higher; an API sells the model
    itself. A model without a predicted loss stands for itself alone.
    """

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model whose quality is the bar")
    loss = measure("loss that the law predicts for it", "nats per token").or_null()
    serving_model_id = text("model with the cheapest tokens at that quality")
    used_usd_per_mtok = exact("its direct cost", "reporting currency per million tokens")
    allocated_usd_per_mtok = exact("with idle and shared", "reporting currency per million tokens").or_null()
    api_model = text("cheapest of the API's models that are the model itself").or_null()
    api_usd_per_mtok = exact("its price for the month's mix", "reporting currency per million tokens").or_null()
    api_priced_on = day("when that price was looked up").or_null()
    first_month = day("first month in which that quality was served")
    since_first_ratio = ratio("used price over that of the first month").or_null()
    yearly_change_ratio = ratio("the same as a change over a year: −0.5 halves; null under six months").or_null()
