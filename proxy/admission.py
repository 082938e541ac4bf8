"""What is let in: the checks that every request passes before a mode sees it.

Returns the refusal, or the session and the target. What is refused never reaches a recording or an upstream.
"""

from collections.abc import Callable

from aiohttp import web

from .answer import Answer, error_answer
from .doors import Doors, Refusal
from .health import Health, health_answer
from .sessions import BadSessionName, split_session

HEALTH = b"/_respool/health"
OWN = b"/_respool/"


_TELLING = frozenset({b"expect", b"host", b"origin", b"sec-fetch-site", b"transfer-encoding", b"upgrade"})
_LENGTHS = frozenset(map(len, _TELLING))
"""A header of another length need not be put in lower case to be told apart."""
_HTTP2 = frozenset({b"h2c"})
"""What a client may offer and take HTTP/1.1 instead (RFC 9110 section 7.8); Java's own client offers it with each call."""


def admit(
    request: web.BaseRequest, *, doors: Doors, mode: str, health: Callable[[], Health]
) -> Answer | tuple[str, bytes]:
    """Check a request. `mode` and `health` are what the health answer reports."""
    target = gate(request, doors)
    if isinstance(target, Refusal):
        return error_answer(*target, keep_alive=False)
    if target.startswith(OWN):
        if target.partition(b"?")[0] == HEALTH and request.method in {"GET", "HEAD"}:
            return health_answer(mode, health())
        return error_answer(404, "respool itself answers GET /_respool/health and nothing else", "not_found")
    try:
        return split_session(target)
    except BadSessionName as error:
        return error_answer(400, str(error), "bad_session_name")


def gate(request: web.BaseRequest, doors: Doors) -> Refusal | bytes:
    """The target of a request that may come in, or why it may not; its connection is to be closed then."""
    target = request.raw_path.encode("utf-8", "surrogateescape")
    if not (1, 0) <= request.version < (2, 0):
        return Refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", "http_version")
    told: dict[bytes, list[bytes]] = {name: [] for name in _TELLING}
    for name, value in request.raw_headers:
        if len(name) in _LENGTHS and (lower := name.lower()) in _TELLING:
            told[lower].append(value)
    if request.method == "CONNECT":
        return Refusal(405, "respool is a reverse proxy: CONNECT is not for it", "connect_refused")
    if request.method == "TRACE":
        return Refusal(405, "TRACE is not passed on: it would echo credentials", "trace_refused")
    if not target.startswith(b"/"):
        authority = told[b"host"][0] if told[b"host"] else b""
        scheme, mark, rest = target.partition(b"://")
        if scheme.lower() == b"http" and mark and rest.partition(b"/")[0] == authority:
            target = b"/" + rest.partition(b"/")[2]
        elif target == b"*" and request.method == "OPTIONS":
            return Refusal(501, "OPTIONS * has no answer here", "not_implemented")
        else:
            return Refusal(
                421, "the request names another host than this proxy (RFC 9110 section 7.4)", "misdirected_request"
            )
    transport = request.transport
    local = transport.get_extra_info("sockname") if transport is not None else None
    refusal = doors.refusal(told[b"host"], told[b"origin"], told[b"sec-fetch-site"], local)
    return refusal or _framing(request, told) or target


def _framing(request: web.BaseRequest, told: dict[bytes, list[bytes]]) -> Refusal | None:
    """Refuse a transfer coding, an upgrade or an expectation that is not spoken here."""
    if any(value.strip().lower() not in _HTTP2 for value in told[b"upgrade"]):
        return Refusal(501, "no other protocol is proxied", "upgrade_refused")
    if told[b"upgrade"]:
        # aiohttp loses what came in one piece with the offer, the start of a next request perhaps: none is read here.
        request._message = request._message._replace(should_close=True)
    if any(value.strip().lower() != b"100-continue" for value in told[b"expect"]):
        return Refusal(417, "only `Expect: 100-continue` is understood here", "expectation_refused")
    codings = [coding.strip().lower() for coding in told[b"transfer-encoding"]]
    if not codings or (request.version >= (1, 1) and codings == [b"chunked"]):
        return None
    # Others would have to be undone to be passed on, and in HTTP/1.0 they smuggle (RFC 9112 section 6.1).
    return Refusal(
        400 if request.version < (1, 1) else 501,
        "only `Transfer-Encoding: chunked` is spoken here",
        "transfer_coding",
    )
