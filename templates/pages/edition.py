"""The cuts of the report: who reads which pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NAMES: Final = {
    "summary": "Summary",
    "decisions": "Decisions",
    "bridge": "Bridge and outlook",
    "thirds": "Thirds",
    "unit_costs": "Unit cost and waste",
    "served": "Teams, tenants and tasks",
    "amortization": "Unamortised training",
    "compute": "Compute",
    "reconciliation": "Reconciliation and data quality",
    "method": "Words and policies",
}
AUDIENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "leadership": tuple(NAMES),
    "finance": ("bridge", "amortization", "reconciliation", "method"),
    "owner": ("summary", "served", "reconciliation"),
}


@dataclass(frozen=True)
class Edition:
    """Who reads: leadership everything, finance the pages that tie out, an owner page 1 and the own models."""

    audience: str
    owner: str | None = None

    @property
    def stem(self) -> str:
        """Its file's name without the ending; an owner's name is data, so the file carries a safe form of it."""
        if self.owner is None:
            return self.audience
        readable = re.sub(r"[^a-z0-9]+", "-", self.owner.lower()).strip("-")[:40]
        return f"{self.audience}-{readable}-{hashlib.sha256(self.owner.encode()).hexdigest()[:8]}"

    def has(self, page: str, owner: str | None) -> bool:
        """Whether a page, or the sheet of a model with that owner, is in it."""
        if page == "sheet":
            return self.audience == "leadership" or (self.audience == "owner" and owner == self.owner)
        return page in AUDIENCES[self.audience]


LEADERSHIP: Final = Edition("leadership")
