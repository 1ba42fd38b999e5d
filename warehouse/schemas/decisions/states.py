"""Where models, tasks, pools and deployments stand on the night."""

import polars as pl

from warehouse.schemas.columns import Column, choice, count, day, exact, flag, measure, ratio, text, usd
from warehouse.schemas.table import Table


def _by_month(description: str, unit: str) -> Column:
    """A number for each path and each of 60 months ahead."""
    return Column(pl.List(pl.List(pl.Float64())), "DOUBLE[][]", unit, description, is_nullable=True)


class PoolStates(Table):
    """One pool over the last four weeks: its chip, its size, how much of it was used, and what the rest cost."""

    table_key = ("as_of", "pool_id")

    as_of = day("night")
    pool_id = text("pool")
    gpu_model = text("chip of most of its GPU time").or_null()
    hours = count("billed hours seen", "hours")
    billed_until = day("last day with a billed hour")
    capacity_gpus = measure("GPUs that were paid, mean of the hours", "GPUs")
    used_gpus = measure("GPUs that were used, mean of the hours", "GPUs")
    busy_gpus = measure("GPUs used in all but one hour of a hundred", "GPUs")
    use_sigma = measure("standard deviation of the logarithm of its mean use over the year ahead", "nepers")
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
    demand_path_weights = Column(
        pl.List(pl.Float64()), "DOUBLE[]", "ratio", "how likely each way of going on is; null: too little history"
    ).or_null()
    demand_path_ratios = _by_month(
        "tokens of each whole month ahead over those of a month at the level, by path", "ratio"
    )
    demand_path_sigmas = _by_month("standard deviation of the logarithm of each month of each path", "nepers")
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
    served_daily_tokens = measure("tokens a day that its GPUs of now serve", "tokens per day").or_null()
    recent_requests = count("requests of the last four weeks")
    is_telemetry_delivered = flag("its own telemetry was delivered on nearly all of these days")
    posttraining_usd = usd("its own post-training so far").or_null()
    training_tokens_logged = measure("tokens of its finished pre-training runs", "tokens").or_null()
    is_training_tokens_disputed = flag("models.csv and the finished runs differ by more than a tenth")
    training_gpus = measure("GPUs of its largest pre-training run", "GPUs").or_null()
    gpu_seconds_per_training_flop = measure("GPU time of pre-training over its FLOP", "GPU-seconds per FLOP").or_null()
    owner = text("who argues with the card").or_null()


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


class ServingRegimes(Table):
    """One model on one deployment over the last four weeks: what limits it, and where the money of its GPUs goes."""

    table_key = ("as_of", "deployment_id", "model_id")

    as_of = day("night")
    deployment_id = text("deployment")
    model_id = text("model")
    gpu_model = text("chip")
    gpu_count = measure("GPUs held at the end of the night", "GPUs")
    batch_measured = measure("requests in flight on each copy; null where no durations are sent", "requests").or_null()
    critical_batch = measure("requests in flight at which reading the weights is paid for by computing", "requests")
    ridge_flop_per_byte = measure("FLOP that the chip computes in the time of a byte, dense BF16", "FLOP per byte")
    limited_by = choice("what limits a step at the measured batch", "memory", "compute").or_null()
    gpu_month_usd = usd("cost a month of all its GPUs").or_null()
    useful_usd = usd("a month: useful work at the planned batch").or_null()
    small_batches_usd = usd("a month: lost to batches under the planned one").or_null()
    between_peaks_usd = usd("a month: waiting between peaks").or_null()
    excess_copies_usd = usd("a month: copies beyond the peaks").or_null()
    has_latency_limit = flag("deployments.csv says what its users need")
    latency_premium_usd = usd(
        "a month: GPUs that keeping the limit needs beyond the cheapest plan without it"
    ).or_null()


class TaskClasses(Table):
    """One task of one model: whether it is defined or open-ended, and whether a small model serves it or could.

    A defined task recurs in a steady share, with answers of like length. What carries no label cannot be told and
    counts as open-ended, which is what should stay on a large model.
    """

    table_key = ("as_of", "model_id", "task")

    as_of = day("night")
    model_id = text("model that serves it")
    task = text("task as labelled by the requests; null where they carry no label").or_null()
    active_params = measure("parameters that the model uses per token", "parameters").or_null()
    monthly_inference_usd = usd("direct inference of the last four weeks, as a month")
    share_ratio = ratio("share of the model's inference")
    stationary_ratio = ratio("part of that share that comes every week: 1 less its spread over itself, at least 0")
    length_variation_ratio = ratio("spread of the output of a request, by hour, over its mean").or_null()
    unlabelled_ratio = ratio("share of the model's inference that carries no label")
    task_class = choice("kind of task", "defined", "open_ended")
    standing = choice(
        "where it is served, or could be", "on_small_model", "movable_measured", "movable_unmeasured", "stays"
    )
    small_model_id = text("small model that passed the gate, or that was made for it").or_null()
