"""Flows as mitmproxy, mitmdump and mitmweb save them: one tagged netstring after the other.

Source: what mitmproxy 11 and 12 write (flow format 21) and mitmproxy/io/compat.py, by which all that is read here has been
the same since format 4 (mitmproxy 3). A body is the bytes of the wire with its content coding; it is nothing where
mitmproxy streamed it through, or where the answer broke off. Flows are saved when they end and stand in that order.
"""

from ..interaction import Body, End, Request, Response
from .fields import Field, Node
from .stored import pairs_of, target_of_bytes
from .wire import MOST_MICROSECONDS, Exchange, method_of, split_uri, status_of, undo_coding

NAME = "mitmproxy flows"
OLDEST, NEWEST = 4, 21
_PORTS = {"http": "80", "https": "443"}
_BODY_LOST = "body of {} lost: mitmproxy streamed it, or it broke off"
_MOST_SECONDS = 1 << 38


def check(flow: Field) -> None:
    """Refuse a flow of a format that is not known."""
    version = flow.need("version")
    number = 0 if version.is_list else version.number(0, 1_000_000)  # lists of numbers until format 3.0.0
    if number < OLDEST:
        version.fail("a flow of mitmproxy 2 or older", "`mitmdump -n -r OLD -w NEW` writes the file anew; import that.")
    if number > NEWEST:
        version.fail(
            f"flow format {number} is newer than {NEWEST}, the newest known",
            "`mitmdump -n -r FLOWS --set hardump=OUT.har` makes a HAR of the file, which can be imported.",
        )


def is_call(flow: Field) -> bool:
    """Whether a flow is a call over HTTP: TCP, UDP, DNS, tunnels and WebSockets are none."""
    if flow.need("type").text() != "http" or flow.get("websocket") is not None:
        return False
    answered = flow.get("response")
    return flow.need("request").need("method").text() != "CONNECT" and (
        answered is None or answered.need("status_code").text() != "101"
    )


def id_of(flow: Field) -> str:
    kept = flow.get("id")
    return "" if kept is None else kept.text()


def read(flow: Field) -> Exchange:
    asked, answered, error = flow.need("request"), flow.get("response"), flow.get("error")
    origin, _ = split_uri(Field(Node(_origin(asked)), asked.file, asked.path, asked.allowance))
    headers, body, coding, losses = _message(asked, "a request")
    request = Request(
        method_of(asked.need("method"), exact=True), target_of_bytes(asked.need("path")), headers, body, coding
    )
    began = _micros(asked, "timestamp_start")
    response, head_us, whole_us = None, None, None
    if answered is None:
        losses += ("no response came",)
    else:
        head_us, whole_us = _since(began, answered, "timestamp_start"), _since(began, answered, "timestamp_end")
        headers, body, coding, more = _message(answered, "an answer")
        losses += more
        status, reason = status_of(answered.need("status_code"), answered.get("reason"))
        response = Response(status, reason, headers, body, coding, head_us=head_us or 0)
    if whole_us is None:
        whole_us = (_since(began, error, "timestamp") if error is not None else None) or head_us or 0
    return Exchange(
        origin,
        request,
        response,
        began,
        recorded=began is not None,
        losses=losses,
        end=_end(error, answered is not None),
        duration_us=whole_us,
    )


def _end(error: Field | None, answered: bool) -> End:
    """How a call ended: mitmproxy has words for it, and no more."""
    if error is None:
        return End.COMPLETE if answered else End.CLIENT_CUT
    if "client" in error.need("msg").text().lower():
        return End.CLIENT_CUT
    return End.UPSTREAM_CUT if answered else End.UPSTREAM_FAILED


def _origin(asked: Field) -> str:
    scheme, host, port = (asked.need(name).text() for name in ("scheme", "host", "port"))
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if _PORTS.get(scheme) == port else f":{port}")


def _message(message: Field, whose: str) -> tuple[tuple[tuple[bytes, bytes], ...], Body, str, tuple[str, ...]]:
    """Header lines, decoded body, its coding, and what is lost."""
    headers, content, trailers = pairs_of(message), message.get("content"), message.get("trailers")
    headers, body, coding, losses = undo_coding(message, headers, b"" if content is None else content.data())
    if content is None:
        losses += (_BODY_LOST.format(whose),)
    if trailers is not None and any(True for _ in trailers.items()):
        losses += (f"trailers of {whose} dropped",)
    return headers, body, coding, losses


def _micros(field: Field, name: str) -> int | None:
    """A Unix time in microseconds."""
    kept = field.get(name)
    try:
        seconds = 0.0 if kept is None else float(kept.text()[:40])
    except ValueError:
        return None
    return round(seconds * 1_000_000) if 0 < seconds < _MOST_SECONDS else None


def _since(began: int | None, field: Field, name: str) -> int | None:
    then = _micros(field, name)
    return None if then is None or began is None else min(max(then - began, 0), MOST_MICROSECONDS)
