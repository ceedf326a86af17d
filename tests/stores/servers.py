"""Real servers for the tests, each on a port of this machine and in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest


def find(program: str) -> str:
    """Return where a program is; skip the test where it is missing, but fail it in `.ci/run`."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    search = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    found = shutil.which(program, path=search)
    if found is None:
        reason = f"{program} is not installed: see CONTRIBUTING.md"
        if os.environ.get("REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def redis_server(*more: str) -> Generator[str]:
    """Run a Redis that keeps nothing, with these options too; yield its URL."""
    program = find("redis-server")
    with _folder() as folder:
        port = _free_port()
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        options = ["--save", "", "--appendonly", "no", *more]
        with _running([*command, *options], "Ready to accept connections", signal.SIGTERM):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def postgresql_server() -> Generator[str]:
    """Run a PostgreSQL; yield a connection string."""
    initdb, postgres = find("initdb"), find("postgres")
    with _folder() as folder:
        who = _another_user(folder)
        data = str(folder / "data")
        subprocess.run(
            [initdb, "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **who,
        )
        port = _free_port()
        command = [postgres, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "", "-F"]
        ready = "database system is ready to accept connections"
        with _running(command, ready, signal.SIGINT, cwd=folder, **who):
            yield f"host=127.0.0.1 port={port} user=tests dbname=postgres sslmode=disable"


@contextmanager
def _folder() -> Generator[Path]:
    # Not in pytest's folder: another user could not reach it there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _another_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    """Return one whose neighbour 10,000 higher exists: a cluster of Redis talks over that."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 2**16 - 10_000:
            return port


@contextmanager
def _running(
    command: Sequence[str], ready: str, stop: signal.Signals, **settings: Any
) -> Generator[None]:
    """Run a server from its line that says it is ready until the end of the tests."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **settings
    ) as process:
        assert process.stdout is not None
        try:
            _read_until(process.stdout, ready)
            reader = _in_background(process.stdout.read)  # so that the pipe never fills up
            yield
        finally:
            process.send_signal(stop)
            process.wait()
        reader.join()


def _read_until(output: IO[str], ready: str) -> None:
    seen: list[str] = []
    for line in output:
        seen.append(line)
        if ready in line:
            return
    pytest.fail("".join(seen))


def _in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@contextmanager
def closed_port() -> Generator[int]:
    """Yield a port that nobody listens on, and nobody else gets."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def silent_server() -> Generator[int]:
    """Yield the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
