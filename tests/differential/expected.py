"""Which row shows which intended difference, and in what."""

from __future__ import annotations

from dataclasses import dataclass

from .observing import Aspect
from .sides import Pair

AUTHORIZATION = Aspect.AUTHORIZATION
CONTENT_TYPE = Aspect.CONTENT_TYPE
ERROR = Aspect.ERROR
FORM = Aspect.FORM
METADATA = Aspect.METADATA
METHOD = Aspect.METHOD
NOTED = Aspect.NOTED
QUERY = Aspect.QUERY
QUERY_BYTES = Aspect.QUERY_BYTES
RAISED = Aspect.RAISED
REQUESTS = Aspect.REQUESTS
RETURNED = Aspect.RETURNED
TOKEN = Aspect.TOKEN

# One side has sent a request and got a token, the other has raised an error before.
MISUSED = frozenset({RAISED, REQUESTS, RETURNED, TOKEN})
UNSENT = MISUSED | {ERROR}

REQUESTS_ALONE = frozenset({"requests"})
HTTPX = frozenset({"httpx-blocking", "httpx-asyncio", "httpx2-blocking", "httpx2-asyncio"})
ASYNCIO = frozenset({"httpx-asyncio", "httpx2-asyncio"})
BLOCKING = frozenset({"requests", "httpx-blocking", "httpx2-blocking"})
EVERYWHERE = REQUESTS_ALONE | HTTPX


@dataclass(frozen=True)
class Shows:
    """A row shows a difference in some aspects.

    difference: its name in the table.
    over: the names of the pairs for which it does.
    """

    difference: str
    aspects: frozenset[Aspect] | set[Aspect]
    over: frozenset[str] = EVERYWHERE


def expected_of(row_name: str, pair: Pair) -> dict[Aspect, set[str]]:
    """Return the aspects in which a row has to differ, with the differences that explain each."""
    found: dict[Aspect, set[str]] = {}
    for shows in EXPECTED.get(row_name, ()):
        if pair.name in shows.over:
            for aspect in shows.aspects:
                found.setdefault(aspect, set()).add(shows.difference)
    return found


EXPECTED: dict[str, tuple[Shows, ...]] = {
    "url: nothing else": (Shows("the state of create_authorization_url", {RETURNED}),),
    "url: PKCE for a hybrid response": (Shows("PKCE", {RETURNED}),),
    "url: PKCE without a verifier": (Shows("PKCE", {RETURNED}),),
    "url: a verifier, and no method": (Shows("PKCE", {RETURNED}),),
    "callback: another state than that of create_authorization_url": (
        Shows("the state of create_authorization_url", UNSENT),
    ),
    "callback: an error": (Shows("an error in the callback", UNSENT),),
    "callback: neither code nor error": (Shows("a callback without a code", UNSENT),),
    "callback: a code and Facebook's fragment": (Shows("a fragment beside a code", UNSENT),),
    "callback: repeated code": (Shows("repeated parameters of a callback", UNSENT),),
    "callback: another issuer": (Shows("the issuer of a callback", UNSENT),),
    "callback: an error without issuer, where the metadata promise one": (
        Shows("the issuer of a callback", UNSENT),
    ),
    "callback: a token in the fragment where a code was asked for": (
        Shows("a token in a fragment", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "callback: an error in the fragment": (Shows("an error in the callback", {ERROR}),),
    "token_from_fragment: no token": (Shows("the order of checks", {ERROR}),),
    "token_from_fragment: no token type": (
        Shows("a fragment without token_type", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "fetch_token: no endpoint": (Shows("no endpoint", {ERROR, RAISED}),),
    "client credentials: repeated resource": (Shows("repeated parameters and dicts", MISUSED),),
    "client credentials: a parameter that is a dict": (
        Shows("repeated parameters and dicts", MISUSED),
    ),
    "a password: empty": (Shows("empty values", {FORM}),),
    "a guessed grant in a later call": (Shows("a guess of the grant", {FORM}),),
    "body: repeated names": (Shows("repeated parameters and dicts", {FORM}),),
    "method GET": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "method GET in small letters": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "method GET: a code": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "method GET: an endpoint with a query": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "method GET: a password": (Shows("secrets in a URL", UNSENT),),
    "method GET: secret in the body": (Shows("secrets in a URL", UNSENT),),
    "method GET: no secret": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "method PUT": (
        Shows("other methods", {FORM, QUERY}, BLOCKING),
        Shows("other methods", {FORM, METHOD, QUERY}, ASYNCIO),
    ),
    "auth: client_auth": (Shows("client_auth", MISUSED),),
    "allow_redirects of the call: true": (Shows("options of a token request", MISUSED),),
    "json of the call": (Shows("options of a token request", MISUSED),),
    "files of the call": (Shows("options of a token request", MISUSED),),
    "follow_redirects of the call": (Shows("options of a token request", MISUSED),),
    "no client at all": (Shows("a client without an id", {FORM}),),
    "a secret taken away": (Shows("a missing secret", UNSENT),),
    "answer: form encoded": (Shows("forms as answers", {RAISED, RETURNED, TOKEN}),),
    "answer: expires_in as a text with a point": (
        Shows("odd lifetimes", {RAISED, RETURNED, TOKEN}),
    ),
    "answer: expires_in 0": (Shows("odd lifetimes", {RETURNED, TOKEN}),),
    "answer: expires_in absurd": (Shows("odd lifetimes", {RAISED, RETURNED, TOKEN}),),
    "answer: expires_at that cannot be true": (
        Shows("an end that cannot be true", {RETURNED, TOKEN}),
    ),
    "answer: an error with 500": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: error null beside a good token": (
        Shows("an error that is null", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "answer: 401 with JSON and no error": (
        Shows("JSON without a token", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "answer: 400 with JSON and no error": (
        Shows("JSON without a token", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "answer: JSON without a token": (
        Shows("JSON without a token", {ERROR, RAISED, RETURNED, TOKEN}),
    ),
    "answer: a list": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: HTML with 200": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: HTML with 404": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: HTML with 502": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: 503 with Retry-After": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: no body": (Shows("one family of errors", {ERROR, RAISED}),),
    "answer: a redirect": (
        Shows("redirects of token requests", {ERROR, RAISED, REQUESTS}, REQUESTS_ALONE),
        Shows("redirects of token requests", {ERROR, RAISED}, HTTPX),
    ),
    "refresh_token": (Shows("client.token inside update_token", {NOTED}),),
    "refresh_token: of a fresh token": (Shows("client.token inside update_token", {NOTED}),),
    "refresh_token: url and token by position": (
        Shows("client.token inside update_token", {NOTED}),
    ),
    "refresh_token: no token held, saving": (Shows("client.token inside update_token", {NOTED}),),
    "refresh_token: nothing to refresh with": (Shows("nothing to refresh with", UNSENT),),
    "refresh_token: the answer has none": (Shows("client.token inside update_token", {NOTED}),),
    "refresh_token: the answer's is null": (
        Shows("client.token inside update_token", {NOTED}),
        Shows("refresh responses that lack members", {NOTED, RETURNED, TOKEN}),
    ),
    "refresh_token: scope and unknown members of the old token": (
        Shows("refresh responses that lack members", {RETURNED, TOKEN}),
    ),
    "refresh_token: 503": (Shows("one family of errors", {ERROR, RAISED}),),
    "ensure_active_token: fresh": (
        Shows("the answer of ensure_active_token", {RETURNED}, ASYNCIO),
    ),
    "ensure_active_token: expired": (
        Shows("client.token inside update_token", {NOTED}),
        Shows("the answer of ensure_active_token", {RETURNED}, ASYNCIO),
    ),
    "ensure_active_token: cannot be renewed": (
        Shows("the answer of ensure_active_token", {RETURNED}, BLOCKING),
        Shows("the answer of ensure_active_token", {ERROR, RAISED, RETURNED}, ASYNCIO),
    ),
    "renewal by refresh token": (Shows("client.token inside update_token", {NOTED}),),
    "renewal by client credentials": (Shows("client.token inside update_token", {NOTED}),),
    "renewal of fetched client credentials": (Shows("client.token inside update_token", {NOTED}),),
    "renewal of fetched client credentials: with the audience": (
        Shows("renewed client credentials", {FORM}),
    ),
    "a token that lives no longer than the leeway": (Shows("short lives", {REQUESTS}),),
    "update_token uses the client": (
        Shows("update_token that uses the client", {NOTED, RAISED, REQUESTS, RETURNED}, ASYNCIO),
    ),
    "refresh_token in a loop": (Shows("client.token inside update_token", {NOTED}),),
    "revoke_token": (Shows("a revoked token", {TOKEN}),),
    "revoke_token: of a client without a refresh token": (Shows("a revoked token", {TOKEN}),),
    "revoke_token: no token": (Shows("no token to name", {ERROR, RAISED, REQUESTS, RETURNED}),),
    "introspect_token: no token": (Shows("no token to name", {ERROR, RAISED, REQUESTS, RETURNED}),),
    "token: is set to one with only expires_in": (
        Shows("a given token with only expires_in", {RETURNED, TOKEN}),
    ),
    "post: the token in the body": (Shows("the token in a body", {CONTENT_TYPE, FORM}),),
    "delete: the token in the body": (Shows("the token in a body", {CONTENT_TYPE, FORM}),),
    "request: the third argument": (
        Shows("the third argument of request", {AUTHORIZATION, QUERY}),
    ),
    "body: JSON": (Shows("the token in a body", {ERROR, RAISED, REQUESTS, RETURNED}),),
    "uri: a query that can be written in several ways": (
        Shows("the query of a URL", {QUERY_BYTES}),
    ),
    "withhold_token": (Shows("withhold_token with a verb", {RAISED, REQUESTS, RETURNED}, HTTPX),),
    "withhold_token: without a token": (
        Shows("withhold_token with a verb", {RAISED, REQUESTS, RETURNED}, HTTPX),
    ),
    "an empty token": (Shows("an empty token", {ERROR}),),
    "token_auth with a plain client: expired": (
        Shows("renewal by token_auth", {REQUESTS, TOKEN}, HTTPX),
    ),
    "401 invalid_token": (Shows("401 invalid_token", {REQUESTS, RETURNED, TOKEN}),),
    "token_placement: unknown": (
        Shows("unknown placements", {METADATA, NOTED, RAISED, REQUESTS, RETURNED, TOKEN}),
    ),
    "a token given, with only expires_in": (
        Shows("a given token with only expires_in", {RETURNED, TOKEN}),
    ),
    "an argument that nobody knows": (
        Shows("unknown arguments", {METADATA, NOTED, RAISED, REQUESTS, RETURNED, TOKEN}),
    ),
    "a PKCE method that is not safe": (Shows("unsafe PKCE", {METADATA, NOTED, RAISED, RETURNED}),),
    "plain http elsewhere": (Shows("plain http", {ERROR, NOTED, RAISED, RETURNED, TOKEN}),),
    "basic: letters that must be encoded": (Shows("Basic", {AUTHORIZATION}),),
    "basic: letters beyond ASCII": (Shows("Basic", {AUTHORIZATION}),),
    "basic: letters beyond Latin-1": (Shows("Basic", MISUSED),),
    "basic: no secret": (Shows("a missing secret", UNSENT),),
    "post: no secret": (Shows("a missing secret", UNSENT),),
    "none: GET": (Shows("a GET of the token", {CONTENT_TYPE, FORM}),),
    "a name that nobody knows": (Shows("unknown methods", {RAISED}),),
    "client_secret_jwt": (Shows("client assertions", {FORM}),),
    "client_secret_jwt: endpoint, claims, headers, alg": (Shows("client assertions", {FORM}),),
    "client_secret_jwt: as the method": (Shows("client assertions", {FORM}),),
    "client_secret_jwt: an endpoint with a query": (Shows("client assertions", {FORM}),),
    "client_secret_jwt: a short secret": (Shows("client assertions", {FORM}),),
    "private_key_jwt": (Shows("client assertions", {FORM}),),
    "private_key_jwt: endpoint, claims, headers, alg": (Shows("client assertions", {FORM}),),
    "private_key_jwt: an EC key as text": (Shows("keys as text", UNSENT),),
    "private_key_jwt: refresh": (Shows("client assertions", {FORM}),),
    "hook protected_request": (Shows("bodies given to hooks", {NOTED}),),
    "hook protected_request: a form": (Shows("bodies given to hooks", {NOTED}, HTTPX),),
    "hook access_token_request": (
        Shows("hooks before a token request", {NOTED, RAISED, REQUESTS, RETURNED, TOKEN}),
    ),
    "hooks in the order of their registration": (Shows("the order of hooks", {NOTED}),),
    "assertion: claims and header stay as they are": (
        Shows("the caller's dicts", {NOTED, RETURNED}),
    ),
    "assertion: scope as a list": (Shows("scope as a list, in assertions", {FORM}),),
    "assertion: grant_type: unknown": (Shows("unknown grants of assertions", MISUSED),),
    "assertion: withhold_token": (
        Shows("withhold_token with a verb", {RAISED, REQUESTS, RETURNED}, HTTPX),
    ),
    "assertion: stream": (Shows("streams of assertion clients", {REQUESTS, TOKEN}),),
    "assertion: leeway": (Shows("the leeway of assertion clients", {REQUESTS, TOKEN}, HTTPX),),
    "assertion: 502": (Shows("one family of errors", {ERROR, RAISED}),),
    "assertion: JSON without a token": (Shows("JSON without a token", {ERROR, TOKEN}),),
    "assertion: attributes": (Shows("attributes of assertion sessions", {RAISED, RETURNED}),),
    "two callers find the token expired": (Shows("renewal by threads", {REQUESTS}, BLOCKING),),
    "token: repr": (Shows("the repr of a token", {RETURNED}),),
    "withhold_token: beside a .netrc": (Shows("`.netrc`", {AUTHORIZATION}),),
    "a pickle": (Shows("pickles and copies", {RAISED, RETURNED}),),
}
