from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any, cast

import pytest
import trio
import trustme

from oauth2_sansio_trio import (
    ConnectError,
    ConnectTimeout,
    HTTPClient,
    ReadError,
    Request,
    WriteError,
)
from oauth2_sansio_trio.tls import PIECE, PlainStream, TLSStream

from .world import (
    OK,
    Server,
    Stream,
    answering,
    counts,
    keep_answering,
    pool_of,
    serving,
    stay_silent,
)

UNTIL_THE_END = b"HTTP/1.1 200 OK\r\n\r\nall of it"


class Contexts:
    """An authority that the client trusts, and a server with its certificate."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.server = self.context_of(authority.issue_cert("127.0.0.1", "localhost"))
        self.other_host = self.context_of(authority.issue_cert("other.example"))
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)

    @staticmethod
    def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    return Contexts()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def version(request: pytest.FixtureRequest, contexts: Contexts) -> Iterator[None]:
    """Run a test with each version of TLS."""
    contexts.client.maximum_version = request.param
    yield
    contexts.client.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


@pytest.mark.trio
@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_requests_over_tls(contexts: Contexts, host: str) -> None:
    async with (
        serving(keep_answering, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        url = server.url.replace("127.0.0.1", host)
        for _ in range(3):
            assert (await client.post(url, content=bytes(300_000))).content == b"ok"
        assert counts(client)[0] == counts(client)[1]
    assert len(server.requests) == 3


@pytest.mark.trio
async def test_a_certificate_names_a_host_without_its_last_dot(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = trio.open_tcp_stream

    async def here(host: str, port: int) -> trio.SocketStream:
        assert host == "localhost."
        return await connect("127.0.0.1", port)

    monkeypatch.setattr(trio, "open_tcp_stream", here)
    async with (
        serving(keep_answering, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        response = await client.get(server.url.replace("127.0.0.1", "localhost."))
        assert response.content == b"ok"


@pytest.mark.trio
async def test_a_connection_is_used_again(contexts: Contexts) -> None:
    async with (
        serving(keep_answering, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        for _ in range(5):
            await client.get(server.url)
        assert counts(client) == (1, 1)
        assert server.connections <= 2  # session tickets may come after the first answer


@pytest.mark.trio
async def test_a_certificate_that_nobody_vouches_for_is_refused(contexts: Contexts) -> None:
    async with (
        serving(keep_answering, ssl_context=contexts.server) as server,
        HTTPClient() as client,
    ):
        for _ in range(2):
            with pytest.raises(ConnectError, match="its certificate is refused") as caught:
                await client.get(f"{server.url}/?s3cret", headers={"A": "s3cret"})
            assert not caught.value.sent
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
            assert "s3cret" not in str(caught.value)
        assert counts(client) == (0, 0)
    assert server.requests == []


@pytest.mark.trio
async def test_a_certificate_for_another_host_is_refused(contexts: Contexts) -> None:
    async with (
        serving(keep_answering, ssl_context=contexts.other_host) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        with pytest.raises(ConnectError, match="its certificate is refused"):
            await client.get(server.url)
    assert server.requests == []


@pytest.mark.trio
async def test_false_alone_accepts_any_certificate(contexts: Contexts) -> None:
    async with (
        serving(keep_answering, ssl_context=contexts.other_host) as server,
        HTTPClient(verify=False) as client,
    ):
        assert (await client.get(server.url)).content == b"ok"


@pytest.mark.trio
async def test_what_is_agreed_on_is_http_1() -> None:
    agreed: list[str | None] = []

    async def handle(server: Server, stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        await stream.do_handshake()
        agreed.append(stream.selected_alpn_protocol())
        await keep_answering(server, stream)

    context = Contexts().server
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(handle, ssl_context=context) as server, HTTPClient(verify=False) as client:
        await client.get(server.url)
    assert agreed == ["http/1.1"]


@pytest.mark.trio
async def test_another_protocol_is_refused() -> None:
    both = Contexts()
    both.client.set_alpn_protocols(["h2"])
    both.server.set_alpn_protocols(["h2"])
    async with (
        serving(stay_silent, ssl_context=both.server) as server,
        HTTPClient(verify=both.client) as client,
    ):
        with pytest.raises(ConnectError, match="agree on another protocol") as caught:
            await client.get(server.url)
        assert not caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
@pytest.mark.parametrize(
    "words", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x00\x02\x02\x28"]
)
async def test_a_server_that_does_not_speak_tls(words: bytes) -> None:
    async def speak(_server: Server, stream: Stream) -> None:
        await stream.receive_some()
        await stream.send_all(words)

    async with serving(speak) as server, HTTPClient() as client:
        with pytest.raises(ConnectError, match="TLS fails|cannot connect") as caught:
            await client.get(server.url.replace("http", "https"))
        assert not caught.value.sent
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_handshake_has_an_end() -> None:
    async with serving(stay_silent) as server, HTTPClient() as client:
        with pytest.raises(ConnectTimeout) as caught:
            await client.get(server.url.replace("http", "https"), timeout=0.05)
        assert not caught.value.sent
        assert counts(client) == (0, 0)
        await trio.sleep(0.02)
        assert server.open_connections == 0


@pytest.mark.trio
@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("says_goodbye", [True, False])
async def test_an_answer_without_length_has_to_end_with_a_goodbye(
    contexts: Contexts, says_goodbye: bool
) -> None:
    """Else whoever is on the way could cut it (RFC 9112 section 9.8)."""

    async def handle(server: Server, stream: Stream) -> None:
        await answering(UNTIL_THE_END)(server, stream)
        assert isinstance(stream, trio.SSLStream)
        if says_goodbye:
            stream._https_compatible = False
            await stream.aclose()

    async with (
        serving(handle, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        if says_goodbye:
            assert (await client.get(server.url)).content == b"all of it"
        else:
            with pytest.raises(ReadError, match="failed before the answer"):
                await client.get(server.url)
        assert counts(client) == (0, 0)


@pytest.mark.trio
@pytest.mark.usefixtures("version")
async def test_a_second_answer_in_the_buffers_of_tls_is_never_used(contexts: Contexts) -> None:
    """Both answers come in one TCP segment, each in a record of its own."""

    async def smuggle(server: Server, stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        held = bytearray()
        tcp = stream.transport_stream
        if await server.read_request(stream) is None:
            return

        async def hold(data: Any) -> None:
            held.extend(data)

        send, tcp.send_all = tcp.send_all, hold  # type: ignore[method-assign] # joins two records
        await stream.send_all(OK)
        await stream.send_all(OK.replace(b"ok", b"no"))
        await send(held)
        await stay_silent(server, stream)

    async with (
        serving(smuggle, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        for _ in range(3):
            assert (await client.get(server.url)).content == b"ok"
        assert server.connections == 3
        assert len(server.requests) == 3


@pytest.mark.trio
async def test_a_server_that_hangs_up_on_a_large_body(contexts: Contexts) -> None:
    async def hang_up(_server: Server, stream: Stream) -> None:
        await stream.receive_some(10)

    async with (
        serving(hang_up, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        with pytest.raises(WriteError):
            await client.post(server.url, content=bytes(30_000_000))
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_cancelled_request_closes_its_connection_at_once(contexts: Contexts) -> None:
    async with (
        serving(stay_silent, ssl_context=contexts.server) as server,
        HTTPClient(verify=contexts.client) as client,
    ):
        with trio.move_on_after(0.05):
            await client.get(server.url)
        assert counts(client) == (0, 0)
        response_before = pool_of(client).connections
        with trio.move_on_after(0.05):
            await client.send(Request(method="GET", url=server.url), stream=True)
        assert pool_of(client).connections == response_before == 0
        await trio.sleep(0.02)
        assert server.open_connections == 0


@pytest.mark.trio
async def test_new_keys_may_be_agreed_on_before_more_is_sent() -> None:
    """As TLS 1.2 does where the server asks for it; what follows is large, and goes in pieces."""
    ours, theirs = trio.socket.socketpair()
    stream = TLSStream(
        PlainStream(trio.SocketStream(ours)), ssl.create_default_context(), "a.example"
    )
    large = bytes(5_000_000)

    class Renegotiating:
        def write(self, data: bytes) -> int:
            if not stream._incoming.pending:
                raise ssl.SSLWantReadError
            stream._incoming.read()
            return stream._outgoing.write(data + large)

    stream._tls = cast("ssl.SSLObject", Renegotiating())
    received = bytearray()

    async def receive() -> None:
        while len(received) < 1 + len(large):
            received.extend(await theirs.recv(1_000_000))

    assert not stream.send_now(b"x")
    await theirs.send(b"keys")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_rest)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(receive)
    assert received == b"x" + large
    stream.close()
    with pytest.raises(trio.ClosedResourceError):
        await stream._tcp.receive_some()
    theirs.close()


@pytest.mark.trio
async def test_what_holds_no_data_is_read_once_before_others_run() -> None:
    """As new session tickets do, of which a server may send any number."""

    class Ticketing:
        def read(self, _: int) -> bytes:
            stream._incoming.read()
            raise ssl.SSLWantReadError

    ours, theirs = trio.socket.socketpair()
    stream = TLSStream(
        PlainStream(trio.SocketStream(ours)), ssl.create_default_context(), "a.example"
    )
    stream._tls = cast("ssl.SSLObject", Ticketing())
    await theirs.send(bytes(3 * PIECE))
    assert stream.receive_now() is None
    assert not stream._tcp.is_quiet()
    stream.close()
    theirs.close()
