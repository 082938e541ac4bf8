"""Two recordings of one thread: what only one of them has, and what differs in what both have.

One cause is one finding: what a message, a step or a number of tokens lacks because its run ended otherwise, was cut, or is
not there at all stands in the note of that finding.
"""

from typing import NamedTuple

from ..amounts import counted
from ..conversation import Conversation, Message, Note, NoteKind
from .messages import (
    MessagePair,
    compare_message,
    compare_note,
    match_messages,
    match_notes,
    messages_of,
    runs_before,
    told_message,
    told_note,
)
from .naming import Names
from .runs import RunPair, compare_run, match_runs, runs_of, told_run
from .scene import Scene
from .sides import written
from .steps import lone_steps, told_step

_DONE_TO = {NoteKind.CHANGED: "change", NoteKind.DELETED: "deletion"}


class Match(NamedTuple):
    """What belongs together in two recordings of a thread."""

    left: Conversation
    right: Conversation
    messages: list[MessagePair]
    messages_moved: bool
    runs: list[RunPair]
    runs_moved: bool
    notes: list[tuple[Note | None, Note | None]]


def match(left: Conversation, right: Conversation, names: Names) -> Match:
    """Match what two recordings of a thread hold, and learn the ids."""
    names.learn(left.scope, right.scope)
    messages, messages_moved = match_messages(left, right, names)
    runs, runs_moved = match_runs(left, right, names)
    return Match(left, right, messages, messages_moved, runs, runs_moved, match_notes(left, right, names))


def told_thread(conversation: Conversation) -> str:
    """A thread in a few words."""
    messages = messages_of(conversation)
    first = f", {told_message(messages[0])}" if messages else ""
    return f"{conversation.scope} with {counted(len(messages), 'message')}, {counted(len(runs_of(conversation)), 'run')}{first}"


def compare_thread(scene: Scene, place: str, found: Match) -> None:
    """Add what differs between two recordings of a thread."""
    scene.compare(place, "metadata", found.left.metadata or {}, found.right.metadata or {}, loose=True)
    scene.compare(place, "tool_resources", found.left.resources, found.right.resources, loose=True)
    if found.left.asked is not None and found.right.asked is not None:
        _asked(scene, place, found.left, found.right)
    _Thread(scene, place, found).compare()


def _asked(scene: Scene, place: str, left: Conversation, right: Conversation) -> None:
    told = {finding.field.partition(".")[0] for finding in scene.findings if finding.place == place}
    asked, other = left.asked or {}, right.asked or {}
    for name in dict.fromkeys([*asked, *other]):
        if name != "messages" and name not in told:
            scene.compare(place, name, asked.get(name), other.get(name), loose=True)


class _Thread:
    """One comparison of a thread. `ended` are runs that ended otherwise or that one side lacks: id → the finding's number."""

    def __init__(self, scene: Scene, place: str, found: Match) -> None:
        self.scene, self.place, self.found = scene, place, found
        self.ended: tuple[dict[str, int], dict[str, int]] = ({}, {})
        # The finding's number, by messages and runs that one side lacks, as notes name them.
        self.lone: dict[str, int] = {}
        self.follows: dict[int, list[str]] = {}
        cuts = [[entry for entry in side.entries if isinstance(entry, Note) and entry.kind is NoteKind.CUT]
                for side in (found.left, found.right)]  # fmt: skip
        self.cut = len(cuts[0]) != len(cuts[1])

    def compare(self) -> None:
        scene, place, found = self.scene, self.place, self.found
        self._runs()
        if found.messages_moved:
            sides = (" → ".join(map(told_message, messages_of(side))) for side in (found.left, found.right))
            scene.add("order", place, "messages", *sides)
        for left, right, number in found.messages:
            self._message(left, right, number)
        for left, right in found.notes:
            self._note(left, right)
        for number, what in self.follows.items():
            scene.follow(number, what)

    def _runs(self) -> None:
        scene, found = self.scene, self.found
        told = found.left, found.right
        if found.runs_moved:
            scene.add("order", self.place, "runs", *(" → ".join(map(told_run, runs_of(side))) for side in told))
        for number, (left, right, within) in enumerate(found.runs, 1):
            here = f"{self.place}, run {number}"
            if left is None and right is not None:
                number = scene.add("added", here, "", right=told_run(right))
                self.ended[1][right.id] = self.lone[f"run {right.id}"] = number
            elif left is not None and right is None:
                number = scene.add("missing", here, "", left=told_run(left))
                self.ended[0][left.id] = self.lone[f"run {left.id}"] = number
            elif left is not None and right is not None and within is not None:
                ended = compare_run(scene, here, left, right, within, told, cut=self.cut)
                if ended is not None:
                    self.ended[0][left.id] = self.ended[1][right.id] = ended
                for step_number, side, step in lone_steps(within):
                    if ended is not None:
                        self.follows.setdefault(ended, []).append("step")
                    elif not self._lone_message(step.message_id, side):
                        values = {"left" if side == 0 else "right": told_step(step, told[side])}
                        kind = "missing" if side == 0 else "added"
                        scene.add(kind, f"{here}, step {step_number}", "", **values)

    def _lone_message(self, name: str, side: int) -> bool:
        """Whether a message stands on this side alone: then the step that made it follows from that."""
        lone = ((left if side == 0 else right, right if side == 0 else left) for left, right, _ in self.found.messages)
        return bool(name) and any(one is not None and one.id == name and other is None for one, other in lone)

    def _message(self, left: Message | None, right: Message | None, number: int) -> None:
        here = f"{self.place}, message {number}"
        if left is not None and right is not None:
            spared = left.run_id in self.ended[0] or right.run_id in self.ended[1]
            compare_message(self.scene, here, left, right, spared=spared, cut=self.cut)
            if left.role == right.role == "user" and not self.found.runs_moved:
                self._among_runs(here, left, right)
            return
        side, message = (0, left) if left is not None else (1, right)
        if message is None:
            return
        ended = self.ended[side].get(message.run_id)
        if ended is not None:
            self.follows.setdefault(ended, []).append("message")
        elif written(message) or _looked(self.found.right if side == 0 else self.found.left):
            told = {"left" if side == 0 else "right": told_message(message)}
            self.lone[f"message {message.id}"] = self.scene.add("missing" if side == 0 else "added", here, "", **told)

    def _among_runs(self, place: str, left: Message, right: Message) -> None:
        """Whether a message stands behind the same runs; those that one side lacks do not count."""
        both = [(run.id, twin.id) for run, twin, _ in self.found.runs if run is not None and twin is not None]
        before = [
            set(runs_before(side, message)) for side, message in ((self.found.left, left), (self.found.right, right))
        ]
        counts = [sum(pair[side] in before[side] for pair in both) for side in (0, 1)]
        if counts[0] != counts[1]:
            self.scene.add(
                "changed", place, "place", *(f"behind {count} runs" if count else "before all runs" for count in counts)
            )

    def _note(self, left: Note | None, right: Note | None) -> None:
        if left is not None and right is not None:
            compare_note(self.scene, self.place, left, right)
            return
        note = left or right
        if note is not None and note.kind in _DONE_TO and note.subject in self.lone:
            self.follows.setdefault(self.lone[note.subject], []).append(_DONE_TO[note.kind])
        elif left is not None:
            self.scene.add("missing", f"{self.place}, {left.kind.value}", "", left=told_note(left))
        elif right is not None:
            self.scene.add("added", f"{self.place}, {right.kind.value}", "", right=told_note(right))


def _looked(conversation: Conversation) -> bool:
    """Whether a recording tells of what runs wrote: a client that never asked has no messages to lack."""
    reads = (conversation.reads.get(name) for name in ("listMessages", "getMessage"))
    return any(read is not None and read.total for read in reads) or any(
        not written(message) for message in messages_of(conversation)
    )
