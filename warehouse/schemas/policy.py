"""What only the company knows: the policy tables as dated rows, and the settings of the night as one row."""

from dataclasses import replace

from warehouse.schemas.columns import (
    Column,
    choice,
    count,
    day,
    exact,
    instant,
    integer,
    measure,
    ratio,
    text,
    texts,
    usd,
)
from warehouse.schemas.findings import FINDING_KINDS
from warehouse.schemas.table import Table
from warehouse.vocabulary import PHASES


def _amount(description: str, unit: str) -> Column:
    """A quantity that cannot be negative."""
    return replace(measure(description, unit), minimum=0)


class Settings(Table):
    """The one row of settings and the night that transforms may know."""

    as_of = day("the night: it covers this UTC day")
    night_start = instant("start of the night")
    night_end = instant("end of the night, exclusive")
    built_at = instant("the clock of the run")
    company = text("name of the company")
    currency = text("reporting currency")
    pretraining_weight = measure("weight of pre-training in the target", "weight")
    posttraining_weight = measure("weight of post-training in the target", "weight")
    inference_weight = measure("weight of inference in the target", "weight")
    dead_band_ratio = ratio("modelled penalty under which nothing is recommended")
    law = text("auto, own, epoch, hoffmann or muennighoff")
    draws = count("Monte Carlo draws")
    materiality_usd = usd("median saving a month under which nothing is asked for")
    evaluation_usd = usd("one-off cost of evaluating a new model")
    migration_usd = usd("one-off cost of moving traffic")
    discount_ratio = ratio("cost of capital of a year")
    quality_gate_ratio = ratio("share of its teacher's quality that a student must keep")
    max_doubtful_ratio = ratio("part of a source's month that findings may put in doubt before the night is held")


class AcceptedFindings(Table):
    """One finding of one source that a person has looked at and accepts, as trisect.toml names it."""

    source = text("source of the settings")
    kind = choice("kind of the finding", *FINDING_KINDS)
    subject = text("what it is about, without case; * for all of the kind")


class SourcePriorities(Table):
    """One source that trisect.toml gives a priority: where two sources see one traffic, the smaller one counts."""

    table_key = ("source",)

    source = text("source of the settings")
    priority = integer("smallest first")


class Models(Table):
    """One model."""

    table_key = ("model_id",)

    model_id = text("name of the model")
    aliases = texts("other names it is sent under")
    family = text("family").or_null()
    base_model_id = text("lineage parent").or_null()
    teacher_model_id = text("teacher it was distilled from").or_null()
    origin = choice("own, or adopted: someone else paid the pre-training", "own", "adopted")
    params = _amount("parameters", "parameters").or_null()
    active_params = _amount("parameters used per token", "parameters").or_null()
    training_tokens = _amount("tokens it was trained on", "tokens").or_null()
    released_on = day("first day of service").or_null()
    retires_on = day("last planned day of service").or_null()
    owner = text("who argues with the card").or_null()


class Attribution(Table):
    """One rule; the smallest priority that matches decides, then the order in the file."""

    position = integer("order of precedence after sorting by priority and file order")
    line = integer("line in attribution.csv")
    priority = integer("smallest first")
    source = text("* or the name of a source")
    field = text("field of the record that is compared")
    pattern = text("glob; the whole value must match, case ignored")
    target = choice("what a match means", "pool", "model", "deployment", "shared", "out_of_scope")
    target_id = text("pool, model or deployment").or_null()
    phase = choice("phase, for models", *PHASES).or_null()
    team = text("team").or_null()
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()


class Deployments(Table):
    """One model served by one deployment over one interval."""

    line = integer("line in deployments.csv")
    deployment_id = text("deployment")
    model_id = text("model it serves")
    pool_id = text("pool whose GPUs it holds").or_null()
    gpu_count = _amount("GPUs it holds", "GPUs")
    valid_from = instant("start, inclusive").or_null()
    valid_to = instant("end, exclusive").or_null()
    ttft_s_limit = _amount("what its users need", "seconds").or_null()
    tpot_s_limit = _amount("what its users need", "seconds per token").or_null()


class Pools(Table):
    """One pool's stated capacity over one interval."""

    pool_id = text("pool")
    gpu_model = text("chip").or_null()
    gpu_count = _amount("GPUs", "GPUs")
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()


class Rates(Table):
    """One interval of what owned or prepaid GPUs cost: a price per GPU-hour, a loss of value, or both."""

    pool_id = text("pool")
    usd_per_gpu_hour = exact("price", "reporting currency per GPU-hour").or_null()
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()
    opening_usd = usd("what the GPUs are worth on valid_from: their purchase cost, or a market value").or_null()
    closing_usd = usd("what they are worth on valid_to; the difference is accrued evenly by day").or_null()


class Fx(Table):
    """One monthly rate of one currency."""

    table_key = ("month", "currency")

    month = day("first day of the month")
    currency = text("ISO 4217 code")
    rate = exact("reporting currency per one unit", "reporting currency")


class Lives(Table):
    """One estimate of how a model's training is carried; model `*` is the default."""

    model_id = text("model or *")
    method = choice("how", "units_of_production", "straight_line")
    months = _amount("life", "months").or_null()
    expected_tokens = _amount("tokens expected over the life", "tokens").or_null()
    valid_from = day("from when the estimate holds").or_null()
    reason = text("why the estimate changed").or_null()


class TokenWeights(Table):
    """One deployment's relative cost of a token of each kind, in thousandths; deployment `*` is the default."""

    deployment_id = text("deployment or *")
    input_milli = count("input token that was not cached", "thousandths")
    cached_input_milli = count("input token read from a cache", "thousandths")
    output_milli = count("output token", "thousandths")
    valid_from = instant("start, inclusive").or_null()
    valid_to = instant("end, exclusive").or_null()


class ApiPrices(Table):
    """One price at which a model can be had from somebody else's API, per million tokens."""

    model_id = text(
        "own model that it would replace; empty: own models whose name with its size is in api_model"
    ).or_null()
    provider = text("who sells it")
    api_model = text("name of the model there")
    input_usd_per_mtok = exact("input", "reporting currency per million tokens")
    cached_input_usd_per_mtok = exact(
        "input read from a cache; empty: as input", "reporting currency per million tokens"
    ).or_null()
    output_usd_per_mtok = exact("output", "reporting currency per million tokens")
    priced_on = day("when the price was looked up").or_null()
    reference = text("where the price stands").or_null()
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()


class Instances(Table):
    """One instance type and its GPUs."""

    position = integer("order: the company's rows first, then the built-in table")
    pattern = text("glob on the instance type")
    gpu_model = text("chip").or_null()
    gpus = _amount("GPUs per instance", "GPUs")
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()


class Budgets(Table):
    """One month's planned spend of a model and phase; `*` is all."""

    month = day("first day of the month")
    model_id = text("model or *")
    phase = text("phase or *")
    usd = usd("plan")


class Workloads(Table):
    """One measured comparison of a student with its teacher on one task."""

    task = text("task")
    student_model_id = text("student")
    quality_metric = text("what was measured")
    better = choice(
        "whether more or less of it is better; empty: as the documented list says", "higher", "lower"
    ).or_null()
    teacher_quality = measure("quality of the teacher", "quality_metric")
    student_quality = measure("quality of the student", "quality_metric")
    measured_on = day("when")


class CommitmentTerms(Table):
    """One contract as commitments.csv tells what the bill does not: its GPUs, its end and what comes then."""

    commitment_id = text("reservation, savings plan or contract; as CommitmentDiscountId on the bill where it is there")
    pool_id = text("pool whose GPUs it covers").or_null()
    gpu_count = _amount("GPUs it covers", "GPUs").or_null()
    usd_per_hour = exact("price of all of them", "reporting currency per hour").or_null()
    valid_from = day("first day, inclusive").or_null()
    valid_to = day("first day after").or_null()
    renewal = text("ends, renews or notice:<days>").or_null()


class Assets(Table):
    """One purchase of GPUs: what is sunk, and what could still be avoided."""

    pool_id = text("pool of the GPUs")
    bought_on = day("day of the purchase").or_null()
    residual_usd = usd("what they can be sold for at the end of their life").or_null()
    usd = usd("what was paid: sunk").or_null()
    life_months = _amount("months of use from the purchase on", "months").or_null()
    power_usd_per_gpu_hour = _amount("power saved by switching off", "reporting currency per GPU-hour").or_null()
