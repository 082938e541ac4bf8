"""The fields of the filter language, one row each: the table that filters, their docs and completion read.

A field turns an operator and a value into a test of one call. Fields that need no decoding are answered by the index.
"""

import difflib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from . import ranges
from .evidence import Evidence
from .interaction import End
from .needle import Needle
from .operations import OPERATIONS
from .ranges import BadValue, Single
from .summary import CUT, STREAM, Summary

Test = Callable[[Evidence], bool]


class Value(NamedTuple):
    """What stands behind the operator. In quotes, `*`, `?` and `|` stand for themselves."""

    text: str
    quoted: bool


class Field(NamedTuple):
    """`test` makes a test of an operator and a value; it raises BadValue for what it cannot be asked."""

    name: str
    example: str
    meaning: str
    decodes: bool
    test: Callable[[str, Value], Test]
    compares: bool = False
    """Whether `>`, `>=`, `<` and `<=` may stand behind it."""


def glob(pattern: str, text: str) -> bool:
    """Whether `*` (any text) and `?` (any character) make the pattern the text. At worst the product of both lengths."""
    at = place = 0
    star = resume = -1
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at += 1
            place += 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return pattern[at:].strip("*") == ""


def _words(value: Value, *, fold: bool) -> Callable[[str], bool]:
    """Whether a text is one of those that a value names, between `|` and with globs."""
    if value.quoted:
        return lambda text: text == value.text
    patterns = (value.text.lower() if fold else value.text).split("|")
    if "" in patterns:
        raise BadValue("there is nothing between two `|`" if len(patterns) > 1 else "there is no value")
    if fold:
        return lambda text: any(glob(pattern, text.lower()) for pattern in patterns)
    return lambda text: any(glob(pattern, text) for pattern in patterns)


def _any(take: Callable[[Evidence], Iterable[str]], *, fold: bool = False) -> Callable[[str, Value], Test]:
    def make(_: str, value: Value) -> Test:
        fits = _words(value, fold=fold)
        return lambda call: any(map(fits, take(call)))

    return make


def _numeric(take: Callable[[Summary], int], single: Single) -> Callable[[str, Value], Test]:
    def make(operator: str, value: Value) -> Test:
        wanted = ranges.ranges(value.text, single, operator)
        return lambda call: any(low <= take(call.summary) < high for low, high in wanted)

    return make


_OTHER = "other"
_NAMES = {operation.number: operation.name for operation in OPERATIONS}
_METHODS = {operation.number: operation.method for operation in OPERATIONS}
_POLL = next(operation.number for operation in OPERATIONS if operation.name == "getRun")


def _operation(_: str, value: Value) -> Test:
    fits = _words(value, fold=True)
    names = (*_NAMES.values(), _OTHER)
    for pattern in [value.text] if value.quoted else value.text.split("|"):
        if not any(glob(pattern.lower(), name.lower()) for name in names):
            raise BadValue(f"there is no operation {pattern}{_nearest(pattern, names)}")
    numbers = frozenset(number for number, name in (*_NAMES.items(), (0, _OTHER)) if fits(name))
    return lambda call: (call.summary.operation if call.summary.operation in _NAMES else 0) in numbers


STATES = ("queued", "in_progress", "requires_action", "cancelling", "cancelled", "failed", "completed", "incomplete",
          "expired")  # fmt: skip
"""The API's states of a run. A server may have others; one that is nearly one of these is a slip, unless it is quoted."""


def _status(operator: str, value: Value) -> Test:
    for word in () if value.quoted else value.text.split("|"):
        near = "" if word in STATES or set("*?") & set(word) else _nearest(word, STATES)
        if near:
            raise BadValue(f"there is no state {word}{near} In quotes it is looked for as it is")
    return _any(lambda call: call.told.statuses)(operator, value)


def _method(call: Evidence) -> tuple[str]:
    return (_METHODS.get(call.summary.operation) or call.interaction.request.method,)


def _path(_: str, value: Value) -> Test:
    if value.quoted or not set("*?|") & set(value.text):
        return lambda call: value.text in call.target
    fits = _words(value, fold=False)
    return lambda call: fits(call.target) or fits(call.target.partition("?")[0])


def _text(_: str, value: Value) -> Test:
    if not value.text:
        raise BadValue("there is no text to look for")
    needle = Needle(value.text)
    return lambda call: call.says(needle)


KINDS: dict[str, tuple[str, Test]] = {
    "poll": ("a `getRun`", lambda call: call.summary.operation == _POLL),
    "write": ("changes something", lambda call: call.summary.writes),
    "read": ("changes nothing", lambda call: not call.summary.writes),
    "stream": ("answered by a stream", lambda call: bool(call.summary.flags & STREAM)),
    "cut": ("ended before its end", lambda call: bool(call.summary.flags & CUT) and not _unanswered(call)),
    "error": ("400 or more, or no answer from the upstream", lambda call: call.summary.status >= 400),
    "first-of-kind": (
        "the first in its thread to ask this and be answered this",
        lambda call: call.witness.is_first(call.summary),
    ),
}


def _unanswered(call: Evidence) -> bool:
    """The proxy's own answer where the upstream gave none, which is an error and no cut. Decodes a few calls only."""
    return call.summary.status in (502, 504) and call.interaction.end is End.UPSTREAM_FAILED


def _is(_: str, value: Value) -> Test:
    tests: list[Test] = []
    for word in value.text.split("|"):
        if word not in KINDS:
            raise BadValue(f"there is no kind {word or 'without a name'}{_nearest(word, KINDS)}")
        tests.append(KINDS[word][1])
    return lambda call: any(test(call) for test in tests)


FIELDS: tuple[Field, ...] = (
    Field(
        "status",
        "status:failed",
        "the state of a run that the answer tells",
        True,
        _status,
    ),
    Field(
        "http",
        "http:5xx|404",
        "the HTTP status; `none` where there was no answer",
        False,
        _numeric(lambda summary: summary.status, ranges.status),
        True,
    ),
    Field(
        "dur",
        "dur>2s",
        "how long the call took (`us`, `ms`, `s`, `m`, `h`)",
        False,
        _numeric(lambda summary: summary.duration_us, ranges.duration),
        True,
    ),
    Field(
        "tool",
        "tool:lookup_*",
        "the name of a tool that is called, or whose output is submitted",
        True,
        _any(lambda call: call.told.tools.values()),
    ),
    Field(
        "op",
        "op:createRun",
        "the operation, by its name in the API's description; `other` for other paths",
        False,
        _operation,
    ),
    Field(
        "path",
        "path:/runs/",
        "a part of path and query below the base; with `*` or `?` the whole of it",
        True,
        _path,
    ),
    Field(
        "method",
        "method:POST",
        "the HTTP method",
        True,
        _any(_method, fold=True),
    ),
    Field(
        "thread",
        "thread:thread_ab*",
        "the thread; for other calls their collection, such as `/assistants`",
        False,
        _any(lambda call: (call.scope,)),
    ),
    Field(
        "run",
        "run:run_7",
        "a run that the path or the answer names",
        True,
        _any(lambda call: call.told.runs),
    ),
    Field(
        "is",
        "is:poll",
        "one of: " + "; ".join(f"`{name}` {meaning}" for name, (meaning, _) in KINDS.items()),
        False,
        _is,
    ),
    Field(
        "text",
        'text:"free words"',
        "a text in the body of request or answer, in any case",
        True,
        _text,
    ),
    Field(
        "time",
        "time>=2026-01-02T03:04",
        "when the request came (UTC); a day stands for all of it",
        False,
        _numeric(lambda summary: summary.started_us, ranges.moment),
        True,
    ),
    Field(
        "n",
        "n:10..20",
        "the number of the call, as in `ls`",
        False,
        _numeric(lambda summary: summary.arrival, ranges.number),
        True,
    ),
)
"""All fields, in the order of the docs."""

BY_NAME = {field.name: field for field in FIELDS}


def _nearest(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word[:64], list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def nearest_field(word: str) -> str:
    """`; did you mean X?`, or nothing where no field's name is near."""
    return _nearest(word.lower(), BY_NAME)


def table_as_markdown() -> str:
    """The table in the docs."""
    rows = [
        "| field | for example | finds calls by | reads |",
        "|---|---|---|---|",
        *(
            f"| `{field.name}` | `{field.example.replace('|', chr(92) + '|')}` | {field.meaning} | "
            f"{'records' if field.decodes else 'the index'} |"
            for field in FIELDS
        ),
    ]
    return "\n".join(rows) + "\n"
