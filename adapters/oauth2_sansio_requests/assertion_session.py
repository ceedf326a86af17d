"""`AssertionSession`: a `requests.Session` that gets its tokens by signed assertions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth2_sansio.dropin.assertions import AssertionVocabulary
from oauth2_sansio.tokens import DEFAULT_LEEWAY

from .session import OAuth2Session


class AssertionSession(AssertionVocabulary, OAuth2Session):
    """A `requests.Session` whose token comes of a signed assertion (RFC 7521, RFC 7523).

    issuer, subject: who says it, and of whom.
    audience: to whom; the token endpoint where it is left out.
    grant_type: JWT bearer where it is left out.
    claims: further claims, or others instead of ours; a `jti` of one's own counts.
    client_id: goes along where it is given.
    kwargs: `key` (see `oauth2_sansio.read_key`), `alg`, `header`, `expires_in` (seconds, 3600),
        `issued_at` and `expires_at` (seconds since the epoch, of the first assertion alone), and
        all keyword arguments of `OAuth2Session`.

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
        default_timeout: Any = None,
        leeway: float = DEFAULT_LEEWAY,
        **kwargs: Any,
    ) -> None:
        self._tell(issuer, subject, audience, grant_type, claims, kwargs)
        OAuth2Session.__init__(
            self,
            client_id,
            scope=scope,
            token_placement=token_placement,
            default_timeout=default_timeout,
            leeway=leeway,
            token_endpoint=token_endpoint,
            **kwargs,
        )
