"""Where two requests differ, field by field, in words fit to be shown.

A field is named as a rule would name it: `method`, `path:thread_id`, `path[2]`, `query:limit`, `$.metadata.trace_id`,
`form:name`, `part[0].filename`, `body`. The value of a field whose name says that it is secret is hidden. What does not
count for a key is no difference. Work is bounded: no more than MOST differences are found, and bodies above LARGEST
bytes are compared by length and bytes only.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import NamedTuple

from .canonical import (
    JSON,
    MULTIPART,
    RAW,
    Number,
    Part,
    canonical_body,
    canonical_json,
    parse_json,
    parse_multipart,
    parse_pairs,
)
from .interaction import Request
from .operations import find_operation, split_target
from .slots import PLACEHOLDER, hide_query, is_field_slot, is_query_slot
from .text import clip

MOST = 50
LARGEST = 1024 * 1024
SHOWN = 120
"""Characters of a value that are shown."""

_HIDDEN = PLACEHOLDER.decode("ascii")
_ABSENT = object()
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNED = re.compile(rb"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)[\\\"']{0,2}\s{0,4}[:=>\r\n]")
"""A name before its value, in JSON, forms, multipart heads and plain text."""
_LOOKED_BACK = 8192
"""Bytes before the place where two bodies part, in which a name is looked for."""


class Difference(NamedTuple):
    """One field that differs. `None`: this side does not have it. Values are shortened and safe to show."""

    field: str
    recorded: str | None
    asked: str | None

    def __str__(self) -> str:
        return f"{self.field}: recorded {self.recorded or 'nothing'}, asked {self.asked or 'nothing'}"


def differences(recorded: Request, asked: Request) -> list[Difference]:
    """Where two requests differ, at most MOST fields, in the order method, path, query, body."""
    return list(islice(_differences(recorded, asked), MOST))


def _differences(recorded: Request, asked: Request) -> Iterator[Difference]:
    if recorded.method != asked.method:
        yield _difference("method", recorded.method, asked.method)
    _, recorded_path, recorded_query = split_target(recorded.target)
    _, asked_path, asked_query = split_target(asked.target)
    if recorded_path != asked_path:
        yield from _path_differences(recorded, recorded_path, asked, asked_path)
    if recorded_query != asked_query:
        yield from _pair_differences("query", recorded_query[1:], asked_query[1:])
    yield from _body_differences(recorded, asked)


def _path_differences(recorded: Request, left: bytes, asked: Request, right: bytes) -> Iterator[Difference]:
    operation, left_ids = find_operation(recorded.method, left)
    other, right_ids = find_operation(asked.method, right)
    if operation is not None and operation is other:
        for name, value in left_ids.items():
            if value != right_ids[name]:
                yield _difference(f"path:{name}", value, right_ids[name])
        return
    lefts, rights = left.split(b"/")[1:], right.split(b"/")[1:]
    if len(lefts) != len(rights):
        yield _difference("path", left, right)
        return
    for number, (segment, asked_segment) in enumerate(zip(lefts, rights, strict=True)):
        if segment != asked_segment:
            yield _difference(f"path[{number}]", segment, asked_segment)


def _pair_differences(kind: str, recorded: bytes, asked: bytes) -> Iterator[Difference]:
    left, right = _grouped(recorded), _grouped(asked)
    for name in left | right:
        if left.get(name) != right.get(name):
            values = (
                b", ".join(hide_query(value)[0] for value in side[name]) if name in side else None
                for side in (left, right)
            )
            yield _difference(f"{kind}:{clip(name, SHOWN)}", *values, secret=is_query_slot(name))


def _grouped(data: bytes) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in sorted(parse_pairs(data)):
        found.setdefault(name, []).append(value)
    return found


def _body_differences(recorded: Request, asked: Request) -> Iterator[Difference]:
    if recorded.body.length > LARGEST or asked.body.length > LARGEST:
        if recorded.body.length != asked.body.length:
            yield Difference("body", f"{recorded.body.length} bytes", f"{asked.body.length} bytes")
        elif _digest(recorded) != _digest(asked):
            yield Difference("body", f"{recorded.body.length} bytes", "as many bytes, but others")
        return
    left_kind, left = _read_body(recorded)
    right_kind, right = _read_body(asked)
    if left_kind != right_kind and recorded.body == asked.body:
        yield _difference("header:content-type", _content_type(recorded), _content_type(asked))
    elif left_kind != right_kind or left_kind == RAW:
        if recorded.body != asked.body:
            yield _unnamed_difference("body", recorded.body.read() or None, asked.body.read() or None)
    elif left_kind == JSON:
        yield from _value_differences("$", left, right)
    elif left_kind == MULTIPART:
        yield from _part_differences(parse_multipart(*_form(recorded)), parse_multipart(*_form(asked)))
    elif left != right:
        fields = list(_pair_differences("form", recorded.body.read(), asked.body.read()))
        yield from fields or [_difference("body", *(hide_query(side.body.read())[0] for side in (recorded, asked)))]


def _read_body(request: Request) -> tuple[bytes, object]:
    """The kind of a body as its key counts it; of JSON also the value, of all else the canonical bytes."""
    data = request.body.read()
    kind, form = canonical_body(data, _content_type(request) or b"")
    return kind, (parse_json(data) if data else {}) if kind == JSON else form


def _form(request: Request) -> tuple[bytes, bytes]:
    return request.body.read(), _content_type(request) or b""


def _content_type(request: Request) -> bytes | None:
    return next((value for name, value in request.headers if name.lower() == b"content-type"), None)


def _digest(request: Request) -> bytes:
    digest = hashlib.blake2b()
    for piece in request.body.pieces():
        digest.update(piece)
    return digest.digest()


def _value_differences(
    path: str, left: object, right: object, levels: int = 32, *, secret: bool = False
) -> Iterator[Difference]:
    if levels and isinstance(left, dict) and isinstance(right, dict):
        for name in left | right:
            step = f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{clip(json.dumps(name), SHOWN)}]"
            yield from _value_differences(
                path + step[:SHOWN],
                left.get(name, _ABSENT),
                right.get(name, _ABSENT),
                levels - 1,
                secret=secret or is_field_slot(name),
            )
    elif levels and isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip_longest(left, right, fillvalue=_ABSENT)):
            yield from _value_differences(f"{path}[{number}]", one, other, levels - 1, secret=secret)
    elif not _equal(left, right):
        yield _difference(path, _spelled(left), _spelled(right), secret=secret)


def _equal(left: object, right: object) -> bool:
    if left is _ABSENT or right is _ABSENT:
        return False
    return canonical_json(left) == canonical_json(right)


def _spelled(value: object) -> str | None:
    if value is _ABSENT:
        return None
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = ((name, _HIDDEN if is_field_slot(name) else _spelled(item)) for name, item in sorted(value.items()))
        return "{" + ", ".join(f"{json.dumps(name)}: {item}" for name, item in items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(_spelled(item)) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _part_differences(left: list[Part], right: list[Part]) -> Iterator[Difference]:
    for number, (one, other) in enumerate(zip_longest(left, right)):
        if one is None or other is None:
            values = (b"a part named " + (part.name or b"nothing") if part else None for part in (one, other))
            yield _difference(f"part[{number}]", *values)
            continue
        for name, value, asked in zip(Part._fields, one, other, strict=True):
            if value == asked:
                continue
            if name == "data":
                secret = any(is_query_slot(part.name or b"") for part in (one, other))
                yield _unnamed_difference(f"part[{number}].data", one.data, other.data, secret=secret)
            else:
                yield _difference(f"part[{number}].{name}", value, asked)


def _unnamed_difference(field: str, recorded: bytes | None, asked: bytes | None, *, secret: bool = False) -> Difference:
    """Of bytes without fields: hidden too where the name of a secret stands shortly before what would be shown."""
    at = _parting(recorded or b"", asked or b"") if recorded and asked else 0
    window = slice(max(0, at - _LOOKED_BACK), at + 8 * SHOWN)
    sides = (side[window] for side in (recorded, asked) if side)
    secret = secret or any(is_query_slot(match[1][:256]) for side in sides for match in _ASSIGNED.finditer(side))
    return _difference(field, recorded, asked, secret=secret)


def _difference(
    field: str, recorded: str | bytes | None, asked: str | bytes | None, *, secret: bool = False
) -> Difference:
    """Values are shown from shortly before the place where they part; those of a `secret` field are not shown."""
    if secret:
        return Difference(field, *(None if side is None else _HIDDEN for side in (recorded, asked)))
    left, right = _text(recorded), _text(asked)
    start = 0
    if left is not None and right is not None and max(len(left), len(right)) > SHOWN:
        start = max(0, _parting(left, right) - SHOWN // 3)
    return Difference(field, *(None if text is None else _shown(text, start) for text in (left, right)))


def _parting(left: str | bytes, right: str | bytes) -> int:
    """The place from which two texts differ."""
    common = (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b)
    return next(common, min(len(left), len(right)))


def _shown(text: str, start: int) -> str:
    return ("…" if start else "") + clip(text[start:], SHOWN)


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
