"""The facts that the pages print: the month reported, its history, what moved, and the index of every number."""

from warehouse.schemas.columns import choice, cost, count, day, exact, flag, integer, measure, ratio, text, usd
from warehouse.schemas.raw import Findings
from warehouse.schemas.table import Table
from warehouse.vocabulary import ACTIONS, COST_DRIVERS, PHASES, THIRDS_STATUSES, VERDICTS

RESTATEMENT_CAUSES = ("changed", "late", "withdrawn", "correction", "policy", "exchange")
COST_CLASSES = (*PHASES, "idle", "shared", "unallocated", "adjustment")
PAGES = (
    "summary",
    "decisions",
    "bridge",
    "thirds",
    "unit_costs",
    "served",
    "amortization",
    "compute",
    "sheet",
    "reconciliation",
    "method",
)
DIRECTIONS = ("up", "down", "flat", "not_meaningful")
METRICS = ("effective_cost", "unit_cost", "idle_and_failed", "unamortised_training", "savings_realised")
METRIC_REASONS = (
    "no_bill", "no_priced_tokens", "few_tokens", "credits", "no_run_log", "no_pool", "no_training", "first_advice",
    "none_followed", "not_forecast",
)  # fmt: skip
USAGE_GAPS = ("no_requests", "no_tokens", "unused")
CHECKS = ("ledger", "invoices", "model_coverage", "unallocated", "quarantine")
CHECK_CODES = (
    "no_bill", "equal", "different", "tied", "not_tied", "no_total_stated", "no_telemetry", "nothing_served",
    "unmatched", "covered", "small", "large", "none", "rows", "cost",
)  # fmt: skip
STANDINGS = ("safe", "measured", "evaluate_first")
REJECTIONS = (
    *(verdict for verdict in VERDICTS if verdict not in {"pays", "not_valued"}),
    "waits",
    "worth_too_little",
    "worth_less",
)
LAW_VERDICTS = ("smaller_longer", "larger_shorter", "near_optimum", "demand_unknown")
TASK_STANDINGS = ("on_small_model", "movable_measured", "movable_unmeasured", "stays", "open_ended", "unlabelled")
WHY_NOW = (
    "pool_idle", "serving_passed_pretraining", "student_measured", "successor", "small_batches", "unmeasured", "saving",
)  # fmt: skip


class Subject(Table):
    """The one month that the report is about, and what there is to compare it with."""

    as_of = day("night")
    month = day("first day of the month reported")
    period_end = day("first day after what is reported; the next month, unless the month is still running")
    is_complete = flag("false while the month is still running")
    previous_month = day("month before, where it has any cost").or_null()
    first_day = day("first day with any cost").or_null()
    history_days = count("days from the first cost to the night", "days")
    has_plan = flag("the month has a budget")
    known_days = count("days of the month that requests and bills have told of: those compared with another", "days")
    state = choice(
        "FINAL when every day of the month is known, every billing period over and tied out", "PRELIMINARY", "FINAL"
    )
    materiality_usd = usd("change under which a figure is flat: 0.5 % of the month, at least 1,000")


class MonthClasses(Table):
    """One month and class of cost; the classes of a month add up to its effective cost."""

    table_key = ("month", "cost_class")

    month = day("first day of the month")
    cost_class = choice("what the money was for", *COST_CLASSES)
    effective_usd = usd("effective cost")


class MonthFigures(Table):
    """One month and the figures that the tiles show of it."""

    table_key = ("month",)

    month = day("first day of the month")
    effective_usd = usd("effective cost of everything in scope")
    billed_usd = usd("billed cost of everything in scope")
    plan_usd = usd("budget").or_null()
    requests = count("requests served")
    tokens = count("input and output tokens served", "tokens")
    cached_ratio = ratio("share of the input read from a cache").or_null()
    units = measure("units delivered where it is not text", "unit_name")
    unit_name = text("unit with the most deliveries").or_null()
    used_usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    fully_loaded_usd_per_mtok = exact("all of it", "reporting currency per million tokens").or_null()
    idle_usd = usd("idle GPUs and unused commitments; null where no charge names a pool").or_null()
    idle_ratio = ratio("share of idle and unused in the month").or_null()
    waste_usd = usd("runs that failed, were cancelled or ran out of time; null where no run has a log").or_null()
    waste_ratio = ratio("share of failed runs in the month").or_null()
    goodput_ratio = ratio("share of training GPU time that was not wasted").or_null()
    unallocated_usd = usd("no rule matched")
    named_ratio = ratio("share of the month that a rule places").or_null()


class Movers(Table):
    """One entity (a model's phase, or an account) and what it cost this month and the month before."""

    table_key = ("cost_class", "model_id")

    position = integer("1 moved most, whatever the direction")
    cost_class = choice("what the money was for", *COST_CLASSES)
    model_id = text("model").or_null()
    previous_usd = usd("month before")
    current_usd = usd("month reported")
    change_usd = usd("difference")
    persistence = choice(
        "lasts, reversed: the days after the month are nearer to it, or to the month before; with no such week known, "
        "lasts: cost in both months; new, ended: in one",
        "lasts", "reversed", "new", "ended",
    )  # fmt: skip
    owner = text("owner of the model").or_null()


class Trails(Table):
    """One model at the end of one month: direct spend since its first day, by phase; the running month to the night."""

    table_key = ("model_id", "month")

    model_id = text("model")
    month = day("first day of the month")
    pretraining_usd = usd("direct pre-training to the end of the month")
    posttraining_usd = usd("direct post-training to the end of the month")
    inference_usd = usd("direct inference to the end of the month")


class ChangeDrivers(Table):
    """One driver of the change of the month: its part, and whether it lasts; the drivers add up to the change."""

    table_key = ("driver",)

    position = integer("1 is the largest, whatever its sign")
    driver = choice("why", *COST_DRIVERS)
    change_usd = usd("its part of the change; positive is more cost")
    persistence = choice("whether most of its size lasts, passes, or neither", "lasts", "passes", "mixed")
    largest_class = choice("class of cost with at least half of it; null where none has", *COST_CLASSES).or_null()
    largest_model_id = text("model with that part, of direct cost").or_null()


class Runoffs(Table):
    """One model whose training is not yet amortised, and when it will be, by the method of its policy."""

    table_key = ("model_id",)

    model_id = text("model")
    method = choice("how it is amortised", "units_of_production", "straight_line")
    basis = choice(
        "what the days come from: the schedule, the pace of the last 28 days, or neither before it serves",
        "schedule", "pace", "not_serving",
    )  # fmt: skip
    closing_usd = usd("not yet amortised at the end of the month")
    daily_usd = usd("amortised on a day ahead").or_null()
    left_days = measure("until nothing is left", "days").or_null()
    left_months = measure("the same in months of a twelfth of a year", "months").or_null()
    ends_on = day("last of these days").or_null()
    retires_on = day("last planned day of service").or_null()
    stranded_usd = usd("what is left when it retires; 0 where nothing is, null where no day is planned").or_null()


class Outlook(Table):
    """One month past or ahead: what it cost, what it will cost at today's demand, and the plan."""

    table_key = ("month",)

    month = day("first day of the month")
    is_forecast = flag("some of its days are ahead, or telemetry or a bill has not told of them yet")
    actual_usd = usd("effective cost to the night")
    expected_usd_p10 = usd("the whole month, low")
    expected_usd_p50 = usd("the whole month, median")
    expected_usd_p90 = usd("the whole month, high")
    plan_usd = usd("budget").or_null()


class Quarters(Table):
    """One quarter that is running or next, as demand and training of today would have it."""

    table_key = ("quarter",)

    quarter = day("first day of the quarter")
    actual_usd = usd("effective cost to the night")
    expected_usd_p10 = usd("the whole quarter, low")
    expected_usd_p50 = usd("the whole quarter, median")
    expected_usd_p90 = usd("the whole quarter, high")
    plan_usd = usd("budget, where all its months have one").or_null()
    within_plan_ratio = ratio("chance that it stays within plan").or_null()


class Events(Table):
    """One event that is known to come before the end of the forecast."""

    table_key = ("day", "kind", "name")

    day = day("day of the event; the last day of a commitment")
    kind = choice("what happens", "release", "retirement", "commitment_ends")
    name = text("model or commitment")


class BandVerdicts(Table):
    """One model with direct cost and where it stands against the band today; retired ones are never judged."""

    table_key = ("model_id",)

    position = integer("1 leads the title: outside first by cost of imbalance, retired ones last")
    model_id = text("model")
    state = choice("today: of those outside, the phase furthest over its target", *THIRDS_STATUSES, "retired")
    projected_state = choice("as the forecast expects it at retirement", *THIRDS_STATUSES)
    is_judged = flag("old enough, on an own base, and not retired")
    is_outside = flag("judged, and its cost of imbalance is over the band or has no bound")
    is_retired = flag("its last planned day of service is over")
    overhead_usd = usd("idle, unused and shared cost that it carries since its first day").or_null()


class CompanyThirds(Table):
    """One moment and what all models together have cost by then, by phase."""

    table_key = ("moment",)

    position = integer("order of time")
    moment = choice("when", "year_ago", "now", "at_retirement")
    pretraining_usd = usd("direct pre-training since the first day")
    posttraining_usd = usd("direct post-training since the first day")
    inference_usd = usd("direct inference since the first day; at retirement the median of the projection")
    pretraining_ratio = ratio("its share; null where credits make a phase negative").or_null()
    posttraining_ratio = ratio("its share").or_null()
    inference_ratio = ratio("its share").or_null()


class HeadlineMetrics(Table):
    """One of the five numbers of page 1 with what it is compared with; what is not known is null with its reason."""

    table_key = ("metric",)

    position = integer("order on the page")
    metric = choice("which", *METRICS)
    unit = choice("unit of all its amounts", "usd", "usd_per_mtok")
    is_more_worse = flag("more is worse; null where it is neither").or_null()
    value = exact("of the month", "unit of the row").or_null()
    reason = choice("what is missing of it", *METRIC_REASONS).or_null()
    plan_value = exact("planned, or promised", "unit of the row").or_null()
    plan_direction = choice("month against plan", *DIRECTIONS).or_null()
    previous_value = exact("of the month before", "unit of the row").or_null()
    previous_direction = choice("month against the one before", *DIRECTIONS).or_null()
    year_to_date = exact("since 1 January; of a balance its change", "unit of the row").or_null()
    year_to_date_plan = exact("planned of the same months", "unit of the row").or_null()
    year_to_date_direction = choice("year to date against its plan", *DIRECTIONS).or_null()
    landing = exact("of the whole year, its open months at the median of the forecast", "unit of the row").or_null()
    landing_plan = exact("planned of the whole year", "unit of the row").or_null()
    landing_direction = choice("landing against its plan", *DIRECTIONS).or_null()
    landing_reason = choice("why there is no landing", *METRIC_REASONS).or_null()


class QualityChecks(Table):
    """One check of whether the numbers can be relied on, with its verdict."""

    table_key = ("check",)

    position = integer("order on the page")
    check = choice("which", *CHECKS)
    code = choice("what was seen", *CHECK_CODES)
    is_passed = flag("nothing to look at")
    counted = count("charges, invoices that tie out, tokens without a model, or rows").or_null()
    of = count("of how many").or_null()
    amount = exact("difference, unallocated cost, or cost in quarantine", "reporting currency").or_null()
    ratio = ratio("share of it").or_null()


class RequestedDecisions(Table):
    """One recommendation to act: in which order it is to be signed, how well it is known, and why it is asked now."""

    table_key = ("rank",)

    position = integer("1 is to be signed first")
    rank = integer("rank of the recommendation")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    action = choice("what to do", *ACTIONS)
    monthly_saving_usd_p50 = usd("saving a month, median").or_null()
    standing = choice("safe: answers stay as they are; measured: quality was; evaluate_first: it was not", *STANDINGS)
    sign_by = day("last day on which the signature still helps").or_null()
    owner = text("owner of the model").or_null()
    target_model_id = text("model that takes over").or_null()
    target_params = measure("size that takes over", "parameters").or_null()
    why_code = choice("why now", *WHY_NOW)
    why_on = day("end of the pool's term, or month in which serving passed pre-training").or_null()
    why_ratio = ratio("share that stands idle, or of the quality that the student keeps").or_null()


class RejectedAlternatives(Table):
    """One valued alternative that is not asked for, and the code of what it lacks."""

    position = integer("1 is worth most")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    action = choice("what could be done", *ACTIONS)
    target_model_id = text("model that would take over").or_null()
    target_params = measure("size that would take over", "parameters").or_null()
    monthly_saving_usd_p50 = usd("saving a month, median")
    net_present_value_usd_p50 = usd("net present value, median").or_null()
    probability = ratio("chance that it pays back").or_null()
    monthly_saving_if_passed_usd_p50 = usd("saving a month if the gate is passed, median: what the code speaks of")
    probability_if_passed = ratio("chance that it pays back given the gate: what the code speaks of").or_null()
    code = choice("what it lacks", *REJECTIONS)


class HeldModels(Table):
    """One model without a decision, and why it needs none."""

    table_key = ("model_id",)

    position = integer("order of the table")
    model_id = text("model")
    code = choice("why", "retired", "too_young", "inside_band", "nothing_pays", "nothing_valued")
    action = choice("its best alternative", *ACTIONS).or_null()
    best_code = choice("what that lacks", *REJECTIONS).or_null()
    monthly_saving_if_passed_usd_p50 = usd("saving a month of that if the gate is passed, median").or_null()
    probability_if_passed = ratio("chance that it pays back given the gate").or_null()


class IdlePools(Table):
    """One pool with idle or unused cost in the month reported."""

    table_key = ("pool_id",)

    position = integer("1 costs most")
    pool_id = text("pool")
    idle_usd = usd("idle and unused cost of the month")
    decision_rank = integer("rank of the recommendation that releases capacity of it").or_null()
    reason = choice(
        "why there is no such recommendation: its busy hours need all of it, a contract or the purchase has paid for "
        "it, releasing was weighed and falls short, or nobody could weigh it",
        "all_in_use", "paid_until_contract_end", "hardware_owned", "falls_short", "not_valued",
    ).or_null()  # fmt: skip


class ServedGroups(Table):
    """One team, tenant or task of the month reported: what serving it cost directly, and its tokens."""

    table_key = ("dimension", "name")

    dimension = choice("what the name is", "team", "tenant", "task")
    name = text("as the requests name it; null for those that do not").or_null()
    used_usd = usd("direct inference of the month; the rows of a dimension add up to it")
    tokens = count("input and output tokens", "tokens")
    usd_per_mtok = exact("direct inference", "reporting currency per million tokens").or_null()
    previous_usd = usd("direct inference of the month before; null where there is no such month").or_null()


class UsageGaps(Table):
    """One model in service with a material cost that serves next to nobody, or of which nobody knows what it serves."""

    table_key = ("model_id",)

    position = integer("1 costs most")
    model_id = text("model")
    code = choice(
        "no_requests: none is delivered; no_tokens: they carry none; unused: under ten million tokens in four weeks",
        *USAGE_GAPS,
    )
    monthly_usd = usd("direct inference of the last four weeks, as a month")
    tokens = measure("served in the last four weeks", "tokens")
    paid_until = day("day before which its GPUs are paid under a contract; null where none is known").or_null()


class RecentAnomalies(Table):
    """One thing that happened in the last week: where the cost of a day left its interval, told once for its cause."""

    table_key = ("subject_kind", "subject", "since")

    position = integer("1 is the furthest from what was expected")
    subject_kind = choice("what it is: serving of a model, all of a pool, serving of a team", "model", "pool", "team")
    subject = text("its name")
    since = day("first day outside")
    until = day("last day outside so far")
    actual_usd = usd("cost of the first day")
    expected_usd = usd("what was expected of it")
    low_usd = usd("low end of the interval")
    high_usd = usd("high end of the interval")
    is_new = flag("it began on the last day that is known, or the day before")
    ledger_source = text("source of the ledger rows that moved most").or_null()
    ledger_account = text("their account").or_null()
    ledger_model_id = text("their model").or_null()
    ledger_pool_id = text("their pool").or_null()
    ledger_change_usd = usd("what they changed").or_null()


class LawVerdicts(Table):
    """One own model in service and what the night's law says of its size and training for the demand it has."""

    table_key = ("model_id",)

    position = integer("1 has cost most; models whose demand is not known last")
    model_id = text("model")
    params = measure("parameters used per token", "parameters")
    tokens = measure("tokens it was trained on", "tokens")
    tokens_per_param = measure("D/N", "tokens per parameter")
    overtrain_ratio = ratio("D/N over the compute-optimal D/N of the same compute")
    demand_ratio = ratio("demand in training-equivalent tokens over the compute-optimal tokens").or_null()
    equal_from_ratio = ratio("least demand ratio at which an equal split costs at most 10 % more than the optimum")
    equal_best_ratio = ratio("demand ratio at which an equal split is the optimum")
    equal_to_ratio = ratio("most demand ratio at which an equal split costs at most 10 % more than the optimum")
    optimal_training_ratio = ratio("cost-optimal share of training in training and serving").or_null()
    law_excess_ratio = ratio("what the model as it is costs beyond the optimum of the law").or_null()
    verdict = choice("which way the optimum lies; near it: at most 10 % more than it", *LAW_VERDICTS)
    fits_equal_split = flag("an equal split of training and serving costs at most 10 % more than the optimum").or_null()
    beyond_ratio = ratio("how many times the demand is past the range of the equal split, or short of it").or_null()
    is_above = flag("the demand is past the range, not short of it").or_null()
    is_extrapolated = flag("tokens per parameter beyond those the law was fitted to")


class ServingBatches(Table):
    """One model on one deployment: requests in a batch against the batch at which computing pays for the weights."""

    table_key = ("deployment_id", "model_id")

    position = integer("1 loses most to small batches; shared deployments last")
    deployment_id = text("deployment")
    model_id = text("model")
    gpu_model = text("chip")
    models = count("models that the deployment serves")
    batch_measured = measure("requests in flight on each copy; null where no durations are sent", "requests").or_null()
    critical_batch = measure("requests in flight at which reading the weights is paid for by computing", "requests")
    limited_by = choice("what limits a step at the measured batch", "memory", "compute").or_null()
    small_batches_usd = usd(
        "a month: lost to batches under the planned one; null where not known, or where several models share the GPUs"
    ).or_null()
    latency_premium_usd = usd("a month: what keeping the latency limit costs; null where none is set").or_null()


class RunsInFlight(Table):
    """One training run still going: where it is heading, what is left to pay, and whether to go on."""

    table_key = ("run_id",)

    position = integer("1 is to be stopped first: by verdict, then by what is left to pay")
    run_id = text("run")
    run_name = text("its name, or its id where it has none")
    kind = text("what kind of run")
    progress_ratio = ratio("part of the planned length that is over").or_null()
    measured_by = choice("what it is judged by", "loss", "reward")
    current = measure("last loss, or reward now", "nats per token or reward").or_null()
    final_p10 = measure("at its planned end, low; of a reward its highest value, low", "as current").or_null()
    final_p90 = measure("at its planned end, high; of a reward its highest value, high", "as current").or_null()
    best_past = measure("best final loss of finished runs of the model", "nats per token").or_null()
    remaining_usd = usd("cost to the planned end").or_null()
    verdict = choice("what to do", "continue", "stop", "roll_back", "unknown")
    reason_code = text("why, or what is missing")


class TaskStandings(Table):
    """One place where inference of the last four weeks is served, or could be, over all models."""

    table_key = ("standing",)

    position = integer("from what has moved to what is not known")
    standing = choice("where it is served, or could be", *TASK_STANDINGS)
    monthly_inference_usd = usd("direct inference of the last four weeks, as a month")
    share_ratio = ratio("share of all inference that has a task or could have one")
    tasks = count("tasks of models in it")
    model_id = text("model of the largest of them")
    task = text("the largest of them").or_null()


class Pages(Table):
    """One page of the report, shown or left out with the reason, and what its title says."""

    table_key = ("position",)

    position = integer("order in the document")
    page = choice("kind of page", *PAGES)
    model_id = text("model of a model sheet").or_null()
    title_code = text("verdict of the title; its words stand in templates/words")
    title_detail = text("what the verdict names besides: what is missing, or the verdict of a second part").or_null()
    is_shown = flag("false: page B says why")
    reason = text("why it is left out").or_null()


class Numbers(Table):
    """One number that the report refers to as K-nn, exact, with the query that returns it."""

    table_key = ("number_id",)

    position = integer("nn of K-nn, in reading order")
    number_id = text("name of the number within the report")
    page = choice("page it stands on first", *PAGES)
    title = text("what it is")
    value = exact("the number itself", "unit of the row")
    unit = text("unit")
    relation = text("table it comes from")
    fields = text("columns it is made of")
    filter = text("rows it is made of")
    query = text("SQL that returns it from the tables of the night")
    run = text("the run that found it: Dagster's job and the night, which is its partition")
    input_digest = text("first eight digits of the digest over all files of the kinds it rests on")


class Scope(Table):
    """One currency's cost that the pages count, or what one rule takes out of it; together they are its ledger."""

    table_key = ("currency", "rule")

    currency = text("ISO 4217 code")
    rule = text("attribution.csv line N that puts charges out of scope; null: in scope").or_null()
    field = text("field of the charge that the rule compares").or_null()
    pattern = text("what it must be").or_null()
    billed_cost = cost("billed cost: in scope as posted, by rule as billed")
    effective_cost = cost("effective cost of the same")


class RestatedMonths(Table):
    """One closed month that no longer costs what the first night after its end reported."""

    table_key = ("month",)

    month = day("first day of the month of the charge dates")
    first_night = day("first published night after the end of the month")
    reported_usd = usd("effective cost in scope as that night reported it")
    current_usd = usd("effective cost in scope now: what the report says the month cost")
    change_usd = usd("now less as first reported")


class Restatements(Table):
    """One cause for which what one source charged to one closed month is no longer what was first reported."""

    table_key = ("month", "source", "cause")

    month = day("first day of the month of the charge dates")
    source = text("source of the settings, or accrual")
    cause = choice(
        "changed: rows of days that were there; late: rows of days that were not; withdrawn: no row of the source is "
        "there any more; correction: rows of class Correction, or billed in a later month; policy: an accrual, or cost "
        "that attribution.csv moved in or out of scope; exchange: another rate for what was first reported",
        *RESTATEMENT_CAUSES,
    )
    change_usd = usd("cost now less as first reported, at the rate of now; the causes of a month add up to its change")
    file = text("largest bill file of the month that the first night had not read, or the first that is gone").or_null()
    files = count("such files")


class Unmatched(Table):
    """One name of one source that no rule reached, among the ten largest."""

    table_key = ("source", "quantity", "name")

    source = text("source of the settings, or accrual")
    quantity = choice("what is counted", "cost", "gpu_seconds", "tokens")
    name = text("resource, run or model as sent")
    rows = count("charges, runs or hours of requests")
    amount = measure("how much of it", "currency of the bill, GPU-seconds or tokens")
    share_ratio = ratio("share of what the source holds").or_null()


class DoubtfulShares(Table):
    """One source, month and quantity of which findings put a part in doubt, and how large the part is."""

    table_key = ("source", "month", "quantity", "currency")

    source = text("source of the settings")
    month = day("first day of the month")
    quantity = choice("what is in doubt", "cost", "gpu_seconds", "tokens")
    currency = text("ISO 4217 code of a cost; empty for others")
    doubts = count("doubts that nobody has accepted")
    doubtful = measure("what they concern together", "currency, GPU-seconds or tokens")
    total = measure("what the month of the source comes to", "currency, GPU-seconds or tokens")
    doubtful_ratio = ratio("part in doubt; null where the month comes to nothing").or_null()
    largest_kind = text("kind of the largest doubt")
    largest_subject = text("subject of the largest doubt")
    largest_sentence = text("the largest doubt in words")


class LargestFindings(Findings):
    """One of the ten findings that weigh most: doubts first, then by their share of the source's month."""

    table_key = ("rank",)

    rank = count("1 is the largest")
