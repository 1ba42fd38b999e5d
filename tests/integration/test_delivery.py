"""The published night by e-mail, against a mail server that runs here: once, to everybody, whatever happens between."""

from __future__ import annotations

import email
import errno
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from orchestration import last_failure
from orchestration.notify.dispatch import deliver, progress, troubles
from orchestration.settings import load
from templates.message import News, frozen
from warehouse import outbox, publish

NIGHT = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
FROZEN = frozen(News(
    night="2026-11-20", revision=1, stamps=("FINAL",),
    titles=(("summary", "October cost $2.31M, 8\u00a0% over plan"), ("bridge", "Cost stayed level")),
    subject="October cost $2.31M, 8\u00a0% over plan", cost="October cost $2.31M, 8\u00a0% over plan.",
    lead="Cost fell $99.7k: idle (one-off).", decisions=(), lines=(), trust="These numbers tie",
))  # fmt: skip
AUDIENCES = """
[[delivery.audience]]
name = "leadership"
to = ["cfo@example.com", "cto@example.com"]
"""


class Box:
    """A mail server's inbox, and what it answers: a list of replies for a recipient, then 250."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []
        self.replies: dict[str, list[str]] = {}
        self.on_recipient: Callable[[], None] = lambda: None
        self.on_text: Callable[[], str] = lambda: "250 kept"
        self.is_encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - the server's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Know the recipient, or answer what a test wants."""
        del server, session, options
        self.on_recipient()
        reply = self.replies[address].pop(0) if self.replies.get(address) else "250 known"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the same
        """Keep the text."""
        del server
        self.is_encrypted.append(session.ssl is not None)
        message = email.message_from_bytes(envelope.original_content, policy=default)
        self.letters.append((envelope.rcpt_tos[0], message))
        return self.on_text()

    def recipients(self) -> list[str]:
        """Who got something, in order."""
        return [recipient for recipient, _ in self.letters]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def box(port: int) -> Iterator[Box]:
    """A server without encryption or login."""
    inbox = Box()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    yield inbox
    server.stop()


def settings(folder: Path, port: int, server: str = 'security = "none"', audiences: str = AUDIENCES) -> Path:
    text = f"""[company]
name = "Example AI"
[report]
editions = ["finance", "owners"]
[delivery]
host = "127.0.0.1"
port = {port}
sender = "trisect@example.com"
wait_s = 5
timeout_s = 10
{server}
{audiences}"""
    (folder / "trisect.toml").write_text(text, encoding="utf-8")
    return folder


def published(folder: Path, night: date = NIGHT, revision: int = 1, pdf: bytes = b"%PDF-1.7 report") -> None:
    files = {"message.json": FROZEN, "leadership.pdf": pdf}
    outputs = [{"file": name, "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()]
    manifest = {"night": night.isoformat(), "revision": revision, "inputs": [], "outputs": outputs}
    files["manifest.json"] = json.dumps(manifest).encode()
    publish.publish(folder / "var" / "published", night, revision, files)


@pytest.fixture
def root(tmp_path: Path, port: int) -> Path:
    """A project that published one night and sends to two people."""
    settings(tmp_path, port)
    published(tmp_path)
    return tmp_path


def send(root: Path, now: datetime = NOW) -> list[float]:
    """Deliver as a run does; the pauses between attempts come back instead of being waited for."""
    pauses: list[float] = []
    deliver(load(root), now, pauses.append)
    return pauses


def said(root: Path, now: datetime = NOW) -> list[str]:
    return troubles(load(root), now)


def test_everybody_gets_the_report_with_the_sentences_of_its_first_page(root: Path, box: Box) -> None:
    send(root)

    message = box.letters[0][1]
    body, attached = message.get_body(("plain",)), list(message.iter_attachments())
    assert box.recipients() == ["cfo@example.com", "cto@example.com"]
    assert message["Subject"] == "Example AI: October cost $2.31M, 8 % over plan"
    assert message["Message-ID"].startswith("<2026-11-21.r1.leadership.")
    assert body is not None
    assert "Cost fell $99.7k: idle (one-off)." in body.get_content()
    assert "K-0" not in body.get_content()
    assert [(part.get_filename(), part.get_content()) for part in attached] == [
        ("leadership-2026-11-21.pdf", b"%PDF-1.7 report")
    ]
    assert progress(load(root), NOW) == ["e-mail about 2026-11-21 r1: sent to 2 of 2 recipients"]


def test_a_second_run_sends_nothing(root: Path, box: Box) -> None:
    send(root)
    send(root)

    assert len(box.letters) == 2


def test_a_new_recipient_of_the_newest_night_gets_it_and_nobody_gets_it_twice(root: Path, box: Box, port: int) -> None:
    send(root)
    settings(root, port, audiences=AUDIENCES.replace('"cto@', '"coo@example.com", "CFO@'))
    send(root)

    assert box.recipients() == ["cfo@example.com", "cto@example.com", "coo@example.com"]


def test_a_reissue_is_sent_once_as_revised_and_refers_to_what_it_revises(root: Path, box: Box) -> None:
    send(root)
    published(root, revision=2)
    send(root)
    send(root)

    first, *_, revised = [message for _, message in box.letters]
    assert len(box.letters) == 4
    assert revised["Subject"].startswith("REVISED r2: Example AI")
    assert revised["References"] == first["Message-ID"] != revised["Message-ID"]


def test_without_delivery_in_the_settings_nothing_is_sent_or_kept(root: Path, box: Box) -> None:
    (root / "trisect.toml").write_text('[company]\nname = "Example AI"\n', encoding="utf-8")
    send(root)

    assert not box.letters
    assert not (root / "var" / "delivery").exists()


def test_what_fails_for_now_is_sent_again_after_pauses_that_double(root: Path, box: Box) -> None:
    box.replies["cto@example.com"] = ["451 come again", "450 and again"]

    assert send(root) == [5, 10]
    assert box.recipients() == ["cfo@example.com", "cto@example.com"]
    assert said(root) == []


def test_who_is_refused_is_named_and_not_tried_again(root: Path, box: Box) -> None:
    box.replies["cfo@example.com"] = ["550 nobody here\u202e"]

    assert send(root) == []
    assert send(root) == []
    assert box.recipients() == ["cto@example.com"]
    assert said(root) == [
        (
            "the e-mail about 2026-11-21 r1 to cfo@example.com is refused: 550 nobody here; "
            "correct the address in trisect.toml; the next night goes there"
        )
    ]


def test_a_text_that_is_refused_is_final_and_one_that_is_put_off_is_sent_again(root: Path, box: Box) -> None:
    replies = ["554 no reports here", "452 full", "250 kept"]
    box.on_text = lambda: replies.pop(0)

    assert send(root) == [5]
    # cfo refused, cto put off, cto taken
    assert box.recipients() == ["cfo@example.com", "cto@example.com", "cto@example.com"]
    assert len(said(root)) == 1


def test_a_server_that_is_down_leaves_the_night_to_the_next_run(root: Path, port: int) -> None:
    assert send(root) == [5, 10, 20]
    assert len(said(root)) == 2
    assert "the next run tries again" in said(root)[0]

    inbox = Box()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    published(root, date(2026, 11, 22))
    send(root, datetime(2026, 11, 23, 6, tzinfo=UTC))
    server.stop()

    nights = [message["Message-ID"][1:11] for _, message in inbox.letters]
    assert nights == ["2026-11-21", "2026-11-21", "2026-11-22", "2026-11-22"]


DELIVERING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from orchestration.notify.dispatch import deliver
from orchestration.settings import load
deliver(load(Path(sys.argv[1])), datetime(2026, 11, 22, tzinfo=UTC), lambda seconds: None)
"""


def started(root: Path) -> subprocess.Popen[bytes]:
    """A run of its own that delivers, to be killed."""
    return subprocess.Popen([sys.executable, "-c", DELIVERING, str(root)])


def test_a_run_that_is_killed_while_it_sends_is_not_repeated(root: Path, box: Box) -> None:
    run = started(root)

    def killed() -> str:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        return "250 kept"

    box.on_text = killed
    assert run.wait() == -signal.SIGKILL
    assert "was ended while it did; it is not sent again" in said(root)[0]
    box.on_text = lambda: "250 kept"
    send(root)
    send(root)

    assert box.recipients() == ["cfo@example.com", "cto@example.com"]
    assert said(root) == [
        (
            "the e-mail about 2026-11-21 r1 to cfo@example.com is unknown: the run ended while it was being sent; it "
            "may have arrived, so it is not sent again; ask whether it arrived; to send it again, remove its entry "
            "from var/delivery/2026-11-21.json"
        )
    ]


def test_a_run_that_is_killed_before_a_text_leaves_is_made_up(root: Path, box: Box) -> None:
    run = started(root)

    def killed() -> None:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()

    box.on_recipient = killed
    assert run.wait() == -signal.SIGKILL
    box.on_recipient = lambda: None
    send(root)

    assert box.recipients() == ["cfo@example.com", "cto@example.com"]
    assert said(root) == []


def test_a_disk_that_is_full_when_an_answer_is_kept_sends_nothing_twice(
    root: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures_left = outbox.keep, [1]

    def keep(folder: Path, changed: Iterable[outbox.Letter]) -> None:
        news = list(changed)
        if news and news[0].state == "sent" and failures_left:
            failures_left.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        real(folder, news)

    monkeypatch.setattr(outbox, "keep", keep)
    send(root)
    send(root)

    assert box.recipients() == ["cfo@example.com", "cto@example.com"]
    assert [line.split(" is ")[1][:7] for line in said(root)] == ["unknown"]


def test_nights_that_were_published_and_not_sent_are_sent_in_order(root: Path, box: Box) -> None:
    published(root, date(2026, 11, 22))
    send(root, datetime(2026, 11, 23, 6, tzinfo=UTC))
    published(root, date(2026, 11, 23))
    published(root, date(2026, 11, 24))
    send(root, datetime(2026, 11, 25, 6, tzinfo=UTC))

    nights = [message["Message-ID"][1:11] for recipient, message in box.letters if recipient == "cfo@example.com"]
    assert nights == ["2026-11-22", "2026-11-23", "2026-11-24"]


def test_a_server_that_never_answers_is_given_up(root: Path, port: int) -> None:
    text = (root / "trisect.toml").read_text(encoding="utf-8")
    (root / "trisect.toml").write_text(text.replace("timeout_s = 10", "timeout_s = 0.1"), encoding="utf-8")
    with socket.create_server(("127.0.0.1", port)):
        assert send(root) == [5, 10, 20]

    assert "timed out; the next run tries again" in said(root)[0]


def test_a_connection_that_breaks_after_the_text_leaves_it_unsure(root: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as server, started(root) as run:
        server.settimeout(60)  # a run that dies before it connects is a failure, not a wait without end
        connection, _ = server.accept()
        with connection, connection.makefile("rwb") as talk:
            for answer in (b"220 hello", b"250 hello", b"250 sender", b"250 recipient", b"354 go on"):
                talk.write(answer + b"\r\n")
                talk.flush()
                talk.readline()
        server.close()
        run.wait()

    states = {letter.split(" is ")[1].split(":")[0] for letter in said(root)}
    assert states == {"unknown", "waiting"}


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def context(authority: trustme.CA) -> ssl.SSLContext:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    return served


def let_in(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    del server, session, envelope, mechanism
    is_right = (auth.login, auth.password) == (b"trisect", b"correct horse")
    return AuthResult(success=is_right, handled=is_right)


@pytest.fixture
def guarded(port: int, authority: trustme.CA, tmp_path: Path) -> Iterator[Box]:
    """A server that takes nothing but STARTTLS and a login, with a certificate of its own authority."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    inbox = Box()
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context(authority),
        require_starttls=True,
        authenticator=let_in,
        auth_required=True,
    )
    server.start()
    yield inbox
    server.stop()


LOGIN = 'username = "trisect"\npassword_variable = "MAIL_PASSWORD"\n'


def test_starttls_with_a_login_and_the_authority_of_the_settings(
    root: Path, guarded: Box, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(root, port, LOGIN + 'ca_file = "authority.pem"')
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    send(root)

    assert guarded.is_encrypted == [True, True]
    assert said(root) == []


def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    root: Path, guarded: Box, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(root, port, LOGIN)
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")

    assert send(root) == []
    assert not guarded.letters
    assert "its certificate is not trusted" in said(root)[0]


def test_a_server_without_encryption_gets_no_letter_when_encryption_is_asked_for(
    root: Path, box: Box, port: int
) -> None:
    settings(root, port, 'security = "starttls"')

    assert send(root) == []
    assert not box.letters
    assert "set security as the server has it" in said(root)[0]


def test_tls_from_the_first_byte(root: Path, port: int, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(root / "authority.pem")
    settings(root, port, 'security = "tls"\nca_file = "authority.pem"')
    inbox = Box()
    server = Controller(inbox, hostname="127.0.0.1", port=port, ssl_context=context(authority))
    server.start()
    send(root)
    server.stop()

    assert inbox.recipients() == ["cfo@example.com", "cto@example.com"]


def test_a_wrong_password_is_named_nowhere_and_the_right_one_heals(root: Path, guarded: Box, port: int) -> None:
    settings(root, port, 'username = "trisect"\npassword_file = "secret"\nca_file = "authority.pem"')
    (root / "secret").write_text("battery staple\n")
    ran = trisect("run", root)
    status = trisect("status", root)
    kept = b"".join(path.read_bytes() for path in (root / "var").rglob("*") if path.is_file())

    assert ran.returncode == 0
    assert "it refuses the login of 'trisect'" in ran.stderr
    assert "it refuses the login of 'trisect'" in status.stdout
    assert "battery" not in ran.stderr + ran.stdout + status.stdout + kept.decode("utf-8", "replace")

    (root / "secret").write_text("correct horse\n")
    send(root)
    assert guarded.recipients() == ["cfo@example.com", "cto@example.com"]


def test_a_password_that_is_not_there_is_asked_for(root: Path, port: int) -> None:
    settings(root, port, LOGIN)

    assert send(root) == []
    assert "variable 'MAIL_PASSWORD' holds no password" in said(root)[0]


def trisect(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, when every night is published."""
    script = str(Path(sys.executable).with_name("trisect"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    arguments = [script, command, "--project", str(root), "--now", NOW.isoformat()]
    return subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)


def test_a_held_night_is_told_once_to_who_asked_for_it(root: Path, box: Box, port: int) -> None:
    watch = '\n[[delivery.audience]]\nname = "watch"\nto = ["ops@example.com"]\nnights = ["held"]\n'
    settings(root, port, audiences=AUDIENCES + watch)
    send(root)
    now = datetime(2026, 11, 23, 6, tzinfo=UTC)
    reason = "held: too_many_rejected: source a\r\nBcc: x@y.z has 2 of 3 rows quarantined"
    last_failure.note(root / "var", last_failure.Failure(date(2026, 11, 22), now, reason, is_held=True))
    send(root, now)
    send(root, now)
    last_failure.note(root / "var", last_failure.Failure(date(2026, 11, 22), now, "held: missing_fx", is_held=True))
    send(root, now)

    told = [message for recipient, message in box.letters if recipient == "ops@example.com"]
    body = told[0].get_body(("plain",))
    assert [message["Subject"] for message in told] == [
        (
            "Example AI: 2026-11-22 could not be published: too_many_rejected: source a Bcc: x@y.z has 2 of 3 rows "
            "quarantined"
        ),
        "Example AI: 2026-11-22 could not be published: missing_fx",
    ]
    assert told[0]["Bcc"] is None
    assert body is not None
    assert "The report of 2026-11-21 stands." in body.get_content()
    assert len(box.letters) == 4


def test_a_night_that_failed_is_not_told(root: Path, box: Box, port: int) -> None:
    settings(root, port, audiences=AUDIENCES + 'nights = ["held"]\n')
    last_failure.note(root / "var", last_failure.Failure(date(2026, 11, 22), NOW, "failed: ZeroDivisionError"))
    send(root)

    assert not box.letters


def test_a_report_that_is_too_large_goes_as_a_link_and_says_so(root: Path, box: Box, port: int) -> None:
    settings(root, port, 'security = "none"\nattachment_mb = 0.001\npublished_url = "https://r.example.com/p/"')
    published(root, revision=2, pdf=b"x" * 1500)
    send(root)

    body = box.letters[0][1].get_body(("plain",))
    assert body is not None
    assert not list(box.letters[0][1].iter_attachments())
    assert (
        "(0.0 MB, more than the 0.001 MB that may be attached): https://r.example.com/p/2026-11-21-r2/leadership.pdf"
        in (body.get_content())
    )


def test_names_cannot_write_headers_or_fill_them(root: Path, box: Box) -> None:
    text = (root / "trisect.toml").read_text()
    name = json.dumps("Evil\r\nBcc: x@example.com\u202e\x00" + "A" * 100_000, ensure_ascii=True)
    (root / "trisect.toml").write_text(text.replace('"Example AI"', name), encoding="utf-8")
    send(root)

    message = box.letters[0][1]
    body = message.get_body(("html",))
    assert message["Bcc"] is None
    assert len(message["Subject"]) <= 180
    assert len(message["From"]) < 200
    assert body is not None
    assert "Evil Bcc: x@" in body.get_content()
    assert "A" * 40 not in body.get_content()


def test_a_damaged_record_sends_nothing_and_is_said(root: Path, box: Box) -> None:
    send(root)
    (root / "var" / "delivery" / "2026-11-21.json").write_text('{"letters": [')
    ran = trisect("run", root)

    assert ran.returncode == 0
    assert "it is not known who has the report of 2026-11-21" in ran.stderr
    assert len(box.letters) == 2


def test_a_published_night_that_was_tampered_with_is_not_sent(root: Path, box: Box) -> None:
    (root / "var" / "published" / "2026-11-21" / "leadership.pdf").write_bytes(b"%PDF-1.7 other")
    send(root)

    assert not box.letters
    assert "differs from its manifest" in said(root)[0]


def test_an_old_night_is_no_news(root: Path, box: Box) -> None:
    send(root, datetime(2026, 11, 29, tzinfo=UTC))  # 8 days after the 21st; 7 are allowed

    assert not box.letters


def test_a_project_with_a_past_starts_with_its_newest_night(tmp_path: Path, box: Box, port: int) -> None:
    settings(tmp_path, port)
    for day in (18, 19, 20, 21):
        published(tmp_path, date(2026, 11, day))
    send(tmp_path)

    assert {message["Message-ID"][1:11] for _, message in box.letters} == {"2026-11-21"}
