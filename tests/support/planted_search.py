"""A search for planted secrets in whatever a program wrote: each in every spelling, in texts of any number and size.

What a text says in events, in base64 or percent-encoded is made plain first (`said`); what is left is searched for the secret
itself, for its base64 at each of three places, percent-encoded and as JSON may spell it.
"""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from planted import core
from respool.cassettes.interaction import Interaction

_RUN = re.compile(rb"[A-Za-z0-9+/=_%.~\\-]{10,}")


def said(call: Interaction) -> bytes:
    """All that a call holds, also percent-decoded, joined from events, and decoded from base64."""
    answer = call.response.body.read()
    text = b"\n".join((call.request.target, call.request.body.read(), answer, repr(call).encode()))
    text += unquote_to_bytes(text)
    text += b"".join(re.findall(rb'"value": "((?:[^"\\]|\\.)*)"', answer.replace(b"unrelated ", b"")))
    text += b"".join(re.findall(rb'"arguments": "((?:[^"\\]|\\.)*)"', answer))
    for run in re.findall(rb"[A-Za-z0-9+/]{36,}", text):
        text += base64.b64decode(run + b"=" * (-len(run) % 4)) if len(run) % 4 != 1 else b""
    return text


def spellings(secret: str) -> set[bytes]:
    """What would give the secret away."""
    plain = core(secret)
    found = {plain, plain.replace(b"/", b"\\/"), quote(plain, safe="").encode(), quote(plain).lower().encode()}
    for before, begin in ((0, 0), (1, 2), (2, 3)):
        inner = base64.b64encode(bytes(before) + plain)[begin : (before + len(plain)) * 4 // 3]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def words_of(texts: Iterable[bytes]) -> bytes:
    """Each word of `texts` that is long enough to hold a secret, once."""
    runs: set[bytes] = set()
    for text in texts:
        runs.update(_RUN.findall(text))
    return b"\n".join(runs)


def found_in(texts: Iterable[bytes], secrets: Iterable[str]) -> list[bytes]:
    """The spellings of `secrets` that stand in `texts`."""
    words = words_of(texts)
    return sorted({spelling for secret in secrets for spelling in spellings(secret) if spelling in words})
