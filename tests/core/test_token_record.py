from __future__ import annotations

import json
import pickle
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.errors import LocalProtocolError, OAuth2Error, Outcome, StoreError
from oauth2_sansio.token_record import (
    FORMAT,
    DamagedRecordError,
    DeadRefreshToken,
    ForeignRecordError,
    NewerRecordError,
    RecordError,
    RefreshStarted,
    TokenIdentity,
    TokenRecord,
    _Members,
    fingerprint,
    token_key,
)
from oauth2_sansio.tokens import OAuth2Token

NOW = 1_000_000.0
WHO = TokenIdentity(
    issuer="https://as.example.com",
    client_id="app",
    resource=("https://b.example", "https://a.example"),
    subject="alice",
)
TOKEN = OAuth2Token(access_token="A", refresh_token="r1", expires_at=1_000_300, scope="read")
STARTED = RefreshStarted(
    owner="me",
    at=NOW,
    fingerprint=fingerprint("r1"),
    outcome=Outcome.UNKNOWN,
    failures=2,
    pause_until=NOW + 4,
)
DEAD = DeadRefreshToken(fingerprint=fingerprint("r1"), at=NOW, error="invalid_grant")
RECORD = TokenRecord(
    identity=WHO,
    token=TOKEN,
    lineages=("second", "first"),
    dpop_key="key 1",
    started=STARTED,
    dead=DEAD,
)


def written(**changes: Any) -> bytes:
    """Return the bytes of a record in which members are changed; `...` leaves one out."""
    document: dict[str, Any] = {**json.loads(RECORD.to_bytes()), **changes}
    return json.dumps({name: value for name, value in document.items() if value != ...}).encode()


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        TokenRecord(identity=WHO, token=TOKEN),
        TokenRecord(identity=WHO, token=OAuth2Token()),
        replace(RECORD, started=RefreshStarted(owner="me", at=NOW)),
    ],
)
def test_a_record_comes_back_as_it_was(record: TokenRecord) -> None:
    assert TokenRecord.from_bytes(record.to_bytes(), WHO) == record


def test_what_is_written_is_known() -> None:
    assert json.loads(RECORD.to_bytes()) == {
        "format": 1,
        "issuer": "https://as.example.com",
        "client_id": "app",
        "resource": ["https://a.example", "https://b.example"],
        "subject": "alice",
        "token": {
            "access_token": "A",
            "refresh_token": "r1",
            "expires_at": 1_000_300,
            "scope": "read",
        },
        "lineages": ["second", "first"],
        "dpop_key": "key 1",
        "started": {
            "owner": "me",
            "at": NOW,
            "fingerprint": sha256(b"r1").hexdigest(),
            "outcome": "unknown",
            "failures": 2,
            "pause_until": NOW + 4,
        },
        "dead": {"fingerprint": sha256(b"r1").hexdigest(), "at": NOW, "error": "invalid_grant"},
    }


def test_a_refresh_that_has_just_begun_has_not_failed() -> None:
    assert RefreshStarted(owner="me", at=NOW).failures == 0


def test_no_secret_is_printed() -> None:
    token = OAuth2Token(access_token="secret A", refresh_token="secret R")
    assert "secret" not in repr(replace(RECORD, token=token))
    assert repr(_Members(dict(token))) == "_Members()"


@pytest.mark.parametrize(
    ("content", "token"),
    [
        pytest.param(
            b'{"access_token": "A", "refresh_token": "r1", "expires_at": 5}\n',
            {"access_token": "A", "refresh_token": "r1", "expires_at": 5},
            id="with its end",
        ),
        pytest.param(
            b'{"access_token": "A", "expires_in": 3600}',
            {"access_token": "A", "expires_in": 3600, "expires_at": 0},
            id="nobody knows when it was issued, so it has expired",
        ),
        pytest.param(b'{"access_token": "A"}', {"access_token": "A"}, id="without an end"),
    ],
)
def test_a_bare_token_is_taken_over(content: bytes, token: dict[str, Any]) -> None:
    record = TokenRecord.from_bytes(content, WHO)
    assert record == TokenRecord(identity=WHO, token=OAuth2Token(token))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not UTF-8"),
        (RECORD.to_bytes()[:-1], "it is not JSON"),
        (RECORD.to_bytes() + b"x", "something follows its JSON"),
        (b"[]", "it is not a JSON object"),
        (b'{"token_type": "Bearer"}', "its token is none"),
        (written(format="1"), "its format is not a number"),
        (written(format=True), "its format is not a number"),
        (written(format=-1), "its format is not a number"),
        (written(issuer=...), "its member issuer is missing, or of a wrong type"),
        (written(client_id=7), "its member client_id is missing, or of a wrong type"),
        (written(subject=7), "its member subject is missing, or of a wrong type"),
        (written(resource="x"), "its member resource is missing, or of a wrong type"),
        (written(token=[]), "its member token is missing, or of a wrong type"),
        (written(token={"x": 1}), "its token is none"),
        (written(lineages=1), "its member lineages is missing, or of a wrong type"),
        (written(lineages=[1]), "its member lineages holds something else than texts"),
        (written(resource=["x", 1]), "its member resource holds something else than texts"),
        (written(dpop_key=1), "its member dpop_key is missing, or of a wrong type"),
        (written(started=1), "its member started is missing, or of a wrong type"),
        (written(started={}), "its member owner is missing, or of a wrong type"),
        (
            written(started={"owner": "me", "at": True}),
            "its member at is missing, or of a wrong type",
        ),
        (
            written(started={"owner": "me", "at": 10**320}),
            "its member at is out of range",
        ),
        (written(started={"owner": "me", "at": 1, "outcome": "x"}), "its outcome is none"),
        (
            written(started={"owner": "me", "at": 1, "failures": 0, "pause_until": "x"}),
            "its member pause_until is missing, or of a wrong type",
        ),
        (
            written(started={"owner": "me", "at": 1, "failures": 0, "x": 1}),
            "it has members that no record has",
        ),
        (written(dead={"fingerprint": "x", "at": 1}), "its member error is missing, or of a"),
        (
            written(dead={"fingerprint": "x", "at": 1, "error": "x", "y": 2}),
            "it has members that no record has",
        ),
        (written(more=1), "it has members that no record has"),
    ],
)
def test_a_damaged_record_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DamagedRecordError) as caught:
        TokenRecord.from_bytes(content, WHO)
    assert reason in str(caught.value)
    assert caught.value.error == "damaged_record"
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"issuer": "https://other.example"}, "issuer"),
        ({"client_id": "other"}, "client_id"),
        ({"resource": []}, "resource"),
        ({"subject": None}, "subject"),
    ],
)
def test_a_foreign_record_is_refused(changes: dict[str, Any], member: str) -> None:
    with pytest.raises(ForeignRecordError, match=f"of another {member}") as caught:
        TokenRecord.from_bytes(written(**changes), WHO)
    assert caught.value.member == member


def test_a_newer_record_is_refused() -> None:
    with pytest.raises(NewerRecordError, match="upgrade oauth2_sansio") as caught:
        TokenRecord.from_bytes(written(format=FORMAT + 1, unheard_of=1), WHO)
    assert caught.value.format == FORMAT + 1


@pytest.mark.parametrize(
    "error", [DamagedRecordError("x"), ForeignRecordError("issuer"), NewerRecordError(2)]
)
def test_errors_of_records_are_errors_of_the_store_and_can_be_pickled(error: RecordError) -> None:
    assert isinstance(error, StoreError)
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied)) == (type(error), str(error))


@pytest.mark.parametrize(
    "value",
    [{1, 2}, float("nan"), float("-inf"), 10**500, b"x"],
    ids=["set", "nan", "infinity", "long", "bytes"],
)
def test_what_json_cannot_write_is_refused_without_being_quoted(value: object) -> None:
    token = OAuth2Token(access_token="A", more=value)
    with pytest.raises(LocalProtocolError, match="JSON cannot write") as caught:
        TokenRecord(identity=WHO, token=token).to_bytes()
    assert caught.value.__cause__ is caught.value.__context__ is None


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(list(json.loads(written()))), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_give_a_record_or_an_error_of_ours(content: bytes) -> None:
    try:
        record = TokenRecord.from_bytes(content, WHO)
    except OAuth2Error as error:
        assert isinstance(error, RecordError)
    else:
        assert TokenRecord.from_bytes(record.to_bytes(), WHO) == record


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_any_token_comes_back_as_it_was(members: dict[str, Any]) -> None:
    token = OAuth2Token(members, access_token="A")
    record = TokenRecord(identity=WHO, token=token)
    assert TokenRecord.from_bytes(record.to_bytes(), WHO).token == token


def test_the_order_of_resources_does_not_matter() -> None:
    turned = replace(WHO, resource=(*reversed(WHO.resource), WHO.resource[0]))
    assert turned == WHO
    assert token_key(turned) == token_key(WHO)


def test_each_identity_has_a_key_of_its_own() -> None:
    others = [
        WHO,
        replace(WHO, issuer="https://as.example.co"),
        replace(WHO, client_id="ap"),
        replace(WHO, resource=()),
        replace(WHO, resource=("https://a.example,https://b.example",)),
        replace(WHO, subject=None),
        replace(WHO, subject=""),
        replace(WHO, subject="null"),
    ]
    keys = {token_key(each) for each in others}
    assert len(keys) == len(others)
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_a_fingerprint_does_not_give_the_token_away() -> None:
    assert fingerprint("r1") == sha256(b"r1").hexdigest()
    assert fingerprint("\ud800") != fingerprint("\ud801")
