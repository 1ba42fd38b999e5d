"""The talk with the mail server: what may pass is tried again; what is refused, or unsure, is not."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestration.notify.settings import Delivery
from templates.typesetting.typeface import printable
from warehouse.outbox import FINAL, Letter, State

VERDICTS: Final[dict[int, State]] = {2: "sent", 5: "refused"}
LONGEST_REPLY: Final = 300
COMPLETED: Final = 2
PERMANENT: Final = 500
LOST: Final = "the connection broke while it was being sent; it may have arrived, so it is not sent again"


class UnusableServerError(Exception):
    """Trying again at once would not help: settings and server do not fit each other."""


@dataclass(frozen=True)
class Parcel:
    """A letter and the bytes that go out for it."""

    letter: Letter
    content: bytes


@dataclass(frozen=True)
class Server:
    """The mail server of the settings, with what is needed to log in."""

    settings: Delivery
    root: Path
    password: str

    @property
    def address(self) -> str:
        """How sentences name it."""
        return f"{self.settings.host}:{self.settings.real_port}"


def dispatch(
    server: Server,
    parcels: Sequence[Parcel],
    keep: Callable[[Letter], None],
    pause: Callable[[float], None],
) -> None:
    """Send every parcel; what failed for now is sent again after a pause that doubles.

    Args:
        server: Where to send them.
        parcels: What to send, one recipient each.
        keep: Writes down how far a letter got; it is called before a text leaves and after the answer to it.
        pause: Waits so many seconds.
    """
    pending = list(parcels)
    for attempt in range(server.settings.attempts):
        if attempt:
            pause(server.settings.wait_s * 2 ** (attempt - 1))
        pending = _round(server, pending, keep)
        if not pending:
            return


def _round(server: Server, parcels: Sequence[Parcel], keep: Callable[[Letter], None]) -> list[Parcel]:
    """One connection for all that is pending; what is worth another attempt comes back."""
    pending = list(parcels)
    try:
        with _connected(server) as smtp:
            for parcel in parcels:
                _settle(smtp, server, parcel, pending, keep)
    except UnusableServerError as error:
        _set_back(pending, f"{server.address}: {error}", keep)
        return []
    except OSError as error:  # every error of smtplib is one
        _set_back(pending, f"{server.address}: {_words(error)}", keep)
    return pending


def _settle(
    smtp: smtplib.SMTP, server: Server, parcel: Parcel, pending: list[Parcel], keep: Callable[[Letter], None]
) -> None:
    """One transaction; what is final is pending no more."""
    outcome = _handed_over(smtp, server.settings.sender, parcel, keep)
    if outcome.state in FINAL:  # before it is kept: a full disk must not put back what was sent
        pending.remove(parcel)
    keep(outcome)
    smtp.rset()


def _set_back(pending: Sequence[Parcel], detail: str, keep: Callable[[Letter], None]) -> None:
    for parcel in pending:
        keep(parcel.letter.marked("waiting", detail))


def _handed_over(smtp: smtplib.SMTP, sender: str, parcel: Parcel, keep: Callable[[Letter], None]) -> Letter:
    """The letter as it stands after its one transaction."""
    letter = parcel.letter
    code, reply = smtp.mail(sender)
    if code >= PERMANENT:
        raise UnusableServerError(f"it refuses the sender {sender}: {_reply(code, reply)}")
    if code // 100 == COMPLETED:
        code, reply = smtp.rcpt(letter.recipient)
    if code // 100 == COMPLETED:
        keep(letter.marked("sending"))
        return _text_sent(smtp, parcel)
    return letter.marked(VERDICTS.get(code // 100, "waiting"), _reply(code, reply))


def _text_sent(smtp: smtplib.SMTP, parcel: Parcel) -> Letter:
    try:
        code, reply = smtp.data(parcel.content)
    except smtplib.SMTPDataError as error:  # the server did not ask for the text, so none was sent
        code, reply = error.smtp_code, _as_bytes(error.smtp_error)
    except OSError:
        return parcel.letter.marked("unknown", LOST)
    return parcel.letter.marked(VERDICTS.get(code // 100, "waiting"), _reply(code, reply))


@contextmanager
def _connected(server: Server) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted and logged in as the settings say, or none."""
    try:
        smtp = _opened(server)
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is not trusted ({error.verify_message}); name its authority in ca_file"
        raise UnusableServerError(why) from error
    except smtplib.SMTPNotSupportedError as error:
        raise UnusableServerError(f"{_words(error)}; set security as the server has it") from error
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= PERMANENT:
            raise UnusableServerError(_login_words(server, error)) from error
        raise
    with smtp:
        yield smtp


def _opened(server: Server) -> smtplib.SMTP:
    settings = server.settings
    if settings.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.real_port, timeout=settings.timeout_s, context=_trust(server)
        )
    else:
        smtp = smtplib.SMTP(settings.host, settings.real_port, timeout=settings.timeout_s)
    try:
        if settings.security == "starttls":
            smtp.starttls(context=_trust(server))
        if settings.username:
            smtp.login(settings.username, server.password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _trust(server: Server) -> ssl.SSLContext:
    """Whose certificates count: the authority of the settings, else those of the system."""
    named = server.settings.ca_file
    try:
        return ssl.create_default_context(cafile=server.root / named if named else None)
    except (OSError, ValueError) as error:
        raise UnusableServerError(f"ca_file {named!r} holds no certificate: {error}") from error


def _login_words(server: Server, error: smtplib.SMTPResponseException) -> str:
    """What a server said that lets nobody in; an answer to a login is not repeated, it may hold what was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{error.smtp_code}: it refuses the login of {server.settings.username!r}; correct username or password"
    return _reply(error.smtp_code, _as_bytes(error.smtp_error))


def _as_bytes(reply: bytes | str) -> bytes:
    return reply.encode() if isinstance(reply, str) else reply


def _reply(code: int, reply: bytes) -> str:
    return f"{code} {printable(reply[: 4 * LONGEST_REPLY].decode('utf-8', 'replace'))}"[:LONGEST_REPLY]


def _words(error: OSError) -> str:
    """What went wrong, as one bounded line."""
    return printable(str(error)[: 4 * LONGEST_REPLY])[:LONGEST_REPLY] or type(error).__name__
