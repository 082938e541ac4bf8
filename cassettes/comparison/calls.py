"""Calls that belong to no thread (`/assistants`, `/files`): matched by what they ask, compared field by field.

A read that asks and is answered like the one before it is the same read again and does not count. Of answers, ids are
names, and times and what a server counts for itself (`NOISE`) do not count.
"""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from ..canonical import kind_of, parse_multipart
from ..differences import differences
from ..ids import align, ids_of, prefix_of
from ..interaction import Body, End, Interaction, Request, Response
from ..models import MAX_BODY, compact, parse
from ..operations import READS, split_target
from ..outcomes import ENDS, error_text
from ..renaming import words
from ..scopes import media_type
from ..text import clip
from .alignment import aligned
from .naming import Given, Names
from .narrowing import ABSENT, narrowed
from .scene import Scene
from .sides import Side

NOISE = frozenset({"first_id", "last_id", "request_id", "system_fingerprint"})
"""Members of answers that say nothing; so do those that end with `_at`, which are times."""

_TARGET = ("method", "path", "query")


class Asked(NamedTuple):
    """A call of one side."""

    call: Interaction
    number: int
    """Its place among the calls of its collection."""

    @property
    def subject(self) -> str:
        _, path, query = split_target(self.call.request.target)
        return f"{self.call.request.method} {(path + query).decode('utf-8', 'backslashreplace')}"


class CallPair(NamedTuple):
    left: Asked | None
    right: Asked | None


def match_calls(left: Side, right: Side, names: Names) -> list[CallPair]:
    """Match the calls of all collections of both sides, and learn the ids that their answers name."""
    found: list[CallPair] = []
    given = left.given, right.given

    def sign(side: int, each: Asked) -> Hashable:
        return _sign(each, given[side])

    for scope in dict.fromkeys([*left.collections, *right.collections]):
        sides = [list(_calls(side, scope)) if scope in side.collections else [] for side in (left, right)]
        for calls, ids in zip(sides, given, strict=True):
            for each in calls:
                _learn_given(each.call, ids)
        for one, other in aligned(sides[0], sides[1], sign, _near).pairs:
            pair = CallPair(None if one is None else sides[0][one], None if other is None else sides[1][other])
            found.append(pair)
            if pair.left and pair.right and (before := pair.left.call.response) and (after := pair.right.call.response):
                kind = media_type(before.headers)
                if before.body.length <= MAX_BODY and after.body.length <= MAX_BODY:
                    for old, new in align(before.body.read(), after.body.read(), kind, names.known):
                        if given[0].kind(old) and given[1].kind(new):
                            names.learn(old, new)
    return found


def _learn_given(call: Interaction, given: Given) -> None:
    """Take in the ids that an answer names, less those that the client spoke of before anyone gave them."""
    request = call.request
    spoken = words(request.target) | (words(request.body.read()) if request.body.length <= MAX_BODY else set())
    for name in ids_of(call.response):
        if name not in spoken:
            given.add(name.decode("ascii"), prefix_of(name).decode("ascii") or "object")


def compare_calls(scene: Scene, found: list[CallPair]) -> None:
    """Add what differs in the calls that belong to no thread."""
    for left, right in found:
        if left is not None and right is not None:
            _compare(scene, f"other calls, {clip(left.subject, 200)}", left.call, right.call)
        elif left is not None:
            scene.add("missing", f"other calls, {clip(left.subject, 200)}", "", left=_told(left.call))
        elif right is not None:
            scene.add("added", f"other calls, {clip(right.subject, 200)}", "", right=_told(right.call))


def _calls(side: Side, scope: str) -> Iterator[Asked]:
    answers: dict[int, int] = {}
    number = 0
    for row in side.recording.rows_of_scope(scope):
        if row.summary.writes:
            answers.clear()
        elif answers.get(row.summary.key) == row.summary.answer:
            continue
        else:
            answers[row.summary.key] = row.summary.answer
        number += 1
        yield Asked(side.recording.interaction(row), number)


def _compare(scene: Scene, place: str, left: Interaction, right: Interaction) -> None:
    fields: set[str] = set()
    sent: list[tuple[Any, Any]] = []
    one, other = _renamed(left.request, scene.names), right.request
    asked = _members(one), _members(other)
    for each in differences(one, other):
        if asked[0] is None or asked[1] is None or each.field.startswith(_TARGET):
            fields.add(each.field)
            sent.append((each.recorded, each.asked))
            sides = (ABSENT if side is None else side for side in (each.recorded, each.asked))
            scene.add("changed", place, each.field, *sides)
    if asked[0] is not None and asked[1] is not None:
        for name in dict.fromkeys([*asked[0], *asked[1]]):
            if scene.compare(place, name, asked[0].get(name, ABSENT), asked[1].get(name, ABSENT), loose=True):
                fields.add(name)
    answers = left.response, right.response
    statuses = [answer.status if answer else 0 for answer in answers]
    ends = [ENDS.get(call.end, "") for call in (left, right)]
    if ends[0] != ends[1]:
        scene.add("changed", place, "end", *(end or "whole" for end in ends))
    elif statuses[0] != statuses[1]:
        texts = [error_text(answer) if status >= 400 else "" for answer, status in zip(answers, statuses, strict=True)]
        told = (f"{status} ({text})" if text else str(status) for status, text in zip(statuses, texts, strict=True))
        scene.add("changed", place, "status", *(statuses if texts[0] == texts[1] else told))
    elif left.end is End.COMPLETE and answers[0] and answers[1]:
        _answers(scene, place, answers[0], answers[1], fields, sent)
    if scene.tolerance is not None and scene.tolerance.exceeded(left.duration_us, right.duration_us):
        scene.add("changed", place, "time", *(f"{call.duration_us / 1e6:.3f} s" for call in (left, right)))


def _answers(
    scene: Scene, place: str, left: Response, right: Response, asked: set[str], sent: list[tuple[Any, Any]]
) -> None:
    """Add what differs between two answers and does not follow from what was asked: `asked` fields, `sent` values."""
    values = [parse(side.body.read()) if 0 < side.body.length <= MAX_BODY else None for side in (left, right)]
    if all(isinstance(value, dict | list) for value in values):
        one, other = (_telling(value) for value in values)
        if isinstance(one, dict) and isinstance(other, dict):
            for name in dict.fromkeys([*one, *other]):
                gap = narrowed(one.get(name, ABSENT), other.get(name, ABSENT), scene.names.same)
                if gap is not None and (gap.left, gap.right) not in sent and not _follows(name, asked):
                    scene.add(
                        "order" if gap.order else "changed", place, f"answer.{name}{gap.path}", gap.left, gap.right
                    )
        else:
            scene.compare(place, "answer", one, other)
    elif left.body != right.body and not asked:
        told = [_text(side) for side in (left, right)]
        if told[0] != told[1] or media_type(left.headers) != b"text/event-stream":
            scene.add("changed", place, "answer", *told)


def _follows(name: str, asked: set[str]) -> bool:
    """Whether a member of an answer differs because the member of the request does, or, for a size, what was sent."""
    causes = (f"{name}.", f"{name}[", *(("part[",) if name == "bytes" else ()))
    return any(field == name or field.startswith(causes) for field in asked)


def _members(request: Request) -> dict[str, Any] | None:
    """A request's body, if it is an object; that of a request without a body has no members."""
    if not request.body:
        return {}
    value = parse(request.body.read()) if request.body.length <= MAX_BODY else None
    return value if isinstance(value, dict) else None


def _telling(value: Any, levels: int = 32) -> Any:
    """An answer without what says nothing."""
    if not levels:
        return value
    if isinstance(value, dict):
        return {
            name: _telling(child, levels - 1)
            for name, child in value.items()
            if name not in NOISE and not (name.endswith("_at") and not isinstance(child, str | dict | list))
        }
    return [_telling(child, levels - 1) for child in value] if isinstance(value, list) else value


def _renamed(request: Request, names: Names) -> Request:
    """A request of the first side in the names of the second. A file that is sent holds no ids."""
    target = names.known.to_new(request.target)
    if kind_of(media_type(request.headers)) == b"multipart/form-data" or request.body.length > MAX_BODY:
        return replace(request, target=target)
    return replace(request, target=target, body=Body.of(names.known.to_new(request.body.read())))


def _told(call: Interaction) -> str:
    answer = call.response
    status = f"answered with {answer.status}" if answer else "not answered"
    return f"{status}, asked {clip(_asked(call.request), 300) or 'with no body'}"


def _asked(request: Request) -> str:
    value = parse(request.body.read()) if 0 < request.body.length <= MAX_BODY else None
    return compact(value) if value is not None else f"{request.body.length:,} bytes" if request.body.length else ""


def _text(answer: Response) -> str:
    if answer.body.length > MAX_BODY:
        return f"{answer.body.length:,} bytes"
    return answer.body.read().decode("utf-8", "backslashreplace")


def _sign(each: Asked, given: Given) -> Hashable:
    request = each.call.request
    _, path, query = split_target(request.target)
    target = (path + query).decode("utf-8", "backslashreplace")
    return request.method, given.masked(target), given.masked(_body(request))


def _body(request: Request) -> str:
    """A body without what its spelling adds."""
    if request.body.length > MAX_BODY:
        return f"{request.body.length} bytes"
    data = request.body.read()
    kind = next((value for name, value in request.headers if name.lower() == b"content-type"), b"")
    if kind_of(kind) == b"multipart/form-data":
        return repr(parse_multipart(data, kind))
    value = parse(data)
    return compact(value) if value is not None else data.decode("utf-8", "backslashreplace")


def _near(left: Asked, right: Asked) -> float:
    sides = left.subject.split("/"), right.subject.split("/")
    return (
        0.2 + 0.8 * (sides[0] == sides[1]) if len(sides[0]) == len(sides[1]) or _reads(left) == _reads(right) else 0.0
    )


def _reads(each: Asked) -> bool:
    return each.call.request.method in READS
