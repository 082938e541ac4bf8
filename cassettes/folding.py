"""Interactions in, conversations out: which operation tells what, and what becomes of those that went wrong.

One `Folding` a scope takes its interactions in order of arrival, so that it serves a finished cassette and a live one
alike. Every interaction leaves a trace in the conversation: an entry, a mark, a count of reads, or a note. Nothing in
an interaction makes this raise; a damaged cassette does, when a body is read.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from . import models
from .conversation import FINAL_STATES, Conversation, Mark, Message, Note, NoteKind, Reads, Recorded, Run
from .interaction import Body, End, Interaction, Response
from .merging import Merger, Moment
from .models import MAX_BODY, compact
from .operations import Operation, find_operation, split_target
from .outcomes import ENDS, cut_text, error_text, gist, held_text
from .scopes import media_type, scope_of
from .sse import Event, EventParser
from .summary import CUT, WRITE, Row
from .text import clip

STREAM = b"text/event-stream"

_STREAMED = frozenset({"createRun", "createThreadAndRun", "submitToolOuputsToRun"})
"""Writes that answer with a stream when asked to; of any other, a stream says nothing about what was written."""


class Call(NamedTuple):
    """An interaction, with what its request says."""

    interaction: Interaction
    operation: Operation
    ids: Mapping[str, str]
    subject: str
    query: bytes
    asked: dict[str, Any]
    moment: Moment


class Read(NamedTuple):
    """A read that was answered and understood: what it is counted on."""

    reads: Reads
    run: Run | None
    """The run that was polled."""
    new: bool = True
    """Whether it told something that was not known before."""


Seen = Callable[[Row, Interaction | None, Read | None], None]
"""Is told of each call in order; without an interaction where it repeats the last read of its key."""


class Folding:
    """Folds one scope's interactions into `conversation`.

    `coarse` says that times are those of an import: they are in order and right to the second, but durations, of which
    recorders keep none, must not be added to them.
    """

    def __init__(self, scope: str, *, coarse: bool = False) -> None:
        self.conversation = Conversation(scope)
        self._coarse = coarse
        self._merger = Merger(self.conversation)

    def add(self, interaction: Interaction) -> Read | None:
        """Take the next interaction, in order of arrival."""
        self.conversation.calls += 1
        read = None
        request, response, end = interaction.request, interaction.response, interaction.end
        _, path, query = split_target(request.target)
        operation, ids = find_operation(request.method, path)
        subject = f"{request.method} {(path + query).decode('utf-8', 'backslashreplace')}"
        status = response.status if response else 0
        note = Note(NoteKind.CALL, subject, status=status, arrival=interaction.arrival)
        well = 200 <= status < 300 and end is not End.UPSTREAM_FAILED
        if well and response is not None and operation is not None and self.conversation.is_thread:
            asked = models.read(request.body)
            moment = Moment(interaction.arrival, self._known_at(interaction))
            asked = asked if isinstance(asked, dict) else {}
            read = self._operation(Call(interaction, operation, ids, subject, query, asked, moment), response, note)
        elif end is End.UPSTREAM_FAILED:
            note.kind, note.detail = NoteKind.FAILED, error_text(response) or ENDS[end]
            self._merger.note(note)
        elif status >= 400:
            note.kind, note.detail = NoteKind.ERROR, error_text(response)
            note.named = models.error_kind(models.read(response.body)) if response else {}
            self._merger.note(note)
        elif response is not None:
            note.detail = gist(response)
            self._merger.note(note)
        if held := held_text(interaction):
            told = held.removeprefix("held ")
            self._merger.note(Note(NoteKind.HELD, subject, told, arrival=interaction.arrival))
        if end not in (End.COMPLETE, End.UPSTREAM_FAILED):
            self._merger.note(Note(NoteKind.CUT, subject, cut_text(interaction), status, interaction.arrival))
        return read

    def again(self, read: Read) -> None:
        """Take a read that asked and was answered bit for bit what an earlier one was."""
        self.conversation.calls += 1
        read.reads.total += 1
        if read.run is not None:
            read.run.polls += 1

    def _known_at(self, interaction: Interaction) -> int | None:
        """When the client had the whole answer; None where the recording has no times."""
        if not interaction.started_us:
            return None
        return interaction.started_us + (0 if self._coarse else interaction.duration_us)

    def _operation(self, call: Call, response: Response, note: Note) -> Read | None:
        self._merger.changed = False
        self._request(call)
        if media_type(response.headers) == STREAM:
            told = self._stream(call, response)
            understood = told and (call.operation.name in _STREAMED or not call.operation.writes)
        else:
            understood = self._answer(call, models.read(response.body))
        if not understood and call.interaction.end is End.COMPLETE:
            note.detail = gist(response)
            self._merger.note(note)
        if not understood or call.operation.writes:
            return None
        reads = self.conversation.reads.setdefault(call.operation.name, Reads())
        run = self.conversation.runs.get(call.ids["run_id"]) if call.operation.name == "getRun" else None
        reads.total += 1
        reads.new += self._merger.changed
        if run is not None:
            run.polls += 1
            run.new_polls += self._merger.changed
        return Read(reads, run, self._merger.changed)

    def _request(self, call: Call) -> None:
        """What the request tells that its answer does not repeat."""
        merger, asked, name = self._merger, call.asked, call.operation.name
        if name in {"createThread", "createThreadAndRun"}:
            self.conversation.created_by = name
            thread = asked if name == "createThread" else asked.get("thread")
            thread = thread if isinstance(thread, dict) else {}
            self.conversation.asked = thread
            if name == "createThreadAndRun" and thread:
                merger.thread(thread)
            sent = thread.get("messages")
        else:
            sent = asked.get("additional_messages") if name == "createRun" else None
        for message in sent[: models.MAX_ITEMS] if isinstance(sent, list) else []:
            merger.sent(message, call.moment)
        if name in {"submitToolOuputsToRun", "cancelRun"}:
            run = merger.run_named(call.ids["run_id"], call.moment)
            if run is not None:
                asked_at = call.interaction.started_us or None
                what = "cancel asked" if name == "cancelRun" else "outputs submitted"
                merger.mark(run, Mark(what, asked_at, action=True))
                merger.outputs(run, asked)
        elif name in {"modifyThread", "modifyMessage", "modifyRun"}:
            subject = {"modifyMessage": "message ", "modifyRun": "run "}.get(name, "thread")
            subject += call.ids.get("message_id") or call.ids.get("run_id") or ""
            told = ", ".join(f"{key} {compact(value)}" for key, value in sorted(asked.items())[:16])
            merger.note(Note(NoteKind.CHANGED, subject, told, arrival=call.moment.arrival, asked=asked))

    def _answer(self, call: Call, value: Any) -> bool:
        """Merge a whole answer; False when it is not what the operation answers."""
        merger, ids, moment = self._merger, call.ids, call.moment
        if not isinstance(value, dict):
            return False
        match call.operation.name:
            case "createThread" | "getThread" | "modifyThread":
                merger.thread(value)
            case "deleteThread":
                self.conversation.deleted = True
                merger.note(Note(NoteKind.DELETED, "thread", arrival=moment.arrival))
            case "createMessage" | "getMessage" | "modifyMessage":
                message = merger.message(value, moment)
                if message is not None and call.operation.name == "createMessage":
                    message.asked = call.asked
                return message is not None or self.conversation.left_out > 0
            case "deleteMessage":
                merger.deleted(ids["message_id"], moment)
            case "listMessages":
                merger.messages(_oldest_first(value, call.query), moment)
            case "listRuns":
                for item in _oldest_first(value, call.query):
                    merger.run(item, moment)
            case "listRunSteps":
                for item in _oldest_first(value, call.query):
                    merger.step(item, moment, ids["run_id"])
            case "getRunStep":
                merger.step(value, moment, ids["run_id"])
            case "listMessageFiles":
                names = [item.id for item in models.views(models.File, value.get("data"))]
                merger.files(ids["message_id"], names, moment)
            case "getMessageFile":
                merger.files(ids["message_id"], [models.File.of(value).id or ids["file_id"]], moment)
            case _:  # the run's own: create, get, modify, submit, cancel
                run = merger.run(value, moment, instructions=_instructions(call), asked=_asked(call))
                return run is not None or self.conversation.left_out > 0
        return True

    def _stream(self, call: Call, response: Response) -> bool:
        """Merge a stream, each event at the time when it came; False when nothing was told of a run or a message."""
        parser = EventParser(MAX_BODY)
        seen: dict[str, Message] = {}
        run_id = call.ids.get("run_id", "")
        telling = ended = False
        for piece, at_us in _timed(call.interaction, response):
            moment = Moment(call.moment.arrival, at_us)
            for event in parser.feed(piece):
                if event.name == "done" or event.data == "[DONE]":
                    ended = True
                    continue
                value = models.parse(event.data)
                if isinstance(told := self._event(call, event, value, moment, run_id), Message):
                    seen[told.id] = told
                elif isinstance(told, Run):
                    run_id = told.id
                self.conversation.not_understood += told is None
                telling = telling or bool(told)
        self.conversation.not_understood += parser.skipped
        if not ended and call.interaction.end is not End.COMPLETE:
            for message in seen.values():
                message.cut = message.cut or message.status not in FINAL_STATES
        if response.body.length > MAX_BODY:
            detail = f"only the first {MAX_BODY:,} bytes of {response.body.length:,} are shown"
            self._merger.note(Note(NoteKind.CALL, call.subject, detail, response.status, call.moment.arrival))
        return telling

    def _event(self, call: Call, event: Event, value: Any, moment: Moment, run_id: str) -> Message | Run | bool | None:
        """Merge one event: what it told of, False when it was understood but shows nowhere, None when it was not."""
        merger = self._merger
        if event.name == "error":
            detail = models.error_message(value) or clip(event.data, 300)
            named = models.error_kind(value)
            merger.note(Note(NoteKind.ERROR, call.subject, detail, arrival=moment.arrival, named=named))
            return True
        if not isinstance(value, dict):
            return None
        # Some servers leave the event's name out; then the object says what it is.
        name = event.name if event.name.startswith("thread.") else str(value.get("object"))[:64]
        if name.startswith("thread.run.step"):
            merge = merger.step_delta if name == "thread.run.step.delta" else merger.step
            return merge(value, moment, run_id) or None
        if name.startswith("thread.run"):
            return merger.run(value, moment, instructions=_instructions(call), asked=_asked(call))
        if name.startswith("thread.message"):
            return (merger.message_delta if name == "thread.message.delta" else merger.message)(value, moment)
        if name in {"thread", "thread.created"}:
            merger.thread(value)
            return False
        return None


def fold(recording: Recorded, scope: str, *, seen: Seen | None = None) -> Conversation:
    """The conversation of one scope of a cassette; `seen` is told of each call behind its folding.

    A read whose request and answer are those of the last one, with no write in between, is counted by its summary
    alone: a thousand polls cost about one.
    """
    folding = Folding(scope, coarse="imported_from" in recording.meta)
    known: dict[int, tuple[int, Read]] = {}
    for row in recording.rows_of_scope(scope):
        summary = row.summary
        answer, read = known.get(summary.key, (0, None))
        if read is not None and answer == summary.answer and not summary.flags & (WRITE | CUT):
            folding.again(read)
            if seen is not None:
                seen(row, None, read._replace(new=False))
            continue
        interaction = recording.interaction(row)
        read = folding.add(interaction)
        if seen is not None:
            seen(row, interaction, read)
        if summary.flags & WRITE:
            known.clear()
        elif read is not None and not summary.flags & CUT:
            known[summary.key] = summary.answer, read
    return folding.conversation


def fold_interactions(interactions: Iterable[Interaction]) -> list[Conversation]:
    """The conversations of interactions at hand, in order of their scopes' first arrival."""
    scopes: dict[str, Folding] = {}
    for interaction in interactions:
        scope = interaction.scope or scope_of(interaction.request, interaction.response)
        if scope not in scopes:
            scopes[scope] = Folding(scope)
        scopes[scope].add(interaction)
    return [folding.conversation for folding in scopes.values()]


def _timed(interaction: Interaction, response: Response) -> Iterable[tuple[bytes, int | None]]:
    """The pieces of a stream as they came, with the time of each, up to the cap."""
    if not response.marks or not interaction.started_us:
        yield from ((piece, None) for piece in _up_to_the_cap(response.body))
        return
    data = memoryview(b"".join(_up_to_the_cap(response.body)))
    at = interaction.started_us + response.head_us
    start = 0
    for length, offset_us in response.marks:
        at = interaction.started_us + offset_us
        if start >= len(data):
            return
        yield bytes(data[start : start + length]), at
        start += length
    yield bytes(data[start:]), at


def _up_to_the_cap(body: Body) -> Iterable[bytes]:
    left = MAX_BODY
    for piece in body.pieces():
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _oldest_first(value: dict[str, Any], query: bytes) -> list[Any]:
    """A page's objects by creation, whichever way it was asked for (newest first, unless `order=asc`)."""
    items = [item for item in models.Page.of(value).data if isinstance(item, dict)]
    if b"order=asc" not in query.removeprefix(b"?").split(b"&"):
        items.reverse()
    items.sort(key=lambda item: models.Thread.of(item).created_at or 0)
    return items


def _asked(call: Call) -> dict[str, Any] | None:
    """What a call that makes a run says of it."""
    return call.asked if call.operation.name in {"createRun", "createThreadAndRun"} else None


def _instructions(call: Call) -> str:
    if call.operation.name not in {"createRun", "createThreadAndRun"}:
        return ""
    told = [call.asked.get(name) for name in ("instructions", "additional_instructions")]
    return "\n".join(text for text in told if isinstance(text, str) and text)
