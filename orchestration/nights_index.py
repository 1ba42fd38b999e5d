"""The page of all published nights, beside them: derived from what each says of itself."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import dagster as dg

from orchestration.resources import Warehouse
from orchestration.retention import pruned
from orchestration.table_assets import NIGHTS, OWNERS
from templates.message import MessageError, thawed
from templates.nights_index import ListedNight, nights_index
from warehouse import publish

PAGE: Final = "index.html"
LINKED: Final = ("*.pdf", "leadership.html", "findings.csv", "ledger.csv", "manifest.json")
"""Files of a night that the page links, in this order."""


@dg.asset(
    key=["published", "nights_index"], deps=[pruned], group_name="published", partitions_def=NIGHTS, owners=OWNERS
)
def index(warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """One page that lists every published night with its message, newest first, and links its files."""
    project = warehouse.project
    write_index(project.published, project.settings.company.name)
    return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(str(project.published / PAGE))})


def write_index(published: Path, company: str) -> None:
    """Bring the page up to date; it is not written before a night is published."""
    nights = [_listed(published, night, revision) for night, revision in publish.nights(published).items()]
    if nights:
        publish.write_page(published, PAGE, nights_index(company, nights).encode())


def _listed(published: Path, night: date, revision: int) -> ListedNight:
    folder = publish.directory(published, night, revision)
    names = sorted(path.name for path in folder.iterdir())
    files = tuple(name for pattern in LINKED for name in names if fnmatchcase(name, pattern))
    try:
        news = thawed((folder / "message.json").read_bytes())
    except (OSError, MessageError):  # a night of an older version
        return ListedNight(night, revision, folder.name, (), "", files)
    return ListedNight(night, revision, folder.name, news.stamps, news.subject, files)
