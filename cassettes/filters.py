"""The filter language of `ls`, `show` and `trim`: which calls of a recording are meant.

    filter  = all { "or" all }
    all     = one { ["and"] one }
    one     = "not" one | "(" filter ")" | term
    term    = field operator value | text
    value   = word | '"' characters, in which \\" and \\\\ are a quote and a backslash '"'

The fields stand in `fields.FIELDS`. `parse` is the only thing here that raises, and raises FilterError alone: it says what
is wrong, and at which column. Length and depth are capped, no regular expression of a user is ever run, and the text of a
filter is parsed to an equal one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .conversation import Recorded
from .errors import UsageError
from .evidence import Evidence, Witness
from .fields import BY_NAME, Test, Value, nearest_field
from .ranges import BadValue
from .summary import Row
from .text import clip, safe

MAX_LENGTH = 4_000
MAX_DEPTH = 50
_SHOWN = 60
"""Characters of a filter shown before and behind the place of an error."""
_OPERATORS = (">=", "<=", ":", ">", "<", "=")
_WORDS = frozenset({"and", "or", "not"})
_FIELD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")


class FilterError(UsageError):
    """A filter that cannot be understood. `column` counts from 1; `lines` are the filter and a caret below that column."""

    def __init__(self, text: str, at: int, what: str, hint: str = "") -> None:
        super().__init__(f"the filter, column {at + 1}: {what}", hint)
        self.column = at + 1
        start = max(0, at - _SHOWN)
        before = ("…" if start else "") + safe(text[start:at])
        self.lines = (
            before + safe(text[at : at + _SHOWN]) + ("…" if len(text) > at + _SHOWN else ""),
            " " * len(before) + "^",
        )


@dataclass(frozen=True, slots=True)
class Term:
    """One field compared with one value. Free text is a term of the field `text`."""

    name: str
    operator: str
    value: Value
    test: Test = field(compare=False, repr=False)

    @property
    def decodes(self) -> bool:
        return BY_NAME[self.name].decodes

    def fits(self, call: Evidence) -> bool:
        return self.test(call)

    def __str__(self) -> str:
        text, quoted = self.value
        if quoted:
            text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{self.name}{self.operator}{text}"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expression"

    @property
    def decodes(self) -> bool:
        return self.part.decodes

    def fits(self, call: Evidence) -> bool:
        return not self.part.fits(call)

    def __str__(self) -> str:
        return f"not {_bracketed(self.part)}"


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts (`every`), or any of them. What the index can answer is asked first."""

    parts: tuple["Expression", ...]
    every: bool
    _order: tuple["Expression", ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_order", tuple(sorted(self.parts, key=lambda part: part.decodes)))

    @property
    def decodes(self) -> bool:
        return any(part.decodes for part in self.parts)

    def fits(self, call: Evidence) -> bool:
        return (all if self.every else any)(part.fits(call) for part in self._order)

    def __str__(self) -> str:
        return (" and " if self.every else " or ").join(map(_bracketed, self.parts))


Expression = Term | Not | Both


def _bracketed(part: Expression) -> str:
    return f"({part})" if isinstance(part, Both) else str(part)


def term(name: str, value: str, operator: str = ":", *, quoted: bool = True) -> Term:
    """A term that a program makes. Raises BadValue for what the field cannot be asked."""
    made = Value(value, quoted)
    return Term(name, operator, made, BY_NAME[name].test(operator, made))


def every(parts: Iterable[Expression]) -> Expression | None:
    """What fits all of the parts; None where there are none."""
    return _joined(tuple(parts), every=True)


def some(parts: Iterable[Expression]) -> Expression | None:
    """What fits one of the parts at least; None where there are none."""
    return _joined(tuple(parts), every=False)


def _joined(parts: tuple[Expression, ...], *, every: bool) -> Expression | None:
    return Both(parts, every) if len(parts) > 1 else parts[0] if parts else None


class Filter:
    """A filter at work on one recording. Without an expression every call fits."""

    def __init__(self, expression: Expression | None, recording: Recorded) -> None:
        self._expression = expression
        self._witness = Witness(recording)

    def __call__(self, row: Row) -> bool:
        return self._expression is None or self._expression.fits(self._witness.evidence(row))


def parse(text: str) -> Expression:
    """The filter that a text spells. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(text, MAX_LENGTH, f"it is longer than {MAX_LENGTH:,} characters")
    return _Parser(text).parse()


class _Token(NamedTuple):
    """`kind`: `(`, `)`, `and`, `or`, `not`, `term` or `end`."""

    kind: str
    at: int
    term: Term | None = None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._read()
        self._next = next(self._tokens)
        self._depth = 0

    def parse(self) -> Expression:
        found = self._any()
        if self._next.kind != "end":
            raise self._error(self._next.at, "there is no bracket that this one closes")
        return found

    def _any(self) -> Expression:
        parts = [self._all()]
        while self._next.kind == "or":
            self._advance()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), every=False)

    def _all(self) -> Expression:
        parts = [self._one()]
        while self._next.kind in ("and", "not", "(", "term"):
            if self._next.kind == "and":
                self._advance()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), every=True)

    def _one(self) -> Expression:
        token = self._advance()
        if token.term is not None:
            return token.term
        if token.kind not in ("not", "("):
            wanted = "a field, a text, `not` or a bracket"
            raise self._error(
                token.at, f"{wanted} is expected here" if token.kind == "end" else f"{wanted} is expected before this"
            )
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(token.at, f"brackets and `not` are nested deeper than {MAX_DEPTH}")
        if token.kind == "not":
            found: Expression = Not(self._one())
        else:
            found = self._any()
            if self._next.kind != ")":
                raise self._error(token.at, "this bracket is never closed")
            self._advance()
        self._depth -= 1
        return found

    def _advance(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _error(self, at: int, what: str, hint: str = "") -> FilterError:
        return FilterError(self._text, at, what, hint)

    def _read(self) -> Iterator[_Token]:
        text, at = self._text, 0
        while at < len(text):
            start = at
            if text[at].isspace():
                at += 1
            elif text[at] in "()":
                at += 1
                yield _Token(text[start], start)
            else:
                name, operator, at = self._field(at)
                value_at = at
                value, at = self._value(at)
                if not operator and not value.quoted and value.text.lower() in _WORDS:
                    yield _Token(value.text.lower(), start)
                else:
                    yield _Token("term", start, self._term(name, operator, value, start, value_at))
        yield _Token("end", len(text))

    def _field(self, at: int) -> tuple[str, str, int]:
        """The field and operator at this place, both empty where there are none, and where the value begins."""
        end = at
        while end < len(self._text) and self._text[end] in _FIELD:
            end += 1
        if self._text.startswith("!=", end) and self._text[at:end].lower() in BY_NAME:
            raise self._error(end, f"there is no !=; write not {self._text[at:end]}:...")
        operator = next((sign for sign in _OPERATORS if self._text.startswith(sign, end)), "")
        return (self._text[at:end], operator, end + len(operator)) if operator else ("", "", at)

    def _value(self, at: int) -> tuple[Value, int]:
        text, start = self._text, at
        if at < len(text) and text[at] == '"':
            return self._quoted(at)
        while at < len(text) and not text[at].isspace() and text[at] not in '()"':
            at += 1
        if at < len(text) and text[at] == '"':
            raise self._error(at, "a quote may stand at the beginning of a value only")
        return Value(text[start:at], quoted=False), at

    def _quoted(self, at: int) -> tuple[Value, int]:
        text, start = self._text, at
        found: list[str] = []
        at += 1
        while at < len(text) and text[at] != '"':
            at += text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\")
            found.append(text[at])
            at += 1
        if at >= len(text):
            raise self._error(start, "this quote is never closed")
        at += 1
        if at < len(text) and not text[at].isspace() and text[at] not in "()":
            raise self._error(at, "a space is missing behind the quote")
        return Value("".join(found), quoted=True), at

    def _term(self, name: str, operator: str, value: Value, at: int, value_at: int) -> Term:
        if not operator:
            name, operator = "text", ":"
        if name == "text":
            value = Value(value.text, quoted=True)
        known = BY_NAME.get(name.lower())
        if known is None:
            hint = "quote it to look for it as a text; the fields are " + ", ".join(BY_NAME)
            what = (
                f"there is no field {clip(name, 40)}{nearest_field(name)}" if name else "there is no field before this"
            )
            raise self._error(at, what, hint)
        if operator == "=":
            operator = ":"
        if operator != ":" and not known.compares:
            raise self._error(value_at - len(operator), f"{known.name} cannot be compared; write {known.example}")
        try:
            return Term(known.name, operator, value, known.test(operator, value))
        except BadValue as error:
            raise self._error(value_at, clip(str(error), 300), f"for example {known.example}") from error
