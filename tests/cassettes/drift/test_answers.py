"""Two answers compared: what a program would notice, and nothing that only a reader would."""

# ruff: noqa: E501 - a table is read by its rows
import json

import pytest
from respool.cassettes.drift.answers import Answer, Known, compare, run_differences

JSON = b"application/json"
STREAM = b"text/event-stream; charset=utf-8"


def answer(value, status=200):
    return Answer(status, JSON, json.dumps(value).encode())


def stream(*heard, cut=""):
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in heard)
    return Answer(200, STREAM, body.encode(), cut)


def found(recorded, live, **options):
    known = Known()
    known.add(recorded, "getRun", "2")
    told = compare(recorded, live, known, operation="getRun", version="2", **options)
    return [f"{each.what} {each.path}: {each.recorded} | {each.upstream}" for each in told]


def run(status="completed", **fields):
    return {"object": "thread.run", "id": "run_1", "status": status, **fields}


def calling(*names):
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for n, name in enumerate(names)
    ]
    return run(
        "requires_action", required_action={"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
    )


def steps(*kinds):
    return {
        "object": "list",
        "data": [{"object": "thread.run.step", "type": kind, "status": "completed"} for kind in kinds],
    }


DELTA = ("thread.message.delta", {"object": "thread.message.delta", "delta": {}})
DONE = ("done", "[DONE]")


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        (answer(run(usage={"total": 5})), answer(run(usage={"total": 7}))),
        (answer(run("queued")), answer(run("in_progress"))),
        (answer(run("queued")), answer(run("completed"))),
        (answer(calling("a", "b")), answer(calling("b", "a"))),
        (answer({"error": {"message": "x", "code": None}}, 404), answer({"error": {"message": "y", "code": None}}, 404)),
        (stream(DELTA, DELTA, DELTA, DONE), stream(DELTA, DONE)),
        (stream(DELTA, DONE), stream(DELTA, DELTA, DONE)),
        (stream(DELTA, cut="broke off"), stream(DELTA, DONE)),
        (Answer(200, b"text/plain", b"a"), Answer(200, b"text/plain; charset=utf-8", b"quite another")),
        (Answer(204, b"", b""), Answer(204, b"", b"")),
    ],
)  # fmt: skip
def test_what_does_not_count(recorded, live):
    assert found(recorded, live) == []


@pytest.mark.parametrize(
    ("recorded", "live", "said"),
    [
        (answer({}), answer({}, 500), "status : 200 | 500"),
        (answer({"error": {"code": "a", "type": "t"}}, 404), answer({}), "status : 404 (type t, code a) | 200"),
        (answer({}), Answer(200, b"text/html", b"<p>"), "content type : JSON | text/html"),
        (answer({}), Answer(200, JSON, b"{"), "content type : JSON | JSON that cannot be read"),
        (answer({}), answer([]), "type changed $: object | list"),
        (answer({"error": {"code": "a"}}, 400), answer({"error": {"code": "b"}}, 400), "error code $.error.code: a | b"),
        (answer(run()), answer(run("expired")), "run state $.status: completed | expired"),
        (answer(calling("a")), answer(calling("a", "a")), "tools called $.required_action.submit_tool_outputs.tool_calls: a | a, a"),
        (answer(run("failed", last_error={"code": "a"})), answer(run("failed", last_error={"code": "b"})), "run error $.last_error.code: a | b"),
        (answer(steps("a", "b")), answer(steps("b", "a")), "element order changed $.data[0]: a | b"),
        (answer(steps("a", "b")), answer(steps("a")), "element missing $.data[1]: b | nothing"),
        (answer(run(metadata={"a": 1})), answer(run(metadata={})), "metadata $.metadata: a | nothing"),
        (stream(DELTA, DONE), stream(DELTA), "event missing event 2: done | nothing"),
        (stream(DELTA, DONE), stream(("new", {}), DELTA, DONE), "event added event 1: nothing | new"),
        (stream(DELTA, DONE), stream(DONE, DELTA), "event order changed event 1: thread.message.delta | done"),
        (stream(DELTA, DONE), stream(DELTA, cut="broke off"), "stream cut : an end | broke off after thread.message.delta"),
        (stream(("error", {"code": "a"})), stream(("error", {"code": "b"})), "error code error $.code: a | b"),
        (stream(("error", {"error": {"code": "a"}})), stream(("error", {"error": {"code": "b"}})), "error code error $.code: a | b"),
    ],
)  # fmt: skip
def test_what_counts(recorded, live, said):
    assert found(recorded, live) == [said]


def test_an_answer_of_another_moment_has_no_order_and_no_state():
    assert found(answer(steps("a", "b")), answer(steps("a")), loose=True) == []
    assert found(answer(run(usage=1)), answer(run("failed", usage=None)), loose=True) == []


def test_what_one_version_says_is_not_known_of_the_other():
    known = Known()
    known.add(answer({"a": 1}), "getRun", "1")
    recorded = answer({"a": 1, "b": 2})
    known.add(recorded, "getRun", "2")
    told = compare(recorded, answer({"a": 1}), known, operation="getRun", version="2")
    assert [each.path for each in told] == ["$.b"]


def test_a_run_is_compared_without_its_answer():
    told = run_differences(calling("a"), calling("b"))
    assert [(each.what, each.recorded, each.upstream) for each in told] == [("tools called", "a", "b")]


def test_a_hostile_answer_is_only_another_answer():
    deep = Answer(200, JSON, b"[" * 100_000)
    assert found(answer({}), deep) == ["content type : JSON | JSON that cannot be read"]
    (said,) = found(answer({"error": {"code": "a"}}, 400), answer({"error": {"code": "\x1b[2J" * 1000}}, 400))
    assert "\x1b" not in said
    assert len(said) < 400
    many = stream(*((f"e{n}\x1b", {}) for n in range(30_000)))
    assert len(found(stream(DELTA, DONE), many)) <= 5
    odd = {"object": "list", "data": [None, 1, [], {"object": "thread.run.step", "step_details": 1, "type": []}]}
    assert found(answer(odd), answer(odd)) == []
