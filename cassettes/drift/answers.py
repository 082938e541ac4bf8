"""Two answers to one call, the recorded one and a live one, compared as a program would notice: shape, states, errors; no prose.

What counts, besides the shape of JSON (see `shapes`): the status; whether an answer is JSON, a stream or something else; an
error's type, code and param; a run's state where it has settled, and why it failed; the functions that a run calls; the kinds
of a run's steps and the roles of messages, in order; the names of a stream's events, in order, with deltas that follow each
other taken as one; the names within metadata. Not what was said, nor ids, times, tokens, nor how often anything was asked.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import models
from ..canonical import kind_of
from ..sse import Event, events
from ..text import clip
from .shapes import PASSING, Profile, Unlike, profile_of, type_of, unlike

STREAM = b"text/event-stream"
MOST_WORDS = 2_000
"""Events, steps or messages of one answer that are compared by their order."""
SHOWN = 300
_TOLD = 5
"""Differences in one order that are told one by one."""
_KINDS_TOO = frozenset({"object kind", "element changed"})
"""Differences that follow from an object's kind."""
_ERROR_FIELDS = ("type", "code", "param")

Documents = list[tuple[str, object]]


class Answer(NamedTuple):
    """An answer; `cut` says in words why it ends before its end, where it does."""

    status: int
    kind: bytes
    body: bytes
    cut: str = ""

    @property
    def is_stream(self) -> bool:
        return kind_of(self.kind) == STREAM


class Known:
    """What a recording knows of the shape of answers: a profile for each operation (or event) and version of the API."""

    def __init__(self) -> None:
        self._profiles: dict[tuple[str, str], Profile] = {}

    def add(self, answer: Answer, operation: str, version: str) -> None:
        """Take in a recorded answer."""
        for group, documents in _groups(answer, operation):
            profile = self._profiles.setdefault((version, group), Profile())
            for shown, document in documents:
                profile.add(document, shown)

    def profile(self, group: str, version: str) -> Profile | None:
        return self._profiles.get((version, group))


def compare(
    recorded: Answer, live: Answer, known: Known, *, operation: str, version: str, loose: bool = False
) -> Iterator[Unlike]:
    """Where a live answer is another than the recorded one. `loose`: as in `shapes.unlike`; then order and states do not count.

    What the live answer calls things by ids must be in the recording's words already.
    """
    if recorded.status != live.status:
        told = f"{live.status}{_said(live)}"
        yield Unlike("status", "", f"{recorded.status}{_said(recorded)}", told, ())
        return
    if _form(recorded) != _form(live):
        yield Unlike("content type", "", _form(recorded), _form(live), ("form", _form(recorded), _form(live)))
        return
    whole = [models.parse(side.body) if not side.is_stream and side.body else None for side in (recorded, live)]
    if type_of(whole[0]) != type_of(whole[1]):
        yield Unlike("type changed", "$", type_of(whole[0]), type_of(whole[1]), ("root", operation))
        return
    if live.status >= 400:
        yield from _errors(_error_of(recorded), _error_of(live), "$.error")
    elif live.is_stream:
        yield from _events(recorded, live)
    told = False
    for group, documents in _groups(live, operation):
        profile = known.profile(group, version)
        if profile is not None:
            for found in unlike(profile_of(documents), profile, loose=loose or bool(live.cut)):
                told = told or found.what == "kind changed" or found.path.endswith(".role")
                yield found
    if live.status < 400 and not loose and not recorded.cut and not live.cut:
        orders = _orders(_parsed(recorded), _parsed(live))
        yield from (found for found in orders if not (told and found.what in _KINDS_TOO))


def run_differences(recorded: dict[str, object], live: dict[str, object]) -> Iterator[Unlike]:
    """Where a settled run is another than the recorded one in its state, its reason, or what it calls."""
    yield from _orders([("$", recorded)], [("$", live)])


def _said(answer: Answer) -> str:
    error = _error_of(answer) if answer.status >= 400 else {}
    told = ", ".join(
        f"{name} {clip(str(error[name]), 80)}" for name in ("type", "code") if isinstance(error.get(name), str)
    )
    return f" ({told})" if told else ""


def _form(answer: Answer) -> str:
    kind = kind_of(answer.kind)
    if kind == STREAM:
        return "an event stream"
    if kind == b"application/json" or kind.endswith(b"+json"):
        return "JSON" if isinstance(models.parse(answer.body), dict | list) else "JSON that cannot be read"
    return clip(kind, 80) if answer.body else "no body"


def _groups(answer: Answer, operation: str) -> Iterator[tuple[str, Documents]]:
    """The documents of an answer, by what they are compared with."""
    if answer.status >= 400:
        yield "error", _parsed(answer)
    elif answer.is_stream:
        groups: dict[str, Documents] = {}
        for name, document in _parsed(answer):
            groups.setdefault(name, []).append((f"{clip(name, 80)} $", document))
        yield from ((f"event {name}", documents) for name, documents in groups.items())
    else:
        yield operation, _parsed(answer)


def _parsed(answer: Answer) -> Documents:
    if answer.is_stream and answer.status < 400:
        told = ((event.name, models.parse(event.data)) for event in _heard(answer))
        return [(name, document) for name, document in told if document is not None]
    document = models.parse(answer.body) if answer.body else None
    return [] if document is None else [("$", document)]


def _heard(answer: Answer) -> list[Event]:
    return events(answer.body[: models.MAX_BODY])[: 10 * MOST_WORDS]


def _error_of(answer: Answer) -> dict[str, object]:
    value = models.parse(answer.body) if answer.body else None
    return _inner_error(value) if isinstance(value, dict) else {}


def _inner_error(value: dict[str, object]) -> dict[str, object]:
    inner = value.get("error")
    return inner if isinstance(inner, dict) else value


def _errors(recorded: dict[str, object], live: dict[str, object], path: str) -> Iterator[Unlike]:
    if live.keys().isdisjoint(_ERROR_FIELDS):
        return  # another shape altogether, which is told as that
    for name in _ERROR_FIELDS:
        before, now = recorded.get(name), live.get(name)
        if before != now and not isinstance(now, dict | list):
            what, told = f"error {name}", (_plain(before), _plain(now))
            yield Unlike(what, f"{path}.{name}", *told, (what, *told))


def _events(recorded: Answer, live: Answer) -> Iterator[Unlike]:
    """The order of events, and what `error` events say. A stream that broke off tells as much as there is of it."""
    before, now = _merged(_heard(recorded)), _merged(_heard(live))
    if recorded.cut and not live.cut:
        now = now[: len(before)]
    if live.cut and not recorded.cut:
        yield Unlike("stream cut", "", "an end", f"{live.cut} after {_plain(now[-1] if now else None)}", ())
    else:
        yield from _order("event", "", before, now)
    told = [[value for name, value in _parsed(side) if name == "error"] for side in (recorded, live)]
    for old, new in zip(*told, strict=False):
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _errors(_inner_error(old), _inner_error(new), "error $")


def _merged(heard: Iterable[Event]) -> list[str]:
    names: list[str] = []
    for event in heard:
        if not (names and names[-1] == event.name and event.name.endswith(".delta")):
            names.append(event.name)
    return names[:MOST_WORDS]


def _orders(recorded: Documents, live: Documents) -> Iterator[Unlike]:
    """What the objects of two answers say of themselves, object by object and in order; of a stream, event by event."""
    before, now = _by_name(recorded), _by_name(live)
    for name in before:
        if name not in now:
            continue
        path = name if name == "$" else f"{clip(name, 80)} $"
        words = [[word for word in map(_word, side[name]) if word] for side in (before, now)]
        if len(words[0]) == len(words[1]) > 1 and words[0] != words[1]:
            yield from _order("element", path, *words)
        elif len(words[0]) == len(words[1]):  # else the order of events tells
            yield from _pair(path, before[name][-1], now[name][-1])


def _by_name(documents: Documents) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for name, document in documents:
        found.setdefault(name, []).append(document)
    return found


def _pair(path: str, before: object, now: object) -> Iterator[Unlike]:
    if not isinstance(before, dict) or not isinstance(now, dict):
        return
    kind = before.get("object")
    if kind == "list":
        sides = [[_word(item) for item in _items(side.get("data"))] for side in (before, now)]
        if any(sides[0]) and isinstance(now.get("data"), list):
            yield from _order("element", f"{path}.data", *sides)
    elif kind == "thread.run" and now.get("object") == kind:
        yield from _runs(path, before, now)
    elif _word(before) != _word(now):
        yield Unlike("object kind", path, _word(before), _word(now), ())
    kept, given = before.get("metadata"), now.get("metadata")
    if isinstance(kept, dict) and isinstance(given, dict) and kept.keys() != given.keys():
        yield Unlike("metadata", f"{path}.metadata", _listed(sorted(kept)), _listed(sorted(given)), ())


def _runs(path: str, before: dict[str, object], now: dict[str, object]) -> Iterator[Unlike]:
    states = [str(side.get("status")) for side in (before, now)]
    if not PASSING.isdisjoint(states):
        return
    if states[0] != states[1]:
        yield Unlike("run state", f"{path}.status", clip(states[0], 80), clip(states[1] + _why(now), 160), ())
        return
    for name, inner in (("last_error", "code"), ("incomplete_details", "reason")):
        told = [_inside(side, name, inner) for side in (before, now)]
        if told[0] != told[1]:
            yield Unlike("run error", f"{path}.{name}.{inner}", _plain(told[0]), _plain(told[1]), ())
    place = "required_action.submit_tool_outputs.tool_calls"
    calls = [Counter(_calls(_inside(side, *place.split(".")))) for side in (before, now)]
    if calls[0] != calls[1]:
        told = [_listed(sorted(each.elements())) for each in calls]
        yield Unlike("tools called", f"{path}.{place}", told[0], told[1], ())


def _why(run: dict[str, object]) -> str:
    code = _inside(run, "last_error", "code")
    return f" ({code})" if isinstance(code, str) else ""


def _word(value: object) -> str:
    """What an object of a thread is, in a word or two; nothing for any other object."""
    if not isinstance(value, dict):
        return ""
    kind, status = value.get("object"), str(value.get("status"))
    if kind == "thread.message":
        role = value.get("role")
        return f"{role} message" if isinstance(role, str) else "message"
    if kind == "thread.run":
        return "run" if status in PASSING else f"run {status}"
    if kind != "thread.run.step":
        return ""
    words = [str(value.get("type"))]
    words += sorted(_calls(_inside(value, "step_details", "tool_calls")))
    if status not in {"completed", "None", *PASSING}:
        words += [status, *filter(None, [_plain(_inside(value, "last_error", "code"), "")])]
    return clip(" ".join(words), SHOWN)


def _calls(calls: object) -> list[str]:
    """What is called: functions by their name, other tools by their type."""
    found = (call for call in _items(calls) if isinstance(call, dict))
    return [str(_inside(call, "function", "name") or call.get("type")) for call in found]


def _items(value: object) -> list[object]:
    return value[:MOST_WORDS] if isinstance(value, list) else []


def _inside(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _order(what: str, path: str, before: list[str], now: list[str]) -> Iterator[Unlike]:
    """Where two orders differ: what is missing, what was added, or, of the same things, where they stand otherwise."""
    if before == now:
        return
    if Counter(before) == Counter(now):
        at = next(number for number, pair in enumerate(zip(before, now, strict=True)) if pair[0] != pair[1])
        yield Unlike(
            f"{what} order changed" if what != "order" else "order changed", _at(path, at), before[at], now[at], ()
        )
        return
    pieces = difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
    for told, (tag, start, end, first, last) in enumerate(piece for piece in pieces if piece[0] != "equal"):
        if told >= _TOLD:
            return
        gone, new = _listed(before[start:end]), _listed(now[first:last])
        name = {"delete": "missing", "insert": "added", "replace": "changed"}[tag]
        yield Unlike(f"{what} {name}", _at(path, start), gone, new, ())


def _at(path: str, number: int) -> str:
    return f"{path}[{number}]" if path else f"event {number + 1}"


def _listed(words: list[str]) -> str:
    return clip(", ".join(words[:20]), SHOWN) or "nothing"


def _plain(value: object, nothing: str = "nothing") -> str:
    return nothing if value is None else clip(str(value), 120)
