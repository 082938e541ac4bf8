"""A run's time as bars: its states, its steps, what the client did meanwhile, and its polls.

A bar is made of pieces. A piece that is `sure` certainly belongs to its kind; one that is not stands where a change happened at
some moment that no clock tells. API seconds narrow what the proxy's clock leaves open, as long as both clocks agree.
"""

from typing import NamedTuple

from ..cassettes.conversation import FINAL_STATES, Run, Step
from ..cassettes.sightings import Life, Sightings, Stretch

SECOND = 1_000_000
MOST_ROWS = 100
MOST_TICKS = 300
"""Polls that are drawn, evenly chosen."""
CLIENT = "client"


class Piece(NamedTuple):
    """From `start_us` to `end_us`, both counted from the start of the waterfall."""

    kind: str
    start_us: int
    end_us: int
    sure: bool


class Line(NamedTuple):
    """One row. `steps` names the step it is about."""

    label: str
    pieces: tuple[Piece, ...]
    step: str = ""

    @property
    def unsure(self) -> bool:
        return any(not piece.sure for piece in self.pieces)


class Timeline(NamedTuple):
    """`skewed`: the API's seconds contradict the proxy's clock and were not used.

    `states`: each state of the run in order, with the moments between which it began, counted from the start.
    """

    start_us: int
    length_us: int
    lines: tuple[Line, ...]
    polls: tuple[int, ...]
    skewed: bool
    states: "tuple[tuple[str, Bounds], ...]" = ()

    def ticks(self) -> list[int]:
        """Round moments for the axis, seven at most."""
        steps = (factor * 10**power for power in range(16) for factor in (1, 2, 5))
        step = next(step for step in steps if self.length_us / step <= 6)
        return list(range(0, self.length_us + 1, step))


class Bounds(NamedTuple):
    """A moment that is somewhere from `low` to `high`."""

    low: int
    high: int

    def within(self, second: int | None) -> "Bounds":
        """Narrowed by one of the API's seconds; as it is where that contradicts."""
        return self if second is None else self.meeting(Bounds(second * SECOND, (second + 1) * SECOND))

    def meeting(self, other: "Bounds") -> "Bounds":
        """What both allow; as it is where that is nothing."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Bounds(low, high) if low <= high else self


def timeline_of(run: Run, sightings: Sightings) -> Timeline | None:
    """The waterfall of a run; None where its recording has no times."""
    life = sightings.lives.get(run.id)
    if life is None or not life.stretches or not life.stretches[0].first_us:
        return None
    first, last = life.stretches[0], life.stretches[-1]
    start = life.asked_us or first.after_us or first.first_us
    end = max(last.first_us, last.after_us, 0 if last.state in FINAL_STATES else last.last_us)
    if end <= start:
        return None
    skewed = _skewed(life)
    began = _transitions(life, start, skewed)
    lines = [Line("run", _states(life, began, start, end))]
    lines += _waits(run, life, start, end)
    waits = [each for each in life.stretches if each.state == "requires_action" and each.last_us > each.first_us]
    whole = Bounds(_working(life, began, start), end)
    for step in run.steps_in_order()[: MOST_ROWS - len(lines)]:
        seen = sightings.lives.get(step.id)
        if seen is None or seen.run_id != run.id:
            continue
        asks = any(call.kind == "function" for call in step.calls.values())
        begin, until = _step(seen, whole, waits.pop(0) if asks and waits else None, skewed=skewed)
        whole = Bounds(min(max(whole.low, until.low), end), end)  # the next step is not begun before
        lines.append(Line(_named(step), _step_pieces(seen, begin, until, start, end - start), step.id))
    polls = tuple(at - start for at in _thinned(life.polls) if start <= at <= end)
    states = tuple(
        (one.state, Bounds(at.low - start, at.high - start)) for one, at in zip(life.stretches, began, strict=True)
    )
    return Timeline(start, end - start, tuple(lines), polls, skewed, states)


def _skewed(life: Life) -> bool:
    """Whether the API's clock is not the proxy's: the run was created in a second in which nobody asked for it."""
    if life.created_s is None or not life.asked_us:
        return False
    created = life.created_s * SECOND
    return not life.asked_us - 2 * SECOND <= created <= life.stretches[0].first_us + SECOND


def _transitions(life: Life, start: int, skewed: bool) -> list[Bounds]:
    """When each state began."""
    found: list[Bounds] = []
    low = start
    for index, stretch in enumerate(life.stretches):
        bounds = Bounds(max(low, stretch.after_us or start), max(stretch.first_us, low))
        if not skewed and index and stretch.state in FINAL_STATES:
            bounds = bounds.within(life.ended_s)
        elif (
            not skewed
            and stretch.state == "in_progress"
            and not any(s.state == "in_progress" for s in life.stretches[:index])
        ):
            bounds = bounds.within(life.started_s)
        found.append(bounds)
        low = bounds.low
    return found


def _states(life: Life, began: list[Bounds], start: int, end: int) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for index, (stretch, bounds) in enumerate(zip(life.stretches, began, strict=True)):
        until = began[index + 1].low if index + 1 < len(began) else end
        until = max(until, bounds.high)
        pieces.append(Piece(stretch.state, bounds.low - start, bounds.high - start, sure=False))
        if stretch.state not in FINAL_STATES:
            pieces.append(Piece(stretch.state, bounds.high - start, until - start, sure=True))
    return _drawn(pieces, end - start)


def _waits(run: Run, life: Life, start: int, end: int) -> list[Line]:
    """The client's own time: from when it knew that outputs are wanted to when it sent them. Both are the proxy's clock."""
    waits = [
        Piece(CLIENT, stretch.first_us - start, stretch.last_us - start, sure=True)
        for stretch in life.stretches
        if stretch.state == "requires_action" and stretch.last_us > stretch.first_us
    ]
    return [Line("your tools", _drawn(waits, end - start))] if waits and run.calls else []


def _working(life: Life, began: list[Bounds], start: int) -> int:
    """When the run may first have worked."""
    return next((at.low for one, at in zip(life.stretches, began, strict=True) if one.state != "queued"), start)


def _named(step: Step) -> str:
    names = ", ".join(call.name or call.kind or "tool" for call in list(step.calls.values())[:4])
    return names or {"message_creation": "message", "tool_calls": "tools"}.get(step.kind, step.kind or "step")


def _step(step: Life, run: Bounds, wait: Stretch | None, *, skewed: bool) -> tuple[Bounds, Bounds]:
    """When a step began and ended. A step that asked for outputs had begun when that was known, and went on till they came."""
    first, last = step.stretches[0], step.stretches[-1]
    low = min(max(run.low, first.after_us), run.high)
    begin = Bounds(low, max(min(first.first_us, run.high), low))
    end = Bounds(run.high, run.high)
    if last.state in FINAL_STATES:
        after = last.after_us if len(step.stretches) > 1 else run.low
        end = Bounds(max(min(after, run.high), run.low), max(min(last.first_us, run.high), run.low))
    if wait is not None:
        begin = begin.meeting(Bounds(0, wait.first_us))
        end = end.meeting(Bounds(wait.last_us, end.high))
    if not skewed:
        begin = begin.within(step.created_s)
        end = end.within(step.ended_s) if last.state in FINAL_STATES else end
    return begin, Bounds(max(end.low, begin.low), max(end.high, begin.low))


def _step_pieces(step: Life, begin: Bounds, end: Bounds, start: int, length: int) -> tuple[Piece, ...]:
    state = step.stretches[-1].state
    kind = "step" if state in ("completed", "in_progress") else state
    if begin.high >= end.low:
        return _drawn([Piece(kind, begin.low - start, end.high - start, sure=False)], length)
    return _drawn(
        [
            Piece(kind, begin.low - start, begin.high - start, sure=False),
            Piece(kind, begin.high - start, end.low - start, sure=True),
            Piece(kind, end.low - start, end.high - start, sure=False),
        ],
        length,
    )


def _drawn(pieces: list[Piece], length: int) -> tuple[Piece, ...]:
    """Inside the picture, without what has no length, and none over another: calls that overlap contradict each other."""
    shown: list[Piece] = []
    at = 0
    for piece in pieces:
        begin, until = max(piece.start_us, at), min(piece.end_us, length)
        if until > begin:
            shown.append(piece._replace(start_us=begin, end_us=until))
            at = until
    return tuple(shown)


def _thinned(polls: list[int]) -> list[int]:
    step = -(-len(polls) // MOST_TICKS) or 1
    return polls[::step]
