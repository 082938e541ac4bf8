"""The conversation as Markdown, safe to paste where others read it.

Foreign text stands only in code: in spans on a line, in fenced blocks where it may be long. So nothing of it is a heading,
a link, an image, HTML or a mention, whichever dialect reads it. What a thread view shows is shown: see `show.py`.
"""

import re
from collections.abc import Iterator

from ..conversation import Conversation, Message, Note, Run, ToolCall
from ..editing import Progress, counting
from ..folding import fold
from ..models import compact, parse
from ..text import clip, safe
from .selection import Lost, Source, known, size_of

MOST_TEXT = 20_000
"""Characters of one text that are shown."""
_SHORTENED = " more characters\n"


def export_markdown(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    lost = Lost() if lost is None else lost
    known(source, thread)
    one_more = counting(size_of(source, thread), progress)
    name = source.path.name.removesuffix(".partial").removesuffix(".cassette")
    yield f"# Cassette {span(name)}\n"
    for scope in [thread] if thread is not None else source.scopes():
        conversation = fold(source, scope, seen=lambda *_: one_more())
        lost["messages, runs and notes beyond the first"] += conversation.left_out
        for piece in _conversation(conversation):
            lost["texts shortened"] += piece.endswith(_SHORTENED)
            yield piece


def span(text: str) -> str:
    """Foreign text as code on a line; a table or a list cannot be broken by it, since it holds no line end."""
    shown = clip(text, 500).strip()
    if not shown:
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def block(text: str, kind: str = "text") -> Iterator[str]:
    """Foreign text as a fenced block."""
    shown = safe(text[:MOST_TEXT], keep_newlines=True)
    fence = "`" * max(_longest_run(shown) + 1, 3)
    yield f"\n{fence}{kind}\n{shown}\n{fence}\n"
    if len(text) > MOST_TEXT:
        yield f"\n{len(text) - MOST_TEXT:,}{_SHORTENED}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _conversation(conversation: Conversation) -> Iterator[str]:
    yield f"\n## {'Thread' if conversation.is_thread else 'Other calls'} {span(conversation.scope)}\n"
    for entry in conversation.entries:
        if isinstance(entry, Message):
            yield from _message(entry)
        elif isinstance(entry, Run):
            yield from _run(entry)
        else:
            yield from _note(entry)
    if conversation.left_out:
        yield f"\n{conversation.left_out:,} more messages, runs and notes\n"


def _message(message: Message) -> Iterator[str]:
    role = message.role.capitalize() if message.role in {"user", "assistant"} else span(message.role) or "Message"
    marks = ["cut"] * message.cut + ["deleted"] * message.deleted
    yield f"\n### {role}{' (' + ', '.join(marks) + ')' if marks else ''}\n"
    for index in sorted(message.parts):
        part = message.parts[index]
        if part.kind != "text":
            yield f"\n{span(part.kind)}\n"
        if part.text:
            yield from block(part.text)
        for chip in part.chips:
            yield f"\n- {span(chip)}\n"
    if message.files:
        yield f"\nFiles: {', '.join(map(span, message.files))}\n"


def _run(run: Run) -> Iterator[str]:
    states = " → ".join(span(mark.name) for mark in run.path()) or span(run.status)
    model = f" of {span(run.model)}" if run.model else ""
    yield f"\n### Run{model}\n\n{states}\n"
    if run.instructions:
        yield "\nInstructions:\n"
        yield from block(run.instructions)
    if run.error:
        yield "\nError:\n"
        yield from block(run.error)
    if run.tokens is not None:
        yield f"\n{run.tokens[2]:,} tokens ({run.tokens[0]:,} in, {run.tokens[1]:,} out)\n"
    calls = [call for step in run.steps_in_order() for call in step.calls.values()] + run.calls_without_step()
    for call in calls:
        yield from _call(call)


def _call(call: ToolCall) -> Iterator[str]:
    value = parse(call.asked)
    yield f"\nTool {span(call.name or call.kind) or 'call'}:\n"
    yield from block(compact(value) if isinstance(value, dict) else call.asked, "json" if value is not None else "text")
    if call.answer is not None:
        yield "\nOutput:\n"
        yield from block(call.answer)


def _note(note: Note) -> Iterator[str]:
    status = f" {note.status}" if note.status else ""
    times = f" ({note.times:,} times)" if note.times > 1 else ""
    yield f"\n- {note.kind.value}{status}{times}: {span(note.subject)} {span(note.detail)}".rstrip() + "\n"
