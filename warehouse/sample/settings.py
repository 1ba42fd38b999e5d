"""trisect.toml and README.txt: of the invented company, and of a project that is still empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from warehouse.sample.company import Company
from warehouse.sample.requests import BATCHES, GATEWAY, IMAGES
from warehouse.sample.tracker import COLUMNS as TRACKER

DECISIONS: Final = """\
[thirds]
target = { pretraining = 1.0, posttraining = 1.0, inference = 1.0 }
dead_band = 0.10

[decisions]
law = "auto"
draws = 2000
materiality_usd = 1000
evaluation_usd = 50000
migration_usd = 20000
discount_rate = 0.10
quality_gate = 0.97

[report]
paper = "A4"

[limits]
memory = "4GB"
threads = 0
max_rejected_ratio = 0.01
"""

README: Final = """\
Quillmere AI does not exist. Its clouds, contracts, models and users are invented; the formats are real.

    trisect run                    lands everything up to the night of 20 November 2026 and publishes the report
    var/published/current          names the newest night; open leadership.pdf there

What arrives
    inbox/tarnfell     FOCUS 1.2, a file a month with its control file, the open month twice; reserved H100 and A100
    inbox/skerrow      FOCUS 1.2, each month in parts; H200 for two campaigns of pre-training, L40S for small models
    inbox/brenloch     FOCUS 1.2 in euros; image serving
    inbox/mlperf       pre-training runs as MLPerf logs, with a failed start and one that ran out of time
    inbox/tracker      all other runs, as an experiment tracker exports them
    inbox/gateway      requests by the hour, Parquet
    inbox/batches      documents in batches, CSV, some lines twice, some empty
    inbox/agents       traced requests, OTLP JSON lines
    inbox/images       images by the hour, CSV

What to look for
    heron-34b          serving has outgrown training: what would a smaller one cost?
    heron-70b          most of its money went into pre-training, one start failed, and few use it
    heron-16b          in balance
    heron-22b          released in October: too young to judge; its ablations and the scaling sweep are its pre-training
    heron-34b-legal    inherits the training of heron-34b
    wren-7b            retired at the end of August with a balance still to be carried
    osprey-32b-code    built on a base that someone else pre-trained; most of its requests are one task, completion
    osprey-1b          distilled from it; policy/workloads.csv says how good it is at the teacher's two tasks
    osprey-32b-sql     answers eight requests a day on sixteen GPUs
    plover-image-6b    serves images, not tokens
    reserve-a100       half empty since wren-7b retired, under a larger contract that renews in December
    October's bill     corrects the price of August's H200
"""


def settings_of(company: Company) -> str:
    """trisect.toml of the invented company."""
    bills = "\n".join(
        _source(provider.name, "gpu_billing", "focus", f"inbox/{provider.name}/**/*.csv.gz")
        for provider in company.providers
    )
    return "\n".join(
        [
            f'[company]\nname = "{company.name}"\ncurrency = "{company.currency}"\n',
            bills,
            _source("mlperf", "training_logs", "mlperf", "inbox/mlperf/**/*"),
            _source("tracker", "training_logs", "table", "inbox/tracker/*.csv", TRACKER),
            _source("gateway", "request_telemetry", "table", "inbox/gateway/*.parquet", GATEWAY),
            _source("batches", "request_telemetry", "table", "inbox/batches/*.csv.gz", BATCHES),
            _source("images", "request_telemetry", "table", "inbox/images/*.csv.gz", IMAGES, {"unit_name": "image"}),
            _source("agents", "request_telemetry", "otlp", "inbox/agents/*.jsonl.gz"),
            DECISIONS,
        ]
    )


def _source(
    name: str,
    kind: str,
    form: str,
    files: str,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
) -> str:
    head = f'[[source]]\nname = "{name}"\nkind = "{kind}"\nformat = "{form}"\nfiles = "{files}"\n'
    return head + _section("columns", columns or {}) + _section("constants", constants or {})


def _section(title: str, pairs: Mapping[str, str]) -> str:
    lines = "".join(f'{key} = "{value}"\n' for key, value in pairs.items())
    return f"[source.{title}]\n{lines}" if lines else ""


EMPTY: Final = """\
# Settings of this project. Every line that starts with # is an example or an explanation.

[company]
name = "Example AI"
currency = "USD"                     # reporting currency

# One [[source]] for each place that files come from. Put the files under inbox/<name>/ and let them lie there.
#
# [[source]]
# name   = "aws"                     # unique; stands beside every number that came from it
# kind   = "gpu_billing"             # gpu_billing | training_logs | request_telemetry
# format = "focus"
# files  = "inbox/bills/**/*.parquet"
# delivery = "replace"               # replace: a newer file for a billing period replaces the older | append | parts
#
# [[source]]
# name   = "runs"
# kind   = "training_logs"
# format = "table"
# files  = "inbox/training/*.csv"
# [source.columns]                   # canonical name = column in the file
# run_name = "name"
# started_at = "created"
# ended_at = "finished"
# gpu_count = "gpus"
#
# [[source]]
# name   = "gateway"
# kind   = "request_telemetry"
# format = "table"
# files  = "inbox/requests/*.parquet"
# [source.columns]
# start_at = "TIMESTAMP"
# input_tokens = "prompt_tokens"
# output_tokens = "completion_tokens"
# [source.constants]                 # canonical name = one value for the whole source
# model = "my-model"
# [source.options]
# timezone = "UTC"                   # of times without an offset
#
# The published night by e-mail; without this section nothing is sent.
#
# [delivery]
# host = "smtp.example.com"
# security = "starttls"              # starttls | tls | none
# username = "trisect"
# password_variable = "MAIL_PASSWORD"
# sender = "trisect@example.com"
#
# [[delivery.audience]]
# name = "leadership"
# to = ["cfo@example.com"]
# form = "attachment"                # attachment | link (needs published_url)

"""
