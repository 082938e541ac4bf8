"""A waterfall as HTML and SVG. Places are percentages in attributes, since the page's policy forbids styles in elements.

What is drawn is said in words too: each row's picture has a text for those who cannot see it.
"""

from collections.abc import Iterator

from ...cassettes.conversation import Run
from ..timeline import CLIENT, Line, Piece, Timeline
from .markup import STATES, line, took

_WORDS = {CLIENT: "your program's own time", "step": "at work"}


def waterfall(fall: Timeline, run: Run) -> Iterator[str]:
    """The figure of a run's time."""
    yield '<figure class="fall" aria-label="Where the time of this run went">'
    yield '<div class="row axis"><span></span><svg aria-hidden="true">'
    for number, tick in enumerate(fall.ticks()):
        x = _percent(tick, fall)
        anchor = ' text-anchor="end"' if x > 94 else ' text-anchor="middle"' if x > 2 else ""
        odd = ' class="odd"' if number % 2 else ""
        yield f'<text x="{x}%" y="11"{anchor}{odd}>{_axis(tick)}</text>'
    yield "</svg><span></span></div>"
    for row in fall.lines:
        yield _row(row, fall)
    if fall.polls:
        ticks = "".join(f'<circle cx="{min(max(_percent(at, fall), 0.5), 99.5)}%" cy="9" r="2"/>' for at in fall.polls)
        unchanged = (
            f"{run.polls - run.new_polls:,} told nothing new"
            if run.polls > run.new_polls
            else "each told something new"
        )
        label = f"{run.polls:,} polls, {unchanged}"
        yield f'<div class="row polls"><span>polls</span><svg role="img" aria-label="{label}">{_grid(fall)}{ticks}</svg>'
        yield f'<span title="{label}">{run.polls:,}</span></div>'
    yield "".join(_legend(fall))
    yield "</figure>"


def _row(row: Line, fall: Timeline) -> str:
    bars = "".join(_bar(piece, fall) for piece in row.pieces)
    length = fall.length_us if row.label == "run" else sum(piece.end_us - piece.start_us for piece in row.pieces)
    about = "≤ " if row.unsure and row.step else ""
    label = line(row.label, 80)
    words = f"{label}: {'; '.join(_told(piece) for piece in row.pieces)}"
    kind = "steps" if row.step else "whole"
    return (
        f'<div class="row {kind}"><span title="{label}">{label}</span>'
        f'<svg role="img" aria-label="{words}">{_grid(fall)}{bars}</svg><span>{about}{took(length)}</span></div>'
    )


def _grid(fall: Timeline) -> str:
    return "".join(f'<rect class="grid" x="{_percent(tick, fall)}%" width="1" height="18"/>' for tick in fall.ticks())


def _bar(piece: Piece, fall: Timeline) -> str:
    colour = _colour(piece.kind)
    x, width = _percent(piece.start_us, fall), _percent(piece.end_us - piece.start_us, fall)
    shape = f'x="{x}%" y="3" width="{max(width, 0.35):.6g}%" height="12" rx="2"'
    title = f"<title>{_told(piece)}</title>"
    unsure = "" if piece.sure else f'<rect class="hatch" {shape}/>'
    return f'<g class="piece {colour}{"" if piece.sure else " unsure"}"><rect {shape}/>{unsure}{title}</g>'


def _told(piece: Piece) -> str:
    word = line(_WORDS.get(piece.kind, piece.kind), 40)
    span = f"{took(piece.start_us)} to {took(piece.end_us)}"
    return f"{word}, {span}" if piece.sure else f"{word}, a change at some moment from {span}"


def _legend(fall: Timeline) -> Iterator[str]:
    kinds = dict.fromkeys(piece.kind for row in fall.lines for piece in row.pieces)
    yield '<figcaption class="legend">'
    told: dict[str, list[str]] = {}
    for kind in kinds:  # states of one colour share a key
        told.setdefault(_colour(kind), []).append(line(_WORDS.get(kind, kind), 40))
    for colour, words in told.items():
        key = f'<svg class="key {colour}" aria-hidden="true"><rect width="10" height="10" rx="2"/></svg>'
        yield f"<span>{key}{', '.join(dict.fromkeys(words))}</span>"
    if any(row.unsure for row in fall.lines):
        yield '<span><svg class="key" aria-hidden="true"><rect class="hatch" width="10" height="10" rx="2"/></svg>'
        yield "no clock tells the moment</span>"
    if fall.skewed:
        yield "<span>the API's clock differs from the recorder's, so its seconds are not used</span>"
    yield "</figcaption>"


def _colour(kind: str) -> str:
    if kind in (CLIENT, "step"):
        return kind
    return STATES.get(kind, ("off", ""))[0]


def _percent(us: int, fall: Timeline) -> float:
    return round(us * 100 / fall.length_us, 3)


def _axis(us: int) -> str:
    if us == 0:
        return "0"
    if us % 1_000_000 == 0:
        return f"{us // 1_000_000} s"
    return f"{us / 1_000_000:g} s" if us >= 1_000_000 else f"{us / 1_000:g} ms"
