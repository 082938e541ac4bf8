"""A long HAR, entry by entry: where each entry stands in the bytes, and what is left without them.

What a browser saves is often longer than what is held as values at once. Nothing is decoded here, and no more is found than
strings, brackets and braces: each piece is read as JSON of its own by whoever gets it, and so is the rest.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
"""A string that never ends is one to the end of the file, so that nothing is looked at twice."""
_BETWEEN = re.compile(rb"\s*:\s*")
_WAY = (b'"log"', b'"entries"')
"""The names that lead to the list, one at each depth."""
_LIST = len(_WAY) + 1
"""How deep a list stands open whose items are entries."""
MOST_ENTRIES = 1 << 18
"""More than an import takes."""


class Pieces(NamedTuple):
    """`entries`: where each of them begins and ends. `rest`: the file with an empty list in their place."""

    entries: list[tuple[int, int]]
    rest: bytes


def pieces_of(data: bytes) -> Pieces | None:
    """The pieces of a HAR; None where the bytes have no list of entries that ends, or one too long."""
    start = end = 0
    found: list[tuple[int, int]] = []
    for kind, begin, finish in _within(data):
        if kind == b"[":
            start = finish
        elif kind == b"]":
            end = begin
            break
        else:
            found.append((begin, finish))
            if len(found) > MOST_ENTRIES:
                return None
    return Pieces(found, data[:start] + data[end:]) if end else None


def _within(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The opening bracket of the list, each object in it, and the bracket that closes it, with their places."""
    depth = reached = 0  # how many brackets are open; how many of them lead to the list
    name, name_end, begin = b"", 0, 0
    for token in _TOKEN.finditer(data):
        at, finish = token.span()
        sign = data[at : at + 1]
        if sign == b'"':
            name, name_end = (token[0], finish) if finish - at <= len(_WAY[-1]) else (b"", 0)
        elif sign in b"{[":
            wanted = b"[" if depth == _LIST - 1 else b"{"
            on_way = reached == depth and sign == wanted and _leads(data, depth, name, name_end, at)
            depth += 1
            reached += on_way
            if on_way and reached == _LIST:
                yield b"[", at, finish
            elif depth == _LIST + 1 and reached == _LIST:
                begin = at
        else:
            depth -= 1
            if depth == _LIST and reached == _LIST:
                yield b"{", begin, finish
            elif depth < reached:
                if reached == _LIST:
                    yield b"]", at, finish
                reached = depth


def _leads(data: bytes, depth: int, name: bytes, name_end: int, at: int) -> bool:
    """Whether what opens here is the top, or stands under the next name on the way to the list."""
    if depth == 0:
        return True
    return depth < _LIST and name == _WAY[depth - 1] and _BETWEEN.fullmatch(data, name_end, at) is not None
