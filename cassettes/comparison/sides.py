"""One of the two cassettes of a comparison: its threads as conversations, folded when they are asked for.

Conversations are kept as long as few calls are in them; those of a large cassette are folded anew each time instead, so that
memory stays that of a few threads.
"""

from collections.abc import Iterator
from typing import Any

from ..conversation import Conversation, Message, Recorded, Run
from ..folding import fold
from ..interaction import Interaction, Response
from ..models import compact
from .naming import Given

MOST_KEPT = 20_000
"""Calls whose conversations are kept."""


class Side:
    """`threads` and `collections` are scopes in order of their first call; `given` the ids that the upstream gave."""

    def __init__(self, recording: Recorded) -> None:
        self.recording = recording
        self.given = Given()
        scopes = recording.scopes()
        self.threads = [scope for scope in scopes if not scope.startswith("/")]
        self.collections = [scope for scope in scopes if scope.startswith("/")]
        self._kept: dict[str, Conversation] = {}
        self._calls = 0

    def conversation(self, scope: str) -> Conversation:
        """The conversation of a thread. What its upstream named is known as given from then on."""
        kept = self._kept.get(scope)
        if kept is not None:
            return kept
        conversation = fold(self.recording, scope)
        for name, kind in _given(conversation):
            self.given.add(name, kind)
        if self._calls + conversation.calls <= MOST_KEPT:
            self._calls += conversation.calls
            self._kept[scope] = conversation
        return conversation

    def calls(self, scope: str) -> Iterator[Interaction]:
        """The calls of a scope in order."""
        for row in self.recording.rows_of_scope(scope):
            yield self.recording.interaction(row)


def same_calls(left: Side, right: Side, scope: str) -> bool:
    """Whether both recorded a thread with the very same calls and answers. Asks the index first, and then the records."""
    rows = left.recording.rows_of_scope(scope), right.recording.rows_of_scope(scope)
    if [_content(row.summary) for row in rows[0]] != [_content(row.summary) for row in rows[1]]:
        return False
    return all(
        _said(left.recording.interaction(one)) == _said(right.recording.interaction(other))
        for one, other in zip(*rows, strict=True)
    )


def _content(summary: Any) -> tuple[int, ...]:
    return summary.key, summary.answer, summary.status, summary.flags


def _said(call: Interaction) -> tuple[object, ...]:
    request, response = call.request, call.response
    answer = (response.status, response.body) if isinstance(response, Response) else None
    return request.method, request.target, request.body, answer, call.end, call.started_us, call.duration_us


def written(message: Message) -> bool:
    """Whether the client wrote a message, rather than a run."""
    return message.asked is not None or (not message.run_id and message.role != "assistant")


def chips(message: Message) -> list[str]:
    """The annotations of a message's parts, in order."""
    return [chip for index in sorted(message.parts) for chip in message.parts[index].chips]


def _given(conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Ids that answers named, with what they are ids of. What the client wrote of itself is left out."""
    yield conversation.scope, "thread"
    asked = compact(conversation.asked)
    for entry in conversation.entries:
        if isinstance(entry, Message):
            yield entry.id, "message"
            sent = compact(entry.asked)
            told = [*entry.files, *(chip.split(" ")[1] for chip in chips(entry) if chip.startswith("file_path "))]
            told += [part.text for part in entry.parts.values() if part.kind == "image_file"]
            yield from ((name, "file") for name in told if name not in sent and name not in asked)
        elif isinstance(entry, Run):
            yield from _of_run(entry)
    yield from ((name, "resource") for name in _ids_within(conversation.resources) if name not in asked)


def _of_run(run: Run) -> Iterator[tuple[str, str]]:
    yield run.id, "run"
    for step in run.steps.values():
        yield step.id, "step"
    for call in run.calls.values():
        yield call.id, "call"
        for logs in call.logs.values():
            text = "".join(logs)
            if text.startswith("image "):
                yield text.removeprefix("image "), "file"


def _ids_within(value: Any, levels: int = 8) -> Iterator[str]:
    if isinstance(value, dict) and levels:
        for name, child in value.items():
            if name.endswith("_id") and isinstance(child, str):
                yield child
            elif name.endswith("_ids") and isinstance(child, list):
                yield from (each for each in child if isinstance(each, str))
            else:
                yield from _ids_within(child, levels - 1)
    elif isinstance(value, list) and levels:
        for child in value:
            yield from _ids_within(child, levels - 1)
