"""What `trisect run` says of a night that it has published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.exit_codes import Exit
from warehouse import publish


@dataclass(frozen=True)
class PublishedNight:
    """A night, where it is published, and how many rows and findings of it somebody should look at."""

    night: date
    revision: int
    directory: Path
    quarantined: int
    doubts: int

    @property
    def exit_code(self) -> Exit:
        """The code of the contract."""
        return Exit.PUBLISHED_WITH_QUARANTINE if self.quarantined or self.doubts else Exit.PUBLISHED

    def sentence(self) -> str:
        """One line for a person; it ends with the report's path."""
        in_doubt = f" and {self.doubts:,} findings in doubt" if self.doubts else ""
        report = self.directory / "leadership.pdf"
        return f"{self.night} is published with {self.quarantined:,} rows quarantined{in_doubt}: {report}"

    def as_values(self) -> dict[str, object]:
        """The same as plain values for a program."""
        return {
            "night": self.night.isoformat(),
            "revision": self.revision,
            "directory": str(self.directory),
            "report": str(self.directory / "leadership.pdf"),
            "quarantined": self.quarantined,
            "doubts": self.doubts,
            "exit_code": int(self.exit_code),
        }


def published_night(published: Path, night: date) -> PublishedNight:
    """The newest revision of a night that is published."""
    revision = publish.nights(published)[night]
    document = publish.manifest(published, night, revision)
    return PublishedNight(
        night=night,
        revision=revision,
        directory=publish.directory(published, night, revision),
        quarantined=sum(entry["quarantined"] for entry in document["inputs"]),
        doubts=sum(finding["is_doubt"] and not finding["is_accepted"] for finding in document["findings"]),
    )
