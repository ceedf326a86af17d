"""Misbehaviours of a server that does not act, but answers something else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oauth2_sansio.events import Endpoint, Pairs, ResponseReceived

from .fault import ELSEWHERE, Fault, Instead
from .messages import IncomingRequest, invalid_client, invalid_grant, json_answer, page
from .misbehaviour import AnswerLost, Misbehaviour


def _lose_request(_request: IncomingRequest) -> ResponseReceived:
    raise AnswerLost(sent=True)


def _refuse_connection(_request: IncomingRequest) -> ResponseReceived:
    raise AnswerLost(sent=False)


def _always(response: ResponseReceived) -> Instead:
    return lambda _request: response


def _error(
    error: object,
    description: str = "Something is wrong.",
    *,
    status: int = 400,
    headers: Pairs = (),
) -> Instead:
    members = {"error": error, "error_description": description}
    return _always(json_answer(members, status=status, headers=headers))


def _redirect(status: int) -> Instead:
    return _always(page("Moved", status=status, headers=(("Location", f"{ELSEWHERE}/token"),)))


def _echo(request: IncomingRequest) -> ResponseReceived:
    text = "&".join(
        [
            request.header("Authorization") or "",
            *(value for _, value in request.form + request.query),
        ]
    )
    return json_answer({"error": "invalid_request", "error_description": f"Got {text}"}, status=400)


_PROBLEM = ResponseReceived(
    status=400,
    headers=(("Content-Type", "application/problem+json"),),
    body=b'{"type": "about:blank", "title": "Bad Request", "status": 400}',
)
_REFUSED_TOKEN = (
    'Bearer realm="api", error="invalid_token", error_description="The access token is not liked."'
)
_LOGIN = "insufficient_user_authentication"
_REVOCATION = frozenset({Endpoint.REVOCATION})
_RESOURCE = frozenset({Endpoint.RESOURCE})


def _refuse_token(*headers: tuple[str, str]) -> Fault[Instead]:
    return Fault(_always(ResponseReceived(status=401, headers=headers)), _RESOURCE)


_PROVEN = frozenset({Endpoint.TOKEN, Endpoint.PUSHED_AUTHORIZATION, Endpoint.RESOURCE})


def _ask_for_nonce(*nonces: str) -> Fault[Instead]:
    headers = (("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'),)
    given = tuple(("DPoP-Nonce", nonce) for nonce in nonces)
    return Fault(_error("use_dpop_nonce", status=401, headers=headers + given), _PROVEN)


def _ask_for_new_nonce(request: IncomingRequest) -> ResponseReceived:
    proof = request.header("DPoP") or ""
    headers = (
        ("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'),
        ("DPoP-Nonce", f"nonce-{proof[-16:]}"),  # no two proofs have one signature
    )
    return json_answer({"error": "use_dpop_nonce"}, status=401, headers=headers)


def _polls(request: IncomingRequest) -> bool:
    return any(name in ("device_code", "auth_req_id") for name, _ in request.form)


def _go_on(error: str) -> Fault[Instead]:
    return Fault(_error(error), frozenset({Endpoint.TOKEN}), _polls)


_HOLDING_ASSERTIONS = frozenset({"assertion", "client_assertion"})


def _has_assertion(request: IncomingRequest) -> bool:
    return any(name in _HOLDING_ASSERTIONS for name, _ in request.form)


def _refuse_assertion(reason: str) -> Fault[Instead]:
    def answer(request: IncomingRequest) -> ResponseReceived:
        of_client = any(name == "client_assertion" for name, _ in request.form)
        refuse = invalid_client if of_client else invalid_grant
        return refuse(f"The assertion is refused. {reason}").answer

    return Fault(answer, concerns=_has_assertion)


INSTEAD: Mapping[Misbehaviour, Fault[Instead]] = MappingProxyType(
    {
        Misbehaviour.REFUSE_CONNECTION: Fault(_refuse_connection),
        Misbehaviour.DROP_REQUEST: Fault(_lose_request),
        Misbehaviour.HTML_ERROR: Fault(_always(page("<h1>Bad Gateway</h1>", status=502))),
        Misbehaviour.HTML_PAGE_IN_200: Fault(_always(page("<h1>Please log in</h1>"))),
        Misbehaviour.REDIRECT_302: Fault(_redirect(302)),
        Misbehaviour.REDIRECT_307: Fault(_redirect(307)),
        Misbehaviour.SERVER_ERROR_500_JSON: Fault(_error("server_error", status=500)),
        Misbehaviour.SERVER_ERROR_503_WITH_RETRY_AFTER: Fault(
            _error("temporarily_unavailable", status=503, headers=(("Retry-After", "7"),))
        ),
        Misbehaviour.RATE_LIMIT_429_WITH_DATE: Fault(
            _error(
                "slow_down", status=429, headers=(("Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT"),)
            )
        ),
        Misbehaviour.ABSURD_RETRY_AFTER: Fault(
            _error("temporarily_unavailable", status=503, headers=(("Retry-After", "9" * 5000),))
        ),
        Misbehaviour.FORBIDDEN_403_EMPTY: Fault(_always(ResponseReceived(status=403))),
        Misbehaviour.UNAUTHORIZED_401_WITHOUT_CHALLENGE: Fault(
            _error("invalid_client", status=401)
        ),
        Misbehaviour.PROBLEM_JSON: Fault(_always(_PROBLEM)),
        Misbehaviour.ERROR_IN_200: Fault(_error("invalid_grant", status=200)),
        Misbehaviour.ERROR_OBJECT: Fault(_error({"code": 190, "message": "Session has expired"})),
        Misbehaviour.UNKNOWN_ERROR_CODE: Fault(_error("invalid_code")),
        Misbehaviour.CONTROL_CHARACTERS_IN_DESCRIPTION: Fault(
            _error("invalid_request", "\x1b[31mred\x00\r\nSet-Cookie: a=b\u202e\ud800")
        ),
        Misbehaviour.ECHO_SECRET_IN_DESCRIPTION: Fault(_echo),
        Misbehaviour.ASSERTION_EXPIRED: _refuse_assertion("It has expired."),
        Misbehaviour.ASSERTION_NOT_YET_VALID: _refuse_assertion("It does not count yet."),
        Misbehaviour.ASSERTION_USED_BEFORE: _refuse_assertion("It was used before."),
        Misbehaviour.ASSERTION_FOR_SOMEBODY_ELSE: _refuse_assertion(
            "Its audience is somebody else."
        ),
        Misbehaviour.POLLING_ENDLESS_PENDING: _go_on("authorization_pending"),
        Misbehaviour.POLLING_ENDLESS_SLOW_DOWN: _go_on("slow_down"),
        Misbehaviour.DPOP_ENDLESS_NONCES: Fault(_ask_for_new_nonce, _PROVEN),
        Misbehaviour.DPOP_SAME_NONCE: _ask_for_nonce("nonce-same"),
        Misbehaviour.DPOP_TWO_NONCES: _ask_for_nonce("nonce-1", "nonce-2"),
        Misbehaviour.DPOP_WITHOUT_NONCE: _ask_for_nonce(),
        Misbehaviour.DPOP_NONCE_WITH_SPACES: _ask_for_nonce("nonce one"),
        Misbehaviour.REVOCATION_503: Fault(
            _error("server_error", status=503, headers=(("Retry-After", "7"),)), _REVOCATION
        ),
        Misbehaviour.REVOCATION_UNSUPPORTED_TOKEN_TYPE: Fault(
            _error("unsupported_token_type"), _REVOCATION
        ),
        Misbehaviour.RESOURCE_REFUSES_TOKEN: _refuse_token(("WWW-Authenticate", _REFUSED_TOKEN)),
        Misbehaviour.RESOURCE_401_WITHOUT_CHALLENGE: _refuse_token(),
        Misbehaviour.RESOURCE_TWO_CHALLENGES: _refuse_token(
            ("WWW-Authenticate", f'{_REFUSED_TOKEN}, DPoP algs="ES256", error="invalid_token"')
        ),
        Misbehaviour.RESOURCE_WANTS_ANOTHER_LOGIN: _refuse_token(
            ("WWW-Authenticate", f'Bearer error="{_LOGIN}", acr_values="other", max_age="0"')
        ),
        Misbehaviour.RESOURCE_REDIRECTS_ELSEWHERE: Fault(_redirect(307), _RESOURCE),
    }
)
