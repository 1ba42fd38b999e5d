"""A night of the invented company, run once for all who look at it."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from warehouse.sample import write_sample


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample after `trisect run`, which must publish it without a word of complaint; nobody writes into it.

    Where the tests run in several processes, the first one runs the night and the others wait for it.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    room = tmp_path_factory.getbasetemp().parent if is_worker else tmp_path_factory.mktemp("sample")
    folder, finished = room / "sample_night", room / "sample_night.finished"
    with (room / "sample_night.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            folder.mkdir()
            write_sample(folder)
            ran(folder)
            finished.touch()
    return folder


def ran(project: Path, *arguments: str) -> Path:
    """The project after one more `trisect run`."""
    command = [str(Path(sys.executable).with_name("trisect")), "run", "--project", str(project), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="session")
def run() -> Callable[..., Path]:
    """`trisect run`, which must publish."""
    return ran


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a PostgreSQL that is gone with the tests; skipped where the machine has none."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin")]
    programs = next((folder for folder in folders if (folder / "initdb").exists()), None)
    if programs is None:
        pytest.skip("PostgreSQL is not installed; .ci/run installs it on Debian")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="trisect-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"

        def run(program: str, *words: str) -> None:
            command = [str(programs / program), "-D", data, *words]
            subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run("initdb", "-U", "reader", "-A", "trust", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        yield f"postgresql://reader@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-m", "immediate", "stop")
