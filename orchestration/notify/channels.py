"""Slack, Teams and any other webhook: one POST for each alert and channel, once.

As with a letter, a post is marked before its text leaves and after the answer: what a run that died may have sent is
not sent again. An answer of 429 or 5xx says that it was not taken, and is tried again.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from orchestration.notify.alerts import HEADLINES, Alert
from orchestration.notify.notices import PublishedNight
from orchestration.notify.settings import Channel
from orchestration.settings import FILE, Project, SettingsError, variable
from templates.message import Chat, MessageError, chat
from templates.pages.edition import LEADERSHIP
from warehouse import outbox, publish
from warehouse.outbox import FINAL, Letter

LONGEST: Final = 2_000
OPEN: Final = "Open the report"
TOO_MANY: Final = 429
LOST: Final = "the connection broke while it was being sent; it may have arrived, so it is not sent again"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Post:
    """What one channel is to be told once, and how far that got."""

    channel: Channel
    alert: Alert
    letter: Letter


def published(project: Project) -> Iterator[Alert]:
    """The newest night, for channels that ask for it."""
    nights = publish.nights(project.published)
    if nights:
        night = max(nights)
        yield Alert("published", night, f"revision {nights[night]}", "")


def posts(project: Project, alerts: Sequence[Alert], now: datetime) -> list[Post]:
    """What the channels should have been told, as it is written down."""
    every = []
    for alert in (*published(project), *alerts):
        letter_by_key = {letter.key: letter for letter in outbox.messages(project.var / "delivery", alert.night)}
        for channel in project.settings.delivery.channel:
            if alert.occasion in channel.nights and alert.is_news(now, project.settings.delivery.days):
                letter = Letter(alert.night, alert.name, channel.name, f"{channel.kind} channel", at=now.isoformat())
                every.append(Post(channel, alert, letter_by_key.get(letter.key, letter)))
    return every


def deliver(project: Project, alerts: Sequence[Alert], now: datetime, pause: Callable[[float], None]) -> None:
    """Post what is due and was not; the caller holds the outbox."""
    delivery = project.settings.delivery
    for attempt in range(delivery.attempts):
        due = [post for post in posts(project, alerts, now) if post.letter.state not in FINAL]
        if due and attempt:
            pause(delivery.wait_s * 2 ** (attempt - 1))
        for post in due:
            outbox.keep(project.var / "delivery", [_posted(project, post)])


def _posted(project: Project, post: Post) -> Letter:
    """The letter as it stands after one attempt."""
    try:
        body = json.dumps(payload(post, chat_of(project, post.alert), project.settings.company.name)).encode()
        url = urlsplit(_url(project, post.channel))
        connection = _connection(url.scheme, url.hostname or "", url.port, project.settings.delivery.timeout_s)
        connection.connect()
    except (SettingsError, MessageError) as error:
        return post.letter.marked("waiting", str(error))
    except (OSError, ValueError) as error:
        return post.letter.marked("waiting", type(error).__name__)
    path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    headers = {"Content-Type": "application/json", "Idempotency-Key": identity(post), "User-Agent": "trisect"}
    outbox.keep(project.var / "delivery", [post.letter.marked("sending")])
    try:
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return post.letter.marked("unknown", LOST)
    finally:
        connection.close()
    if status == TOO_MANY or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return post.letter.marked("waiting", f"it answered {status}")
    return post.letter.marked(
        "sent" if status < http.HTTPStatus.MULTIPLE_CHOICES else "refused", f"it answered {status}"
    )


def identity(post: Post) -> str:
    """Equal for every attempt to tell the same: a receiver can drop what it has."""
    return f"trisect.{post.alert.night}.{post.alert.name}.{post.channel.name}"


def chat_of(project: Project, alert: Alert) -> Chat:
    """What a chat is told: of a published night what its report says first, else the reason and what to do.

    Raises:
        MessageError: The published night has no message.
    """
    if alert.occasion != "published":
        headline = f"{project.settings.company.name}: {alert.night} {HEADLINES[alert.occasion]}"
        return Chat(headline, (alert.sentence[:LONGEST], alert.remedy))
    night = PublishedNight(project, alert.night, publish.nights(project.published)[alert.night])
    return chat(night.frozen(), night.cover(LEADERSHIP, "", night.address(LEADERSHIP.stem)))


def payload(post: Post, message: Chat, company: str) -> dict[str, Any]:
    """The JSON that the kind of channel takes; no name in it becomes a link, a mention or markup."""
    text = "\n".join((message.headline, *message.lines))
    if post.channel.kind == "slack":
        blocks: list[dict[str, Any]] = [
            {"type": "section", "text": {"type": "plain_text", "text": line, "emoji": False}}
            for line in (message.headline, *message.lines)
            if line
        ]
        if message.link:
            button = {"type": "button", "text": {"type": "plain_text", "text": OPEN}, "url": message.link}
            blocks.append({"type": "actions", "elements": [button]})
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": escaped, "blocks": blocks, "link_names": False}
    if post.channel.kind == "teams":
        lines = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in text.split("\n")]
        actions = [{"type": "Action.OpenUrl", "title": OPEN, "url": message.link}] if message.link else []
        card = {"type": "AdaptiveCard", "version": "1.4", "body": lines, "actions": actions}
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attachment]}
    event = {"occasion": post.alert.occasion, "night": str(post.alert.night)}
    reason = {"sentence": post.alert.sentence, "remedy": post.alert.remedy}
    report = {"headline": message.headline, "lines": list(message.lines), "link": message.link}
    return {"id": identity(post), "company": company, **event, **reason, **report}


def _url(project: Project, channel: Channel) -> str:
    """The address, which is a secret: it is read when it is needed and kept nowhere.

    Raises:
        SettingsError: when it is not there, or would leave this machine unencrypted.
    """
    path = project.root / channel.url_file
    text = (path.read_text("utf-8") if path.is_file() else "") if channel.url_file else variable(channel.url_variable)
    url = urlsplit(text.strip())
    where = f"file {channel.url_file!r}" if channel.url_file else f"variable {channel.url_variable!r}"
    if not (url.hostname and (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK))):
        raise SettingsError(f"{FILE}: the {where} of channel {channel.name!r} holds no https:// address; put it there")
    return text.strip()


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
