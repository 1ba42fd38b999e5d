"""What the commands do; each returns its exit code or raises what main() turns into one."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from orchestration import check_output, last_failure, retention
from orchestration.dagster_store import dagster_home, dagster_instance, lay_out
from orchestration.definitions import build
from orchestration.doctor import examined
from orchestration.exit_codes import Exit
from orchestration.fetch.staged import FetchError
from orchestration.ingestion import hold
from orchestration.missing_nights import missing, yesterday
from orchestration.nights import run_night
from orchestration.nights_index import write_index
from orchestration.notify import dispatch
from orchestration.preview import NOTHING, is_anything_delivered, last_day, preview
from orchestration.progress import Detail, steps_shown
from orchestration.published_night import PublishedNight, published_night
from orchestration.run_lock import sole_run
from orchestration.settings import Project, environment, load
from orchestration.ui.serve import serve
from orchestration.whatif_output import answer, as_json, shown
from templates.typesetting import system_libraries
from transforms.decisions.portfolio.whatif import Overrides
from warehouse import publish
from warehouse.connection import connect
from warehouse.errors import BusyError, HeldError
from warehouse.recovery import set_aside_a_damaged_store
from warehouse.retention import outdated, remove
from warehouse.sample import write_empty, write_sample
from warehouse.sample.whole import is_free, write_whole
from warehouse.sources.casts.date_guard import EARLIEST
from warehouse.sources.policy.hints import policy_findings
from warehouse.sources.policy.policy import read_policy

log = logging.getLogger("trisect")

MOST_UNASKED: Final = 31
"""Missing nights that are made up without asking whoever sits at the terminal."""
SECONDS_A_NIGHT: Final = 12
"""What a small night takes, to tell how long many will."""
MEGABYTE = 1_000_000


def init(directory: Path, content: str) -> Exit:
    """Write a project directory where there is none."""
    if not is_free(directory):
        raise click.UsageError(f"{directory} is not empty; name a new directory")
    write, first = {"sample": (write_sample, "README.txt"), "empty": (write_empty, "trisect.toml")}[content]
    write_whole(directory, write)
    click.echo(f"{directory} is written; read its {first}, then `trisect run --project {directory}`")
    return Exit.PUBLISHED


def run(
    root: Path,
    first: date | None,
    last: date | None,
    now: datetime,
    making_up: str = "all",
    *,
    form: str = "text",
    detail: Detail = "normal",
) -> Exit:
    """Run the nights from `first` to `last`, else what is missing; stop at the first that is not published.

    `making_up` says which of many missing nights are meant: "all", "last" alone, or "ask" where a person can answer.
    """
    project = load(root.resolve())
    system_libraries.require()
    done: list[PublishedNight] = []
    try:
        with sole_run(project.var):
            publish.point_to_newest(project.published)
            write_index(project.published, project.settings.company.name)
            nights = _nights(project, first, last, now, making_up)
            with _letters_sent(project, nights, now):
                for night in nights:
                    done.append(_one_night(project, night, now, detail))
                    if detail != "quiet":
                        click.echo(done[-1].sentence(), err=True)
    finally:
        # also where a night is not published: those before it are, and why it is not stands on stderr
        if form == "json":
            click.echo(json.dumps({"nights": [one.as_values() for one in done]}, indent=1))
    if not done and detail != "quiet":
        click.echo(f"nothing to do: every night up to {yesterday(now)} is published", err=True)
    return max((one.exit_code for one in done), default=Exit.PUBLISHED)


def _nights(project: Project, first: date | None, last: date | None, now: datetime, making_up: str) -> list[date]:
    if first or last:
        start = first or last
        end = last or yesterday(now)
        if start is None or end < start:
            raise click.UsageError(f"the last night {end} lies before the first {start}; swap them")
        _refuse_what_no_night_can_be(start, end, now)
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]
    if publish.nights(project.published):
        gaps = missing(project, yesterday(now))
        if making_up == "last":
            return gaps[-1:]
        if making_up == "ask" and len(gaps) > MOST_UNASKED and sys.stderr.isatty():
            minutes = len(gaps) * SECONDS_A_NIGHT // 60 + 1
            raise click.UsageError(
                f"{len(gaps):,} nights are missing, {gaps[0]} to {gaps[-1]}, some {minutes:,} minutes of work; "
                "add --all to make up each, or --last for the newest alone"
            )
        return gaps
    if not is_anything_delivered(project):
        raise click.UsageError(NOTHING)
    return [last_day(project, yesterday(now))]


def _refuse_what_no_night_can_be(first: date, last: date, now: datetime) -> None:
    if last > now.date():
        raise click.UsageError(
            f"night {last} begins after this clock, {now.isoformat()}; name one up to {now.date()}, or another --now"
        )
    if first < EARLIEST.date():
        raise click.UsageError(f"night {first} lies before {EARLIEST.date()}, the first there is; name a later one")


def _one_night(project: Project, night: date, now: datetime, detail: Detail) -> PublishedNight:
    with _failure_noted(project, night, now), steps_shown(f"night {night}", detail):
        run_night(build(project.root, now), project, night, now)
    return published_night(project.published, night)


@contextmanager
def _letters_sent(project: Project, nights: list[date], now: datetime) -> Iterator[None]:
    """Send what is due also where no night was published, and say who does not have what they should have."""
    try:
        yield
    except Exception:
        _say(dispatch.delivered(project, now))
        raise
    # The last asset of a night has sent everything already, and has waited for the mail server.
    _say(dispatch.troubles(project, now) if nights else dispatch.delivered(project, now))


def _say(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(sentence, err=True)


@contextmanager
def _failure_noted(project: Project, night: date, now: datetime) -> Iterator[None]:
    """Leave a note for `trisect status` when the night is not published; take it away when it is."""
    try:
        yield
    except Exception as error:
        last_failure.note(
            project.var, last_failure.Failure(night, now, str(error), is_held=isinstance(error, HeldError))
        )
        raise
    last_failure.forget(project.var)


def check(root: Path, now: datetime, form: str = "text", detail: Detail = "normal") -> Exit:
    """Say what each source is, what no rule reaches and what a run would refuse and why, without changing anything."""
    project = load(root.resolve())
    policy = read_policy(project.root)
    faults = policy_findings(project.root, policy, [source.name for source in project.settings.sources()])
    notes = [f"note: {fault}" for fault in faults]
    with ExitStack() as opened:
        with steps_shown("check", detail):
            previewed = opened.enter_context(preview(project, yesterday(now)))
        records = check_output.recognised(project, previewed.profiles, previewed.versions, previewed.proved_beside)
        notes += previewed.sentences()
        holds = (*previewed.landing.holds, *previewed.holds)
        suggestions = check_output.in_columns(project, previewed.suggestions)
        if form == "json":
            click.echo(check_output.as_json(records, suggestions, holds, notes))
        else:
            lines = (*check_output.to_paste(project, suggestions), *check_output.remedies(holds))
            for sentence in (*check_output.sentences(records), *notes, *lines):
                click.echo(sentence)
        hold(previewed.landing, project.settings.machine())
        for one in previewed.holds:
            raise HeldError(f"held: {one.reason}: {one.detail}")
    if detail != "quiet":
        click.echo("a run would be published", err=True)
    return Exit.PUBLISHED


def fetch(root: Path, names: Sequence[str], now: datetime) -> Exit:
    """Bring what is new of every remote source, or of those named; one that fails keeps no other from coming."""
    from orchestration.fetch import fetch as remote  # noqa: PLC0415 - no other command loads what reads a network

    project = load(root.resolve())
    sections, failed = remote.remote_sources(project, names), []
    for section in sections:
        try:
            one = remote.fetch(project, section, now.astimezone(UTC).date())
        except FetchError as error:
            failed.append(f"{section.name}: {error}")
            click.echo(failed[-1], err=True)
            continue
        click.echo(
            f"{one.source}: {one.new:,} files brought ({one.bytes / MEGABYTE:,.1f} MB), {one.unchanged:,} unchanged"
        )
    if not sections:
        click.echo("no source has a [source.remote]; add one with its url to trisect.toml", err=True)
    elif failed:
        click.echo(
            f"{len(failed)} of {len(sections)} sources could not be fetched; see above, then fetch again", err=True
        )
    return Exit.FAILED if failed else Exit.PUBLISHED


def doctor(root: Path) -> Exit:
    """Look at all that a night trusts, and say what to do."""
    findings = []
    for finding in examined(load(root.resolve())):
        click.echo(finding.sentence())
        findings.append(finding)
    bad = [finding.name for finding in findings if not finding.is_well]
    click.echo(f"not well: {', '.join(bad)}; what to do stands above" if bad else "all is well", err=True)
    return Exit.FAILED if bad else Exit.PUBLISHED


def prune(root: Path, now: datetime, *, is_only_shown: bool) -> Exit:
    """Remove what is kept no longer, as a night does at its end, or only name it."""
    project = load(root.resolve())
    with sole_run(project.var), closing(connect(project.var, project.settings.machine())) as connection:
        gone = outdated(project.var, connection, project.settings.retention.published_months, now)
        with dagster_instance(project.var, project.settings.dagster) as instance:
            runs = retention.old_runs(instance, project.settings.retention.dagster_nights)
            for one in gone:
                click.echo(f"{one.kind}: {one.path.relative_to(project.var)}, {one.bytes:,} bytes")
            if not is_only_shown:
                remove(connection, gone)
                retention.forget_runs(instance, project.var, runs)
                write_index(project.published, project.settings.company.name)
    verb = "would remove" if is_only_shown else "removed"
    click.echo(f"{verb} {'; '.join(retention.sentences(gone, runs)) or 'nothing'}", err=True)
    return Exit.PUBLISHED


def whatif(root: Path, model_id: str, changed: Mapping[str, Any], form: str) -> Exit:
    """Answer what would be decided about a model under other assumptions; nothing is stored or published."""
    priced = answer(load(root.resolve()), model_id, Overrides(**changed))
    if form == "json":
        click.echo(as_json(priced), nl=False)
    else:
        shown(priced)
    return Exit.PUBLISHED


def ui(root: Path, port: int, served_as: Sequence[str]) -> Exit:
    """Serve Dagster's UI and daemon for the project on loopback until interrupted."""
    project = load(root.resolve())
    with suppress(BusyError), sole_run(project.var):  # a night that runs is using the store, which then is no ruin
        set_aside_a_damaged_store(project.var)
    lay_out(project.var, project.settings.dagster)
    click.echo(f"http://127.0.0.1:{port} shows the nights of {project.root} and runs them; Ctrl-C stops both", err=True)
    ended = serve(port, served_as, environment(dagster_home(project.var, project.settings.dagster), project.root))
    click.echo(f"the UI ended with code {ended}; its own words stand above" if ended else "the UI is closed", err=True)
    return Exit.FAILED if ended else Exit.PUBLISHED
