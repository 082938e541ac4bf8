"""What is inside the rows of the list: a conversation and its calls as branches, each with what its row says.

Calls of a run stand in it behind its steps; those of no run stand between the runs, in order of arrival. Nothing here reads
a cassette or draws. All texts in faces are safe.
"""

from collections.abc import Iterable, Sequence
from heapq import merge
from operator import itemgetter

from ..cassettes.amounts import counted
from ..cassettes.conversation import FINAL_STATES, Conversation, Message, Note, NoteKind, Run, Step, ToolCall
from ..cassettes.operations import OPERATIONS
from ..cassettes.text import clip
from .exchanges import Exchange, Gathered, Group, folded
from .ink import Ink, mood
from .outline import MAX_LABEL, Branch, Face, Kind, Row
from .waterfall import seconds

_LABEL_TEXT = 400
"""Characters of a message that are looked at for its label."""
_NAMES = {operation.number: operation.name for operation in OPERATIONS}


def outline_of(conversation: Conversation, gathered: Gathered | None = None) -> Branch:
    """A conversation as a branch: its thread (or collection), the runs in it, their steps, tool calls and calls."""
    scope = conversation.scope
    gathered = gathered or Gathered()
    if not conversation.is_thread:
        calls = counted(conversation.calls, "call")
        inside = tuple(branch for _, branch in _calls(scope, "", gathered.calls))
        return Branch(Row(Kind.COLLECTION, scope), Face(clip(scope, MAX_LABEL), calls), inside)
    runs = [entry for entry in conversation.entries if isinstance(entry, Run)]
    known = {run.id for run in runs}
    own = [call for call in gathered.calls if call.run not in known]
    told = [
        (run.arrival, _run(scope, number, run, gathered.runs.get(run.id, []))) for number, run in enumerate(runs, 1)
    ]
    inside = tuple(branch for _, branch in merge(told, _calls(scope, "", own), key=itemgetter(0)))
    worst: Ink = "bad" if any(branch.face.ink == "bad" for branch in inside) or _failed(conversation) else ""
    return Branch(Row(Kind.THREAD, scope), Face(clip(scope, MAX_LABEL), _headline(conversation), worst), inside)


def _failed(conversation: Conversation) -> bool:
    return any(
        isinstance(entry, Note) and entry.kind in (NoteKind.ERROR, NoteKind.FAILED, NoteKind.CUT)
        for entry in conversation.entries
    )


def _headline(conversation: Conversation) -> str:
    """The first thing that was said, on one line."""
    for entry in conversation.entries:
        if isinstance(entry, Message) and (text := entry.text.strip()):
            return clip(" ".join(text[:_LABEL_TEXT].split()), MAX_LABEL)
    return ""


def _calls(scope: str, run: str, calls: Iterable[Exchange]) -> list[tuple[int, Branch]]:
    """The calls as branches, by the number of the first."""
    found: list[tuple[int, Branch]] = []
    for each in folded(calls):
        if isinstance(each, Group):
            first = each.calls[0].arrival
            inside = tuple(
                Branch(Row(Kind.POLL, scope, run, str(call.arrival)), exchange_face(call)) for call in each.calls
            )
            face = Face(f"≡ {each.label}", f"{each.seconds:.1f} s")
            found.append((first, Branch(Row(Kind.POLLS, scope, run, str(first)), face, inside)))
        else:
            row = Row(Kind.EXCHANGE, scope, run, str(each.arrival))
            found.append((each.arrival, Branch(row, exchange_face(each))))
    return found


def exchange_face(call: Exchange) -> Face:
    """What a call's row says: the operation (of a poll the state that it told), and the answer's status and time."""
    summary = call.row.summary
    text = f"poll → {call.state}" if call.poll and call.state else _NAMES.get(summary.operation, call.what)
    if call.running:
        return Face(text, "  ".join([f"{summary.status}"] * bool(summary.status) + ["running"]), "wait")
    words = [f"{summary.status}" if summary.status else "no answer"]
    words += [call.ended] if call.ended else []  # of a call that went wrong the last words are given up first
    words += [call.met] if call.met else []
    words += [seconds(summary.duration_us)]
    words += ["stream"] if call.stream else []
    return Face(text, "  ".join(words), "bad" if call.bad else "")


def _run(scope: str, number: int, run: Run, own: Sequence[Exchange]) -> Branch:
    steps = [_step(scope, run, place, step) for place, step in enumerate(run.steps_in_order(), 1)]
    calls = [
        Branch(Row(Kind.CALL, scope, run.id, call.id), Face(call_name(call), clip(call.id, MAX_LABEL)))
        for call in run.calls_without_step()
    ]
    words = [seconds] if (seconds := run_time(run)) else []
    words += [f"{run.tokens[2]:,} tokens"] if run.tokens is not None else []
    state = clip(run.status, MAX_LABEL) or "state unknown"
    face = Face(f"run {number} {state}", "  ".join(words), mood(run.status))
    exchanges = (branch for _, branch in _calls(scope, run.id, own))
    return Branch(Row(Kind.RUN, scope, run.id), face, (*steps, *calls, *exchanges))


def _step(scope: str, run: Run, place: int, step: Step) -> Branch:
    names = ", ".join(call_name(call) for call in list(step.calls.values())[:8])
    what = names or {"message_creation": "message"}.get(step.kind, clip(step.kind, MAX_LABEL))
    face = Face(f"step {place} {what}".rstrip(), clip(step.status, MAX_LABEL), mood(step.status))
    return Branch(Row(Kind.STEP, scope, run.id, step.id), face)


def call_name(call: ToolCall) -> str:
    """The function's name, else the kind of tool."""
    return clip(call.name or call.kind, MAX_LABEL) or "unknown call"


def run_time(run: Run) -> str:
    """Seconds from the first moment of a run that is known to the last; empty where times are unknown, or it goes on."""
    if run.status not in FINAL_STATES:
        return ""
    times = [mark.at_us for mark in run.marks if mark.at_us is not None]
    return f"{(max(times) - min(times)) / 1_000_000:.1f} s" if len(times) > 1 else ""
