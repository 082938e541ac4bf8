"""The waterfalls of a run and of a thread: when a run was queued, worked, waited for its client, and what its steps took.

`timeline.py` knows what is sure of a run's time and what is not; here that becomes bars, which `waterfall.py` draws. The page
for a browser draws the same timeline in its own way. Nothing here reads a cassette or draws.
"""

from collections.abc import Iterator, Sequence

from ..cassettes.conversation import FINAL_STATES, Conversation, Run
from ..cassettes.sightings import Sightings
from ..cassettes.text import clip
from .exchanges import Exchange
from .timeline import Piece, Timeline, timeline_of
from .waterfall import SECOND, Bar, Span, Waterfall, seconds

MOST_BARS = 500
_BAD = frozenset({"failed", "cancelled", "expired", "incomplete"})
_ENDED = {"completed": "run"} | dict.fromkeys(_BAD, "bad")


def of_run(run: Run, number: int, sightings: Sightings, calls: Sequence[Exchange]) -> Waterfall:
    """The waterfall of a run, from what its answers told when, and the calls that belong to it."""
    told = (
        f"Run {number}",
        clip(run.status, 40) or "state unknown",
        f"{run.tokens[2]:,} tok" if run.tokens else "",
        clip(run.id, 60),
    )
    title = " · ".join(filter(None, told))
    fall = timeline_of(run, sightings)
    if fall is None:
        return Waterfall(title, note="The recording has no times of this run.")
    bars = [*_states(fall), *_steps(run, fall)]
    if polls := [call for call in calls if call.poll]:
        dots = tuple((call.row.summary.started_us - fall.start_us, not call.quiet) for call in polls)
        same = sum(call.quiet for call in polls)
        bars.append(Bar("polls", (), f"{len(polls):,} ({same:,} unchanged)", dots))
    note = "The API's clock differs from the recorder's: its seconds are not used." if fall.skewed else ""
    return Waterfall(title, 0, fall.length_us, tuple(bars[:MOST_BARS]), note)


def of_thread(conversation: Conversation, sightings: Sightings) -> Waterfall:
    """All runs of a thread over its time."""
    bars: list[Bar] = []
    for number, run in enumerate(conversation.runs.values(), 1):
        fall = timeline_of(run, sightings) if len(bars) < MOST_BARS else None
        if fall is None:
            continue
        kind = _ENDED.get(run.status, "queued")
        start, end = fall.start_us, fall.start_us + fall.length_us
        last = fall.lines[0].pieces[-1]
        sure = end if last.sure or run.status not in _ENDED else start + last.start_us
        span = Span(start, start, sure, end, kind)
        bars.append(Bar(f"run {number} {clip(run.status, 20)}", (span,), seconds(fall.length_us)))
    title = f"Thread · {len(conversation.runs):,} runs" if len(conversation.runs) != 1 else "Thread · 1 run"
    if not bars:
        return Waterfall(title, note="No run with times was recorded here.")
    ends = [span for bar in bars for span in bar.spans]
    return Waterfall(title, min(s.low for s in ends), max(s.high for s in ends), tuple(bars))


def _states(fall: Timeline) -> Iterator[Bar]:
    """Queued and in progress, and what the client took for its tools."""
    found: dict[str, list[Span]] = {"queued": [], "in progress": [], "client's tools": []}
    for state, span in _stretches(fall):
        if state == "queued":
            found["queued"].append(span._replace(kind="queued"))
        elif state != "requires_action" and state not in FINAL_STATES:
            found["in progress"].append(span)
    for line in fall.lines[1:]:
        if not line.step:
            found["client's tools"] += [Span.sure(each.start_us, each.end_us, "client") for each in line.pieces]
    for name, spans in found.items():
        if spans:
            yield Bar(name, tuple(spans), _length(spans))


def _stretches(fall: Timeline) -> Iterator[tuple[str, Span]]:
    """Each state of a run, from where it may have begun to where the one behind it surely had."""
    for at, (state, began) in enumerate(fall.states):
        low, high = fall.states[at + 1][1] if at + 1 < len(fall.states) else (fall.length_us, fall.length_us)
        yield state, Span(began.low, began.high, max(low, began.high), max(low, high), "work")


def _steps(run: Run, fall: Timeline) -> Iterator[Bar]:
    """Each step, with its tokens."""
    lines = {line.step: line for line in fall.lines if line.step}
    for number, step in enumerate(run.steps_in_order(), 1):
        names = ", ".join(clip(call.name or call.kind, 20) for call in list(step.calls.values())[:4])
        label = f"step {number} {names or ('message' if step.kind == 'message_creation' else clip(step.kind, 20))}"
        tokens = f"{step.tokens[2]:,} tok" if step.tokens else ""
        if step.id not in lines or not lines[step.id].pieces:
            yield Bar(label, (), tokens or "no times")
            continue
        span = _of_step(lines[step.id].pieces, "bad" if step.status in _BAD else "step")
        yield Bar(label, (span,), f"{_length([span])} {tokens}".rstrip())


def _of_step(pieces: Sequence[Piece], kind: str) -> Span:
    low, high = pieces[0].start_us, pieces[-1].end_us
    solid = next((piece for piece in pieces if piece.sure), None)
    if solid is None:
        return Span(low, high, high, high, kind)
    return Span(low, solid.start_us, solid.end_us, high, kind)


def _length(spans: Sequence[Span]) -> str:
    """How long it took: one time where all is as good as sure, a range, or no more than so much."""
    least, most = sum(span.length for span in spans), sum(span.high - span.low for span in spans)
    if most - least < SECOND // 20:
        return seconds(most)
    return f"{seconds(least)}–{seconds(most)}" if least * 10 > most else f"≤{seconds(most)}"
