"""The connection of one exchange, ended by another thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from oauth2_sansio.waiting.own_connection import KeptConnectionError, OwnConnection

SENDING = "http11.send_request_headers.started"
CONNECTED = ["connection.connect_tcp.complete", "socks5.connect_tcp.complete"]


@dataclass
class Stream:
    """What httpcore hands to a trace."""

    socket: socket.socket

    def get_extra_info(self, name: str) -> Any:
        return getattr(self, name)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        ours.settimeout(10)
        yield ours, theirs


def connected(ours: socket.socket, event: str = CONNECTED[0]) -> OwnConnection:
    connection = OwnConnection()
    connection.trace(event, {"return_value": Stream(ours)})
    return connection


@pytest.mark.parametrize("event", [*CONNECTED, "connection.connect_unix_socket.complete"])
def test_end_wakes_whoever_reads(event: str, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    connection = connected(ours, event)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(ours.recv(1)))
    reader.start()
    seen = [connection.ended]
    connection.end()
    reader.join(10)
    assert read == [b""]
    assert theirs.recv(1) == b""
    seen.append(connection.ended)
    assert seen == [False, True]
    connection.let_go()


def test_a_connection_that_comes_after_the_end_is_ended_too(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    connection = OwnConnection()
    connection.end()
    connection.trace(CONNECTED[0], {"return_value": Stream(ours)})
    assert theirs.recv(1) == b""
    connection.let_go()


def test_let_go_leaves_the_connection_as_it_is(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    connection = connected(ours)
    connection.let_go()
    connection.end()  # too late
    theirs.sendall(b"x")
    assert ours.recv(1) == b"x"


def test_end_reaches_a_connection_whose_socket_has_changed_hands(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    # As `ssl` does where it wraps a socket.
    ours, theirs = pair
    connection = connected(ours)
    with socket.socket(ours.family, ours.type, fileno=ours.detach()) as moved:
        connection.end()
        assert moved.recv(1) == theirs.recv(1) == b""
    connection.let_go()


def test_nothing_goes_over_a_connection_that_was_there_already(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(KeptConnectionError):
        OwnConnection().trace(SENDING, {})
    connection = connected(pair[0])
    connection.trace(SENDING, {})
    connection.let_go()


def test_a_trace_of_the_user_is_told_too(pair: tuple[socket.socket, socket.socket]) -> None:
    told: list[str] = []

    def theirs(event: str, _about: Mapping[str, Any]) -> None:
        told.append(event)

    extensions: dict[str, Any] = {"trace": theirs, "timeout": {}}
    connection = OwnConnection()
    connection.follow(extensions)
    extensions["trace"](CONNECTED[0], {"return_value": Stream(pair[0])})
    extensions["trace"](SENDING, {})
    assert told == [CONNECTED[0], SENDING]
    connection.let_go()
