"""What a resource server says of itself: who issues tokens for it, and of what kind (RFC 9728)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from .answers import Answer
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint
from .exchange import Exchange, Pipeline
from .flow import Flow
from .metadata import bad_metadata, check_object, metadata_request, read_flag, read_list, read_text
from .urls import check_url

_TEXTS = (
    "jwks_uri",
    "resource_name",
    "resource_documentation",
    "resource_policy_uri",
    "resource_tos_uri",
)
_LISTS = (
    "scopes_supported",
    "bearer_methods_supported",
    "resource_signing_alg_values_supported",
    "authorization_details_types_supported",
    "dpop_signing_alg_values_supported",
)
_FLAGS = ("tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens_required")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource:
    """A resource, as it describes itself. The fields have the names of RFC 9728 section 2.

    resource: its identifier, which is a URL.
    authorization_servers: the issuers of those that issue tokens for it: see `Server.discover`.
        Which of several, and whether to trust it with what your user allows, is your choice.
    metadata: all members of the document, those without a field of their own too.

    All of it is the resource's word. A list that is None, and a text, was not given.
    """

    resource: str
    authorization_servers: tuple[str, ...] = ()
    jwks_uri: str | None = None
    scopes_supported: tuple[str, ...] | None = None
    bearer_methods_supported: tuple[str, ...] | None = None
    resource_signing_alg_values_supported: tuple[str, ...] | None = None
    resource_name: str | None = None
    resource_documentation: str | None = None
    resource_policy_uri: str | None = None
    resource_tos_uri: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    authorization_details_types_supported: tuple[str, ...] | None = None
    dpop_signing_alg_values_supported: tuple[str, ...] | None = None
    dpop_bound_access_tokens_required: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of a dict cannot be pickled, the dict itself can.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return _rebuild, ({**values, "metadata": dict(self.metadata)},)

    @classmethod
    def from_metadata(
        cls, document: Mapping[str, Any], *, resource: str, allow_insecure_http: bool = False
    ) -> ProtectedResource:
        """Return the resource that a metadata document describes (RFC 9728 section 3.2).

        resource: what the document's `resource` must be, character by character.
        Raises `RemoteProtocolError` for another resource, an authorization server that is no safe
        URL, and members of a wrong type. A member that is null or unknown changes nothing.
        """
        check_object(document)
        if read_text(document, "resource") != resource:
            raise bad_metadata(
                "it describes another resource than the one that was asked for",
                error="resource_mismatch",
            )
        servers = read_list(document, "authorization_servers") or ()
        for issuer in servers:
            _check_issuer(issuer, allow_insecure_http=allow_insecure_http)
        values: dict[str, Any] = {name: read_text(document, name) for name in _TEXTS}
        values |= {name: read_list(document, name) for name in _LISTS}
        values |= {name: read_flag(document, name) for name in _FLAGS}
        return cls(resource=resource, authorization_servers=servers, metadata=document, **values)

    @staticmethod
    def discover(
        resource: str,
        *,
        url: str | None = None,
        pipeline: Pipeline | None = None,
        allow_insecure_http: bool = False,
    ) -> Flow[ProtectedResource]:
        """Find out what a resource is, and who issues tokens for it.

        resource: its URL, as the document has to name it.
        url: where the document is: `Refusal.resource_metadata`, from a challenge. Where it is left
            out, at the place that RFC 9728 section 3.1 derives from the resource.
        pipeline: what the request passes: its hooks, and `url_allowed`. Nothing signs it.
        Raises `LocalProtocolError` for a URL that is not safe to ask, and `RemoteProtocolError`
        where there is no document, or one of another resource.
        """
        check_url(
            resource,
            "resource",
            allow_insecure_http=allow_insecure_http,
            endpoint=Endpoint.METADATA,
        )
        own = replace(pipeline or Pipeline(), signers=(), allow_insecure_http=allow_insecure_http)

        def read(answer: Answer) -> ProtectedResource:
            document = answer.read()
            try:
                return ProtectedResource.from_metadata(
                    document, resource=resource, allow_insecure_http=allow_insecure_http
                )
            except RemoteProtocolError as error:
                raise answer.broken(
                    str(error.description), error=error.error, advice=error.advice
                ) from None

        request = metadata_request(resource_metadata_url(resource) if url is None else url)
        return Exchange(own, request, read).flow()


def resource_metadata_url(resource: str) -> str:
    """Return where the metadata of a resource are, if it names no other place (section 3.1)."""
    parts = urlsplit(resource)
    path = "" if parts.path == "/" else parts.path
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{path}{query}"


def _rebuild(values: dict[str, Any]) -> ProtectedResource:
    return ProtectedResource(**values)


def _check_issuer(issuer: str, *, allow_insecure_http: bool) -> None:
    try:
        check_url(
            issuer, "one of its authorization_servers", allow_insecure_http=allow_insecure_http
        )
        reason = "one of its authorization_servers has a query" if "?" in issuer else None
    except LocalProtocolError as error:
        # A URL that would be the caller's fault by hand is the resource's in its document.
        reason = error.description
    if reason is not None:
        raise bad_metadata(reason)
