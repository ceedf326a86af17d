"""The authorization server: its endpoints, what it can do, and how to find out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit

from .answers import Answer
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Action, Endpoint, Finished, Pairs, RequestToSend
from .exchange import Exchange, Pipeline
from .flow import Flow
from .metadata import (
    bad_metadata,
    check_object,
    metadata_request,
    read_flag,
    read_list,
    read_object,
    read_text,
)
from .urls import check_url

_ENDPOINTS = (
    Endpoint.AUTHORIZATION,
    Endpoint.TOKEN,
    Endpoint.REVOCATION,
    Endpoint.INTROSPECTION,
    Endpoint.PUSHED_AUTHORIZATION,
    Endpoint.DEVICE_AUTHORIZATION,
    Endpoint.BACKCHANNEL_AUTHENTICATION,
    Endpoint.REGISTRATION,
    Endpoint.USERINFO,
    Endpoint.JWKS,
)
_LISTS = (
    "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "grant_types_supported",
    "response_types_supported",
    "response_modes_supported",
    "dpop_signing_alg_values_supported",
    "backchannel_token_delivery_modes_supported",
    "backchannel_authentication_request_signing_alg_values_supported",
    "authorization_details_types_supported",
    "authorization_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
)
_FLAGS = (
    "authorization_response_iss_parameter_supported",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
)
# The others are not asked by the client itself, so that an alias has no meaning (RFC 8705 section 5).
_ALIASED = tuple(each for each in _ENDPOINTS if each not in (Endpoint.AUTHORIZATION, Endpoint.JWKS))
_MAPPINGS = ("metadata", "mtls_endpoint_aliases")
_HEADERS: Pairs = (
    ("Accept", "application/json"),
    ("Content-Type", "application/x-www-form-urlencoded"),
)
HEADERS_OF_DRAFTS = frozenset(_HEADERS)
"""What a draft of `Server.draft` has of headers, unless a caller has others."""

_NO_METADATA: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where an authorization server is, and what it can do.

    The fields have the names of RFC 8414 section 2. Give them by hand, or let `from_metadata` or
    `discover` fill them in. A list that is None was not given: the RFC's default counts.

    mtls_endpoint_aliases: other URLs of endpoints, for clients with a certificate (RFC 8705): see
        `Client`. Those of what is no endpoint for them do not count.
    metadata: all members of the server's document, those without a field of their own too.
    allow_insecure_http: lets endpoints be plain http outside the loopback interface.
    """

    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    backchannel_authentication_endpoint: str | None = None
    registration_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    revocation_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    introspection_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    response_types_supported: tuple[str, ...] | None = None
    response_modes_supported: tuple[str, ...] | None = None
    dpop_signing_alg_values_supported: tuple[str, ...] | None = None
    backchannel_token_delivery_modes_supported: tuple[str, ...] | None = None
    backchannel_authentication_request_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_details_types_supported: tuple[str, ...] | None = None
    authorization_signing_alg_values_supported: tuple[str, ...] | None = None
    introspection_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    mtls_endpoint_aliases: Mapping[str, str] = field(
        default_factory=lambda: _NO_METADATA, repr=False, hash=False
    )
    metadata: Mapping[str, Any] = field(
        default_factory=lambda: _NO_METADATA, repr=False, hash=False
    )
    allow_insecure_http: bool = False

    def __post_init__(self) -> None:
        for name in _MAPPINGS:
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        urls = [(endpoint, getattr(self, endpoint.value)) for endpoint in _ENDPOINTS]
        for endpoint, url in (*urls, *self._aliases().items()):
            if url is not None:
                check_url(
                    url,
                    endpoint.value,
                    allow_insecure_http=self.allow_insecure_http,
                    endpoint=endpoint,
                )

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of a dict cannot be pickled, the dict itself can.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return _rebuild, ({**values, **{name: dict(values[name]) for name in _MAPPINGS}},)

    def with_mtls_endpoint_aliases(self) -> Server:
        """Return this server as clients with a certificate turn to it (RFC 8705 section 5).

        An endpoint that has no alias stays as it is.
        """
        aliases = {endpoint.value: url for endpoint, url in self._aliases().items()}
        return replace(self, **cast("dict[str, Any]", aliases)) if aliases else self

    def url(self, endpoint: Endpoint) -> str:
        """Return the URL of an endpoint; raise `LocalProtocolError` if none is known."""
        url = getattr(self, endpoint.value, None) if endpoint in _ENDPOINTS else None
        if not isinstance(url, str):
            raise LocalProtocolError(
                f"this server has no {endpoint}",
                endpoint=endpoint,
                advice=f"give {endpoint.value}=, or read the server's metadata",
            )
        return url

    @property
    def safe_urls(self) -> frozenset[str]:
        """The URLs of endpoints that were seen to be safe when this was made."""
        if self.allow_insecure_http:
            return frozenset()
        return frozenset(filter(None, (getattr(self, each.value) for each in _ENDPOINTS)))

    def draft(
        self, endpoint: Endpoint, form: Pairs, *, method: str = "POST", headers: Pairs = ()
    ) -> RequestToSend:
        """Return a request to an endpoint as it is before it passes a pipeline.

        form: its parameters; with GET they go into the query.
        headers: further headers, or others instead of ours.
        """
        in_url = method == "GET"
        draft = RequestToSend(
            endpoint=endpoint,
            method=method,
            url=self.url(endpoint),
            headers=_HEADERS[:1] if in_url else _HEADERS,
            form=() if in_url else form,
        )
        if in_url:
            draft = draft.with_parameters(form)
        for name, value in headers:
            draft = draft.with_header(name, value)
        return draft

    def _aliases(self) -> dict[Endpoint, str]:
        named = self.mtls_endpoint_aliases
        return {each: named[each.value] for each in _ALIASED if named.get(each.value)}

    @classmethod
    def from_metadata(
        cls,
        document: Mapping[str, Any],
        *,
        issuer: str | None = None,
        allow_insecure_http: bool = False,
    ) -> Server:
        """Return the server that a metadata document describes (RFC 8414 section 3.2).

        issuer: what the document's `issuer` must be, character by character.
        Raises `RemoteProtocolError` for another issuer, an endpoint that is no safe URL, and
        members of a wrong type. A member that is null or unknown changes nothing.
        """
        check_object(document)
        named = read_text(document, "issuer")
        if issuer is not None and named != issuer:
            raise bad_metadata(
                "its issuer is not the one that was asked for", error="issuer_mismatch"
            )
        values: dict[str, Any] = {"issuer": named}
        for endpoint in _ENDPOINTS:
            values[endpoint.value] = read_text(document, endpoint.value)
        for name in _LISTS:
            values[name] = read_list(document, name)
        for name in _FLAGS:
            values[name] = read_flag(document, name)
        aliases = read_object(document, "mtls_endpoint_aliases")
        texts = {each.value: read_text(aliases, each.value) for each in _ALIASED}
        values["mtls_endpoint_aliases"] = {name: url for name, url in texts.items() if url}
        try:
            return cls(**values, metadata=document, allow_insecure_http=allow_insecure_http)
        except LocalProtocolError as error:
            # A URL that would be the caller's fault by hand is the server's in its document.
            reason = error.description
        raise bad_metadata(reason or "one of its URLs cannot be used")

    @staticmethod
    def discover(
        issuer: str,
        *,
        merge: bool = False,
        pipeline: Pipeline | None = None,
        allow_insecure_http: bool = False,
    ) -> Flow[Server]:
        """Find out where the server is, by its issuer.

        Asks for the document of RFC 8414 section 3.1 first, then for those of OpenID Connect
        Discovery 1.0 section 4.1; goes on to the next one only upon a status of 4xx.

        merge: reads all documents, and takes from the later ones what the first one lacks.
        pipeline: what the requests pass; give it no signers, for nobody has to know who asks.
        Raises `RemoteProtocolError` where there is no document, or one of another issuer.
        """
        check_url(
            issuer,
            "issuer",
            allow_insecure_http=allow_insecure_http,
            endpoint=Endpoint.METADATA,
        )
        if "?" in issuer:
            raise LocalProtocolError(
                "an issuer has no query", endpoint=Endpoint.METADATA, advice="check the issuer"
            )
        pipeline = replace(pipeline or Pipeline(), allow_insecure_http=allow_insecure_http)
        return _Discovery(issuer, pipeline, merge=merge, allow_http=allow_insecure_http).flow()


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Return where the metadata of an issuer may be, in the order in which they are asked for."""
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}/.well-known"
    path = parts.path.removesuffix("/")
    urls = (
        f"{origin}/oauth-authorization-server{path}",
        f"{origin}/openid-configuration{path}",
        f"{issuer.removesuffix('/')}/.well-known/openid-configuration",
    )
    return tuple(dict.fromkeys(urls))  # without a path the last two are one


class _Discovery(Exchange[Server]):
    def __init__(self, issuer: str, pipeline: Pipeline, *, merge: bool, allow_http: bool) -> None:
        self._issuer = issuer
        self._merge = merge
        self._allow_http = allow_http
        first, *self._further = metadata_urls(issuer)
        self._found: dict[str, Any] = {}
        super().__init__(pipeline, metadata_request(first), self._server)

    def on_answer(self, answer: Answer) -> Action[Server]:
        status = answer.response.status
        if not 400 <= status < 500:
            document = answer.read()
            self._read_server(document, answer)
            known = {name: value for name, value in self._found.items() if value is not None}
            self._found = {**document, **known}
            if not self._merge:
                self._further = []
        if self._further:
            self._draft = metadata_request(self._further.pop(0))
            return self.send(answer.now)
        return Finished(self._server(answer))

    def _server(self, answer: Answer) -> Server:
        if not self._found:
            raise answer.broken(
                "no metadata document was found", advice="check the issuer, or give the endpoints"
            )
        return self._read_server(self._found, answer)

    def _read_server(self, document: Mapping[str, Any], answer: Answer) -> Server:
        try:
            return Server.from_metadata(
                document, issuer=self._issuer, allow_insecure_http=self._allow_http
            )
        except RemoteProtocolError as error:
            raise answer.broken(
                str(error.description), error=error.error, advice=error.advice
            ) from None


def _rebuild(values: dict[str, Any]) -> Server:
    return Server(**values)
