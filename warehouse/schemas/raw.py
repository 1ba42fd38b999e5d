"""What arrived: files, the rows read from them, and the rows that could not be read."""

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
    residue,
    text,
    texts,
)
from warehouse.schemas.findings import FindingRow
from warehouse.schemas.table import Table
from warehouse.vocabulary import COUNTERS, REQUEST_STATUSES


class Files(Table):
    """One file of the inbox as known this night, with its row account."""

    table_key = ("source", "file")

    source = text("source of the settings that names the file")
    kind = text("gpu_billing, training_logs, request_telemetry or gpu_activity")
    file = text("path below the project directory, with forward slashes")
    sha256 = text("digest of the bytes as delivered")
    bytes = count("size as delivered", "bytes")
    rows = count("rows the file holds: accepted + quarantined + duplicates + blank")
    accepted = count("rows that count, or would if nothing newer replaced their file")
    counted = count("accepted rows that became charges, runs or requests")
    quarantined = count("rows refused, each with a reason in raw.quarantine")
    duplicates = count("rows that stand in another place already")
    blank = count("blank lines among the rows")
    foreign_lines = count("lines of a log that are no records of its format")
    rounding_residual = residue("sum of what rounding to 12 decimals took from the billed costs")
    flags = texts("facts worth knowing about the file: tz_assumed, float_money, no_identity …")
    first_seen_at = instant("start of the night that saw this content first")
    exported_at = instant("when its exporter wrote it, as a manifest, a control file or its rows say").or_null()
    superseded_by = text("path of the newer delivery that replaces this file").or_null()
    reader_digest = text("digest of the settings and code version the file was read under")
    changed_ns = integer("when the file system last changed the file", "nanoseconds since 1970")


class Readings(Table):
    """One content of a source as it was read, whatever paths it stands under."""

    table_key = ("source", "file_sha256")

    source = text("source of the settings")
    kind = text("gpu_billing, training_logs, request_telemetry or gpu_activity")
    file_sha256 = text("digest of the bytes as delivered")
    reader_digest = text("digest of the settings, the code and the side files it was read under")
    read_for = day("night it was read for")
    rows = count("rows it holds")
    refused = count("rows refused")
    blank = count("blank lines among the rows")
    counted = count("rows that became charges, runs or requests, before copies of other contents are left out")
    repeated = count("rows that repeat another row of the same content")
    copied = count("rows that stand in another content of the source")
    foreign_lines = count("lines of a log that are no records of its format")
    rounding_residual = residue("sum of what rounding to 12 decimals took from the billed costs")
    flags = texts("facts worth knowing about it")
    first_seen_at = instant("start of the night that saw it first")
    is_ahead = flag("rows were refused only because they lie outside the days that the night can place")
    latest_start = instant("latest start of an accepted row").or_null()


class Quarantine(Table):
    """One row that was refused, or one file ("file" as location) that was rejected as a whole."""

    source = text("source of the settings")
    file = text("path below the project directory")
    file_sha256 = text("digest of the file")
    location = text("line N, row N, a JSON path, or file")
    reason = text("reason code of the closed list")
    raw = text("the mapped columns of the row as delivered; empty where that could disclose content")
    detail = text("what was found, in words").or_null()
    currency = text("currency of a refused charge, if it can be read").or_null()
    billed_cost = cost("billed cost of a refused charge, if it can be read").or_null()


class LandedFindings(FindingRow):
    """One finding of landing: of the reader of one file, or of all files of a source together."""

    file_sha256 = text("digest of the file whose reader noticed it; empty where files were compared")


class Findings(FindingRow):
    """One thing that readers, staging, ledger or economics noticed and could not decide, in words, with its remedy."""

    is_doubt = flag("a number may be wrong by it; a notice is only a fact to know")
    is_accepted = flag("[source] accepted_findings names it: a person has looked")
    sentence = text("what was noticed, with its amounts")
    remedy_code = text("what to do, as a code")
    remedy = text("what to do, in words")


class ChargeRows(Table):
    """One accepted row of a bill, typed, as its file delivered it."""

    file_sha256 = text("file it came from")
    location = text("line N or row N in that file")
    source = text("source of the settings")
    content_hash = text("hash of every column of the row, costs and quantities included")
    dimension_hash = text("hash of every column but costs and quantities")
    billing_account_id = text("payer account").or_null()
    billing_period_start = day("first day of the billing period")
    billing_period_end = day("first day after the billing period")
    charge_start = instant("start of what is charged")
    charge_end = instant("end of what is charged, exclusive")
    charge_category = text("Usage, Purchase, Tax, Credit or Adjustment")
    charge_class = text("Correction, or null").or_null()
    invoice_id = text("invoice the row is billed on").or_null()
    sub_account_id = text("account or project below the payer").or_null()
    service_name = text("service").or_null()
    sku_id = text("stock keeping unit").or_null()
    resource_id = text("resource").or_null()
    resource_name = text("name of the resource").or_null()
    region = text("region").or_null()
    charge_description = text("the provider's words").or_null()
    tags = json("tags, with AllocatedTags laid over them, as a JSON object of texts; custom columns as x_Name")
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
    instance_type = text("instance type, where the provider says it").or_null()
    sku_price_details = json("what the provider says of the price's unit, as a JSON object of texts").or_null()
    cost_view = text("actual or amortized, where the provider bills the same money in two views").or_null()
    gpu_model = text("chip, where the row itself names it").or_null()
    gpus_per_unit = measure("GPUs per consumed unit, where the row itself says it", "GPUs").or_null()
    gpu_hours = measure("GPU-hours, where the row itself says them", "GPU-hours").or_null()
    allocated_method_id = text("how the provider split the charge that this row is a part of").or_null()
    exported_at = instant("when the provider exported the row, if it says so").or_null()


class InvoiceTotals(Table):
    """One invoice total stated by a control file or an invoice detail file."""

    source = text("source of the settings")
    file_sha256 = text("digest of the file that states the total")
    file = text("file that states the total")
    invoice_id = text("invoice")
    currency = text("ISO 4217 code")
    billed_cost = cost("stated total")


class LongCharges(ChargeRows):
    """One current row of a bill of a resource that a row of more than a day bills beside shorter ones, as delivered."""


class RunRows(Table):
    """One attempt of one training run as one file tells it: a time without a hole in which its processes ran."""

    file_sha256 = text("file it came from")
    location = text("line N, row N or file")
    source = text("source of the settings")
    run_id = text("identity of the run in its source; attempts of one run share it")
    run_key = text("identity of the attempt across copies: rows with one key are one attempt")
    log_key = text("what copies of the log share whatever their folder: its first records").or_null()
    is_job = flag("the row is a scheduler's own account of a job")
    job_id = text("job of a scheduler that the processes ran in, where the log names it").or_null()
    run_group = text("group of runs, as the tracker names it").or_null()
    rank = integer("number of the process among those of one job, where the log names it").or_null()
    parent_run_id = text("run that this one belongs to").or_null()
    run_name = text("name").or_null()
    project = text("project, experiment or benchmark").or_null()
    cluster = text("cluster").or_null()
    hosts = texts("hosts")
    team = text("team as logged").or_null()
    started_at = instant("first moment of training").or_null()
    ended_at = instant("last moment of training as far as the log tells").or_null()
    end_source = text("logged, last_event, job_db or censored")
    status = text("finished, failed, cancelled, timeout, running or unknown")
    held_from = instant("first record: GPUs are held from here").or_null()
    held_to = instant("last record: GPUs are held to here").or_null()
    gpu_model = text("chip").or_null()
    gpu_count = measure("GPUs held", "GPUs").or_null()
    gpu_scope = text("whose GPUs gpu_count counts: host (all of the machine), job (of all ranks) or null").or_null()
    sidecar = text("sidecar that states gpu_count: all runs that it stands above name the same GPUs").or_null()
    gpu_seconds = measure("where the format says better than count × time", "GPU-seconds").or_null()
    params = measure("parameters", "parameters").or_null()
    active_params = measure("parameters used per token", "parameters").or_null()
    tokens = measure("training tokens", "tokens").or_null()
    steps = count("optimiser steps").or_null()
    first_step = integer("first step that the attempt trained, as its metrics count", "steps or samples").or_null()
    last_step = integer("last step that the attempt trained, as its metrics count", "steps or samples").or_null()
    final_loss = measure("last finite loss", "nats per token").or_null()
    loss_name = text("name of the metric that final_loss is").or_null()


class MetricRows(Table):
    """One logged value of one run."""

    file_sha256 = text("file it came from")
    source = text("source of the settings")
    run_id = text("identity of the run in its source")
    step = integer("optimiser step or sample count", "steps").or_null()
    tokens = measure("training tokens so far", "tokens").or_null()
    name = text("metric")
    value = measure("value; NaN and infinities as they were logged", "unit of the metric").or_null()
    at = instant("when it was logged").or_null()
    is_finite = flag("false for NaN and infinities")


class WorkloadRows(Table):
    """One workload of a cluster that held GPUs over one window, as OpenCost measured it; no money."""

    file_sha256 = text("file it came from")
    location = text("line N, or the path within the JSON document")
    source = text("source of the settings")
    workload = text("cluster, namespace, pod and container as far as they are known, separated by /")
    cluster = text("cluster").or_null()
    node = text("node").or_null()
    namespace = text("namespace").or_null()
    controller = text("controller").or_null()
    pod = text("pod").or_null()
    labels = json("labels as a JSON object of texts")
    started_at = instant("first moment in the window")
    ended_at = instant("last moment in the window, exclusive")
    gpu_hours = exact("GPU time held", "GPU-hours")


class CounterSamples(Table):
    """One counter of one serving process as one scrape found it: what the process has counted since it began."""

    file_sha256 = text("file it came from")
    location = text("line N in that file")
    source = text("source of the settings")
    target = text("path of the file without the time: the server that was scraped")
    series = text("name and labels of the sample, one a line; with the target the identity of the counter")
    counter = choice(
        "what is counted; times in microseconds, requests_within those that took bound_us at most", *COUNTERS
    )
    bound_us = count("of requests_within; unknown for all of them, however long they took", "microseconds").or_null()
    status = choice("how the counted requests ended; ok for tokens and times", *REQUEST_STATUSES)
    model = text("model as labelled").or_null()
    deployment = text("pod or instance as labelled, else the target's own name").or_null()
    team = text("team as labelled").or_null()
    tenant = text("tenant as labelled").or_null()
    task = text("task as labelled").or_null()
    scraped_at = instant("when it was scraped")
    value = count("what has been counted", "tokens, requests or microseconds")
    begun_at = instant("when the process or the counter began, where the scrape says so").or_null()


class GpuSamples(Table):
    """One measurement of one GPU: a metric as a scrape found it, or its mean over an hour where a table states that."""

    file_sha256 = text("file it came from")
    location = text("line N in that file")
    source = text("source of the settings")
    gpu = text("UUID of the GPU, with the instance of a GPU that is cut into some; else host and number")
    gpus = measure("part of a chip that it is", "GPUs")
    metric = choice("what is measured", "engine_activity", "utilization", "memory_used")
    value = measure("share of the time, or memory in use", "ratio, or MiB for memory_used")
    host = text("host").or_null()
    gpu_model = text("chip as labelled").or_null()
    namespace = text("namespace of the workload that held it").or_null()
    pod = text("pod that held it").or_null()
    container = text("container that held it").or_null()
    sampled_at = instant("when it was scraped, or the hour of a mean")
    is_hourly = flag("a mean over the hour")


class MatchingCalls(Table):
    """One day and model of which a source tells of calls under the same ids and at the same times as another source."""

    source = text("source that tells of less, or whose name comes later")
    counterpart = text("source that tells of the calls too")
    model = text("model as sent").or_null()
    day = day("UTC day of the start")
    requests = count("requests that the source tells of")
    tokens = count("input and output tokens that the source tells of", "tokens")


class RequestHours(Table):
    """One hour, or part of an hour between two changes of policy, and set of dimensions as sent."""

    table_partition = "day"

    day = day("UTC day of the hour")
    hour = instant("hour of start_at")
    part_start = instant("start of the part: the hour, or a change of policy within it")
    source = text("source of the settings")
    model = text("model as sent").or_null()
    deployment = text("deployment as sent").or_null()
    team = text("team as sent").or_null()
    tenant = text("tenant as sent").or_null()
    task = text("task as sent").or_null()
    status = text("ok, error, cancelled, pending or unknown")
    unit_name = text("what is delivered when it is not text").or_null()
    requests = count("requests")
    requests_with_usage = count("requests that carry any count of tokens or units")
    input_tokens = count("tokens given to the model, cached ones included", "tokens")
    cached_input_tokens = count("part of the input read from a cache", "tokens")
    output_tokens = count("tokens produced, reasoning included", "tokens")
    units = measure("units delivered", "unit_name")
    duration_us = count("sum of durations", "microseconds")
    ttft_s_sum = measure("sum of times to first token", "seconds").or_null()
    duration_s_p50 = measure("median duration", "seconds").or_null()
    duration_s_p95 = measure("95th percentile of duration", "seconds").or_null()


class BillDeliveries(Table):
    """One file's part of one billing unit (source, account, period): what it holds and whether it still counts."""

    source = text("source of the settings")
    billing_account_id = text("payer account; empty where the bill names none")
    billing_period_start = day("first day of the billing period")
    cost_view = text("actual or amortized where the bill has two views of the same money; empty otherwise")
    delivery = text("the files that arrived as one: folder and name without part number")
    file = text("path below the project directory")
    file_sha256 = text("digest of the file")
    rows = count("accepted rows of the unit in the file")
    billed_cost = cost("sum of the unit in the file, in whatever currencies")
    exported_at = instant("when the delivery was exported, as far as anything says").or_null()
    is_current = flag("false where a newer delivery replaces it")
    is_covered = flag("what replaces it has charges of every sub-account and day that it has costs of")
