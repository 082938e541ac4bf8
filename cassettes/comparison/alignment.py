"""Which elements of two sequences belong together: equal ones first, then the nearest that are left between them.

An element put in or taken out moves none of the others. Equal elements that changed places are paired and told as moved.
Work is bounded: long stretches that differ altogether are paired in order.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")
MOST_EQUAL = 250_000
"""Pairs that are looked at for the longest common order."""
MOST_NEAR = 10_000
"""Pairs of one gap that are weighed."""

Place = tuple[int | None, int | None]


class Alignment(NamedTuple):
    """`pairs` are places in both sequences, None where there is no partner; `moved` says that equal ones changed places."""

    pairs: list[Place]
    moved: bool


def aligned(
    left: Sequence[T], right: Sequence[T], sign: Callable[[int, T], Hashable], near: Callable[[T, T], float]
) -> Alignment:
    """Align two sequences. `sign` (of side 0 or 1) is equal for what is the same; `near` is above 0 for what may be paired."""
    signs = [sign(0, item) for item in left], [sign(1, item) for item in right]
    found = anchors(*signs)
    lone = [at for at in range(len(left)) if at not in found]
    partners = set(found.values())
    waiting: dict[Hashable, list[int]] = {}
    for at in range(len(right)):
        if at not in partners:
            waiting.setdefault(signs[1][at], []).append(at)
    moved: dict[int, int] = {}
    for at in lone:
        if same := waiting.get(signs[0][at]):
            moved[at] = same.pop(0)
    paired = found | moved
    taken = set(paired.values())
    start = [0, 0]
    for one, other in [*sorted(found.items()), (len(left), len(right))]:
        gap_left = [at for at in range(start[0], one) if at not in paired]
        gap_right = [at for at in range(start[1], other) if at not in taken]
        paired.update(_nearest(gap_left, gap_right, left, right, near))
        start = [one + 1, other + 1]
    back = {other: one for one, other in paired.items()}
    pairs: list[Place] = []
    at = 0
    for one in range(len(left)):
        other = paired.get(one)
        while other is not None and at < other and at not in back:
            pairs.append((None, at))
            at += 1
        pairs.append((one, other))
        while at in back and back[at] <= one:
            at += 1
    pairs += [(None, other) for other in range(at, len(right)) if other not in back]
    return Alignment(pairs, bool(moved))


def anchors(left: Sequence[Hashable], right: Sequence[Hashable]) -> dict[int, int]:
    """Places of equal elements in the longest common order, or in an order that is good enough."""
    shorter = min(len(left), len(right))
    start = next((at for at in range(shorter) if left[at] != right[at]), shorter)
    end = next((at for at in range(shorter - start) if left[-1 - at] != right[-1 - at]), shorter - start)
    found = {at: at for at in range(start)}
    found |= {len(left) - at: len(right) - at for at in range(1, end + 1)}
    one, other = left[start : len(left) - end], right[start : len(right) - end]
    inner = _longest(one, other) if len(one) * len(other) <= MOST_EQUAL else _in_order(one, other)
    return found | {start + at: start + to for at, to in inner}


def _longest(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for one in reversed(range(len(left))):
        for other in reversed(range(len(right))):
            lengths[one][other] = (
                lengths[one + 1][other + 1] + 1
                if left[one] == right[other]
                else max(lengths[one + 1][other], lengths[one][other + 1])
            )
    found: list[tuple[int, int]] = []
    one = other = 0
    while one < len(left) and other < len(right):
        if left[one] == right[other]:
            found.append((one, other))
            one, other = one + 1, other + 1
        elif lengths[one + 1][other] >= lengths[one][other + 1]:
            one += 1
        else:
            other += 1
    return found


def _in_order(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Each element with the next equal one: not the longest order, but found in one walk."""
    places: dict[Hashable, list[int]] = {}
    for at, sign in enumerate(right):
        places.setdefault(sign, []).append(at)
    found: list[tuple[int, int]] = []
    last = -1
    for at, sign in enumerate(left):
        known = places.get(sign, [])
        following = bisect_right(known, last)
        if following < len(known):
            last = known[following]
            found.append((at, last))
    return found


def _nearest(
    ones: list[int], others: list[int], left: Sequence[T], right: Sequence[T], near: Callable[[T, T], float]
) -> list[tuple[int, int]]:
    """Pairs of what is left in a gap, in order, as near to each other as can be had."""
    if not ones or not others:
        return []
    if len(ones) * len(others) > MOST_NEAR:
        return [(one, other) for one, other in zip(ones, others, strict=False) if near(left[one], right[other]) > 0]
    weights = [[near(left[one], right[other]) for other in others] for one in ones]
    best = [[0.0] * (len(others) + 1) for _ in range(len(ones) + 1)]
    for one in reversed(range(len(ones))):
        for other in reversed(range(len(others))):
            weight = weights[one][other]
            both = best[one + 1][other + 1] + weight if weight > 0 else 0.0
            best[one][other] = max(both, best[one + 1][other], best[one][other + 1])
    found: list[tuple[int, int]] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        weight = weights[one][other]
        if weight > 0 and best[one][other] == best[one + 1][other + 1] + weight:
            found.append((ones[one], others[other]))
            one, other = one + 1, other + 1
        elif best[one][other] == best[one + 1][other]:
            one += 1
        else:
            other += 1
    return found
