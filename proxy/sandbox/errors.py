"""The sandbox's refusals, in the API's own shape: `{"error": {message, type, param, code}}`.

Messages follow the first host's wording where a recording or its documentation shows it. None of them repeats a credential, and
what a client sent is repeated cut to a length and made visible.
"""

from collections.abc import Mapping
from typing import Any

from ...cassettes.text import clip

LONGEST_MESSAGE = 1000


class ApiError(Exception):
    """An answer that says no. `headers` go out beside the host's usual ones."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",  # noqa: A002 - the name that the API gives it
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = clip(message, LONGEST_MESSAGE)
        self.type = type
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def payload(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def not_found(kind: str, identifier: str) -> ApiError:
    return ApiError(404, f"No {kind} found with id '{identifier[:100]}'.")


def unknown_url(method: str, path: str) -> ApiError:
    return ApiError(404, f"Invalid URL ({method} {path[:200]})", code="unknown_url")


def wrong_method(method: str, path: str, allowed: list[str]) -> ApiError:
    message = f"Not allowed to {method} on {path[:200]}. (HINT: Perhaps you meant to use a different HTTP method?)"
    return ApiError(405, message, code="method_not_supported", headers={"allow": ", ".join(sorted(allowed))})


def too_large(limit: int) -> ApiError:
    return ApiError(413, f"The request body is larger than {limit >> 20} MiB.", code="request_too_large")


def full(what: str) -> ApiError:
    """The sandbox's own limit. A retry cannot help, and SDKs are told so."""
    return ApiError(
        429,
        f"This sandbox is full: it holds {what} at most. Delete some, or start it anew.",
        type="sandbox_full",
        code="sandbox_full",
        headers={"x-should-retry": "false"},
    )


def no_key() -> ApiError:
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        "(i.e. Authorization: Bearer YOUR_KEY).",
    )


def wrong_key() -> ApiError:
    return ApiError(401, "Incorrect API key provided.", code="invalid_api_key")


_KINDS = {
    400: ("The request was refused by the script.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: ("You are not allowed to do this.", "invalid_request_error", "forbidden"),
    404: ("The resource was not found.", "invalid_request_error", None),
    409: ("The resource was changed by another request.", "invalid_request_error", "conflict"),
    429: ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    503: ("The engine is currently overloaded, please try again later.", "server_error", None),
}


def scripted(status: int, retry_after: str | None) -> ApiError:
    """The answer to a script's `http` statement."""
    other = ("The server had an error while processing your request. Sorry about that!", "server_error", None)
    message, kind, code = _KINDS.get(status, other)
    headers = {"retry-after": retry_after} if retry_after is not None else {}
    return ApiError(status, message, type=kind, code=code, headers=headers)
