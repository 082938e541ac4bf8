"""The canonical form of a request body: equal for two bodies exactly when a server could not tell them apart.

JSON: key order, escapes and white space do not count; numbers count by their exact decimal value (`1`, `1.0` and `1e0`
are one); strings count by code point; arrays are ordered. What is not plain JSON (RFC 8259: duplicate keys, NaN,
invalid UTF-8), nests too deep or holds too long a number counts by its bytes, since readers differ on what it means; so
does what is longer than `limit_of` its type, since reading it takes time. A form's boundary or percent-encoding does not
count. An empty body is `{}`, because clients send either.
"""

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

DEEPEST = 128
"""Levels of nesting. Fixed, since the interpreter's own limit depends on who calls."""
LONGEST_NUMBER = 4300
"""Digits of a number, as in the interpreter's own limit."""
MOST_PARTS = 10_000
LARGEST = 1 << 20
"""Bytes of JSON, or of a percent-encoded form, that are read: it is done while other calls wait."""
LARGEST_MULTIPART = 16 << 20

JSON = b"json"
MULTIPART = b"multipart"
FORM = b"form"
RAW = b"raw"

_PARAMETER = re.compile(rb'[ \t]*;[ \t]*([A-Za-z0-9_*.-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t;"]*))', re.DOTALL)
_HEADER_LIMIT = 16 * 1024


class NotPlainError(ValueError):
    """The body is not what its type says, or not in a form with one meaning only."""


class Number(str):
    """A JSON number as it was spelled."""

    __slots__ = ()


class Part(NamedTuple):
    """One part of a multipart form. `None`: the part has no such parameter or header."""

    name: bytes | None
    filename: bytes | None
    content_type: bytes | None
    data: bytes


class Kept(Protocol):
    """What of a body counts: `rules.Rules` says it."""

    def keep_json(self, value: object) -> object: ...
    def keep_fields(self, pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]: ...
    def keep_parts(self, parts: list[Part]) -> list[Part]: ...


def canonical_body(data: bytes, content_type: bytes = b"", rules: Kept | None = None) -> tuple[bytes, bytes]:
    """The kind of a body (JSON, MULTIPART, FORM, RAW) and its canonical bytes. `content_type` is the header's value.

    With `rules`, without what they ignore in a body.
    """
    if not data:
        return JSON, b"{}"
    kind = kind_of(content_type)
    if len(data) > limit_of(content_type):
        return RAW, data
    try:
        if kind == b"multipart/form-data":
            parts = parse_multipart(data, content_type)
            return MULTIPART, _canonical_parts(rules.keep_parts(parts) if rules else parts)
        if kind == b"application/x-www-form-urlencoded":
            pairs = parse_pairs(data)
            pairs = rules.keep_fields(pairs) if rules else pairs
            return FORM, b"".join(_framed(name) + _framed(value) for name, value in pairs)
        if may_be_json(kind):
            value = without_defaults(parse_json(data))
            return JSON, canonical_json(rules.keep_json(value) if rules else value)
    except NotPlainError:
        pass
    return RAW, data


def limit_of(content_type: bytes) -> int:
    """The bytes that a body of this type (the header's value) may have to be read; 0 when its bytes count anyway."""
    kind = kind_of(content_type)
    if kind == b"multipart/form-data":
        return LARGEST_MULTIPART
    return LARGEST if kind == b"application/x-www-form-urlencoded" or may_be_json(kind) else 0


def kind_of(content_type: bytes) -> bytes:
    """The media type that the header names, in small letters and without its parameters."""
    return content_type.partition(b";")[0].strip().lower()


def may_be_json(media_type: bytes) -> bool:
    """Whether a body of this media type is looked at as JSON: when it says so, or when it says nothing of use."""
    return (
        media_type in (b"", b"application/json", b"application/octet-stream")
        or media_type.endswith(b"+json")
        or b"/" not in media_type
    )


def parse_json(data: bytes) -> object:
    """Read plain JSON: dicts, lists, strings, `Number`s, True, False, None. Raises NotPlainError.

    A byte order mark is passed over.
    """
    try:
        return _DECODER.decode(data.decode("utf-8-sig"))
    except NotPlainError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotPlainError(str(error)) from None


def without_defaults(value: object) -> object:
    """What `parse_json` read, without a `stream` that only says the default: Python's SDK says false, Node's says nothing.

    The API has it nullable and off by default, wherever it is taken (createRun, createThreadAndRun, submitToolOuputsToRun).
    """
    if isinstance(value, dict) and "stream" in value and value["stream"] in (False, None):
        return {name: member for name, member in value.items() if name != "stream"}
    return value


def canonical_json(value: object) -> bytes:
    """Write what `parse_json` read in its one canonical spelling (ASCII).

    Raises NotPlainError when it is too deep or a number is too long.
    """
    out: list[str] = []
    _write(value, out.append, DEEPEST)
    return "".join(out).encode("ascii")


def canonical_number(text: str) -> str:
    """The one spelling of a JSON number: its digits without zeros at either end, and a power of ten.

    Raises NotPlainError when it is too long.
    """
    if len(text) > LONGEST_NUMBER:
        raise NotPlainError("a number has too many digits")
    if text.isdigit() and text[0] != "0":
        short = text.rstrip("0")
        return f"{short}e{len(text) - len(short)}"
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    sign = "-" if whole.startswith("-") else ""
    digits = (whole.lstrip("-") + fraction).lstrip("0")
    if not digits:
        return "0"
    short = digits.rstrip("0")
    power = int(exponent or "0") - len(fraction) + len(digits) - len(short)
    return f"{sign}{short}e{power}"


def parse_pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    """The pairs of a query or a form, in order, decoded; empty pieces are left out and blank values kept."""
    pairs: list[tuple[bytes, bytes]] = []
    for piece in data.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def parse_multipart(data: bytes, content_type: bytes) -> list[Part]:
    """The parts of a multipart/form-data body (RFC 7578), in order. Raises NotPlainError when it is malformed."""
    before, *pieces = (b"\r\n" + data).split(delimiter_of(content_type), MOST_PARTS + 1)
    if before or not pieces or not re.fullmatch(rb"--[ \t]*(?:\r\n)*", pieces.pop()):
        raise NotPlainError("the form does not begin or end with its boundary")
    return [_part(piece) for piece in pieces]


def delimiter_of(content_type: bytes) -> bytes:
    """What stands before each part of a multipart body, and at its end, the line break included. Raises NotPlainError."""
    boundary = _parameters(content_type.partition(b";")).get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise NotPlainError("the form names no boundary")
    return b"\r\n--" + boundary


def _part(piece: bytes) -> Part:
    padding, _, rest = piece.partition(b"\r\n")
    head, blank, data = rest.partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not blank or len(head) > _HEADER_LIMIT:
        raise NotPlainError("a part of the form has no head")
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or name.lower() in fields:
            raise NotPlainError("a part of the form has a malformed head")
        fields[name.lower()] = value.strip()
    disposition = fields.get(b"content-disposition", b"").partition(b";")
    if disposition[0].strip().lower() != b"form-data":
        raise NotPlainError("a part of the form is not form-data")
    parameters = _parameters(disposition)
    filename = parameters.get(b"filename*", parameters.get(b"filename"))
    return Part(parameters.get(b"name"), filename, fields.get(b"content-type"), data)


def _parameters(split: tuple[bytes, bytes, bytes]) -> dict[bytes, bytes]:
    """The parameters of a header value that was split at its first semicolon."""
    text = split[1] + split[2]
    found: dict[bytes, bytes] = {}
    place = 0
    while match := _PARAMETER.match(text, place):
        name = match[1].lower()
        if name in found:
            raise NotPlainError("a parameter stands twice")
        found[name] = re.sub(rb"\\(.)", rb"\1", match[2], flags=re.DOTALL) if match[2] is not None else match[3]
        place = match.end()
    if text[place:].strip(b" \t;"):
        raise NotPlainError("malformed parameters")
    return found


def _canonical_parts(parts: list[Part]) -> bytes:
    return b"".join(b"".join(b"-" if field is None else b"+" + _framed(field) for field in part) for part in parts)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def _constant(text: str) -> object:
    raise NotPlainError(f"{text} is not JSON")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotPlainError("a key stands twice")
    return members


class _Remembered(dict[str, str]):
    """What `make` made of short numbers: in long lists the same ones come again and again."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> str:
        made = self._make(text)
        if len(text) <= 8:
            if len(self) >= 8192:
                self.clear()
            self[text] = made
        return made


_DECODER = json.JSONDecoder(
    parse_float=Number,
    parse_int=_Remembered(Number).__getitem__,
    parse_constant=_constant,
    object_pairs_hook=_members,
)


def _write(value: object, emit: Callable[[str], None], levels: int) -> None:
    if isinstance(value, Number):
        emit(canonical_number(value))
    elif isinstance(value, str):
        emit(encode_basestring_ascii(value))
    elif value is True:
        emit("true")
    elif value is False:
        emit("false")
    elif value is None:
        emit("null")
    elif levels == 0:
        raise NotPlainError("nested too deep")
    elif isinstance(value, dict):
        emit("{")
        for name in sorted(value):
            emit(encode_basestring_ascii(name))
            emit(":")
            _write(value[name], emit, levels - 1)
            emit(",")
        emit("}")
    elif isinstance(value, list):
        emit("[")
        # Long lists are mostly of one type: then the elements need no call each.
        kinds = set(map(type, value)) if len(value) > _LONG else ()
        if len(kinds) == 1 and (spell := _SPELLERS.get(*kinds)) is not None:
            emit(",".join(map(spell, value)))
            emit(",")
        else:
            for element in value:
                _write(element, emit, levels - 1)
                emit(",")
        emit("]")
    else:
        raise TypeError(f"not a JSON value: {type(value).__name__}")


_LONG = 16
_SPELLERS: dict[type, Callable[[str], str]] = {
    Number: _Remembered(canonical_number).__getitem__,
    str: encode_basestring_ascii,
}
