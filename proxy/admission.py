"""What is let in: the checks that every request passes before a mode sees it.

Returns the refusal, or the session and the target. What is refused never reaches a recording or an upstream.
"""

from aiohttp import web

from .answer import Answer, error_answer, json_answer
from .sessions import BadSessionName, split_session
from .wire import header_value, header_values

HEALTH = b"/_respool/health"
OWN = b"/_respool/"


_TELLING = frozenset({b"host", b"transfer-encoding", b"upgrade"})
_LENGTHS = frozenset(map(len, _TELLING))


def admit(request: web.BaseRequest, *, mode: str) -> Answer | tuple[str, bytes]:
    """Check a request. `mode` is what the health answer reports."""
    target = request.raw_path.encode("utf-8", "surrogateescape")
    telling = [(name.lower(), value) for name, value in request.raw_headers if len(name) in _LENGTHS]
    headers = tuple(line for line in telling if line[0] in _TELLING)
    if request.method == "CONNECT":
        return _refuse(405, "respool is a reverse proxy: CONNECT is not for it", "connect_refused")
    if request.method == "TRACE":
        return _refuse(405, "TRACE is not passed on: it would echo credentials", "trace_refused")
    if not target.startswith(b"/"):
        authority = header_value(headers, b"host") or b""
        scheme, mark, rest = target.partition(b"://")
        if scheme.lower() == b"http" and mark and rest.partition(b"/")[0] == authority:
            target = b"/" + rest.partition(b"/")[2]
        elif target == b"*" and request.method == "OPTIONS":
            return _refuse(501, "OPTIONS * has no answer here", "not_implemented")
        else:
            return _refuse(
                421, "the request names another host than this proxy (RFC 9110 section 7.4)", "misdirected_request"
            )
    codings = header_values(headers, b"transfer-encoding")
    if codings and (request.version < (1, 1) or [value.strip().lower() for value in codings] != [b"chunked"]):
        # Others would have to be undone to be passed on, and in HTTP/1.0 they smuggle (RFC 9112 section 6.1).
        return _refuse(
            400 if request.version < (1, 1) else 501,
            "only `Transfer-Encoding: chunked` is spoken here",
            "transfer_coding",
        )
    upgrade = header_value(headers, b"upgrade")
    if upgrade is not None and b"websocket" in upgrade.lower():
        return _refuse(501, "WebSocket is not proxied", "upgrade_refused")
    if target.startswith(OWN):
        if target.partition(b"?")[0] == HEALTH and request.method in {"GET", "HEAD"}:
            return json_answer(200, b'{"status": "ok", "mode": "%b"}\n' % mode.encode())
        return error_answer(404, "respool itself answers GET /_respool/health and nothing else", "not_found")
    try:
        return split_session(target)
    except BadSessionName as error:
        return error_answer(400, str(error), "bad_session_name")


def _refuse(status: int, message: str, code: str) -> Answer:
    return error_answer(status, message, code, keep_alive=False)
