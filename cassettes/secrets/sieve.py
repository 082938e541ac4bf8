"""A quick look at a text that tells, of most, that no rule finds anything in it. Where it is not certain, the rules look.

What begins a finding (a long word, a stem of a telling name, a run of base64) holds no comma, so it stands in one piece between
two of them, whatever it is followed by. Pieces of JSON come again with each call: members, sentences of instructions; and those
that end in a number or in an id of the API come again with another one, which is left out of them, since neither is ever a part
of a finding but as the value of what stands before it. A piece is known once it was looked at twice, and of a text only what is
not known is looked at. One with a marker, whose finding may reach across commas, is known as a whole or not at all, and never as
a piece of another. Of a text in which something is found, nothing is remembered, so that no secret is.
"""

import re
from itertools import filterfalse

from ..vocabulary import ANY_PREFIX
from .encoded import blocks
from .names import SHORT, has_telling_name, may_tell, stems_for
from .policy import Policy
from .respelled import is_respelled
from .shapes import at_markers, at_words, has_marker, has_word

LARGEST = 65_536
"""Bytes of a text that is looked at so. A larger one comes once."""
MOST_KNOWN = 2048
LONGEST_KNOWN = 4096
MOST_SEEN = 16_384
_ANOTHER_EACH_TIME = re.compile(
    rb': ?(?:"' + ANY_PREFIX + rb'_[A-Za-z0-9]{8,25}"|[0-9]{1,13})(?=\s{0,32}+(?:[,}\]]|\Z))'
)
"""The value of a member that is a number or an id, which is shorter than any run of base64 that is read."""


class Sieve:
    """One policy's."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: set[bytes] = set()
        self._seen: set[int] = set()
        """The hashes of pieces that came once. Most never come again; they would only take the place of those that do."""

    def passes(self, data: bytes) -> bool:
        """Whether it is certain that nothing in `data` is a secret; False says nothing."""
        if len(data) > LARGEST:
            return False
        pieces = list(filterfalse(self._known.__contains__, data.split(b",")))
        new = b",".join(pieces)
        markers = False
        if new:
            pieces = list(filterfalse(self._known.__contains__, _ANOTHER_EACH_TIME.sub(b":", new).split(b",")))
            new = b",".join(pieces)
        if new:
            if self._policy.version > 2 and is_respelled(new):
                return False
            words = has_word(new)
            markers = has_marker(new, runs=words)
            if markers:
                if data in self._known:
                    return True
                if at_markers(data):  # of all: what follows a marker may reach across a comma
                    return False
            low = new.lower()
            if (self._policy.names or len(new) > SHORT or may_tell(low)) and self._has_telling_name(low):
                return False
            if words and (at_words(new) or self._says_something(new)):
                return False
        if self._policy.found(data):
            return False
        if new:
            self._remember(([data] if b"," in data else []) if markers else pieces)
        return True

    def _has_telling_name(self, low: bytes) -> bool:
        allowed, more = self._policy.allowed_names, self._policy.names
        version = self._policy.version
        for stem in (*stems_for(low, version), *more):
            if stem in low and has_telling_name(low, stem, allowed=allowed, more=more, version=version):
                return True
        return False

    def _says_something(self, text: bytes) -> bool:
        """Whether there is base64 that says something."""
        return any(True for block in blocks(text, lines=self._policy.version > 1) for _ in block.said())

    def _remember(self, pieces: list[bytes]) -> None:
        """These passed. That two may have the same hash does not matter: what is known by it has passed itself."""
        hashes = list(map(hash, pieces))
        if not self._seen.isdisjoint(hashes):
            again = [piece for piece in pieces if hash(piece) in self._seen and len(piece) <= LONGEST_KNOWN]
            if len(self._known) + len(again) > MOST_KNOWN:
                self._known.clear()
            self._known.update(again[:MOST_KNOWN])
        if len(self._seen) + len(hashes) > MOST_SEEN:
            self._seen.clear()
        self._seen.update(hashes)
