"""What a value beside a telling name looks like: as if it was drawn by lot, more than a word, spelled in escapes.

No more of a value is looked at than its beginning, so that many names before one long value cost no more than their number.
"""

import re
from functools import lru_cache

from ..vocabulary import COUNT

SHORTEST_WORD = 12
"""Signs of a value that can look as if it was drawn by lot."""
NEAR = 128
_SAMPLE = 1024
"""Bytes of a value that tell whether it was drawn by lot."""
_WORD = re.compile(rb"(?:[A-Za-z0-9+/=_.~-]++|\\{1,7}/|%[0-9A-Fa-f]{2})++")
_TURN = re.compile(rb"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[0-9]|(?<=[0-9])[A-Za-z]")
_HEX = re.compile(rb"[0-9a-fA-F]{32,}+")
_MIXED = re.compile(rb"(?=[^0-9]*+[0-9]|[^!@#$^*]*+[!@#$^*]++[A-Za-z])[^A-Za-z]*+[A-Za-z]")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_CODE = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)++")
"""An attribute of an object, in a program."""


def is_drawn_by_lot(data: bytes, begin: int, end: int) -> bool:
    """Whether a value looks as if it was drawn by lot: one word, of many turns between digits and letters, small and large."""
    if end - begin < SHORTEST_WORD or not _WORD.fullmatch(data, begin, end):
        return False
    value = data[begin:end]
    if value.isdigit() and COUNT.fullmatch(value):
        return False
    value = value[:_SAMPLE]
    if _HEX.fullmatch(value):
        return len(set(value)) > 6
    return len(_TURN.findall(value)) >= max(3, len(value) // 7) and len(set(value)) * 3 > min(len(value), 48)


def is_more_than_a_word(data: bytes, begin: int, end: int) -> bool:
    """Whether a short value is more than a word: a letter and a digit or a sign in it, and no name in a program.

    One that is percent-encoded is looked at as it reads (`respelled`).
    """
    value = data[begin : min(end, begin + NEAR)]
    return (
        len(value) > 5
        and _MIXED.match(value) is not None
        and _CODE.fullmatch(value) is None
        and not is_percent_encoded(value, 0, len(value))
    )


def is_percent_encoded(data: bytes, begin: int, end: int) -> bool:
    """Whether there is an escape of percent-encoding near the beginning of a value."""
    end = min(end, begin + NEAR)
    return data.find(b"%", begin, end) >= 0 and _PERCENT.search(data, begin, end) is not None


@lru_cache(maxsize=4096)
def kind_of(name: bytes) -> str:
    """The kind of what stands beside a name, for its pseudonym."""
    if b"passw" in name or b"pwd" in name or b"passphrase" in name:
        return "password"
    if b"aws" in name or b"secretaccess" in name or b"secret_access" in name:
        return "aws"
    return "token" if b"token" in name or b"jwt" in name else "secret"
