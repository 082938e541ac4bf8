"""cassetter's cassettes, format version 1, in YAML: `interactions` of `request`, `response` and `recorded_at`.

Source: what cassetter 0.16 writes, its README and its conformance files. A body is `type` (json, text, binary, none) and
`content`: JSON stands as YAML values, bytes as hexadecimal digits. The status is a bare number. Interactions are sorted by
method and address, so that only `recorded_at`, the time at which the answer was stored, tells their order. Credentials
were taken out when it was recorded: header lines without a trace, other values as `[FILTERED]`.
"""

from collections.abc import Mapping

from ..amounts import counted
from ..interaction import Headers, Request, Response
from . import vcr_py
from .fields import Field
from .json_body import REWRITTEN, json_of
from .wire import Exchange, date_of, headers_of, method_of, processing_us, split_uri, status_of, time_of, undo_coding

NAME = "cassetter"
KEY = vcr_py.KEY
VERSION = "1"
LACKS = (
    "no durations: cassetter keeps when an answer was stored, and that is a call's time; "
    "header lines are sorted and in lower case"
)
FILTERED = "[FILTERED]"

_OTHERS = {"grpc_interactions": "gRPC call", "ws_interactions": "WebSocket"}


def wrote(item: Field) -> bool:
    """Whether an interaction is cassetter's and not VCR.py's: its status is a number and not a map."""
    answered = item.get("response")
    status = answered.get("status") if answered is not None and answered.is_map else None
    return status is not None and not status.is_map


def left_out(fields: Mapping[str, Field]) -> list[str]:
    """What else stands in the file, a note for each kind."""
    told: list[str] = []
    for name, what in _OTHERS.items():
        count = sum(1 for _ in fields[name].items()) if name in fields and fields[name].node.value is not None else 0
        if count:
            told.append(f"left out, being no calls over HTTP: {counted(count, what)}")
    return told


def check(version: Field) -> None:
    if version.node.value is not None and version.text() != VERSION:
        version.fail("cassetter writes version 1, and no other is known", "Upgrade respool.")


def read(item: Field) -> Exchange:
    asked, answered = item.need("request"), item.need("response")
    origin, target = split_uri(asked.need("uri"))
    headers, body, coding, losses = undo_coding(asked, *_message(asked))
    request = Request(method_of(asked.need("method")), target, headers, body, coding)
    rewritten = _is_json(asked) or _is_json(answered)
    if FILTERED.encode() in target or FILTERED.encode() in body.read():
        losses += (f"{FILTERED} stands in the request where the recorder took something out",)
    status, reason = status_of(answered.need("status"), None)
    headers, body, coding, more = undo_coding(answered, *_message(answered))
    response = Response(status, reason, headers, body, coding, head_us=processing_us(headers))
    stamp = item.get("recorded_at")
    when = None if stamp is None else time_of(stamp.text())
    return Exchange(
        origin,
        request,
        response,
        date_of(headers) if when is None else when,
        recorded=when is not None,
        losses=losses + more + ((REWRITTEN,) if rewritten else ()),
    )


def _message(message: Field) -> tuple[Headers, bytes]:
    return headers_of(message.get("headers")), _body(message.get("body"))


def _is_json(message: Field) -> bool:
    body = message.get("body")
    kind = body.get("type") if body is not None and body.is_map else None
    return kind is not None and kind.text() == "json"


def _body(field: Field | None) -> bytes:
    if field is None:
        return b""
    if not field.is_map or not field.has("type"):  # cassetter also reads bodies as VCR.py writes them
        return vcr_py.body_of(field)
    kind = field.need("type").text()
    if kind == "json":
        return json_of(field.below("content"))
    content = field.get("content")
    if kind not in {"text", "binary", "none"}:
        field.fail("`type` of a body is none that cassetter writes")
    if content is None or kind == "none":
        return b""
    if kind == "text":
        return content.data()
    try:
        return bytes.fromhex(content.text())
    except ValueError:
        content.fail("these are no hexadecimal digits")
