"""The facts that the pages print: the month reported, its history, what moved, and the index of every number."""

from warehouse.schemas.columns import choice, cost, count, day, exact, flag, integer, measure, ratio, text, usd
from warehouse.schemas.raw import Findings
from warehouse.schemas.table import Table
from warehouse.vocabulary import PHASES

RESTATEMENT_CAUSES = ("correction", "late", "withdrawn", "policy", "changed")
COST_CLASSES = (*PHASES, "idle", "shared", "unallocated", "adjustment")
PAGES = (
    "summary",
    "bridge",
    "thirds",
    "unit_economics",
    "waste",
    "amortization",
    "recommendations",
    "outlook",
    "sheet",
    "reconciliation",
    "method",
)


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
    idle_usd = usd("idle GPUs and unused commitments")
    idle_ratio = ratio("share of idle and unused in the month").or_null()
    waste_usd = usd("runs that failed, were cancelled or ran out of time")
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
    is_lasting = flag("false for training, which ends with its run")
    owner = text("owner of the model").or_null()


class Trails(Table):
    """One model at the end of one month: direct spend since its first day, by phase; the running month to the night."""

    table_key = ("model_id", "month")

    model_id = text("model")
    month = day("first day of the month")
    pretraining_usd = usd("direct pre-training to the end of the month")
    posttraining_usd = usd("direct post-training to the end of the month")
    inference_usd = usd("direct inference to the end of the month")


class Runoffs(Table):
    """One model whose training is still to be carried, and when it will have been at the pace of the month."""

    table_key = ("model_id",)

    model_id = text("model")
    closing_usd = usd("still to be carried at the end of the month")
    monthly_usd = usd("carried in the month")
    months = measure("until all of it is carried", "months").or_null()
    retires_on = day("last planned day of service").or_null()
    stranded_usd = usd("what is left when it retires").or_null()


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


class Pages(Table):
    """One page of the report, shown or left out with the reason."""

    table_key = ("position",)

    position = integer("order in the document")
    page = choice("kind of page", *PAGES)
    model_id = text("model of a model sheet").or_null()
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
    """One closed month and currency whose bills are no longer what the first night after its end reported."""

    table_key = ("month", "currency")

    month = day("first day of the month; billing periods count in the month in which they start")
    currency = text("ISO 4217 code")
    first_night = day("first published night after the end of the month")
    reported_cost = cost("billed cost of all sources as that night reported it")
    current_cost = cost("billed cost of all sources now")
    change_cost = cost("now less as first reported")


class Restatements(Table):
    """One cause for which one source's bill of one closed month is no longer what was first reported."""

    table_key = ("month", "currency", "source", "cause")

    month = day("first day of the month")
    currency = text("ISO 4217 code")
    source = text("source of the settings, or accrual")
    cause = choice(
        "correction: rows of class Correction; late: no bill of the source was there; withdrawn: none is there any "
        "more; policy: an accrual by rates.csv and the fleet; changed: rows differ without a Correction",
        *RESTATEMENT_CAUSES,
    )
    change_cost = cost("billed cost now less as first reported; the causes of a month add up to its change")
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
