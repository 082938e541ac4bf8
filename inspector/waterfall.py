"""A waterfall as text: bars over one stretch of time, an axis above them.

A bar's ends are each an interval. What lies between the inner ends is sure and drawn solid, what lies outside of them `░`. What
the bars of a run are, `falls.py` tells. Pure functions: numbers in, text out; the first screen wants no more than this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..cassettes.text import clip
from .ink import Ink

SECOND = 1_000_000
UNSURE = "░"
LABEL = 22
"""Cells of a bar's name at most."""
_TAIL = 16
_STEPS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
"""Seconds between the times of an axis."""

_DRAWN: dict[str, tuple[str, Ink]] = {
    "queued": ("▒", "wait"),
    "client": ("▓", "tool"),
    "work": ("█", "good"),
    "step": ("█", "name"),
    "bad": ("█", "bad"),
    "run": ("█", "good"),
}


class Span(NamedTuple):
    """From somewhere in `low`..`start` to somewhere in `end`..`high`: microseconds. `kind`: how it is drawn."""

    low: int
    start: int
    end: int
    high: int
    kind: str

    @classmethod
    def sure(cls, start: int, end: int, kind: str) -> "Span":
        return cls(start, start, end, end, kind)

    @property
    def length(self) -> int:
        return max(self.end - self.start, 0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row. `dots`: moments, each with whether it told something new."""

    label: str
    spans: tuple[Span, ...] = ()
    tail: str = ""
    dots: tuple[tuple[int, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars over one stretch of time. `note`: why there is nothing to draw, or what must be said."""

    title: str = ""
    start: int = 0
    end: int = 0
    bars: tuple[Bar, ...] = field(default=())
    note: str = ""


def seconds(us: int) -> str:
    """A length of time as a person reads it."""
    if us < SECOND:
        return f"{us / 1000:.0f} ms"
    return f"{us / SECOND:.1f} s" if us < 600 * SECOND else f"{us / SECOND / 60:.1f} min"


def lines(fall: Waterfall, width: int) -> list[tuple[tuple[str, Ink], ...]]:
    """The waterfall drawn: an axis, then a row a bar."""
    if not fall.bars:
        return [((fall.note, "dim"),)]
    label = min(max(len(bar.label) for bar in fall.bars), LABEL, max(width // 3, 6))
    tail = min(max(len(bar.tail) for bar in fall.bars), _TAIL if width < 90 else 24)
    if width - label - tail - 2 < 8:
        tail = 0
    room = max(width - label - tail - 2, 4)
    drawn: list[tuple[tuple[str, Ink], ...]] = [((" " * (label + 1) + axis(fall.end - fall.start, room), "dim"),)]
    for bar in fall.bars:
        name = clip(bar.label, label).ljust(label)
        body = dots(bar, fall, room) if bar.dots else cells(bar.spans, fall.start, fall.end, room)
        drawn.append(((f"{name} ", ""), *body, (f" {clip(bar.tail, tail):>{tail}}" if tail else "", "dim")))
    return [*drawn, ((fall.note, "dim"),)] if fall.note else drawn


def cells(spans: Sequence[Span], start: int, end: int, room: int) -> list[tuple[str, Ink]]:
    """Bars as text of exactly `room` cells. What is sure is drawn over what is not; a short bar gets one cell."""
    signs: list[tuple[str, Ink]] = [(" ", "")] * room
    length = max(end - start, 1)

    def place(at: int) -> int:
        return min(max((at - start) * room // length, 0), room)

    for span in spans:
        ink = _DRAWN[span.kind][1]
        for cell in range(place(span.low), max(place(span.high), place(span.low) + 1)):
            if cell < room and signs[cell][0] == " ":
                signs[cell] = UNSURE, ink
    for span in spans:
        if span.end <= span.start and span.high > span.low:
            continue  # nothing of it is sure
        first = min(place(span.start), room - 1)
        for cell in range(first, max(place(span.end), first + 1)):
            signs[cell] = _DRAWN[span.kind]
    return joined(signs)


def dots(bar: Bar, fall: Waterfall, room: int) -> list[tuple[str, Ink]]:
    """Polls: `·` for one that told nothing new, `•` for one that did."""
    signs: list[tuple[str, Ink]] = [(" ", "")] * room
    length = max(fall.end - fall.start, 1)
    for at, new in bar.dots:
        cell = min(max((at - fall.start) * room // length, 0), room - 1)
        if new or signs[cell][0] == " ":
            signs[cell] = ("•", "strong") if new else ("·", "dim")
    return joined(signs)


def joined(signs: Sequence[tuple[str, Ink]]) -> list[tuple[str, Ink]]:
    """Neighbours of one ink as one text."""
    found: list[tuple[str, Ink]] = []
    for sign, ink in signs:
        if found and found[-1][1] == ink:
            found[-1] = found[-1][0] + sign, ink
        else:
            found.append((sign, ink))
    return found


def axis(length: int, room: int) -> str:
    """Times along the top, as many as fit: `0s      2s      4s`."""
    whole = length / SECOND
    step = next(
        (each for each in _STEPS if whole / each * 8 <= room),
        max(whole, 1.0),
    )
    text = ""
    for number in range(1_000):
        at = number * step
        place = int(at / whole * room) if whole else 0
        word = f"{at:g}s"
        if place + len(word) > room or (number and at > whole):
            break
        text = text.ljust(place) + word
    return text.ljust(room)[:room]
