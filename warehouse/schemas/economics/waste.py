"""What bought nothing: a subset of the ledger, by cause."""

from warehouse.schemas.columns import choice, count, day, measure, ratio, text, usd
from warehouse.schemas.table import Table
from warehouse.vocabulary import PHASES, WASTE_CAUSES


class RunSpend(Table):
    """One month of one training run: what it cost, and how much of that bought nothing."""

    table_key = ("month", "run_id")

    month = day("first day of the month")
    run_id = text("training run")
    run_name = text("name").or_null()
    model_id = text("model it trained").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool whose GPUs it held").or_null()
    status = text("how it ended; null where no log tells").or_null()
    gpu_seconds = measure("GPU time", "GPU-seconds")
    effective_usd = usd("effective cost")
    cause = choice("why part of it bought nothing", *WASTE_CAUSES).or_null()
    wasted_ratio = ratio("part of it that bought nothing")
    wasted_usd = usd("cost of that part")


class Waste(Table):
    """One month, cause, model, phase and pool of cost that bought nothing; each dollar has one cause."""

    month = day("first day of the month")
    cause = choice("why", *WASTE_CAUSES)
    model_id = text("model").or_null()
    phase = choice("phase", *PHASES).or_null()
    pool_id = text("pool").or_null()
    runs = count("runs behind it")
    gpu_seconds = measure("GPU time", "GPU-seconds")
    wasted_usd = usd("effective cost")


class Goodput(Table):
    """One month of all training runs: how much of their GPU time and cost bought progress."""

    table_key = ("month",)

    month = day("first day of the month")
    runs = count("runs")
    gpu_seconds = measure("GPU time of training runs", "GPU-seconds")
    wasted_gpu_seconds = measure("part of it that bought nothing", "GPU-seconds")
    effective_usd = usd("cost of training runs")
    wasted_usd = usd("part of it that bought nothing")
    goodput_ratio = ratio("share of the GPU time that bought progress").or_null()
