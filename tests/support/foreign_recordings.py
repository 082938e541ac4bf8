"""Recordings as cassetter, Azure's test proxy and mitmproxy write them, made of calls that a test writes in line.

Written after their sources, with nothing of respool in it, so that the importers are held against somebody else's reading.
"""

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

HOST = "https://api.example.com"
BEGAN = 1_774_964_000.0
JSON = "application/json"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: bytes = b""
    status: int = 200
    answer: bytes = b"{}"
    kind: str = JSON
    asked_kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


EVENTS = 'event: thread.run.created\r\ndata: {"id":"run_2"}\r\n\r\n: Grüße\n\nevent: done\ndata: [DONE]\n\n'.encode()
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nhello \x00\xff\r\n--x--\r\n'
RUN = "/v1/threads/thread_1/runs/run_1"


def run(status: str) -> bytes:
    return json.dumps({"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": status}).encode()


CONVERSATION: Sequence[Call] = (
    Call("POST", "/v1/threads", b'{"metadata": {"n": "1", "t": "true", "none": null}}', 200, b'{"id": "thread_1", "x": 1.0}'),
    Call("POST", "/v1/threads/thread_1/messages", '{"role":"user","content":"Grüße\\n"}'.encode(), 200, b'{"id":"msg_1"}'),
    Call("POST", "/v1/threads/thread_1/runs", b'{"assistant_id":"asst_1","temperature":0.5}', 200, run("queued")),
    Call("GET", RUN, answer=run("in_progress")),
    Call("GET", RUN, answer=run("requires_action")),
    Call("POST", RUN + "/submit_tool_outputs", b'{"tool_outputs":[{"tool_call_id":"c","output":"42"}]}', 200, run("queued")),
    Call("GET", RUN, answer=run("completed")),
    Call("POST", "/v1/threads/thread_1/runs", b'{"stream":true}', 200, EVENTS, "text/event-stream; charset=utf-8"),
    Call("GET", "/v1/threads/thread_x?a=%2F&b=", status=404, answer=b'{"error": {"message": "no"}}'),
    Call("POST", "/v1/files", FORM, 200, b'{"id":"file-1"}', asked_kind="multipart/form-data; boundary=x"),
    Call("GET", "/v1/files/file-1/content", answer=bytes(range(256)), kind="application/octet-stream"),
    Call("DELETE", "/v1/threads/thread_1", status=204, answer=b""),
)  # fmt: skip


def _named(kind: str, data: bytes, more: dict[str, str] | None = None) -> dict[str, str]:
    return ({"Content-Type": kind} if data else {}) | (more or {})


def _value(data: bytes) -> object:
    """What a recorder that takes JSON apart sees: the value, or nothing for other data."""
    try:
        return json.loads(data)
    except ValueError:
        return None


def cassetter(calls: Sequence[Call], *, dated: bool = True) -> bytes:
    """A cassetter cassette, in YAML (all JSON is): sorted by method and address, as cassetter sorts."""

    def body(kind: str, data: bytes) -> dict[str, object]:
        if not data:
            return {"type": "none"}
        if kind == JSON:
            return {"type": "json", "content": _value(data)}
        try:
            return {"type": "text", "content": data.decode()}
        except UnicodeDecodeError:
            return {"type": "binary", "content": data.hex()}

    def lines(kind: str, data: bytes, more: dict[str, str] | None = None) -> dict[str, list[str]]:
        return {name.lower(): [value] for name, value in sorted(_named(kind, data, more).items())}

    items = []
    for number, call in enumerate(calls):
        asked = {
            "method": call.method,
            "uri": HOST + call.path,
            "headers": lines(call.asked_kind, call.body, call.headers),
        }
        answered = {
            "status": call.status,
            "headers": lines(call.kind, call.answer),
            "body": body(call.kind, call.answer),
        }
        item = {"request": asked | {"body": body(call.asked_kind, call.body)}, "response": answered}
        at = f"2026-03-31T13:31:{30 + number // 4:02}.{number % 4 * 200_000:06}+00:00"
        items.append((call.method, call.path, item | ({"recorded_at": at} if dated else {})))
    items.sort(key=lambda item: item[:2])
    # A line of its own at the start, since a file that begins with a brace is read as JSON.
    return b"# cassetter\n" + json.dumps({"version": 1, "interactions": [item for *_, item in items]}).encode()


def azure(calls: Sequence[Call], **variables: str) -> bytes:
    """A recording of Azure's test proxy."""

    def body(kind: str, data: bytes) -> object:
        if not kind.startswith(("text/", JSON)):
            return base64.b64encode(data).decode() if data else []
        if kind == JSON and isinstance(value := _value(data), dict):
            return value
        return data.decode().splitlines(keepends=True) if data else None

    entries = [
        {
            "RequestUri": HOST + call.path,
            "RequestMethod": call.method,
            "RequestHeaders": _named(call.asked_kind, call.body, {"Authorization": "Sanitized"} | call.headers),
            "RequestBody": body(call.asked_kind, call.body) if call.body else None,
            "StatusCode": call.status,
            "ResponseHeaders": _named(call.kind, call.answer),
            "ResponseBody": body(call.kind, call.answer),
        }
        for call in calls
    ]
    return json.dumps({"Entries": entries, "Variables": variables}, indent=2).encode()


def tnetstring(value: object) -> bytes:
    """A value as a tagged netstring."""
    match value:
        case None:
            data, tag = b"", b"~"
        case bool():
            data, tag = (b"true" if value else b"false"), b"!"
        case int():
            data, tag = str(value).encode(), b"#"
        case float():
            data, tag = repr(value).encode(), b"^"
        case bytes():
            data, tag = value, b","
        case str():
            data, tag = value.encode(), b";"
        case dict():
            data, tag = b"".join(tnetstring(each) for pair in value.items() for each in pair), b"}"
        case list() | tuple():
            data, tag = b"".join(map(tnetstring, value)), b"]"
        case _:
            raise TypeError(type(value))
    return b"%d:%s%s" % (len(data), data, tag)


def flow(call: Call, began: float = BEGAN, **more: object) -> dict[str, object]:
    """The state of a flow, with those of its fields that say anything of the call."""

    def lines(kind: str, data: bytes, extra: dict[str, str] | None = None) -> list[list[bytes]]:
        named = _named(kind, data, extra) | {"Content-Length": str(len(data))}
        return [[name.encode(), value.encode()] for name, value in named.items()]

    request = {
        "host": "api.example.com", "port": 443, "scheme": b"https", "authority": b"", "method": call.method.encode(),
        "path": call.path.encode(), "http_version": b"HTTP/1.1", "trailers": None, "content": call.body,
        "headers": lines(call.asked_kind, call.body, call.headers),
        "timestamp_start": began, "timestamp_end": began + 0.001,
    }  # fmt: skip
    response = {
        "status_code": call.status, "reason": b"Fine", "http_version": b"HTTP/1.1", "trailers": None, "content": call.answer,
        "headers": lines(call.kind, call.answer), "timestamp_start": began + 0.02, "timestamp_end": began + 0.05,
    }  # fmt: skip
    return {
        "version": 21, "type": "http", "id": str(uuid.uuid4()), "error": None, "websocket": None, "request": request,
        "response": response, "metadata": {}, "comment": "", "marked": "", "intercepted": False, "is_replay": None,
        "backup": None,
    } | more  # fmt: skip


def mitmproxy(calls: Sequence[Call]) -> bytes:
    """A flow file. Flows stand in the order in which they ended: here the last one first."""
    flows = [flow(call, BEGAN + number) for number, call in enumerate(calls)]
    return b"".join(tnetstring(each) for each in reversed(flows))
