"""The tool calls of runs: what was asked, what the client sent back, in which step it stands, and what is wrong with it.

`paired` finds, `tools` writes it down as a document. A fault is told in words: an output that is missing, that nobody asked
for, that came twice or too late, and arguments that are no JSON.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..cassettes.conversation import FINAL_STATES, Conversation, Run, ToolCall
from ..cassettes.models import compact, parse
from ..cassettes.show import MAX_TEXT
from ..cassettes.text import clip, safe
from .branches import call_name
from .document import Document, Line, Span
from .exchanges import Submit
from .ink import mood, sign
from .outline import Kind, Row
from .waterfall import seconds

MOST = 2_000
"""Tool calls that are shown."""
_NAME = 200

FAULTS = {
    "missing": "no output was sent for it",
    "orphan": "an output that no recorded answer asks for",
    "duplicate": "its output was sent more than once",
    "late": "its output was sent when the run was over, or was refused",
    "refused": "an output was refused before one was taken",
    "arguments": "its arguments are no JSON",
}
"""Each fault and what it means."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A tool call with what belongs to it. `step`: its number in the run; `took_us`: from when the client knew of it."""

    run: Run
    number: int
    call: ToolCall
    step: int | None = None
    step_id: str = ""
    took_us: int | None = None
    faults: tuple[str, ...] = ()


def paired(conversation: Conversation, submits: Sequence[Submit], run_id: str = "") -> Iterator[Pair]:
    """The tool calls of a conversation, or of one of its runs, in order."""
    for number, run in enumerate(conversation.runs.values(), 1):
        if run_id and run.id != run_id:
            continue
        steps = {name: (place, step) for place, step in enumerate(run.steps_in_order(), 1) for name in step.calls}
        own = [submit for submit in submits if submit.run == run.id]
        for name, call in run.calls.items():
            place, step = steps.get(name, (None, None))
            sent = [submit for submit in own if name in submit.ids]
            yield Pair(
                run, number, call, place, step.id if step else "", _took(run, sent), tuple(_faults(run, call, sent))
            )
        refused = dict.fromkeys(name for submit in own for name in submit.ids if name not in run.calls)
        yield from (Pair(run, number, ToolCall(name), faults=("orphan",)) for name in refused)


def _faults(run: Run, call: ToolCall, sent: Sequence[Submit]) -> Iterator[str]:
    asked = bool(call.name or call.kind)
    if not asked:
        yield "orphan"
    function = call.kind == "function" or (not call.kind and call.name)
    if function and not sent and call.answer is None and (run.status in FINAL_STATES or _went_on(run)):
        yield "missing"
    if sum(200 <= submit.status < 300 for submit in sent) > 1:
        yield "duplicate"
    taken = max((submit.arrival for submit in sent if 200 <= submit.status < 300), default=-1)
    turned_down = [submit.arrival for submit in sent if not 200 <= submit.status < 300]
    if any(arrival < taken for arrival in turned_down):
        yield "refused"
    if any(arrival > taken for arrival in turned_down):
        yield "late"
    if function and asked and call.asked and not _is_json(call.asked):
        yield "arguments"


def _went_on(run: Run) -> bool:
    return any(mark.action and mark.name == "outputs submitted" for mark in run.marks)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _took(run: Run, sent: Sequence[Submit]) -> int | None:
    """From when the client knew that it had to act to when it sent the output that was taken, else the first."""
    sent = [submit for submit in sent if 200 <= submit.status < 300] or sent
    if not sent or not sent[0].at_us:
        return None
    known = [mark.at_us for mark in run.marks if mark.name == "requires_action" and mark.at_us is not None]
    before = [at for at in known if at <= sent[0].at_us]
    return sent[0].at_us - max(before) if before else None


def tools(conversation: Conversation, submits: Sequence[Submit], run_id: str = "") -> Document:
    """The tool calls as lines to read."""
    pairs = list(paired(conversation, submits, run_id))
    if not pairs:
        what = "this run" if run_id else "this thread"
        return Document((Line(0, ((f"No tool was called in {what}.", "dim"),)),))
    wrong = sum(bool(pair.faults) for pair in pairs)
    head = f"{len(pairs):,} tool call{'' if len(pairs) == 1 else 's'}"
    lines = [
        Line(
            0,
            (
                (head, "strong"),
                (f"  ! {wrong:,} with a fault" if wrong else "  ✓ no faults", "bad" if wrong else "good"),
            ),
        )
    ]
    anchors: dict[Row, int] = {}
    run = 0
    for pair in pairs[:MOST]:
        if pair.number != run:
            run = pair.number
            ink = mood(pair.run.status)
            lines += [
                Line(),
                Line(
                    0,
                    (
                        (f"run {run}", "name"),
                        (f"  {sign(ink)} {clip(pair.run.status, _NAME)}", ink),
                        (f"  {clip(pair.run.id, _NAME)}", "dim"),
                    ),
                ),
            ]
            anchors[Row(Kind.RUN, conversation.scope, pair.run.id)] = len(lines) - 1
        anchors[Row(Kind.CALL, conversation.scope, pair.run.id, pair.call.id)] = len(lines)
        if pair.step_id:
            anchors.setdefault(Row(Kind.STEP, conversation.scope, pair.run.id, pair.step_id), len(lines))
        lines += _lines(pair)
    if len(pairs) > MOST:
        lines.append(Line(0, ((f"… {len(pairs) - MOST:,} more", "wait"),)))
    return Document(tuple(lines), anchors)


def _lines(pair: Pair) -> Iterator[Line]:
    call = pair.call
    took = seconds(pair.took_us) if pair.took_us is not None else ""
    head: list[Span] = [
        ("! " if pair.faults else "✓ " if call.answer is not None else "… ", "bad" if pair.faults else "good"),
        (call_name(call), "tool"),
        (f"  {clip(call.id, _NAME)}", "dim"),
        (f"  step {pair.step}" if pair.step else "  no recorded step", "dim"),
    ]
    if took:
        head.append((f"  client {took}", "wait"))
    yield Line(0, tuple(head))
    value = parse(call.asked)
    asked = compact(value) if isinstance(value, (dict, list)) else call.asked
    if asked:
        yield from _block("asked  ", asked)
    if call.answer is not None:
        yield from _block("output ", call.answer)
    for fault in pair.faults:
        yield Line(2, ((f"! {fault}  ", "bad"), (FAULTS[fault], "")))


def _block(label: str, text: str) -> Iterator[Line]:
    for number, line in enumerate(safe(text[:MAX_TEXT], keep_newlines=True).split("\n")):
        if number == 0:
            yield Line(2, ((label, "dim"), (line, "")), hang=len(label))
        else:
            yield Line(2 + len(label), ((line, ""),), hang=0)
    if len(text) > MAX_TEXT:
        yield Line(2, ((f"… {len(text) - MAX_TEXT:,} more characters", "wait"),))
