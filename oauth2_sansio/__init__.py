"""OAuth 2.0 for clients as a state machine without I/O.

Every operation is a `Flow`: it says what to send, you send it with whatever HTTP library you have,
and hand back what came. `drive` and `drive_async` are the loops; the adapter packages
(`oauth2_sansio_requests`, ...) are drivers that are ready to use.

A name is loaded when it is first used, so importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .answers import Answer as Answer
    from .assertions import JWTAssertion as JWTAssertion
    from .assertions import assert_jwt as assert_jwt
    from .assertions import assert_saml as assert_saml
    from .authorization import PendingAuthorization as PendingAuthorization
    from .authorization import generate_token as generate_token
    from .backchannel import BackchannelAuthentication as BackchannelAuthentication
    from .backchannel import BackchannelNotification as BackchannelNotification
    from .backchannel import authenticate_backchannel as authenticate_backchannel
    from .backchannel import poll_backchannel as poll_backchannel
    from .backchannel import read_notification as read_notification
    from .backchannel import redeem_notification as redeem_notification
    from .callback import ResponseMode as ResponseMode
    from .certificates import certificate_thumbprint as certificate_thumbprint
    from .challenges import Challenge as Challenge
    from .challenges import read_challenges as read_challenges
    from .client import Client as Client
    from .client_assertion import AssertionAudience as AssertionAudience
    from .client_assertion import ClientSecretJWT as ClientSecretJWT
    from .client_assertion import PrivateKeyJWT as PrivateKeyJWT
    from .client_auth import ClientAuthentication as ClientAuthentication
    from .client_auth import ClientIdentity as ClientIdentity
    from .client_auth import ClientSecretBasic as ClientSecretBasic
    from .client_auth import ClientSecretPost as ClientSecretPost
    from .client_auth import NoAuthentication as NoAuthentication
    from .client_auth import SelfSignedTLSClientAuth as SelfSignedTLSClientAuth
    from .client_auth import TLSClientAuth as TLSClientAuth
    from .coordinator import RefreshCoordinator as RefreshCoordinator
    from .coordinator_errors import RefreshPausedError as RefreshPausedError
    from .coordinator_policy import RefreshPolicy as RefreshPolicy
    from .device import DeviceAuthorization as DeviceAuthorization
    from .device import authorize_device as authorize_device
    from .device import poll_device as poll_device
    from .dpop import DPoP as DPoP
    from .dpop import new_private_key as new_private_key
    from .driving import drive as drive
    from .driving import drive_async as drive_async
    from .errors import ErrorResponse as ErrorResponse
    from .errors import InvalidTokenError as InvalidTokenError
    from .errors import LocalProtocolError as LocalProtocolError
    from .errors import MismatchingStateError as MismatchingStateError
    from .errors import MismatchingStateError as MismatchingStateException  # pyright: ignore[reportUnusedImport]
    from .errors import MissingTokenError as MissingTokenError
    from .errors import OAuth2Error as OAuth2Error
    from .errors import OAuth2Error as OAuthError  # pyright: ignore[reportUnusedImport]
    from .errors import Outcome as Outcome
    from .errors import RemoteProtocolError as RemoteProtocolError
    from .errors import StoreError as StoreError
    from .errors import TransportError as TransportError
    from .errors import UnsavedTokenError as UnsavedTokenError
    from .errors import UnsupportedTokenTypeError as UnsupportedTokenTypeError
    from .events import Endpoint as Endpoint
    from .events import Finished as Finished
    from .events import RequestFailed as RequestFailed
    from .events import RequestToSend as RequestToSend
    from .events import ResponseReceived as ResponseReceived
    from .events import SignatureMade as SignatureMade
    from .events import SignatureNeeded as SignatureNeeded
    from .events import Started as Started
    from .events import Wait as Wait
    from .events import WaitElapsed as WaitElapsed
    from .exchange import Exchange as Exchange
    from .exchange import Pipeline as Pipeline
    from .exchange import Signer as Signer
    from .exchange import Unsigned as Unsigned
    from .flow import TRANSITIONS as TRANSITIONS
    from .flow import Flow as Flow
    from .flow import State as State
    from .identity_chaining import redeem_jwt_grant as redeem_jwt_grant
    from .identity_chaining import request_jwt_grant as request_jwt_grant
    from .introspection import Introspection as Introspection
    from .jwt_signing import RemoteKey as RemoteKey
    from .jwt_signing import SigningKey as SigningKey
    from .jwt_signing import read_key as read_key
    from .keeper import AwaitRefresh as AwaitRefresh
    from .keeper import RefreshIt as RefreshIt
    from .keeper import SaveIt as SaveIt
    from .keeper import TokenKeeper as TokenKeeper
    from .keeper import UseToken as UseToken
    from .protected_resource import ProtectedResource as ProtectedResource
    from .refusals import Refusal as Refusal
    from .refusals import Repair as Repair
    from .refusals import RepairBudget as RepairBudget
    from .refusals import is_token_rejected as is_token_rejected
    from .refusals import read_refusal as read_refusal
    from .request_object import RequestObject as RequestObject
    from .resource import TokenPlacement as TokenPlacement
    from .resource import authorization_header as authorization_header
    from .server import Server as Server
    from .server_keys import ServerKeys as ServerKeys
    from .token_exchange import TokenType as TokenType
    from .token_exchange import exchange_token as exchange_token
    from .token_record import DamagedRecordError as DamagedRecordError
    from .token_record import ForeignRecordError as ForeignRecordError
    from .token_record import NewerRecordError as NewerRecordError
    from .token_record import RecordError as RecordError
    from .token_record import TokenIdentity as TokenIdentity
    from .token_record import TokenRecord as TokenRecord
    from .token_record import token_key as token_key
    from .tokens import OAuth2Token as OAuth2Token
    from .urls import add_params_to_uri as add_params_to_uri
    from .urls import url_decode as url_decode
    from .urls import url_encode as url_encode

# Where each public name is defined; the block above says the same to type checkers. (Two names are
# aliases, which pyright takes for unused there.)
_MODULES = {
    "answers": ("Answer",),
    "assertions": ("JWTAssertion", "assert_jwt", "assert_saml"),
    "authorization": ("PendingAuthorization", "generate_token"),
    "backchannel": (
        "BackchannelAuthentication",
        "BackchannelNotification",
        "authenticate_backchannel",
        "poll_backchannel",
        "read_notification",
        "redeem_notification",
    ),
    "callback": ("ResponseMode",),
    "certificates": ("certificate_thumbprint",),
    "challenges": ("Challenge", "read_challenges"),
    "client": ("Client",),
    "client_assertion": ("AssertionAudience", "ClientSecretJWT", "PrivateKeyJWT"),
    "client_auth": (
        "ClientAuthentication",
        "ClientIdentity",
        "ClientSecretBasic",
        "ClientSecretPost",
        "NoAuthentication",
        "SelfSignedTLSClientAuth",
        "TLSClientAuth",
    ),
    "coordinator": ("RefreshCoordinator",),
    "coordinator_errors": ("RefreshPausedError",),
    "coordinator_policy": ("RefreshPolicy",),
    "device": ("DeviceAuthorization", "authorize_device", "poll_device"),
    "dpop": ("DPoP", "new_private_key"),
    "driving": ("drive", "drive_async"),
    "errors": (
        "ErrorResponse",
        "InvalidTokenError",
        "LocalProtocolError",
        "MismatchingStateError",
        "MissingTokenError",
        "OAuth2Error",
        "Outcome",
        "RemoteProtocolError",
        "StoreError",
        "TransportError",
        "UnsavedTokenError",
        "UnsupportedTokenTypeError",
    ),
    "events": (
        "Endpoint",
        "Finished",
        "RequestFailed",
        "RequestToSend",
        "ResponseReceived",
        "SignatureMade",
        "SignatureNeeded",
        "Started",
        "Wait",
        "WaitElapsed",
    ),
    "exchange": ("Exchange", "Pipeline", "Signer", "Unsigned"),
    "flow": ("TRANSITIONS", "Flow", "State"),
    "identity_chaining": ("redeem_jwt_grant", "request_jwt_grant"),
    "introspection": ("Introspection",),
    "jwt_signing": ("RemoteKey", "SigningKey", "read_key"),
    "keeper": ("AwaitRefresh", "RefreshIt", "SaveIt", "TokenKeeper", "UseToken"),
    "protected_resource": ("ProtectedResource",),
    "refusals": ("Refusal", "Repair", "RepairBudget", "is_token_rejected", "read_refusal"),
    "request_object": ("RequestObject",),
    "resource": ("TokenPlacement", "authorization_header"),
    "server": ("Server",),
    "server_keys": ("ServerKeys",),
    "token_exchange": ("TokenType", "exchange_token"),
    "token_record": (
        "DamagedRecordError",
        "ForeignRecordError",
        "NewerRecordError",
        "RecordError",
        "TokenIdentity",
        "TokenRecord",
        "token_key",
    ),
    "tokens": ("OAuth2Token",),
    "urls": ("add_params_to_uri", "url_decode", "url_encode"),
}
_ORIGINS = {name: (module, name) for module, names in _MODULES.items() for name in names}
# The names that some of these have in the library whose API the drop-in classes share.
_ORIGINS["OAuthError"] = ("errors", "OAuth2Error")
_ORIGINS["MismatchingStateException"] = ("errors", "MismatchingStateError")

__all__ = ["__version__", *sorted(_ORIGINS)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    try:
        module, original = _ORIGINS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value: object = getattr(import_module(f".{module}", __name__), original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
