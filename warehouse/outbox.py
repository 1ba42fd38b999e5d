"""Who was sent which night: one file a night below var/delivery, written before and after every sending.

A letter is one e-mail to one recipient. It is marked `sending` before its text leaves, so that a run that dies then
leaves a mark, and the next one does not send it again: a report twice is worse than a question to the reader.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

State = Literal["waiting", "sending", "unknown", "sent", "refused"]
FINAL: Final = ("unknown", "sent", "refused")
INTERRUPTED: Final = "the run ended while it was being sent; it may have arrived, so it is not sent again"


class LettersError(ValueError):
    """The record of what was sent cannot be read, so nothing is sent: what, where, what to do."""


@dataclass(frozen=True)
class Letter:
    """One e-mail to one recipient: of which night, in which issue (r1, r2, held-…), and how far it got."""

    night: date
    issue: str
    audience: str
    recipient: str
    state: State = "waiting"
    at: str = ""
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What is never sent twice for one night."""
        return self.issue, self.audience, self.recipient.casefold()

    def marked(self, state: State, detail: str = "") -> Letter:
        """The letter one step further."""
        return replace(self, state=state, detail=detail)


class _Record(msgspec.Struct, frozen=True):
    """The letters of one night, as the file holds them: under the key `letters`."""

    messages: list[Letter] = msgspec.field(name="letters")


@contextmanager
def sole_sender(folder: Path) -> Iterator[None]:
    """Wait until nobody else sends, then hold the record; a lock that a dead process left holds up nobody."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def nights(folder: Path) -> list[date]:
    """Every night that has letters, in order."""
    return sorted(date.fromisoformat(path.stem) for path in folder.glob("????-??-??.json"))


def record(folder: Path, night: date) -> Path:
    """Where the letters of a night are kept."""
    return folder / f"{night.isoformat()}.json"


def messages(folder: Path, night: date) -> list[Letter]:
    """Every letter of a night, as it was kept.

    Raises:
        LettersError: when the file is damaged.
    """
    path = record(folder, night)
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Record).messages
    except msgspec.MsgspecError as error:
        raise LettersError(
            f"{path} cannot be read ({error}), so it is not known who has the report of {night}; "
            "restore it, or remove it to send that night again"
        ) from error


def keep(folder: Path, changed: Iterable[Letter]) -> None:
    """Write the letters of one night down, durably, in the place of what was known of them."""
    news = list(changed)
    if not news:
        return
    kept = {letter.key: letter for letter in [*messages(folder, news[0].night), *news]}
    content = msgspec.json.format(msgspec.json.encode(_Record(list(kept.values()))), indent=1)
    _replace(record(folder, news[0].night), content)


def settled(folder: Path, night: date) -> None:
    """What a dead run left at `sending` becomes `unknown`; call it while nobody sends."""
    keep(folder, [one.marked("unknown", INTERRUPTED) for one in messages(folder, night) if one.state == "sending"])


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.chmod(0o600)
    aside.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
