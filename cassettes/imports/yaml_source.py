"""YAML, read as a hostile text: events in, plain nodes out, one top-level list item at a time.

PyYAML's parser gives the events (libyaml's when it is there); no PyYAML constructor ever runs. Scalars stay text, so
that `no` is not False and a body that looks like a date stays what it was; those without quotes are tagged as bare.
Tags: the few that VCR.py and Ruby's VCR write for strings and bytes; any other is refused by name and line. An alias is
a reference to the node it names, never a copy. Depth, nodes in an item and nodes kept for aliases are capped; nothing
recurses.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

from ..errors import CassetteError, UsageError
from ..text import clip
from .fields import BARE, Entry, Node

DEEPEST = 64
MOST_NODES = 200_000
"""Nodes in one item. A recorded call has some 130."""

MOST_KEPT = 2_000_000
"""Nodes behind anchors, which have to be kept to the end of the file."""

_TEXT = {"str", "python/str", "python/unicode", "int", "float", "bool", "timestamp"}
_LISTS = {"seq", "python/tuple"}
_MAPS = {"map", "python/object/new:_io.BytesIO", "python/object/apply:builtins.iter"}
_STANDARD = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def read(data: bytes, file: str, streamed: Collection[str]) -> Iterator[Entry]:
    """Yield the top map's fields in the order of the file.

    The items of a list under a name in `streamed` come one by one and are not kept; after them comes an Entry without
    a number, an empty list. Raises CassetteError for what is not such YAML, UsageError where PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise UsageError(
            f"{file} is YAML, and PyYAML, which reads it, is not installed", "pip install 'pyyaml>=6.0'"
        ) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CassetteError(f"{file}: the text is UTF-16", "Save it as UTF-8.")
    if match := re.search(rb"^%TAG", data, re.MULTILINE):
        # The parser compares each declaration with all before it: a megabyte of them takes minutes.
        line = data.count(b"\n", 0, match.start()) + 1
        raise CassetteError(f"{file}: line {line} declares a tag (%TAG), and no recorder does", _HINT)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(file, streamed)
    events = yaml.parse(data, Loader=loader)
    try:
        for event in events:
            yield from builder.take(event, type(event).__name__)
    except yaml.YAMLError as error:
        raise CassetteError(f"{file}: {_told(error)}", _HINT) from None
    finally:
        events.close()


_HINT = "Only recordings as VCR.py, Ruby's VCR and cassetter write them can be imported."


def _told(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1} is not YAML: {clip(str(getattr(error, 'problem', '')), 120)}"
    reason = clip(str(getattr(error, "reason", error)), 120)
    place = getattr(error, "position", None)
    return f"not YAML: {reason}" + (f" (at byte {place})" if place is not None else "")


class _Frame:
    """A list or a map that is not finished. `before` is the count of nodes when it began."""

    __slots__ = ("anchor", "before", "key", "node")

    def __init__(self, node: Node, anchor: str | None, before: int) -> None:
        self.node = node
        self.anchor = anchor
        self.before = before
        self.key: str | None = None


class _Builder:
    """Turns events into nodes, keeping the unfinished containers on a list of its own instead of the call stack."""

    def __init__(self, file: str, streamed: Collection[str]) -> None:
        self._file = file
        self._streamed = streamed
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._nodes = 0
        self._item_began = 0
        self._kept = 0
        self._index = 0

    def take(self, event: Any, kind: str) -> Iterator[Entry]:
        line = event.start_mark.line + 1
        if kind == "ScalarEvent":
            self._count(line)
            return self._finished(self._scalar(event, line), event.anchor, 1, line)
        if kind == "AliasEvent":
            self._count(line)
            node = self._anchors.get(event.anchor)
            if node is None:
                self._refuse(line, f"the alias *{clip(event.anchor, 40)} names nothing that is finished above it")
            return self._finished(node, None, 1, line)
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._begin(event, kind == "MappingStartEvent", line)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            frame = self._frames.pop()
            if frame.key is not None:
                self._refuse(line, "a key has no value")
            return self._finished(frame.node, frame.anchor, self._nodes - frame.before, line)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._refuse(line, "a second document begins, and a recording is one")
        return iter(())

    def _refuse(self, line: int, problem: str) -> NoReturn:
        raise CassetteError(f"{self._file}: line {line}: {problem}", _HINT)

    def _count(self, line: int) -> None:
        self._nodes += 1
        if self._nodes - self._item_began > MOST_NODES:
            self._refuse(line, f"one item holds more than {MOST_NODES:,} values")

    def _begin(self, event: Any, is_map: bool, line: int) -> None:
        tag = _short(event.tag)
        if tag and tag not in (_MAPS if is_map else _LISTS):
            self._refuse_tag(event.tag, line)
        if len(self._frames) >= DEEPEST:
            self._refuse(line, f"nested deeper than {DEEPEST}")
        if self._frames and isinstance(self._frames[-1].node.value, dict) and self._frames[-1].key is None:
            self._refuse(line, "a list or a map stands where a key is expected")
        if not self._frames and not is_map:
            self._refuse(line, "a list stands at the top: VCR.py before 1.0 and PHP-VCR write so, neither can be read")
        self._count(line)
        if len(self._frames) == 1:
            self._index = 0
        self._frames.append(_Frame(Node({} if is_map else [], line, tag), event.anchor, self._nodes - 1))

    def _refuse_tag(self, tag: str, line: int) -> NoReturn:
        self._refuse(line, f"the tag {clip(tag, 80)} asks for an object, and only text, bytes, lists and maps are read")

    def _scalar(self, event: Any, line: int) -> Node:
        tag = _short(event.tag)
        if not tag:
            if not event.implicit[0]:  # quoted
                return Node(event.value, line)
            return Node(None, line) if event.value in _NULLS else Node(event.value, line, BARE)
        if tag in {"binary", "!binary"}:
            try:
                return Node(base64.b64decode("".join(event.value.split()), validate=True), line)
            except (binascii.Error, ValueError):
                self._refuse(line, "this is tagged as binary and is not base64")
        if tag == "null":
            return Node(None, line)
        if tag not in _TEXT:
            self._refuse_tag(event.tag, line)
        return Node(event.value, line)

    def _finished(self, node: Node, anchor: str | None, size: int, line: int) -> Iterator[Entry]:
        """Put a finished node where it belongs; yield it where it is a field of the top, or a streamed item."""
        if anchor is not None:
            self._kept += size
            if self._kept > MOST_KEPT:
                self._refuse(line, f"more than {MOST_KEPT:,} values are anchored")
            self._anchors[anchor] = node
        if not self._frames:
            if not isinstance(node.value, dict):
                self._refuse(line, "a single value is not a recording")
            return
        frame = self._frames[-1]
        into = frame.node.value
        if isinstance(into, list):
            if len(self._frames) == 2 and self._frames[0].key in self._streamed:
                yield Entry(str(self._frames[0].key), self._index, node)
                self._index += 1
                self._item_began = self._nodes
            else:
                into.append(node)
        elif frame.key is None:
            frame.key = self._key(node, line)
            if isinstance(into, dict) and frame.key in into:
                self._refuse(line, f"the key {clip(frame.key, 40)!r} stands twice in one map")
        elif isinstance(into, dict):
            key, frame.key = frame.key, None
            into[key] = node
            if len(self._frames) == 1:
                yield Entry(key, None, node)

    def _key(self, node: Node, line: int) -> str:
        key = node.value
        if isinstance(key, bytes):
            return key.decode("utf-8", "replace")
        if not isinstance(key, str):
            self._refuse(line, "a key that is not text")
        return key


def _short(tag: str | None) -> str:
    if tag is None or tag == "!":
        return ""
    return tag.removeprefix(_STANDARD)
