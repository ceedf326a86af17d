"""Every intended difference from Authlib, by name, with its reason: the table of docs/migrating.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """What Authlib's clients do, what ours do, and why."""

    there: str
    here: str
    why: str


DIFFERENCES = {
    # The way to the server and back.
    "an error in the callback": Difference(
        '`?error=...` leads to a client credentials request, `#error=...` to "missing token"',
        "the server's error is raised, and nothing is sent",
        "another token would be kept as the user's",
    ),
    "a callback without a code": Difference(
        "a client credentials request, or an error of another kind",
        "an error, and nothing is sent",
        "another token would be kept as the user's",
    ),
    "the state of create_authorization_url": Difference(
        "checked only if it is passed to `fetch_token` or to the constructor",
        "kept as `state`, and checked by the same session",
        "forged callbacks",
    ),
    "the order of checks": Difference(
        "a missing token is told first",
        "a wrong state is told first",
        "nothing in a forged callback is worth telling",
    ),
    "a token in a fragment": Difference(
        "taken from any callback",
        'only with no token endpoint, or with `response_type="token"`',
        "token injection",
    ),
    "a fragment beside a code": Difference(
        "`?code=...#_=_` is an error",
        "the code counts",
        "one well-known server appends it",
    ),
    "a fragment without token_type": Difference(
        "an error",
        "a bearer token, as in an answer of the token endpoint",
        "servers leave it out",
    ),
    "repeated parameters of a callback": Difference(
        "the last one counts", "refused", "mix-ups; RFC 6749 section 3.1"
    ),
    "the issuer of a callback": Difference(
        "`iss` is not looked at",
        "it must be the issuer, where one is known, and be there, where the metadata promise it, "
        "in an error too",
        "RFC 9207",
    ),
    "PKCE": Difference(
        'only for the response type `code`, with a verifier and `code_challenge_method="S256"`',
        "for every type with a code in it, as soon as one of the two is given; a missing verifier "
        "is made, kept and sent",
        "codes that were stolen",
    ),
    # Requests to the token endpoint.
    "a guess of the grant": Difference(
        "remembered in `metadata`",
        "not remembered",
        "a later call may be for another grant",
    ),
    "no endpoint": Difference(
        "an error of the HTTP library, or a `TypeError`", "an `OAuthError`", "it says what to give"
    ),
    "repeated parameters and dicts": Difference(
        "a list or a dict is a `TypeError`, and of a repeated name in `body` the last one counts",
        "a list repeats its name, a dict becomes JSON, and all of `body` is sent",
        "RFC 8707, RFC 9396",
    ),
    "empty values": Difference("left out", "sent", "a password may be empty"),
    "the order of parameters": Difference(
        "what was given, then the grant", "the grant, then what was given", "no server minds"
    ),
    "charset": Difference(
        "`Content-Type: ...;charset=UTF-8`",
        "no parameter",
        "RFC 6749 appendix B has none",
    ),
    "Accept": Difference(
        "`*/*`, where `headers=` is given, in revocation, introspection and assertions",
        "`application/json`, unless you give another",
        "servers that answer with a form",
    ),
    "a GET of the token": Difference(
        "has a `Content-Type`", "has none, and no body", "there is no content"
    ),
    "secrets in a URL": Difference(
        '`method="GET"` puts a password into the URL, and a client secret into the body of a GET',
        "an error before anything is sent",
        "logs",
    ),
    "other methods": Difference(
        "the form goes into the query; in the asynchronous client it is a GET",
        "sent as they are, with the form in the body",
        "it is what was asked for",
    ),
    "client_auth": Difference(
        '`auth=client.client_auth("client_secret_post")`',
        '`auth="client_secret_post"`',
        "a name is enough",
    ),
    "options of a token request": Difference(
        "`allow_redirects=True`, `follow_redirects`, `files` and `json` are passed on",
        "a `TypeError`",
        "it is form encoded, and credentials never follow a redirect",
    ),
    "redirects of token requests": Difference(
        "followed over requests", "refused", "the secret would go along"
    ),
    "a client without an id": Difference(
        "`client_id=None` is sent, as a text", "left out", "it names nobody"
    ),
    "a missing secret": Difference(
        "sent as the text `None`, or empty", "an error before anything is sent", "it helps nobody"
    ),
    "Basic": Difference(
        "raw Latin-1; other letters are a `UnicodeEncodeError`",
        "form encoded UTF-8; raw by the method `client_secret_basic_raw`",
        "RFC 6749 section 2.3.1",
    ),
    "unknown methods": Difference(
        "a method that nobody knows is a `TypeError`", "a `ValueError`", "it lists the known ones"
    ),
    "client assertions": Difference(
        "live for an hour, without `client_id`, for the endpoint with its query",
        "live for a minute, with `client_id`, for the endpoint without its query",
        "RFC 7523 section 3; one well-known server wants the id",
    ),
    "the default of alg": Difference(
        "`ClientSecretJWT(alg=None)` is HS256",
        '`alg="HS256"` in the signature',
        "it can be read there",
    ),
    "keys as text": Difference(
        "`PrivateKeyJWT` takes RSA keys alone", "RSA, EC and Ed25519 keys", "`alg` decides"
    ),
    "compressed answers": Difference(
        "asked for at every endpoint",
        "only of resources; a compressed answer of an endpoint is refused",
        "what it expands to has no bound",
    ),
    "connections that have carried credentials": Difference(
        "kept over httpx", "closed after each token request", "an answer that a server sent ahead"
    ),
    # Answers.
    "forms as answers": Difference("a `ValueError`", "read", "some servers send them"),
    "odd lifetimes": Difference(
        '`"3600.0"` and `"soon"` are a `ValueError` and lose the token; `0` is no end',
        "read where that can be, else unknown; `0` has expired",
        "a token that was issued must not be lost",
    ),
    "an end that cannot be true": Difference(
        "`expires_at` of the server is taken as it is",
        "taken only where it can be true",
        "servers that count in milliseconds",
    ),
    "an error that is null": Difference("an error", "none", "the token beside it is good"),
    "JSON without a token": Difference(
        "kept as the token, also with 400 and 401",
        "an `OAuthError`; the response is on it, and the token before stays",
        "it is none",
    ),
    "one family of errors": Difference(
        "`OAuthError`, others of Authlib's, `ValueError`, and the HTTP library's",
        "`OAuthError`; for a 5xx, and where no answer came, also an exception of the HTTP library",
        "one `except` is enough",
    ),
    "the status of an error": Difference(
        "not known", "`error.status`", "it tells whose fault it was"
    ),
    # Tokens.
    "client.token inside update_token": Difference(
        "the new token already",
        "the one before; the argument and every request have the new one",
        "a token is kept once it is saved",
    ),
    "update_token that uses the client": Difference(
        "an error in the asynchronous client, whose lock it holds",
        "works",
        "no lock is held across your code",
    ),
    "nothing to refresh with": Difference(
        "a request without a refresh token", "an error before anything is sent", "it cannot succeed"
    ),
    "refresh responses that lack members": Difference(
        '`"refresh_token": null` loses it; so are `scope` and unknown members lost',
        "the old ones stay",
        "RFC 6749 section 6",
    ),
    "the answer of ensure_active_token": Difference(
        "`None` or an exception, where there is nothing to use; the asynchronous one returns `None`",
        "`True` or `False`",
        "a question has an answer",
    ),
    "renewed client credentials": Difference(
        "lose `audience`, `resource` and all else", "keep it", "the token would be another one"
    ),
    "short lives": Difference(
        "a token that lives no longer than the leeway is renewed before each request",
        "the leeway shrinks",
        "one token request for each request is no cache",
    ),
    "a revoked token": Difference("stays in the session", "is gone", "it is of no use"),
    "no token to name": Difference(
        "revocation and introspection send the text `None`",
        "an error before anything is sent",
        "it names nothing",
    ),
    "a given token with only expires_in": Difference(
        "lives from now, each time that it is loaded",
        "its end is unknown; `expires_at` counts",
        "nobody knows how old it is",
    ),
    "an empty token": Difference(
        "`missing_token`", "`token_invalid`", "there is one, and nothing is in it"
    ),
    "renewal by threads": Difference(
        "each thread renews",
        "one renews, the others wait",
        "a rotated refresh token that is sent twice ends the login",
    ),
    "the repr of a token": Difference("shows it", "does not; `dict(token)` does", "logs"),
    # Requests to resources.
    "`.netrc`": Difference(
        "its credentials go along over requests, where the token is withheld",
        "never",
        "they are for somebody else",
    ),
    "401 invalid_token": Difference(
        "handed on",
        "one renewal and one retry, if the request can be repeated",
        "a server may end a token early",
    ),
    "renewal by token_auth": Difference(
        "over httpx an expired token is sent", "it is renewed", "as over requests"
    ),
    "withhold_token with a verb": Difference(
        "over httpx a `TypeError`", "works", "as in `request` and over requests"
    ),
    "the third argument of request": Difference(
        "over requests `withhold_token`", "`params`", "as in requests itself"
    ),
    "the token in a body": Difference(
        "goes into any body, and without a `Content-Type` into an empty one",
        "only into a form, or as a form into an empty body; else an error before anything is sent",
        "JSON and streams would be destroyed",
    ),
    "the query of a URL": Difference(
        "written anew when something is added", "kept byte by byte", "signed URLs"
    ),
    "Content-Length of no body": Difference(
        "over httpx `0` on a GET, and beside `chunked` for a stream",
        "none, and one framing",
        "RFC 9110 section 8.6, RFC 9112 section 6.2",
    ),
    "bodies given to hooks": Difference(
        "`None` over requests, bytes over httpx", "a text", "one hook for all libraries"
    ),
    "hooks before a token request": Difference(
        "`access_token_request` is unknown", "called", "servers that want more"
    ),
    "the order of hooks": Difference(
        "any", "that of their registration", "they build on each other"
    ),
    # The constructor.
    "pickles and copies": Difference(
        "a session over requests can be pickled", "a `TypeError`", "secrets; what matters is lost"
    ),
    "unknown arguments": Difference("become metadata", "a `TypeError`", "misspelt names"),
    "unknown placements": Difference(
        '`token_placement="trailer"` sends no token', "a `ValueError`", "it cannot be meant"
    ),
    "unsafe PKCE": Difference(
        '`code_challenge_method="plain"` sends no challenge', "a `ValueError`", "RFC 9700"
    ),
    "plain http": Difference(
        "fine", "refused except for loopback, or with `allow_insecure_http=True`", "eavesdroppers"
    ),
    # Assertion sessions.
    "assertion sessions": Difference(
        "have no `metadata`, nor most of the vocabulary",
        "have the whole of it",
        "they are sessions too",
    ),
    "attributes of assertion sessions": Difference(
        "`issuer`, `subject`, `audience`, `claims` and `token_endpoint` can be read and changed",
        "they are for the constructor",
        "the key is read and the claims are checked once",
    ),
    "the caller's dicts": Difference(
        "`claims` gets a `jti`, the same for all assertions",
        "dicts of the caller stay as they are, and each assertion has a `jti` of its own",
        "replay",
    ),
    "scope as a list, in assertions": Difference("repeated", "one text", "RFC 6749 section 3.3"),
    "unknown grants of assertions": Difference(
        "a `KeyError`", "get a signed JWT as well", "grants that are built on RFC 7523"
    ),
    "streams of assertion clients": Difference("carry no token", "carry it", "as all requests"),
    "the leeway of assertion clients": Difference(
        "60 over httpx, always", "`leeway=`", "as of sessions"
    ),
}
