"""What an e-mail can be about: a published revision of a night, or a night that is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from orchestration.notify.alerts import HEADLINES, Alert
from orchestration.notify.settings import MEGABYTE, Audience
from orchestration.settings import Project
from templates.message import Cover, Message, MessageError, alert, held, news
from templates.pages.edition import Edition
from warehouse import publish

Files = Mapping[str, bytes]


class Issue(Protocol):
    """Something that an audience hears of once."""

    @property
    def night(self) -> date:
        """The night it is about."""

    @property
    def name(self) -> str:
        """What tells it from other issues of the same night."""

    @property
    def audiences(self) -> list[Audience]:
        """Who wants to hear of it."""

    def written(self, audience: Audience) -> tuple[Message, Files]:
        """The message for an audience, and the files that go with it."""


@dataclass(frozen=True)
class PublishedNight:
    """A published revision of a night."""

    project: Project
    night: date
    revision: int

    @property
    def name(self) -> str:
        """The revision."""
        return f"r{self.revision}"

    @property
    def audiences(self) -> list[Audience]:
        """Who wants the report."""
        return [one for one in self.project.settings.delivery.audience if "published" in one.nights]

    @property
    def directory(self) -> Path:
        """Where it is published."""
        return publish.directory(self.project.published, self.night, self.revision)

    def written(self, audience: Audience) -> tuple[Message, Files]:
        """The sentences of the report, with the file or its address.

        Raises:
            MessageError: What was published is not whole, or has no report for this audience.
        """
        if not publish.is_intact(self.directory):
            raise MessageError(f"published/{self.directory.name} differs from its manifest; run the night again")
        file = f"{audience.cut.stem}.pdf"
        if not (self.directory / file).is_file():
            raise MessageError(f"published/{self.directory.name} has no {file}; is it in editions of [report]?")
        files, enclosure, link = self._enclosed(audience, (self.directory / file).read_bytes())
        return news(self.frozen(), self.cover(audience.cut, enclosure, link)), files

    def frozen(self) -> bytes:
        """What of the report is told, as it was published.

        Raises:
            MessageError: It was published without.
        """
        file = self.directory / "message.json"
        if not file.is_file():
            raise MessageError(f"published/{self.directory.name} has no message.json; publish the night again")
        return file.read_bytes()

    def cover(self, edition: Edition, enclosure: str, link: str) -> Cover:
        """What a message about this revision says of it."""
        company = self.project.settings.company.name
        return Cover(company, self.night.isoformat(), self.revision, edition, enclosure, link)

    def address(self, stem: str) -> str:
        """Where the report of an edition can be opened; empty without `published_url`."""
        url = self.project.settings.delivery.published_url
        return f"{url.rstrip('/')}/{self.directory.name}/{stem}.pdf" if url else ""

    def _enclosed(self, audience: Audience, report: bytes) -> tuple[Files, str, str]:
        """The files that go along, the words about them, and the address that stands for them."""
        delivery, stem = self.project.settings.delivery, audience.cut.stem
        name, allowed = f"{stem}-{self.directory.name}.pdf", delivery.largest_attachment
        if audience.form == "attachment" and len(report) <= allowed:
            return {name: report}, f"The report is attached: {name}.", ""
        large = f" ({len(report) / MEGABYTE:.1f} MB, more than the {delivery.attachment_mb:g} MB that may be attached)"
        size = large if audience.form == "attachment" else ""
        if delivery.published_url:
            return {}, f"The report{size}:", self.address(stem)
        return {}, f"The report{size} stands in var/published/{self.directory.name}/{stem}.pdf of the project.", ""


@dataclass(frozen=True)
class AlertedNight:
    """A night that is held, failed or missing, or has new doubts."""

    project: Project
    alert: Alert

    @property
    def night(self) -> date:
        """The night it is about."""
        return self.alert.night

    @property
    def name(self) -> str:
        """What tells it from other news of the night."""
        return self.alert.name

    @property
    def audiences(self) -> list[Audience]:
        """Who wants to hear of such nights."""
        return [one for one in self.project.settings.delivery.audience if self.alert.occasion in one.nights]

    def written(self, audience: Audience) -> tuple[Message, Files]:
        """The reason, and what to do."""
        cover = Cover(self.project.settings.company.name, self.night.isoformat(), 0, audience.cut, "")
        if self.alert.occasion == "held":
            return held(self.alert.sentence, self.alert.remedy, cover), {}
        return alert(HEADLINES[self.alert.occasion], self.alert.sentence, self.alert.remedy, cover), {}
