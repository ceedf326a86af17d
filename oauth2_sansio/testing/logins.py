"""How, and how long ago, a user has logged in (RFC 9470)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from oauth2_sansio.events import Pairs

from .configuration import LoginDemand, User
from .ledger import IssuedToken
from .messages import Parameters, Refusal
from .state import ServerState

_SECONDS = re.compile(r"[0-9]{1,10}")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Login:
    """A login of a user.

    acr: its kind; None where the server has no names for them.
    at: seconds since the epoch.
    """

    acr: str | None
    at: float


def log_in(state: ServerState, parameters: Parameters, user: User) -> Login:
    """Let a user log in, as an authorization request asks for it (RFC 9470 section 5).

    Raises `Refusal` where the server cannot do that.
    """
    now = state.now()
    at = now if user.logged_in_at is None else user.logged_in_at
    max_age = parameters.get("max_age")
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise Refusal("invalid_request", "The max_age is no number of seconds.")
    if max_age is not None and now - at > int(max_age):
        at = now
    supported = state.settings.acr_values_supported
    asked = (parameters.get("acr_values") or "").split()
    possible = [acr for acr in asked if acr in supported]
    if asked and not possible:
        raise Refusal("unmet_authentication_requirements", "The user cannot log in like that.")
    return Login(next(iter([*possible, *supported]), None), at)


def missing_login(state: ServerState, path: str, token: IssuedToken) -> Pairs | None:
    """Return what a path of the resource demands of a login, as a challenge says it (section 3).

    None where the login that a token comes from will do.
    """
    demand = demanded(state.settings.resource_logins, path, LoginDemand())
    family = token.family
    age = None if family.auth_time is None else state.now() - family.auth_time
    is_of_kind = not demand.acr_values or family.acr in demand.acr_values
    is_new = demand.max_age is None or (age is not None and age <= demand.max_age)
    if is_of_kind and is_new:
        return None
    wanted = {
        "acr_values": " ".join(demand.acr_values),
        "max_age": "" if demand.max_age is None else str(demand.max_age),
    }
    return tuple((name, value) for name, value in wanted.items() if value)


def demanded(by_path: Mapping[str, V], path: str, default: V) -> V:
    """Return what is set for a path: for itself or for one above it; the longest path counts."""
    demanding = [
        known for known in by_path if path == known or path.startswith(known.rstrip("/") + "/")
    ]
    return by_path[max(demanding, key=len)] if demanding else default
