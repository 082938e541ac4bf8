"""The conversation of one thread as HTML: what was said, each run with its waterfall and tool calls, and what went wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ...cassettes.amounts import counted
from ...cassettes.conversation import Conversation, Message, Note, NoteKind, Part, Run, Step, ToolCall
from ...cassettes.models import compact, parse
from ...cassettes.sightings import Sightings
from ..timeline import timeline_of
from .bars import waterfall
from .markup import STATES, block, chip, line, state, symbol, took

PROBLEMS = (NoteKind.ERROR, NoteKind.FAILED, NoteKind.CUT)
_LONG, _LONG_LINES = 3_000, 40
"""Characters and lines of a message from which on it scrolls in its own box."""
_WORDS = {
    NoteKind.ERROR: "error",
    NoteKind.FAILED: "no answer",
    NoteKind.CUT: "cut",
    NoteKind.CHANGED: "changed",
    NoteKind.DELETED: "deleted",
    NoteKind.HELD: "held on its way",
    NoteKind.CALL: "call",
}


def talk(conversation: Conversation, sightings: Sightings, anchor: str) -> Iterator[str]:
    """The entries of a conversation. `anchor` is the id of its section; entry 3 is `ANCHOR-3`."""
    runs = 0
    for number, entry in enumerate(conversation.entries):
        name = f"{anchor}-{number}"
        if isinstance(entry, Message):
            yield from _message(entry, name)
        elif isinstance(entry, Run):
            runs += 1
            yield from _run(entry, runs, name, sightings, conversation)
        else:
            yield _note(entry, name)
    reads = [f"{told.total:,} {operation} ({told.new:,} new)" for operation, told in sorted(conversation.reads.items())]
    if reads:
        yield f'<p class="fine">Reads: {", ".join(map(line, reads))}</p>'
    if conversation.not_understood:
        yield f'<p class="fine">{counted(conversation.not_understood, "stream event")} not understood</p>'
    if conversation.left_out:
        yield f'<p class="cut">{conversation.left_out:,} more messages, runs and notes are not in this page</p>'


def is_problem(entry: object) -> str:
    """What is wrong with an entry, in a few words; empty where nothing is."""
    if isinstance(entry, Run):
        if entry.error or entry.status in ("failed", "expired", "incomplete"):
            return f"run {entry.status}: {entry.error or entry.incomplete}".rstrip(": ")
    elif isinstance(entry, Message):
        return f"message cut: {entry.text[:80]}".rstrip(": ") if entry.cut else ""
    elif isinstance(entry, Note) and entry.kind in PROBLEMS:
        return f"{_kind(entry)} {entry.status or ''}".rstrip() + f": {entry.detail or entry.subject}"
    return ""


def _kind(note: Note) -> str:
    """A replay that records another replay may hold that one's misses."""
    if note.status == 502 and note.detail.startswith("No recording answers "):
        return "miss"
    return _WORDS[note.kind]


def _message(message: Message, name: str) -> Iterator[str]:
    role = message.role if message.role in ("user", "assistant") else "other"
    yield f'<article class="card message {role}" id="{name}" tabindex="-1"><header><h3>{line(message.role, 40) or "message"}</h3>'
    marks = [mark for mark in (message.incomplete, "cut" * message.cut, "deleted" * message.deleted) if mark]
    if message.status not in ("", "completed"):
        yield state(message.status)
    yield "".join(chip(mark, "bad") for mark in marks)
    yield f"{_clock(message.created_at)}{_brought(message.id, message.arrival, name)}</header>"
    for index in sorted(message.parts):
        yield _part(message.parts[index])
    chips = [f"file {file}" + (f" · {tools}" if tools else "") for file, tools in message.files.items()]
    if chips:
        yield f'<p class="chips">{"".join(chip(one, "file") for one in chips[:200])}</p>'
    if message.metadata:
        yield _mapping("metadata", message.metadata)
    yield "</article>"


def _part(part: Part) -> str:
    chips = "".join(chip(one, "file") for one in list(part.chips)[:200])
    notes = f'<p class="chips">{chips}</p>' if chips else ""
    if part.kind == "text":
        long = ' long" tabindex="0' if len(part.text) > _LONG or part.text.count("\n") > _LONG_LINES else ""
        return f'<div class="text{long}" dir="auto">{block(part.text)}</div>{notes}'
    if part.kind in ("image_file", "image_url"):
        return f'<p class="chips">{chip("image " + part.text, "file")}</p>{notes}'
    return (
        f'<p class="chips">{chip(part.kind or "part")}</p><div class="text" dir="auto">{block(part.text)}</div>{notes}'
    )


def _run(run: Run, number: int, name: str, sightings: Sightings, conversation: Conversation) -> Iterator[str]:
    colour = STATES.get(run.status, ("off", ""))[0]
    yield f'<article class="card run {colour}" id="{name}" tabindex="-1"><header><h3>run {number}</h3>{state(run.status)}'
    fall = timeline_of(run, sightings)
    facts = [line(run.model)] if run.model else []
    if duration := fall.length_us if fall is not None else run_us(run):
        facts.append(took(duration))
    if run.tokens is not None:
        asked, answered, total = run.tokens
        facts.append(f'<span title="{asked:,} in, {answered:,} out">{counted(total, "token")}</span>')
    yield f'<span class="facts">{" · ".join(facts)}</span>{_brought(run.id, run.arrival, name)}</header>'
    if run.error or run.incomplete:
        yield _problem(run.error or run.incomplete)
    if run.instructions:
        yield _fold("Instructions", f'<div class="text" dir="auto">{block(run.instructions)}</div>')
    if fall is not None:
        yield from waterfall(fall, run)
    elif path := run.path():
        yield f'<p class="states">{" → ".join(state(mark.name) for mark in path[:50])}</p>'
    for place, step in enumerate(run.steps_in_order(), 1):
        yield from _step(place, step, conversation)
    for call in run.calls_without_step():
        yield _call(call)
    if run.tokens is not None:
        asked, answered, total = run.tokens
        yield f'<p class="fine">{asked:,} tokens in, {answered:,} out, {total:,} in all</p>'
    if path := run.path():
        start = min((mark.at_us for mark in path if mark.at_us is not None), default=0)
        told = [f"{line(mark.name, 60)}{_since(mark.at_us, start)}" for mark in path[:200]]
        yield _fold("States as the client saw them", f'<p class="fine">{" → ".join(told)}</p>')
    if run.metadata:
        yield _mapping("metadata", run.metadata)
    yield "</article>"


def run_us(run: Run) -> int:
    """Microseconds from the first moment at which the client knew of a run to the last."""
    times = [mark.at_us for mark in run.marks if mark.at_us is not None]
    return max(times) - min(times) if len(times) > 1 else 0


def _since(at_us: int | None, start: int) -> str:
    return "" if at_us is None else f" +{took(at_us - start)}"


def _step(place: int, step: Step, conversation: Conversation) -> Iterator[str]:
    what = {"message_creation": "message", "tool_calls": "tools"}.get(step.kind, step.kind)
    yield f'<section class="stage"><h4>step {place} {line(what, 60)}</h4>{state(step.status)}'
    if step.message_id:
        known = "" if step.message_id in conversation.messages else " (not recorded)"
        yield f'<span class="fine">wrote {line(step.message_id)}{known}</span>'
    if step.tokens is not None:
        yield f'<span class="fine">{counted(step.tokens[2], "token")}</span>'
    yield f"<code>{line(step.id)}</code></section>"
    if step.error:
        yield _problem(step.error)
    for call in step.calls.values():
        yield _call(call)


def _call(call: ToolCall) -> str:
    value = parse(call.asked)
    asked = compact(value) if isinstance(value, dict) and len(call.asked) < 80 else call.asked
    flags = []
    if call.kind in ("", "function") and call.asked and not isinstance(value, dict):
        flags.append("arguments are no JSON object")
    if call.answer is None and call.kind == "function":
        flags.append("no output recorded")
    answer = ""
    if call.answer is not None:
        answer = f'<h5>output</h5><pre tabindex="0" class="json" dir="auto">{block(call.answer)}</pre>'
    return (
        f'<section class="tool">{symbol("tool")}<h4>{line(call.name or call.kind, 120) or "unknown call"}</h4>'
        f"{''.join(chip(flag, 'bad') for flag in flags)}<code>{line(call.id)}</code>"
        f'<h5>arguments</h5><pre tabindex="0" class="json" dir="auto">{block(asked)}</pre>{answer}</section>'
    )


def _note(note: Note, name: str) -> str:
    bad = note.kind in PROBLEMS
    times = f" ×{note.times:,}" if note.times > 1 else ""
    status = f" {note.status}" if note.status and note.kind is not NoteKind.CUT else ""
    detail = f'<div class="text" dir="auto">{block(note.detail)}</div>' if note.detail else ""
    subject = f'<a class="brought" href="{_exchange(note.arrival, name)}">{line(note.subject)}</a>'
    return (
        f'<article class="note{" bad" if bad else ""}" id="{name}" tabindex="-1">{symbol("bad" if bad else "ring")}'
        f"<div><h3>{_kind(note)}{status}{times}</h3> {subject}{detail}</div></article>"
    )


def _brought(name: str, arrival: int, entry: str) -> str:
    """An id that leads to the exchange in which it was first seen."""
    place = _exchange(arrival, entry)
    return f'<a class="brought" href="{place}" title="the exchange that brought it"><code>{line(name)}</code></a>'


def _exchange(arrival: int, entry: str) -> str:
    """Where an exchange stands, in the thread of an entry such as `t2-17`."""
    return f"#c{entry.removeprefix('t').partition('-')[0]}-{arrival}"


def _problem(text: str) -> str:
    return f'<div class="problem">{symbol("bad")}<div class="text" dir="auto">{block(text)}</div></div>'


def _fold(title: str, inside: str) -> str:
    return f'<details class="fold"><summary>{title}</summary>{inside}</details>'


def _mapping(word: str, value: dict[str, object]) -> str:
    return f'<p class="fine">{word} <span dir="auto">{line(compact(value), 2_000)}</span></p>'


def _clock(second: int | None) -> str:
    try:
        return f"<time>{datetime.fromtimestamp(second, UTC):%H:%M:%S}</time>" if second else ""
    except (ValueError, OverflowError, OSError):
        return ""  # a year that no calendar has
