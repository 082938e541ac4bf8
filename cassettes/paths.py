"""JSONPath rules (RFC 9535): read by python-jsonpath, and walked here, in time in proportion to a body.

The library's own walk spells out the path of each node that it visits and takes ten times as long. Refused: a second
`..`, functions (`match` and `search` run any regular expression), and filters that do more than compare members of the
element with literals. What is left looks at each node of a body a bounded number of times, since nodes found twice go
on once. Imported only when there is such a rule.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from jsonpath import UNDEFINED, JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath.filter import (
    BaseExpression,
    FilterExpression,
    FilterExpressionLiteral,
    InfixExpression,
    Nil,
    PrefixExpression,
    RelativeFilterQuery,
)
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector, SliceSelector, WildcardSelector

from .canonical import Number
from .errors import UsageError
from .text import clip

MOST_STEPS = 250_000
"""Steps for all rules of one body, a step being one selector's look at one node: about a second."""
MOST_TERMS = 20
"""Comparisons and tests in the filters of one rule."""

_ENVIRONMENT = JSONPathEnvironment(filter_caching=False, strict=True)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

Keys = Callable[[object], Iterable[int | str]]
"""A selector: the members of an object, or the elements of an array, that it chooses."""
Value = Callable[[object], object]


class Segment(NamedTuple):
    descends: bool
    selectors: tuple[Keys, ...]


class Path(NamedTuple):
    """A JSONPath rule. `fixed`: steps that it takes in any body; `a_node`: and for each node of the body."""

    segments: tuple[Segment, ...]
    fixed: int
    a_node: int


class _Unfit(Exception):
    """A filter that rules may not have."""


@lru_cache(maxsize=256)
def parse_path(text: str) -> Path:
    """Read a rule that begins with `$`. Raises UsageError that says where in it something is wrong."""
    try:
        query = _ENVIRONMENT.compile(text)
    except JSONPathError as error:
        at = error.token.index if error.token else -1
        raise _refusal(text, str(error.message), at if at >= 0 else len(text)) from None
    except (ValueError, ArithmeticError):  # a number beyond all bounds, which the library does not catch
        raise _refusal(text, "a number in it cannot be read", 0) from None
    if not isinstance(query, JSONPath):
        raise _refusal(text, "it is more than one path", 0)
    segments: list[Segment] = []
    fixed = a_node = 0
    terms: list[BaseExpression] = []
    for segment in query.segments:
        descends = isinstance(segment, JSONPathRecursiveDescentSegment)
        if descends and any(before.descends for before in segments):
            raise _refusal(text, "a rule has one `..` at most", segment.token.index)
        before = len(terms)
        try:
            segments.append(Segment(descends, tuple(_keys(selector, terms) for selector in segment.selectors)))
        except _Unfit:
            why = "a filter may compare members of the element with literals, joined by &&, || and !, and nothing else"
            raise _refusal(text, why, segment.token.index) from None
        one = not descends and all(isinstance(each, (NameSelector, IndexSelector)) for each in segment.selectors)
        if one and len(segment.selectors) == 1 and not a_node:
            fixed += 1
        else:
            a_node += len(segment.selectors) + len(terms) - before
    if len(terms) > MOST_TERMS:
        raise _refusal(text, f"its filters hold more than {MOST_TERMS} comparisons", 0)
    return Path(tuple(segments), fixed, a_node)


def without(value: object, paths: Iterable[Path]) -> object:
    """`value`, changed in place, without what any of the paths finds in it; as it is where that takes too many steps."""
    paths = tuple(paths)
    steps = sum(path.fixed for path in paths)
    if a_node := sum(path.a_node for path in paths):
        steps += a_node * _count(value, MOST_STEPS // a_node + 1)
    if steps > MOST_STEPS:
        return value
    found: dict[int, tuple[object, set[int | str]]] = {}
    for path in paths:
        if not path.segments:
            return {}
        for holder, key in _found(path.segments, value):
            found.setdefault(id(holder), (holder, set()))[1].add(key)
    for holder, keys in found.values():
        if isinstance(holder, dict):
            for key in keys:
                del holder[key]
        elif isinstance(holder, list):
            holder[:] = [element for number, element in enumerate(holder) if number not in keys]
    return value


def _found(segments: tuple[Segment, ...], value: object) -> Iterable[tuple[object, int | str]]:
    """The nodes that a path finds, each once, as what holds it and its name or number in there."""
    nodes = [value]
    found: dict[tuple[int, int | str], tuple[object, int | str]] = {}
    for descends, selectors in segments:
        found = {
            (id(node), key): (node, key)
            for node in (_descendants(nodes) if descends else nodes)
            if isinstance(node, (dict, list))
            for selector in selectors
            for key in selector(node)
        }
        nodes = [holder[key] for holder, key in found.values()]  # pyright: ignore[reportIndexIssue]
    return found.values()


def _descendants(nodes: list[object]) -> Iterable[dict[str, object] | list[object]]:
    """The nodes with all below them, as far as they can hold others."""
    while nodes:
        holders = [node for node in nodes if isinstance(node, (dict, list))]
        yield from holders
        nodes = [child for node in holders for child in (node.values() if isinstance(node, dict) else node)]


def _count(value: object, most: int) -> int:
    """The nodes of a body; `most` where there are more."""
    count = 1
    for node in _descendants([value]):
        count += len(node)
        if count >= most:
            return most
    return count


def _keys(selector: JSONPathSelector, terms: list[BaseExpression]) -> Keys:
    """A selector as a function; what its filter tests is added to `terms`."""
    if isinstance(selector, NameSelector):
        name = selector.name
        return lambda node: (name,) if isinstance(node, dict) and name in node else ()
    if isinstance(selector, IndexSelector):
        at = selector.index
        return lambda node: (at % len(node),) if isinstance(node, list) and -len(node) <= at < len(node) else ()
    if isinstance(selector, SliceSelector):
        part = selector.slice
        return lambda node: range(*part.indices(len(node))) if isinstance(node, list) and part.step != 0 else ()
    if isinstance(selector, WildcardSelector):
        return lambda node: [key for key, _ in _children(node)]
    if isinstance(selector, Filter):
        test = _test(selector.expression, terms)
        return lambda node: [key for key, child in _children(node) if test(child)]
    raise _Unfit


def _children(node: object) -> Iterable[tuple[int | str, object]]:
    return node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()


def _test(expression: BaseExpression, terms: list[BaseExpression]) -> Callable[[object], bool]:
    """A filter as a function of an element. Raises _Unfit for what rules may not have."""
    if isinstance(expression, FilterExpression):
        return _test(expression.expression, terms)
    if isinstance(expression, PrefixExpression) and expression.operator == "!":
        inner = _test(expression.right, terms)
        return lambda node: not inner(node)
    if isinstance(expression, InfixExpression) and expression.logical:
        left, right = _test(expression.left, terms), _test(expression.right, terms)
        if expression.operator == "&&":
            return lambda node: left(node) and right(node)
        return lambda node: left(node) or right(node)
    terms.append(expression)
    if isinstance(expression, InfixExpression):
        sides = expression.left, expression.right
        if expression.operator not in _COMPARISONS or all(isinstance(side, RelativeFilterQuery) for side in sides):
            raise _Unfit
        one, other = map(_value, sides)
        operator = expression.operator
        return lambda node: _ENVIRONMENT.compare(one(node), operator, other(node))
    if isinstance(expression, RelativeFilterQuery):
        member = _value(expression)
        return lambda node: member(node) is not UNDEFINED
    raise _Unfit


def _value(expression: BaseExpression) -> Value:
    """One side of a comparison: a literal, or a member of the element. Numbers compare as the interpreter's floats."""
    if isinstance(expression, Nil):
        return lambda _: None
    if isinstance(expression, FilterExpressionLiteral):
        literal = expression.value
        return lambda _: literal
    if not isinstance(expression, RelativeFilterQuery) or not expression.path.singular_query():
        raise _Unfit
    steps = [_keys(segment.selectors[0], []) for segment in expression.path.segments]

    def member(node: object) -> object:
        for step in steps:
            key = next(iter(step(node)), None)
            if key is None:
                return UNDEFINED
            node = node[key]  # pyright: ignore[reportIndexIssue]  # the step found it there
        return float(node) if isinstance(node, Number) else node

    return member


def _refusal(text: str, why: str, at: int) -> UsageError:
    place = f", at character {at + 1}" if at else ""
    return UsageError(f"the ignore rule {clip(text, 200)} cannot be used{place}: {clip(why, 200)}", "see RFC 9535")
