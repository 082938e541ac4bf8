"""What the host of the corpus sends: objects of the threads API (second version) as bytes, and header lines of both sides.

Each object is one template in two spellings: indented, as in answers, and compact, as in the events of a stream. Values
are given as JSON text. Header sets are those of the `openai` package and of the API's first host.
"""

import json
from email.utils import formatdate
from functools import lru_cache

from respool.cassettes.interaction import Headers

Json = str
"""A value as JSON text."""
NULL: Json = "null"


def quoted(text: str) -> Json:
    return json.dumps(text, ensure_ascii=False)


class Shape:
    """An object with holes. In the layout a hole is the text `@name`; `pretty` and `compact` fill each with JSON text."""

    def __init__(self, layout: dict[str, object]) -> None:
        self._pretty = _with_holes(json.dumps(layout, indent=2))
        self._compact = _with_holes(json.dumps(layout, separators=(",", ":")))

    def pretty(self, values: dict[str, Json]) -> str:
        return self._pretty % values

    def compact(self, values: dict[str, Json]) -> str:
        return self._compact % values


def _with_holes(text: str) -> str:
    parts = text.replace("%", "%%").split('"@')
    return parts[0] + "".join("%({})s{}".format(*part.split('"', 1)) for part in parts[1:])


THREAD = Shape(
    {"id": "@id", "object": "thread", "created_at": "@created", "metadata": "@metadata", "tool_resources": {}}
)

MESSAGE = Shape(
    {
        "id": "@id",
        "object": "thread.message",
        "created_at": "@created",
        "assistant_id": "@assistant",
        "thread_id": "@thread",
        "run_id": "@run",
        "role": "@role",
        "content": [{"type": "text", "text": {"value": "@text", "annotations": []}}],
        "attachments": [],
        "metadata": "@metadata",
    }
)

MESSAGE_EVENT = Shape(
    {
        "id": "@id",
        "object": "thread.message",
        "created_at": "@created",
        "assistant_id": "@assistant",
        "thread_id": "@thread",
        "run_id": "@run",
        "status": "@status",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": "@completed",
        "role": "assistant",
        "content": "@content",
        "attachments": [],
        "metadata": {},
    }
)

MESSAGE_DELTA = Shape(
    {
        "id": "@id",
        "object": "thread.message.delta",
        "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "@text"}}]},
    }
)

_ORDER_TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Find an order by its number and tell its state, its items and where the parcel is.",
        "parameters": {
            "type": "object",
            "properties": {
                "number": {"type": "string", "description": "The order's number, such as 100234"},
                "detail": {"type": "string", "enum": ["short", "full"]},
            },
            "required": ["number"],
        },
        "strict": False,
    },
}
_REFUND_TOOL = {
    "type": "function",
    "function": {
        "name": "start_refund",
        "description": "Start a refund to the card that paid.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}, "cents": {"type": "integer"}},
            "required": ["number", "cents"],
        },
        "strict": False,
    },
}

RUN = Shape(
    {
        "id": "@id",
        "object": "thread.run",
        "created_at": "@created",
        "assistant_id": "@assistant",
        "thread_id": "@thread",
        "status": "@status",
        "started_at": "@started",
        "expires_at": "@expires",
        "cancelled_at": "@cancelled",
        "failed_at": "@failed",
        "completed_at": "@completed",
        "required_action": "@action",
        "last_error": "@error",
        "model": "gpt-4o-mini",
        "instructions": "@instructions",
        "tools": [_ORDER_TOOL, _REFUND_TOOL],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "reasoning_effort": None,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "incomplete_details": None,
        "usage": "@usage",
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
)

STEP = Shape(
    {
        "id": "@id",
        "object": "thread.run.step",
        "created_at": "@created",
        "run_id": "@run",
        "assistant_id": "@assistant",
        "thread_id": "@thread",
        "type": "@type",
        "status": "@status",
        "cancelled_at": None,
        "completed_at": "@completed",
        "expires_at": "@expires",
        "failed_at": None,
        "last_error": None,
        "step_details": "@details",
        "usage": "@usage",
    }
)


def listing(items: list[tuple[str, str]]) -> bytes:
    """A list object of (id, indented object) pairs."""
    inner = ",\n".join("    " + text.replace("\n", "\n    ") for _, text in items)
    data = f"[\n{inner}\n  ]" if items else "[]"
    first = quoted(items[0][0]) if items else NULL
    last = quoted(items[-1][0]) if items else NULL
    return (
        f'{{\n  "object": "list",\n  "data": {data},\n  "first_id": {first},\n  "last_id": {last},\n'
        '  "has_more": false\n}'
    ).encode()


def error(message: str, kind: str, code: str | None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}, indent=2).encode()


def event(name: str, data: str) -> bytes:
    """One event of a stream."""
    return f"event: {name}\ndata: {data}\n\n".encode()


_CLIENT: Headers = (
    (b"Host", b"api.openai.com"),
    (b"Accept-Encoding", b"gzip, deflate"),
    (b"Connection", b"keep-alive"),
)
_SDK: Headers = (
    (b"user-agent", b"OpenAI/Python 3.54.0"),
    (b"x-stainless-lang", b"python"),
    (b"x-stainless-package-version", b"3.54.0"),
    (b"x-stainless-os", b"Linux"),
    (b"x-stainless-arch", b"x64"),
    (b"x-stainless-runtime", b"CPython"),
    (b"x-stainless-runtime-version", b"3.11.7"),
    (b"x-stainless-async", b"false"),
    (b"openai-beta", b"assistants=v2"),
)
_POLLS: Headers = ((b"x-stainless-poll-helper", b"true"), (b"x-stainless-raw-response", b"true"))


def request_headers(key: bytes, *, length: int | None, polls: bool, retries: int) -> Headers:
    """What the `openai` package sends. `length` is that of the body, None for a GET."""
    kind: Headers = ((b"accept", b"application/json"),)
    if length is not None:
        kind += ((b"content-type", b"application/json"),)
    lines = (*_CLIENT, (b"authorization", b"Bearer " + key), *kind, *_SDK)
    if polls:
        lines += _POLLS
    lines += ((b"x-stainless-retry-count", b"%d" % retries), (b"x-stainless-read-timeout", b"600"))
    return lines if length is None else (*lines, (b"Content-Length", b"%d" % length))


_HOST: Headers = (
    (b"openai-version", b"2020-10-01"),
    (b"openai-organization", b"parcel-and-sons"),
    (b"openai-project", b"proj_Kq7mVh2RzX4tLw9cDs1pYb3N"),
)
_EDGE: Headers = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    (b"cf-cache-status", b"DYNAMIC"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Server", b"cloudflare"),
)
JSON_TYPE = b"application/json"
STREAM_TYPE = b"text/event-stream; charset=utf-8"


def response_headers(
    second: int, *, request: str, took_ms: int, kind: bytes, coding: str, more: Headers = ()
) -> Headers:
    """What the host answers with; `second` is Unix time, `coding` the content coding of the wire."""
    lines: Headers = (
        (b"Date", _date(second)),
        (b"Content-Type", kind),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"keep-alive"),
        *_HOST,
        (b"x-request-id", b"req_" + request.encode()),
        (b"openai-processing-ms", b"%d" % took_ms),
        *_EDGE,
        (b"CF-RAY", request[:16].encode() + b"-LHR"),
        (b"alt-svc", b'h3=":443"; ma=86400'),
        *more,
    )
    return (*lines, (b"Content-Encoding", coding.encode())) if coding else lines


@lru_cache(maxsize=1024)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
