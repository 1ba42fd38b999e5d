"""Findings: what readers, staging and ledger notice and cannot decide. The closed list of kinds, and their words.

A table of findings extends `FindingRow`; `raw.findings` gathers all of them and says each in words. The words of a
kind stand here and nowhere else: a row holds a code and typed values, and every page, file and command shows the same
sentence of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from warehouse.schemas.columns import choice, cost, count, day, measure, text
from warehouse.schemas.table import Table

SECONDS_AN_HOUR: Final = 3600


@dataclass(frozen=True)
class FindingKind:
    """One kind of finding: whether it is a doubt about a number, its sentence, and what a user can do about it.

    A doubt makes the night end with exit 10, and holds it above `[limits] max_doubtful_ratio`; a notice is a fact to
    know. `sentence` and `remedy` are formats over the columns of a row; `remedy_code` names the remedy for a program.
    """

    sentence: str
    remedy_code: str
    remedy: str
    is_doubt: bool


def _doubt(sentence: str, remedy_code: str, remedy: str) -> FindingKind:
    return FindingKind(sentence, remedy_code, remedy, is_doubt=True)


def _notice(sentence: str, remedy_code: str, remedy: str) -> FindingKind:
    return FindingKind(sentence, remedy_code, remedy, is_doubt=False)


FINDING_KINDS: Final[Mapping[str, FindingKind]] = MappingProxyType({
    "captured_twice": _doubt(
        "{subject} was captured by {source} and by {counterpart}: {rows} records of the same traffic count twice",
        "set_source_priority",
        "give both sources a `priority` in trisect.toml; where they see the same traffic the smaller number counts",
    ),
    "call_logged_twice": _doubt(
        "{subject}: {rows} records look like calls that are logged under two ids",
        "drop_one_instrument",
        "log each call once (the outer or the inner one), or accept the finding if these are two calls",
    ),
    "nested_calls": _doubt(
        "{subject}: {rows} counted spans lie within other counted spans of their trace",
        "drop_one_instrument",
        "instrument the outer or the inner call, or accept the finding if both served tokens",
    ),
    "ids_repeat": _notice(
        "{subject}: {rows} records repeat an id at another time; they count as different requests",
        "send_unique_ids",
        "let the server or exporter send one id per request",
    ),
    "copies_differ": _doubt(
        "{subject}: {rows} records share id and time with others and differ from the one of them that counts",
        "send_unique_ids",
        "let the server or exporter send one id per request, or accept the finding if each is one call told twice",
    ),
    "usage_not_counted": _doubt(
        "{subject}: {rows} records carry usage and count nothing",
        "name_the_operation",
        "name the operation or the model in the telemetry, or under [source.constants] or [source.columns]",
    ),
    "cached_inside": _notice(
        "{subject}: cached tokens are taken for a part of the input in {rows} records, as most writers have them",
        "state_cached_input",
        "nothing if that is right; else say so in [source.options] of the source",
    ),
    "cached_beside": _notice(
        "{subject}: cached tokens are added to the input in {rows} records, for some have more of them than input",
        "state_cached_input",
        "nothing if that is right; else say so in [source.options] of the source",
    ),
    "run_without_pool": _doubt(
        "run {subject} has a model and no pool: what its GPUs cost seems idle or is shared by others",
        "add_pool_rule",
        "add a rule with target `pool` to policy/attribution.csv that matches the run",
    ),
    "no_pool_rule": _notice(
        "{subject}: {rows} runs have a model, but no rule names a pool, so that their GPU time divides no cost",
        "add_pool_rule",
        "nothing if bills name the model of every charge; else add rules with target `pool` to policy/attribution.csv",
    ),
    "run_without_gpus": _doubt(
        "run {subject} does not say how many GPUs it held, or for how long, so that it holds none",
        "log_gpu_count",
        "log the GPUs and the time, map columns to gpu_count and ended_at, or set gpu_count under [source.constants]",
    ),
    "gpus_claimed_twice": _doubt(
        "{subject} and {counterpart} say they hold the same GPUs at the same time",
        "link_the_runs",
        "write the job's id into the tracker's configuration, drop one of the two logs, or give each a sidecar",
    ),
    "pool_without_gpus": _notice(
        "pool {subject}: neither a bill nor policy states its GPUs, so none is idle: its users share all of its cost",
        "state_pool_size",
        "add the pool's GPUs to policy/pools.csv",
    ),
    "gpu_hours_capped": _notice(
        "{subject}: {rows} charges bill the same GPUs at the same time; each GPU counts once an hour",
        "none_needed",
        "nothing, if these are licences, support or disks beside compute; else correct GpuCount in the export",
    ),
    "double_billed": _doubt(
        "{subject} is billed whole and split: {rows} charges stand beside the split of them",
        "bill_whole_or_split",
        "ask for an export with either, or give one of the two to out_of_scope in policy/attribution.csv",
    ),
    "commitment_counted_twice": _doubt(
        "commitment {subject} has an effective cost in its purchase and in the usage that it covers",
        "amortise_once",
        "export the purchase with an effective cost of 0, or put it out of scope in policy/attribution.csv",
    ),
    "views_differ": _doubt(
        "the actual costs of account {subject} lack what {rows} rows of its amortised costs hold; these count nothing",
        "deliver_both_views",
        "export both views of the same accounts and days",
    ),
    "invoice_mismatch": _doubt(
        "invoice {subject} states another total than its charges add up to",
        "deliver_invoice_lines",
        "deliver the missing charges or the corrected total",
    ),
    "closed_period_changed": _notice(
        "{subject} changed after it was closed and published, without a row of class Correction",
        "ask_the_provider",
        "ask the provider for the reason; the restatement on page A names the file",
    ),
    "landed_again": _notice(
        "{rows} files of {source} that were read before were missing or damaged below var/; they were read again",
        "none_needed",
        "nothing; what lies below var/ may be deleted at any time",
    ),
    "counter_restarted": _notice(
        "{subject}: servers began to count from zero again {rows} times; what they served after the last scrape before "
        "is not known",
        "scrape_more_often",
        "scrape more often, so that less is lost; nothing else, if servers were started again",
    ),
    "counter_of_another_server": _doubt(
        "{subject}: {rows} samples of counters lie below earlier and later ones of the same name; they are left out",
        "scrape_each_server",
        "scrape each server under a name of its own, by pod and not by service",
    ),
    "scrapes_far_apart": _notice(
        "{subject}: servers were not scraped for over two hours {rows} times; what they counted is spread evenly",
        "scrape_more_often",
        "scrape at least once an hour, so that tokens stand in the hour they were served in",
    ),
    "source_without_files": _notice(
        "source {source} has no file that matches {subject}; nothing of it is counted",
        "deliver_files",
        "deliver a file, or correct `files` of the source in trisect.toml",
    ),
    "source_without_rows": _notice(
        "none of the {rows} files of source {source} holds a row of its format; nothing of it is counted",
        "name_the_files",
        "look into the page of the format, docs/formats, for what `files` must name, or correct `format`",
    ),
    "no_bill": _notice(
        "no bill has come: nothing has a cost but what rates.csv prices",
        "deliver_files",
        "deliver a bill below inbox/ and name it as a [[source]]",
    ),
})  # fmt: skip
"""Every kind of finding there is; docs/findings.md explains each."""


class FindingRow(Table):
    """One finding of one source: what it is about, and how much cost, GPU time or tokens it concerns."""

    source = text("source of the settings, or accrual; empty where it concerns the whole night")
    file = text("file below the project directory, where it is about one").or_null()
    kind = choice("code of the closed list", *FINDING_KINDS)
    subject = text("what it is about: a resource, run, commitment, invoice, model or file")
    counterpart = text("the other one of a pair").or_null()
    rows = count("records it concerns")
    amount = cost("cost it concerns; what would count too often, or is missing").or_null()
    currency = text("ISO 4217 code of the amount").or_null()
    gpu_seconds = measure("GPU time it concerns", "GPU-seconds").or_null()
    tokens = measure("tokens it concerns", "tokens").or_null()
    day_from = day("first day it concerns").or_null()
    day_to = day("last day it concerns").or_null()


def sentence(finding: Mapping[str, Any]) -> str:
    """What was noticed, with its amounts and days."""
    values = {name: "" if value is None else value for name, value in finding.items()} | {
        "rows": f"{finding['rows']:,}"
    }
    main = FINDING_KINDS[finding["kind"]].sentence.format_map(values)
    facts = [part for part in (worth(finding), _days(finding["day_from"], finding["day_to"])) if part]
    return main + (f" ({'; '.join(facts)})" if facts else "")


def remedy(finding: Mapping[str, Any]) -> str:
    """What a user can do about it."""
    return FINDING_KINDS[finding["kind"]].remedy


def worth(finding: Mapping[str, Any]) -> str:
    """The cost, GPU-hours and tokens that a finding concerns; empty where it concerns none."""
    amount: Decimal | None = finding["amount"]
    parts = [
        f"{amount:,.2f} {finding['currency']}" if amount is not None else "",
        f"{finding['gpu_seconds'] / SECONDS_AN_HOUR:,.1f} GPU-hours" if finding["gpu_seconds"] is not None else "",
        f"{finding['tokens']:,.0f} tokens" if finding["tokens"] is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _days(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"


@dataclass(frozen=True)
class Finding:
    """One finding of a reader about its file; the landing adds the source, and the file where it is not named.

    Example:
        >>> Finding("usage_not_counted", "chat_completions", rows=3, tokens=1200.0).kind
        'usage_not_counted'
    """

    kind: str
    subject: str
    rows: int = 0
    counterpart: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    gpu_seconds: float | None = None
    tokens: float | None = None
    day_from: date | None = None
    day_to: date | None = None
    file: str | None = None
