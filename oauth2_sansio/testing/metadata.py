"""What the server says about itself (RFC 8414, OpenID Connect Discovery)."""

from __future__ import annotations

from oauth2_sansio.callback import ResponseMode
from oauth2_sansio.events import Endpoint, ResponseReceived

from .authorization_endpoint import RESPONSE_TYPES
from .configuration import ClientAuthMethod
from .messages import IncomingRequest, json_answer, require_method
from .proofs import PROOF_ALGORITHMS
from .resource_metadata import answer_resource_metadata, resource_metadata_path
from .signed_answers import signing_algorithms
from .state import PATHS, Handler, ServerState
from .verification_keys import ALGORITHMS

_OAUTH = "/.well-known/oauth-authorization-server"
_OPENID = "/.well-known/openid-configuration"


def metadata_handlers(state: ServerState) -> dict[str, Handler]:
    """Return the paths of the documents that exist, with what answers there.

    RFC 8414 section 3.1 puts the well-known part before the issuer's path; OpenID Connect
    Discovery section 4 puts it behind.
    """
    handlers: dict[str, Handler] = {}
    if state.settings.oauth_metadata:
        handlers[_OAUTH + state.path] = answer_oauth_metadata
    if state.settings.openid_metadata:
        handlers[state.path + _OPENID] = answer_openid_metadata
    if state.settings.resource_metadata:
        handlers[resource_metadata_path(state)] = answer_resource_metadata
    return handlers


def answer_oauth_metadata(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Return the document of RFC 8414 section 2."""
    require_method(request, "GET", "HEAD")
    return json_answer(_with_settings(state, _members(state)))


def answer_openid_metadata(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Return the document of OpenID Connect Discovery section 3."""
    require_method(request, "GET", "HEAD")
    members = _members(state) | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    return json_answer(_with_settings(state, members))


def _members(state: ServerState) -> dict[str, object]:
    methods = [method.value for method in ClientAuthMethod]
    scopes = {word for client in state.clients.values() for word in client.scope.split()}
    algorithms = signing_algorithms(state)
    return {
        "issuer": state.issuer,
        "authorization_endpoint": state.url(Endpoint.AUTHORIZATION),
        "token_endpoint": state.url(Endpoint.TOKEN),
        "revocation_endpoint": state.url(Endpoint.REVOCATION),
        "introspection_endpoint": state.url(Endpoint.INTROSPECTION),
        "pushed_authorization_request_endpoint": state.url(Endpoint.PUSHED_AUTHORIZATION),
        "device_authorization_endpoint": state.url(Endpoint.DEVICE_AUTHORIZATION),
        "backchannel_authentication_endpoint": state.url(Endpoint.BACKCHANNEL_AUTHENTICATION),
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_authentication_request_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "backchannel_user_code_parameter_supported": True,
        "mtls_endpoint_aliases": _aliases(state),
        "tls_client_certificate_bound_access_tokens": True,
        "require_pushed_authorization_requests": (
            state.settings.require_pushed_authorization_requests
        ),
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "require_signed_request_object": state.settings.require_signed_request_object,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "scopes_supported": sorted(scopes),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": [
            mode.value for mode in ResponseMode if algorithms or not mode.is_signed
        ],
        "jwks_uri": state.url(Endpoint.JWKS) if algorithms else None,
        "authorization_signing_alg_values_supported": algorithms or None,
        "introspection_signing_alg_values_supported": algorithms or None,
        "grant_types_supported": [*state.grants, "implicit"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": state.settings.send_issuer,
        "acr_values_supported": list(state.settings.acr_values_supported) or None,
        "authorization_details_types_supported": (
            list(state.settings.authorization_details_types) or None
        ),
    }


def _aliases(state: ServerState) -> dict[str, str] | None:
    base = state.settings.mtls_url
    if base is None:
        return None
    asked = (each for each in PATHS if each not in (Endpoint.AUTHORIZATION, Endpoint.RESOURCE))
    return {each.value: state.url(each, base) for each in asked}


def _with_settings(state: ServerState, members: dict[str, object]) -> dict[str, object]:
    members |= state.settings.metadata
    return {name: value for name, value in members.items() if value is not None}
