"""Login without any browser of the client's: the server asks the user itself (OpenID Connect CIBA)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from .answers import MAXIMUM_BODY, Answer, read_json
from .authorization import random_text
from .client import Client
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError, RemoteProtocolError, listed
from .events import Endpoint
from .exchange import Signer
from .flow import Flow
from .parameters import (
    AuthorizationDetails,
    Parameters,
    Scope,
    details_pair,
    joined,
    repeated,
    scope_pair,
    spaced,
)
from .polling import is_code, poll, read_polling, read_stored_polling
from .stored import TEXT, TEXT_OR_NONE, TIME, Kinds, write_stored
from .tokens import OAuth2Token

CIBA = "urn:openid:params:grant-type:ciba"

_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
_LONGEST_NOTIFICATION_TOKEN = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelAuthentication(HoldsSecrets):
    """A login that waits for the user, whom the server asks (CIBA Core section 7.3).

    auth_req_id: secret; the token endpoint is asked with it.
    expires_at: when it is too late, in seconds since the epoch.
    interval: seconds between two requests to the token endpoint.
    client_notification_token: secret; by it the server shows that a notification is its own. None
        where there will be none.
    """

    auth_req_id: str = field(repr=False)
    expires_at: float
    interval: float
    client_notification_token: str | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict that JSON can hold. The dict holds secrets."""
        return write_stored(self, _STORED)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> BackchannelAuthentication:
        """Return what `to_dict` has made; raise `LocalProtocolError` for anything else."""
        return cls(**read_stored_polling(document, _STORED, _not_stored))


_STORED: Kinds = {
    "auth_req_id": TEXT,
    "expires_at": TIME,
    "interval": TIME,
    "client_notification_token": TEXT_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelNotification(HoldsSecrets):
    """What has come to the client's notification endpoint, not checked yet.

    auth_req_id: which login it is about: look yours up by it.
    client_notification_token: by which the sender wants to show who it is.
    """

    auth_req_id: str = field(repr=False)
    client_notification_token: str = field(repr=False)


def authenticate_backchannel(
    client: Client,
    *,
    scope: Scope = "openid",
    login_hint: str | None = None,
    login_hint_token: str | None = None,
    id_token_hint: str | None = None,
    binding_message: str | None = None,
    user_code: str | None = None,
    requested_expiry: int | None = None,
    acr_values: Scope = None,
    resource: Sequence[str] = (),
    authorization_details: AuthorizationDetails = (),
    ping: bool = False,
    client_notification_token: str | None = None,
    signed: bool | None = None,
    parameters: Parameters = (),
) -> Flow[BackchannelAuthentication]:
    """Let the server ask a user who is not here (CIBA Core section 7.1).

    login_hint, login_hint_token, id_token_hint: who the user is, by exactly one of the three.
    binding_message: is shown to the user on both devices, so that they know what they approve of.
    user_code: a secret of the user's, where the server wants one.
    requested_expiry: how many seconds the user has.
    resource: the resources that the token is for (RFC 8707 section 2).
    authorization_details: what exactly it is for (RFC 9396).
    ping: the server is to notify the client too: see `read_notification`.
    client_notification_token: shows that a notification is the server's; made at random where it is
        left out. One that is given stands for `ping`, too.
    signed: sends the request signed with the client's `request_object`; where it is left out, that
        depends on whether the server's metadata say that it takes such ones.
    Raises `TypeError` unless there is exactly one hint, and `LocalProtocolError` for what the
    server's metadata rule out.
    """
    hints = {
        "login_hint": login_hint,
        "login_hint_token": login_hint_token,
        "id_token_hint": id_token_hint,
    }
    if sum(hint is not None for hint in hints.values()) != 1:
        raise TypeError(f"give exactly one of {', '.join(hints)}")
    token = client_notification_token
    if ping and token is None:
        token = random_text(client.random_bytes)
    if token is not None:
        _check_notifying(client, token)
    told = {
        **hints,
        "binding_message": binding_message,
        "user_code": user_code,
        "requested_expiry": None if requested_expiry is None else str(requested_expiry),
        "acr_values": dict(spaced("acr_values", acr_values)).get("acr_values"),
        "client_notification_token": token,
    }
    given = [
        *scope_pair(scope),
        *repeated("resource", resource),
        *details_pair(authorization_details, client.server.authorization_details_types_supported),
    ]
    given += [(name, value) for name, value in told.items() if value is not None]
    form = joined(given, parameters, Endpoint.BACKCHANNEL_AUTHENTICATION, in_url=False)
    return client.exchange(
        Endpoint.BACKCHANNEL_AUTHENTICATION,
        form,
        lambda answer: _read_authentication(answer, token),
        signers=_signers(client, signed),
    )


def poll_backchannel(
    client: Client, authentication: BackchannelAuthentication, *, parameters: Parameters = ()
) -> Flow[OAuth2Token]:
    """Ask for the token until the user has decided (CIBA Core section 10.1).

    The flow waits before each request, longer where the server says so or does not answer, and
    raises `LocalProtocolError` (`expired_token`) before it waits in vain. Otherwise it ends with
    the server's `ErrorResponse`, such as `access_denied`. A server may answer late, when the user
    has decided: give the driver the time for that.
    """
    return poll(
        client,
        _asking_for(authentication),
        parameters,
        interval=authentication.interval,
        expires_at=authentication.expires_at,
        too_late=LocalProtocolError(
            "the user has not decided before the authentication request expires",
            error="expired_token",
            endpoint=Endpoint.TOKEN,
            advice="begin again with authenticate_backchannel, if it is still wanted",
        ),
    )


def read_notification(authorization: str | None, body: bytes) -> BackchannelNotification:
    """Read what has come to the client's notification endpoint (CIBA Core section 10.2).

    authorization: the header of this name.
    body: the bytes that were posted; answer 204 when you have taken note of them.
    Returns what it says: anybody may have sent it, so hand it to `redeem_notification`, which checks
    it.
    Raises `RemoteProtocolError` for what is no such notification, also where the server has pushed
    the tokens themselves: that mode is not supported, since it leaves out client authentication.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not _is_bearer_token(token):
        raise _forged("it has no bearer token in its header Authorization")
    if len(body) > MAXIMUM_BODY:
        raise _forged(f"it is longer than {MAXIMUM_BODY} bytes")
    try:
        document = read_json(body)
    except ValueError as error:
        raise _forged(str(error)) from None
    members = cast("dict[str, Any]", document if isinstance(document, dict) else {})
    auth_req_id = members.get("auth_req_id")
    if not is_code(auth_req_id):
        raise _forged("it has no auth_req_id that can be used")
    if members.keys() & {"access_token", "error"}:
        raise RemoteProtocolError(
            "the server pushes the outcome itself, which is not supported",
            error="unsupported_delivery_mode",
            endpoint=Endpoint.BACKCHANNEL_AUTHENTICATION,
            advice="register the client for the delivery mode poll or ping",
        )
    return BackchannelNotification(auth_req_id=auth_req_id, client_notification_token=token)


def redeem_notification(
    client: Client,
    authentication: BackchannelAuthentication,
    notification: BackchannelNotification,
    *,
    parameters: Parameters = (),
) -> Flow[OAuth2Token]:
    """Ask for the token once, now that the server has notified the client (CIBA Core section 10.2).

    The notification is checked before there is a flow, so that a forged one never causes a request.
    Raises `RemoteProtocolError` (`forged_notification`) for one that is not about this login, or not
    from this server.
    """
    token = authentication.client_notification_token
    if token is None:
        raise _forged("none was asked for")
    # Both, whatever the first one gives: so the time tells nothing.
    same_login = _is_same(authentication.auth_req_id, notification.auth_req_id)
    same_token = _is_same(token, notification.client_notification_token)
    if not (same_login and same_token):
        raise _forged("it is about another login, or not from the server")
    form = joined(_asking_for(authentication), parameters, Endpoint.TOKEN, in_url=False)
    return client.exchange(Endpoint.TOKEN, form, client.read_token)


def _asking_for(authentication: BackchannelAuthentication) -> tuple[tuple[str, str], ...]:
    return (("grant_type", CIBA), ("auth_req_id", authentication.auth_req_id))


def _signers(client: Client, signed: bool | None) -> tuple[Signer, ...]:
    request_object = client.request_object
    known = client.server.backchannel_authentication_request_signing_alg_values_supported
    if signed is None:
        signed = request_object is not None and bool(known)
    if not signed:
        return ()
    if request_object is None:
        raise _unfit(
            "the request is to be signed, and there is nothing to sign it with",
            "give the client request_object=RequestObject(private_key)",
        )
    if known is not None and request_object.algorithm not in known:
        raise _unfit(
            f"the server takes no such requests that are signed with {request_object.algorithm}",
            f"use a key for one of: {listed(known)}",
        )
    return (request_object.signer(client.identity),)


def _check_notifying(client: Client, token: str) -> None:
    modes = client.server.backchannel_token_delivery_modes_supported
    if modes is not None and "ping" not in modes:
        raise _unfit("the server does not notify its clients", "leave out ping, and poll")
    if not _is_bearer_token(token):
        raise _unfit(
            "this client_notification_token is no bearer token (RFC 6750 section 2.1)",
            "leave it out: then one is made",
        )


def _is_bearer_token(token: str) -> bool:
    return len(token) <= _LONGEST_NOTIFICATION_TOKEN and bool(_BEARER_TOKEN.fullmatch(token))


def _is_same(expected: str, found: str) -> bool:
    wanted, came = (text.encode("utf-8", "surrogatepass") for text in (expected, found))
    return hmac.compare_digest(wanted, came)


def _read_authentication(answer: Answer, token: str | None) -> BackchannelAuthentication:
    auth_req_id, expires_at, interval = read_polling(answer, answer.read(), "auth_req_id")
    return BackchannelAuthentication(
        auth_req_id=auth_req_id,
        expires_at=expires_at,
        interval=interval,
        client_notification_token=token,
    )


def _unfit(description: str, advice: str) -> LocalProtocolError:
    return LocalProtocolError(
        description, endpoint=Endpoint.BACKCHANNEL_AUTHENTICATION, advice=advice
    )


def _forged(reason: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"this notification does not count: {reason}",
        error="forged_notification",
        endpoint=Endpoint.BACKCHANNEL_AUTHENTICATION,
        advice="answer it with 401 or 400, and go on as if it had not come",
    )


def _not_stored(reason: str) -> LocalProtocolError:
    return _unfit(
        f"this is no stored backchannel authentication: {reason}",
        "begin again with authenticate_backchannel",
    )
