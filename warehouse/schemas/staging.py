"""Charges, runs and served tokens, each once and in one vocabulary, as known this night."""

from typing import ClassVar

from warehouse.schemas.columns import (
    choice,
    cost,
    count,
    day,
    exact,
    flag,
    instant,
    integer,
    json,
    measure,
    ratio,
    text,
    texts,
)
from warehouse.schemas.findings import FindingRow
from warehouse.schemas.table import Table
from warehouse.vocabulary import CHARGE_CATEGORIES, END_SOURCES, PHASES, REQUEST_STATUSES, RUN_STATUSES


class Charges(Table):
    """One charge as known now."""

    table_key = ("charge_id",)
    table_partition: ClassVar[str | None] = "charge_day"

    charge_id = text("source, hash of the dimensions and ordinal among equals")
    source = text("source of the settings, or accrual")
    billing_period_start = day("first day of the billing period")
    billing_period_end = day("first day after the billing period")
    charge_start = instant("start of what is charged")
    charge_end = instant("end of what is charged, exclusive")
    charge_day = day("UTC day of charge_start: the unit in which charges and postings are computed again")
    charge_category = choice("kind of charge", *CHARGE_CATEGORIES)
    charge_class = text("Correction, or null").or_null()
    invoice_id = text("invoice the row is billed on").or_null()
    billing_account_id = text("payer account").or_null()
    sub_account_id = text("account or project below the payer").or_null()
    service_name = text("service").or_null()
    sku_id = text("stock keeping unit").or_null()
    resource_id = text("resource").or_null()
    resource_name = text("name of the resource").or_null()
    region = text("region").or_null()
    charge_description = text("the provider's words").or_null()
    tags = json("tags as a JSON object of texts")
    sku_price_details = json("what the provider says of the price's unit, as a JSON object of texts").or_null()
    currency = text("ISO 4217 code of the costs")
    billed_cost = cost("what the invoice says")
    effective_cost = cost("what was consumed, commitments amortised")
    list_cost = cost("at list price").or_null()
    contracted_cost = cost("at the negotiated price").or_null()
    consumed_quantity = exact("quantity consumed", "consumed_unit").or_null()
    consumed_unit = text("unit of consumed_quantity").or_null()
    commitment_discount_id = text("reservation or savings plan").or_null()
    commitment_discount_status = text("Used, Unused or null").or_null()
    capacity_reservation_status = text("Used, Unused or null").or_null()
    gpu_model = text("chip").or_null()
    gpu_hours = measure("GPU time of usage; 0 for any other charge", "GPU-hours")
    gpu_hours_exact = exact("the same as an exact decimal", "GPU-hours")
    gpu_hours_capped = exact("GPU-hours that it states and another row of its resource brings", "GPU-hours").or_null()
    file_sha256 = text("file it came from").or_null()
    location = text("row of that file").or_null()
    known_at = instant("when it became known")


class Accruals(Charges):
    """One charge of one day for GPUs of a pool that send no bill."""

    table_partition = None


class RepeatedGpuHours(Table):
    """One charge of more than a day whose GPUs shorter charges of its resource bill as well."""

    table_key = ("source", "file_sha256", "location")

    charge_day = day("UTC day on which the charge starts")
    source = text("source of the settings")
    file_sha256 = text("file it came from")
    location = text("row of that file")
    gpu_hours_repeated = exact("GPU-hours that it states and the shorter charges bring", "GPU-hours")


class ChargeFindings(FindingRow):
    """One finding about the charges of one day."""

    table_partition = "charge_day"

    charge_day = day("UTC day on which the charges start")


class DeliveredDays(Table):
    """One day of one file's rows of one invoice and currency, current or replaced, before and after the night."""

    table_partition = "charge_day"

    charge_day = day("UTC day on which the rows start")
    source = text("source of the settings")
    file_sha256 = text("file")
    invoice_id = text("invoice").or_null()
    currency = text("ISO 4217 code")
    is_current = flag("false where a newer delivery replaces them; null where no delivery lists them").or_null()
    rows = count("rows")
    billed_cost = cost("sum of what the rows bill")


class RunAttempts(Table):
    """One uninterrupted time in which one training run held GPUs, as one log tells it."""

    table_key = ("run_id", "attempt")
    table_span = ("held_from", "held_to")

    run_id = text("identity of the run")
    attempt = count("ordinal in the order of time")
    source = text("source of the settings")
    logged_run_id = text("identity of the run in the log")
    is_leading = flag("the log tells of the run's metrics; false for other ranks and for a scheduler's job")
    is_job = flag("the row is a scheduler's own account of a job")
    parent_run_id = text("run that this one belongs to").or_null()
    run_name = text("name").or_null()
    project = text("project, experiment or benchmark").or_null()
    cluster = text("cluster").or_null()
    hosts = texts("hosts")
    started_at = instant("first moment of training").or_null()
    ended_at = instant("last moment of training as far as the log tells").or_null()
    end_source = choice("where ended_at comes from", *END_SOURCES)
    status = choice("how it ended", *RUN_STATUSES)
    gpu_model = text("chip").or_null()
    gpu_count = measure("GPUs that it alone held; 0 where others held all that the log claims", "GPUs").or_null()
    gpu_seconds = measure("part of the logged GPU time that it alone held", "GPU-seconds").or_null()
    contested_gpu_seconds = measure("GPU time that this run or another one used, by the logs", "GPU-seconds")
    held_from = instant("GPUs are held and paid from here").or_null()
    held_to = instant("GPUs are held and paid to here").or_null()
    params = measure("parameters", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    tokens = measure("training tokens of the run so far", "tokens").or_null()
    steps = count("optimiser steps of the run so far").or_null()
    first_step = integer("first step that it trained, as its metrics count", "steps or samples").or_null()
    last_step = integer("last step that it trained, as its metrics count", "steps or samples").or_null()
    final_loss = measure("last finite loss", "nats per token").or_null()
    pool_id = text("pool whose GPUs it held").or_null()
    model_id = text("model it trained").or_null()
    phase = choice("phase of the model's life", *PHASES).or_null()
    team = text("team").or_null()


class TrainingRuns(Table):
    """One training run, over all its attempts."""

    table_key = ("run_id",)
    table_span = ("held_from", "held_to")

    run_id = text("identity of the run; <source>/<id> where several sources use the id")
    source = text("source of the settings")
    parent_run_id = text("run that this one belongs to").or_null()
    run_name = text("name").or_null()
    project = text("project, experiment or benchmark").or_null()
    cluster = text("cluster").or_null()
    hosts = texts("hosts")
    started_at = instant("first moment of training").or_null()
    ended_at = instant("last moment of training as far as the log tells").or_null()
    end_source = choice("where ended_at comes from", *END_SOURCES)
    status = choice("how its last attempt ended", *RUN_STATUSES)
    gpu_model = text("chip").or_null()
    gpu_count = measure("most GPUs held at one time", "GPUs").or_null()
    gpu_seconds = measure("GPUs × time over its attempts", "GPU-seconds").or_null()
    held_from = instant("GPUs are held and paid from here; staging.run_attempts has the holes").or_null()
    held_to = instant("GPUs are held and paid to here").or_null()
    attempts = count("times without a hole in which it held GPUs")
    params = measure("parameters", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    tokens = measure("training tokens", "tokens").or_null()
    steps = count("optimiser steps").or_null()
    final_loss = measure("last finite loss", "nats per token").or_null()
    pool_id = text("pool whose GPUs it held").or_null()
    model_id = text("model it trained").or_null()
    phase = choice("phase of the model's life", *PHASES).or_null()
    team = text("team").or_null()


class RunFindings(FindingRow):
    """One run without GPUs or without a pool, or one claim of GPUs that another log holds already."""


class WorkloadUses(Table):
    """One workload over one window, measured by OpenCost, with the pool that it used and the model that it was for."""

    table_key = ("source", "workload", "started_at", "ended_at")
    table_span = ("started_at", "ended_at")

    source = text("source of the settings")
    workload = text("cluster, namespace, pod and container")
    started_at = instant("first moment in the window")
    ended_at = instant("last moment in the window, exclusive")
    gpu_hours = exact("GPU time held", "GPU-hours")
    pool_id = text("pool whose GPUs it held; without one it uses nothing").or_null()
    model_id = text("model it worked for").or_null()
    phase = choice("phase of the model's life", *PHASES).or_null()
    team = text("team").or_null()


class GpuActivity(Table):
    """One GPU in one UTC hour and for one pod: how much of the time it worked, and which model and pool it was for."""

    source = text("source of the settings")
    gpu = text("GPU")
    hour = instant("UTC hour")
    host = text("host").or_null()
    gpu_model = text("chip as labelled").or_null()
    namespace = text("namespace of the workload that held it").or_null()
    pod = text("pod that held it").or_null()
    gpu_hours = measure("part of the hour, of the GPU, that this pod held", "GPU-hours")
    scrapes = count("scrapes of the GPU in the hour")
    activity_ratio = ratio("mean share of the time; null where under half of its usual scrapes came").or_null()
    memory_used_mib = measure("mean memory in use", "MiB").or_null()
    deployment_id = text("deployment it served in").or_null()
    model_id = text("model it worked for").or_null()
    pool_id = text("pool it belongs to").or_null()


class TrainingMetrics(Table):
    """One logged value of one run."""

    run_id = text("run")
    step = integer("optimiser step or sample count", "steps").or_null()
    tokens = measure("training tokens so far", "tokens").or_null()
    name = text("metric under its canonical name")
    value = measure("value", "unit of the metric").or_null()
    at = instant("when it was logged").or_null()


class TrafficOverlaps(Table):
    """One hour of one model of which two sources tell: the source and the one whose requests stand against it."""

    table_key = ("hour", "source", "counterpart", "model")
    table_partition = "hour"

    hour = instant("hour of the requests' start")
    source = text("source whose requests count less, or would count twice")
    counterpart = text("source whose requests of the hour count")
    model = text("model, or its name as sent where no model is known by it")
    requests = count("requests that the source tells of")
    tokens = count("input and output tokens that the source tells of", "tokens")
    is_settled = flag("the priorities of the sources decide: requests of the source count nothing; else both count")


class CapturedTwice(FindingRow):
    """One month of one model of which two sources seem to see the same traffic, and no priority decides."""


class TokenUsage(Table):
    """One hour and set of dimensions (part_start differs where policy changes within the hour)."""

    table_partition = "hour"

    hour = instant("hour of the requests' start")
    part_start = instant("start of the part of the hour under one policy")
    source = text("source of the settings")
    model_id = text("model").or_null()
    model = text("model as sent").or_null()
    deployment_id = text("deployment").or_null()
    team = text("team").or_null()
    tenant = text("tenant").or_null()
    task = text("task").or_null()
    status = choice("how it ended", *REQUEST_STATUSES)
    requests = count("requests")
    requests_with_usage = count("requests that carry any count of tokens or units")
    input_tokens = count("tokens given to the model, cached ones included", "tokens")
    cached_input_tokens = count("part of the input read from a cache", "tokens")
    output_tokens = count("tokens produced, reasoning included", "tokens")
    units = measure("units delivered", "unit_name")
    unit_name = text("what is delivered when it is not text").or_null()
    weighted_tokens_milli = count("tokens weighted by their relative cost", "thousandth tokens")
    duration_us = count("sum of durations", "microseconds")
    ttft_s_sum = measure("sum of times to first token", "seconds").or_null()
    duration_s_sum = measure("sum of durations", "seconds")
    duration_s_p50 = measure("median duration", "seconds").or_null()
    duration_s_p95 = measure("95th percentile of duration", "seconds").or_null()
    concurrency_mean = measure("requests in flight on average", "requests")
