"""A JSON body that a recorder took apart, written as JSON again.

What it kept is the value: white space, escapes and the spelling of a number may have been others on the wire. Members stay
in the order of the file. Written is the shortest form, in UTF-8. Aliases make a tree of any size out of a few nodes, so
depth and number of values are capped here too.
"""

import json
import re
from collections.abc import Iterator

from .fields import BARE, Field

REWRITTEN = "body written anew from its JSON: the recorder keeps the value, not the bytes"
"""The loss that whoever calls this has to tell of."""

DEEPEST = 64
MOST_VALUES = 200_000
VALUE_COSTS = 16
"""What a value takes of the allowance besides its text."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": "true", "True": "true", "TRUE": "true", "false": "false", "False": "false", "FALSE": "false"}


def json_of(field: Field) -> bytes:
    """The value of `field`, which may be null, as JSON. Raises CassetteError for one too deep or too large."""
    parts = list(_Writer().parts(field, 1))
    return "".join(parts).encode("utf-8")


class _Writer:
    def __init__(self) -> None:
        self._values = 0

    def parts(self, field: Field, depth: int) -> Iterator[str]:
        self._values += 1
        if depth > DEEPEST or self._values > MOST_VALUES:
            field.fail(f"a body nested deeper than {DEEPEST}, or of more than {MOST_VALUES:,} values")
        field.allowance.spend(VALUE_COSTS, field)
        if field.is_map:
            before = "{"
            for name, value in field.pairs():
                field.allowance.spend(len(name), field)
                yield before + _quoted(name) + ":"
                yield from self.parts(value, depth + 1)
                before = ","
            yield "{}" if before == "{" else "}"
        elif field.is_list:
            before = "["
            for item in field.items():
                yield before
                yield from self.parts(item, depth + 1)
                before = ","
            yield "[]" if before == "[" else "]"
        else:
            yield _scalar(field)


def _scalar(field: Field) -> str:
    if field.node.value is None:
        return "null"
    text = field.text()
    if field.node.tag == BARE:
        if text in _WORDS:
            return _WORDS[text]
        if _NUMBER.fullmatch(text):
            return text
    return _quoted(text)


def _quoted(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot hold and an escape can
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)
