"""JSON, read as a hostile text into the same nodes as YAML, whoever wrote it.

Numbers stay text, as they stand in the file, and are tagged as bare. Lines are not known. Size and depth are capped.
"""

import json
from collections.abc import Collection, Iterator
from typing import NoReturn

from ..errors import CassetteError
from ..text import clip
from .fields import BARE, Entry, Node

DEEPEST = 64
MOST_BYTES = 16 << 20
"""The whole text is held as values, some thirty times its size at worst."""


def read(data: bytes, file: str) -> dict[str, object]:
    """The top object, as plain values. Raises CassetteError for what is not a JSON object."""
    if len(data) > MOST_BYTES:
        raise CassetteError(f"{file}: JSON of {len(data):,} bytes, and {MOST_BYTES:,} are read at most", _HINT)
    try:
        top = json.loads(
            data.decode("utf-8-sig"),
            parse_int=_Bare,
            parse_float=_Bare,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise CassetteError(f"{file}: nested deeper than {DEEPEST}", _HINT) from None
    except UnicodeDecodeError as error:
        raise CassetteError(f"{file}: not UTF-8 (at byte {error.start})", _HINT) from None
    except json.JSONDecodeError as error:
        raise CassetteError(f"{file}: line {error.lineno} is not JSON: {error.msg}", _HINT) from None
    except ValueError as error:
        raise CassetteError(f"{file}: {clip(str(error), 120)}", _HINT) from None
    if not isinstance(top, dict):
        raise CassetteError(f"{file}: no JSON object stands at the top, so this is no recording", _HINT)
    return top


def entries(top: dict[str, object], file: str, streamed: Collection[str]) -> Iterator[Entry]:
    """The object's fields in the order of the file, the items of a list under a name in `streamed` one by one."""
    for name, value in top.items():
        if name in streamed and isinstance(value, list):
            for index, item in enumerate(value):
                yield Entry(name, index, _node(item, file, 2))
            value = []
        yield Entry(name, None, _node(value, file, 1))


_HINT = "Recordings of VCR.py, Ruby's VCR and Azure's test proxy, HAR and respool's JSON Lines can be imported."


class _Bare(str):
    """A number as it stands in the file."""

    __slots__ = ()


def node(value: object, file: str) -> Node:
    """A plain value as nodes."""
    return _node(value, file, 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return whole


def _node(value: object, file: str, depth: int) -> Node:
    if depth > DEEPEST:
        raise CassetteError(f"{file}: nested deeper than {DEEPEST}", _HINT)
    if isinstance(value, dict):
        return Node({name: _node(below, file, depth + 1) for name, below in value.items()})
    if isinstance(value, list):
        return Node([_node(below, file, depth + 1) for below in value])
    if isinstance(value, bool):
        return Node("true" if value else "false", tag=BARE)
    if isinstance(value, _Bare):
        return Node(str(value), tag=BARE)
    return Node(value if isinstance(value, str) else None)
