"""A child process keeps within time, memory and files, has no network, and is replaced when it is brought down."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.isolation.limited_process import LimitedProcess, LimitExceededError, bytes_of

MEGABYTE = 1_000_000
ODD_WORKER = "tests.unit.warehouse.odd_worker"


@pytest.fixture(scope="module")
def child() -> Iterator[LimitedProcess]:
    """One child for all tests; those that bring it down find another."""
    process = LimitedProcess(ODD_WORKER)
    yield process
    process.stop()


def ask(child: LimitedProcess, request: str, seconds: float = 60, memory: int = 400 * MEGABYTE) -> str:
    return child.ask(request.encode(), seconds, memory, 10 * MEGABYTE).decode()


def test_one_child_answers_request_after_request(child: LimitedProcess) -> None:
    assert ask(child, "echo one") == "one"
    assert ask(child, "who") == ask(child, "who")


@pytest.mark.parametrize(
    ("request_", "seconds", "limit"),
    [("hang", 0.3, "time"), ("fill 2000", 60, "memory"), ("reserve 99000000000", 60, "memory"), ("crash", 60, "crash")],
)
def test_work_that_goes_wrong_is_named_and_the_next_finds_another_child(
    child: LimitedProcess, request_: str, seconds: float, limit: str
) -> None:
    before = ask(child, "who")
    with pytest.raises(LimitExceededError) as over:
        ask(child, request_, seconds)

    assert over.value.limit == limit
    assert over.value.signal_name == ("SIGSEGV" if limit == "crash" else "")
    assert ask(child, "who") != before


def test_no_socket_opens_and_no_program_starts(child: LimitedProcess) -> None:
    assert ask(child, "socket") == f"refused {errno.EACCES}"
    assert ask(child, "program") == f"refused {errno.EACCES}"


def test_a_file_that_the_child_writes_is_bounded(child: LimitedProcess, tmp_path: Path) -> None:
    assert ask(child, f"write {tmp_path / 'small'} 1000") == "done"
    assert ask(child, f"write {tmp_path / 'large'} 20000000") == f"refused {errno.EFBIG}"


def test_secrets_of_the_environment_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    process = LimitedProcess(ODD_WORKER)
    assert ask(process, "environment MAIL_PASSWORD") == "none"
    process.stop()


def test_a_child_that_hangs_dies_with_the_one_that_started_it() -> None:
    """The parent is killed while the child sleeps for ever; the child writes to a pipe that would stay open with it."""
    code = (
        f"from warehouse.isolation.limited_process import LimitedProcess as P; p = P({ODD_WORKER!r}); "
        "print(p.ask(b'who', 60, 10**9, 0).decode(), flush=True); p.ask(b'hang', 600, 10**9, 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        signal.sigtimedwait([], 0.05)
    else:
        pytest.fail("the child lives on")


def test_sizes_are_read_as_the_settings_write_them() -> None:
    assert bytes_of("4GB") == 4 * 1000**3
    assert bytes_of("512MiB") == 512 * 1024**2
