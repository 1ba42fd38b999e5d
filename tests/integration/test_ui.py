"""`trisect ui` as an operator has it: its own pages work, no other page does, and its end leaves nothing running."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.sample import write_empty

LAUNCH = "mutation { launchRun(executionParams: {selector: {}}) { __typename } }"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Ui:
    """A running `trisect ui`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.policy = ""

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        """Status and body of the answer; header names have `_` for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.policy = answer.getheader("Content-Security-Policy", "")
        connection.close()
        return answer.status, text

    def group(self) -> set[int]:
        """Every process that it started, and that those did."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        family = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return family - {self.process.pid}


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    folder = tmp_path_factory.mktemp("ui")
    write_empty(folder)
    night = folder / "var" / "published" / "2026-11-20"
    night.mkdir(parents=True)
    (night / "leadership.html").write_text("<p>A report</p>", encoding="utf-8")
    (night.parent / "current").symlink_to(night.name)
    port = free_port()
    command = [str(Path(sys.executable).with_name("trisect")), "ui", "--project", str(folder), "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore"}) as process:
        running = Ui(process, port)
        try:
            for _ in range(600):
                assert process.poll() is None
                try:
                    running.ask("GET", "/server_info")
                    break
                except OSError:
                    time.sleep(0.2)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)


def test_published_reports_stand_beside_its_pages_and_nothing_else_does(ui: Ui) -> None:
    for folder in ("2026-11-20", "current"):
        assert ui.ask("GET", f"/published/{folder}/leadership.html") == (200, "<p>A report</p>")
        assert ui.policy.startswith("default-src 'none'")
    for path in (
        "2026-11-20/none.pdf",
        "../trisect.toml",
        "%2e%2e/%2e%2e/trisect.toml",
        "2026-11-20/../../../trisect.toml",
    ):
        assert ui.ask("GET", f"/published/{path}")[0] == 404
    assert ui.ask("GET", "/published/2026-11-20/leadership.html", Host="evil.example.com")[0] == 421


def test_only_its_own_pages_are_served_and_all_of_it_ends_with_it(ui: Ui) -> None:
    own = f"http://127.0.0.1:{ui.port}"
    launch = json.dumps({"query": LAUNCH})

    assert ui.ask("GET", "/server_info")[0] == 200
    assert ui.ask("GET", "/", Host="evil.example.com")[0] == 421
    assert ui.ask("GET", "/graphql?query=mutation%20%7B__typename%7D")[0] == 405
    assert ui.ask("POST", "/graphql", launch, Content_Type="text/plain", Origin=own)[0] == 415
    assert (
        ui.ask("POST", "/graphql", launch, Content_Type="application/json", Origin="http://evil.example.com")[0] == 403
    )
    assert ui.ask("POST", "/graphql", launch, Content_Type="application/json")[0] == 403
    status, said = ui.ask(
        "POST", "/graphql", json.dumps({"query": "{ version }"}), Content_Type="application/json", Origin=own
    )
    assert (status, json.loads(said)["data"]["version"][:2]) == (200, "1.")

    started = ui.group()
    assert len(started) >= 2
    ui.process.send_signal(signal.SIGTERM)
    assert ui.process.wait(60) == 0
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
