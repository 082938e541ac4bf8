"""Two texts side by side: equal lines opposite each other, with a mark between the columns where they differ.

The mark is `|` where both have a line and it differs, `<` or `>` where only one has it, nothing where they are the same. Long
lines go on below, under their own beginning. Widths are those of a terminal: wide characters take two columns.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from unicodedata import combining, east_asian_width

from .comparison.alignment import anchors
from .text import clip

WIDTH = 62
"""Columns of one side."""
MOST_LINES = 2_000
"""Lines of each side that are shown."""
MOST_CHARACTERS = 2_000
"""Characters of one line that are shown."""

_INDENT = re.compile(r" *")


def side_by_side(
    left: Sequence[str],
    right: Sequence[str],
    *,
    same: Callable[[int, str], str] = lambda _, line: line,
    width: int = WIDTH,
) -> Iterator[str]:
    """The lines of both, opposite each other. `same` (of side 0 or 1 and a line) is equal for lines that count as the same."""
    shown = left[:MOST_LINES], right[:MOST_LINES]
    forms = [[same(side, line) for line in shown[side]] for side in (0, 1)]
    start = other_start = 0
    for at, to in [*sorted(anchors(*forms).items()), (len(shown[0]), len(shown[1]))]:
        for one, twin in zip_longest(shown[0][start:at], shown[1][other_start:to]):
            yield from _row(one or "", "<" if twin is None else ">" if one is None else "|", twin or "", width)
        if at < len(shown[0]):
            yield from _row(shown[0][at], " ", shown[1][to], width)
        start, other_start = at + 1, to + 1
    for side, words in enumerate((left, right)):
        if len(words) > MOST_LINES:
            yield f"… {len(words) - MOST_LINES:,} more lines on the {'right' if side else 'left'}"


def row(left: str, right: str, *, width: int = WIDTH) -> Iterator[str]:
    """Two texts opposite each other, without a mark."""
    return _row(left, " ", right, width)


def columns_of(text: str) -> int:
    """How many columns a terminal shows a text in."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _row(left: str, mark: str, right: str, width: int) -> Iterator[str]:
    ones, others = (_wrapped(clip(text, MOST_CHARACTERS), width) for text in (left, right))
    for at in range(max(len(ones), len(others))):
        one = ones[at] if at < len(ones) else ""
        other = others[at] if at < len(others) else ""
        yield f"{one}{' ' * (width - columns_of(one))} {mark} {other}".rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """A line in pieces of that many columns, cut at spaces where there are some."""
    found = _INDENT.match(text)
    indent = min(found.end() if found else 0, width // 2) + 2
    pieces: list[str] = []
    while True:
        cut = taken = 0
        while cut < len(text) and taken + columns_of(text[cut]) <= width:
            taken += columns_of(text[cut])
            cut += 1
        if cut == len(text):
            break
        space = text.rfind(" ", width // 2, cut + 1)
        cut = space if space > indent else cut
        pieces.append(text[:cut].rstrip())
        text = " " * indent + text[cut:].lstrip()
    return [*pieces, text]
