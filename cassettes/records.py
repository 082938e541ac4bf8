"""What a record says: interactions and notes as maps of named fields, each field's type checked on the way in.

The arrival, times, duration and variant of an interaction stand in its summary and nowhere else. Fields that this version
does not know are kept in `Interaction.extra` and written back.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from .codec import check_plain, decode_fields, decode_map, encode_map
from .errors import CassetteError
from .format import MAX_PAYLOAD, MAX_RATIO
from .interaction import EMPTY, BlobRef, Body, End, Headers, Interaction, Request, Response, open_form
from .summary import PARTIAL, Summary

DIGEST_SIZE = 16
MAX_MARKS = 1 << 16
"""A stream that came in more pieces has neighbouring ones joined, so that its pace stays and its record is small."""
MAX_REPEATED = 512 << 20
"""A body that is longer is at most MAX_RATIO times as long as its distinct pieces: a small file is no endless body."""
_FEW_PARTS = MAX_REPEATED // MAX_PAYLOAD
_MAX_NUMBER = (1 << 63) - 1
_MAX_TEXT = 64 << 10
_ENDS = tuple(End)
_INTEGERS = frozenset({int})
_OpenRef, _OpenRequest, _OpenResponse, _OpenInteraction = map(open_form, (BlobRef, Request, Response, Interaction))
_KNOWN = frozenset(
    {
        "method",
        "target",
        "headers",
        "body",
        "coding",
        "status",
        "reason",
        "response_headers",
        "response_body",
        "response_coding",
        "head_us",
        "marks",
        "end",
        "scope",
        "session",
    }
)

StoredBody = bytes | list[bytes | list[bytes | int]]


def digest_of(data: bytes | memoryview) -> bytes:
    """The name under which a body piece stands in a cassette."""
    return blake2b(data, digest_size=DIGEST_SIZE).digest()


def stored_body(parts: Sequence[bytes | BlobRef]) -> StoredBody:
    """The field of a body: its bytes, or an array of bytes and [digest, length] pairs.

    Raises CassetteError for one that a reader would refuse.
    """
    _refuse_endless(parts)
    if not parts:
        return b""
    if len(parts) == 1 and isinstance(parts[0], bytes):
        return parts[0]
    return [part if isinstance(part, bytes) else [part.digest, part.length] for part in parts]


def encode_interaction(interaction: Interaction, body: StoredBody, response_body: StoredBody) -> bytes:
    """The msgpack map of an interaction whose bodies were stored as given.

    Raises CassetteError for what a reader would refuse: too big, or a number out of range.
    """
    request, response = interaction.request, interaction.response
    fields: dict[str, Any] = {"method": _clean(request.method, "method"), "target": request.target}
    if request.headers:
        fields["headers"] = request.headers
    if body:
        fields["body"] = body
    if request.coding:
        fields["coding"] = _clean(request.coding, "coding")
    if response is not None:
        fields["status"] = _number(response.status, "status", 65_535)
        if response.reason:
            fields["reason"] = response.reason
        if response.headers:
            fields["response_headers"] = response.headers
        if response_body:
            fields["response_body"] = response_body
        if response.coding:
            fields["response_coding"] = _clean(response.coding, "response_coding")
        if response.head_us:
            fields["head_us"] = _number(response.head_us, "head_us")
        if response.marks:
            fields["marks"] = _flat(response.marks)
    if interaction.end:
        fields["end"] = int(interaction.end)
    if interaction.scope:
        fields["scope"] = _clean(interaction.scope, "scope")
    if interaction.session:
        fields["session"] = _clean(interaction.session, "session")
    if interaction.extra:
        extra = {key: value for key, value in interaction.extra.items() if key not in _KNOWN}
        check_plain(extra)
        fields.update(extra)
    return encode_map(fields)


def decode_interaction(data: bytes, summary: Summary, load: Callable[[BlobRef], bytes]) -> Interaction:
    """The interaction in `data`; body pieces are fetched with `load` when they are read.

    Raises CassetteError for a field of the wrong type or size, whoever wrote it.
    """
    fields = decode_fields(data)
    take = fields.pop
    request = _OpenRequest()
    request.method = _text(take("method", None), "method")
    request.target = _bytes(take("target", None), "target")
    request.headers = _headers(take("headers", ()), "headers")
    request.body = _body(take("body", b""), "body", load)
    request.coding = _text(take("coding", ""), "coding")
    request.__class__ = Request
    response = None
    if "status" in fields:
        response = _OpenResponse()
        response.status = _number(take("status"), "status", 65_535)
        response.reason = _bytes(take("reason", b""), "reason")
        response.headers = _headers(take("response_headers", ()), "response_headers")
        response.body = _body(take("response_body", b""), "response_body", load)
        response.coding = _text(take("response_coding", ""), "response_coding")
        response.head_us = _number(take("head_us", 0), "head_us")
        response.marks = _marks(take("marks", ()))
        response.__class__ = Response
    call = _OpenInteraction()
    end = _number(take("end", 0), "end")
    call.scope = _text(take("scope", ""), "scope")
    call.session = _text(take("session", ""), "session")
    if end >= len(_ENDS):
        raise CassetteError(f"the field `end` is {end}, which this version does not know", "upgrade respool")
    if fields:
        whole = decode_map(data)
        fields = {name: whole[name] for name in fields}
        check_plain(fields)
        if stray := _KNOWN & fields.keys():
            raise CassetteError(f"the fields {sorted(stray)} describe a response, and there is no status")
    call.arrival = summary.arrival
    call.started_us = summary.started_us
    call.request = request
    call.response = response
    call.end = _ENDS[end]
    call.duration_us = summary.duration_us
    call.variant = summary.variant
    call.request_cut = bool(summary.flags & PARTIAL)
    call.extra = fields
    call.__class__ = Interaction
    return call


def decode_bodies(data: bytes, load: Callable[[BlobRef], bytes]) -> tuple[Body, ...]:
    """The bodies alone, of an interaction's map: of the request, and of the answer where there is one."""
    fields = decode_fields(data)
    names = ("body", "response_body") if "status" in fields else ("body",)
    return tuple(_body(fields.get(name, b""), name, load) for name in names)


def scope_name(data: bytes) -> str:
    """The `scope` field alone, of an interaction's map."""
    return _text(decode_fields(data).get("scope", ""), "scope")


def encode_meta(meta: dict[str, Any]) -> bytes:
    """The msgpack map of a cassette's notes: plain data under text keys."""
    check_plain(meta)
    return encode_map(meta)


def decode_meta(data: bytes) -> dict[str, Any]:
    meta = decode_map(data)
    check_plain(meta)
    return meta


def _clean(text: str, field: str) -> str:
    """`text` with lone surrogates, which UTF-8 has no form for, turned to `?`."""
    return _text(text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8"), field)


def _flat(marks: tuple[tuple[int, int], ...]) -> list[int]:
    if len(marks) > MAX_MARKS:
        step = -(-len(marks) // MAX_MARKS)
        groups = (marks[at : at + step] for at in range(0, len(marks), step))
        marks = tuple((sum(length for length, _ in group), group[-1][1]) for group in groups)
    flat = [number for mark in marks for number in mark]
    _number(min(flat), "marks")
    _number(max(flat), "marks")
    return flat


def _wrong(field: str, value: object, wanted: str) -> CassetteError:
    what = "missing" if value is None else f"of type {type(value).__name__}"
    return CassetteError(f"the field `{field}` is {what} or out of range; it should be {wanted}")


def _text(value: object, field: str) -> str:
    if type(value) is not str or len(value) > _MAX_TEXT:
        raise _wrong(field, value, f"text of at most {_MAX_TEXT:,} characters")
    return value


def _bytes(value: object, field: str) -> bytes:
    if type(value) is not bytes:
        raise _wrong(field, value, "bytes")
    return value


def _number(value: object, field: str, most: int = _MAX_NUMBER) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _wrong(field, value, f"a number from 0 to {most:,}")
    return value


def _headers(value: Any, field: str) -> Headers:
    if type(value) is tuple:
        try:
            for line in value:
                if type(line) is not tuple:
                    break
                name, said = line
                if type(name) is not bytes or type(said) is not bytes:
                    break
            else:
                return value
        except ValueError:
            pass  # a line of one part, or of three
    raise _wrong(field, value, "an array of [name, value], both bytes")


def _body(value: object, field: str, load: Callable[[BlobRef], bytes]) -> Body:
    if type(value) is bytes:
        return Body((value,), load) if value else EMPTY
    if type(value) is not tuple:
        raise _wrong(field, value, "bytes, or an array of bytes and [digest, length]")
    parts: list[bytes | BlobRef] = []
    for part in value:
        if type(part) is bytes:
            parts.append(part)
        elif type(part) is tuple and len(part) == 2 and type(part[0]) is bytes and len(part[0]) == DIGEST_SIZE:
            ref = _OpenRef()
            ref.digest, ref.length = part[0], _number(part[1], field, MAX_PAYLOAD)
            ref.__class__ = BlobRef
            parts.append(ref)
        else:
            raise _wrong(field, part, "bytes, or an array of bytes and [digest, length]")
    if len(parts) > _FEW_PARTS:
        _refuse_endless(parts)
    return Body(tuple(parts), load)


def _refuse_endless(parts: Sequence[bytes | BlobRef]) -> None:
    length = sum(len(part) if isinstance(part, bytes) else part.length for part in parts)
    if length > MAX_REPEATED:
        distinct = {part if isinstance(part, bytes) else part.digest: part for part in parts}.values()
        if length > MAX_RATIO * sum(len(part) if isinstance(part, bytes) else part.length for part in distinct):
            raise CassetteError(f"a body of {length:,} bytes repeats a few pieces again and again; that is not stored")


def _marks(value: object) -> tuple[tuple[int, int], ...]:
    if value == ():
        return ()
    if type(value) is not tuple:
        raise _wrong("marks", value, "an array of lengths and times in turn")
    if len(value) % 2:
        raise _wrong("marks", value, "an array of lengths and times in turn")
    if not (_INTEGERS.issuperset(map(type, value)) and min(value) >= 0 and max(value) <= _MAX_NUMBER):
        raise _wrong("marks", value, "an array of lengths and times in turn")
    return tuple(zip(value[::2], value[1::2], strict=True))
