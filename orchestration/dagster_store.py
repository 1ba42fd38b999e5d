"""Dagster's own store, the history of runs: below var/dagster, or in the PostgreSQL that the settings name."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import dagster as dg

from orchestration.settings import DagsterSection, SettingsError, use_dagster_home, variable

EVENT_LOG: Final = """event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    home:
      env: DAGSTER_HOME
"""
POSTGRESQL: Final = """storage:
  postgres:
    postgres_url:
      env: {variable}
"""
_LOG: Final = logging.getLogger("trisect.steps")


class StoreError(RuntimeError):
    """Dagster's store cannot be reached; nothing of a night is lost with it."""


def dagster_home(var: Path, settings: DagsterSection) -> Path:
    """The directory of Dagster's store with its settings in it; deleting it costs run history only.

    Raises:
        SettingsError: PostgreSQL is asked for, and its address or its library is not there.
    """
    home = var / "dagster"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    common = resources.files("orchestration").joinpath("dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(common + _storage(settings.url_variable))
    use_dagster_home(home)
    return home


@contextmanager
def dagster_instance(var: Path, settings: DagsterSection) -> Iterator[dg.DagsterInstance]:
    """Dagster over the store of the project.

    Raises:
        SettingsError: as `dagster_home`.
        StoreError: naming the server that does not answer, without its password.
    """
    dagster_home(var, settings)
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:
        if not settings.url_variable:
            raise
        address = urlsplit(variable(settings.url_variable))
        raise StoreError(
            f"PostgreSQL at {address.hostname}:{address.port or 5432}{address.path}, named by "
            f"{settings.url_variable}, cannot be used for Dagster's runs ({type(error).__name__}); start it, correct "
            "the address, or take [dagster] url_variable out of trisect.toml"
        ) from None
    with instance:
        yield instance


def lay_out(var: Path, settings: DagsterSection) -> None:
    """Create the stores where they are not there yet: two processes that create them at once fail each other.

    Raises:
        SettingsError: as `dagster_home`.
        StoreError: as `dagster_instance`.
    """
    with dagster_instance(var, settings) as instance:
        _ = instance.run_storage, instance.event_log_storage, instance.schedule_storage


def _storage(url_variable: str) -> str:
    """Where Dagster keeps runs and events, in the words of dagster.yaml."""
    if not url_variable:
        return EVENT_LOG if _is_event_log_usable() else ""
    if not variable(url_variable).startswith(("postgresql://", "postgres://")):
        raise SettingsError(
            f"trisect.toml: [dagster] url_variable = {url_variable!r}: the environment holds no address of PostgreSQL "
            f"under that name; export {url_variable}=postgresql://user:password@host/database"
        )
    if find_spec("dagster_postgres") is None:
        raise SettingsError(
            f"trisect.toml: [dagster] url_variable = {url_variable!r}: the library for PostgreSQL is not installed; "
            "install the requirements.txt of the release, where it is (docs/operations.md)"
        )
    return POSTGRESQL.format(variable=json.dumps(url_variable))


def _is_event_log_usable() -> bool:
    """Whether our faster event log fits this Dagster: it knows its private parts; without it nights take longer."""
    try:
        import_module("orchestration.event_log")
    except (ImportError, AttributeError) as error:
        _LOG.warning("this Dagster keeps its events otherwise (%s); its own, slower store is used", error)
        return False
    return True
