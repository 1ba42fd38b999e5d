"""What each model has cost over its life, phase by phase, and how the phases lie to each other."""

from warehouse.schemas.columns import choice, count, day, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import PHASES, THIRDS_STATUSES


class ServedDays(Table):
    """One day of one model and unit of delivery, which text has none of: what it served, pending requests apart."""

    table_key = ("day", "model_id", "unit_name")
    table_partition = "day"

    day = day("UTC day")
    model_id = text("model")
    unit_name = text("unit of what is delivered where it is something other than text").or_null()
    requests = count("requests served")
    requests_with_usage = count("requests that carry any count of tokens or units")
    input_tokens = count("tokens given to the model, cached ones included", "tokens")
    cached_input_tokens = count("part of the input read from a cache", "tokens")
    output_tokens = count("tokens produced", "tokens")
    units = measure("units delivered", "unit_name")


class TaskDays(Table):
    """One day of one task of one model, and unit of delivery, which text has none of: what it served."""

    table_key = ("day", "model_id", "task", "unit_name")
    table_partition = "day"

    day = day("UTC day")
    model_id = text("model")
    task = text("task as labelled by the requests; null where they carry no label").or_null()
    unit_name = text("unit of what is delivered where it is something other than text").or_null()
    requests = count("requests served, pending ones apart")
    tokens = count("tokens given to the model and produced", "tokens")
    weighted_tokens_milli = count("tokens weighted by their relative cost", "thousandth tokens")
    units = measure("units delivered", "unit_name")


class ProductionUnits(Table):
    """One model that served, and what its production is counted in."""

    table_key = ("model_id",)

    model_id = text("model")
    unit_name = text("the unit it delivers most of where it delivers something other than text").or_null()
    production_unit = text("tokens, or its unit where it never served a token")


class DailyService(Table):
    """One day of one model: what it served and what serving it cost."""

    table_key = ("day", "model_id")
    table_partition = "day"

    day = day("UTC day, to the night")
    model_id = text("model")
    requests = count("requests served, pending ones apart")
    requests_with_usage = count("requests that carry any count of tokens or units")
    input_tokens = count("tokens given to the model, cached ones included", "tokens")
    cached_input_tokens = count("part of the input read from a cache", "tokens")
    output_tokens = count("tokens produced", "tokens")
    units = measure("units delivered, of the model's main unit", "unit_name")
    unit_name = text("the model's main unit where it delivers something other than text").or_null()
    inference_usd = usd("direct inference")


class LineageShares(Table):
    """One month-end, ancestor, heir and phase: the ancestor's training to date that the heir carries."""

    table_key = ("month", "ancestor_id", "model_id", "phase")

    month = day("first day of the month")
    ancestor_id = text("model whose training it was")
    model_id = text("the ancestor itself or a descendant")
    phase = choice("phase of the training", "pretraining", "posttraining")
    basis = choice("key of the split", "tokens", "service_days", "nobody")
    key = measure("tokens served to date, or days in service to date", "tokens or days")
    training_usd = usd("training to date that did not fail, as far as it carries it")
    waste_usd = usd("training to date that bought nothing, as far as it carries it")


class PhaseCompute(Table):
    """One model and phase to the night: what it computed, at which price and how much of its GPUs' peak."""

    table_key = ("as_of", "model_id", "phase")

    as_of = day("night")
    model_id = text("model")
    phase = choice("phase", *PHASES)
    tokens = measure("trained on or served", "tokens").or_null()
    tokens_basis = choice("where the tokens come from", "runs", "models.csv", "requests").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    compute_flop = measure("training 6·N·D, serving 2·N·tokens", "FLOP").or_null()
    runs = count("training runs")
    runs_without_tokens = count("training runs that logged no tokens")
    usd_per_flop = measure("realised price of compute: direct cost / FLOP", "USD per FLOP").or_null()
    mfu_ratio = ratio("FLOP over GPU time times dense peak, of the runs that tell both").or_null()


class LifecycleSpend(Table):
    """One model and phase, cumulative to as_of."""

    table_key = ("as_of", "model_id", "phase")

    as_of = day("night")
    model_id = text("model")
    phase = choice("phase", *PHASES)
    direct_usd = usd("postings of the model and phase, waste included")
    idle_share_usd = usd("share of the idle and unused cost of the pools it used")
    shared_share_usd = usd("share of the shared cost")
    waste_usd = usd("part of direct_usd that failed, was cancelled, ran out of time or was done again")
    inherited_usd = usd("training of ancestors that it carries, less its own that descendants carry")
    passed_on_usd = usd("part of its own training that descendants carry")
    total_usd = usd("direct + idle share + shared share + inherited")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    compute_flop = measure("training 6·N·D, serving 2·N·tokens", "FLOP").or_null()
    tokens = measure("trained on or served", "tokens").or_null()


class Thirds(Table):
    """One model's balance between the three phases, realised and projected."""

    table_key = ("as_of", "model_id")

    as_of = day("night")
    model_id = text("model")
    pretraining_usd = usd("pre-training, direct and inherited")
    posttraining_usd = usd("post-training, direct and inherited")
    inference_usd = usd("direct inference")
    pretraining_ratio = ratio("share of pre-training; null where it is not compared or nothing was spent").or_null()
    posttraining_ratio = ratio("share of post-training").or_null()
    inference_ratio = ratio("share of inference").or_null()
    target_pretraining_ratio = ratio("target share of pre-training; 0 where it is not compared")
    target_posttraining_ratio = ratio("target share of post-training")
    target_inference_ratio = ratio("target share of inference")
    penalty_ratio = ratio("what the same quality costs more than at the target; null where a share is 0").or_null()
    distance_usd = usd("what the same quality would have saved").or_null()
    projected_inference_usd_p10 = usd("inference to the end of service, low").or_null()
    projected_inference_usd_p50 = usd("inference to the end of service, median").or_null()
    projected_inference_usd_p90 = usd("inference to the end of service, high").or_null()
    projected_penalty_ratio_p10 = ratio("penalty at the end of service, low; null where without bound").or_null()
    projected_penalty_ratio_p50 = ratio("penalty at the end of service, median").or_null()
    projected_penalty_ratio_p90 = ratio("penalty at the end of service, high").or_null()
    law_excess_ratio = ratio(
        "what training and serving cost beyond the optimum of the night's law for the same loss and the realised demand"
    ).or_null()
    is_law_optimal = flag("that is inside the dead band: the law does not call the model out of balance").or_null()
    age_days = count("days since release, or since the first request", "days").or_null()
    status = choice("verdict", *THIRDS_STATUSES)
    heavy_phase = choice("phase furthest over its target, projected", *PHASES).or_null()
