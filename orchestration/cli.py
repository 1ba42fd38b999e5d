"""The command `trisect`. What a command needs is imported when it runs, so that help does not wait for Dagster."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import rich_click as click

from orchestration.clock import moment
from orchestration.exit_codes import Exit
from warehouse.errors import BusyError, HeldError, UnusableError
from warehouse.vocabulary import LAWS

DEBUG_VARIABLE: Final = "TRISECT_DEBUG"
"""Set to anything, an error also prints where in the code it came from."""


def _commands() -> Any:  # noqa: ANN401 - the module that does the work, which takes seconds to import
    return import_module("orchestration.commands")


PROJECT = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: import_module("orchestration.settings").project_directory(),
    show_default="the current directory",
    help="Project directory.",
)


class Day(click.ParamType[date]):
    """A calendar day, YYYY-MM-DD."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a usage error that names it."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-11-21", param, ctx)


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601."""

    name = "time"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, or a usage error that names it."""
        try:
            return value if isinstance(value, datetime) else moment(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write it as 2026-11-21T06:00:00Z", param, ctx)


class Amount(click.ParamType[float]):
    """A number above zero that something can be assumed to be."""

    name = "number"
    most: Final = 1e18

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that names it."""
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number <= self.most:
            self.fail(f"{value!r} cannot be; give a number above zero, {self.most:g} at most", param, ctx)
        return number


NOW = click.option(
    "--now",
    type=Moment(),
    default=lambda: moment(None),
    show_default="the wall clock",
    help="The clock of the run, for tests and back-dated runs.",
)


QUIET = click.option("-q", "--quiet", "detail", flag_value="quiet", help="Say nothing where nothing is wrong.")
VERBOSE = click.option(
    "-v", "--verbose", "detail", flag_value="verbose", help="A line for each file and table, with seconds."
)
NORMAL = click.option("--normal", "detail", flag_value="normal", default=True, hidden=True)
JSON = click.option("--json", "form", flag_value="json", help="As one JSON document.")
TEXT = click.option("--text", "form", flag_value="text", default=True, help="As lines to read.")

EXIT_MEANINGS: Final = {
    Exit.PUBLISHED: "published",
    Exit.UNUSABLE: "usage, settings, policy or the machine are wrong",
    Exit.PUBLISHED_WITH_QUARANTINE: "published, with rows in quarantine or findings in doubt",
    Exit.HELD: "held: not published, the old report stands",
    Exit.NIGHT_MISSING: "`status`: a night is missing",
    Exit.FAILED: "failed: nothing was published, the old report stands",
    Exit.BUSY: "another run is active",
}
click.rich_click.COMMAND_GROUPS = {
    "trisect": [
        {"name": "Begin", "commands": ["init", "check", "doctor"]},
        {"name": "Every night", "commands": ["fetch", "run", "status", "prune"]},
        {"name": "Look", "commands": ["ui", "whatif"]},
    ]
}


class Commands(click.RichGroup):
    """The commands; a name that is nearly one is answered with it."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401 - as click types it
        """The command of the first word, or a usage error that says which one was meant."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(self.commands))}"
            raise click.UsageError(f"no command {args[0]!r}{meant}", ctx)
        return super().resolve_command(ctx, args)


def examples(*lines: str) -> str:
    """The end of a command's help: lines that can be typed as they stand."""
    return "\n\n".join(("Examples:", *lines))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n\n".join(("Exit codes:", *(f"{int(code)} {meaning}" for code, meaning in EXIT_MEANINGS.items()))),
)
@click.version_option(package_name="trisect")
def trisect() -> None:
    """What a model costs over its life: one exact ledger per model and phase, and what to do about it."""


@trisect.command(epilog=examples("trisect init mycompany", "trisect init --sample demo"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--sample", "content", flag_value="sample", help="With a small invented company in real formats.")
@click.option("--empty", "content", flag_value="empty", default=True, hidden=True)
def init(directory: Path, content: str) -> int:
    """Write a project directory."""
    return int(_commands().init(directory, content))


@trisect.command(
    epilog=examples("trisect run", "trisect run --night 2026-11-20", "trisect run --last --json", "trisect run -v")
)
@PROJECT
@click.option("--night", type=Day(), help="The one night to run.")
@click.option("--from", "first", type=Day(), help="First night to run.")
@click.option("--to", "last", type=Day(), help="Last night to run.")
@click.option("--all", "making_up", flag_value="all", help="Make up every missing night, however many.")
@click.option("--last", "making_up", flag_value="last", help="Of the missing nights make up the newest alone.")
@click.option("--ask", "making_up", flag_value="ask", default=True, hidden=True)
@NOW
@JSON
@TEXT
@QUIET
@VERBOSE
@NORMAL
def run(
    *,
    project: Path,
    night: date | None,
    first: date | None,
    last: date | None,
    now: datetime,
    making_up: str,
    form: str,
    detail: str,
) -> int:
    """Run the night(s): land, validate, compute, publish. Without a night: what is missing."""
    if night and (first or last):
        raise click.UsageError("--night and --from/--to exclude each other; use one of them")
    return int(_commands().run(project, night or first, night or last, now, making_up, form=form, detail=detail))


@trisect.command(epilog=examples("trisect check", "trisect check --json"))
@PROJECT
@NOW
@JSON
@TEXT
@QUIET
@VERBOSE
@NORMAL
def check(project: Path, now: datetime, form: str, detail: str) -> int:
    """Say what each source is, what no rule reaches with the lines to paste, and what a run would reject and why."""
    return int(_commands().check(project, now, form, detail))


@trisect.command(epilog=examples("trisect fetch", "trisect fetch aws"))
@click.argument("sources", nargs=-1)
@PROJECT
@NOW
def fetch(sources: tuple[str, ...], project: Path, now: datetime) -> int:
    """Bring new objects and tables of [source.remote] below inbox/; the only command that reads from a network."""
    return int(_commands().fetch(project, sources, now))


@trisect.command(epilog=examples("trisect status", "trisect status --json"))
@PROJECT
@JSON
@TEXT
@QUIET
@NORMAL
@click.option("--tell", is_flag=True, help="Also send what is due, missing nights among it.")
@NOW
def status(project: Path, form: str, detail: str, tell: bool, now: datetime) -> int:  # noqa: FBT001 - as the option gives it
    """Last published night, its age, missing nights, last failure."""
    return int(import_module("orchestration.status").status(project, now, form=form, is_told=tell, detail=detail))


@trisect.command(epilog=examples("trisect doctor"))
@PROJECT
def doctor(project: Path) -> int:
    """Look at versions, libraries, clock, room, lock and damaged files, and say what to do."""
    return int(_commands().doctor(project))


@trisect.command(epilog=examples("trisect prune --dry-run"))
@PROJECT
@click.option("--dry-run", is_flag=True, help="Only name what would be removed.")
@NOW
def prune(project: Path, dry_run: bool, now: datetime) -> int:  # noqa: FBT001 - as the option gives it
    """Remove what [retention] keeps no longer, as each night does at its end."""
    return int(_commands().prune(project, now, is_only_shown=dry_run))


@trisect.command(epilog=examples("trisect whatif atlas --demand 2", "trisect whatif atlas --params 3e9 --json"))
@click.argument("model")
@PROJECT
@click.option("--demand", "demand_ratio", type=Amount(), help="Demand as a multiple of the forecast.")
@click.option("--monthly-tokens", type=Amount(), help="Demand as tokens a month, level.")
@click.option("--params", type=Amount(), help="Size to retrain at, parameters used per token.")
@click.option("--price", "usd_per_mtok", type=Amount(), help="Direct price of serving a million tokens.")
@click.option("--life", "remaining_months", type=Amount(), help="Months of service still ahead.")
@click.option("--law", type=click.Choice(LAWS), help="Scaling law to decide by.")
@click.option("--requests", type=Amount(), help="Requests of a whole life: compare two sizes by price of a request.")
@click.option("--request-price", "usd_per_request", type=Amount(), help="Price of a request of the model.")
@click.option("--training-cost", "training_usd", type=Amount(), help="Cost of training the model.")
@click.option("--candidate-request-price", "candidate_usd_per_request", type=Amount(), help="The same of --params.")
@click.option("--candidate-training-cost", "candidate_training_usd", type=Amount(), help="The same of --params.")
@JSON
@click.option("--table", "form", flag_value="table", default=True, help="As a table to read.")
def whatif(model: str, project: Path, form: str, **changed: Any) -> int:  # noqa: ANN401 - fields of Overrides
    """Run the decision engine on changed assumptions, without publishing."""
    if changed["demand_ratio"] is not None and changed["monthly_tokens"] is not None:
        raise click.UsageError("--demand and --monthly-tokens exclude each other; use one of them")
    return int(_commands().whatif(project, model, changed, form))


@trisect.command(epilog=examples("trisect ui --port 3001"))
@PROJECT
@click.option("--port", default=3000, show_default=True, help="Port on loopback.")
@click.option("--served-as", multiple=True, help="Origin that a proxy gives it: https://trisect.example.com")
def ui(project: Path, port: int, served_as: tuple[str, ...]) -> int:
    """Dagster's web UI and daemon on loopback."""
    return int(_commands().ui(project, port, served_as))


def main() -> None:
    """Run the command; the last line on stderr is one sentence, the exit code is the contract's."""
    try:
        code = trisect(prog_name="trisect", standalone_mode=False)
    except click.ClickException as error:
        code = _say(Exit.UNUSABLE, error.format_message())
    except click.Abort:
        code = _say(Exit.FAILED, "interrupted; nothing half was published, run again")
    except (UnusableError, FileNotFoundError) as error:
        code = _say(Exit.UNUSABLE, str(error))
    except HeldError as error:
        code = _say(Exit.HELD, str(error))
    except BusyError as error:
        code = _say(Exit.BUSY, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, the last line is one sentence
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        what = " ".join(f"{type(error).__name__}: {error}".split())
        code = _say(Exit.FAILED, f"failed: {what[:2000]}; nothing was published, the old report stands")
    sys.exit(int(code or 0))


def _say(code: Exit, sentence: str) -> int:
    click.echo(sentence, err=True)
    return code
