"""Places within JSON, as they are shown and as an ignore rule names them, and which elements of two lists belong together.

Names come from the wire: what is shown of one is short and safe, and a rule that would be long is none.
"""

import json
import re
from itertools import zip_longest
from typing import NamedTuple

from .text import clip

SHOWN = 120
"""Characters of a value, or of a name, that are shown."""
LONGEST_RULE = 300
ABSENT = object()
"""What stands for an element or a member that is not there."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Place(NamedTuple):
    """A place within JSON: as it is shown, as a rule names it (empty: too long), and the names that lead there."""

    shown: str
    rule: str
    names: tuple[str, ...]

    def member(self, name: str) -> "Place":
        plain = _PLAIN_NAME.fullmatch(name) is not None
        spelled = name if plain or len(name) > LONGEST_RULE else json.dumps(name)
        shown = f".{name}" if plain else f"[{clip(json.dumps(name[: 4 * SHOWN]), SHOWN)}]"
        return self._step(shown[:SHOWN], f".{spelled}" if plain else f"[{spelled}]", name)

    def element(self, number: int) -> "Place":
        return self._step(f"[{number}]", f"[{number}]", None)

    def _step(self, shown: str, step: str, name: str | None) -> "Place":
        rule = self.rule + step if self.rule and len(self.rule) + len(step) <= LONGEST_RULE else ""
        return Place(self.shown + shown, rule, self.names if name is None else (*self.names, name))


def aligned(
    left: list[object], right: list[object], left_forms: list[bytes], right_forms: list[bytes]
) -> list[tuple[int, tuple[object, object]]]:
    """Elements to compare with each other, and their number: equal ones at both ends are left out, so that one that was
    put in or taken out does not move all that follow it.
    """
    if len(left) == len(right):
        return list(enumerate(zip(left, right, strict=True)))
    shorter = min(len(left), len(right))
    start = next((at for at in range(shorter) if left_forms[at] != right_forms[at]), shorter)
    ends = (at for at in range(shorter - start) if left_forms[-1 - at] != right_forms[-1 - at])
    end = next(ends, shorter - start)
    middles = left[start : len(left) - end], right[start : len(right) - end]
    return list(enumerate(zip_longest(*middles, fillvalue=ABSENT), start))
