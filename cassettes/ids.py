"""The ids that answers name, and which of two servers' belong together.

What stands in JSON, or in the data of events, under `id`, `..._id` and `..._ids` is an id; a user's `metadata` names none. Which
ids belong together is learned from two answers to the same call: those of one kind belong together in the order in which
they appear first; tool calls of one function likewise. How ids are put in each other's place is told in `renaming`.
"""

import json
from collections.abc import Iterable, Iterator

from .canonical import kind_of, may_be_json
from .errors import UsageError
from .interaction import Response
from .renaming import Rewriter, is_id, replaced
from .scopes import media_type
from .sse import EventParser, events

LARGEST = 8 << 20
"""Bytes of an answer that are looked at for what belongs together."""
LARGEST_LISTED = 1 << 20
"""Bytes of an answer whose ids are listed: all of a JSON body or nothing, the beginning of a stream."""
MOST_LISTED = 512
"""Ids of an answer that are listed."""
MOST_PAIRS = 100_000
LEAST = 3
"""Bytes of an id of any server."""
LEAST_LISTED = 6
"""Bytes of an id that is listed: those of one server have a prefix, and what is shorter is rather a word."""

Pair = tuple[str, str]
"""An id of the old server and that of the new one."""

_CURSORS = frozenset({"first_id", "last_id"})


class IdMap:
    """Pairs of ids. The first pair that names an id, on either side, stands."""

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._to_new: dict[bytes, bytes] = {}
        self._to_old: dict[bytes, bytes] = {}
        self.learn(pairs)

    def learn(self, pairs: Iterable[Pair]) -> None:
        """Take pairs in."""
        for old, new in pairs:
            before, after = old.encode(), new.encode()
            if before not in self._to_new and after not in self._to_old and len(self._to_new) < MOST_PAIRS:
                self._to_new[before] = after
                self._to_old[after] = before

    def __len__(self) -> int:
        return len(self._to_new)

    def knows_old(self, name: str) -> bool:
        return name.encode() in self._to_new

    def knows_new(self, name: str) -> bool:
        return name.encode() in self._to_old

    def to_new(self, data: bytes) -> bytes:
        """A body, a target or a header's value with new ids in place of old ones."""
        return replaced(data, self._to_new.get)

    def to_old(self, data: bytes) -> bytes:
        """A body or a header's value with old ids in place of new ones."""
        return replaced(data, self._to_old.get)

    def stream_to_new(self) -> Rewriter:
        """The same as `to_new` for a body that comes in pieces."""
        return Rewriter(self._to_new)

    def stream_to_old(self) -> Rewriter:
        """The same as `to_old` for a body that comes in pieces."""
        return Rewriter(self._to_old)


def pair_of(text: str) -> Pair:
    """The pair that OLD=NEW spells. Raises UsageError."""
    old, mark, new = text.partition("=")
    if not mark or not all(is_id(name.encode("utf-8", "replace"), least=LEAST) for name in (old, new)):
        raise UsageError(f"--map {text!r} is no pair of ids", "give it as OLD=NEW, such as asst_1=asst_2")
    return old, new


def holds_ids(content_type: bytes) -> bool:
    """Whether a body of this type (the header's value) speaks of ids: JSON and event streams do, files do not."""
    kind = kind_of(content_type)
    return kind == b"text/event-stream" or kind == b"application/json" or kind.endswith(b"+json")


def align(old: bytes, new: bytes, content_type: bytes, known: IdMap | None = None) -> list[Pair]:
    """Which ids of two answers to one call belong together. Those that `known` holds already are passed over."""
    known = known or IdMap()
    before = _by_kind(token for token in _ids_in(old, content_type) if not known.knows_old(token[1]))
    after = _by_kind(token for token in _ids_in(new, content_type) if not known.knows_new(token[1]))
    return [pair for kind, names in before.items() for pair in zip(names, after.get(kind, ()), strict=False)]


def unknown_ids(data: bytes, content_type: bytes, known: IdMap) -> bool:
    """Whether a recorded answer holds ids that nothing is known of yet."""
    return any(not known.knows_old(name) for _, name in _ids_in(data, content_type))


def objects(data: bytes, content_type: bytes) -> Iterator[dict[str, object]]:
    """Every JSON object of an answer, the outer before the inner, in order; user's `metadata` is left out."""
    if len(data) > LARGEST:
        return
    kind = kind_of(content_type)
    if kind == b"text/event-stream":
        texts: Iterable[bytes | str] = (event.data for event in events(data))
    else:
        texts = (data,) if may_be_json(kind) else ()
    for text in texts:
        yield from _objects(text)


def ids_of(response: Response | None) -> tuple[bytes, ...]:
    """The ids that a recorded answer names, each once, in order; the cursors of a page are among them."""
    found: dict[bytes, None] = {}
    for text in _texts(response):
        for value in _objects(text):
            for name, child in value.items():
                if isinstance(child, str) and (name == "id" or name.endswith("_id")):
                    word = child.encode("utf-8", "replace")
                    if is_id(word, least=LEAST_LISTED):
                        found[word] = None
                        if len(found) >= MOST_LISTED:
                            return tuple(found)
    return tuple(found)


def prefix_of(name: bytes) -> bytes:
    """What an id says that it is one of: `run` of `run_7`, nothing where it does not say."""
    prefix, mark, _ = name.partition(b"_")
    return prefix if mark else b""


def _texts(response: Response | None) -> Iterator[bytes | str]:
    """The JSON texts of a recorded answer, read a stored piece at a time."""
    if response is None:
        return
    if media_type(response.headers) == b"text/event-stream":
        parser = EventParser(LARGEST_LISTED)
        seen = 0
        for piece in response.body.pieces():
            for event in parser.feed(piece[: LARGEST_LISTED - seen]):
                yield event.data
            seen += len(piece)
            if seen >= LARGEST_LISTED:
                return
    elif response.body.length <= LARGEST_LISTED:
        yield response.body.read()


def _objects(text: bytes | str) -> Iterator[dict[str, object]]:
    try:
        left: list[object] = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left += [child for name, child in value.items() if name != "metadata"][::-1]
        elif isinstance(value, list):
            left += value[::-1]


def _ids_in(data: bytes, content_type: bytes) -> Iterator[tuple[str, str]]:
    """(kind, id) in order of appearance."""
    for value in objects(data, content_type):
        for name, child in value.items():
            if name == "id":
                found, kind = [child], _kind_of(value)
            elif name.endswith("_id") and name not in _CURSORS:
                found, kind = [child], name[:-3]
            elif name.endswith("_ids") and isinstance(child, list):
                found, kind = child, name[:-4]
            else:
                continue
            for each in found:
                if isinstance(each, str) and is_id(each.encode("utf-8", "replace"), least=LEAST):
                    yield kind, each


def _kind_of(value: dict[str, object]) -> str:
    """What an object with an `id` is: `run` for a thread.run, `call lookup` for a call of the function lookup."""
    kind = value.get("object")
    if isinstance(kind, str):
        return kind.removesuffix(".delta").rpartition(".")[2]
    function = value.get("function")
    name = function.get("name") if isinstance(function, dict) else value.get("type")
    return f"call {name}"


def _by_kind(tokens: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    kinds: dict[str, dict[str, None]] = {}
    seen: set[str] = set()
    for kind, name in tokens:
        if name not in seen:
            seen.add(name)
            kinds.setdefault(kind, {})[name] = None
    return {kind: list(names) for kind, names in kinds.items()}
