"""What to do: scaling laws, lifetime optima, valued recommendations and what became of them."""

from warehouse.schemas.columns import choice, count, day, exact, flag, integer, json, measure, ratio, text, usd
from warehouse.schemas.table import Table

ACTIONS = ("hold", "retrain_smaller", "distil", "route", "tune_serving", "release_capacity", "retire")
LAWS = ("own", "epoch", "hoffmann", "muennighoff")


class LawPoints(Table):
    """One finished pre-training run whose size, data and final loss are known: a point of the company's own law."""

    table_key = ("run_id",)

    run_id = text("run")
    params = measure("parameters used per token", "parameters")
    tokens = measure("training tokens", "tokens")
    loss = measure("last loss", "nats per token")
    loss_name = text("metric that the loss is")


class LawDraws(Table):
    """One law as it might be: a fit to resampled points, or a draw around a published law."""

    table_key = ("law_id", "draw")

    law_id = choice("law", *LAWS)
    draw = count("number of the draw; 0 is the law itself")
    E = measure("loss of an infinite model on infinite data", "nats per token")
    A = measure("scale of the loss of size", "nats per token")
    B = measure("scale of the loss of data", "nats per token")
    alpha = measure("exponent of size", "1")
    beta = measure("exponent of data", "1")
    objective = measure("sum of Huber losses of log loss", "nats").or_null()
    points_digest = text("digest of the points of an own fit").or_null()


class ScalingLaw(Table):
    """One law: L(N, D) = E + A/N^alpha + B/D^beta, with its intervals and whether this night decides by it."""

    table_key = ("law_id",)

    law_id = choice("law", *LAWS)
    is_chosen = flag("decisions of the night use it")
    E = measure("loss of an infinite model on infinite data", "nats per token").or_null()
    A = measure("scale of the loss of size", "nats per token").or_null()
    B = measure("scale of the loss of data", "nats per token").or_null()
    alpha = measure("exponent of size", "1").or_null()
    beta = measure("exponent of data", "1").or_null()
    points = count("runs behind it").or_null()
    objective = measure("sum of Huber losses of log loss", "nats").or_null()
    source = text("where it comes from, or what an own fit still needs")
    points_digest = text("digest of the points of an own fit").or_null()
    tokens_per_param_min = measure("least tokens per parameter of its points", "tokens per parameter").or_null()
    tokens_per_param_max = measure("most tokens per parameter of its points", "tokens per parameter").or_null()
    E_p10 = measure("E, low", "nats per token").or_null()
    E_p50 = measure("E, median", "nats per token").or_null()
    E_p90 = measure("E, high", "nats per token").or_null()
    A_p10 = measure("A, low", "nats per token").or_null()
    A_p50 = measure("A, median", "nats per token").or_null()
    A_p90 = measure("A, high", "nats per token").or_null()
    B_p10 = measure("B, low", "nats per token").or_null()
    B_p50 = measure("B, median", "nats per token").or_null()
    B_p90 = measure("B, high", "nats per token").or_null()
    alpha_p10 = measure("alpha, low", "1").or_null()
    alpha_p50 = measure("alpha, median", "1").or_null()
    alpha_p90 = measure("alpha, high", "1").or_null()
    beta_p10 = measure("beta, low", "1").or_null()
    beta_p50 = measure("beta, median", "1").or_null()
    beta_p90 = measure("beta, high", "1").or_null()


class Positions(Table):
    """One model on the night: what a token and a FLOP of it cost, what is still to be served and for how long."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    params = measure("parameters", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    training_tokens = measure("tokens it was trained on", "tokens").or_null()
    served_tokens = measure("served so far", "tokens")
    served_days = count("days from the first served token to the night", "days")
    monthly_tokens_p50 = measure("demand of the first month ahead, median", "tokens").or_null()
    demand_sigma = measure("spread of demand: standard deviation of its logarithm", "nepers").or_null()
    demand_basis = text("where the demand comes from")
    remaining_months = measure("service still ahead", "months").or_null()
    life_basis = text("where the end of service comes from")
    used_usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    allocated_usd_per_mtok = exact("with idle and shared", "reporting currency per million tokens").or_null()
    price_sigma = measure("spread of realised prices: standard deviation of the logarithm", "nepers")
    usd_per_training_flop = measure("realised price of training", "reporting currency per FLOP").or_null()
    training_price_basis = text("whose training the price is taken from")
    usd_per_inference_flop = measure("realised price of serving", "reporting currency per FLOP").or_null()
    usd_per_gpu_hour = measure("realised price of the GPUs that serve it", "reporting currency per GPU-hour").or_null()


class TaskShares(Table):
    """One task of one model: its share of what serving the model costs, and how steady it is."""

    table_key = ("as_of", "model_id", "task")

    as_of = day("night")
    model_id = text("model")
    task = text("task as labelled by the requests; null where they carry no label").or_null()
    tokens = measure("served in the last weeks", "tokens")
    share_ratio = ratio("share of the model's weighted tokens, hence of its inference cost")
    share_sigma = ratio("standard deviation of the weekly share around its mean")
    weeks = count("weeks behind the shares", "weeks")


class Candidates(Table):
    """One alternative of one model (and task or pool): valued, or not valued and what is missing."""

    as_of = day("night")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
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
    payback_months_p50 = measure("months until it has paid back", "months").or_null()
    probability = ratio("chance that it pays back within the remaining life").or_null()
    is_measured = flag("the quality after it was measured, or does not change")
    is_eligible = flag("valued, probable enough, worth asking for, and its gates are met")
    quality_gate = text("what must hold of the quality before it is done")
    reason = text("verdict in a sentence: why, why not, or what is missing and how to supply it")
    assumptions = json("every assumption behind the numbers")


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
