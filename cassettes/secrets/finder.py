"""Where secrets stand in a text, and that text with something else in their place.

`find` looks for the shapes of the table, for values beside telling names, for both in what base64 says, and for what a policy
adds. One cheap test goes first: an ordinary body costs a few searches and no more. The time grows with the length of the text.
"""

import binascii
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from .policy import PLAIN, Policy
from .table import GATE, PLAIN_MARKERS, RULES
from .telling import PUT_IN, Span, holds_stem, named

Replacer = Callable[[str, bytes], bytes]
"""Gives what stands in place of a secret of this kind."""

PLACEHOLDER = b"REDACTED"
SMALL = 4096
"""Bytes of a text whose spans are remembered: polls tell the same thing again and again."""


class Edit(NamedTuple):
    """A place of a text and what is to stand there."""

    start: int
    end: int
    text: bytes


def hide(kind: str, value: bytes) -> bytes:
    """What stands for every secret where no pseudonym is wanted, and in the canonical form that keys are made of."""
    return PLACEHOLDER


def find(data: bytes, policy: Policy = PLAIN) -> tuple[Span, ...]:
    """Where secrets stand in `data`, in order and apart."""
    if not data:
        return ()
    return _find(data, policy) if len(data) <= SMALL else _find.__wrapped__(data, policy)


@lru_cache(maxsize=2048)
def _find(data: bytes, policy: Policy) -> tuple[Span, ...]:
    spans = _shapes(data, policy)
    low = data.lower()
    if holds_stem(low) or policy.names:
        spans += named(data, low, allowed=policy.allowed_names, more=policy.names)
    spans += policy.found(data)
    if _LONG_RUN in data.translate(_RUNS):
        spans += _in_base64(data, policy)
    return _apart(span for span in spans if not policy.allows(span, data)) if spans else ()


def _shapes(data: bytes, policy: Policy) -> list[Span]:
    found: list[Span] = []
    if GATE.search(data) is None and not any(marker in data for marker in PLAIN_MARKERS):
        return found
    for rule in RULES:
        for marker in rule.markers:
            place = data.find(marker)
            while place >= 0:
                match = rule.pattern.match(data, place - rule.back) if place >= rule.back else None
                behind = place + len(marker)
                if match is not None:
                    start, end = match.span(match.lastindex or 0)
                    value = data[start:end]
                    if not PUT_IN.fullmatch(value) and not (rule.mixed and not _mixed(value)):
                        found.append(Span(start, end, rule.kind, rule.name))
                        behind = max(behind, match.end())
                place = data.find(marker, behind)
    return found


_DIGIT = re.compile(rb"[0-9]")
_LETTER = re.compile(rb"[A-Za-z]")


def _mixed(value: bytes) -> bool:
    return _DIGIT.search(value) is not None and _LETTER.search(value, 3) is not None


_RUNS = bytes(65 if chr(code) in "+/_-" or (code < 128 and chr(code).isalnum()) else 32 for code in range(256))
_LONG_RUN = b"A" * 36
_RUN = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{36,}+={0,2}")
_SLIDE = 65_536
"""Bytes of a run of base64 that is read from each of four places: a word may stand before it with nothing between."""


def _in_base64(data: bytes, policy: Policy) -> list[Span]:
    found: list[Span] = []
    for match in _RUN.finditer(data):
        start, end = match.span()
        for begin in range(start, start + (4 if end - start <= _SLIDE else 1)):
            said = _decoded(data[begin:end])
            if said and find_flat(said, policy):
                found.append(Span(begin, end, "base64", "base64"))
                break
    return found


def find_flat(data: bytes, policy: Policy) -> tuple[Span, ...]:
    """As `find`, without looking into base64."""
    low = data.lower()
    spans = _shapes(data, policy)
    if holds_stem(low) or policy.names:
        spans += named(data, low, allowed=policy.allowed_names, more=policy.names)
    spans += policy.found(data)
    return _apart(span for span in spans if not policy.allows(span, data))


def _decoded(run: bytes) -> bytes:
    text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order; of those that overlap one, of the kind of the first, that covers all."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.rule == "telling-name", -span.end)):
        if apart and span.start < apart[-1].end:
            apart[-1] = apart[-1]._replace(end=max(apart[-1].end, span.end))
        else:
            apart.append(span)
    return tuple(apart)


def edits_of(data: bytes, spans: Iterable[Span], policy: Policy, replacer: Replacer) -> list[Edit]:
    """What is to be done at each span."""
    return [Edit(start, end, _text(kind, data[start:end], policy, replacer)) for start, end, kind, _ in spans]


def _text(kind: str, value: bytes, policy: Policy, replacer: Replacer) -> bytes:
    if kind != "base64":
        return replacer(kind, value)
    said = _decoded(value)
    said = edited(said, edits_of(said, find_flat(said, policy), policy, replacer))
    if replacer is hide:
        return b64encode(said).rstrip(b"=")  # a key is made of it: how it was spelled does not count
    coded = b64encode(said, b"-_" if b"-" in value or b"_" in value else None)
    return coded if value.endswith(b"=") else coded.rstrip(b"=")


def edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    """`data` after edits that are in order and apart."""
    out: list[bytes] = []
    done = 0
    for start, end, text in edits:
        out += data[done:start], text
        done = end
    out.append(data[done:])
    return b"".join(out)


def clean(data: bytes, policy: Policy | None, replacer: Replacer = hide) -> bytes:
    """`data` with each secret replaced. Without a policy it is left alone."""
    spans = find(data, policy) if policy is not None else ()
    return edited(data, edits_of(data, spans, policy, replacer)) if spans and policy is not None else data


def canonical(data: bytes, policy: Policy | None) -> bytes:
    """The form that a key is made of: every secret, and every pseudonym of one, is the same word."""
    if policy is None:
        return data
    data = clean(data, policy)
    if b"rsp_" in data:
        data = PUT_IN.sub(PLACEHOLDER, data)
    return _canonical_base64(data) if b"cnNwX" in data or b"JzcF" in data or b"yc3Bf" in data else data


def _canonical_base64(data: bytes) -> bytes:
    """Pseudonyms in what base64 says, too: `rsp_` begins at one of three places of a group."""
    edits: list[Edit] = []
    for match in _RUN.finditer(data):
        start, end = match.span()
        for begin in range(start, start + 4):
            said = _decoded(data[begin:end])
            if PUT_IN.search(said):
                edits.append(Edit(begin, end, b64encode(PUT_IN.sub(PLACEHOLDER, said)).rstrip(b"=")))
                break
    return edited(data, edits)
