"""Breaks a document's lines to a width: between words, else within one; counted in cells, since some characters take two.

What comes out are places in the lines, not copies of them, so that a long document costs little and is drawn row by
row.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import get_character_cell_size

from .document import Document, Line
from .ink import Ink

MIN_WIDTH = 8
"""Cells that a text is given however narrow the pane or deep the indent; what does not fit then is cut off."""


class Piece(NamedTuple):
    """One row: characters `start` to `end` of a line's text, `indent` cells in."""

    line: int
    start: int
    end: int
    indent: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document broken to a width."""

    document: Document
    width: int
    pieces: tuple[Piece, ...]
    starts: tuple[int, ...]
    """The row at which each line begins."""

    def spans(self, row: int) -> Iterator[tuple[str, Ink]]:
        """What the row shows, its indent included."""
        line, start, end, indent = self.pieces[row]
        if indent:
            yield " " * indent, ""
        at = 0
        for text, ink in self.document.lines[line].spans:
            if part := text[max(start - at, 0) : max(end - at, 0)]:
                yield part, ink
            at += len(text)

    def line_at(self, row: int) -> int:
        """The line that the row belongs to; the last for a row behind the end."""
        return max(bisect_right(self.starts, row) - 1, 0)


def lay_out(document: Document, width: int) -> Sheet:
    """Break the document to `width` cells."""
    pieces: list[Piece] = []
    starts: list[int] = []
    for number, line in enumerate(document.lines):
        starts.append(len(pieces))
        pieces += _pieces(number, line, width)
    return Sheet(document, width, tuple(pieces), tuple(starts))


def _pieces(number: int, line: Line, width: int) -> Iterator[Piece]:
    text, indent = line.text, line.indent
    narrow = text.isascii()
    start = 0
    while True:
        room = max(width - indent, MIN_WIDTH)
        end = start + room if narrow else _fitting(text, start, room)
        if end >= len(text):
            yield Piece(number, start, len(text), indent)
            return
        # A space may stand just behind the last cell: then the break is there, and the row is full.
        gap = text.rfind(" ", start, end + 1)
        if gap > start and not text[start:gap].isspace():
            yield Piece(number, start, gap, indent)
            start = gap + 1
        else:
            yield Piece(number, start, end, indent)
            start = end
        indent = line.indent + line.hang


def _fitting(text: str, start: int, room: int) -> int:
    """Where the text that fits into `room` cells ends; one character at least."""
    used = 0
    for index in range(start, len(text)):
        used += get_character_cell_size(text[index])
        if used > room:
            return max(index, start + 1)
    return len(text)
