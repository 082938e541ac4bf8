"""Ids are names: what two recordings call the same object differs, and is the same all the same.

`Names` learns which ids belong together, one to one, and compares texts with that knowledge. Only ids that an upstream
gave are names; one that a client wrote of itself is a value like any other.
"""

import re
from collections.abc import Mapping

from ..ids import IdMap
from ..renaming import is_id, replaced

LEAST = 3
"""Bytes of an id; what is shorter is rather a word."""
MOST_GIVEN = 100_000
"""Ids of one cassette that are known as given; those beyond are compared as they are."""

_WORDS = re.compile(r"([A-Za-z0-9_-]+)")


class Given:
    """The ids that one cassette's upstream gave, each with what it is one of (`message`, `run`)."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, bytes] = {}

    def add(self, name: str, kind: str) -> None:
        word = encoded(name)
        if is_id(word, least=LEAST) and len(self._kinds) < MOST_GIVEN:
            self._kinds.setdefault(word, b"\0" + kind.encode() + b"\0")

    def kind(self, name: str) -> bytes | None:
        return self._kinds.get(encoded(name))

    def masked(self, text: str) -> bytes:
        """A text with each id replaced by its kind: what two recordings of one conversation have in common."""
        return replaced(encoded(text), self._kinds.get)


class Names:
    """Which ids of two cassettes belong together."""

    def __init__(self, left: Given, right: Given) -> None:
        self.left = left
        self.right = right
        self._known = IdMap()

    def learn(self, left: str, right: str) -> None:
        """Two ids name the same object, unless one of them is known to name another."""
        if all(is_id(encoded(name), least=LEAST) for name in (left, right)):
            self._known.learn([(left, right)])

    def learn_all(self, pairs: Mapping[str, str]) -> None:
        for left, right in pairs.items():
            self.learn(left, right)

    @property
    def known(self) -> IdMap:
        return self._known

    def image(self, left: str) -> str:
        """A text of the first cassette in the names of the second."""
        return decoded(self._known.to_new(encoded(left))) if len(self._known) else left

    def same(self, left: str, right: str) -> bool:
        """Whether two texts say the same.

        Ids that stand in the same places, were given by both upstreams as the same kind of thing, and are not paired with
        others yet are learned as a pair.
        """
        if self.image(left) == right:
            return True
        one, other = _WORDS.split(left), _WORDS.split(right)
        if len(one) != len(other):
            return False
        found: dict[str, str] = {}
        for word, twin in zip(one, other, strict=True):
            if self.image(word) == twin:
                continue
            kind = self.left.kind(word)
            if kind is None or kind != self.right.kind(twin) or found.setdefault(word, twin) != twin:
                return False
            if self._known.knows_old(word) or self._known.knows_new(twin):
                return False
        if len(set(found.values())) != len(found):
            return False
        self.learn_all(found)
        return True


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
