"""Fetching from servers on loopback that the tests start: whole files or none, resumed, and no secret in any word."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import obstore
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import ObjectStore, from_url

from orchestration.cli import main
from orchestration.fetch.buckets import fetch_bucket
from orchestration.fetch.postgresql import fetch_table
from orchestration.fetch.staged import FetchError, Staging

SECRET = "do-not-print-me"  # noqa: S105 - no password of anything
FILES = "inbox/aws/**/*.csv"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server that is gone with the module."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ObjectStore:
    """An empty folder of a bucket, for which the environment has credentials."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with socket.create_connection(s3.removeprefix("http://").split(":")) as connection:
        connection.sendall(b"PUT /bills HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.recv(1024)
    return from_url(f"s3://bills/{tmp_path.name}/")


def fetched(tmp_path: Path, address: str) -> tuple[int, int]:
    """How many files came, and how many were there."""
    staging = Staging.of(tmp_path, tmp_path / "var", "aws")
    new, unchanged = fetch_bucket(address, FILES, staging)
    staging.deliver(new)
    return len(new), unchanged


def address_of(tmp_path: Path) -> str:
    return f"s3://bills/{tmp_path.name}/"


def test_what_the_source_reads_is_brought_once_and_again_when_it_changes(bucket: ObjectStore, tmp_path: Path) -> None:
    obstore.put(bucket, "2026-11/bill-1.csv", b"one\n")
    obstore.put(bucket, "2026-11/bill-Manifest.json", b"{}")
    obstore.put(bucket, "2026-11/readme.txt", b"not read")
    obstore.put(bucket, ".hidden/bill.csv", b"not read")

    assert fetched(tmp_path, address_of(tmp_path)) == (2, 0)
    assert (tmp_path / "inbox/aws/2026-11/bill-1.csv").read_bytes() == b"one\n"
    assert not (tmp_path / "inbox/aws/2026-11/readme.txt").exists()
    assert fetched(tmp_path, address_of(tmp_path)) == (0, 2)

    obstore.put(bucket, "2026-11/bill-1.csv", b"two\n")
    assert fetched(tmp_path, address_of(tmp_path)) == (1, 1)
    assert (tmp_path / "inbox/aws/2026-11/bill-1.csv").read_bytes() == b"two\n"


def test_a_fetch_that_was_killed_goes_on_where_it_stopped_and_nothing_half_is_seen(
    bucket: ObjectStore, tmp_path: Path
) -> None:
    content = os.urandom(100_000)
    obstore.put(bucket, "bill.csv", content)
    staging = Staging.of(tmp_path, tmp_path / "var", "aws")
    new, _ = fetch_bucket(address_of(tmp_path), FILES, staging)
    part = staging.path("bill.csv", new["bill.csv"])
    part.write_bytes(content[:60_000])  # as a kill in the middle leaves it

    assert not (tmp_path / "inbox").exists()
    assert fetched(tmp_path, address_of(tmp_path)) == (1, 0)
    assert (tmp_path / "inbox/aws/bill.csv").read_bytes() == content
    assert list(staging.folder.glob("*.part")) == []


def test_a_file_that_was_lost_below_the_inbox_is_brought_again(bucket: ObjectStore, tmp_path: Path) -> None:
    obstore.put(bucket, "bill.csv", b"one\n")
    fetched(tmp_path, address_of(tmp_path))
    (tmp_path / "inbox/aws/bill.csv").unlink()

    assert fetched(tmp_path, address_of(tmp_path)) == (1, 0)


def test_a_bucket_that_cannot_be_read_is_named_without_its_credentials(
    s3: str, bucket: ObjectStore, tmp_path: Path
) -> None:
    del s3, bucket
    with pytest.raises(FetchError, match=r"s3://nowhere/ cannot be read") as failure:
        fetch_bucket("s3://nowhere/", FILES, Staging.of(tmp_path, tmp_path / "var", "aws"))

    assert SECRET not in str(failure.value)


def test_the_command_says_what_came_and_fails_for_a_source_that_did_not(
    bucket: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    obstore.put(bucket, "bill.csv", b"one\n")
    source = '[[source]]\nname = "{}"\nkind = "gpu_billing"\nformat = "focus"\nfiles = "inbox/{}/**/*.csv"\n'
    remote = '[source.remote]\nurl = "{}"\n'
    (tmp_path / "trisect.toml").write_text(
        '[company]\nname = "Example AI"\n'
        + source.format("aws", "aws")
        + remote.format(address_of(tmp_path))
        + source.format("lost", "lost")
        + remote.format("s3://nowhere/")
    )
    monkeypatch.setattr("sys.argv", ["trisect", "fetch", "--project", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()

    assert ended.value.code == 30
    assert "aws: 1 files brought" in printed.out
    assert "1 of 2 sources could not be fetched" in printed.err
    assert (tmp_path / "inbox/aws/bill.csv").is_file()
    assert SECRET not in printed.out + printed.err


TABLE = "LiteLLM_SpendLogs"
WANTED = ("request_id", "prompt_tokens", "completion_tokens", "team_id")
UNTIL = date(2026, 11, 22)


def rows(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_table_becomes_one_file_a_day_of_the_columns_that_are_read(database: str, tmp_path: Path) -> None:
    rows(
        database,
        f'CREATE TABLE "{TABLE}" (request_id text, "startTime" timestamp(3), prompt_tokens int, '
        "completion_tokens int, messages jsonb, api_key text)",
        f"""INSERT INTO "{TABLE}" VALUES
            ('b', '2026-11-20 23:59:59.999', 10, 2, '{{"prompt": "private"}}', 'sk-1'),
            ('a', '2026-11-20 08:00:00', 7, 1, null, 'sk-1'),
            ('c', '2026-11-21 00:00:00', 5, 3, null, 'sk-1'),
            ('d', '2026-11-22 00:00:00', 5, 3, null, 'sk-1')""",
    )
    staging = Staging.of(tmp_path, tmp_path / "var", "gateway")
    new, unchanged = fetch_table(database, TABLE, "startTime", WANTED, "inbox/gateway/*.csv.gz", staging, UNTIL)
    staging.deliver(new)

    first = gzip.decompress((tmp_path / f"inbox/gateway/{TABLE}-2026-11-20.csv.gz").read_bytes()).decode()
    assert first == (
        "startTime,request_id,prompt_tokens,completion_tokens\n"
        "2026-11-20 08:00:00,a,7,1\n2026-11-20 23:59:59.999,b,10,2\n"
    )
    assert (len(new), unchanged) == (2, 0)  # the running day waits until it is whole

    again, unchanged = fetch_table(database, TABLE, "startTime", WANTED, "inbox/gateway/*.csv.gz", staging, UNTIL)
    assert (again, unchanged) == ({}, 2)

    rows(database, f"""INSERT INTO "{TABLE}" VALUES ('late', '2026-11-20 12:00:00', 1, 1, null, null)""")
    late, unchanged = fetch_table(database, TABLE, "startTime", WANTED, "inbox/gateway/*.csv.gz", staging, UNTIL)
    assert (list(late), unchanged) == ([f"{TABLE}-2026-11-20.csv.gz"], 1)


def test_a_table_that_is_not_there_is_named(database: str, tmp_path: Path) -> None:
    staging = Staging.of(tmp_path, tmp_path / "var", "gateway")
    with pytest.raises(FetchError, match="table 'Nothing' has no column 'startTime'"):
        fetch_table(database, "Nothing", "startTime", WANTED, "inbox/gateway/*.csv.gz", staging, UNTIL)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    staging = Staging.of(tmp_path, tmp_path / "var", "gateway")
    with pytest.raises(FetchError, match=r"postgresql://127\.0\.0\.1:1/x cannot be read"):
        fetch_table("postgresql://127.0.0.1:1/x", TABLE, "startTime", WANTED, "inbox/gateway/*", staging, UNTIL)
