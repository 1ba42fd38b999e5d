"""Tells people of a night by e-mail and in channels: to whom it is due, once; what failed waits for the next run.

Nothing here can hold or change a night: it is published before, and stays so whatever a mail server says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from orchestration.notify import channels
from orchestration.notify.alerts import Alert, alerts
from orchestration.notify.mail_server import Parcel, Server, dispatch
from orchestration.notify.mime import Thread, enveloped
from orchestration.notify.notices import AlertedNight, Issue, PublishedNight
from orchestration.notify.settings import Audience
from orchestration.settings import FILE, Project, SettingsError, variable
from templates.message import MessageError
from warehouse import outbox, publish
from warehouse.outbox import FINAL, Letter

ReadersByNight = Mapping[date, set[str]]
LONGEST: Final = 500
NEXT_STEPS: Final = {
    "waiting": "the next run tries again",
    "sending": "a run is sending it, or was ended while it did; it is not sent again",
    "refused": f"correct the address in {FILE}; the next night goes there",
    "unknown": "ask whether it arrived; to send it again, remove its entry from var/delivery/{night}.json",
}


def delivered(project: Project, now: datetime, *, is_watch: bool = False) -> list[str]:
    """Send what is due; what goes wrong is said and waits for the next run, it is never an error of the night.

    A watch, which runs beside the nights, also tells of missing ones.
    """
    try:
        deliver(project, now, is_watch=is_watch)
    except Exception as error:  # noqa: BLE001 - the night is published and stands, whatever happens to its e-mails
        return [f"the e-mails were not sent: {type(error).__name__}: {' '.join(str(error).split())[:LONGEST]}"]
    return troubles(project, now)


def deliver(
    project: Project, now: datetime, pause: Callable[[float], None] = time.sleep, *, is_watch: bool = False
) -> None:
    """Send what is due and was not sent; without `[delivery]` in the settings do nothing at all.

    Raises:
        LettersError: It is not known what was sent already, so nothing is sent.
    """
    if not project.settings.delivery.is_wanted:
        return
    folder = _folder(project)
    with outbox.sole_sender(folder):
        readers_by_night = _readers_by_night(project, now)
        for night in _recent(project, now):
            outbox.settled(folder, night)
        news = alerts(project, now, is_watch=is_watch)
        if project.settings.delivery.is_mailed:
            due = _due(project, now, readers_by_night, news)
            parcels = [parcel for issue in due for parcel in _parcels(project, issue, now, readers_by_night)]
            if parcels:
                _send(project, parcels, partial(_keep, folder), pause)
        channels.deliver(project, news, now, pause)


def _send(
    project: Project, parcels: list[Parcel], keep: Callable[[Letter], None], pause: Callable[[float], None]
) -> None:
    try:
        server = Server(project.settings.delivery, project.root, _password(project))
    except SettingsError as error:
        for parcel in parcels:
            keep(parcel.letter.marked("waiting", str(error)))
    else:
        dispatch(server, parcels, keep, pause)


def progress(project: Project, now: datetime) -> list[str]:
    """How far the e-mails about the last nights got, one line for each issue."""
    return _readable(_progress, project, now)


def troubles(project: Project, now: datetime) -> list[str]:
    """Which recipients do not have what they should have, why, and what happens next."""
    return _readable(_faults, project, now)


def _readable(say: Callable[[Project, datetime], Iterator[str]], project: Project, now: datetime) -> list[str]:
    """The sentences, or why there are none."""
    try:
        return list(say(project, now))
    except outbox.LettersError as error:
        return [str(error)]


def _progress(project: Project, now: datetime) -> Iterator[str]:
    for issue, letters_of_issue in _issues_with_letters(project, now):
        sent = sum(letter.state == "sent" for letter in letters_of_issue)
        so_far = (
            f"sent to {sent} of {len(letters_of_issue)} recipients"
            if letters_of_issue
            else "not sent yet; the next run sends it"
        )
        yield f"e-mail about {issue.night} {issue.name}: {so_far}"
    for post in channels.posts(project, alerts(project, now), now):
        yield f"channel {post.channel.name} about {post.letter.night} {post.letter.issue}: {post.letter.state}"


def _faults(project: Project, now: datetime) -> Iterator[str]:
    unsent = (
        letter
        for _, letters_of_issue in _issues_with_letters(project, now)
        for letter in letters_of_issue
        if letter.state != "sent"
    )
    for letter in unsent:
        step = NEXT_STEPS[letter.state].format(night=letter.night)
        why = f"{letter.state}: {letter.detail}" if letter.detail else letter.state
        yield f"the e-mail about {letter.night} {letter.issue} to {letter.recipient} is {why}; {step}"
    for post in channels.posts(project, alerts(project, now), now):
        letter = post.letter
        if letter.state != "sent":
            why = f"{letter.state}: {letter.detail}" if letter.detail else letter.state
            step = NEXT_STEPS[letter.state].format(night=letter.night)
            yield f"channel {letter.audience} has not heard of {letter.night} {letter.issue}, {why}; {step}"


def _issues_with_letters(project: Project, now: datetime) -> Iterator[tuple[Issue, list[Letter]]]:
    """What is news, with the letters about it."""
    is_mailed = project.settings.delivery.is_mailed
    due = _due(project, now, _readers_by_night(project, now), alerts(project, now)) if is_mailed else []
    for issue in (issue for issue in due if issue.audiences):
        every = outbox.messages(_folder(project), issue.night)
        yield issue, [letter for letter in every if letter.issue == issue.name]


def _folder(project: Project) -> Path:
    return project.var / "delivery"


def _keep(folder: Path, letter: Letter) -> None:
    outbox.keep(folder, [letter])


def _due(project: Project, now: datetime, readers_by_night: ReadersByNight, news: Sequence[Alert]) -> list[Issue]:
    """What is news: the newest night, those after the last that was sent, new revisions of those that were.

    A night stays news for so many days, so that neither an outage nor a re-issue of a whole year floods anybody.
    """
    revision_by_night = publish.nights(project.published)
    last = max(readers_by_night, default=max(revision_by_night, default=date.min))
    nights = [night for night in sorted(revision_by_night) if _is_news(project, night, now)]
    wanted = [night for night in nights if night >= last or night in readers_by_night or night == nights[-1]]
    return [
        *(PublishedNight(project, night, revision_by_night[night]) for night in wanted),
        *(AlertedNight(project, one) for one in news if one.is_news(now, project.settings.delivery.days)),
    ]


def _is_news(project: Project, night: date, now: datetime) -> bool:
    return (now.date() - night).days <= project.settings.delivery.days


def _recent(project: Project, now: datetime) -> list[date]:
    """The nights with letters that still are news."""
    return [night for night in outbox.nights(_folder(project)) if _is_news(project, night, now)]


def _readers_by_night(project: Project, now: datetime) -> ReadersByNight:
    """Who was to get the report of each night that still is news."""
    letters_by_night = {night: outbox.messages(_folder(project), night) for night in _recent(project, now)}
    readers_by_night = {
        night: {one.recipient.casefold() for one in kept if one.issue[0] == "r" and "@" in one.recipient}
        for night, kept in letters_by_night.items()
    }
    return {night: readers for night, readers in readers_by_night.items() if readers}


def _parcels(project: Project, issue: Issue, now: datetime, readers_by_night: ReadersByNight) -> Iterator[Parcel]:
    """What has to be sent of an issue, written down as waiting before anything is."""
    folder = _folder(project)
    letter_by_key = {letter.key: letter for letter in outbox.messages(folder, issue.night)}
    for audience in issue.audiences:
        readers = _readers(issue, audience, readers_by_night)
        every = [Letter(issue.night, issue.name, audience.name, address) for address in readers]
        waiting = [replace(letter_by_key.get(one.key, one), at=now.isoformat()) for one in every]
        waiting = [letter for letter in waiting if letter.state not in FINAL]
        outbox.keep(folder, waiting)
        try:
            content = _content(project, issue, audience, now) if waiting else b""
        except MessageError as error:
            outbox.keep(folder, [letter.marked("waiting", str(error)) for letter in waiting])
        else:
            yield from (Parcel(letter, content) for letter in waiting)


def _readers(issue: Issue, audience: Audience, readers_by_night: ReadersByNight) -> list[str]:
    """Everybody for the newest night; of an older one that was sent before, only who was to get it then."""
    addresses = list({address.casefold(): address for address in audience.to}.values())
    if issue.night not in readers_by_night or issue.night == max(readers_by_night):
        return addresses
    return [address for address in addresses if address.casefold() in readers_by_night[issue.night]]


def _content(project: Project, issue: Issue, audience: Audience, now: datetime) -> bytes:
    """The e-mail for an audience; all of its recipients get the same bytes."""
    message, files = issue.written(audience)
    company, sender = project.settings.company.name, project.settings.delivery.sender
    thread = Thread(company, issue.night.isoformat(), audience.name, sender)
    return enveloped(message, thread, issue.name, to=audience.to, sent_at=now, files=files)


def _password(project: Project) -> str:
    """The password of the mail server, empty where it wants none; read when it is needed and kept nowhere.

    Raises:
        SettingsError: when the variable or the file that the settings name is not there or empty.
    """
    delivery = project.settings.delivery
    if not delivery.username:
        return ""
    path = project.root / delivery.password_file
    password = (
        (path.read_text("utf-8") if path.is_file() else "")
        if delivery.password_file
        else variable(delivery.password_variable)
    )
    if not password.strip() or not password.isascii():
        where = (
            f"file {delivery.password_file!r}" if delivery.password_file else f"variable {delivery.password_variable!r}"
        )
        raise SettingsError(f"{FILE}: the {where} holds no password in ASCII for the mail server; put it there")
    return password.strip("\r\n")
