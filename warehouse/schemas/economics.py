"""What a model costs over its life, in the reporting currency."""

import polars as pl

from warehouse.schemas.columns import Column, choice, cost, count, day, exact, flag, measure, ratio, text, usd
from warehouse.schemas.ledger import ACCOUNTS
from warehouse.schemas.policy import PHASES
from warehouse.schemas.table import Table

THIRDS_STATUSES = (
    "balanced",
    "pretraining_heavy",
    "posttraining_heavy",
    "inference_heavy",
    "too_young",
    "no_own_pretraining",
)


ESTIMATE_BASES = ("policy", "forecast", "too_uncertain", "no_estimate", "exhausted", "not_serving")
LIFE_BASES = (
    "retires_on",
    "model_policy",
    "family_median",
    "default_policy",
    "company_median",
    "assumed",
    "not_released",
)
QUANTITIES = ("tokens", "units", "inference_usd")


def _numbers(description: str, unit: str) -> Column:
    """A list of measured quantities."""
    return Column(pl.List(pl.Float64()), "DOUBLE[]", unit, description)


class DailySpend(Table):
    """One day of one source, currency, account, model, phase and pool, with its cost in the reporting currency."""

    charge_date = day("UTC day")
    source = text("source of the settings, or accrual")
    currency = text("currency of the bill")
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool").or_null()
    is_waste = flag("spent on runs that failed, were cancelled or ran out of time")
    is_restated = flag("billed in a later billing period than the day's own: a correction of what was reported")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    billed_cost = cost("billed cost")
    effective_cost = cost("effective cost")
    billed_usd = usd("billed cost; null where the month's rate is missing").or_null()
    effective_usd = usd("effective cost; null where the month's rate is missing").or_null()


class MonthlySpend(Table):
    """One month of one account by who spent it: model, phase, pool, run, deployment, team, tenant and task."""

    month = day("first day of the month")
    account = choice("account", *ACCOUNTS)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool").or_null()
    run_id = text("training run").or_null()
    deployment_id = text("deployment").or_null()
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    is_waste = flag("spent on runs that failed, were cancelled or ran out of time")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    billed_usd = usd("billed cost, as far as it has a rate")
    effective_usd = usd("effective cost, as far as it has a rate")


class IdleShares(Table):
    """One month and pool: the part of its idle and unused cost that one model and phase, or nobody, carries."""

    month = day("first day of the month")
    pool_id = text("pool")
    model_id = text("model; null for the part that no model carries").or_null()
    phase = choice("phase", *PHASES).or_null()
    basis = choice("key of the split", "gpu_seconds", "direct_usd", "nobody")
    gpu_seconds = measure("GPU time the model and phase used in the pool", "GPU-seconds")
    idle_usd = usd("its part of the pool's idle cost")
    unused_usd = usd("its part of the pool's unused commitments and reservations")


class SharedShares(Table):
    """One month: the part of the shared cost that one model and phase carries, or that nobody does."""

    month = day("first day of the month")
    model_id = text("model; null for the part that no model carries").or_null()
    phase = choice("phase", *PHASES).or_null()
    direct_usd = usd("the key: direct effective cost of the month, nothing where it is negative")
    shared_usd = usd("its part of the shared cost")


class ModelSpend(Table):
    """One month of one model and phase: its own cost, and its parts of what is idle and shared."""

    table_key = ("month", "model_id", "phase")

    month = day("first day of the month")
    model_id = text("model")
    phase = choice("phase", *PHASES)
    direct_usd = usd("postings of the model and phase, waste included")
    waste_usd = usd("part of direct_usd that failed, was cancelled or ran out of time")
    idle_share_usd = usd("share of the idle and unused cost of the pools it used")
    shared_share_usd = usd("share of the shared cost")
    gpu_seconds = measure("GPU time", "GPU-seconds")


class CompanySpend(Table):
    """One month and reason: what no model carries, so that models and company together are the ledger."""

    table_key = ("month", "account", "pool_id")

    month = day("first day of the month")
    account = choice("account", *ACCOUNTS)
    pool_id = text("pool").or_null()
    effective_usd = usd("effective cost")


class DailyService(Table):
    """One day of one model: what it served and what serving it cost."""

    table_key = ("day", "model_id")

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
    waste_usd = usd("training to date that failed, as far as it carries it")


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
    waste_usd = usd("part of direct_usd that failed, was cancelled or ran out of time")
    inherited_usd = usd("training of ancestors that it carries, less its own that descendants carry")
    passed_on_usd = usd("part of its own training that descendants carry")
    total_usd = usd("direct + idle share + shared share + inherited")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    compute_flop = measure("training 6·N·D, serving 2·N·tokens", "FLOP").or_null()
    tokens = measure("trained on or served", "tokens").or_null()


class ModelLives(Table):
    """One model's service: from when, until when, and how that is known."""

    table_key = ("model_id",)

    model_id = text("model")
    released_on = day("first day of service, as planned").or_null()
    first_served_on = day("first day with requests").or_null()
    last_served_on = day("last day with requests").or_null()
    retires_on = day("last planned day of service").or_null()
    ends_on = day("last day of service expected").or_null()
    basis = choice("how the end is known", *LIFE_BASES)
    typical_days = measure("life to fall back on: the shorter of the policy's and the family's median", "days")


class DemandStates(Table):
    """One series of a model (or `*`, all models) as known on one day: level, trend, season, and how far off so far.

    Only days before `known_on` have been seen, also by the choice of the method and by the errors.
    """

    table_key = ("known_on", "model_id", "quantity")

    known_on = day("first day not seen")
    model_id = text("model, or * for all")
    quantity = choice("what is forecast", *QUANTITIES)
    method = choice("how", "smoothing", "seasonal_naive", "last_week")
    history_days = count("days from the first service to known_on", "days")
    level = measure("mean day", "quantity per day")
    trend = measure("change of the mean day, damped by 0.98 a day", "quantity per day")
    season = _numbers("weekdays from Monday relative to the mean day", "ratio")
    sigma = measure("standard deviation of the logarithm of a four weeks' sum", "nepers")
    day_sigmas = _numbers("the same of single days, one, two, three and four weeks ahead", "nepers")
    folds = count("past forecasts that could be compared with what came")
    mape_ratio = ratio("mean absolute percentage error of past forecasts four weeks ahead").or_null()
    naive_mape_ratio = ratio("the same of repeating last week").or_null()
    coverage_ratio = ratio("share of past four-week sums within P10 and P90").or_null()


class ExpectedService(Table):
    """One series of a model as known on one day: what is still to come until the end of service."""

    table_key = ("known_on", "model_id", "quantity")

    known_on = day("first day not seen")
    model_id = text("model")
    quantity = choice("what is expected", *QUANTITIES)
    ends_on = day("last day of service expected")
    days = count("days from known_on to the end", "days")
    method = choice("how", "smoothing", "seasonal_naive", "last_week")
    expected_p10 = measure("low", "quantity")
    expected_p50 = measure("median", "quantity")
    expected_p90 = measure("high", "quantity")
    variation_ratio = ratio("standard deviation over mean")


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
    age_days = count("days since release, or since the first request", "days").or_null()
    status = choice("verdict", *THIRDS_STATUSES)
    heavy_phase = choice("phase furthest over its target, projected", *PHASES).or_null()


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
    tokens_to_parity = measure(
        "still to serve until inference reaches its target share; 0 where it has", "production_unit"
    ).or_null()
    production_unit = text("tokens, or the unit that the model delivers instead")


class EstimateChanges(Table):
    """One change of the estimate by which a model's training is carried, from the month in which it takes effect."""

    changed_on = day("first day on which the new estimate holds")
    model_id = text("model")
    cause = choice("why", "policy", "forecast", "too_uncertain", "no_estimate", "exhausted", "retired")
    from_method = text("how it was carried").or_null()
    to_method = text("how it is carried now").or_null()
    from_expected_tokens = measure("what was still expected at this day under the old estimate", "units").or_null()
    to_expected_tokens = measure("what is expected from this day on", "units").or_null()
    balance_usd = usd("balance that the new estimate applies to")
    explanation = text("the change in words")


class UnitCosts(Table):
    """One month of one model: what a million tokens costs, or one unit where it delivers no text."""

    table_key = ("month", "model_id")

    month = day("first day of the month")
    model_id = text("model")
    requests = count("requests served")
    input_tokens = count("input, cached included", "tokens")
    cached_input_tokens = count("input read from a cache", "tokens")
    output_tokens = count("output", "tokens")
    units = measure("units delivered where it is not text", "unit_name")
    unit_name = text("unit").or_null()
    used_usd = usd("direct inference")
    idle_share_usd = usd("share of the idle and unused cost of the pools its serving used")
    shared_share_usd = usd("share of the shared cost")
    amortized_training_usd = usd("training carried")
    used_usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    allocated_usd_per_mtok = exact(
        "used + idle share + shared share", "reporting currency per million tokens"
    ).or_null()
    idle_share_usd_per_mtok = exact("share of idle and unused", "reporting currency per million tokens").or_null()
    shared_share_usd_per_mtok = exact("share of shared", "reporting currency per million tokens").or_null()
    amortized_training_usd_per_mtok = exact("training carried", "reporting currency per million tokens").or_null()
    fully_loaded_usd_per_mtok = exact("all of it", "reporting currency per million tokens").or_null()
    used_usd_per_unit = exact("direct inference", "reporting currency per unit_name").or_null()
    allocated_usd_per_unit = exact("used + idle share + shared share", "reporting currency per unit_name").or_null()
    fully_loaded_usd_per_unit = exact("all of it", "reporting currency per unit_name").or_null()
    utilization_ratio = ratio("busy share of the GPU time of its pools").or_null()
    cached_ratio = ratio("share of the input read from a cache").or_null()
    usage_ratio = ratio("share of the requests that tell their tokens or units").or_null()


class Reconciliation(Table):
    """One source, billing period, invoice and currency: does the ledger equal the bill."""

    table_key = ("source", "billing_period_start", "invoice_id", "currency")

    source = text("source of the settings, or accrual")
    billing_period_start = day("first day of the billing period")
    invoice_id = text("invoice; empty where the bill names none")
    currency = text("ISO 4217 code")
    charges = count("charges")
    billed_cost = cost("sum of the bill")
    ledger_billed_cost = cost("sum of the ledger")
    difference = cost("ledger − bill; 0 or the night is not published")
    effective_cost = cost("sum of the bill, effective")
    ledger_effective_cost = cost("sum of the ledger, effective")
    invoice_total = cost("total stated by the invoice").or_null()
    tolerance = cost("largest difference from the stated total that rounding explains")
    rounding_residual = cost("what rounding to 12 decimals took from the rows when they were read")
    is_reconciled = flag("the ledger equals the bill and the stated total within the tolerance")
    explanation = text("verdict in words")
