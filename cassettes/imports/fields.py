"""What a foreign recording holds, as a tree of scalars, lists and maps, and the only way to walk it.

A source (`yaml_source`, `json_source`) builds the nodes; a format asks for the fields that it knows, each by name and
kind. Whatever is missing or of another kind is a CassetteError that names the file, the field and the line. Nothing is
walked that nobody asked for, so a tree that contains itself through aliases does no harm.
"""

from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from ..errors import CassetteError
from ..text import clip

MOST_BYTES = 1 << 30
"""All that one import may come to, decoded. Aliases and compression make much of little; this is where it stops."""


BARE = "bare"
"""The tag of a scalar that stands without quotes: a number, true or false, if it is spelled like one."""


class Node:
    """A value of the file. `value` is None, text, bytes, a list or a map; `tag` marks the few maps that stand for
    something else, and bare scalars; `line` counts from 1 and is 0 where the source does not know it."""

    __slots__ = ("line", "tag", "value")

    def __init__(
        self, value: "str | bytes | list[Node] | dict[str, Node] | None", line: int = 0, tag: str = ""
    ) -> None:
        self.value = value
        self.line = line
        self.tag = tag


class Entry(NamedTuple):
    """A field of the top map, or (with `item`, its number) one item of a field that is read item by item."""

    name: str
    item: int | None
    node: Node


class Allowance:
    """The bytes that an import may still take in."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self.left = most

    def spend(self, size: int, where: "Field") -> None:
        self.left -= size
        if self.left < 0:
            where.fail(
                f"the import comes to more than {self.most:,} bytes by here", "Import the files into several cassettes."
            )


class Field:
    """A node with its place, for reading and for blaming."""

    __slots__ = ("allowance", "file", "node", "path")

    def __init__(self, node: Node, file: str, path: str, allowance: Allowance) -> None:
        self.node = node
        self.file = file
        self.path = path
        self.allowance = allowance

    def fail(self, problem: str, hint: str = "") -> NoReturn:
        line = f" (line {self.node.line})" if self.node.line else ""
        raise CassetteError(f"{self.file}: {clip(self.path, 160)}{line}: {problem}", hint)

    def _kind(self) -> str:
        return {str: "text", bytes: "bytes", list: "a list", dict: "a map"}.get(type(self.node.value), "nothing")

    def _below(self, node: Node, step: str) -> "Field":
        return Field(node, self.file, self.path + step, self.allowance)

    @property
    def is_map(self) -> bool:
        return isinstance(self.node.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node.value, list)

    def has(self, name: str) -> bool:
        return isinstance(self.node.value, dict) and name in self.node.value

    def get(self, name: str) -> "Field | None":
        """The field of that name; None when it is absent or null."""
        if not isinstance(self.node.value, dict):
            self.fail(f"a map is expected here, and this is {self._kind()}")
        node = self.node.value.get(name)
        return None if node is None or node.value is None else self._below(node, f".{name}")

    def below(self, name: str) -> "Field":
        """The field of that name, which may be null."""
        if not isinstance(self.node.value, dict) or name not in self.node.value:
            self.fail(f"`{name}` is missing")
        return self._below(self.node.value[name], f".{name}")

    def need(self, name: str) -> "Field":
        field = self.get(name)
        if field is None:
            self.fail(f"`{name}` is missing")
        return field

    def text(self) -> str:
        value = self.node.value
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            self.fail(f"text is expected here, and this is {self._kind()}")
        self.allowance.spend(len(value), self)
        return value

    def data(self) -> bytes:
        """The bytes that the recorder had: text is UTF-8 of it, `!!binary` is what it encodes."""
        value = self.node.value
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        if not isinstance(value, bytes):
            self.fail(f"text or bytes are expected here, and this is {self._kind()}")
        self.allowance.spend(len(value), self)
        return value

    def number(self, least: int, most: int) -> int:
        text = self.text().strip()
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
            self.fail(f"a number from {least} to {most} is expected here, and this is {clip(text, 40)!r}")
        return int(text)

    def items(self) -> Iterator["Field"]:
        if not isinstance(self.node.value, list):
            self.fail(f"a list is expected here, and this is {self._kind()}")
        for index, node in enumerate(self.node.value):
            yield self._below(node, f"[{index}]")

    def pairs(self) -> Iterator[tuple[str, "Field"]]:
        if not isinstance(self.node.value, dict):
            self.fail(f"a map is expected here, and this is {self._kind()}")
        for name, node in self.node.value.items():
            yield name, self._below(node, f".{name}")
