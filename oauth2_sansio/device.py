"""Login on a device that has no browser: the user decides on another one (RFC 8628)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .answers import Answer
from .client import Client
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError
from .events import Endpoint
from .flow import Flow
from .parameters import (
    AuthorizationDetails,
    Parameters,
    Scope,
    details_pair,
    joined,
    repeated,
    scope_pair,
)
from .polling import poll, read_polling, read_stored_polling
from .stored import TEXT, TEXT_OR_NONE, TIME, Kinds, write_stored
from .tokens import OAuth2Token
from .urls import check_url

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

_LONGEST_USER_CODE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization(HoldsSecrets):
    """A login that waits for the user, who decides on another device (RFC 8628 section 3.2).

    Show the user both `verification_uri` and `user_code`, also beside a QR code of
    `verification_uri_complete`: who sees the same code on both devices is not fooled so easily.

    device_code: secret; the token endpoint is asked with it.
    expires_at: when it is too late, in seconds since the epoch.
    interval: seconds between two requests to the token endpoint.
    """

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    verification_uri: str
    verification_uri_complete: str | None = field(default=None, repr=False)
    expires_at: float
    interval: float

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict that JSON can hold. The dict holds secrets."""
        return write_stored(self, _STORED)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> DeviceAuthorization:
        """Return what `to_dict` has made; raise `LocalProtocolError` for anything else."""
        return cls(**read_stored_polling(document, _STORED, _not_stored))


_STORED: Kinds = {
    "device_code": TEXT,
    "user_code": TEXT,
    "verification_uri": TEXT,
    "verification_uri_complete": TEXT_OR_NONE,
    "expires_at": TIME,
    "interval": TIME,
}


def authorize_device(
    client: Client,
    *,
    scope: Scope = None,
    resource: Sequence[str] = (),
    authorization_details: AuthorizationDetails = (),
    parameters: Parameters = (),
) -> Flow[DeviceAuthorization]:
    """Ask for a code that the user types in on another device (RFC 8628 section 3.1).

    resource: the resources that the token is for (RFC 8707 section 2).
    authorization_details: what exactly it is for (RFC 9396).
    Raises `RemoteProtocolError` where the page that the user is sent to is no https URL.
    """
    given = (
        *scope_pair(scope),
        *repeated("resource", resource),
        *details_pair(authorization_details, client.server.authorization_details_types_supported),
    )
    form = joined(given, parameters, Endpoint.DEVICE_AUTHORIZATION, in_url=False)
    allow_insecure_http = client.server.allow_insecure_http
    return client.exchange(
        Endpoint.DEVICE_AUTHORIZATION,
        form,
        lambda answer: _read_authorization(answer, allow_insecure_http=allow_insecure_http),
    )


def poll_device(
    client: Client, device: DeviceAuthorization, *, parameters: Parameters = ()
) -> Flow[OAuth2Token]:
    """Ask for the token until the user has decided (RFC 8628 section 3.4).

    The flow waits before each request, longer where the server says so or does not answer, and
    raises `LocalProtocolError` (`expired_token`) before it waits in vain. Otherwise it ends with
    the server's `ErrorResponse`, such as `access_denied`.
    """
    given = (("grant_type", DEVICE_CODE), ("device_code", device.device_code))
    return poll(
        client,
        given,
        parameters,
        interval=device.interval,
        expires_at=device.expires_at,
        too_late=LocalProtocolError(
            "the user has not decided before the device code expires",
            error="expired_token",
            endpoint=Endpoint.TOKEN,
            advice="begin again with authorize_device, if the user still wants to",
        ),
    )


def _read_authorization(answer: Answer, *, allow_insecure_http: bool) -> DeviceAuthorization:
    document = answer.read()
    device_code, expires_at, interval = read_polling(answer, document, "device_code")
    user_code = document.get("user_code")
    if (
        not isinstance(user_code, str)
        or not user_code.isprintable()
        or not 0 < len(user_code) <= _LONGEST_USER_CODE
    ):
        raise answer.broken("the answer has no user_code that can be shown")
    # Some servers keep to the name of a draft.
    page = document.get("verification_uri", document.get("verification_url"))
    complete = document.get("verification_uri_complete")
    return DeviceAuthorization(
        device_code=device_code,
        user_code=user_code,
        verification_uri=_page(answer, page, allow_insecure_http),
        verification_uri_complete=(
            None if complete is None else _page(answer, complete, allow_insecure_http)
        ),
        expires_at=expires_at,
        interval=interval,
    )


def _page(answer: Answer, url: object, allow_insecure_http: bool) -> str:
    if not isinstance(url, str):
        raise answer.broken("the answer has no verification_uri that is a text")
    try:
        return check_url(url, "verification_uri", allow_insecure_http=allow_insecure_http)
    except LocalProtocolError as error:
        reason = str(error.description)
    # The user is about to open it, and to type in a password there.
    raise answer.broken(reason, advice="do not show it to the user: it may be an attacker's")


def _not_stored(reason: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"this is no stored device authorization: {reason}",
        endpoint=Endpoint.DEVICE_AUTHORIZATION,
        advice="begin again with authorize_device",
    )
