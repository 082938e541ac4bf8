"""Credentials in the path of a target: what stands in a segment behind one that is called `token`, `password` or the like.

A path names things, so that a segment goes only where it is more than a word: behind a password's name, if a digit or a sign is
in it; behind the others, if letters and digits take turns in it. What is long and drawn by lot, the rules find anywhere
(`path-token` in the table). Ids of the API stay, and so do versions, and words with a year.
"""

import re
from urllib.parse import unquote_to_bytes

from .scrubber import REPLACEMENT
from .secrets.values import is_more_than_a_word
from .vocabulary import API_ID

_PAIR = re.compile(
    rb"/(?:(passw(?:or)?ds?|pwd|passphrase|passcode)|(?:[a-z]{1,16}[-_])?tokens?|secrets?|api[-_]?keys?|access[-_]?keys?)"
    rb"(?:/|%2F)([^/?#%&;=]++(?:%(?!2F)[^/?#%&;=]++)*+)",
    re.IGNORECASE,
)
_TURN = re.compile(rb"(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]")
_PLAIN = re.compile(rb"[A-Za-z0-9_.~-]{8,64}")
_TURNS = 3
_PUT_IN = re.compile(rb"REDACTED|rsp_[a-z0-9_]++")
_SIGNS = re.compile(rb"[0-9!@$*+]")


def hide_path(path: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """A path without such segments, and what stood in them, as it came and decoded."""
    low = path.lower()
    if not (b"token" in low or b"pass" in low or b"secret" in low or b"key" in low or b"pwd" in low):
        return path, ()
    held: list[bytes] = []

    def hidden(match: "re.Match[bytes]") -> bytes:
        value = unquote_to_bytes(match[2])
        if not _tells(value, password=match[1] is not None):
            return match[0]
        held.extend((match[2], value))
        return match[0][: -len(match[2])] + REPLACEMENT

    return _PAIR.sub(hidden, path), tuple(held)


def _tells(value: bytes, *, password: bool) -> bool:
    if API_ID.fullmatch(value) or _PUT_IN.fullmatch(value):
        return False
    if password:
        return _SIGNS.search(value) is not None and is_more_than_a_word(value, 0, len(value))
    return _PLAIN.fullmatch(value) is not None and len(_TURN.findall(value)) >= _TURNS
