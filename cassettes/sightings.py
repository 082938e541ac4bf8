"""When a run and its steps were in which state, as far as a recording's clocks tell.

The API counts in whole seconds; the proxy knows to the microsecond when a client asked and when it had the answer. A state that
a poll tells was the run's at some moment in between, so each state has a stretch of time in which it may have begun. An event
of a stream is pushed as it happens: its time is taken for the moment itself. Nothing here draws, and nothing guesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .conversation import FINAL_STATES
from .courses import MOST_STREAM, is_stream, told
from .interaction import Interaction
from .models import parse
from .operations import OPERATIONS, find_operation, split_target
from .sse import EventParser
from .summary import CUT, WRITE, Row

MOST_LIVES = 4_000
"""Runs and steps of one thread that are followed."""
MOST_STATES = 200
MOST_POLLS = 2_000
_GET_RUN = next(operation.number for operation in OPERATIONS if operation.name == "getRun")
_MADE_BY = frozenset({"createRun", "createThreadAndRun"})
_ENDS = ("completed_at", "failed_at", "cancelled_at", "expired_at")


@dataclass(slots=True)
class Stretch:
    """A state, and when it began: not before `after_us`, and by `first_us` the client knew. `last_us`: it still lasted then.

    `after_us` is 0 where nothing is known of the time before.
    """

    state: str
    after_us: int
    first_us: int
    last_us: int


@dataclass(slots=True)
class Life:
    """What was seen of a run or a step. `*_s`: the API's own whole seconds; None where it told none."""

    id: str
    run_id: str
    stretches: list[Stretch] = field(default_factory=list)
    created_s: int | None = None
    started_s: int | None = None
    ended_s: int | None = None
    asked_us: int = 0
    """When the call that made it began; 0 where that is not recorded."""
    polls: list[int] = field(default_factory=list)

    def see(self, state: str, asked_us: int, known_us: int, *, pushed: bool = False) -> None:
        """Take a state that was told to a client which asked at `asked_us` and had the answer at `known_us`.

        Both are equal for what a stream pushed: then the state before it lasted until that moment. An answer may have taken no
        time either, in a recording that was imported; that proves nothing of the state before it.
        """
        last = self.stretches[-1] if self.stretches else None
        if pushed and last is not None and last.state != state and last.state not in FINAL_STATES:
            last.last_us = max(last.last_us, asked_us)
        if last is not None and last.state == state:
            last.last_us = max(last.last_us, asked_us)
        elif last is not None and (last.state in FINAL_STATES or known_us < last.first_us):
            return  # an answer that was overtaken tells of a time before
        elif len(self.stretches) < MOST_STATES:
            after = last.last_us if last is not None else self.asked_us or (asked_us if pushed else 0)
            self.stretches.append(Stretch(state, after, known_us, max(asked_us, after)))

    def last(self, until_us: int) -> None:
        """Nothing else was told until then, so the state lasted."""
        if self.stretches and self.stretches[-1].state not in FINAL_STATES:
            self.stretches[-1].last_us = max(self.stretches[-1].last_us, until_us)


class Sightings:
    """Collects the sightings of one thread. Calls are given in order of arrival."""

    def __init__(self) -> None:
        self.lives: dict[str, Life] = {}
        self._answers: dict[int, tuple[int, list[tuple[Life, str]]]] = {}

    def add(self, row: Row, interaction: Interaction) -> None:
        """Take the next call. One that repeats the answer before it costs no parsing."""
        summary, response = row.summary, interaction.response
        if response is None or not 200 <= response.status < 300 or not interaction.started_us:
            return
        asked, known = interaction.started_us, interaction.started_us + interaction.duration_us
        _, path, _ = split_target(interaction.request.target)
        operation, ids = find_operation(interaction.request.method, path)
        name, run_id = operation.name if operation else "", ids.get("run_id", "")
        if name == "submitToolOuputsToRun" and (life := self.lives.get(run_id)) and life.stretches:
            life.stretches[-1].last_us = max(life.stretches[-1].last_us, asked)
        if name == "getRun" and (life := self._life(run_id, run_id)) and len(life.polls) < MOST_POLLS:
            life.polls.append(known)
        if is_stream(response):
            made = asked if name in _MADE_BY else 0
            pushed = [self._see(value, at, at, run_id, made, pushed=True) for value, at in _events(interaction)]
            until = asked + (response.marks[-1][1] if response.marks else 0)
            for life in {pair[0].id: pair[0] for pair in pushed if pair is not None}.values():
                life.last(until)
            return
        before, seen = self._answers.get(summary.key, (0, []))
        if before == summary.answer and not summary.flags & (WRITE | CUT):
            for life, state in seen:
                life.see(state, asked, known)
            return
        made = asked if name in _MADE_BY else 0
        seen = [pair for value in told(response) if (pair := self._see(value, asked, known, run_id, made))]
        if not summary.flags & (WRITE | CUT):
            self._answers[summary.key] = summary.answer, seen

    def again(self, row: Row) -> None:
        """Take a call that asked and was answered bit for bit what the last one of its key was; it need not be read."""
        summary = row.summary
        before, seen = self._answers.get(summary.key, (0, []))
        if before != summary.answer or not summary.started_us:
            return
        known = summary.started_us + summary.duration_us
        for life, state in seen:
            life.see(state, summary.started_us, known)
            if summary.operation == _GET_RUN and life.id == life.run_id and len(life.polls) < MOST_POLLS:
                life.polls.append(known)

    def _life(self, name: str, run_id: str) -> Life | None:
        if name and name not in self.lives and len(self.lives) < MOST_LIVES:
            self.lives[name] = Life(name, run_id)
        return self.lives.get(name)

    def _see(
        self, value: dict[str, Any], asked: int, known: int, run_id: str, made: int, *, pushed: bool = False
    ) -> tuple[Life, str] | None:
        kind, name, state = value.get("object"), value.get("id"), value.get("status")
        if kind not in ("thread.run", "thread.run.step") or not isinstance(name, str) or not isinstance(state, str):
            return None
        owner = value.get("run_id") if kind == "thread.run.step" else name
        life = self._life(name, owner if isinstance(owner, str) else run_id)
        if life is None:
            return None
        if made and kind == "thread.run" and not life.stretches:
            life.asked_us = made
        life.created_s = _second(value, "created_at") or life.created_s
        life.started_s = _second(value, "started_at") or life.started_s
        life.ended_s = next((at for name in _ENDS if (at := _second(value, name))), life.ended_s)
        life.see(state, asked, known, pushed=pushed)
        return life, state


def _second(value: dict[str, Any], name: str) -> int | None:
    told = value.get(name)
    return told if isinstance(told, int) and 0 < told < 1 << 40 else None


def _events(interaction: Interaction) -> Iterator[tuple[dict[str, Any], int]]:
    """Objects in a stream, each with the time at which its event was whole."""
    response = interaction.response
    if response is None or response.body.length > MOST_STREAM:
        return
    for name, data, offset_us in timed_events(interaction):
        # Deltas are most of a stream and carry no state.
        if not name.endswith(".delta"):
            value = parse(data)
            if isinstance(value, dict):
                yield value, interaction.started_us + offset_us


def timed_events(interaction: Interaction) -> Iterator[tuple[str, str, int]]:
    """Each event of a stream: its name, its data, and microseconds from the request until it was whole."""
    response = interaction.response
    if response is None:
        return
    data = response.body.read()
    parser, start = EventParser(), 0
    for length, offset_us in response.marks:
        for event in parser.feed(data[start : start + length]):
            yield event.name, event.data, offset_us
        start += length
    for event in parser.feed(data[start:]):
        yield event.name, event.data, interaction.duration_us
