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


class PoolStates(Table):
    """One pool over the last four weeks: its chip, its size, how much of it was used, and what the rest cost."""

    table_key = ("as_of", "pool_id")

    as_of = day("night")
    pool_id = text("pool")
    gpu_model = text("chip of most of its GPU time").or_null()
    hours = count("billed hours seen", "hours")
    capacity_gpus = measure("GPUs that were paid, mean of the hours", "GPUs")
    used_gpus = measure("GPUs that were used, mean of the hours", "GPUs")
    busy_gpus = measure("GPUs used in all but one hour of a hundred", "GPUs")
    use_sigma = measure("standard deviation of the logarithm of its weekly use", "nepers")
    idle_usd = usd("idle cost of a month")
    unused_usd = usd("unused commitments of a month")
    usd_per_gpu_hour = measure("effective price", "reporting currency per GPU-hour").or_null()
    on_demand_usd_per_gpu_hour = measure("list price", "reporting currency per GPU-hour").or_null()
    committed_ratio = ratio("share of its GPU time under a commitment")
    renews_on = day("end of its last commitment purchase").or_null()


class ServingStates(Table):
    """One model on one deployment over the last four weeks: its load, its batch and the chips it holds."""

    table_key = ("as_of", "deployment_id", "model_id")

    as_of = day("night")
    deployment_id = text("deployment")
    model_id = text("model")
    pool_id = text("pool").or_null()
    gpu_model = text("chip").or_null()
    gpu_count = measure("GPUs held at the end of the night", "GPUs")
    models = count("models that the deployment serves")
    hours = count("hours with requests", "hours")
    requests = count("finished requests")
    computed_input_tokens_per_s = measure("input that no cache had, mean of the hours", "tokens per second")
    output_tokens_per_s = measure("output, mean of the hours", "tokens per second")
    busy_input_tokens_per_s = measure("input in all but one hour of twenty", "tokens per second")
    busy_output_tokens_per_s = measure("output in all but one hour of twenty", "tokens per second")
    concurrency = measure("requests in flight, mean of the hours; 0 where durations are not sent", "requests")
    prompt_tokens = measure("input of a request, mean", "tokens")
    context_tokens = measure("input and half of the output of a request, mean", "tokens")
    ttft_s = measure("time to first token, mean", "seconds").or_null()
    tpot_s = measure("time per further output token, mean", "seconds per token").or_null()
    ttft_s_limit = measure("what its users need", "seconds").or_null()
    tpot_s_limit = measure("what its users need", "seconds per token").or_null()


class Positions(Table):
    """One model on the night: what a token and a FLOP of it cost, what is still to be served and for how long."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    family = text("family").or_null()
    origin = choice("who paid its pre-training", "own", "adopted")
    params = measure("parameters", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    training_tokens = measure("tokens it, or the model it descends from, was trained on", "tokens").or_null()
    served_tokens = measure("served so far", "tokens")
    served_days = count("days with service up to the night", "days")
    unit_name = text("what it delivers, where that is not text").or_null()
    daily_tokens = measure("level of a day's demand", "tokens per day").or_null()
    daily_tokens_trend = measure("change of the level, damped by 0.98 a day", "tokens per day").or_null()
    demand_sigma = measure("standard deviation of the logarithm of all demand ahead", "nepers").or_null()
    demand_blocks = measure("independent four-week errors behind that spread", "count")
    demand_basis = text("how the demand is forecast, or why it is not known")
    remaining_months = measure("service still ahead", "months")
    life_basis = text("how the end of service is known")
    used_usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    allocated_usd_per_mtok = exact("with idle and shared", "reporting currency per million tokens").or_null()
    price_sigma = measure("spread of the logarithm of the price ahead", "nepers")
    price_months = count("monthly prices behind that spread; 0 where it is assumed", "months")
    usd_per_training_flop = measure("realised price of training", "reporting currency per FLOP").or_null()
    training_price_basis = text("whose training the price is taken from")
    usd_per_inference_flop = measure("realised price of serving", "reporting currency per FLOP").or_null()
    monthly_inference_usd = usd("direct inference of the last four weeks, as a month")
    recent_tokens = measure("served in the last four weeks", "tokens")
    usd_per_gpu_hour = measure("realised price of the GPUs that serve it", "reporting currency per GPU-hour").or_null()
    unique_tokens = measure("largest training set the company has used", "tokens").or_null()
    gpu_model = text("chip that serves most of its tokens").or_null()
    gpu_count = measure("GPUs of the deployment that serves most of its tokens", "GPUs").or_null()
    concurrency = measure("requests in flight on that deployment, mean", "requests").or_null()
    context_tokens = measure("context of a request in flight, mean", "tokens").or_null()
    projected_penalty_ratio = ratio("penalty of imbalance at the end of service, median").or_null()
    thirds_status = text("verdict of the thirds").or_null()


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


class LifetimeOptimum(Table):
    """One model, and the size that would serve its remaining demand at the same loss for the least cost."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    law_id = choice("law", *LAWS)
    loss = measure("loss of the model by the law", "nats per token")
    params = measure("parameters used per token", "parameters")
    tokens = measure("tokens it was trained on", "tokens")
    optimum_params_p10 = measure("size of least cost, low", "parameters")
    optimum_params_p50 = measure("size of least cost, median", "parameters")
    optimum_params_p90 = measure("size of least cost, high", "parameters")
    optimum_tokens_p50 = measure("training tokens of that size, median", "tokens")
    buildable_params = measure("nearest size with layers and widths that fill the chips", "parameters")
    buildable_layers = count("layers of that size", "layers")
    buildable_width = count("width of that size", "units")
    effective_demand_tokens_p50 = measure("demand ahead in training-equivalent tokens", "tokens")
    effective_demand_ratio = measure("the same over the compute-optimal tokens for the loss", "ratio")
    is_equal_split_near = flag("training and serving alike would be within 10 % of the least cost")
    saving_ratio_p10 = ratio("training and serving at the optimum against the size it has, low")
    saving_ratio_p50 = ratio("training and serving at the optimum against the size it has, median")
    saving_ratio_p90 = ratio("training and serving at the optimum against the size it has, high")
    is_extrapolated = flag("the model or its optimum is beyond the data of the law, or a mixture of experts")


class IsoLoss(Table):
    """One size that reaches the loss of one model, and what training it and serving the demand ahead would cost."""

    table_key = ("as_of", "model_id", "params")

    as_of = day("night")
    model_id = text("model")
    params = measure("parameters used per token", "parameters")
    tokens = measure("training tokens that reach the loss", "tokens")
    training_usd = usd("6·N·D at the realised price of training")
    serving_usd = usd("the demand ahead at the price of the size")
    total_usd = usd("both")
    point = choice("what the point is", "curve", "now", "optimum")
    is_extrapolated = flag("beyond the tokens per parameter of the law's points")


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
