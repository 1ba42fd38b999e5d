"""`[delivery]` of trisect.toml: the mail server, and who gets which part of the published night in which form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from orchestration.section import Section
from templates.pages.edition import LEADERSHIP, Edition

ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)
AUDIENCE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")
ADDRESS_OF_PAGES: Final = re.compile(r"https?://[^\s<>\"'\\]+")
STANDARD_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
LONGEST_ADDRESS: Final = 254
MEGABYTE: Final = 1_000_000
Fault = tuple[str, str]
Occasion = Literal["published", "held", "failed", "missing", "doubt"]
_USUAL: Final[tuple[Occasion, ...]] = ("published",)
_ALERTS: Final[tuple[Occasion, ...]] = ("held", "failed", "missing", "doubt")


class Audience(Section):
    """One `[[delivery.audience]]`: people who get the same e-mail."""

    name: str
    to: list[str]
    edition: str = "leadership"
    form: Literal["attachment", "link"] = "attachment"
    nights: list[Occasion] = Field(default_factory=lambda: list(_USUAL))

    @property
    def cut(self) -> Edition:
        """The edition of the report that they get."""
        kind, _, owner = self.edition.partition(":")
        return Edition("owner", owner) if kind == "owner" else Edition(kind) if kind == "finance" else LEADERSHIP

    def faults(self, editions: Sequence[str]) -> Iterator[Fault]:
        """What is wrong with it, each as the key and a sentence."""
        if not AUDIENCE_NAME.fullmatch(self.name):
            yield "name", f"audience {self.name!r} needs a name of a-z, 0-9 and -, at most 40 signs"
        if not self.to:
            yield "to", f"audience {self.name!r} has nobody in `to`; name an address or remove the audience"
        for address in self.to:
            if not ADDRESS.fullmatch(address) or len(address) > LONGEST_ADDRESS:
                yield "to", f"{address[:80]!r} is no e-mail address; write it as name@example.com"
        if not re.fullmatch(r"leadership|finance|owner:.+", self.edition):
            yield "edition", f"edition {self.edition!r} is unknown; use leadership, finance or owner:<name>"
        elif self.cut.audience not in {"leadership", *(name.removesuffix("s") for name in editions)}:
            wanted = {"finance": "finance", "owner": "owners"}[self.cut.audience]
            yield "edition", f"edition {self.edition!r} is not made; add {wanted!r} to editions in [report]"


class Channel(Section):
    """One `[[delivery.channel]]`: a webhook that is told of nights; its address is a secret and stands elsewhere."""

    name: str
    kind: Literal["slack", "teams", "webhook"]
    url_variable: str = ""
    url_file: str = ""
    nights: list[Occasion] = Field(default_factory=lambda: list(_ALERTS))

    def faults(self) -> Iterator[Fault]:
        """What is wrong with it, each as the key and a sentence."""
        if not AUDIENCE_NAME.fullmatch(self.name):
            yield "name", f"channel {self.name!r} needs a name of a-z, 0-9 and -, at most 40 signs"
        if bool(self.url_variable) == bool(self.url_file):
            yield "url_variable", f"channel {self.name!r} needs its address; name one of url_variable and url_file"


class Delivery(Section):
    """Who is told of a night, and how; without a mail server and a channel no network is touched."""

    host: str = ""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    username: str = ""
    password_variable: str = ""
    password_file: str = ""
    sender: str = ""
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    wait_s: Annotated[float, Field(ge=0, le=600)] = 5
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    days: Annotated[int, Field(ge=1, le=366)] = 7
    attachment_mb: Annotated[float, Field(gt=0, le=100)] = 10
    published_url: str = ""
    audience: list[Audience] = Field(default_factory=list)
    channel: list[Channel] = Field(default_factory=list)

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be sent at all."""
        return self.is_mailed or bool(self.channel)

    @property
    def is_mailed(self) -> bool:
        """Whether there is a mail server."""
        return bool(self.host)

    @property
    def real_port(self) -> int:
        """The port named, else the usual one."""
        return self.port or STANDARD_PORTS[self.security]

    @property
    def largest_attachment(self) -> int:
        """Bytes above which a link goes out in place of the file."""
        return int(self.attachment_mb * MEGABYTE)

    def faults(self, editions: Sequence[str]) -> Iterator[Fault]:
        """What is wrong with the section, each as the key it stands under and a sentence with what to do."""
        yield from self._channel_faults()
        if not self.is_mailed:
            if self.audience:
                yield "delivery", "[[delivery.audience]] without a mail server; name its host in [delivery]"
            return
        yield from self._server_faults()
        yield from self._password_faults()
        yield from self._audience_faults(editions)

    def _channel_faults(self) -> Iterator[Fault]:
        names = [channel.name for channel in self.channel] + [audience.name for audience in self.audience]
        for name in sorted({channel.name for channel in self.channel if names.count(channel.name) > 1}):
            yield "name", f"two channels or audiences are named {name!r}; give each a name of its own"
        for channel in self.channel:
            yield from channel.faults()

    def _server_faults(self) -> Iterator[Fault]:
        if not HOST.fullmatch(self.host):
            yield "host", f"host {self.host!r} is no name of a server; write it as smtp.example.com"
        if not ADDRESS.fullmatch(self.sender) or len(self.sender) > LONGEST_ADDRESS:
            yield "sender", f"sender {self.sender[:80]!r} is no e-mail address; write it as trisect@example.com"
        if self.published_url and not ADDRESS_OF_PAGES.fullmatch(self.published_url):
            yield "published_url", f"published_url {self.published_url!r} is no address; start it with https://"

    def _password_faults(self) -> Iterator[Fault]:
        named = [name for name in (self.password_variable, self.password_file) if name]
        if self.username and len(named) != 1:
            yield "username", "a username needs its password; name one of password_variable and password_file"
        if named and not self.username:
            yield "delivery", "a password without a username; add username to [delivery]"
        if self.username and self.security == "none":
            yield "security", "security 'none' would send the password in clear; use starttls or tls"

    def _audience_faults(self, editions: Sequence[str]) -> Iterator[Fault]:
        names = [audience.name for audience in self.audience]
        if not names:
            yield "host", "nobody is to get an e-mail; add a [[delivery.audience]] or remove host"
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield "name", f"two audiences are named {name!r}; give each a name of its own"
        for audience in self.audience:
            yield from audience.faults(editions)
            if audience.form == "link" and not self.published_url:
                yield "form", f"audience {audience.name!r} gets a link; say in published_url where published/ is served"
