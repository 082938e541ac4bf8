"""Ids written over by others, in bytes: only whole words, and all at once.

A word is a run of letters, digits, `_` and `-` (`thread_1` is not found in `thread_12`); an escape of JSON (`\\n`) or of a URL
(`%2F`) in front of it is no part of it. Nothing that was put in is replaced again, so that two ids can change places. Nothing
is parsed for it: it is the same for a path, a query, a header, JSON and an event stream, whole or in pieces.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

MOST_IDS = 4096
"""Ids that are renamed in one session; a thread whose ids would make it more stays what it was handed out as."""
LONGEST = 128
"""Bytes of an id."""

_ID = re.compile(rb"[A-Za-z0-9_-]+")
# An escape is a token of its own: after two backslashes an `n` belongs to the word behind it, after one it does not.
_TOKEN = re.compile(rb"(\\(?:u[0-9A-Fa-f]{4}|.)?|%(?:[0-9A-Fa-f]{2})?|[A-Za-z0-9_-]+)", re.DOTALL)
_UNFINISHED = re.compile(rb"[A-Za-z0-9_\\%-]*\Z")
_REST_OF_WORD = re.compile(rb"[A-Za-z0-9_-]*")


def is_id(name: bytes, *, least: int) -> bool:
    """Whether this can be an id: from `least` to 128 letters, digits, `_` and `-`."""
    return least <= len(name) <= LONGEST and _ID.fullmatch(name) is not None


def words(data: bytes) -> set[bytes]:
    """The words of `data`, and its escapes."""
    return set(_TOKEN.findall(data))


def replaced(data: bytes, image: Callable[[bytes], bytes | None]) -> bytes:
    """`data` with each word replaced by its image, where it has one."""
    return b"".join([image(part) or part for part in _TOKEN.split(data)])


class Rewriter:
    """Replaces ids in a body however it is cut. Holds back the word at the end of a piece, 512 bytes at most."""

    _HOLD = 4 * LONGEST

    def __init__(self, names: Mapping[bytes, bytes]) -> None:
        self._names = names
        self._held = b""
        self._inside = False
        """The last piece ended within a word that is too long to be an id."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give what is sure by now."""
        done = b""
        if self._inside:
            match = _REST_OF_WORD.match(data)
            cut = match.end() if match else 0
            done, data = data[:cut], data[cut:]
            self._inside = not data
        data = self._held + data
        # Only the end is searched: a longer run of words and escapes is given out in any case.
        match = _UNFINISHED.search(data, max(len(data) - self._HOLD - 1, 0))
        cut = match.start() if match else len(data)
        if len(data) - cut > self._HOLD:
            # Escapes and words without an end in sight: what may still become an id, or an escape, waits.
            floor = len(data) - LONGEST - len(rb"\u0000")
            starts = (token.start() for token in _TOKEN.finditer(data))
            cut = next((start for start in starts if start >= floor), len(data))
            self._inside = cut == len(data)
        self._held = data[cut:]
        return done + self._replaced(data[:cut])

    def finish(self) -> bytes:
        """The rest."""
        held, self._held = self._held, b""
        return self._replaced(held)

    def _replaced(self, data: bytes) -> bytes:
        return replaced(data, self._names.get) if data and self._names else data


class Renaming:
    """What some ids are written as. It never changes, so that an answer on its way keeps its names."""

    __slots__ = ("images",)

    def __init__(self, images: Mapping[bytes, bytes] | None = None) -> None:
        self.images = dict(images or {})

    def __bool__(self) -> bool:
        return bool(self.images)

    def image(self, name: bytes) -> bytes:
        """What one id is written as."""
        return self.images.get(name, name)

    def apply(self, data: bytes) -> bytes:
        """The bytes with the ids written over."""
        return replaced(data, self.images.get) if self.images else data

    def pieces(self, pieces: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
        """The pieces of a body, each with its moment, as `apply` would write the joined body.

        What a piece ends with that may be the beginning of an id comes with the next piece. A piece of which nothing is left
        is passed over.
        """
        rewriter = Rewriter(self.images)
        moment = 0
        for piece, moment in pieces:
            if ready := rewriter.feed(piece):
                yield ready, moment
        if rest := rewriter.finish():
            yield rest, moment


class Permutation:
    """Recorded id to the name that was handed out for it, and back: one to one, whatever is installed."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}
        self._recorded: dict[bytes, bytes] = {}

    def has_room(self, pairs: int) -> bool:
        """Whether as many may be installed: each renames two ids at most."""
        return len(self._names) + 2 * pairs <= MOST_IDS

    def name(self, recorded: bytes) -> bytes:
        return self._names.get(recorded, recorded)

    def recorded(self, name: bytes) -> bytes:
        return self._recorded.get(name, name)

    def install(self, recorded: bytes, name: bytes) -> None:
        """Hand out `name` for `recorded`; what had that name gets the one that `recorded` had."""
        before = self.name(recorded)
        if before == name:
            return
        other = self.recorded(name)
        self._set(recorded, name)
        self._set(other, before)

    def renamings(self) -> tuple[Renaming, Renaming]:
        """From recorded ids to names, for answers; and from names to recorded ids, for requests."""
        return Renaming(self._names), Renaming(self._recorded)

    def _set(self, recorded: bytes, name: bytes) -> None:
        if recorded == name:
            self._names.pop(recorded, None)
            self._recorded.pop(name, None)
        else:
            self._names[recorded] = name
            self._recorded[name] = recorded
