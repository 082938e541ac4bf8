"""Where two JSON values differ: the one place if it is one, the smallest value that holds all places if they are more.

So a change is one finding, however many leaves it has. `1` equals `1.0`; the order of names in an object does not count;
a list in another order is told as that.
"""

import json
import re
from collections.abc import Callable
from math import isnan
from typing import Any, NamedTuple

from ..models import compact
from ..text import clip

ABSENT = object()
"""What stands for a member or an element that is not there."""
LEVELS = 64
MOST_STEPS = 200_000
"""Pairs of values that are looked at."""
MOST_NAMES = 10_000
"""Pairs of names that only one side has, which may be ids of the same thing."""
NAME = 120
"""Characters of a name that are shown."""

Same = Callable[[str, str], bool]
"""Whether two texts say the same."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Gap(NamedTuple):
    """A place (`.id`, `[0].name`; empty for the whole) and what both sides have there, of objects only what differs."""

    path: str
    left: Any
    right: Any
    order: bool = False
    """The same elements in another order."""


def narrowed(left: Any, right: Any, same: Same, *, loose: bool = False) -> Gap | None:
    """Where two values differ; None where they say the same.

    `loose`: a member that is null or empty is as good as none, as it is in what is asked of the API. Values that take too
    long to look at are told as a whole.
    """
    return _Narrowing(same, loose=loose).gap(left, right, LEVELS)


class _Narrowing:
    def __init__(self, same: Same, *, loose: bool) -> None:
        self._same = same
        self._loose = loose
        self._steps = MOST_STEPS

    def gap(self, left: Any, right: Any, levels: int) -> Gap | None:
        self._steps -= 1
        if self._loose and _empty(left) and _empty(right):
            return None
        if levels and self._steps > 0:
            if isinstance(left, dict) and isinstance(right, dict):
                return self._members(left, right, levels - 1)
            if isinstance(left, list) and isinstance(right, list):
                return self._elements(left, right, levels - 1)
        return None if _equal(left, right, self._same) else Gap("", left, right)

    def _members(self, left: dict[str, Any], right: dict[str, Any], levels: int) -> Gap | None:
        twins = dict(left)
        lone = [name for name in left if name not in right], [name for name in right if name not in left]
        if len(lone[0]) * len(lone[1]) <= MOST_NAMES:
            for name in lone[0]:  # a name may be an id, too
                twin = next((other for other in lone[1] if other not in twins and self._same(name, other)), None)
                if twin is not None:
                    twins[twin] = twins.pop(name)
        gaps: dict[str, Gap] = {}
        for name in [*twins, *(name for name in right if name not in twins)]:
            gap = self.gap(twins.get(name, ABSENT), right.get(name, ABSENT), levels)
            if gap is not None:
                gaps[name] = gap
        if not gaps:
            return None
        if len(gaps) == 1:
            ((name, gap),) = gaps.items()
            return gap._replace(path=_member(name) + gap.path)
        one, other = ({name: side[name] for name in gaps if name in side} for side in (twins, right))
        return Gap("", one, other)

    def _elements(self, left: list[Any], right: list[Any], levels: int) -> Gap | None:
        known: dict[tuple[int, int], Gap | None] = {}

        def differ(one: int, other: int) -> Gap | None:
            if (one, other) not in known:
                known[one, other] = self.gap(left[one], right[other], levels)
            return known[one, other]

        shorter = min(len(left), len(right))
        start = next((at for at in range(shorter) if differ(at, at)), shorter)
        if start == len(left) == len(right):
            return None
        rest = range(1, shorter - start + 1)
        end = next((at - 1 for at in rest if differ(len(left) - at, len(right) - at)), shorter - start)
        one, other = left[start : len(left) - end], right[start : len(right) - end]
        if len(one) == len(other) == 1:
            gap = differ(start, start) or Gap("", one[0], other[0])
            return gap._replace(path=f"[{start}]{gap.path}")
        if len(one) + len(other) == 1:
            return Gap(f"[{start}]", one[0] if one else ABSENT, other[0] if other else ABSENT)
        order = len(one) == len(other) and sorted(map(compact, one)) == sorted(map(compact, other))
        return Gap("", left, right, order)


def _member(name: str) -> str:
    return f".{clip(name, NAME)}" if _PLAIN.fullmatch(name) else f"[{clip(json.dumps(name[: 4 * NAME]), NAME)}]"


def _empty(value: Any) -> bool:
    return value is ABSENT or value is None or value in ("", [], {})


def _equal(left: Any, right: Any, same: Same) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return same(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, float) and isnan(left) and isnan(right):
        return True
    try:
        return left is right or (left is not ABSENT and right is not ABSENT and left == right)
    except RecursionError:  # nested so deep that Python cannot compare it: told as different
        return False
