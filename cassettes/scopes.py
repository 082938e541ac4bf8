"""The scope of an interaction: the thread that it belongs to, or else its collection.

A thread that the path names comes first; a creation belongs to the thread that its answer names; all else, a failed
creation too, belongs to the collection, `/` and the first segment of the path below its base. A thread's name never
begins with `/`, so the two kinds cannot be taken for each other. Names come from the wire: what is not plausible is not
used.
"""

import hashlib
import json
import re
from functools import lru_cache

from .interaction import Body, Headers, Request, Response
from .operations import find_operation, split_target
from .sse import EventParser

ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes of a creation's answer that are looked at."""
STREAM_LIMIT = 1024 * 1024
"""Bytes at the start of a creation's stream that are looked at: the thread is named in the first events."""

_CREATE_THREAD = 1
_CREATE_THREAD_AND_RUN = 9
CREATIONS = frozenset({_CREATE_THREAD, _CREATE_THREAD_AND_RUN})
"""Numbers of the operations whose thread is named by the answer."""

_PLAUSIBLE = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SEGMENT = re.compile(rb"/([A-Za-z0-9_.~:@-]{1,128})(?:/.*)?", re.DOTALL)
_THREAD = re.compile(rb"/threads/([A-Za-z0-9_.-]{1,128})(?:/.*)?", re.DOTALL)


def scope_of(request: Request, response: Response | None) -> str:
    """The name of the scope: a thread's id, or the collection (`/threads`, `/assistants`, `/`)."""
    _, path, _ = split_target(request.target)
    operation, _ = find_operation(request.method, path)
    if operation is not None and operation.number in CREATIONS:
        return _created(response, operation.number) or "/threads"
    thread = thread_of(request.target)
    if thread is not None:
        return thread.decode("ascii")
    match = _SEGMENT.fullmatch(path)
    return "/" + match[1].decode("ascii") if match else "/"


def thread_of(target: bytes) -> bytes | None:
    """The thread that the path of a request names."""
    match = _THREAD.fullmatch(split_target(target)[1])
    return match[1] if match and match[1] != b"runs" else None


@lru_cache(maxsize=4096)
def scope_hash(name: str) -> int:
    """The 64-bit number of a scope: BLAKE2b of its UTF-8 name, read as little-endian."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def media_type(headers: Headers) -> bytes:
    """The media type of a message in lower case, without its parameters; empty where none is given."""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


def _created(response: Response | None, operation: int) -> str | None:
    if response is None or not 200 <= response.status < 300:
        return None
    if media_type(response.headers) == b"text/event-stream":
        return _thread_of_stream(response.body)
    if response.body.length > ANSWER_LIMIT:
        return None
    answer = _object(response.body.read())
    if operation == _CREATE_THREAD:
        return _plausible(answer.get("id"))
    return _plausible(answer.get("thread_id"))


def _thread_of_stream(body: Body) -> str | None:
    parser = EventParser(STREAM_LIMIT)
    seen = 0
    for piece in body.pieces():
        for event in parser.feed(piece[: STREAM_LIMIT - seen]):
            data = _object(event.data)
            thread = data.get("id") if event.name == "thread.created" else data.get("thread_id")
            if (name := _plausible(thread)) is not None:
                return name
        seen += len(piece)
        if seen >= STREAM_LIMIT:
            break
    return None


def _object(data: bytes | str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _plausible(name: object) -> str | None:
    return name if isinstance(name, str) and _PLAUSIBLE.fullmatch(name) else None
