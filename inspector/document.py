"""What a panel shows: lines of text with their inks. A `Document` knows no width, `layout.py` breaks its lines.

Every text in one is safe: who makes it passes what is foreign through `text.safe`. Nothing is imported here that the first
screen does not need.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from ..cassettes.text import safe
from .ink import Ink
from .outline import Row

MAX_TEXT = 20_000
"""Characters of one sentence."""
MODES = ("pretty", "raw", "hex", "frames")
"""How a call is shown that is shown raw, see `raw.py`."""

Span = tuple[str, Ink]


class Line(NamedTuple):
    """One line. `indent` in cells; what does not fit goes on below it, `hang` cells further in."""

    indent: int = 0
    spans: tuple[Span, ...] = ()
    hang: int = 2

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)


@dataclass(frozen=True, slots=True)
class Document:
    """Lines, and the line at which each run, step and tool call of the list begins."""

    lines: tuple[Line, ...] = ()
    anchors: dict[Row, int] = field(default_factory=dict)


def plain(*texts: str, title: str = "") -> Document:
    """A document of some sentences of our own or of an error, which may quote what is foreign."""
    head = [Line(0, ((title, "bad"),)), Line()] if title else []
    return Document((*head, *(Line(0, ((safe(text[:MAX_TEXT]), ""),), hang=0) for text in texts if text)))
