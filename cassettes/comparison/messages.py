"""Two threads' messages and the lines between them (errors, changes, cuts): which belong together, and where they differ.

What the client asked and what the answers told of a message are the same thing said twice: a difference in both is one
finding. A message is known with its text, its files and its place among the runs.
"""

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from .. import models
from ..conversation import FINAL_STATES, Conversation, Message, Note, NoteKind, Part, Run
from ..parts import part_of
from ..text import clip
from .alignment import aligned
from .naming import Given, Names
from .pairing import overlap
from .scene import Scene

Annotations = list[dict[str, Any]]

_READ = "GET "
_OFFSETS = ("start_index", "end_index")


class MessagePair(NamedTuple):
    left: Message | None
    right: Message | None
    number: int
    """Its place in the first side, or in the second where the first does not have it."""


def messages_of(conversation: Conversation) -> list[Message]:
    return [entry for entry in conversation.entries if isinstance(entry, Message)]


def match_messages(left: Conversation, right: Conversation, names: Names) -> tuple[list[MessagePair], bool]:
    """Match messages and learn their ids; says whether they are in another order."""
    ones, others = messages_of(left), messages_of(right)
    given = names.left, names.right

    def sign(side: int, message: Message) -> Hashable:
        return message.role, given[side].masked(message.text), len(message.files)

    found = aligned(ones, others, sign, lambda one, other: _near(one, other, given))
    pairs: list[MessagePair] = []
    for one, other in found.pairs:
        message, twin = None if one is None else ones[one], None if other is None else others[other]
        if message is not None and twin is not None:
            names.learn(message.id, twin.id)
        pairs.append(MessagePair(message, twin, (one if one is not None else other or 0) + 1))
    return pairs, found.moved


def match_notes(left: Conversation, right: Conversation, names: Names) -> list[tuple[Note | None, Note | None]]:
    ones, others = (
        [entry for entry in side.entries if isinstance(entry, Note) and entry.kind is not NoteKind.HELD]
        for side in (left, right)
    )
    given = names.left, names.right

    def sign(side: int, note: Note) -> Hashable:
        detail = _who_cut(note) if note.kind is NoteKind.CUT else note.detail
        return note.kind, note.status, given[side].masked(note.subject), given[side].masked(detail)

    def near(one: Note, other: Note) -> float:
        subjects = given[0].masked(one.subject) == given[1].masked(other.subject)
        method = one.subject.partition(" ")[0] == other.subject.partition(" ")[0]
        return 0.5 * subjects + 0.4 * (one.kind is other.kind and (subjects or method))

    found = aligned(ones, others, sign, near).pairs
    return [(None if one is None else ones[one], None if other is None else others[other]) for one, other in found]


def told_message(message: Message) -> str:
    """A message in a few words."""
    text = message.text or ", ".join(part.kind for part in message.parts.values())
    return f"{message.role or 'message'}: {clip(text, 300)}"


def told_note(note: Note) -> str:
    """A line between the messages in a few words."""
    words = [note.kind.value, str(note.status or ""), note.subject, f"({note.detail})" if note.detail else ""]
    return clip(" ".join(word for word in words if word), 500)


def compare_message(scene: Scene, place: str, left: Message, right: Message, *, spared: bool, cut: bool) -> None:
    """Add what differs between two messages. `spared`: their run ended otherwise, so that their state follows from it.

    `cut`: a stream was cut on one side only, so that a text may be shorter for it.
    """
    found: set[str] = set()
    for name, one, other in _fields(left, right, scene.names):
        if name in ("text", "content") and (cut or spared) and _begins(left.text, right.text):
            continue
        if name == "annotations" and "text" in found and not (left.text and right.text):
            continue  # a message that says nothing has nothing to annotate
        if scene.compare(place, name, one, other, loose=True):
            found.add(name)
    if left.asked is not None and right.asked is not None:
        for name, one, other in _fields(_sent(left), _sent(right), scene.names):
            if name not in found and scene.compare(place, name, one, other, loose=True):
                found.add(name)
        if found.isdisjoint(("text", "content")):
            scene.compare(place, "content", _written(left.asked), _written(right.asked), loose=True)
    ended = left.status in FINAL_STATES and right.status in FINAL_STATES and not spared
    if ended and not scene.compare(place, "status", left.status, right.status):
        scene.compare(place, "incomplete_details.reason", left.incomplete, right.incomplete, loose=True)
    if left.run_id and right.run_id and not spared:
        scene.compare(place, "run_id", left.run_id, right.run_id)


def compare_note(scene: Scene, place: str, left: Note, right: Note) -> None:
    """Add what differs between two errors, cuts, changes or other calls of a thread."""
    here = f"{place}, {clip(left.subject, 200)}"
    if left.kind is NoteKind.CUT or right.kind is NoteKind.CUT:
        if left.kind is right.kind and _who_cut(left) != _who_cut(right):
            scene.add("changed", here, "end", _who_cut(left), _who_cut(right))
        elif left.kind is not right.kind:
            scene.add("changed", here, "outcome", told_note(left), told_note(right))
        return
    if left.kind is NoteKind.CHANGED and right.kind is NoteKind.CHANGED:
        if not scene.compare(here, "call", left.subject, right.subject):
            scene.compare(here, "", left.asked, right.asked, loose=True)
        return
    scene.compare(here, "call", left.subject, right.subject)
    same = scene.names.same(left.detail, right.detail)
    if (left.kind, left.status) != (right.kind, right.status):
        sides = (left.status or left.kind.value, right.status or right.kind.value)
        both = (f"{side} ({note.detail})" for side, note in zip(sides, (left, right), strict=True))
        scene.add("changed", here, "status", *(sides if same else both))
    elif not same:
        scene.add("changed", here, "error" if left.kind is NoteKind.ERROR else "answer", left.detail, right.detail)
    else:
        scene.compare(here, "error", left.named, right.named, loose=True)
    if left.times != right.times and not left.subject.startswith(_READ):
        scene.add("changed", here, "times", left.times, right.times)


def runs_before(conversation: Conversation, message: Message) -> list[str]:
    """The runs that stand before a message."""
    found: list[str] = []
    for entry in conversation.entries:
        if entry is message:
            break
        if isinstance(entry, Run):
            found.append(entry.id)
    return found


def _fields(left: Message, right: Message, names: Names) -> Iterator[tuple[str, Any, Any]]:
    """What counts of two messages, by the names that findings use: of plain texts the text, of others all parts as one."""
    yield "role", left.role, right.role
    ones, others = _annotations(left, right, names)
    if _plain(left) and _plain(right):
        yield "text", left.text, right.text
        yield "annotations", [note for notes in ones for note in notes], [note for notes in others for note in notes]
    else:
        yield "content", _parts(left, ones), _parts(right, others)
    yield "attachments", _files(left), _files(right)
    yield "metadata", left.metadata or {}, right.metadata or {}


def _files(message: Message) -> list[dict[str, str]]:
    return [{"file_id": name, "tools": tools} for name, tools in message.files.items()]


def _plain(message: Message) -> bool:
    return len(message.parts) <= 1 and all(part.kind == "text" for part in message.parts.values())


def _annotations(left: Message, right: Message, names: Names) -> tuple[list[Annotations], list[Annotations]]:
    """The annotations of each part of two messages, without what follows from a text that differs.

    Where two texts say the same and ids in them have other lengths, the offsets follow from that.
    """
    ones, others = _in_order(left), _in_order(right)
    if len(ones) != len(others):  # which text belongs to which is not known
        return [part.annotations for part in ones], [part.annotations for part in others]
    found: tuple[list[Annotations], list[Annotations]] = [], []
    for pair in zip(ones, others, strict=True):
        one, other = (part.text for part in pair)
        same = names.same(one, other)
        passed_over = () if same and len(one) == len(other) else _OFFSETS if same else (*_OFFSETS, "text")
        for part, side in zip(pair, found, strict=True):
            side.append([{key: note[key] for key in note if key not in passed_over} for note in part.annotations])
    return found


def _in_order(message: Message) -> list[Part]:
    return [message.parts[index] for index in sorted(message.parts)]


def _parts(message: Message, annotations: list[Annotations]) -> list[dict[str, Any]]:
    return [
        {"type": part.kind, part.kind or "text": part.text} | ({"annotations": notes} if notes else {})
        for part, notes in zip(_in_order(message), annotations, strict=True)
    ]


def _written(asked: dict[str, Any]) -> Any:
    """The content of a request as it was written, a text alone as the one part that it stands for."""
    content = asked.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _sent(message: Message) -> Message:
    """A message as its request alone has it."""
    view = models.Message.of(message.asked)
    parts = {index: part_of(part) for index, part in enumerate(view.parts)}
    return Message("", view.role, parts, view.files, metadata=view.metadata)


def _begins(left: Any, right: Any) -> bool:
    texts = isinstance(left, str) and isinstance(right, str)
    return texts and (left.startswith(right) or right.startswith(left))


def _who_cut(note: Note) -> str:
    """Who cut a call, without how far it had come."""
    return note.detail.partition(" after ")[0].partition(" before ")[0]


def _near(left: Message, right: Message, given: tuple[Given, Given]) -> float:
    words = [
        frozenset(side.masked(message.text).lower().split()) for side, message in zip(given, (left, right), strict=True)
    ]
    near = overlap(*words)
    return 0.2 + 0.8 * near if left.role == right.role else near if near > 0.5 else 0.0
