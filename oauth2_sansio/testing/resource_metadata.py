"""What the protected resource says of itself (RFC 9728)."""

from __future__ import annotations

from dataclasses import replace

from oauth2_sansio.events import Endpoint, ResponseReceived

from .messages import IncomingRequest, json_answer, require_method
from .proofs import PROOF_ALGORITHMS
from .state import PATHS, ServerState

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


def resource_metadata_path(state: ServerState) -> str:
    """Return where the document is (RFC 9728 section 3.1)."""
    return _WELL_KNOWN + state.path + PATHS[Endpoint.RESOURCE]


def answer_resource_metadata(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Return the document of RFC 9728 section 2."""
    require_method(request, "GET", "HEAD")
    scopes = {word for scope in state.settings.resource_scopes.values() for word in scope.split()}
    members: dict[str, object] = {
        "resource": state.url(Endpoint.RESOURCE),
        "authorization_servers": [state.issuer],
        "scopes_supported": sorted(scopes),
        "bearer_methods_supported": ["header", "body", "query"],
        "resource_name": "The API",
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
        "authorization_details_types_supported": list(state.settings.authorization_details_types),
    }
    # RFC 9728 section 3.2: members without any value are left out.
    return json_answer({name: value for name, value in members.items() if value != []})


def with_metadata_url(
    state: ServerState, endpoint: Endpoint, response: ResponseReceived
) -> ResponseReceived:
    """Return an answer whose challenges say where the document is (RFC 9728 section 5.1)."""
    if not state.settings.resource_metadata or endpoint is not Endpoint.RESOURCE:
        return response
    url = state.issuer[: len(state.issuer.rstrip("/")) - len(state.path)] + resource_metadata_path(
        state
    )
    headers = tuple(
        (name, f'{value}, resource_metadata="{url}"' if name == "WWW-Authenticate" else value)
        for name, value in response.headers
    )
    return replace(response, headers=headers)
