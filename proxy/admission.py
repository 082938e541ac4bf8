"""What is let in: the checks that every request passes before a mode sees it.

Returns the refusal, or the session and the target. What is refused never reaches a recording or an upstream.
"""

from collections.abc import Callable

from aiohttp import web

from .answer import Answer, error_answer
from .health import Health, health_answer
from .sessions import BadSessionName, split_session
from .wire import header_value, header_values

HEALTH = b"/_respool/health"
OWN = b"/_respool/"


_TELLING = frozenset({b"transfer-encoding", b"upgrade"})
_LENGTHS = frozenset(map(len, _TELLING))
"""Most calls have neither, and a header of another length need not be put in lower case to be told apart."""


def admit(request: web.BaseRequest, *, mode: str, health: Callable[[], Health]) -> Answer | tuple[str, bytes]:
    """Check a request. `mode` and `health` are what the health answer reports."""
    target = request.raw_path.encode("utf-8", "surrogateescape")
    if request.method == "CONNECT":
        return _refuse(405, "respool is a reverse proxy: CONNECT is not for it", "connect_refused")
    if request.method == "TRACE":
        return _refuse(405, "TRACE is not passed on: it would echo credentials", "trace_refused")
    if not target.startswith(b"/"):
        authority = header_value(request.raw_headers, b"host") or b""
        scheme, mark, rest = target.partition(b"://")
        if scheme.lower() == b"http" and mark and rest.partition(b"/")[0] == authority:
            target = b"/" + rest.partition(b"/")[2]
        elif target == b"*" and request.method == "OPTIONS":
            return _refuse(501, "OPTIONS * has no answer here", "not_implemented")
        else:
            return _refuse(
                421, "the request names another host than this proxy (RFC 9110 section 7.4)", "misdirected_request"
            )
    for name, value in request.raw_headers:
        if len(name) in _LENGTHS and name.lower() in _TELLING and (refusal := _framing(request, name.lower(), value)):
            return refusal
    if target.startswith(OWN):
        if target.partition(b"?")[0] == HEALTH and request.method in {"GET", "HEAD"}:
            return health_answer(mode, health())
        return error_answer(404, "respool itself answers GET /_respool/health and nothing else", "not_found")
    try:
        return split_session(target)
    except BadSessionName as error:
        return error_answer(400, str(error), "bad_session_name")


def _framing(request: web.BaseRequest, name: bytes, value: bytes) -> Answer | None:
    """Refuse a transfer coding or an upgrade that is not spoken here."""
    if name == b"upgrade":
        if b"websocket" not in value.lower():
            return None
        return _refuse(501, "WebSocket is not proxied", "upgrade_refused")
    codings = header_values(request.raw_headers, b"transfer-encoding")
    if request.version >= (1, 1) and [coding.strip().lower() for coding in codings] == [b"chunked"]:
        return None
    # Others would have to be undone to be passed on, and in HTTP/1.0 they smuggle (RFC 9112 section 6.1).
    return _refuse(
        400 if request.version < (1, 1) else 501,
        "only `Transfer-Encoding: chunked` is spoken here",
        "transfer_coding",
    )


def _refuse(status: int, message: str, code: str) -> Answer:
    return error_answer(status, message, code, keep_alive=False)
