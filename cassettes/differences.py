"""Where two requests differ, field by field, in words fit to be shown.

A field is named as a rule would name it: `method`, `path:thread_id`, `path[2]`, `query:limit`, `$.metadata.trace_id`,
`form:name`, `part[0].filename`, `body`. The value of a field whose name says that it is secret is hidden. What does not
count for a key is no difference. A list whose elements stand in another order is one difference, and one element more or
less is named as that. Work is bounded: no more than MOST differences are found, and bodies above LARGEST
bytes are compared by length and bytes only.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, zip_longest
from typing import NamedTuple
from unicodedata import normalize

from .canonical import (
    FORM,
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
    without_defaults,
)
from .interaction import Body, Request
from .operations import find_operation, split_target
from .places import ABSENT, LONGEST_RULE, SHOWN, Place, aligned
from .rules import NO_RULES, Pairs, Rules
from .secrets.finder import one_word, unified
from .slots import PLACEHOLDER, hide_query, is_field_slot, is_header_slot, is_query_slot
from .text import clip, safe
from .volatile import is_volatile

MOST = 50
LARGEST = 1024 * 1024
ALIGNED = 4
"""Levels of lists within which an element more or less, or another order, is told."""
_HIDDEN = PLACEHOLDER.decode("ascii")
_KINDS = {JSON: "JSON", MULTIPART: "multipart", FORM: "a form", RAW: "bytes without a known form"}
_ASSIGNED = re.compile(rb"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)[\\\"']{0,2}\s{0,4}[:=>\r\n]")
"""A name before its value, in JSON, forms, multipart heads and plain text."""
_LOOKED_BACK = 8192
"""Bytes before the place where two bodies part, in which a name is looked for."""


class Difference(NamedTuple):
    """One field that differs. `None`: this side does not have it. Values are shortened and safe to show.

    `note` says what the two values do not show by themselves. `rule` is the ignore rule that leaves the field out, where
    that is sensible (see `volatile`).
    """

    field: str
    recorded: str | None
    asked: str | None
    note: str = ""
    rule: str = ""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{self.field}: recorded {self.recorded or 'nothing'}, asked {self.asked or 'nothing'}{note}"


def differences(recorded: Request, asked: Request, rules: Rules = NO_RULES) -> list[Difference]:
    """Where two requests differ, at most MOST fields, in the order method, path, query, headers that count, body.

    What stands in place of a secret counts as one word: whose pseudonym it is makes no difference. Where nothing else differs,
    its class does.
    """
    for word in (one_word, partial(unified, policy=rules.policy)):
        found = list(islice(_differences(_with(word, recorded), _with(word, asked), rules), MOST))
        if found:
            return found
    return []


def _with(word: Callable[[bytes], bytes], request: Request) -> Request:
    data = request.body.read() if request.body.at_hand else b""
    body = Body.of(word(data)) if b"rsp_" in data else request.body
    return Request(request.method, word(request.target), request.headers, body, request.coding)


def _differences(recorded: Request, asked: Request, rules: Rules) -> Iterator[Difference]:
    if recorded.method != asked.method:
        yield _difference("method", recorded.method, asked.method)
    _, recorded_path, recorded_query = split_target(recorded.target)
    _, asked_path, asked_query = split_target(asked.target)
    if recorded_path != asked_path:
        yield from _path_differences(recorded, recorded_path, asked, asked_path)
    if recorded_query != asked_query:
        sides = (rules.keep_pairs(parse_pairs(query[1:])) for query in (recorded_query, asked_query))
        yield from _pair_differences("query", *sides)
    for name in rules.matched:
        values = [[value.strip() for each, value in side.headers if each.lower() == name] for side in (recorded, asked)]
        if values[0] != values[1]:
            sides = (b", ".join(side) if side else None for side in values)
            yield _difference(f"header:{name.decode()}", *sides, secret=is_header_slot(name))
    yield from _body_differences(recorded, asked, rules)


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


def _pair_differences(kind: str, recorded: Pairs, asked: Pairs) -> Iterator[Difference]:
    left, right = _grouped(recorded), _grouped(asked)
    for name in left | right:
        if left.get(name) != right.get(name):
            values = (
                b", ".join(hide_query(value)[0] for value in side[name]) if name in side else None
                for side in (left, right)
            )
            found = _difference(f"{kind}:{clip(name, SHOWN)}", *values, secret=is_query_slot(name))
            each = [value for side in (left, right) for value in side.get(name, [])]
            yield found._replace(rule=_named_rule("query" if kind == "query" else "multipart", name, each))


def _grouped(pairs: Pairs) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in sorted(pairs):
        found.setdefault(name, []).append(value)
    return found


def _body_differences(recorded: Request, asked: Request, every: Rules) -> Iterator[Difference]:
    if recorded.body.length > LARGEST or asked.body.length > LARGEST:
        if recorded.body.length != asked.body.length:
            yield Difference("body", f"{recorded.body.length} bytes", f"{asked.body.length} bytes")
        elif _digest(recorded) != _digest(asked):
            yield Difference("body", f"{recorded.body.length} bytes", "as many bytes, but others")
        return
    rules = every.for_body_of(recorded.method)
    left_kind, left = _read_body(recorded, rules)
    right_kind, right = _read_body(asked, rules)
    if left_kind != right_kind and recorded.body == asked.body:
        yield _difference("header:content-type", _content_type(recorded), _content_type(asked))
    elif left_kind != right_kind or left_kind == RAW:
        if recorded.body != asked.body:
            found = _unnamed_difference("body", recorded.body.read() or None, asked.body.read() or None)
            kinds = [_KINDS[kind] for kind in (left_kind, right_kind)]
            note = f"recorded as {kinds[0]}, asked as {kinds[1]}" if left_kind != right_kind else found.note
            yield found._replace(note=note)
    elif left_kind == JSON:
        yield from _value_differences(Place("$", "$", ()), left, right)
    elif left_kind == MULTIPART:
        forms = [parse_multipart(*_form(side)) for side in (recorded, asked)]
        yield from _part_differences(*([rules.keep_parts(form) for form in forms] if rules else forms))
    elif left != right:
        sides = [parse_pairs(side.body.read()) for side in (recorded, asked)]
        fields = list(_pair_differences("form", *([rules.keep_fields(side) for side in sides] if rules else sides)))
        yield from fields or [_difference("body", *(hide_query(side.body.read())[0] for side in (recorded, asked)))]


def _read_body(request: Request, rules: Rules | None) -> tuple[bytes, object]:
    """The kind of a body as its key counts it; of JSON also the value, of all else the canonical bytes."""
    data = request.body.read()
    kind, form = canonical_body(data, _content_type(request) or b"", rules)
    if kind != JSON:
        return kind, form
    value = without_defaults(parse_json(data)) if data else {}
    return kind, rules.keep_json(value) if rules else value


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
    place: Place, left: object, right: object, levels: int = 32, *, secret: bool = False, lists: int = ALIGNED
) -> Iterator[Difference]:
    if levels and isinstance(left, dict) and isinstance(right, dict):
        for name in left | right:
            yield from _value_differences(
                place.member(name),
                left.get(name, ABSENT),
                right.get(name, ABSENT),
                levels - 1,
                secret=secret or is_field_slot(name),
                lists=lists,
            )
    elif levels and isinstance(left, list) and isinstance(right, list):
        pairs = list(enumerate(zip_longest(left, right, fillvalue=ABSENT)))
        if lists:
            forms = [[canonical_json(item) for item in side] for side in (left, right)]
            if forms[0] != forms[1] and sorted(forms[0]) == sorted(forms[1]):
                found = _difference(place.shown, _spelled(left), _spelled(right), secret=secret)
                yield found._replace(note="the same elements in another order")
                return
            pairs = aligned(left, right, *forms)
        for number, (one, other) in pairs:
            inner = place.element(number)
            yield from _value_differences(inner, one, other, levels - 1, secret=secret, lists=max(lists - 1, 0))
    elif not _equal(left, right):
        found = _difference(place.shown, _spelled(left), _spelled(right), secret=secret)
        values = [side for side in (left, right) if side is not ABSENT]
        told = place.rule and not secret and all(isinstance(value, str) for value in values)
        if told and is_volatile(place.names, [str(value) for value in values]):
            found = found._replace(rule=place.rule)
        yield found


def _equal(left: object, right: object) -> bool:
    if left is ABSENT or right is ABSENT:
        return False
    return canonical_json(left) == canonical_json(right)


def _spelled(value: object) -> str | None:
    if value is ABSENT:
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
        secret = any(is_query_slot(part.name or b"") for part in (one, other))
        for name, value, asked in zip(Part._fields, one, other, strict=True):
            if value == asked:
                continue
            if name == "data":
                found = _unnamed_difference(f"part[{number}].data", one.data, other.data, secret=secret)
            else:
                found = _difference(f"part[{number}].{name}", value, asked)
            if one.name and one.name == other.name and name != "content_type" and not secret:
                each = [side for side in (value, asked) if side is not None]
                found = found._replace(rule=_named_rule("multipart", one.name, each))
            yield found


def _named_rule(kind: str, name: bytes, values: list[bytes]) -> str:
    """The rule that leaves out what has this name in a query or a form; empty where that is not sensible."""
    try:
        word = name[:LONGEST_RULE].decode("utf-8")
        texts = [value[:LONGEST_RULE].decode("utf-8") for value in values]
    except UnicodeDecodeError:
        return ""
    plain = len(name) < LONGEST_RULE and word == safe(word) and not is_query_slot(name)
    return f"{kind}:{word}" if plain and is_volatile((word,), texts) else ""


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
        return Difference(field, None if recorded is None else _HIDDEN, None if asked is None else _HIDDEN)
    left, right = _text(recorded), _text(asked)
    start = 0
    if left is not None and right is not None and max(len(left), len(right)) > SHOWN:
        start = max(0, _parting(left, right) - SHOWN // 3)
    note = "" if left is None or right is None else _look_alike(left, right)
    shown = [None if text is None else _shown(text, start) for text in (left, right)]
    return Difference(field, shown[0], shown[1], note)


def _look_alike(left: str, right: str) -> str:
    """The characters at which two texts part, where they may look the same: one of them is not ASCII."""
    at = _parting(left, right)
    if max(at, len(left) - at, len(right) - at) > LARGEST or at >= min(len(left), len(right)):
        return ""
    one, other = left[at], right[at]
    if one.isascii() and other.isascii():
        return ""
    if len(left) == len(right) or normalize("NFKC", left) == normalize("NFKC", right):
        return f"they part at U+{ord(one):04X} and U+{ord(other):04X}"
    return ""


def _parting(left: str | bytes, right: str | bytes) -> int:
    """The place from which two texts differ."""
    common = (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b)
    return next(common, min(len(left), len(right)))


def _shown(text: str, start: int) -> str:
    return ("…" if start else "") + clip(text[start:], SHOWN)


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
