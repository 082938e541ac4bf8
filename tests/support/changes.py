"""Changes of a recording, each of one thing: functions of its calls that give them changed, and what is to be told of one."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from recorded_conversation import in_json, operation_of, with_answer, with_bodies, with_request, write
from respool.cassettes.comparison import compare
from respool.cassettes.interaction import Body, End, Interaction
from respool.cassettes.reader import Reader

Calls = list[Interaction]
Change = Callable[[Calls], Calls]


class Mutation(NamedTuple):
    """`where` and `field` as the finding names them, and what its values hold."""

    name: str
    change: Change
    where: str
    field: str
    left: str | None
    right: str | None
    kind: str = "changed"


def each_of(mutations: list[Mutation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("mutation", mutations, ids=lambda mutation: mutation.name.replace(" ", "-"))


def told_once(folder: Path, calls: Calls, recorded: Path, mutation: Mutation) -> None:
    """Check that the recording and the changed one differ in one finding, which is this, whichever of them comes first."""
    changed = write(folder / "changed.cassette", mutation.change(calls))
    with Reader.open(recorded) as left, Reader.open(changed) as right:
        findings = compare(left, right)
        back = compare(right, left)
    assert len(findings) == 1, "\n\n".join(map(str, findings))
    (finding,) = findings
    assert finding.place.startswith(mutation.where), finding
    assert (finding.kind, finding.field) == (mutation.kind, mutation.field), finding
    for told, wanted in ((finding.left, mutation.left), (finding.right, mutation.right)):
        assert (told is None) == (wanted is None), finding
        assert wanted is None or wanted in (told or ""), finding
    assert len(back) == 1
    assert (back[0].left, back[0].right) == (finding.right, finding.left)


def everywhere(old: str, new: str) -> Change:
    """A text written over in all bodies."""

    def change(calls: Calls) -> Calls:
        changed: list[bytes] = []

        def write_over(data: bytes) -> bytes:
            changed.extend([data] if old.encode() in data else [])
            return data.replace(old.encode(), new.encode())

        done = [with_bodies(call, write_over) for call in calls]
        assert changed, f"{old} is nowhere"
        return done

    return change


def objects(kind: str, edit: Callable[[dict[str, Any]], Any], *, nth: int | None = None) -> Change:
    """Each object of a kind in the answers, changed in place; `nth`: those of the nth id of that kind."""

    def change(calls: Calls) -> Calls:
        ids: list[str] = []

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                if value.get("object") == kind:
                    if value["id"] not in ids:
                        ids.append(value["id"])
                    if nth is None or value["id"] in ids[nth : nth + 1]:
                        edit(value)
                for child in value.values():
                    walk(child)
            elif isinstance(value, list):
                for child in value:
                    walk(child)

        done = [
            with_answer(call, in_json(walk)) if call.request.target.startswith(b"/v1/threads") else call
            for call in calls
        ]
        assert ids
        return done

    return change


def one(operation: str, edit: Callable[[Interaction], Interaction | None], nth: int = 0) -> Change:
    """The nth call of an operation changed, or left out."""

    def change(calls: Calls) -> Calls:
        at = [place for place, call in enumerate(calls) if operation_of(call) == operation][nth]
        edited = edit(calls[at])
        return [*calls[:at], *([edited] if edited else []), *calls[at + 1 :]]

    return change


def request(operation: str, edit: Callable[[Any], Any], nth: int = 0) -> Change:
    return one(operation, lambda call: with_request(call, in_json(edit)), nth)


def answer(operation: str, edit: Callable[[Any], Any], nth: int = 0) -> Change:
    return one(operation, lambda call: with_answer(call, in_json(edit)), nth)


def put(**members: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update(members)


def put_at_end(**members: Any) -> Callable[[dict[str, Any]], None]:
    """Only once the object has come to its end."""
    return lambda value: value.update(members) if value["status"] in ("completed", "failed") else None


def status(number: int) -> Callable[[Interaction], Interaction]:
    return lambda call: replace(call, response=replace(call.response, status=number))


def lists(operation: str, edit: Callable[[list[Any]], Any], nth: int | None = None) -> Change:
    """The list in an operation's answers."""

    def change(calls: Calls) -> Calls:
        seen = -1
        done = []
        for call in calls:
            if operation_of(call) == operation:
                seen += 1
                if nth is None or seen == nth:
                    call = with_answer(call, in_json(lambda value: edit(value["data"])))
            done.append(call)
        return done

    return change


def both(*changes: Change) -> Change:
    def change(calls: Calls) -> Calls:
        for each in changes:
            calls = each(calls)
        return calls

    return change


def swap_steps(steps: list[Any]) -> None:
    """The newest stands first: the first two steps change places, and times."""
    one, other = steps[-1], steps[-2]
    one["created_at"], other["created_at"] = other["created_at"], one["created_at"]
    steps[-1], steps[-2] = other, one


def without_message(text: str) -> Change:
    """A message that is in no list any more, nor in what created it."""

    def has(value: Any) -> bool:
        return text in json.dumps(value)

    def drop(items: list[Any]) -> None:
        items[:] = [item for item in items if not has(item)]

    def change(calls: Calls) -> Calls:
        calls = [
            call
            for call in calls
            if not (operation_of(call) == "createMessage" and text.encode() in call.request.body.read())
        ]
        return lists("listMessages", drop)(calls)

    return change


def thread(number: int, calls: Calls) -> str:
    return list(dict.fromkeys(call.scope for call in calls if call.scope and not call.scope.startswith("/")))[number]


def without_thread(number: int) -> Change:
    return lambda calls: [call for call in calls if call.scope != thread(number, calls)]


def with_copy(number: int) -> Change:
    """Another thread with all its ids changed, and other words."""

    def change(calls: Calls) -> Calls:
        def other(data: bytes) -> bytes:
            data = re.sub(rb"(thread|msg|run|step)_([A-Za-z0-9]{20})", rb"\1_Z\2", data)
            return data.replace(b"As I wrote in", b"Now something else about")

        copies = [
            replace(
                with_bodies(call, other),
                request=replace(with_bodies(call, other).request, target=other(call.request.target)),
            )
            for call in calls
            if call.scope == thread(number, calls)
        ]
        return [*calls, *copies]

    return change


def cut_stream(call: Interaction) -> Interaction:
    data = call.response.body.read()
    return replace(
        call, response=replace(call.response, body=Body.of(data[: len(data) * 2 // 3]), marks=()), end=End.UPSTREAM_CUT
    )


def slower(call: Interaction) -> Interaction:
    return replace(call, duration_us=call.duration_us + 60_000_000)


def set_tokens(**tokens: int) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["usage"].update(tokens) if value.get("usage") else None


def tool_calls(run: dict[str, Any]) -> list[Any]:
    return run["required_action"]["submit_tool_outputs"]["tool_calls"]


def early(call: Interaction) -> Interaction:
    return replace(cut_stream(call), end=End.COMPLETE)


def without_run(calls: Calls) -> Calls:
    """Without the run of the second thread; the refusal before it stays."""
    second = thread(1, calls)
    return [
        call
        for call in calls
        if call.scope != second
        or operation_of(call) not in ("getRun", "createRun")
        or (call.response is not None and call.response.status == 429)
    ]


def run_fails(calls: Calls) -> Calls:
    """The first run fails, and has neither its last step, nor its reply, nor tokens."""
    fails = put_at_end(status="failed", last_error={"code": "server_error", "message": "Down."}, usage=None)
    calls = objects("thread.run", fails, nth=0)(calls)
    calls = lists("listRunSteps", lambda steps: steps.pop(0))(calls)
    return without_message("It is 42")(calls)


def with_another_message(calls: Calls) -> Calls:
    """A copy of the second message that the client sent, with another id and text, behind it; no list has it."""
    at = [place for place, call in enumerate(calls) if operation_of(call) == "createMessage"][1]

    def edit(value: dict[str, Any]) -> None:
        if "id" in value:
            value["id"] += "x"
            value["content"][0]["text"]["value"] = "And one more."
        else:
            value["content"] = "And one more."

    copy = with_request(with_answer(calls[at], in_json(edit)), in_json(edit))
    return [*calls[: at + 1], copy, *calls[at + 1 :]]


def set_deep(*path: Any, to: Any) -> Callable[[Any], None]:
    def edit(value: Any) -> None:
        for name in path[:-1]:
            value = value[name]
        value[path[-1]] = to

    return edit
