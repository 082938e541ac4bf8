"""The shape of JSON: which kinds of object stand where, which fields they have, and of which types those are. No values.

A *profile* is the shape of any number of documents. Within it an object is known by its owner (the nearest object around it
that says what it is by `object`, with its role or type) and the way from there; elements of a list are merged, `[*]`, and told
apart by their `type` alone. A run and a step have a *state*, since what is null depends on it. The `arguments` of a function's
call are JSON within a string, and read as such. In a delta nothing is told apart: which piece has which field is chance.

What is compared: a field that all such objects of the recording have, and one of the upstream's lacks; one that none of them
has; a type that was never recorded; null where there always was a value, in a state that stays. Not compared: a value where
the recording shows but null or an empty list, since it cannot tell what would stand there; lists that depend on what was said
(annotations, outputs); and what users put in (metadata, JSON schemas), which a profile does not enter.

Documents may be hostile: depth, fields and names are capped, and what is beyond is not compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .. import models
from ..text import clip

MOST_NODES = 5_000
MOST_FIELDS = 500
MOST_ITEMS = 10_000
DEEPEST = 40
LONGEST_PATH = 300

OPAQUE = frozenset({"metadata", "parameters", "schema"})
"""Fields whose inside is the user's."""
BY_CHANCE = frozenset({"annotations", "outputs", "results", "logs"})
"""Lists that hold what a model, or a tool, found to say."""
PASSING = frozenset({"queued", "in_progress", "cancelling"})
"""States in which a null is a matter of the moment."""

_TELLING = ("object", "type", "role")
"""Fields by which an object says what it is."""

Key = tuple[str, str]
"""An object's owner, and the way from there."""


@dataclass(slots=True)
class Field:
    count: int = 0
    types: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Node:
    """Objects of one key and state. `parted`: they are pieces of something, so that each may have other fields."""

    shown: str
    parted: bool
    count: int = 0
    fields: dict[str, Field] = field(default_factory=dict)


class Unlike(NamedTuple):
    """Where a shape differs. `cause` is equal for what is one and the same in several answers."""

    what: str
    path: str
    recorded: str
    upstream: str
    cause: tuple[str, ...]


class _Place(NamedTuple):
    shown: str
    owner: str
    way: str
    state: str
    parted: bool
    chance: bool


class Profile:
    """The shape of documents."""

    def __init__(self) -> None:
        self.nodes: dict[Key, dict[str, Node]] = {}
        self.kinds: dict[str, dict[str, Key]] = {}
        """What the objects at a path are, as it is shown, and a key of each."""
        self._count = 0

    def add(self, document: object, shown: str = "$") -> None:
        """Take in a document; `shown` is what its paths begin with."""
        self._value(document, _Place(shown, "", "", "", parted=False, chance=False), 0)

    def union(self, key: Key) -> Node | None:
        """Objects of a key in any state."""
        states = self.nodes.get(key)
        if not states:
            return None
        first = next(iter(states.values()))
        whole = Node(first.shown, first.parted)
        for node in states.values():
            whole.count += node.count
            for name, found in node.fields.items():
                merged = whole.fields.setdefault(name, Field())
                merged.count += found.count
                merged.types |= found.types
        return whole

    def _value(self, value: object, place: _Place, depth: int) -> None:
        if depth > DEEPEST:
            return
        if isinstance(value, list):
            chance = place.chance or place.way.rpartition(".")[2] in BY_CHANCE
            inner = place._replace(shown=place.shown + "[*]", way=place.way + "[*]", chance=chance)
            for item in value[:MOST_ITEMS]:
                self._value(item, inner, depth + 1)
        elif isinstance(value, dict):
            self._object(value, _named(value, place), depth)

    def _object(self, value: dict[str, object], place: _Place, depth: int) -> None:
        states = self.nodes.setdefault((place.owner, place.way), {})
        node = states.get(place.state)
        if node is None:
            if self._count >= MOST_NODES:
                return
            self._count += 1
            node = states[place.state] = Node(place.shown, place.parted)
        if not place.chance:
            self.kinds.setdefault(place.shown, {}).setdefault(_kind(place), (place.owner, place.way))
        node.count += 1
        for name, child in value.items():
            found = node.fields.get(name)
            if found is None:
                if len(node.fields) >= MOST_FIELDS:
                    continue
                found = node.fields[name] = Field()
            found.count += 1
            if name == "arguments" and isinstance(child, str) and place.way.endswith("function") and not place.parted:
                child = _arguments(child)
            found.types.add(type_of(child))
            if name not in OPAQUE:
                shown = (place.shown + member(name))[:LONGEST_PATH]
                self._value(child, place._replace(shown=shown, way=f"{place.way}.{name}"), depth + 1)


def type_of(value: object) -> str:
    """A JSON type by its name; whole and broken numbers are one, as in JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "list", dict: "object"}.get(type(value), "value")


def member(name: str) -> str:
    """A field's step in a path, fit to be shown."""
    return f".{name}" if name.isidentifier() and name.isascii() and len(name) <= 60 else f'["{clip(name, 60)}"]'


def unlike(live: Profile, known: Profile, *, loose: bool = False) -> Iterator[Unlike]:
    """Where a live answer's shape is another than what the recording knows of such answers.

    `loose`: the two were taken at moments that need not be the same, so a null says nothing.
    """
    changed: list[str] = []
    for key, states in live.nodes.items():
        whole = known.union(key)
        if whole is None:
            node = next(iter(states.values()))
            if not any(node.shown.startswith(path) for path in changed):  # else the outer object's kind tells why
                changed.append(node.shown)
                yield from _unknown(node, key, live, known)
            continue
        for state, node in states.items():
            reference = known.nodes[key].get(state, whole)
            strict = not loose and state in known.nodes[key] and state not in PASSING
            yield from _fields(key, node, reference, whole, state=state if strict else None)


def _fields(key: Key, node: Node, reference: Node, whole: Node, *, state: str | None) -> Iterator[Unlike]:
    """Compare fields with known objects in the same state (`reference`) and in any. Without `state` a null says nothing."""
    for name, expected in reference.fields.items():
        found = node.fields.get(name)
        if expected.count < reference.count:
            continue
        if found is None:
            yield _unlike("field missing", key, node, name, _types(whole.fields[name]), "nothing")
        elif found.count < node.count and not node.parted:
            yield _unlike("field missing", key, node, name, _types(whole.fields[name]), "nothing, in some")
    for name, found in node.fields.items():
        expected = whole.fields.get(name)
        if expected is None:
            yield _unlike("field added", key, node, name, "nothing", _types(found))
            continue
        if expected.types == {"null"}:
            continue
        if new := found.types - expected.types - {"null"}:
            yield _unlike("type changed", key, node, name, _types(expected), " or ".join(sorted(new)))
        before = reference.fields.get(name, expected)
        if state is not None and "null" in found.types and "null" not in before.types:
            told = f"null ({state})" if state else "null"
            yield _unlike("type changed", key, node, name, _types(before), told)


def _unknown(node: Node, key: Key, live: Profile, known: Profile) -> Iterator[Unlike]:
    """An object that no recorded answer has, in the place of known ones: one that lacks what told its kind, or another kind.

    Where nothing was known at that place, something else tells why: a field that was added, a type, a null.
    """
    before = known.kinds.get(node.shown, {})
    now = live.kinds.get(node.shown, {}).keys() - before.keys()
    if not before or not now:
        return
    for other in before.values():
        whole = known.union(other)
        if whole is not None and any(name in whole.fields and name not in node.fields for name in _TELLING):
            yield from _fields(other, node, whole, whole, state=None)
            return
    told, new = (" or ".join(sorted(each)) for each in (before, now))
    yield Unlike("kind changed", node.shown, told, new, ("kind changed", *key, told, new))


def _unlike(what: str, key: Key, node: Node, name: str, recorded: str, upstream: str) -> Unlike:
    path = (node.shown + member(name))[:LONGEST_PATH]
    kind = key[0].partition(" ")[0]  # one field of messages, say, whoever's they are
    return Unlike(what, path, recorded, upstream, (what, kind, key[1], name, upstream))


def _types(found: Field) -> str:
    return " or ".join(sorted(found.types, key=lambda name: (name == "null", name)))


def _named(value: dict[str, object], place: _Place) -> _Place:
    """The place of an object, by what it says of itself."""
    kind, said = value.get("object"), _word(value.get("type"))
    if isinstance(kind, str) and not place.parted:
        owner = " ".join(filter(None, (_word(kind), _word(value.get("role")) or said)))
        state = _word(value.get("status"))
        return place._replace(owner=owner, way="", state=state, parted=kind.endswith(".delta"))
    if said and place.way and not place.parted and not place.way.endswith(".error"):
        function = value.get("function")
        name = _word(function.get("name")) if isinstance(function, dict) else ""
        return place._replace(way=f"{place.way}<{said} {name}>" if name else f"{place.way}<{said}>")
    return place


def _word(value: object) -> str:
    return clip(value, 60) if isinstance(value, str) else ""


def _kind(place: _Place) -> str:
    """What an object at a place is, without the name of a function: which functions are called is compared elsewhere."""
    if place.way.endswith(">"):
        return place.way[place.way.rindex("<") + 1 : -1].partition(" ")[0]
    return place.owner if not place.way else "object"


def _arguments(text: str) -> object:
    """Arguments as the JSON that they spell, or the text where they spell none."""
    value = models.parse(text)
    return text if value is None else value


def profile_of(documents: Iterable[tuple[str, object]]) -> Profile:
    """The shape of documents, each with what its paths begin with."""
    profile = Profile()
    for shown, document in documents:
        profile.add(document, shown)
    return profile
