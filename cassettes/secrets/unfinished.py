"""The first half of a secret, at the end of a text that was cut there: too short for its rule, and most of a key all the same.

A client that leaves, or an upstream that breaks off, ends a text anywhere. What begins there as a secret does, and goes on to the
end, is taken for one; so is the beginning of a known value. Only the last word of a text is looked at.
"""

import re
from collections.abc import Callable, Iterable

from ..scrubber import REPLACEMENT
from .makers import MAKERS
from .policy import Policy
from .rule import APART
from .table import RULES
from .telling import PUT_IN, Span
from .values import is_drawn_by_lot

SHORTEST = 8
"""Bytes of a beginning that is worth hiding: behind a marker, or of a known value."""
LONGEST = 4096
_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.~-"
_KINDS = {
    marker: rule for rule in RULES for marker in rule.markers if rule.example.startswith(rule.markers) and not rule.back
}
"""The rules whose secrets begin with a marker."""
_BEGUN = re.compile(
    APART
    + b"("
    + b"|".join(map(re.escape, sorted(_KINDS, key=lambda marker: -len(marker))))
    + rb")(?=[^0-9]*+[0-9])[A-Za-z0-9+/=_.~-]{%d,}+\Z" % SHORTEST
)
_OF_MAKERS = frozenset(rule.name for rule in MAKERS)
_LONG_RUN = re.compile(rb"[A-Za-z0-9+/=]{16,}+")
"""What a beginning by one of the many marks of makers has behind it; some are no longer than a syllable: `re_2026_report`."""
_IN_URL = re.compile(
    rb"://(?:[^\s/?#\"'<>\\@:]*+:(?=[^0-9]*+[0-9])(?=[0-9]*+[^0-9])([^\s/?#\"'<>\\@]{%d,}+)|(?=[^0-9]*+[0-9])([A-Za-z0-9_~%%-]{16,}+))\Z"
    % SHORTEST
)
"""A password, or a token, whose `@` did not come; a port has digits alone, and the name of a host has points."""
_LOT = re.compile(APART + rb"[A-Za-z0-9+/]{32,88}+\Z")
"""Most of a key of which only the end says whose it is (Azure's, of 44 to 88 letters). A digest has no two sizes."""


def unfinished(text: bytes, policy: Policy | None, taint: Iterable[bytes]) -> list[Span]:
    """The beginning of a secret that `text` ends with, if there is one. `taint`: known values."""
    tail = text[-LONGEST:]
    before = len(text) - len(tail)
    known = max((_begun_by(value, tail) for value in taint), default=0)
    if known:
        return [Span(len(text) - known, len(text), "", "taint")]
    if policy is None:
        return []
    word = len(tail.rstrip(_SIGNS))
    # What stands before the word tells whether one begins there.
    match = _BEGUN.search(tail, word)
    if match is not None and _KINDS[match[1]].name in _OF_MAKERS and _LONG_RUN.match(tail, match.end(1)) is None:
        match = None
    if match is not None:
        start, rule = match.start(1), _KINDS[match[1]]
        kind, name = rule.kind, rule.name
    else:
        match = _IN_URL.search(tail, max(tail.rfind(b"://"), 0))
        if match is not None:
            start, kind, name = match.start(match.lastindex or 0), "url", "url-password"
        else:
            match = _LOT.search(tail, word)
            if match is None or not is_drawn_by_lot(tail, match.start(), len(tail)):
                return []
            if match[0] in (match[0].lower(), match[0].upper()):
                return []
            start, kind, name = match.start(), "azure", "azure-key"
    span = Span(before + start, len(text), kind, name)
    return [] if PUT_IN.fullmatch(tail, start) or policy.allows(span, text) else [span]


def _begun_by(value: bytes, tail: bytes) -> int:
    """How many bytes of a known value's beginning a text ends with; 0 for few."""
    least = value[:SHORTEST]
    at = tail.rfind(least) if len(least) == SHORTEST else -1
    return len(tail) - at if at >= 0 and value.startswith(tail[at:]) else 0


def shown_for(span: Span, text: bytes, replacer: Callable[[str, bytes], bytes]) -> bytes:
    """What stands in its place."""
    return replacer(span.kind, text[span.start : span.end]) if span.kind else REPLACEMENT
