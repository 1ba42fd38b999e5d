"""Slack, Teams and webhooks on a real server of this machine: each alert once, whatever the server and the run do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestration import last_failure
from orchestration.notify import alerts, dispatch
from orchestration.settings import Project, load
from templates.message import AskedDecision, News, frozen
from warehouse import outbox

NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
NIGHT = date(2026, 11, 21)
SETTINGS = """[company]
name = "Example <AI>"
[delivery]
attempts = 3
wait_s = 1
timeout_s = 20
[[delivery.channel]]
name = "ops"
kind = "{kind}"
url_file = "secret"
"""
NEWS = News(
    night="21 November 2026",
    revision=1,
    stamps=("final",),
    titles=(("summary", "Approve 1 decision"),),
    subject="Approve 1 decision",
    cost="October cost $4M.",
    lead="",
    decisions=(AskedDecision("Retire a < b", "$2k", "$0", "30 November"),),
    lines=("It grew.",),
    trust="All tie",
)
REASON = "held: too_many_rejected: source <!channel> has 9 of 10 rows quarantined"
SEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from orchestration.notify import dispatch
from orchestration.settings import load
dispatch.delivered(load(Path(sys.argv[1])), datetime(2026, 11, 22, 13, tzinfo=UTC))
"""


class Server(ThreadingHTTPServer):
    """Answers with the codes it is given, in turn, then with 200; keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.heard = threading.Event()
        self.is_silent = False


class Handler(BaseHTTPRequestHandler):
    """Answers one POST."""

    server: Server

    def do_POST(self) -> None:
        """Keep what was sent, then answer or be silent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.server.keys.append(self.headers["Idempotency-Key"])
        self.server.heard.set()
        if self.server.is_silent:
            threading.Event().wait(15)
            return
        self.send_response(self.server.codes.pop(0) if self.server.codes else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Project:
    """A project whose night is held, and a channel of Slack."""
    return of_kind(tmp_path, server, "slack")


def of_kind(folder: Path, server: Server, kind: str) -> Project:
    (folder / "trisect.toml").write_text(SETTINGS.format(kind=kind))
    (folder / "secret").write_text(f"http://127.0.0.1:{server.server_address[1]}/hook?token=s3cret\n")
    (folder / "var").mkdir(exist_ok=True)
    last_failure.note(folder / "var", last_failure.Failure(NIGHT, NOW, REASON, is_held=True))
    return load(folder)


def published(project: Project, night: str, *doubts: str) -> None:
    """A published night with these doubts."""
    folder = project.published / night
    folder.mkdir(parents=True)
    findings = [
        {"kind": "double_billed", "subject": one, "source": "aws", "is_doubt": True, "is_accepted": one == "seen"}
        for one in doubts
    ]
    (folder / "manifest.json").write_text(json.dumps({"findings": findings, "outputs": []}))


def deliver(project: Project, *, is_watch: bool = False) -> list[float]:
    """One delivery; the pauses it made."""
    pauses: list[float] = []
    dispatch.deliver(project, NOW, pauses.append, is_watch=is_watch)
    return pauses


def states(project: Project, night: date = NIGHT) -> list[str]:
    return [letter.state for letter in outbox.messages(project.var / "delivery", night)]


def test_a_held_night_is_told_once_and_no_name_becomes_a_mention(project: Project, server: Server) -> None:
    assert deliver(project) == []
    assert deliver(project) == []

    [told] = server.got
    assert told["text"].startswith("Example &lt;AI&gt;: 2026-11-21 is held and not published\nheld: too_many_rejected")
    assert "&lt;!channel&gt;" in told["text"]
    assert dispatch.troubles(project, NOW) == []
    assert "s3cret" not in (project.var / "delivery" / "2026-11-21.json").read_text()


@pytest.mark.parametrize("kind", ["teams", "webhook"])
def test_each_kind_gets_the_json_it_takes(tmp_path: Path, server: Server, kind: str) -> None:
    deliver(of_kind(tmp_path, server, kind))

    [told] = server.got
    if kind == "teams":
        card = told["attachments"][0]["content"]
        assert card["body"][0]["inlines"][0]["text"] == "Example <AI>: 2026-11-21 is held and not published"
    else:
        assert (told["occasion"], told["night"], told["sentence"]) == ("held", "2026-11-21", REASON)
        assert told["id"] == server.keys[0]


@pytest.mark.parametrize("kind", ["slack", "teams", "webhook"])
def test_a_published_night_is_told_with_its_decision_and_a_link(tmp_path: Path, server: Server, kind: str) -> None:
    project = of_kind(tmp_path, server, kind)
    settings = (tmp_path / "trisect.toml").read_text()
    where = 'nights = ["published"]\n'
    address = settings.replace("[delivery]", '[delivery]\npublished_url = "https://r.example.com/"')
    (tmp_path / "trisect.toml").write_text(address + where)
    project = load(tmp_path)
    last_failure.forget(project.var)
    published(project, "2026-11-21")
    (project.published / "2026-11-21" / "message.json").write_bytes(frozen(NEWS))
    deliver(project)
    deliver(project)

    [told] = server.got
    headline, link = "Example <AI>: Approve 1 decision", "https://r.example.com/2026-11-21/leadership.pdf"
    lines = [
        "October cost $4M.",
        "1. Retire a < b: $2k in twelve months at no one-off cost, sign by 30 November",
        "It grew.",
        "Night 2026-11-21. All tie.",
    ]
    if kind == "slack":
        assert [block["text"]["text"] for block in told["blocks"][:-1]] == [headline, *lines]
        assert told["blocks"][-1]["elements"][0]["url"] == link
        assert "Retire a &lt; b" in told["text"]
    elif kind == "teams":
        card = told["attachments"][0]["content"]
        assert [block["inlines"][0]["text"] for block in card["body"]] == [headline, *lines]
        assert [action["url"] for action in card["actions"]] == [link]
    else:
        assert (told["headline"], told["lines"], told["link"]) == (headline, lines, link)
        assert (told["occasion"], told["night"]) == ("published", "2026-11-21")


def test_a_published_night_without_its_message_waits_until_it_is_published_again(
    project: Project, server: Server
) -> None:
    with (project.root / "trisect.toml").open("a") as settings:
        settings.write('nights = ["published"]\n')
    last_failure.forget(project.var)
    project = load(project.root)
    published(project, "2026-11-21")
    deliver(project)

    assert server.got == []
    assert "has no message.json; publish the night again" in dispatch.troubles(project, NOW)[0]


def test_what_the_server_did_not_take_is_sent_again_after_pauses_that_double(project: Project, server: Server) -> None:
    server.codes = [503, 429]

    assert deliver(project) == [1.0, 2.0]
    assert states(project) == ["sent"]
    assert len(server.got) == 3
    assert len(set(server.keys)) == 1


def test_a_server_that_stays_away_is_asked_again_by_the_next_run(project: Project, server: Server) -> None:
    server.codes = [500, 502, 504]
    deliver(project)
    assert states(project) == ["waiting"]
    [trouble] = dispatch.troubles(project, NOW)
    assert trouble.endswith(", waiting: it answered 504; the next run tries again")

    deliver(project)
    assert states(project) == ["sent"]


def test_what_the_server_refuses_is_not_sent_again(project: Project, server: Server) -> None:
    server.codes = [404]
    deliver(project)
    deliver(project)

    assert states(project) == ["refused"]
    assert len(server.got) == 1


def test_a_run_that_is_killed_while_it_sends_sends_nothing_twice(project: Project, server: Server) -> None:
    server.is_silent = True
    with subprocess.Popen([sys.executable, "-c", SEND, str(project.root)], env=dict(os.environ)) as run:
        assert server.heard.wait(60)
        run.send_signal(signal.SIGKILL)
    server.is_silent = False

    deliver(project)
    assert len(server.got) == 1
    assert states(project) == ["unknown"]


def test_an_address_that_is_no_https_is_used_by_nobody(project: Project, server: Server) -> None:
    (project.root / "secret").write_text("http://hooks.example.com/a")
    deliver(project)

    assert states(project) == ["waiting"]
    assert "holds no https:// address" in dispatch.troubles(project, NOW)[0]
    assert server.got == []


def test_missing_nights_are_told_by_the_watch_alone_and_once(project: Project, server: Server) -> None:
    last_failure.forget(project.var)
    published(project, "2026-11-18")
    deliver(project)
    assert server.got == []

    deliver(project, is_watch=True)
    deliver(project, is_watch=True)
    [told] = server.got
    assert "2026-11-19 is missing\n3 nights are not published, 2026-11-19 first and 2026-11-21 last" in told["text"]


def test_old_gaps_do_not_keep_a_new_outage_from_being_told(project: Project, server: Server) -> None:
    last_failure.forget(project.var)
    for night in ("2026-11-01", "2026-11-12", "2026-11-19"):
        published(project, night)
    deliver(project, is_watch=True)

    [told] = server.got
    assert "2026-11-20 is missing\n2 nights are not published, 2026-11-20 first and 2026-11-21 last" in told["text"]


def test_an_outage_is_told_however_long_ago_it_began(project: Project, server: Server) -> None:
    last_failure.forget(project.var)
    published(project, "2026-10-01")  # 51 nights; news is a week old at most
    deliver(project, is_watch=True)

    assert "51 nights are not published, 2026-10-02 first and 2026-11-21 last" in server.got[0]["text"]


def test_nights_that_are_being_made_up_are_not_told_again(project: Project, server: Server) -> None:
    last_failure.forget(project.var)
    published(project, "2026-11-18")
    deliver(project, is_watch=True)
    published(project, "2026-11-19")  # 20 and 21 were told with it
    deliver(project, is_watch=True)
    assert len(server.got) == 1

    for night in ("2026-11-20", "2026-11-21"):
        published(project, night)
    later = datetime(2026, 11, 23, 12, tzinfo=UTC)  # half a day after the end of the 22nd
    dispatch.deliver(project, later, pause=lambda _: None, is_watch=True)
    assert "2026-11-22 is missing\n1 night is not published" in server.got[1]["text"]


def test_doubts_are_told_when_they_are_new_and_nobody_has_looked(project: Project, server: Server) -> None:
    last_failure.forget(project.var)
    published(project, "2026-11-20", "a", "b")
    published(project, "2026-11-21", "a", "b", "c", "seen")
    deliver(project)
    deliver(project)

    [told] = server.got
    assert "1 new doubt, each once: double_billed c of aws" in told["text"]


def test_a_failed_night_is_other_news_than_a_held_one(project: Project, server: Server) -> None:
    deliver(project)
    last_failure.note(project.var, last_failure.Failure(NIGHT, NOW, "OSError: disk", is_held=False))
    deliver(project)

    assert [told["text"].splitlines()[0].partition("11-21 ")[2] for told in server.got] == [
        "is held and not published",
        "has failed and is not published",
    ]
    assert [one.occasion for one in alerts.alerts(project, NOW)] == ["failed"]


def test_without_a_channel_no_network_is_touched_and_nothing_is_written(project: Project, server: Server) -> None:
    (project.root / "trisect.toml").write_text('[company]\nname = "Example"\n')
    deliver(load(project.root), is_watch=True)

    assert server.got == []
    assert not (project.var / "delivery").exists()
