"""The closed lists that all rooms share, each once. It imports nothing, so any room may read it."""

from __future__ import annotations

from typing import Final

PHASES: Final = ("pretraining", "posttraining", "inference")
"""Phases of a model's life, in the order they happen."""

ACCOUNTS: Final = ("direct", "idle", "commitment_unused", "shared", "adjustment", "unallocated", "out_of_scope")
"""Accounts of the ledger (allocation-rules, section 2)."""

IDLE_ACCOUNTS: Final = ("idle", "commitment_unused")
"""Accounts of capacity that nobody used: GPUs that stood idle, a commitment that nothing drew on."""

CHARGE_CATEGORIES: Final = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
"""ChargeCategory of FOCUS."""

RUN_STATUSES: Final = ("finished", "failed", "cancelled", "timeout", "running", "unknown")
"""How a training run ended."""

END_SOURCES: Final = ("logged", "last_event", "job_db", "censored")
"""Where the end of a training run comes from."""

REQUEST_STATUSES: Final = ("ok", "error", "cancelled", "pending", "unknown")
"""How a request ended."""

COUNTERS: Final = (
    *("requests", "input_tokens", "cached_input_tokens", "output_tokens", "duration_us", "ttft_us"),
    "requests_within",
)
"""What is read of the counters of a serving process."""

THIRDS_STATUSES: Final = (
    "balanced",
    "pretraining_heavy",
    "posttraining_heavy",
    "inference_heavy",
    "too_young",
    "no_own_pretraining",
)
"""How a model's spend lies against the target shares."""

WASTE_CAUSES: Final = (
    "failed",
    "cancelled",
    "timeout",
    "abandoned_sweep",
    "repeated_steps",
    "superseded",
    *IDLE_ACCOUNTS,
)
"""Why cost was wasted or idle."""

COST_DRIVERS: Final = ("price", "volume", "mix", "efficiency", "one_off", "restatement", "other")
"""Why cost changed from month to month, in the order of the bridge."""

ACTIONS: Final = ("hold", "retrain_smaller", "distil", "route", "tune_serving", "release_capacity", "retire")
"""What can be decided about a model or a pool."""

STANDINGS: Final = ("safe", "measured", "evaluate_first", "data_request")
"""On what a recommendation stands: no answer changes; its quality was measured, or not yet; or something is missing."""

VERDICTS: Final = (
    "pays", "not_valued", "under_gate", "unstable_task", "taught_worse", "not_own_pretraining", "all_in_use",
    "too_slow", "costs_more", "saves_nothing", "paid_until_contract_end", "hardware_owned", "below_materiality",
    "unlikely", "costs_more_on_average",
)  # fmt: skip
"""Verdicts on an alternative: it pays, could not be valued, is blocked whatever its worth, or is worth too little."""

SUPPLY_KINDS: Final = ("owned", "committed", "on_demand")
"""How GPUs are paid, the cheapest to keep first."""

USER_KINDS: Final = (
    "deployment", "launch", "workload", "direct", "training", "planned_training", "announced", "idle",
)  # fmt: skip
"""Who holds GPUs of a pool, now or as policy announces; what is left stands idle."""

ENOUGH_PROBABILITY: Final = 0.8
"""The chance of paying back, given the quality gate, under which nothing is asked for (economics, section 5)."""

LAWS: Final = ("own", "epoch", "hoffmann", "muennighoff")
"""Scaling laws: the company's own fit and the published ones."""

ROW_REASONS: Final = {
    "encoding": "bytes that are not UTF-8, or half of a surrogate pair in JSON",
    "bad_quote": "a quote that is opened and not closed, or text after a closing quote",
    "header_repeat": "the row repeats the header",
    "short_row": "fewer fields than the header has",
    "long_row": "more fields than the header has",
    "truncated": "the last JSON line is cut and has no line end",
    "bad_json": "the line is no JSON object, repeats a key, or nests deeper than 64",
    "limit": "a cell above 1 MiB, or more than 2,000 keys",
    "control_char": "NUL or another control character but TAB, CR and LF",
    "missing_key": "a required id is empty",
    "bad_date": "a required time is empty, impossible, or not ISO 8601",
    "ambiguous_time": "a local time without offset in a gap or overlap of its source's zone",
    "date_out_of_range": "a start before 2015, or three days or more after the day of the run",
    "end_before_start": "the end lies before the start",
    "bad_currency": "empty, or no ISO 4217 currency in use",
    "missing_cost": "a cost that is empty or null",
    "non_finite": "a cost that is no finite number",
    "bad_decimal": "a cost that is no plain decimal: a comma, a currency sign, N/A",
    "overflow": "an amount of 10^26 or more",
    "precision_loss": "an amount with more than 38 decimals",
    "bad_count": "tokens or GPUs that are negative, fractional or no number",
    "token_mismatch": "more cached tokens than input tokens, and nothing says how the two relate",
}
"""Why a row is quarantined: the first that applies, in this order."""

FILE_REASONS: Final = {
    "not_regular": "a symbolic link, pipe, socket or device",
    "unsafe_path": "a control file names an address, an absolute path or `..`",
    "missing_part": "a control file or a manifest lists a file that is not there",
    "control_mismatch": "bytes, digest, rows or cost differ from the control file, or rows are missing of a manifest's",
    "unstable": "the file changed while it was read",
    "empty_file": "no byte, only white space, or only a header, and nothing says that this is so",
    "truncated": "compressed or Parquet data that is cut",
    "checksum": "compressed or Parquet data with a wrong checksum",
    "no_final_newline": "a bill in CSV whose last line has no end, so that it may be cut",
    "unreadable": "the content is not what the name says",
    "encoding": "not UTF-8 as a whole",
    "bad_quote": "quoting that is broken beyond one row",
    "missing_column": "a required column is absent",
    "duplicate_column": "two columns whose names are equal up to case",
    "day_first": "dates that are written day first, where the format writes the month first",
    "shrunken": "a newer file of a billing period with under half the rows or cost of the one it replaces",
    "limit": "above a limit on size, time or memory",
}
"""Why a whole file does not count; it holds the night unless `[limits] max_rejected_files` allows it."""

NIGHT_REASONS: Final = {
    "too_many_rejected": "more rows of a source were quarantined than `[limits] max_rejected_ratio` allows",
    "missing_fx": "a currency without a rate in policy/fx.csv for the month",
    "invoice_mismatch": "an invoice states another total than its charges, beyond the tolerance",
    "overflow": "a total that does not fit",
    "no_space": "less free disk than the night needs",
    "delivery_order_unknown": "two deliveries of a bill, and nothing says which is newer",
    "not_a_replacement": "a newer delivery does not cover the older one: money would vanish",
    "same_money": "two exports of one account's bill, both of which would count",
    "same_usage": "pages of usage of one source that are grouped in two ways, both of which would count",
    "nothing_counted": "a source with accepted records of which none counts",
    "too_much_doubt": "findings put more in doubt than `[limits] max_doubtful_ratio` allows",
    "other_night": "the warehouse holds another night than the one asked for",
}
"""Why a night is held: it is not published, the old report stands."""
