"""The readers of what comes by a browser, by a resource server, or unasked."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from contextlib import suppress

from oauth2_sansio.backchannel import (
    BackchannelAuthentication,
    read_notification,
    redeem_notification,
)
from oauth2_sansio.callback import ResponseMode
from oauth2_sansio.challenges import read_challenges
from oauth2_sansio.dropin.callbacks import read_callback
from oauth2_sansio.errors import OAuth2Error
from oauth2_sansio.events import (
    Endpoint,
    RequestToSend,
)
from oauth2_sansio.jwt_verification import authorization_verification, read_jwt
from oauth2_sansio.refusals import Refusal, is_token_rejected
from oauth2_sansio.retry_after import LONGEST_RETRY_AFTER, read_retry_after
from oauth2_sansio.tokens import is_visible_text
from oauth2_sansio.urls import (
    add_to_query,
    check_url,
    read_query,
    same_origin,
    split_callback,
    target_uri,
    url_decode,
)

from .world import (
    CLIENT,
    ISSUER,
    NOW,
    PENDING,
    SHARED,
    SIGNED_CLIENT,
    broken,
    must,
    text_of,
)


def callback(data: bytes) -> None:
    text = text_of(data)
    for pending in PENDING.values():
        with suppress(OAuth2Error):
            must(is_visible_text(pending.read_callback(text)), "a code of other characters")


def callback_of_a_dropin(data: bytes) -> None:
    text = text_of(data)
    for state, mode, welcome in (
        ("st4te", None, False),
        (None, None, True),
        (None, "form_post", True),
        ("st4te", "jwt", False),
    ):
        with suppress(OAuth2Error):
            callback = read_callback(
                text,
                state=state,
                response_type="code",
                response_mode=mode,
                token_is_welcome=welcome,
                issuer=ISSUER,
                issuer_required=False,
                verification=lambda: authorization_verification(SIGNED_CLIENT, None),
            )
            must(callback.token is None or welcome, "a token that nobody asked for")
            must(mode != "jwt" or "response=" in text, "a signed callback that is not there")
            must(
                state is None or mode == "jwt" or f"state={state}" in text or "%" in text,
                "a state is not there",
            )


def signed_callback(data: bytes) -> None:
    # Header and claims as a hostile server would sign them, rightly.
    header, _, claims = data.partition(b"\n")
    message = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims))
    signature = urlsafe_b64encode(hmac.digest(SHARED.encode(), message, "sha256")).rstrip(b"=")
    callback = f"https://me.example/cb?response={(message + b'.' + signature).decode()}"
    flow = SIGNED_CLIENT.redeem(PENDING[ResponseMode.JWT], callback)
    request = flow.start(NOW)
    must(isinstance(request, RequestToSend), "no request")


def jwt(data: bytes) -> None:
    try:
        jwt = read_jwt(data.decode("latin-1"))
    except ValueError as error:
        raise broken(str(error)) from None
    must(data.count(b".") == 2, "no signed JWT")
    repr((jwt, jwt.algorithm, jwt.key_id, jwt.typ))
    jwt.check_times(NOW, broken, required="exp")


def notification(data: bytes) -> None:
    header, _, body = data.partition(b"\n")
    notification = read_notification(header.decode("latin-1"), body)
    repr(notification)
    login = BackchannelAuthentication(
        auth_req_id="the-login",
        expires_at=NOW + 900,
        interval=5,
        client_notification_token="the-notification-token",
    )
    redeem_notification(CLIENT, login, notification)
    must(b"the-login" in body or b"\\" in body, "another login")
    must(b"the-notification-token" in header, "another sender")


def form(data: bytes) -> None:
    text = text_of(data)
    with suppress(ValueError):  # what this one raises, as its counterpart does
        url_decode(text)
    read_query(text, what="the form")


def url(data: bytes) -> None:
    text = text_of(data)
    same_origin(text, f"{ISSUER}/")
    for read in (
        split_callback,
        lambda url: target_uri(url, Endpoint.RESOURCE),
        lambda url: add_to_query(url, (("a", "b"),)),
    ):
        with suppress(OAuth2Error):
            read(text)
    url = check_url(text, "the endpoint")
    must(url.isascii() and url.isprintable() and " " not in url, "a URL of other characters")
    must(url[:8].lower() == "https://" or "://" in url[:8], "no scheme")
    must(url[:8].lower() == "https://" or same_origin(url, url), "no origin")


def challenges(data: bytes) -> None:
    # Raises nothing at all until somebody asks for what is not there.
    values = [bytes(line).decode("latin-1") for line in data.split(b"\n")]
    challenges = read_challenges(values)
    for challenge in challenges:
        repr((challenge, challenge.max_age, challenge.algs, challenge.scope, challenge.realm))
    is_token_rejected(401, values)
    refusal = Refusal(401, challenges)
    repr((refusal.repair, refusal.error, refusal.resource_metadata))
    refusal.step_up("a b")


def retry_after(data: bytes) -> None:
    # Raises nothing at all.
    seconds = read_retry_after(data.decode("latin-1"), NOW)
    must(seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER, "out of bounds")
