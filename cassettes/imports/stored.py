"""What respool itself exported, read back without loss: JSON Lines whole, and the `_respool` fields of its HAR.

The forms are those of `exports/fields.py`. They are read as any foreign file: each field by name and kind, nothing is
believed that a cassette could not hold, and credentials are taken out again.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from ..codec import check_plain, decode_map
from ..coding import undoable
from ..errors import CassetteError
from ..interaction import Body, End, Headers, Interaction, Request, Response
from .fields import Field
from .wire import Exchange, header_lines, method_of, status_of

NAME = "respool JSON Lines"
FORMAT = "respool-jsonl"
VERSION = "1"
MOST_NUMBER = (1 << 63) - 1
MOST_MARKS = 1 << 16

_TARGET = re.compile(rb"[^\x00-\x20\x7f]{1,65536}")
_ENDS = {end.name.lower(): end for end in End}


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of the cassette that it was exported from."""

    file_id: bytes
    meta: dict[str, Any]


def head_of(field: Field) -> Head:
    """The head of an export. Raises CassetteError for one of a version that is not known."""
    if (version := field.need("version").text()) != VERSION:
        field.fail(f"version {version[:20]!r} of respool's export is not known", "Upgrade respool.")
    try:
        file_id = bytes.fromhex(field.need("file_id").text())
    except ValueError:
        file_id = b""
    if len(file_id) != 16:
        field.fail("`file_id` is not 32 hexadecimal digits")
    meta = field.get("meta")
    return Head(file_id, {} if meta is None else _packed(meta))


def read(item: Field) -> Exchange:
    """One interaction of JSON Lines."""
    asked, answered = item.need("request"), item.get("response")
    request = Request(
        method_of(asked.need("method"), exact=True),
        target_of(asked.need("target")),
        pairs_of(asked),
        _body(asked.need("body")),
        coding_of(asked),
    )
    response = None
    if answered is not None:
        status, reason = status_of(answered.need("status"), answered.get("reason"))
        body, marks = _body(answered.need("body")), marks_of(answered)
        response = Response(
            status, reason, pairs_of(answered), body, coding_of(answered), number(answered, "head_us"), marks
        )
    return stored(item, "", request, response)


def stored(field: Field, origin: str, request: Request, response: Response | None) -> Exchange:
    """The exchange of an interaction whose circumstances `field` holds."""
    end = _ENDS.get(field.need("end").text())
    if end is None:
        field.fail("`end` is none that this version knows")
    key = field.get("key")
    if key is not None and not re.fullmatch("[0-9a-f]{16}", key.text()):
        key.fail("a key is 16 hexadecimal digits")
    extra = field.get("extra")
    interaction = Interaction(
        arrival=number(field, "arrival"),
        started_us=number(field, "started_us"),
        request=request,
        response=response,
        end=end,
        duration_us=number(field, "duration_us"),
        scope=_name(field, "scope"),
        session=_name(field, "session"),
        variant=number(field, "variant", 65_535),
        request_cut=field.has("request_cut") and field.need("request_cut").text() == "true",
        extra={} if extra is None else _packed(extra),
    )
    return Exchange(
        origin,
        request,
        response,
        interaction.started_us,
        recorded=True,
        stored=interaction,
        key=None if key is None else int(key.text(), 16),
    )


def coding_of(field: Field) -> str:
    kept = field.get("coding")
    name = "" if kept is None else kept.text()
    if name and undoable(name.encode("utf-8", "replace")) != name:
        field.fail("`coding` is none that can be made again")
    return name


def marks_of(field: Field) -> tuple[tuple[int, int], ...]:
    kept = field.get("marks")
    marks = [] if kept is None else list(kept.items())
    if len(marks) > MOST_MARKS:
        field.fail(f"more than {MOST_MARKS:,} marks")
    pairs: list[tuple[int, int]] = []
    for mark in marks:
        mark.allowance.spend(100, mark)
        numbers = [item.number(0, MOST_NUMBER) for item in mark.items()]
        if len(numbers) != 2:
            mark.fail("a mark is a length and a time")
        pairs.append((numbers[0], numbers[1]))
    return tuple(pairs)


def number(field: Field, name: str, most: int = MOST_NUMBER) -> int:
    kept = field.get(name)
    return 0 if kept is None else kept.number(0, most)


def target_of(field: Field) -> bytes:
    return _target(field, _latin(field))


def target_of_bytes(field: Field) -> bytes:
    return _target(field, field.data())


def _target(field: Field, target: bytes) -> bytes:
    if not _TARGET.fullmatch(target):
        field.fail("this is no target of a request line")
    return target


def data_of(field: Field) -> bytes:
    """The bytes that a text in base64 stands for."""
    try:
        return base64.b64decode(field.data(), validate=True)
    except (binascii.Error, ValueError):
        field.fail("this is not base64")


def pairs_of(field: Field) -> Headers:
    """Header lines that stand as pairs of a name and a value under `headers`."""
    kept = field.get("headers")
    lines: list[tuple[str, Field]] = []
    for line in kept.items() if kept is not None else ():
        pair = list(line.items())
        if len(pair) != 2:
            line.fail("a header line is a name and a value")
        lines.append((pair[0].text(), pair[1]))
    return header_lines(lines)


def _body(field: Field) -> Body:
    coded = field.get("base64")
    return Body.of(field.need("text").data() if coded is None else data_of(coded))


def _latin(field: Field) -> bytes:
    try:
        return field.text().encode("latin-1")
    except UnicodeEncodeError:
        field.fail("a character here is no byte")


def _name(field: Field, name: str) -> str:
    kept = field.get(name)
    text = "" if kept is None else kept.text()
    if len(text) > 1000:
        field.fail(f"`{name}` is longer than 1,000 characters")
    return text


def _packed(field: Field) -> dict[str, Any]:
    data = data_of(field)
    if not data:
        return {}
    try:
        values = decode_map(data)
        check_plain(values)
    except CassetteError as error:
        field.fail(error.message)
    return values
