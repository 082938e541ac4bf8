"""Which threads of two cassettes are the same conversation: first by equal id, then by what the client wrote, then by order.

A recording made anew has new ids throughout, so what the client wrote tells: messages, runs and what they were asked with,
each id replaced by what it is one of. Threads that have too little in common are no pair.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..conversation import Conversation, Message, Run
from ..models import compact
from .alignment import aligned
from .naming import Given
from .sides import Side, written

LEAST = 0.3
"""How near two threads have to be (0 to 1) to be told as one that changed."""
MOST_WEIGHED = 250_000
"""Pairs of threads without an exact partner that are weighed; of more, those in the same place are."""
MOST_WORDS = 2_000
"""Words of what a client wrote that are looked at."""

UNSAID = frozenset({"stream", "thread", "additional_messages", "messages"})
"""Members of a request that say how the answer comes, or that stand as messages of their own."""

_WORD = re.compile(rb"[\w\x80-\xff]+")

Pair = tuple[str | None, str | None]


class Signature(NamedTuple):
    """What a client wrote in a thread: `items` in order, and the words of its messages."""

    items: tuple[tuple[str, bytes], ...]
    words: frozenset[bytes]


def pairs(left: Side, right: Side, *, least: float = LEAST) -> list[Pair]:
    """The threads of both sides, each once: pairs in the order of the first, those added behind what they follow."""
    found = {scope: scope for scope in left.threads if scope in set(right.threads)}
    ones = [scope for scope in left.threads if scope not in found]
    others = [scope for scope in right.threads if scope not in found]
    if ones and others:
        signs = _signatures(left, ones), _signatures(right, others)
        found |= {ones[one]: others[other] for one, other in _matched(*signs, least)}
    partners = set(found.values())
    added: dict[str | None, list[str]] = {}
    last = None
    for scope in right.threads:
        if scope in partners:
            last = scope
        else:
            added.setdefault(last, []).append(scope)
    result: list[Pair] = [(None, scope) for scope in added.get(None, [])]
    for scope in left.threads:
        partner = found.get(scope)
        result.append((scope, partner))
        result += [(None, other) for other in added.get(partner, []) if partner is not None]
    return result


def _signatures(side: Side, scopes: list[str]) -> list[Signature]:
    return [signature(side.conversation(scope), side.given) for scope in scopes]


def signature(conversation: Conversation, given: Given) -> Signature:
    """What the client wrote in a thread."""
    items: list[tuple[str, bytes]] = []
    words: set[bytes] = set()
    for entry in conversation.entries:
        if isinstance(entry, Message):
            if written(entry):
                text = given.masked(entry.text)
                items.append((f"message {entry.role}", text))
                words.update(_WORD.findall(text.lower())[:MOST_WORDS])
        elif isinstance(entry, Run):
            asked = {name: value for name, value in (entry.asked or {}).items() if name not in UNSAID}
            items.append(("run", given.masked(compact(asked))))
        else:
            items.append((f"{entry.kind.value} {entry.status}", given.masked(entry.subject)))
    if conversation.metadata:
        items.append(("metadata", given.masked(compact(conversation.metadata))))
    return Signature(tuple(items), frozenset(words))


def nearness(left: Signature, right: Signature) -> float:
    """From 0 (nothing in common) to 1 (the client wrote the same). The words of messages weigh most, as they tell most."""
    if left == right:
        return 1.0
    longest = max(len(left.items), len(right.items), 1)
    equal = (Counter(left.items) & Counter(right.items)).total() / longest
    kinds = (Counter(kind for kind, _ in left.items) & Counter(kind for kind, _ in right.items)).total() / longest
    return 0.2 * equal + 0.2 * kinds + 0.6 * overlap(left.words, right.words)


def overlap(left: frozenset[bytes], right: frozenset[bytes]) -> float:
    """How many of the words of two texts are in both."""
    return len(left & right) / len(left | right) if left or right else 1.0


def _matched(left: Sequence[Signature], right: Sequence[Signature], least: float) -> list[tuple[int, int]]:
    def near(one: Signature, other: Signature) -> float:
        weight = nearness(one, other)
        return weight if weight >= least else 0.0

    exact: dict[Signature, list[int]] = {}
    for at, sign in enumerate(right):
        exact.setdefault(sign, []).append(at)
    found = {at: exact[sign].pop(0) for at, sign in enumerate(left) if exact.get(sign)}
    ones = [at for at in range(len(left)) if at not in found]
    others = sorted(set(range(len(right))) - set(found.values()))
    if len(ones) * len(others) > MOST_WEIGHED:
        alignment = aligned([left[at] for at in ones], [right[at] for at in others], lambda _, sign: sign, near)
        found |= {ones[one]: others[other] for one, other in alignment.pairs if one is not None and other is not None}
        return list(found.items())
    weighed = [(near(left[one], right[other]), one, other) for one in ones for other in others]
    taken: set[int] = set()
    for weight, one, other in sorted(weighed, key=lambda each: (-each[0], abs(each[1] - each[2]), each[1], each[2])):
        if weight > 0 and one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return list(found.items())
