"""A conversation as lines to read: messages, runs with their states, times and tokens, steps, tool calls and outputs.

Every text in it is safe. It is bounded, whatever the conversation holds: one text by `MAX_TEXT`, all of it by
`MAX_CHARACTERS`, and it says what was left out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from ..cassettes.amounts import counted
from ..cassettes.conversation import Conversation, Message, Note, NoteKind, Part, Run, Step, ToolCall
from ..cassettes.models import compact, parse
from ..cassettes.show import MAX_TEXT
from ..cassettes.text import clip, safe
from .branches import call_name
from .document import Document, Line, Span
from .ink import Ink, mood, sign
from .outline import Kind, Row

MAX_CHARACTERS = 1_000_000
"""Characters of one conversation that are shown."""

_LINE_COST = 16
"""What a line counts for beside its characters, so that a million empty lines are no way round the limit."""

_MAX_NAME = 500
"""Characters of an id, a status, a model's name, a path."""

_GLUE = "\N{NO-BREAK SPACE}"
"""Between words that stay on one line."""


def transcript(conversation: Conversation) -> Document:
    """The conversation as a document."""
    composer = _Composer(conversation)
    composer.all()
    return Document(tuple(composer.lines), composer.anchors)


class _Composer:
    def __init__(self, conversation: Conversation) -> None:
        self.lines: list[Line] = []
        self.anchors: dict[Row, int] = {}
        self._told = conversation
        self._left = MAX_CHARACTERS
        self._runs = 0

    def all(self) -> None:
        told = self._told
        made = {"createThread": "created", "createThreadAndRun": "created with a run"}.get(told.created_by, "")
        kind = "thread" if told.is_thread else "calls to"
        self._line(0, (f"{kind} ", "strong"), (clip(told.scope, _MAX_NAME), "strong"), *_apart(made))
        calls = counted(told.calls, "call")
        self._line(2, (" · ".join(filter(None, (_date(told.created_at), calls))), "dim"))
        self._mapping("metadata", told.metadata, 2)
        self._mapping("metadata now", told.metadata_now if told.metadata_now != (told.metadata or {}) else None, 2)
        self._mapping("resources", told.resources, 2)
        if told.deleted:
            self._line(2, ("deleted", "wait"))
        for entry in told.entries:
            self._entry(entry)
        self._rest()
        if self._left <= 0:
            self.lines += [
                Line(),
                Line(0, (("… the rest is too much for this view; `respool show` prints it", "wait"),)),
            ]

    def _entry(self, entry: Message | Run | Note) -> None:
        if isinstance(entry, Note):
            if not self.lines or self.lines[-1].indent:
                self._line(0)
            self._anchor(Row(Kind.EXCHANGE, self._told.scope, "", str(entry.arrival)))
            self._note(entry)
            return
        self._line(0)
        if isinstance(entry, Message):
            self._anchor(Row(Kind.EXCHANGE, self._told.scope, "", str(entry.arrival)))
        if isinstance(entry, Run):
            self._runs += 1
            self._run(entry)
        else:
            self._message(entry)

    def _rest(self) -> None:
        told = self._told
        reads = [
            f"{reads.total:,} {name} ({reads.new:,} new)"
            for name, reads in sorted(told.reads.items())
            if name != "getRun"  # these stand with their run, as polls
        ]
        if reads or told.not_understood or told.left_out:
            self._line(0)
        if reads:
            self._line(0, (f"reads  {', '.join(reads)}", "dim"))
        if told.not_understood:
            self._line(0, (f"{told.not_understood:,} stream events were not understood", "wait"))
        if told.left_out:
            self._line(0, (f"{told.left_out:,} more messages, runs and notes were only counted", "wait"))

    def _message(self, message: Message) -> None:
        states = [message.status if message.status != "completed" else "", message.incomplete]
        states += ["cut"] * message.cut + ["deleted"] * message.deleted
        state = ", ".join(clip(state, _MAX_NAME) for state in states if state)
        self._line(
            0,
            (clip(message.role, _MAX_NAME) or "message", "name"),
            *_apart(f"({state})" if state else "", ink="bad"),
            *_apart(clip(message.id, _MAX_NAME), ink="dim"),
        )
        for index in sorted(message.parts):
            self._part(message.parts[index])
        if message.files:
            files = [safe(name) + (f" ({safe(tools)})" if tools else "") for name, tools in message.files.items()]
            self._line(2, ("files ", "dim"), (clip(", ".join(files), MAX_TEXT), ""))
        self._mapping("metadata", message.metadata, 2)
        self._mapping("metadata now", _changed(message.metadata, message.metadata_now), 2)

    def _part(self, part: Part) -> None:
        self._block(part.text, 2, "" if part.kind == "text" else f"[{clip(part.kind, _MAX_NAME) or 'part'}] ")
        for chip in part.chips:
            self._line(2, (f"[{clip(chip, _MAX_NAME)}]", "dim"))

    def _run(self, run: Run) -> None:
        self._anchor(Row(Kind.RUN, self._told.scope, run.id))
        self._line(
            0,
            (f"run {self._runs}", "name"),
            *_state(run.status or "state unknown"),
            *_apart(clip(run.model, _MAX_NAME)),
            *_apart(clip(run.id, _MAX_NAME), clip(run.assistant_id, _MAX_NAME), ink="dim"),
        )
        if path := _path(run):
            self._line(2, (path, ""), hang=0)
        counts = [f"{counted(run.polls, 'poll')}, {run.new_polls:,} new"] if run.polls else []
        if run.tokens is not None:
            asked, answered, total = run.tokens
            counts.append(f"{total:,} tokens ({asked:,} in, {answered:,} out)")
        if counts:
            self._line(2, (" · ".join(counts), "dim"))
        if run.instructions:
            self._block(run.instructions, 2, "instructions ")
        if run.error:
            self._block(run.error, 2, "error ", "bad")
        if run.incomplete:
            self._line(2, ("incomplete ", "bad"), (clip(run.incomplete, _MAX_NAME), ""))
        self._mapping("metadata", run.metadata, 2)
        self._mapping("metadata now", _changed(run.metadata, run.metadata_now), 2)
        for number, step in enumerate(run.steps_in_order(), 1):
            self._step(number, step, run)
        for call in run.calls_without_step():
            self._anchor(Row(Kind.CALL, self._told.scope, run.id, call.id))
            self._call(call, 2)

    def _step(self, number: int, step: Step, run: Run) -> None:
        self._anchor(Row(Kind.STEP, self._told.scope, run.id, step.id))
        message = f"→{_GLUE}{clip(step.message_id, _MAX_NAME)}" if step.message_id else ""
        if step.message_id and step.message_id not in self._told.messages:
            message += f"{_GLUE}(not recorded)"
        self._line(
            2,
            (f"step {number}", "strong"),
            *_apart(clip(step.kind, _MAX_NAME)),
            *_state(step.status),
            *_apart(clip(step.id, _MAX_NAME), message, ink="dim"),
        )
        if step.error:
            self._block(step.error, 4, "error ", "bad")
        for call in step.calls.values():
            self._call(call, 4)

    def _call(self, call: ToolCall, indent: int) -> None:
        asked = call.asked
        value = parse(asked)
        if isinstance(value, dict):
            asked = compact(value)
        call_id = _apart(clip(call.id, _MAX_NAME), ink="dim")
        if "\n" in asked:
            self._line(indent, (call_name(call), "strong"), *call_id)
            self._block(asked, indent + 2, "")
        else:
            self._line(indent, (call_name(call), "strong"), (f"({clip(asked, MAX_TEXT)})", ""), *call_id)
        if call.answer is not None:
            self._block(call.answer, indent + 2, "→ ", "good")
        elif call.name or call.kind in {"", "function"}:  # the API's own tools send none
            self._line(indent + 2, ("no output was recorded", "dim"))

    def _note(self, note: Note) -> None:
        bad = note.kind in (NoteKind.ERROR, NoteKind.FAILED, NoteKind.CUT)
        word = note.kind.value if self._told.is_thread or note.kind is not NoteKind.CALL else ""
        times = f"×{note.times:,}" if note.times > 1 else ""
        ink: Ink = "bad" if bad else "wait"
        lead = f"{sign(ink)} {word}  " if bad else f"{word}  " if word else ""
        short = note.kind is NoteKind.CALL
        self._line(
            0,
            (lead, ink),
            (clip(note.subject, _MAX_NAME), ""),
            (f" {note.status}" if note.status else "", ink if bad else "dim"),
            *_apart(clip(note.detail, _MAX_NAME) if short else "", times, ink="dim"),
        )
        if note.detail and not short:
            self._block(note.detail, 2, "")

    def _mapping(self, word: str, value: dict[str, object] | None, indent: int) -> None:
        if value:
            self._line(indent, (f"{word} ", "dim"), (clip(compact(value), MAX_TEXT), ""))

    def _block(self, text: str, indent: int, label: str, ink: Ink = "dim") -> None:
        """A text of any length, one line a line, the first behind its label and the others below it."""
        if self._left <= 0:
            return
        shown = safe(text[:MAX_TEXT], keep_newlines=True).split("\n")
        for number, line in enumerate(shown):
            if number == 0 and label:
                self._line(indent, (label, ink), (line, ""), hang=len(label))
            else:
                self._line(indent + len(label), (line, ""), hang=0)
        if len(text) > MAX_TEXT:
            self._line(indent, (f"… {len(text) - MAX_TEXT:,} more characters", "wait"))

    def _anchor(self, row: Row) -> None:
        if self._left > 0:
            self.anchors.setdefault(row, len(self.lines))

    def _line(self, indent: int, *spans: Span, hang: int = 2) -> None:
        if self._left <= 0:
            return
        line = Line(indent, tuple(span for span in spans if span[0]), hang)
        self._left -= sum(len(text) for text, _ in line.spans) + _LINE_COST
        self.lines.append(line)


def _apart(*words: str, ink: Ink = "") -> Iterable[Span]:
    """Words that stand two spaces off from what is before them."""
    return ((f"  {word}", ink) for word in words if word)


def _state(status: str) -> Iterable[Span]:
    ink = mood(status)
    return _apart(f"{sign(ink)} {clip(status, _MAX_NAME)}" if status else "", ink=ink)


def _changed(first: dict[str, object] | None, now: dict[str, object]) -> dict[str, object] | None:
    return now if first is not None and now != first else None


def _path(run: Run) -> str:
    """States and actions in order, in seconds since the first moment known; a state and its time are not parted."""
    marks = run.path()
    start = min((mark.at_us for mark in marks if mark.at_us is not None), default=0)
    return f" →{_GLUE}".join(
        _GLUE.join([*clip(mark.name, _MAX_NAME).split(" "), *_seconds(mark.at_us, start)]) for mark in marks
    )


def _seconds(at_us: int | None, start: int) -> list[str]:
    return [] if at_us is None else [f"{(at_us - start) / 1_000_000:.1f}", "s"]


def _date(created_at: int | None) -> str:
    """Unix seconds as a UTC date; empty for none and for what no calendar has."""
    try:
        return datetime.fromtimestamp(created_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if created_at else ""
    except (ValueError, OverflowError, OSError):
        return ""
