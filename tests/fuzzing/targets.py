"""Every reader of what comes from outside, as a function of bytes.

The property of each: a result, or an error of ours. Some look at what has come out too. An answer
is written as its status, a space, some headers with `|` between, a line feed, and its body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from . import of_answers, of_messages, of_stored


@dataclass(frozen=True, slots=True)
class Target:
    """A reader.

    read: returns for whatever is all right; raises `OAuth2Error`, or what is wrong.
    samples: the folder of its corpus.
    """

    read: Callable[[bytes], None]
    samples: str


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "token": Target(of_answers.token, "token"),
        "error": Target(of_answers.token, "error"),
        "stored_token": Target(of_stored.stored_token, "stored_token"),
        "json": Target(of_stored.json_text, "stored_token"),
        "form": Target(of_messages.form, "form"),
        "callback": Target(of_messages.callback, "callback"),
        "callback_of_a_dropin": Target(of_messages.callback_of_a_dropin, "callback"),
        "url": Target(of_messages.url, "url"),
        "metadata": Target(of_answers.metadata, "metadata"),
        "challenges": Target(of_messages.challenges, "challenges"),
        "introspection": Target(of_answers.introspection, "introspection"),
        "backchannel": Target(of_answers.backchannel, "backchannel"),
        "notification": Target(of_messages.notification, "notification"),
        "resource": Target(of_answers.resource, "resource"),
        "jwt_grant": Target(of_answers.jwt_grant, "jwt_grant"),
        "jwt": Target(of_messages.jwt, "jwt"),
        "signed_callback": Target(of_messages.signed_callback, "signed_callback"),
        "keys": Target(of_answers.keys, "keys"),
        "nonce": Target(of_answers.nonce, "error"),
        "revocation": Target(of_answers.revocation, "error"),
        "device": Target(of_answers.device, "device"),
        "stored_device": Target(of_stored.stored_device, "stored_device"),
        "polling": Target(of_answers.polling, "error"),
        "pushed": Target(of_answers.pushed, "pushed"),
        "stored_authorization": Target(of_stored.stored_authorization, "stored_authorization"),
        "record": Target(of_stored.record, "record"),
        "retry_after": Target(of_messages.retry_after, "retry_after"),
    }
)
"""All targets by their names."""
