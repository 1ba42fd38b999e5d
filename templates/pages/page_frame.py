"""What all pages share: the masthead, the stamp and the footer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from templates import formats
from templates.pages.night import Night
from templates.typesetting.typeface import text_width

FOOT: Final = 158.0
FOOT_SIZE: Final = 6.8
"""Width in points of the left part of the foot, which names the company and the night, and the size of its letters."""


@dataclass(frozen=True)
class Furniture:
    """The words around a page."""

    company: str
    period: str
    stamps: tuple[str, ...]
    footer: str
    basis: str
    billed_basis: str
    until: str

    def basis_of(self, night: Night, kind: str) -> str:
        """The cost that a page counts, and the day to which it counts it."""
        night_day = formats.day(night.subject["as_of"])
        if kind == "decisions":
            return f"Avoidable cost, {night.money.heading}, decisions as of {night_day}"
        if kind == "served":
            return f"Direct cost of serving, {night.money.heading}, to {self.until}"
        if kind == "compute":
            return f"Direct cost, {night.money.heading}, four weeks to {night_day}; prices of {night.month}"
        if kind in {"thirds", "sheet"}:
            return f"Effective cost, {night.money.heading}, lifetime to {night_day}"
        later = "forecast" if night.tables["outlook"]["is_forecast"].any() else "lifetime"
        ahead = (
            f", {later} as of {night_day}"
            if kind in {"summary", "bridge"} and night.last_day < night.subject["as_of"]
            else ""
        )
        basis = f"Effective cost, {night.money.heading}" if ahead else self.basis
        return f"{basis}, to {self.until}{ahead}"

    @classmethod
    def of(cls, night: Night, revision: int) -> Furniture:
        """The words around every page of the night."""
        whole = night.settings["company"]
        company = formats.company(whole)
        rest = f" · night {formats.day(night.subject['as_of'])} · revision {revision}"
        room = FOOT - text_width(rest, FOOT_SIZE)
        shorter = (formats.company(whole, limit) for limit in range(22, 4, -2))
        short = next((words for words in shorter if text_width(words, FOOT_SIZE) <= room), formats.company(whole, 4))
        revised = (f"REVISED r{revision}",) if revision > 1 else ()
        currency = night.money.heading
        return cls(
            company=company,
            period=night.period,
            stamps=(night.subject["state"], *revised),
            footer=f"{short}{rest}",
            basis=f"Effective cost, {currency}, management accounts",
            billed_basis="Billed cost, currency of each bill",
            until=formats.day(night.last_day),
        )


@dataclass(frozen=True)
class Identity:
    """Which build of which night a file is."""

    identity: str
    revision: int
    built_at: datetime

    @property
    def moment(self) -> str:
        """The clock of the run, as PDF and HTML metadata want it."""
        return self.built_at.strftime("%Y-%m-%dT%H:%M:%SZ")
