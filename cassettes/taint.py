"""Known values, in each spelling that they may have elsewhere: as they are, in JSON, percent-encoded, in base64.

Only what can be told from ordinary text is looked for: long enough, no id of the API, no word of its vocabulary, no number.
"""

import json
import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import quote_from_bytes, quote_plus

from .scrubber import REPLACEMENT
from .vocabulary import API_ID, COUNT, VOCABULARY

SHORTEST_TAINT = 8
"""Bytes. A shorter value would be found by chance in what has nothing to do with it."""


def needles(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Each secret that can be told from ordinary text, in each spelling that it may have elsewhere."""
    return _spelled(secrets) if sum(map(len, secrets)) <= 4096 else _spelled.__wrapped__(secrets)


@lru_cache(maxsize=256)
def _spelled(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    found: set[bytes] = set()
    for secret in secrets:
        if _tells(secret):
            found |= _spellings(secret)
    return longest_first(found)


def longest_first(needles: set[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(needles, key=lambda needle: (-len(needle), needle)))


_PLAIN = re.compile(rb"[A-Za-z0-9_.-]+")
"""What JSON and percent-encoding leave as it is."""
_NEVER_BARE = re.compile(r"[\"&'+<>`\x7f]")


def _spellings(secret: bytes) -> set[bytes]:
    found = {secret, *_in_base64(secret)}
    if _PLAIN.fullmatch(secret):
        return found
    text = secret.decode("utf-8", "surrogateescape")
    ascii_json = json.dumps(text)[1:-1]
    readable = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape")
    # Go writes `\u0026` and `\u003c` where others write the sign, .NET `\u002B` too, and its digits in capitals.
    markup = re.sub("[&<>]", _escape, ascii_json)
    wary = _NEVER_BARE.sub(_escape, ascii_json.replace('\\"', '"'))
    in_json = {ascii_json, markup, wary, re.sub(r"\\u[0-9a-f]{4}", lambda digits: "\\u" + digits[0][2:].upper(), wary)}
    found |= {readable, *(each.encode("ascii") for each in in_json)}
    found |= {each.replace(b"/", b"\\/") for each in (readable, ascii_json.encode("ascii"))}
    # RFC 3986, Python's `quote`, JavaScript's `encodeURIComponent` and a form.
    quoted = [quote_from_bytes(secret, safe) for safe in ("", "/", "!'()*")] + [quote_plus(secret)]
    for each in quoted:
        lower = re.sub("%..", lambda digits: digits[0].lower(), each)
        found |= {each.encode("ascii"), lower.encode("ascii")}
    return found


def _escape(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def _in_base64(secret: bytes) -> set[bytes]:
    """What is sure to stand in the base64 of any text that holds the secret: it begins at one of three places."""
    found: set[bytes] = set()
    for before, begin in ((0, 0), (1, 2), (2, 3)):
        inner = b64encode(bytes(before) + secret)[begin : (before + len(secret)) * 4 // 3]
        if len(inner) >= SHORTEST_TAINT:
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def _tells(value: bytes) -> bool:
    """Whether a slot's value can be told from ordinary text: long enough, no id, no common word, no mere number."""
    return (
        len(value) >= SHORTEST_TAINT
        and value.lower() not in VOCABULARY
        and value != REPLACEMENT
        and not API_ID.fullmatch(value)
        and not COUNT.fullmatch(value)
    )
