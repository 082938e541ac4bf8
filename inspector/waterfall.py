"""The waterfall of a run: when it was queued, worked, waited for the client, and what its steps took, as bars.

A bar's ends are each an interval: the client knows a state from its polls, so it began somewhere between the last poll that
told the state before and the first that told this one; the API tells steps in whole seconds, of its own clock. What lies
between the inner ends is sure and drawn solid, what lies outside of them `░`. Pure functions: numbers in, text out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..cassettes.text import clip
from .ink import Ink

if TYPE_CHECKING:
    from ..cassettes.conversation import Conversation, Run, Step
    from .exchanges import Exchange

SECOND = 1_000_000
UNSURE = "░"
MOST_BARS = 500
LABEL = 22
"""Cells of a bar's name at most."""
_TAIL = 16
_DAY = 86_400 * SECOND

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


def of_run(run: "Run", number: int, calls: "Sequence[Exchange]") -> Waterfall:
    """The waterfall of a run, from its states, its steps and the calls that belong to it."""
    title = " · ".join(
        filter(
            None,
            (
                f"Run {number}",
                clip(run.status, 40) or "state unknown",
                f"{run.tokens[2]:,} tok" if run.tokens else "",
                clip(run.id, 60),
            ),
        )
    )
    moments = [mark.at_us for mark in run.marks if mark.at_us is not None]
    if not moments:
        return Waterfall(title, note="The recording has no times of this run.")
    times = sorted(
        (call.row.summary.started_us, call.row.summary.started_us + call.row.summary.duration_us) for call in calls
    )
    start = min([times[0][0], *moments] if times else moments)
    end = max([*(finish for _, finish in times if finish <= max(moments)), *moments, start + 1])
    polls = [call for call in calls if call.poll]
    told = [call.row.summary.started_us for call in polls]
    bars = [*_states(run, start, told)]
    worked = min((span.low for bar in bars for span in bar.spans if span.kind == "work"), default=start)
    bars += _steps(run, worked, end, _skew(run, calls))
    if polls:
        dots = tuple((call.row.summary.started_us, not call.quiet) for call in polls)
        same = sum(call.quiet for call in polls)
        bars.append(Bar("polls", (), f"{len(polls):,} ({same:,} unchanged)", dots))
    return Waterfall(title, start, end, tuple(bars[:MOST_BARS]))


def of_thread(conversation: "Conversation") -> Waterfall:
    """All runs of a thread over its time."""
    bars: list[Bar] = []
    for number, run in enumerate(conversation.runs.values(), 1):
        moments = [mark.at_us for mark in run.marks if mark.at_us is not None]
        if not moments:
            continue
        kind = {"completed": "run", "failed": "bad", "expired": "bad", "cancelled": "bad", "incomplete": "bad"}
        span = Span.sure(min(moments), max(moments), kind.get(run.status, "queued"))
        bars.append(Bar(f"run {number} {clip(run.status, 20)}", (span,), seconds(span.length)))
    title = f"Thread · {len(conversation.runs):,} runs" if len(conversation.runs) != 1 else "Thread · 1 run"
    if not bars:
        return Waterfall(title, note="No run with times was recorded here.")
    ends = [span for bar in bars for span in bar.spans]
    return Waterfall(title, min(s.low for s in ends), max(s.high for s in ends) or 1, tuple(bars[:MOST_BARS]))


def _states(run: "Run", start: int, polls: Sequence[int]) -> Iterator[Bar]:
    """Queued and in progress, and what the client took for its tools; a state's beginning is only as sure as the polls."""
    path = [mark for mark in run.path() if mark.at_us is not None]
    found: dict[str, list[Span]] = {"queued": [], "in progress": [], "client": []}
    sure = start
    low = start
    for mark, following in zip(path, [*path[1:], None], strict=True):
        at, then = mark.at_us or 0, following.at_us if following is not None else None
        begun = low if mark is not path[0] else at
        at_first = at if mark is not path[0] else start
        if then is None:
            break
        then = max(then, at)
        # The last poll before the next state was known still told this one.
        last = max((poll for poll in polls if at <= poll < then), default=at)
        if following is not None and following.action:
            last = then
        kind, row = {"queued": ("queued", "queued"), "requires_action": ("client", "client")}.get(
            mark.name, ("work", "in progress")
        )
        if mark.action:
            kind, row = "work", "in progress"
        if row == "client":
            found[row].append(Span.sure(at, then, kind))
            if begun < at:
                found["in progress"].append(Span(begun, begun, begun, at, "work"))
        else:
            found[row].append(Span(min(begun, at_first), at_first, last, then, kind))
        sure = then
        low = last
    del sure
    for name, spans in found.items():
        if spans:
            total = sum(span.length for span in spans)
            wide = sum(max(span.high - span.low, 0) for span in spans)
            exact = name == "client" or wide - total < SECOND // 20
            label = "client's tools" if name == "client" else name
            yield Bar(label, tuple(spans), seconds(total) if exact else f"{seconds(total)}–{seconds(wide)}")


def _steps(run: "Run", start: int, end: int, skew: int | None) -> Iterator[Bar]:
    """A step from what the API tells in whole seconds, narrowed by when the client was told of it."""
    waits = _waits(run)
    for number, step in enumerate(run.steps_in_order(), 1):
        # A step of function tools was there when the client was told to act, and not over before the outputs were sent.
        wait = next(waits, None) if any(call.kind == "function" or call.name for call in step.calls.values()) else None
        names = ", ".join(clip(call.name or call.kind, 20) for call in list(step.calls.values())[:4])
        label = f"step {number} {names or ('message' if step.kind == 'message_creation' else clip(step.kind, 20))}"
        span = _step_span(step, start, end, skew, wait)
        tail = f"{step.tokens[2]:,} tok" if step.tokens else ""
        if span is None:
            yield Bar(label, (), tail or "no times")
            continue
        wide = span.high - span.low
        took = seconds(span.length) if wide - span.length < SECOND // 20 else f"≤{seconds(wide)}"
        yield Bar(label, (span,), f"{took} {tail}".rstrip())


def _waits(run: "Run") -> Iterator[tuple[int, int | None]]:
    """When the client was told to act, and when it sent the outputs."""
    told: int | None = None
    for mark in run.path():
        if mark.name == "requires_action":
            told = mark.at_us
        elif mark.action and told is not None:
            yield told, mark.at_us
            told = None
    if told is not None:
        yield told, None


def _step_span(
    step: "Step", start: int, end: int, skew: int | None, wait: tuple[int, int | None] | None = None
) -> Span | None:
    seen = [mark for mark in step.marks if mark.at_us is not None]
    lows, highs = [start], [end]
    begin_high, end_low = end, start
    told = False
    if skew is not None and step.created_at is not None:
        began = step.created_at * SECOND + skew
        lows.append(began)
        begin_high = min(begin_high, began + SECOND)
        told = True
    if skew is not None and step.completed_at is not None:
        done = step.completed_at * SECOND + skew
        highs.append(done + SECOND)
        end_low = max(end_low, done)
        told = True
    if wait is not None:
        begin_high = min(begin_high, wait[0])
        end_low = max(end_low, wait[1] or wait[0])
        told = True
    if seen:
        first = seen[0].at_us or 0
        if first < begin_high:
            begin_high = first
        if (final := seen[-1]).name in {"completed", "failed", "cancelled", "expired"}:
            highs.append(final.at_us or end)
        running = [mark.at_us or 0 for mark in seen if mark.name == "in_progress"]
        end_low = max([end_low, *running])
        told = told or len(seen) > 1
    if not told:
        return None
    low, high = min(max(lows), end), max(min(highs), start)
    if high < low:
        low, high = high, low
    begin_high, end_low = min(max(begin_high, low), high), min(max(end_low, low), high)
    kind = "bad" if step.status in {"failed", "cancelled", "expired"} else "step"
    if begin_high > end_low:  # the two may overlap: nothing in between is sure
        middle = (begin_high + end_low) // 2
        return Span(low, middle, middle, high, kind)
    return Span(low, begin_high, end_low, high, kind)


def _skew(run: "Run", calls: "Sequence[Exchange]") -> int | None:
    """What to add to the API's clock to have the proxy's; 0 where both may be right, None where they cannot be compared."""
    if run.created_at is None or not calls:
        return None
    made = calls[0].row.summary
    told = run.created_at * SECOND
    if told + SECOND >= made.started_us and told <= made.started_us + made.duration_us:
        return 0
    apart = made.started_us - told
    return apart if abs(apart) < _DAY else None


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
    return drawn


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
        (each for each in (0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600) if whole / each * 8 <= room),
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
