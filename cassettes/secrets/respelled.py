"""A text as it reads when its escapes are undone, and where each place of that stands in the text itself.

Undone are percent-encoding, the `\\u00XX` of JSON and the entities of HTML, in one another too, up to ROUNDS deep. So
`%22password%22`, `sk\\u002dproj` and `&quot;token&quot;` are looked at as what they say. What a rule finds there is a place of
the text as it stands.
"""

import re
from array import array
from bisect import bisect_right
from typing import NamedTuple

ROUNDS = 3
_ESCAPE = re.compile(
    rb"%([2-7][0-9A-Fa-f])|\\{1,7}u00([2-7][0-9A-Fa-f])|&(quot|apos|amp|#[0-9]{2,3}|#x[2-7][0-9A-Fa-f]);"
)
_LEFT_ALONE = re.compile(rb"(?:\\{1,7}u00(?:26|27|3[CcEe])|&amp;)")
"""Spelled so by many programs, to be safe in a page: on its own no reason to look twice."""
_ENTITIES = {b"quot": b'"', b"apos": b"'", b"amp": b"&"}


class Respelled(NamedTuple):
    """`layers` has for each round where its escapes stand in what was read, and how much longer they were by then."""

    text: bytes
    layers: "list[tuple[array[int], array[int]]]"

    def place(self, at: int) -> int:
        """Where the byte at `at` of the text begins in the original."""
        for ends, longer in reversed(self.layers):
            number = bisect_right(ends, at)
            at += longer[number - 1] if number else 0
        return at


def is_respelled(data: bytes) -> bool:
    """Whether a text has escapes that may hide a secret."""
    if not (b"%" in data or b"&" in data or (b"\\" in data and b"\\u00" in data)):
        return False
    return any(_LEFT_ALONE.fullmatch(match[0]) is None for match in _ESCAPE.finditer(data))


def respelled(data: bytes) -> Respelled | None:
    """The text with its escapes undone; None where it has none."""
    if not is_respelled(data):
        return None
    layers = []
    text = data
    for _ in range(ROUNDS):
        text, layer = _undone(text)
        layers.append(layer)
        if not is_respelled(text):
            break
    return Respelled(text, layers)


def _undone(data: bytes) -> "tuple[bytes, tuple[array[int], array[int]]]":
    pieces: list[bytes] = []
    ends, longer = array("q"), array("q")
    done = change = 0
    for match in _ESCAPE.finditer(data):
        start, end = match.span()
        pieces += data[done:start], _sign(match)
        done = end
        change += end - start - 1
        ends.append(end - change)
        longer.append(change)
    pieces.append(data[done:])
    return b"".join(pieces), (ends, longer)


def _sign(match: "re.Match[bytes]") -> bytes:
    digits = match[1] or match[2]
    if digits:
        return bytes([int(digits, 16)])
    entity = match[3]
    if entity in _ENTITIES:
        return _ENTITIES[entity]
    code = int(entity[2:], 16) if entity[1:2] == b"x" else int(entity[1:])
    return bytes([code]) if code < 128 else b" "
