"""The names of everything that the server can be told to do wrong."""

from __future__ import annotations

from enum import Enum


class Misbehaviour(Enum):
    """Something that servers, proxies and networks do, and should not."""

    # No answer.
    REFUSE_CONNECTION = "refuse_connection"  # nothing of the request went out
    DROP_REQUEST = "drop_request"  # the request is lost on its way; the server does not act
    DROP_ANSWER = "drop_answer"  # the server acts, and its answer is lost
    DROP_ANSWER_AFTER_ROTATION = "drop_answer_after_rotation"  # the same, for refreshes alone

    # Another answer: the server does not act.
    HTML_ERROR = "html_error"
    HTML_PAGE_IN_200 = "html_page_in_200"
    REDIRECT_302 = "redirect_302"
    REDIRECT_307 = "redirect_307"
    SERVER_ERROR_500_JSON = "server_error_500_json"
    SERVER_ERROR_503_WITH_RETRY_AFTER = "server_error_503_with_retry_after"
    RATE_LIMIT_429_WITH_DATE = "rate_limit_429_with_date"
    ABSURD_RETRY_AFTER = "absurd_retry_after"
    FORBIDDEN_403_EMPTY = "forbidden_403_empty"
    UNAUTHORIZED_401_WITHOUT_CHALLENGE = "unauthorized_401_without_challenge"
    PROBLEM_JSON = "problem_json"
    ERROR_IN_200 = "error_in_200"
    ERROR_OBJECT = "error_object"
    UNKNOWN_ERROR_CODE = "unknown_error_code"
    CONTROL_CHARACTERS_IN_DESCRIPTION = "control_characters_in_description"
    ECHO_SECRET_IN_DESCRIPTION = "echo_secret_in_description"

    # Another answer to a request with an assertion: the server does not act.
    ASSERTION_EXPIRED = "assertion_expired"  # as with a server whose clock is ahead
    ASSERTION_NOT_YET_VALID = "assertion_not_yet_valid"  # as with one whose clock is behind
    ASSERTION_USED_BEFORE = "assertion_used_before"
    ASSERTION_FOR_SOMEBODY_ELSE = "assertion_for_somebody_else"

    # The right answer, in the wrong bytes: the server has acted.
    EMPTY_BODY = "empty_body"
    NOT_JSON = "not_json"
    CUT_JSON = "cut_json"
    JSON_ARRAY = "json_array"
    DUPLICATE_MEMBERS = "duplicate_members"
    DEEP_NESTING = "deep_nesting"
    HUGE_NUMBER = "huge_number"
    NOT_A_NUMBER = "not_a_number"
    HUGE_BODY = "huge_body"
    BAD_UTF8 = "bad_utf8"
    BOM = "bom"
    UTF16 = "utf16"
    TEXT_PLAIN = "text_plain"
    NO_CONTENT_TYPE = "no_content_type"

    # The right answer, with wrong members: tokens were issued.
    FORM_ENCODED_ANSWER = "form_encoded_answer"
    TOKEN_IN_400 = "token_in_400"
    TOKEN_IN_201 = "token_in_201"
    ERROR_BESIDE_TOKEN = "error_beside_token"
    MISSING_ACCESS_TOKEN = "missing_access_token"
    NULL_ACCESS_TOKEN = "null_access_token"
    LINE_BREAK_IN_ACCESS_TOKEN = "line_break_in_access_token"
    MISSING_TOKEN_TYPE = "missing_token_type"
    LOWER_CASE_TOKEN_TYPE = "lower_case_token_type"
    UNKNOWN_TOKEN_TYPE = "unknown_token_type"
    NULL_REFRESH_TOKEN = "null_refresh_token"
    EMPTY_REFRESH_TOKEN = "empty_refresh_token"
    MISSING_REFRESH_TOKEN = "missing_refresh_token"
    MISSING_EXPIRES_IN = "missing_expires_in"
    EXPIRES_IN_STRING = "expires_in_string"
    EXPIRES_IN_FLOAT = "expires_in_float"
    EXPIRES_IN_OBJECT = "expires_in_object"
    NULL_EXPIRES_IN = "null_expires_in"
    NEGATIVE_EXPIRES_IN = "negative_expires_in"
    ABSURD_EXPIRES_IN = "absurd_expires_in"
    SCOPE_ARRAY = "scope_array"
    MISSING_SCOPE = "missing_scope"

    # Callbacks.
    ISSUER_MIXUP = "issuer_mixup"  # `iss` and code are those of another server
    CALLBACK_WRONG_ISSUER = "callback_wrong_issuer"  # `iss` differs by a slash
    CALLBACK_WITHOUT_ISSUER = "callback_without_issuer"
    CALLBACK_WITHOUT_STATE = "callback_without_state"
    CALLBACK_WRONG_STATE = "callback_wrong_state"
    CALLBACK_WITHOUT_CODE = "callback_without_code"
    CALLBACK_DOUBLED_CODE = "callback_doubled_code"
    CALLBACK_ERROR_AND_CODE = "callback_error_and_code"

    # Metadata.
    METADATA_WRONG_ISSUER = "metadata_wrong_issuer"
    METADATA_ISSUER_WITH_SLASH = "metadata_issuer_with_slash"
    METADATA_HTTP_ENDPOINTS = "metadata_http_endpoints"
    METADATA_SCRIPT_ENDPOINT = "metadata_script_endpoint"
    METADATA_WITHOUT_TOKEN_ENDPOINT = "metadata_without_token_endpoint"
    METADATA_WRONG_TYPES = "metadata_wrong_types"
    METADATA_HTTP_ALIASES = "metadata_http_aliases"
    METADATA_ALIASES_AS_LIST = "metadata_aliases_as_list"
    METADATA_WITHOUT_S256 = "metadata_without_s256"

    # Pushed authorization requests.
    PUSHED_WITHOUT_REQUEST_URI = "pushed_without_request_uri"
    PUSHED_REQUEST_URI_LIST = "pushed_request_uri_list"
    PUSHED_WITHOUT_EXPIRES_IN = "pushed_without_expires_in"

    # Decisions on another device.
    DEVICE_WITHOUT_CODE = "device_without_code"
    DEVICE_WITHOUT_EXPIRES_IN = "device_without_expires_in"
    DEVICE_WITHOUT_INTERVAL = "device_without_interval"
    DEVICE_ABSURD_INTERVAL = "device_absurd_interval"
    DEVICE_NAME_OF_DRAFT = "device_name_of_draft"  # `verification_url`
    DEVICE_SCRIPT_PAGE = "device_script_page"
    DEVICE_HTTP_PAGE = "device_http_page"
    DEVICE_CONTROL_CHARACTERS = "device_control_characters"  # in the code that the user is shown
    POLLING_ENDLESS_PENDING = "polling_endless_pending"
    POLLING_ENDLESS_SLOW_DOWN = "polling_endless_slow_down"

    BACKCHANNEL_WITHOUT_ID = "backchannel_without_id"
    BACKCHANNEL_ID_OBJECT = "backchannel_id_object"
    BACKCHANNEL_WITHOUT_EXPIRES_IN = "backchannel_without_expires_in"
    NOTIFICATION_WRONG_TOKEN = "notification_wrong_token"  # as anybody could send it
    NOTIFICATION_WITHOUT_TOKEN = "notification_without_token"
    NOTIFICATION_OF_ANOTHER = "notification_of_another"
    NOTIFICATION_NOT_JSON = "notification_not_json"
    NOTIFICATION_PUSHES_TOKENS = "notification_pushes_tokens"

    # Token exchange.
    EXCHANGE_OF_ANOTHER_TYPE = "exchange_of_another_type"
    EXCHANGE_WITHOUT_TYPE = "exchange_without_type"
    EXCHANGE_TYPE_LIST = "exchange_type_list"

    # Tokens that are bound to a key (DPoP).
    DPOP_BEARER_ANSWER = "dpop_bearer_answer"  # the token is bound to no key
    DPOP_ENDLESS_NONCES = "dpop_endless_nonces"  # a new one, whatever nonce the proof holds
    DPOP_SAME_NONCE = "dpop_same_nonce"  # the same one, also where the proof holds it
    DPOP_TWO_NONCES = "dpop_two_nonces"
    DPOP_WITHOUT_NONCE = "dpop_without_nonce"  # asks for a nonce that it does not give
    DPOP_NONCE_WITH_SPACES = "dpop_nonce_with_spaces"

    # What the server signs: callbacks (JARM) and introspection (RFC 9701), and its keys.
    JWT_ALG_NONE = "jwt_alg_none"
    JWT_HS_CONFUSION = "jwt_hs_confusion"  # HS256, with the public key as the secret
    JWT_EMBEDDED_KEY = "jwt_embedded_key"  # a stranger's, which comes along in the header
    JWT_KEY_URL = "jwt_key_url"  # the header says where the stranger's key is
    JWT_UNKNOWN_KEY = "jwt_unknown_key"  # a kid that is not among the keys
    JWT_WRONG_SIGNATURE = "jwt_wrong_signature"
    JWT_CRITICAL_HEADER = "jwt_critical_header"
    JWT_WRONG_ISSUER = "jwt_wrong_issuer"
    JWT_WRONG_AUDIENCE = "jwt_wrong_audience"
    JWT_EXPIRED = "jwt_expired"
    JWT_OF_TOMORROW = "jwt_of_tomorrow"
    JWT_WITHOUT_TIMES = "jwt_without_times"
    JWT_OVERSIZE = "jwt_oversize"
    JWT_WRONG_TYPE = "jwt_wrong_type"  # the header typ is that of an access token
    PLAIN_INSTEAD_OF_JWT = "plain_instead_of_jwt"
    JWKS_PRIVATE_KEY = "jwks_private_key"
    JWKS_SHARED_SECRET = "jwks_shared_secret"
    JWKS_HUGE = "jwks_huge"
    JWKS_WITHOUT_KEYS = "jwks_without_keys"
    JWKS_KEYS_OBJECT = "jwks_keys_object"
    # What was granted in detail (RFC 9396).
    AUTHORIZATION_DETAILS_AS_TEXT = "authorization_details_as_text"
    AUTHORIZATION_DETAILS_WITHOUT_TYPE = "authorization_details_without_type"
    MISSING_AUTHORIZATION_DETAILS = "missing_authorization_details"
    OTHER_AUTHORIZATION_DETAILS = "other_authorization_details"  # nobody has asked for them

    # What a resource says of itself (RFC 9728).
    RESOURCE_METADATA_OF_ANOTHER = "resource_metadata_of_another"
    RESOURCE_METADATA_WITH_SLASH = "resource_metadata_with_slash"
    RESOURCE_METADATA_HTTP_SERVER = "resource_metadata_http_server"
    RESOURCE_METADATA_WRONG_TYPES = "resource_metadata_wrong_types"

    # Revocation, introspection, protected resource.
    REVOCATION_503 = "revocation_503"
    REVOCATION_UNSUPPORTED_TOKEN_TYPE = "revocation_unsupported_token_type"
    INTROSPECTION_ACTIVE_AS_TEXT = "introspection_active_as_text"
    INTROSPECTION_WITHOUT_ACTIVE = "introspection_without_active"
    INTROSPECTION_TIMES_AS_FLOATS = "introspection_times_as_floats"
    RESOURCE_REFUSES_TOKEN = "resource_refuses_token"
    RESOURCE_401_WITHOUT_CHALLENGE = "resource_401_without_challenge"
    RESOURCE_TWO_CHALLENGES = "resource_two_challenges"
    RESOURCE_REDIRECTS_ELSEWHERE = "resource_redirects_elsewhere"
    RESOURCE_WANTS_ANOTHER_LOGIN = "resource_wants_another_login"  # whichever there was


class AnswerLost(ConnectionError):
    """No answer comes.

    sent: false if nothing of the request went out.
    """

    def __init__(self, *, sent: bool) -> None:
        super().__init__("the answer is lost" if sent else "the connection is refused")
        self.sent = sent
