"""The readers of what was stored."""

from __future__ import annotations

from contextlib import suppress

from oauth2_sansio.answers import read_json
from oauth2_sansio.authorization import PendingAuthorization
from oauth2_sansio.device import DeviceAuthorization
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.token_record import TokenRecord
from oauth2_sansio.tokens import OAuth2Token

from .world import (
    IDENTITY,
    NOW,
    must,
    object_of,
    wait_for,
)


def stored_token(data: bytes) -> None:
    # What an application has kept, and hands in again: any dict.
    token = OAuth2Token(object_of(data))
    token.is_expired(now=NOW)
    repr((token, token.scope, token.id_token, token.token_type))
    authorization_header(token)


def stored_device(data: bytes) -> None:
    wait_for(DeviceAuthorization.from_dict(object_of(data)))


def stored_authorization(data: bytes) -> None:
    pending = PendingAuthorization.from_dict(object_of(data))
    must(pending.state != "", "no state")
    pending.check_age(NOW)
    repr(pending)
    must(PendingAuthorization.from_dict(pending.to_dict()) == pending, "it does not come back")


def record(data: bytes) -> None:
    found = TokenRecord.from_bytes(data, IDENTITY)
    must(found.identity == IDENTITY, "somebody else's")
    must(TokenRecord.from_bytes(found.to_bytes(), IDENTITY) == found, "it does not come back")


def json_text(data: bytes) -> None:
    with suppress(ValueError):
        read_json(data)
