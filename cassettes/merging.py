"""How the API's objects are put together by their ids, from whole objects and from a stream's deltas.

Every whole object says all about itself, so the latest counts, except that a final state is not left again: a poll that
overlapped a stream was folded after it and tells of a time before. Deltas add. Ids, indexes and counts come from the
wire: what is beyond the caps is left out, and whole entries are counted.
"""

from typing import Any, NamedTuple

from . import models
from .conversation import FINAL_STATES, Conversation, Entry, Mark, Message, Note, NoteKind, Part, Run, Step, ToolCall
from .models import compact
from .parts import MAX_PARTS, fault_text, part_of, tool_call

MAX_ENTRIES = 20_000
"""Messages, runs and notes of one conversation."""
MAX_INSIDE = MAX_PARTS
"""Steps, tool calls and marks of one run; parts of one message."""
MAX_STEP_MARKS = 16
"""States of one step."""
_PLACES_BACK = 500
"""How far back an older message is put into its place; beyond that it stands where it was first seen."""


class Moment(NamedTuple):
    """Which interaction told it, and when (Unix microseconds; None where the recording has no times)."""

    arrival: int
    at_us: int | None


class Merger:
    """Merges what one thread's calls tell into its conversation. `changed` says whether anything was new."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.changed = False
        self._told: dict[str, int] = {}
        self._unnamed: list[Message] = []
        self._steps: dict[str, tuple[Run, Step]] = {}

    def thread(self, value: Any) -> None:
        view = models.Thread.of(value)
        self._fresh("thread", value)
        self.conversation.created_at = view.created_at or self.conversation.created_at
        if "metadata" in view.model_fields_set:
            self._metadata(self.conversation, view.metadata)
        self.conversation.resources = view.tool_resources

    def sent(self, value: Any, moment: Moment) -> None:
        """A message inside the request that makes a thread or a run: it has no id until an answer tells one."""
        view = models.Message.of(value)
        message = Message("", view.role or "user", arrival=moment.arrival)
        message.parts = {index: part_of(part) for index, part in enumerate(view.parts)}
        message.files = view.files
        message.asked = value if isinstance(value, dict) else {}
        if "metadata" in view.model_fields_set:
            self._metadata(message, view.metadata)
        if self.add(message):
            self._unnamed.append(message)

    def messages(self, values: list[Any], moment: Moment) -> None:
        """A page of messages, the oldest first. One that is new stands before those known that the page has behind it.

        The order of the page counts for more than times do: where a conversation was recorded anew from its midst, what is known
        has times of the first recording.
        """
        behind: list[Entry | None] = []
        known: Entry | None = None
        for value in reversed(values):
            behind.append(known)
            known = self.conversation.messages.get(models.Message.of(value).id) or known
        for value, before in zip(values, reversed(behind), strict=True):
            self.message(value, moment, before=before)

    def message(self, value: Any, moment: Moment, *, before: Entry | None = None) -> Message | None:
        """`before`: an entry that this message stands before, if it is new."""
        view = models.Message.of(value)
        if not view.id:
            return None
        fresh = self._fresh(view.id, value)
        message = (
            self.conversation.messages.get(view.id) or self._adopt(view) or self._new_message(view, moment, before)
        )
        if message is None or not fresh or (message.status in FINAL_STATES and view.status == "in_progress"):
            return message
        message.created_at = view.created_at if view.created_at is not None else message.created_at
        message.role = view.role or message.role
        message.status = view.status or message.status
        message.run_id = view.run_id or message.run_id
        message.incomplete = models.Fault.of(view.incomplete_details).reason
        message.cut = message.cut and message.status not in FINAL_STATES
        message.files |= view.files
        if "metadata" in view.model_fields_set:
            self._metadata(message, view.metadata)
        if parts := view.parts:
            message.parts = {index: part_of(part) for index, part in enumerate(parts)}
        return message

    def message_delta(self, value: Any, moment: Moment) -> Message | None:
        view = models.Delta.of(value)
        if not view.id:
            return None
        known = models.Message.of({"id": view.id, "role": view.delta.get("role") or "assistant"})
        message = self.conversation.messages.get(view.id) or self._new_message(known, moment)
        if message is None or message.status in FINAL_STATES:
            return message
        for position, content in enumerate(view.parts):
            index = position if content.index is None else content.index
            if index not in message.parts:
                if len(message.parts) >= MAX_INSIDE:
                    continue
                message.parts[index] = Part(content.type)
            part, added = message.parts[index], part_of(content)
            part.kind = part.kind or added.kind
            part.pieces.extend(added.pieces)
            part.chips |= added.chips
            part.annotations += added.annotations[: MAX_PARTS - len(part.annotations)]
            self.changed = True
        return message

    def files(self, message_id: str, names: list[str], moment: Moment) -> None:
        """Files that the first version's message file operations tell of."""
        message = self.conversation.messages.get(message_id)
        if message is None:
            message = self._new_message(models.Message.of({"id": message_id}), moment)
        for name in names[:MAX_INSIDE]:
            if message is not None and name and name not in message.files:
                message.files[name] = ""
                self.changed = True

    def run(
        self, value: Any, moment: Moment, *, instructions: str = "", asked: dict[str, Any] | None = None
    ) -> Run | None:
        """Merge a run; `asked` is the request that made it, where this answers it."""
        view = models.Run.of(value)
        if not view.id:
            return None
        fresh = self._fresh(view.id, value)
        run = self.run_named(view.id, moment, view.created_at)
        if run is None:
            return None
        if asked is not None and run.asked is None:
            run.asked = asked
        late = run.status in FINAL_STATES and view.status not in FINAL_STATES
        if view.status:
            self.mark(run, Mark(view.status, moment.at_us), late=late)
        if late or not (fresh or view.status != run.status):
            return run
        run.status = view.status or run.status
        run.created_at = view.created_at if view.created_at is not None else run.created_at
        run.model = view.model or run.model
        run.assistant_id = view.assistant_id or run.assistant_id
        run.instructions = run.instructions or instructions
        run.settings |= view.settings
        run.error = fault_text(view.last_error) or run.error
        run.incomplete = models.Fault.of(view.incomplete_details).reason or run.incomplete
        if "metadata" in view.model_fields_set:
            self._metadata(run, view.metadata)
        run.tokens = _tokens(view.usage) or run.tokens
        for position, call in enumerate(view.tool_calls):
            tool_call(run.calls, call.id or f"#{position}", call)
        return run

    def run_named(self, name: str, moment: Moment, created_at: int | None = None) -> Run | None:
        """The run of that id, made when it is not known yet; None beyond the cap."""
        run = self.conversation.runs.get(name)
        if run is None:
            run = Run(name, created_at=created_at, arrival=moment.arrival)
            if not self.add(run, created_at):
                return None
            self.conversation.runs[name] = run
            self.changed = True
        return run

    def mark(self, run: Run, mark: Mark, *, late: bool = False) -> None:
        states = [known.name for known in run.marks[-8:] if not known.action]
        if (mark.action or late or not states or states[-1] != mark.name) and len(run.marks) < MAX_INSIDE:
            run.marks.append(mark)

    def outputs(self, run: Run, asked: Any) -> None:
        """What the client submitted for a run's tool calls."""
        for entry in models.views(models.ToolOutput, asked.get("tool_outputs") if isinstance(asked, dict) else None):
            call = run.calls.get(entry.tool_call_id)
            if call is None and len(run.calls) < MAX_INSIDE:
                call = run.calls[entry.tool_call_id] = ToolCall(entry.tool_call_id)
            if call is not None and entry.output is not None:
                call.output = entry.output if isinstance(entry.output, str) else compact(entry.output)
                call.submitted = call.output

    def step(self, value: Any, moment: Moment, run_id: str) -> bool:
        """Merge a step; False when it names no step or no run."""
        view = models.Step.of(value)
        found = self._step(view.id, view.run_id or run_id, moment)
        if found is None:
            return False
        run, step = found
        if view.status and (not step.marks or step.marks[-1].name != view.status) and len(step.marks) < MAX_STEP_MARKS:
            step.marks.append(Mark(view.status, moment.at_us))
        if not self._fresh(view.id, value) or (step.status in FINAL_STATES and view.status == "in_progress"):
            return True
        step.created_at = view.created_at if view.created_at is not None else step.created_at
        step.completed_at = view.completed_at if view.completed_at is not None else step.completed_at
        step.kind = view.type or step.kind
        step.status = view.status or step.status
        step.error = fault_text(view.last_error) or step.error
        step.message_id = view.message_id or step.message_id
        step.tokens = _tokens(view.usage) or step.tokens
        for position, call in enumerate(view.tool_calls):
            index = position if call.index is None else call.index
            self._step_call(run, step, index, call, whole=True)
        return True

    def step_delta(self, value: Any, moment: Moment, run_id: str) -> bool:
        """Merge a step's delta; False when it names no step or no run is known."""
        delta = models.Delta.of(value)
        found = self._step(delta.id, run_id, moment)
        if found is None:
            return False
        run, step = found
        if step.status in FINAL_STATES:
            return True
        view = delta.step
        details = view.step_details.get("type")
        step.kind = step.kind or (details if isinstance(details, str) else "")
        step.message_id = view.message_id or step.message_id
        for position, call in enumerate(view.tool_calls):
            self._step_call(run, step, position if call.index is None else call.index, call, whole=False)
        self.changed = True
        return True

    def note(self, note: Note) -> None:
        """Add a note; one that says the same as the last entry counts it up instead."""
        entries = self.conversation.entries
        last = entries[-1] if entries else None
        if isinstance(last, Note) and _said(last) == _said(note):
            last.times += 1
        else:
            self.add(note)

    def deleted(self, message_id: str, moment: Moment) -> None:
        if (message := self.conversation.messages.get(message_id)) is not None:
            message.deleted = True
        self.note(Note(NoteKind.DELETED, f"message {message_id}", arrival=moment.arrival))

    def add(self, entry: Entry, created_at: int | None = None, before: Entry | None = None) -> bool:
        """Put an entry at its place in time, and `before` another; False when there are too many."""
        entries = self.conversation.entries
        if len(entries) >= MAX_ENTRIES:
            self.conversation.left_out += 1
            return False
        place = len(entries)
        if created_at is not None:
            for index in range(place - 1, max(place - _PLACES_BACK, 0) - 1, -1):
                known = entries[index]
                if isinstance(known, Note) or known.created_at is None:
                    continue
                if known.created_at <= created_at:
                    break
                place = index
        if before is not None:
            back = range(place - 1, max(place - _PLACES_BACK, 0) - 1, -1)
            place = next((index for index in back if entries[index] is before), place)
        entries.insert(place, entry)
        return True

    def _fresh(self, name: str, value: Any) -> bool:
        """Whether an object differs from what was last told of it. Kept as hashes: bodies can be large and many."""
        told = hash(compact(value))
        if self._told.get(name) == told:
            return False
        self._told[name] = told
        self.changed = True
        return True

    @staticmethod
    def _metadata(target: Conversation | Message | Run, metadata: dict[str, Any]) -> None:
        target.metadata_now = metadata
        if target.metadata is None:
            target.metadata = metadata

    def _adopt(self, view: models.Message) -> Message | None:
        """The message that a request sent and that this answer now names."""
        if view.run_id or not self._unnamed:
            return None
        text = "\n".join(part.value for part in view.parts if part.type == "text")
        for index, message in enumerate(self._unnamed[:MAX_INSIDE]):
            if message.role == view.role and message.text == text:
                message.id = view.id
                self.conversation.messages[view.id] = message
                return self._unnamed.pop(index)
        return None

    def _new_message(self, view: models.Message, moment: Moment, before: Entry | None = None) -> Message | None:
        message = Message(view.id, view.role, created_at=view.created_at, arrival=moment.arrival)
        if not self.add(message, view.created_at, before):
            return None
        self.conversation.messages[view.id] = message
        self.changed = True
        return message

    def _step(self, name: str, run_id: str, moment: Moment) -> tuple[Run, Step] | None:
        if not name:
            return None
        if name not in self._steps:
            run = self.run_named(run_id, moment) if run_id else None
            if run is None or len(run.steps) >= MAX_INSIDE:
                return None
            run.steps[name] = Step(name)
            self._steps[name] = run, run.steps[name]
        return self._steps[name]

    def _step_call(self, run: Run, step: Step, index: int, view: models.ToolCall, *, whole: bool) -> None:
        name = view.id or step.order.get(index) or f"{step.id}#{index}"
        call = tool_call(run.calls, name, view, whole=whole)
        if call is not None:
            step.order[index] = name
            step.calls[name] = call


def _tokens(told: dict[str, Any]) -> tuple[int, int, int] | None:
    """Prompt, completion and total; None where nothing is told."""
    usage = models.Usage.of(told)
    return (usage.prompt_tokens or 0, usage.completion_tokens or 0, usage.total_tokens or 0) if usage else None


def _said(note: Note) -> tuple[object, ...]:
    return note.kind, note.subject, note.detail, note.status, note.named
