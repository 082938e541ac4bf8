"""Values that stand beside a name that tells: members of JSON at any depth, pairs of forms, fields in parts, assignments.

All of it is read in the raw bytes, so that JSON inside a string of JSON, whose quotes carry backslashes, is read the same way. A
name that can mean nothing else (`password`, `client_secret`, `api_key`) gives its value away whatever it is; one that often means
something else (`token`, `session`, `..._key`) only a value that looks as if it was drawn by lot. The time grows with the length.
"""

import re
from typing import NamedTuple

from ..slots import is_field_slot
from ..vocabulary import API_ID, COUNT, VOCABULARY

STEMS = (
    b"passw", b"passphrase", b"pwd", b"secret", b"token", b"key", b"auth", b"credential", b"signature", b"cookie", b"session",
    b"bearer", b"jwt", b"assertion",
)  # fmt: skip
"""In small letters: one of them stands in every telling name."""

_STRONG = re.compile(
    rb"passw|passphrase|pwd|secret|credential|(?:api|access|private|account|subscription)[-_.]?key(?:$|[^a-z])|authorization$"
    rb"|(?:auth|access|refresh|id|bearer|session|security)[-_.]?token$"
)
_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_NAME = 64
_SPACE = rb"(?:[ \t\r\n]|\\{1,7}[nrt]){0,12}"
_MEMBER = re.compile(
    rb"[A-Za-z0-9_.-]{0,64}(\\{0,15})(?:\""
    + _SPACE
    + rb":"
    + _SPACE
    + rb"(\\{0,15})\"|'"
    + _SPACE
    + rb":"
    + _SPACE
    + rb"')"
)
_PART = re.compile(rb"[A-Za-z0-9_.-]{0,64}\"?(?:\r\n[^\r\n]{0,200}){0,4}\r\n\r\n([^\r\n]{1,8192})")
_PAIR = re.compile(rb"[A-Za-z0-9_.-]{0,64}=([^&\s\"'<>\\]{1,4096})")
_ASSIGNED = re.compile(
    rb"[A-Za-z0-9_.-]{0,64}[\"']?[ \t]{0,4}(?:=>|[:=]|%3[DdAa])[ \t]{0,4}\\{0,3}[\"']?(?:(?:Bearer|Basic|Token) +)?"
    rb"([A-Za-z0-9+/=_.~!@#$^*%-]{4,1024})"
)
_WORD = re.compile(rb"(?:[A-Za-z0-9+/=_.~-]|\\{1,7}/|%[0-9A-Fa-f]{2}){8,1024}")
_LONGEST_VALUE = 65_536
_TURN = re.compile(rb"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[0-9]|(?<=[0-9])[A-Za-z]")
_HEX = re.compile(rb"[0-9a-fA-F]{32,128}")
_EMPTY = re.compile(rb"[^A-Za-z0-9]*|[<$%{\[*].*|your[-_ ].*|x{3,}.*", re.DOTALL | re.IGNORECASE)
"""What stands for a value that is not given: `${API_KEY}`, `<your key>`, `****`."""
PUT_IN = re.compile(rb"REDACTED|rsp_[a-z0-9]{2,20}_[a-z2-7]{16}")


class Span(NamedTuple):
    """Where a secret stands, what kind it is, and the rule that found it."""

    start: int
    end: int
    kind: str
    rule: str


def holds_stem(low: bytes) -> bool:
    """Whether a text, in small letters, may hold a telling name with a value."""
    for stem in STEMS:  # noqa: SIM110  # a generator would cost as much as the searches
        if stem in low and (stem != b"token" or low.count(b"token") > low.count(b'tokens":')):
            return True
    return False


def named(
    data: bytes, low: bytes, *, allowed: frozenset[bytes] = frozenset(), more: frozenset[bytes] = frozenset()
) -> list[Span]:
    """The values beside telling names. `allowed` and `more`: names in small letters that tell nothing, and that tell besides."""
    found: list[Span] = []
    for stem in (*STEMS, *more):
        place = low.find(stem)
        done = 0
        while place >= 0:
            begin = max(place - _LONGEST_NAME, done)
            start = begin + len(low[begin:place].rstrip(_NAME))
            tail = low[place : place + _LONGEST_NAME]
            end = place + len(tail) - len(tail.lstrip(_NAME))
            name = low[start:end]
            span = None
            if name not in allowed:
                if name in more:
                    span = _beside(data, start, place, strong=True, name=name)
                elif is_field_slot(name.decode("ascii")) and name not in _NO_NAMES:
                    span = _beside(data, start, place, strong=_STRONG.search(name) is not None, name=name)
            if span is not None:
                found.append(span)
            done = max(end, span.end if span is not None else 0)
            place = low.find(stem, done)
    return found


_NO_NAMES = frozenset({b"auth", b"session.created", b"session.updated"})


def _beside(data: bytes, start: int, place: int, *, strong: bool, name: bytes) -> Span | None:
    begin, end, sure = _value(data, start, place)
    if begin >= end:
        return None
    value = data[begin:end]
    plain = value.strip().lower()
    if PUT_IN.fullmatch(value) or plain in VOCABULARY or API_ID.fullmatch(value) or _EMPTY.fullmatch(value[:256]):
        return None
    if (strong and sure) or looks_random(value):
        return Span(begin, end, _kind(name), "telling-name")
    return None


def _value(data: bytes, start: int, place: int) -> tuple[int, int, bool]:
    """Where the value beside the name stands, and whether it is one for sure, not just what a sentence goes on with."""
    member = _MEMBER.match(data, place)
    if member is not None:
        return member.end(), _closing(data, member), True
    if start == 0 or data[start - 1] in b"&?;":
        pair = _PAIR.match(data, place)
        if pair is not None:
            return *pair.span(1), True
    if start and data[start - 1] == 34:
        part = _PART.match(data, place)
        if part is not None:
            return *part.span(1), True
    assigned = _ASSIGNED.match(data, place)
    if assigned is not None:
        word = data[place : assigned.start(1)]
        begin, end = assigned.span(1)
        return begin, end, b"=" in word and b"pass" in word.lower()
    return 0, 0, False


def _closing(data: bytes, member: "re.Match[bytes]") -> int:
    """Where the string ends that begins behind a member's name: at a quote with as many backslashes as opened it."""
    begin = member.end()
    quote = data[begin - 1 : begin]
    depth = len(member[2] or b"")
    last = min(len(data), begin + _LONGEST_VALUE)
    place = data.find(quote, begin, last)
    while place >= 0:
        inner = data[begin:place]
        slashes = len(inner) - len(inner.rstrip(b"\\")) if inner.endswith(b"\\") else 0
        # One backslash more than it takes stands for the value's own, escaped: an odd remainder escapes the quote.
        if slashes <= depth or (depth == 0 and slashes % 2 == 0):
            return place - min(slashes, depth)
        place = data.find(quote, place + 1, last)
    return last


def looks_random(value: bytes) -> bool:
    """Whether a value looks as if it was drawn by lot: one word, of many turns between digits and letters, small and large."""
    if len(value) < 12 or COUNT.fullmatch(value) or not _WORD.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(set(value)) > 6
    return len(_TURN.findall(value)) >= max(3, len(value) // 7) and len(set(value)) * 3 > min(len(value), 48)


def _kind(name: bytes) -> str:
    if b"passw" in name or b"pwd" in name or b"passphrase" in name:
        return "password"
    if b"aws" in name or b"secretaccess" in name or b"secret_access" in name:
        return "aws"
    return "token" if b"token" in name or b"jwt" in name else "secret"
