"""The stable text of a cassette: what a reviewer reads and what git diffs.

The same cassette gives the same bytes. One line of a text is one line here, indented and never wrapped, so that a diff
falls on the line that changed; no line ends in a space. What differs in each new recording stands apart from what does
not: ids end the line that opens an entry, times and counts have lines of their own, headers are left out. Scopes are
read and written one after the other, so memory is that of the largest.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from .amounts import counted
from .conversation import Conversation, Message, Note, NoteKind, Part, Recorded, Run, Step, ToolCall
from .errors import UsageError
from .folding import fold
from .models import compact, parse
from .summary import Row
from .text import clip, safe

MAX_TEXT = 20_000
"""Characters of one text that are shown."""

_SGR = {"good": "32", "bad": "31", "wait": "33", "dim": "2", "strong": "1"}
_MOODS = {"completed": "good", "failed": "bad", "expired": "bad", "cancelled": "bad", "incomplete": "bad"}
_COLLECTIONS = "other calls"


def render(
    recording: Recorded,
    *,
    thread: str | None = None,
    keeps: Callable[[Row], bool] | None = None,
    plain: bool = True,
    overview: bool = True,
) -> Iterator[str]:
    """The lines of a cassette's text, without line ends; with `thread` those of this thread (or collection) alone.

    `keeps` chooses the threads that hold a call for which it is true. They are shown whole: a conversation with holes in it
    would tell another story.
    Without `overview`, the line is left out that names and counts: then a thread more is lines more, and no line changes.
    `plain=False` adds ANSI colours. Raises `UsageError` at once when no such thread was recorded.
    """
    scopes = recording.scopes()
    if thread is not None and thread not in scopes:
        threads = [scope for scope in scopes if not scope.startswith("/")]
        some = ", ".join(clip(scope, 80) for scope in threads[:5]) or "none"
        raise UsageError(
            f"no thread {clip(thread, 80)} in {clip(str(recording.path), 200)}",
            f"it has {counted(len(threads), 'thread')}, the first: {some}",
        )
    return _Printer(plain=plain, overview=overview).lines(
        recording, scopes, scopes if thread is None else [thread], keeps
    )


def thread_lines(conversation: Conversation) -> Iterator[str]:
    """The lines of one thread, without colours."""
    return _Printer(plain=True).thread(conversation)


class _Printer:
    def __init__(self, *, plain: bool, overview: bool = False) -> None:
        self._plain = plain
        self._overview = overview

    def lines(
        self, recording: Recorded, scopes: list[str], chosen: list[str], keeps: Callable[[Row], bool] | None
    ) -> Iterator[str]:
        yield from self._head(recording, scopes)
        if keeps is not None:
            chosen = [scope for scope in chosen if any(map(keeps, recording.rows_of_scope(scope)))]
            threads = sum(not scope.startswith("/") for scope in chosen)
            yield f"filtered: {counted(threads, 'thread')} and {counted(len(chosen) - threads, 'collection')}"
        for scope in chosen:
            if not scope.startswith("/"):
                yield ""
                yield from self.thread(fold(recording, scope))
        collections = [scope for scope in chosen if scope.startswith("/")]
        if collections:
            yield ""
            yield self._ink(_COLLECTIONS, "strong")
        for scope in collections:
            conversation = fold(recording, scope)
            for entry in conversation.entries:
                yield from self._entry(entry, "", conversation)
            yield from self._rest(conversation)

    def _ink(self, text: str, style: str) -> str:
        return text if self._plain or not style or not text else f"\x1b[{_SGR[style]}m{text}\x1b[0m"

    def _head(self, recording: Recorded, scopes: list[str]) -> Iterator[str]:
        threads = sum(not scope.startswith("/") for scope in scopes)
        name = recording.path.name.removesuffix(".partial").removesuffix(".cassette")
        words = [f"cassette {safe(name)}", counted(len(recording), "call"), counted(threads, "thread")]
        first = next(iter(recording.rows()), None)
        if first is not None and (when := _date(first.summary.started_us)):
            words.append(f"recorded {when}")
        if not recording.sealed:
            words.append("not sealed")
        if self._overview:
            yield self._ink(" · ".join(words), "strong")
        elif not recording.sealed:
            yield "not sealed"
        if isinstance(upstream := recording.meta.get("upstream"), str) and upstream:
            yield f"upstream {clip(upstream, 300)}"
        for source in _items(recording.meta.get("imported_from")):
            words = source.values() if isinstance(source, dict) else [source]
            yield _words("imported from", *(clip(word, 300) for word in words if isinstance(word, str)))
        for note in _items(recording.meta.get("notes")):
            yield f"note {clip(note if isinstance(note, str) else compact(note), 1000)}"

    def thread(self, conversation: Conversation) -> Iterator[str]:
        made = {"createThread": "created", "createThreadAndRun": "created with a run"}.get(conversation.created_by, "")
        yield _words(self._ink(f"thread {safe(conversation.scope)}", "strong"), made)
        yield from self._mapping("metadata", conversation.metadata, 1)
        yield from self._mapping("resources", conversation.resources, 1)
        for entry in conversation.entries:
            yield from self._entry(entry, "call", conversation)
        yield from self._rest(conversation)

    def _rest(self, conversation: Conversation) -> Iterator[str]:
        reads = [
            f"{reads.total:,} {name} ({reads.new:,} new)"
            for name, reads in sorted(conversation.reads.items())
            if name != "getRun"  # these stand with their run, as polls
        ]
        if reads:
            yield self._ink(f"  reads  {', '.join(reads)}", "dim")
        if conversation.not_understood:
            yield f"  {counted(conversation.not_understood, 'stream event')} not understood"
        if conversation.left_out:
            yield f"  {conversation.left_out:,} more messages, runs and notes not shown"

    def _entry(self, entry: Message | Run | Note, call_word: str, conversation: Conversation) -> Iterator[str]:
        if isinstance(entry, Message):
            yield from self._message(entry)
        elif isinstance(entry, Run):
            yield from self._run(entry, conversation)
        else:
            yield from self._note(entry, call_word)

    def _message(self, message: Message) -> Iterator[str]:
        states = [message.status if message.status != "completed" else "", message.incomplete]
        states += ["cut"] * message.cut + ["deleted"] * message.deleted
        state = ", ".join(safe(state) for state in states if state)
        yield "  " + _words(
            self._ink(safe(message.role) or "message", "strong"),
            self._ink(f"({state})" if state else "", "bad"),
            self._ink(safe(message.id), "dim"),
        )
        for index in sorted(message.parts):
            yield from self._part(message.parts[index])
        if message.files:
            files = [safe(name) + (f" ({safe(tools)})" if tools else "") for name, tools in message.files.items()]
            yield f"    files {', '.join(files)}"
        yield from self._mapping("metadata", message.metadata, 2)

    def _part(self, part: Part) -> Iterator[str]:
        label = "" if part.kind == "text" else f"[{safe(part.kind) or 'part'}] "
        yield from _block(part.text, 2, label)
        for chip in part.chips:
            yield f"    [{clip(chip, 500)}]"

    def _run(self, run: Run, conversation: Conversation) -> Iterator[str]:
        yield "  " + _words(
            self._ink("run", "strong"),
            self._ink(safe(run.status) or "state unknown", _MOODS.get(run.status, "wait")),
            safe(run.model),
            self._ink(_words(safe(run.id), safe(run.assistant_id)), "dim"),
        )
        if path := _path(run):
            yield f"    {path}"
        counts = [f"{counted(run.polls, 'poll')}, {run.new_polls:,} new"] if run.polls else []
        if run.tokens is not None:
            asked, answered, total = run.tokens
            counts.append(f"{counted(total, 'token')} ({asked:,} in, {answered:,} out)")
        if counts:
            yield f"    {' · '.join(counts)}"
        if run.instructions:
            yield from _block(run.instructions, 2, "instructions ")
        if run.error:
            yield from _block(run.error, 2, "error ")
        if run.incomplete:
            yield f"    incomplete {safe(run.incomplete)}"
        yield from self._mapping("metadata", run.metadata, 2)
        for number, step in enumerate(run.steps_in_order(), 1):
            yield from self._step(number, step, conversation)
        for call in run.calls_without_step():
            yield from self._call(call, 2)

    def _step(self, number: int, step: Step, conversation: Conversation) -> Iterator[str]:
        message = f"→ {safe(step.message_id)}" if step.message_id else ""
        if step.message_id and step.message_id not in conversation.messages:
            message += " (not recorded)"
        yield "    " + _words(
            f"step {number}",
            safe(step.kind),
            self._ink(safe(step.status), _MOODS.get(step.status, "wait")),
            self._ink(safe(step.id), "dim"),
            message,
        )
        if step.error:
            yield from _block(step.error, 3, "error ")
        for call in step.calls.values():
            yield from self._call(call, 3)

    def _call(self, call: ToolCall, level: int) -> Iterator[str]:
        name = safe(call.name or call.kind) or "unknown call"
        asked = call.asked
        value = parse(asked)
        if isinstance(value, dict):
            asked = compact(value)
        one_line = "\n" not in asked
        call_id = self._ink(safe(call.id), "dim")
        yield "  " * level + _words(f"{name}({clip(asked, MAX_TEXT) if one_line else '…'})", call_id)
        if not one_line:
            yield from _block(asked, level + 1, "")
        if call.answer is not None:
            yield from _block(call.answer, level + 1, "→ ")

    def _note(self, note: Note, call_word: str) -> Iterator[str]:
        status = str(note.status) if note.status else ""
        times = f"×{note.times:,}" if note.times > 1 else ""
        subject = clip(note.subject, 500)
        if note.kind is NoteKind.CALL:
            yield "  " + _words(call_word, f"{subject} {status}".rstrip(), clip(note.detail, 500), times)
            return
        style = "bad" if note.kind in (NoteKind.ERROR, NoteKind.FAILED, NoteKind.CUT) else "wait"
        word = f"{note.kind.value} {status}" if note.kind in (NoteKind.ERROR, NoteKind.FAILED) else note.kind.value
        yield "  " + _words(self._ink(word.rstrip(), style), subject, times)
        if note.detail:
            yield from _block(note.detail, 2, "")

    def _mapping(self, word: str, value: dict[str, object] | None, level: int) -> Iterator[str]:
        if value:
            yield "  " * level + f"{word} {clip(compact(value), MAX_TEXT)}"


def _block(text: str, level: int, label: str) -> Iterator[str]:
    """A text of any length: one line a line, the first behind its label, the others below it."""
    shown = safe(text[:MAX_TEXT], keep_newlines=True).split("\n")
    indent = "  " * level
    for number, line in enumerate(shown):
        yield (indent + (label if number == 0 else " " * len(label)) + line).rstrip()
    if len(text) > MAX_TEXT:
        yield f"{indent}… {len(text) - MAX_TEXT:,} more characters"


def _items(value: object) -> list[object]:
    return value[:100] if isinstance(value, list) else []


def _path(run: Run) -> str:
    """`queued 0.0 s → in_progress 0.2 s → …`, in seconds since the first moment known; without them for unknown times."""
    marks = run.path()
    start = min((mark.at_us for mark in marks if mark.at_us is not None), default=0)
    return " → ".join(
        safe(mark.name) + (f" {(mark.at_us - start) / 1_000_000:.1f} s" if mark.at_us is not None else "")
        for mark in marks
    )


def _words(*words: str) -> str:
    return "  ".join(word for word in words if word)


def _date(started_us: int) -> str:
    """Unix microseconds as a UTC date; empty for none and for what no calendar has."""
    try:
        return (
            datetime.fromtimestamp(started_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if started_us else ""
        )
    except (ValueError, OverflowError, OSError):
        return ""
