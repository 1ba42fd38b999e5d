"""A look at the inbox that changes nothing: landed into a warehouse that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import polars as pl

from orchestration.code_digest import code_digest
from orchestration.holds import HOLDS
from orchestration.settings import Project
from orchestration.settings_tables import accepted_findings, settings_table, source_priorities
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.daily_charges import billed_days
from transforms.raw.findings import findings
from transforms.reports.checks import mismatched_invoices, too_much_doubt
from transforms.reports.doubts import doubtful_shares
from transforms.reports.unmatched import unmatched
from transforms.rule_suggestions import rule_suggestions
from transforms.source_profiles import source_profiles
from transforms.staging import request_hours as hourly
from transforms.staging.accruals import accruals
from transforms.staging.charge_findings import charge_findings
from transforms.staging.charges import charges
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from transforms.staging.run_attempts import run_attempts
from transforms.staging.run_findings import run_findings
from transforms.staging.token_usage import token_usage
from transforms.staging.traffic_overlaps import captured_twice, traffic_overlaps
from transforms.staging.training_runs import training_runs
from transforms.unclear_names import unclear_names
from transforms.unconverted_months import unconverted_months
from warehouse import tables
from warehouse.connection import connect
from warehouse.incremental.fingerprints import is_sliced
from warehouse.incremental.plan import Slices
from warehouse.landing import landing
from warehouse.landing.arrivals import Workspace
from warehouse.landing.format_versions import format_versions
from warehouse.landing.holds import Hold
from warehouse.landing.inbox import late_arrivals
from warehouse.landing.requests import cache_proofs
from warehouse.landing.requests.daily_reduction import refresh_request_hours
from warehouse.landing.requests.landed_files import landed_requests
from warehouse.schemas import CATALOGUE
from warehouse.schemas.raw import Files, Quarantine
from warehouse.sources.policy.policy import read_policy
from warehouse.sources.registry import FORMATS

LONGEST_SHOWN: Final = 400
NOTHING: Final = (
    "there is nothing to publish yet: no [[source]] of trisect.toml has a file below inbox/, and policy/rates.csv has "
    "no GPUs of your own; name a source, put its files there, and run `trisect check`"
)
_LOOK: Final = {
    "tag_keys_alike": "rules take them for one key, other tools do not; agree on one spelling",
    "gpus_unknown": "the bill names the chips and never how many, so that it has no GPU-hours; say gpus_per_unit under "
    "[source.constants], or the GPUs of the pool in policy/pools.csv",
    "instance_type_unknown": "no row of policy/instances.csv matches, so it has no chip and no GPU-hours; add one",
}
"""What a person can do about names that are not clear."""


@dataclass(frozen=True)
class Preview:
    """What a landing of the inbox finds."""

    landing: landing.Landing
    files: pl.DataFrame
    quarantine: pl.DataFrame
    unmatched: pl.DataFrame
    findings: pl.DataFrame
    profiles: pl.DataFrame
    suggestions: pl.DataFrame
    unclear_names: pl.DataFrame
    versions: Mapping[str, str]
    proved_beside: Mapping[str, list[str]]
    holds: tuple[Hold, ...]
    """What would hold a night though all of it can be read, in the sentences of a run."""

    def sentences(self) -> Iterator[str]:
        """One line for each source and each refused row or file."""
        counts = ("rows", "accepted", "quarantined", "duplicates", "blank")
        for source, files in self.files.sort("source", "file").partition_by("source", as_dict=True).items():
            sums = ", ".join(f"{files[name].sum():,} {name}" for name in counts)
            flags = sorted({flag for row in files["flags"] for flag in row})
            yield f"{source[0]}: {files.height:,} files, {sums}" + (f" ({', '.join(flags)})" if flags else "")
        for row in self.findings.iter_rows(named=True):
            mark = ("accepted" if row["is_accepted"] else "doubt") if row["is_doubt"] else "notice"
            yield f"{mark}: {row['kind']}: {_cut(row['sentence'])}; {row['remedy']}"
        for row in self.unclear_names.iter_rows(named=True):
            names = _cut(", ".join(map(repr, row["names"])))
            yield f"notice: {row['kind']}: {row['source']}: {names} in {row['charges']:,} charges; {_LOOK[row['kind']]}"
        for row in self.quarantine.sort("source", "file", "location").iter_rows(named=True):
            yield f"refused: {row['reason']}: {row['file']}, {row['location']}: {_cut(row['detail'] or row['raw'])}"
        for row in self.unmatched.iter_rows(named=True):
            share = "" if row["share_ratio"] is None else f" ({row['share_ratio']:.2%} of the source)"
            amount = amount_in_words(row["amount"], row["quantity"])
            yield f"no rule: {row['source']}: {row['name']!r}: {amount}{share}"


class _Aside(NamedTuple):
    """The inbox as landed beside the project."""

    landing: landing.Landing
    connection: duckdb.DuckDBPyConnection
    workspace: Workspace


def amount_in_words(amount: float, quantity: str) -> str:
    """An amount of `reports.unmatched` in the unit that people know it by; its costs are of any currency."""
    if quantity == "gpu_seconds":
        return f"{amount / 3600:,.2f} GPU-hours"
    return f"{amount:,.0f} {quantity}" if quantity == "tokens" else f"{amount:,.2f} {quantity}"


def _cut(text: str) -> str:
    """What a terminal can show of a row that may be a megabyte long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(text):,} characters)"


@contextmanager
def _landed(project: Project, until: date) -> Iterator[_Aside]:
    """Land the inbox as of the night `until` into a warehouse that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="trisect-") as folder:
        workspace = project.workspace_beside(Path(folder))
        connection = connect(workspace.var, project.settings.machine())
        try:
            yield _Aside(
                landing.land(workspace, project.settings.sources(), connection, until, until), connection, workspace
            )
        finally:
            connection.close()


def is_anything_delivered(project: Project) -> bool:
    """Whether a first night would tell of anything: a file of a source, or rates of GPUs of one's own."""
    patterns = [source.files for source in project.settings.sources()]
    return bool(late_arrivals(project.root, patterns, {})) or not read_policy(project.root)["rates"].is_empty()


def last_day(project: Project, until: date) -> date:
    """The last day up to `until` of which the inbox tells anything; `until` itself where it tells nothing."""
    with _landed(project, until) as aside:
        return landing.last_day(aside.connection, aside.workspace.var, until)


@contextmanager
def preview(project: Project, until: date) -> Iterator[Preview]:
    """What landing the inbox as of the night `until` would come to."""
    with _landed(project, until) as aside:
        files, refused = (tables.read(aside.connection, table) for table in (Files, Quarantine))
        first = computed(aside.connection, project, aside.workspace, until, FIRST_TABLES)
        held = {name: first[name] for name in ("charges", "charge_rules", "training_runs", "token_usage")}
        yield Preview(
            landing=aside.landing,
            files=files,
            quarantine=refused,
            unmatched=first["unmatched"],
            findings=first["findings"],
            profiles=source_profiles(files, **held),
            suggestions=rule_suggestions(**held, models=first["models"], bought_from=_bought_from(project)),
            unclear_names=unclear_names(first["charges"]),
            versions=format_versions(project.root, project.settings.sources()),
            proved_beside=cache_proofs.proved(aside.connection),
            holds=tuple(_holds(first)),
        )


def _bought_from(project: Project) -> set[str]:
    """Sources whose requests are to APIs that sell tokens."""
    return {one.name for one in project.settings.sources() if FORMATS[one.kind, one.format].is_bought}


def _holds(frames: tables.Frames) -> Iterator[Hold]:
    """What holds a night for its input once it has landed, of all that is known before there is a ledger."""
    rows = {
        "mismatched_invoices": mismatched_invoices(frames["findings"]),
        "too_much_doubt": too_much_doubt(frames["doubtful_shares"], frames["settings"]),
        "unconverted_spend": unconverted_months(frames["billed_days"], frames["fx"], frames["settings"]),
    }
    for name, held in rows.items():
        for row in held.iter_rows(named=True):
            reason, _, detail = HOLDS[name](row).partition(": ")
            yield Hold(reason, row["source"], detail)


FIRST_TABLES: Final = (
    accruals,
    repeated_gpu_hours,
    charges,
    charge_findings,
    run_attempts,
    training_runs,
    traffic_overlaps,
    captured_twice,
    run_findings,
    token_usage,
    charge_rules,
    billed_days,
    unmatched,
    findings,
    doubtful_shares,
)
"""What `check` computes of a night: what no rule reaches, and what is in doubt.

What only the whole ledger or an earlier night can tell is empty there.
"""


def computed(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    workspace: Workspace,
    until: date,
    functions: Sequence[Callable[..., pl.DataFrame]],
) -> tables.Frames:
    """Tables of the night `until` over what has landed, each computed by its function, in the order of these."""
    start = datetime(until.year, until.month, until.day, tzinfo=UTC)
    refresh_request_hours(connection, landed_requests(connection, workspace.var), hourly, [], start + timedelta(days=1))
    settings = project.settings
    inputs = {
        **read_policy(project.root),
        "settings": settings_table(settings, until, start),
        "accepted_findings": accepted_findings(settings),
        "source_priorities": source_priorities(settings),
    }
    for name, rows in inputs.items():
        tables.write(connection, CATALOGUE[name], rows)
    frames, days = tables.Frames(connection), Slices(connection, code_digest, until)
    for function in functions:
        table = CATALOGUE[function.__name__]
        if is_sliced(table):
            days.renew(function)
        else:
            tables.write(connection, table, function(**{name: frames[name] for name in signature(function).parameters}))
    return frames
