"""What can be wrong in policy/, in four parts: what, where, which value, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from warehouse.errors import UnusableError

LONGEST_VALUE = 80


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong, or worth knowing, in one line of one policy file; line 0 is the file as a whole."""

    file: str
    line: int
    what: str
    value: str
    remedy: str

    @property
    def where(self) -> str:
        """`policy/models.csv:7`, as an editor opens it."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        """One sentence; the value is quoted and cut, because it may be anything."""
        shown = self.value if len(self.value) <= LONGEST_VALUE else self.value[:LONGEST_VALUE] + "…"
        return f"{self.where}: {self.what}: {shown!r}; {self.remedy}"


class PolicyError(UnusableError):
    """The policy tables cannot be used; `faults` lists everything that is wrong, by file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))
