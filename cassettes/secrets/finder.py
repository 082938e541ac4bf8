"""Where secrets stand in a text, and that text with something else in their place.

`find` looks for the shapes of the table, for values beside telling names, for both in what base64 says, and for what a policy
adds. A quick look goes first (`sieve`), so that an ordinary body costs that and no more. The time grows with the length of the
text.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from .encoded import blocks
from .names import SHORT, may_tell
from .policy import PLAIN, Policy
from .respelled import respelled
from .shapes import shapes
from .sieve import Sieve
from .table import SINCE, TABLE_VERSION
from .telling import PUT_IN, Span, named

Replacer = Callable[[str, bytes], bytes]
"""Gives what stands in place of a secret of this kind."""

PLACEHOLDER = b"REDACTED"
SMALL = 4096
"""Bytes of a text whose spans are remembered, if the quick look cannot tell: polls tell the same thing again and again."""


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
    if not data or _sieve(policy).passes(data):
        return ()
    return _found(data, policy) if len(data) <= SMALL else find_once(data, policy)


def find_once(data: bytes, policy: Policy) -> tuple[Span, ...]:
    """As `find`, with no quick look, and nothing remembered."""
    spans = _plain(data, policy)
    for block in blocks(data, lines=policy.version > 1):
        for skipped, said in block.said():
            if find_flat(said, policy):
                spans.append(Span(block.start + skipped, block.end, "base64", "base64"))
                break
    return _allowed(spans, data, policy)


_found = lru_cache(maxsize=512)(find_once)
_sieve = lru_cache(maxsize=16)(Sieve)


def find_flat(data: bytes, policy: Policy) -> tuple[Span, ...]:
    """As `find`, without looking into base64."""
    return _allowed(_plain(data, policy), data, policy)


def _allowed(spans: list[Span], data: bytes, policy: Policy) -> tuple[Span, ...]:
    """What the user does not let stand, in order and apart."""
    if policy.allow:
        spans = [span for span in spans if not policy.allows(span, data)]
    return _apart(spans) if spans else ()


def _plain(data: bytes, policy: Policy) -> list[Span]:
    """What the rules find, without looking into base64: in the text as it stands, and as it reads when its escapes are undone."""
    spans = _as_it_stands(data, policy)
    read = respelled(data) if policy.version > 2 else None
    if read is not None:
        for start, end, kind, rule, _ in _as_it_stands(read.text, policy):
            spans.append(Span(read.place(start), read.place(end), kind, rule))
    return spans


def _as_it_stands(data: bytes, policy: Policy) -> list[Span]:
    spans = shapes(data)
    if policy.version < TABLE_VERSION:
        spans = [span for span in spans if SINCE[span.rule] <= policy.version]
    low = data.lower()
    if len(data) > SHORT or policy.names or may_tell(low):
        spans += named(data, low, allowed=policy.allowed_names, more=policy.names, version=policy.version)
    return spans + policy.found(data)


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
    return [Edit(span.start, span.end, _text(span, data, policy, replacer)) for span in spans]


def _text(span: Span, data: bytes, policy: Policy, replacer: Replacer) -> bytes:
    value = data[span.start : span.end]
    if span.kind != "base64":
        return span.quote + replacer(span.kind, value) + span.quote
    for block in blocks(value, lines=policy.version > 1):
        for skipped, said in block.said():
            inner = find_flat(said, policy)
            if inner:
                said = edited(said, edits_of(said, inner, policy, replacer))
                return (
                    _canonical_run(block.text[:skipped], said)
                    if replacer is as_class or replacer is hide
                    else block.spelled(skipped, said)
                )
    return value


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
    """The form that a key is made of: every secret of a class, and every pseudonym of one, is the same word."""
    if policy is None:
        return data
    data = clean(data, policy, word_of(policy))
    if b"rsp_" in data:
        data = unified(data, policy)
    return _canonical_base64(data, policy) if b"cnNwX" in data or b"JzcF" in data or b"yc3Bf" in data else data


def word_of(policy: Policy) -> Replacer:
    """What stands in place of a secret in the canonical form: older cassettes know one word for all."""
    return as_class if policy.version > 1 else hide


def as_class(kind: str, value: bytes) -> bytes:
    """What stands for every secret of a class in the canonical form."""
    return b"rsp_" + kind.encode("ascii")


def unified(data: bytes, policy: Policy | None = PLAIN) -> bytes:
    """A text with the word of its class in place of each pseudonym; one word for all where a policy knows no classes."""
    if policy is not None and policy.version < 2:
        return PUT_IN.sub(PLACEHOLDER, data)
    return _PSEUDONYM.sub(rb"\1", data)


def has_put_in(data: bytes) -> bool:
    """Whether a text holds what stands in place of a secret."""
    return PUT_IN.search(data) is not None


def put_in(data: bytes) -> list[bytes]:
    """What stands in place of secrets in a text, in order."""
    return PUT_IN.findall(data)


def one_word(data: bytes) -> bytes:
    """A text with the same word in place of every pseudonym, and of every word of a class."""
    return _WORD_OR_PSEUDONYM.sub(PLACEHOLDER, data)


_WORD_OR_PSEUDONYM = re.compile(rb"rsp_[a-z0-9]{2,20}(?:_[a-z2-7]{16})?+")
_PSEUDONYM = re.compile(rb"(rsp_[a-z0-9]{2,20})_[a-z2-7]{16}")


def _canonical_base64(data: bytes, policy: Policy) -> bytes:
    """Pseudonyms in what base64 says, too: `rsp_` begins at one of three places of a group."""
    edits: list[Edit] = []
    for block in blocks(data, lines=policy.version > 1):
        for skipped, said in block.said():
            if PUT_IN.search(said):
                edits.append(Edit(block.start, block.end, _canonical_run(block.text[:skipped], unified(said, policy))))
                break
    return edited(data, edits)


def _canonical_run(before: bytes, said: bytes) -> bytes:
    """How a run was spelled does not count for a key."""
    return before + b64encode(said).rstrip(b"=")
