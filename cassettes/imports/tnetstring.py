"""Tagged netstrings, as mitmproxy writes them, read as hostile bytes into the same nodes as YAML and JSON.

`LENGTH:BYTES TAG`, where TAG is `,` bytes, `;` text, `#` whole number, `^` number, `!` true or false, `~` nothing, `]` a list
and `}` a map, which hold such values again. A length is held against what encloses it before anything is read. Numbers stay
text. Depth, and values in each one at the top, are capped. Lines are not known; errors tell the byte.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

from ..errors import CassetteError
from .fields import BARE, Node

DEEPEST = 32
MOST_VALUES = 200_000
"""In one value at the top. A flow has some 200."""

START = re.compile(rb"(?:0|[1-9][0-9]{0,11}):")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_NO_NUMBERS = ("nan", "inf", "-inf")
_LONGEST_NUMBER = 64
_HINT = "Only whole files as mitmproxy writes them (`mitmdump -w FILE`) can be imported."


def read(data: bytes, file: str) -> Iterator[Node]:
    """Yield the values that stand one after the other. Raises CassetteError at the first place that is none."""
    at = 0
    while at < len(data):
        node, at = _Reader(data, file).value(at, len(data), 1)
        yield node


class _Reader:
    """Reads one value at the top."""

    def __init__(self, data: bytes, file: str) -> None:
        self._data = data
        self._file = file
        self._values = 0

    def _refuse(self, at: int, problem: str) -> NoReturn:
        raise CassetteError(f"{self._file}: byte {at:,}: {problem}", _HINT)

    def value(self, at: int, end: int, depth: int) -> tuple[Node, int]:
        """The value that begins at `at` and ends before `end`, and where it ends."""
        self._values += 1
        if depth > DEEPEST or self._values > MOST_VALUES:
            self._refuse(at, f"nested deeper than {DEEPEST}, or more than {MOST_VALUES:,} values in one flow")
        match = START.match(self._data, at, end)
        if match is None:
            self._refuse(at, "a length is expected here")
        start, length = match.end(), int(match[0][:-1])
        stop = start + length
        if stop >= end:
            self._refuse(at, f"a value of {length:,} bytes is announced, and {end - start:,} follow: the file was cut")
        tag = self._data[stop : stop + 1]
        if tag == b"]":
            return Node(list(self._values_in(start, stop, depth))), stop + 1
        if tag == b"}":
            return Node(self._map(start, stop, depth)), stop + 1
        return self._scalar(tag, start, stop), stop + 1

    def _values_in(self, at: int, end: int, depth: int) -> Iterator[Node]:
        while at < end:
            node, at = self.value(at, end, depth + 1)
            yield node

    def _map(self, at: int, end: int, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        values = self._values_in(at, end, depth)
        for key in values:
            name, value = key.value, next(values, None)
            if isinstance(name, bytes):
                name = name.decode("utf-8", "replace")
            if not isinstance(name, str) or value is None or name in found:
                self._refuse(at, "a map whose names are no text, stand twice or have no value")
            found[name] = value
        return found

    def _scalar(self, tag: bytes, start: int, stop: int) -> Node:
        if tag == b",":
            return Node(self._data[start:stop])
        if tag == b";":
            return Node(self._text(start, stop))
        word = self._data[start : min(stop, start + _LONGEST_NUMBER + 1)].decode("latin-1")
        if tag == b"~" and not word:
            return Node(None)
        truth = tag == b"!" and word in {"true", "false"}
        number = tag in {b"#", b"^"} and len(word) <= _LONGEST_NUMBER
        if not truth and not (number and (_NUMBER.fullmatch(word) or word in _NO_NUMBERS)):
            self._refuse(stop, "a value whose tag is none, or does not fit it")
        return Node(word, tag=BARE)

    def _text(self, start: int, stop: int) -> str:
        try:
            return self._data[start:stop].decode("utf-8")
        except UnicodeDecodeError:
            self._refuse(start, "a text that is not UTF-8")
