"""What earlier nights said, as they published it: the other side of every restatement and every promise."""

from warehouse.schemas import decisions
from warehouse.schemas.columns import choice, cost, count, day, exact, integer, measure, ratio, text, usd
from warehouse.schemas.economics.demand import LIFE_BASES
from warehouse.schemas.economics.training import ESTIMATE_BASES
from warehouse.schemas.table import Table


class PublishedNights(Table):
    """One published night at its latest revision."""

    table_key = ("night",)

    night = day("night")
    revision = count("latest revision, from 1")


class PublishedPeriods(Table):
    """One source, billing period, invoice and currency, as one night reported it."""

    table_key = ("night", "source", "billing_period_start", "invoice_id", "currency")

    night = day("night that reported it")
    source = text("source of the settings, or accrual")
    billing_period_start = day("first day of the billing period")
    invoice_id = text("invoice; empty where the bill names none")
    currency = text("ISO 4217 code")
    charges = count("charges")
    billed_cost = cost("sum of the bill")
    effective_cost = cost("sum of the bill, effective")
    correction_billed_cost = cost("part of the billed cost that rows of class Correction carry")


class ReportedMonths(Table):
    """One month of charge dates, month of billing, source and currency, as a month's first published night had it."""

    table_key = ("night", "month", "billing_month", "source", "currency")

    night = day("night that reported it")
    month = day("first day of the month of the charge dates")
    billing_month = day("first day of the month in which the billing period starts")
    source = text("source of the settings, or accrual")
    currency = text("ISO 4217 code")
    effective_cost = cost("effective cost in scope")
    out_of_scope_cost = cost("effective cost that attribution.csv took out of scope")
    correction_cost = cost("part of the effective cost that rows of class Correction brought")
    rate = exact("rate of the month", "reporting currency per one unit of the currency").or_null()
    effective_usd = usd("effective cost in scope, as far as it had a rate")
    last_charge_date = day("latest charge date")


class PublishedBills(Table):
    """One file of a source of bills that the first published night of a month had read."""

    table_key = ("night", "source", "file", "sha256")

    night = day("night that had read it")
    source = text("source of the settings")
    file = text("path below the project directory")
    sha256 = text("digest of the file")


class PublishedAmortization(Table):
    """One month of one model's training still to be carried, as the first published night of a month reported it."""

    table_key = ("night", "month", "model_id")

    night = day("night that reported it")
    month = day("first day of the month")
    model_id = text("model")
    method = choice("how it was carried", "units_of_production", "straight_line")
    basis = choice("where the estimate came from", *ESTIMATE_BASES)
    opening_usd = usd("balance at the start")
    additions_usd = usd("training of the month that did not fail, and what was inherited")
    amortized_usd = usd("carried by the month's service")
    written_off_usd = usd("stranded at retirement")
    tokens_served = measure("served in the month, as it was known then", "production_unit")
    expected_tokens = measure("expected from the start of the month to retirement", "production_unit").or_null()
    expected_days = count("days of service expected from the start of the month, where straight line", "days").or_null()
    ends_on = day("last day of service that the estimate expects").or_null()
    life_basis = choice("how that day is known", *LIFE_BASES).or_null()


class PastRecommendations(Table):
    """One recommendation as one night published it."""

    table_key = ("night", "rank")

    night = day("night that recommended it")
    rank = integer("1 was the most valuable")
    model_id = text("model").or_null()
    task = text("task").or_null()
    pool_id = text("pool").or_null()
    action = text("what to do")
    monthly_saving_usd_p10 = usd("saving a month, low").or_null()
    monthly_saving_usd_p50 = usd("saving a month, median").or_null()
    monthly_saving_usd_p90 = usd("saving a month, high").or_null()
    payback_months_p50 = measure("months until it has paid back", "months").or_null()
    probability = ratio("chance that it pays back").or_null()


class PastLawDraws(decisions.LawDraws):
    """One law as it might be, as the run before left it; the own law is fitted again only when its points change."""
