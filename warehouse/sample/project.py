"""`trisect init`: writes a project directory, empty or with the invented company."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from warehouse.sample.archive import put, text_of
from warehouse.sample.bills import write_bills
from warehouse.sample.logs import write_logs
from warehouse.sample.plan import quillmere
from warehouse.sample.policy_files import write_policy
from warehouse.sample.requests import write_requests
from warehouse.sample.settings import DECISIONS, EMPTY, README, settings_of
from warehouse.sample.tracker import write_tracker
from warehouse.sources.policy.files import columns_in_file
from warehouse.sources.policy.policy import FILE_NAMES, TABLES

SETTINGS: Final = "trisect.toml"
FOLDERS: Final = ("bills", "training", "requests")


def write_sample(directory: Path, seed: int = 7) -> None:
    """A year of an invented company in real formats; the same seed gives the same bytes."""
    company = quillmere(seed)
    inbox = directory / "inbox"
    write_bills(inbox, company)
    write_logs(inbox, company)
    write_tracker(inbox, company)
    write_requests(inbox, company)
    write_policy(directory, company)
    put(directory / SETTINGS, settings_of(company))
    put(directory / "README.txt", README)


def write_empty(directory: Path) -> None:
    """Settings to fill in, the header of every policy table, and folders for what arrives."""
    put(directory / SETTINGS, EMPTY + DECISIONS)
    for name, table in TABLES.items():
        put(directory / "policy" / f"{FILE_NAMES.get(name, name)}.csv", text_of(tuple(columns_in_file(table)), ()))
    for folder in FOLDERS:
        (directory / "inbox" / folder).mkdir(parents=True, exist_ok=True)
