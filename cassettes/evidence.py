"""One call as a filter looks at it: its row at once, and what its record tells only when that is asked for.

What a call tells of runs and tools stands in its path, in the answer's objects or in the events of its stream. A submit
names its tool calls by id alone; their names are looked up in the calls of the same thread before it. Bodies over
`models.MAX_BODY` tell nothing. Nothing in an interaction makes this raise; a damaged cassette does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from . import models
from .conversation import Recorded
from .interaction import Body, Interaction
from .needle import Needle
from .operations import OPERATIONS, find_operation, split_target
from .reader import Reader
from .scopes import media_type
from .sse import events
from .summary import Row, Summary

MOST_BEFORE = 64
"""Calls of a thread that are looked through, backwards, for the names of tool calls."""

_NUMBERS = {operation.name: operation.number for operation in OPERATIONS}
_SUBMIT = _NUMBERS["submitToolOuputsToRun"]
_NAME_TOOLS = frozenset(
    _NUMBERS[name] for name in ("createThreadAndRun", "createRun", "getRun", "submitToolOuputsToRun", "listRunSteps")
)


@dataclass(slots=True)
class Told:
    """The states and ids of runs, and the tools (call id → name), that one call tells of."""

    statuses: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    tools: dict[str, str] = field(default_factory=dict)


class Witness:
    """Makes the evidence of the rows of one recording, and remembers what several of them need."""

    def __init__(self, recording: Recorded) -> None:
        self.recording = recording
        self._first_of = lru_cache(maxsize=256)(self._firsts)

    def evidence(self, row: Row) -> "Evidence":
        return Evidence(self, row)

    def is_first(self, summary: Summary) -> bool:
        """Whether no call before it in its thread asked the same and was answered the same."""
        first = self._first_of(self.recording.scope_name(summary.scope)).get((summary.key, summary.answer))
        return first is None or first >= summary.arrival

    def named(self, scope: str, before: int, wanted: set[str]) -> dict[str, str]:
        """The names of tool calls, as far as the calls of the thread before this one tell them."""
        found: dict[str, str] = {}
        rows = [
            row
            for row in self.recording.rows_of_scope(scope)
            if row.summary.arrival < before and row.summary.operation in _NAME_TOOLS
        ]
        for row in reversed(rows[-MOST_BEFORE:]):
            if wanted <= found.keys():
                break
            found |= told_by(self.recording.interaction(row)).tools
        return {call: found[call] for call in wanted if call in found}

    def _firsts(self, scope: str) -> dict[tuple[int, int], int]:
        firsts: dict[tuple[int, int], int] = {}
        for row in self.recording.rows_of_scope(scope):
            firsts.setdefault((row.summary.key, row.summary.answer), row.summary.arrival)
        return firsts


class Evidence:
    """One call. `summary` costs nothing; `interaction` and what is made of it is read once, when it is first asked for."""

    def __init__(self, witness: Witness, row: Row) -> None:
        self.witness = witness
        self.row = row
        self.summary = row.summary

    @cached_property
    def interaction(self) -> Interaction:
        return self.witness.recording.interaction(self.row)

    @property
    def scope(self) -> str:
        return self.witness.recording.scope_name(self.summary.scope)

    @property
    def target(self) -> str:
        """The path below the base prefix, and the query."""
        _, path, query = split_target(self.interaction.request.target)
        return (path + query).decode("utf-8", "replace")

    @cached_property
    def told(self) -> Told:
        told = told_by(self.interaction)
        if self.summary.operation == _SUBMIT:
            asked = models.read(self.interaction.request.body)
            outputs = asked.get("tool_outputs") if isinstance(asked, dict) else None
            calls = {output.tool_call_id for output in models.views(models.ToolOutput, outputs)}
            told.tools |= self.witness.named(self.scope, self.summary.arrival, calls - told.tools.keys())
        return told

    def says(self, needle: Needle) -> bool:
        """Whether a body holds this text."""
        return any(map(needle.in_body, self._bodies))

    @cached_property
    def _bodies(self) -> tuple[Body, ...]:
        """Of the request and of the answer; of a cassette without the rest of the record, which costs more than the look."""
        if isinstance(self.witness.recording, Reader) and "interaction" not in self.__dict__:
            return self.witness.recording.bodies(self.row)
        response = self.interaction.response
        return (self.interaction.request.body, *([response.body] if response is not None else []))


def told_by(interaction: Interaction) -> Told:
    """What one call tells by itself."""
    told = Told()
    _, path, _ = split_target(interaction.request.target)
    _, ids = find_operation(interaction.request.method, path)
    if "run_id" in ids:
        told.runs.add(ids["run_id"])
    for value in _objects(interaction):
        kind = value.get("object")
        if kind == "thread.run":
            run = models.Run.of(value)
            told.statuses.add(run.status)
            told.runs.add(run.id)
            _take_tools(told, run.tool_calls)
        elif kind == "thread.run.step":
            step = models.Step.of(value)
            told.runs.add(step.run_id)
            _take_tools(told, step.tool_calls)
        elif kind == "thread.message":
            told.runs.add(models.Message.of(value).run_id)
    told.statuses.discard("")
    told.runs.discard("")
    return told


def _objects(interaction: Interaction) -> Iterator[dict[str, Any]]:
    """The objects of an answer: itself, the items of a page, or those of a stream's events."""
    response = interaction.response
    if response is None or not 0 < response.body.length <= models.MAX_BODY:
        return
    if media_type(response.headers) == b"text/event-stream":
        for event in events(response.body.read()):
            value = models.parse(event.data)
            if isinstance(value, dict):
                yield value
        return
    value = models.read(response.body)
    if isinstance(value, dict):
        yield value
        for item in models.Page.of(value).data:
            if isinstance(item, dict):
                yield item


def _take_tools(told: Told, calls: Iterable[models.ToolCall]) -> None:
    for number, call in enumerate(calls):
        name = call.function.get("name")
        told.tools[call.id or f"call {number}"] = name if isinstance(name, str) and name else call.type
