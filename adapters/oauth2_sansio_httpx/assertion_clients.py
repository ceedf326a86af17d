"""`AssertionClient` and `AsyncAssertionClient`: their tokens come of signed assertions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth2_sansio.dropin.assertions import AssertionVocabulary
from oauth2_sansio.tokens import DEFAULT_LEEWAY

from .clients import AsyncOAuth2Client, OAuth2Client


class AssertionClient(AssertionVocabulary, OAuth2Client):
    """A `httpx.Client` whose token comes of a signed assertion (RFC 7521, RFC 7523).

    issuer, subject: who says it, and of whom.
    audience: to whom; the token endpoint where it is left out.
    grant_type: JWT bearer where it is left out.
    claims: further claims, or others instead of ours; a `jti` of one's own counts.
    client_id: goes along where it is given.
    kwargs: `key` (see `oauth2_sansio.read_key`), `alg`, `header`, `expires_in` (seconds, 3600),
        `issued_at` and `expires_at` (seconds since the epoch, of the first assertion alone), and
        all keyword arguments of `OAuth2Client`.

    The token is fetched before the first request, and renewed before it expires; of any number of
    threads, one does it.
    """

    def __init__(
        self,
        token_endpoint: str,
        issuer: str,
        subject: str | None,
        audience: Any = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: Any = None,
        client_id: str | None = None,
        *,
        leeway: float = DEFAULT_LEEWAY,
        **kwargs: Any,
    ) -> None:
        self._tell(issuer, subject, audience, grant_type, claims, kwargs)
        OAuth2Client.__init__(
            self,
            client_id,
            scope=scope,
            token_placement=token_placement,
            leeway=leeway,
            token_endpoint=token_endpoint,
            **kwargs,
        )


class AsyncAssertionClient(AssertionVocabulary, AsyncOAuth2Client):
    """A `httpx.AsyncClient` whose token comes of a signed assertion.

    The arguments are those of `AssertionClient`. Of any number of tasks, one fetches the token.
    """

    def __init__(
        self,
        token_endpoint: str,
        issuer: str,
        subject: str | None,
        audience: Any = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: Any = None,
        client_id: str | None = None,
        *,
        leeway: float = DEFAULT_LEEWAY,
        **kwargs: Any,
    ) -> None:
        self._tell(issuer, subject, audience, grant_type, claims, kwargs)
        AsyncOAuth2Client.__init__(
            self,
            client_id,
            scope=scope,
            token_placement=token_placement,
            leeway=leeway,
            token_endpoint=token_endpoint,
            **kwargs,
        )
