from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio_trio import RemoteProtocolError
from oauth2_sansio_trio.decoding import GzipDecoder


def decode(pieces: list[bytes], limit: int) -> list[bytes]:
    decoder, decoded = GzipDecoder(), []
    for piece in pieces:
        decoder.feed(piece)
        while taken := decoder.take(limit):
            decoded.append(taken)
    decoder.finish()
    return decoded


@given(
    st.lists(st.binary(max_size=2000), min_size=1, max_size=3),
    st.integers(1, 300),
    st.integers(1, 300),
)
def test_what_was_encoded_comes_back_in_pieces_within_the_limit(
    members: list[bytes], size: int, limit: int
) -> None:
    encoded = b"".join(gzip.compress(member, mtime=0) for member in members)
    pieces = [encoded[start : start + size] for start in range(0, len(encoded), size)]

    decoded = decode(pieces, limit)

    assert b"".join(decoded) == b"".join(members)
    assert all(0 < len(piece) <= limit for piece in decoded)


def test_a_bomb_does_not_go_off() -> None:
    decoder = GzipDecoder()
    decoder.feed(gzip.compress(bytes(10_000_000)))

    assert [len(decoder.take(1000)) for _ in range(50)] == [1000] * 50


@pytest.mark.parametrize(
    "body",
    [
        b"plain",
        gzip.compress(b"x") + b"junk",
        b"\x1f\x8b\x00",
        gzip.compress(b"x")[:-8] + b"12345678",
    ],
)
def test_what_is_not_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="not gzip|cut off"):
        decode([body], 100)


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode([b"\x1f\x8b\x08" + body, b"\xff" * 40], 100)


def test_what_is_cut_off_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="cut off"):
        decode([gzip.compress(b"x" * 100)[:-3]], 100)


def test_an_empty_body_is_no_fault() -> None:
    assert decode([], 100) == []
