"""The laws of loss, and the same quality at other sizes."""

from warehouse.schemas.columns import choice, count, day, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import LAWS


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
    params_max = measure("most parameters of its points", "parameters").or_null()
    tokens_max = measure("most tokens of its points", "tokens").or_null()
    flop_max = measure("most training compute of its points", "FLOP").or_null()
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


class SamplingOptimum(Table):
    """One model and number of samples drawn per request: the size that would serve that at the same loss for least.

    One sample is what is served. More of them multiply the output, not the prompt, which is read once.
    """

    table_key = ("as_of", "model_id", "samples")

    as_of = day("night")
    model_id = text("model")
    law_id = text("scaling law")
    samples = count("samples per request")
    input_tokens_per_request = measure("prompt of a request, as served", "tokens")
    output_tokens_per_request = measure("output of a request with that many samples", "tokens")
    demand_tokens = measure("remaining demand in training-equivalent tokens, median", "tokens")
    demand_ratio = ratio("that over the compute-optimal tokens of the loss, T_eff over D0")
    optimum_params = measure("size of least cost", "parameters")
    optimum_tokens = measure("its training tokens for the same loss", "tokens")
    saving_ratio = ratio("part of training and serving that it would save against the model as it is")
    is_extrapolated = flag("beyond the data of the law")
