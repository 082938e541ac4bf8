"""The plainest answer that an upstream gives, read by hand: whole, in one piece, with a length and nothing special.

Nearly every answer of the API but a stream is one. What is not, by the strict rules here, is `None` and goes to aiohttp's
parser from its first byte, so that this is a short cut and never another opinion.
"""

import re
from typing import NamedTuple

from ..cassettes.interaction import Headers
from .wire import BODILESS

MOST_LINES = 128
_HEAD = re.compile(
    # RFC 9112 sections 4 and 5, without what is obsolete: no folded lines, no bytes above ASCII, no bare line feeds.
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) ([\x20-\x7e]*+)\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
_LENGTH = re.compile(rb"[0-9]{1,9}")
_TELLING = frozenset({14, 17, 10, 7})
"""The lengths of the four names that are looked for below: most names need not be put in lower case."""


class Head(NamedTuple):
    """The head of an upstream's response. Header lines are exact."""

    status: int
    reason: bytes
    headers: Headers


class Reply(NamedTuple):
    """A whole answer."""

    head: Head
    body: bytes


def read_reply(data: bytes) -> Reply | None:
    """The answer, where `data` is exactly one that is plain; None where it is not, or is not all of it, or is more."""
    match = _HEAD.match(data)
    if match is None:
        return None
    status = int(match[1])
    if status in BODILESS:
        return None
    lines = match[3].split(b"\r\n", MOST_LINES + 1)
    if lines.pop():
        return None
    length = -1
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        headers.append((name, value))
        if len(name) in _TELLING:
            kind = name.lower()
            if kind == b"content-length":
                if length >= 0 or not _LENGTH.fullmatch(value):
                    return None
                length = int(value)
            elif kind in (b"transfer-encoding", b"upgrade") or (
                kind == b"connection" and value.lower() != b"keep-alive"
            ):
                return None
    if length < 0 or len(data) != match.end() + length:
        return None
    return Reply(Head(status, match[2], tuple(headers)), data[match.end() :])
