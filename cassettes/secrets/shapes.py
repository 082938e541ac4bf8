"""Where the shapes of the table stand in a text: the secrets that their form gives away, whatever stands beside them.

Plain searches go first, and a pattern is tried where they say. The time grows with the length of the text.
"""

import re

from .names import SHORT
from .table import ANYWHERE, AT_A_WORD, BEGINS, ESCAPES, FIRST, IN_RUNS, RUN, WORD, Rule
from .telling import PUT_IN, Span

_WORDS = bytes(65 if chr(code) in "_-" or (code < 128 and chr(code).isalnum()) else 32 for code in range(256))
_LONG_WORD = b"A" * WORD
_LETTERS = bytes(65 if chr(code) in "+/_-" or (code < 128 and chr(code).isalnum()) else 32 for code in range(256))
_LONG_RUN = b"A" * RUN
_Guarded = list[tuple[bytes, list[tuple[bytes, Rule]]]]
_ANY_MARKER = re.compile(b"|".join(re.escape(guard) for guard, _ in ANYWHERE))
_DIGIT = re.compile(rb"[0-9]")
_LETTER = re.compile(rb"[A-Za-z]")


def shapes(data: bytes) -> list[Span]:
    """The secrets of the table's rules, in no order; they may overlap."""
    return at_words(data) + at_markers(data)


def has_word(data: bytes) -> bool:
    """Whether so many letters stand in a row that a long word, or a run of base64, may be among them."""
    return _LONG_WORD in data.translate(_LETTERS)


def has_marker(data: bytes, *, runs: bool = True) -> bool:
    """Whether there is any place to look at for the rules that do not begin a long word. `runs`: whether it `has_word`."""
    for groups in _groups(data, runs=runs):
        for guard, guarded in groups:
            if guard in data and any(marker in data for marker, _ in guarded):
                return True
    return False


def _groups(data: bytes, *, runs: bool = True) -> tuple[_Guarded, ...]:
    """The markers that a text may have."""
    some = len(data) > SHORT or _ANY_MARKER.search(data) is not None
    if runs and _LONG_RUN in data.translate(_LETTERS):
        return (ANYWHERE, IN_RUNS) if some else (IN_RUNS,)
    return (ANYWHERE,) if some else ()


def at_markers(data: bytes) -> list[Span]:
    """The secrets of the rules that do not begin a long word."""
    spans: list[Span] = []
    for groups in _groups(data):
        for guard, guarded in groups:
            if guard in data:
                for marker, rule in guarded:
                    _at_marker(data, marker, rule, spans)
    return spans


def _at_marker(data: bytes, marker: bytes, rule: Rule, spans: list[Span]) -> None:
    find, match = data.find, rule.pattern.match
    length, back = len(marker), rule.back
    place = find(marker)
    while place >= 0:
        behind = place + length
        if place >= back:
            found = match(data, place - back)
            if found is not None:
                behind = max(behind, _taken(data, found, rule, spans))
        place = find(marker, behind)


def at_words(data: bytes) -> list[Span]:
    """The secrets that begin a long word. Words are found by one search in a text that has but two letters."""
    spans: list[Span] = []
    flat = data.translate(_WORDS)
    start = flat.find(_LONG_WORD)
    while start >= 0:
        end = flat.find(b" ", start)
        end = len(flat) if end < 0 else end
        begins = BEGINS.match(data, start) if data[start] in FIRST or data[start - 1] in ESCAPES else None
        if begins is not None:
            for rule in AT_A_WORD[begins[1]]:
                match = rule.pattern.match(data, begins.start(1))
                if match is not None:
                    end = max(end, _taken(data, match, rule, spans))
                    break
        start = flat.find(_LONG_WORD, end)
    return spans


def _taken(data: bytes, match: "re.Match[bytes]", rule: Rule, spans: list[Span]) -> int:
    """The end of what a rule matched, a secret or not: nothing within is looked at again."""
    start, end = match.span(match.lastindex or 0)
    value = data[start:end]
    if not PUT_IN.fullmatch(value) and not (rule.mixed and not _mixed(value)):
        spans.append(Span(start, end, rule.kind, rule.name))
    return match.end()


def _mixed(value: bytes) -> bool:
    return _DIGIT.search(value) is not None and _LETTER.search(value, 3) is not None
