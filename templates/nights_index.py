"""One page of all published nights, for whoever opens the folder in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from templates import colours, formats
from templates.message import markup_environment


@dataclass(frozen=True)
class ListedNight:
    """A published night as the page lists it: its newest revision, what it says first, and the files to open."""

    night: date
    revision: int
    folder: str
    stamps: tuple[str, ...]
    headline: str
    files: tuple[str, ...]

    @property
    def month(self) -> date:
        """The first of its month."""
        return self.night.replace(day=1)

    @property
    def month_name(self) -> str:
        """The month in words."""
        return formats.month_year(self.night)

    @property
    def standing(self) -> str:
        """Its stamps, and that it was revised."""
        revised = (f"revision {self.revision}",) if self.revision > 1 else ()
        return ", ".join((*self.stamps, *revised))


def nights_index(company: str, nights: Sequence[ListedNight]) -> str:
    """The page, newest night first."""
    newest_first = sorted(nights, key=lambda listed: listed.night, reverse=True)
    return (
        markup_environment()
        .get_template("nights_index.html.j2")
        .render(company=company, nights=newest_first, colours=colours)
    )
