"""JSON values as Python source, with names in place of ids that the program learns while it runs.

Foreign text stands in `repr`, or all in ASCII where that would still let an inkless character through: no text can end
its literal, and none can hide.
"""

import json
from collections.abc import Callable

from ..text import safe

WIDTH = 100
DEEPEST = 40
"""Python's own parser stops at 200 brackets."""

Names = Callable[[str], str | None]
"""The expression for an id, None where the program has not learned it."""


def quoted(text: str) -> str:
    plain = repr(text)
    return plain if safe(plain) == plain else ascii(text)


def literal(value: object, names: Names, indent: int) -> str:
    """The source of a value at `indent` columns: on one line where it fits, else a line for each element."""
    line = _one_line(value, names)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        parts = [f"{inner}{quoted(key)}: {literal(below, names, indent + 4)},\n" for key, below in value.items()]
        return "{\n" + "".join(parts) + " " * indent + "}"
    parts = [f"{inner}{literal(below, names, indent + 4)},\n" for below in value]
    return "[\n" + "".join(parts) + " " * indent + "]"


def _one_line(value: object, names: Names) -> str:
    if isinstance(value, str):
        return names(value) or quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {_one_line(below, names)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_one_line(below, names) for below in value) + "]"
    return repr(value)


def json_value(data: bytes) -> object:
    """The value of a body that the program can write anew with the same meaning.

    Raises ValueError for what is no JSON, and for JSON that a literal cannot stand for: too deep, a name twice, lone
    surrogates, numbers without a value.
    """
    try:
        value = json.loads(data, object_pairs_hook=_object, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    if _depth(value) > DEEPEST:
        raise ValueError("nested too deep")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return whole


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            below
            for each in level
            if isinstance(each, dict | list)
            for below in (each.values() if isinstance(each, dict) else each)
        ]
    return depth
