"""Runs that end otherwise, seen answer by answer: what is rewritten, what is gone, what stays as recorded."""

import json

import pytest
from recorded_calls import write_cassette
from respool.cassettes.dooms import Dooms
from respool.cassettes.faults import Faults
from respool.cassettes.interaction import Body, Response
from respool.cassettes.reader import Reader

THREAD = b"/v1/threads/thread_1"
RUN = THREAD + b"/runs/run_1"


def run_in(status: str, **more) -> bytes:
    body = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": status, "completed_at": None}
    second = {"failed_at": None, "incomplete_details": None, "last_error": None, "required_action": None}
    return json.dumps(body | second | more).encode()


def part(kind: str, name: str, status: str, run: str = "run_1", **more) -> dict:
    return {"id": name, "object": kind, "run_id": run, "status": status, "created_at": 1} | more


def message(name: str, status: str, text: str, run: str = "run_1") -> dict:
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return part("thread.message", name, status, run, content=content, completed_at=9)


def page(*items: dict) -> bytes:
    ids = [item["id"] for item in items] or [None]
    return json.dumps({"object": "list", "data": items, "first_id": ids[0], "last_id": ids[-1]}).encode()


def stream(*events: tuple[str, object], done: bool = True) -> Response:
    lines = [f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events]
    lines += ["event: done\ndata: [DONE]\n\n"] if done else []
    return Response(200, b"OK", ((b"Content-Type", b"text/event-stream"),), Body.of("".join(lines).encode()))


START = ("POST", THREAD + b"/runs", b"{}", run_in("queued"), 200)
END = ("GET", RUN, b"", run_in("completed", completed_at=9, unknown={"kept": True}), 200)


def told(path, *rules: str) -> list[tuple[int, object]]:
    """What a session that makes the recorded calls in their order is told, by status; None where it is as recorded."""
    with Reader.open(path) as reader:
        dooms = Dooms(Faults(rules).counts("default"), reader)
        seen = []
        for row in reader.rows():
            interaction = reader.interaction(row)
            dooms.submit(row, interaction.request.target)
            altered = dooms.alter(row, interaction.response)
            if altered is None:
                seen.append(None)
            elif altered.body.startswith(b"{"):
                seen.append((altered.status, json.loads(altered.body)))
            else:
                seen.append((altered.status, altered.body))
        return seen


def test_only_the_completed_run_is_rewritten_and_what_is_unknown_is_kept(tmp_path):
    path = write_cassette(tmp_path / "a", [START, ("GET", RUN, b"", run_in("in_progress"), 200), END])
    start, poll, (status, end) = told(path, "run: failed")
    assert (start, poll, status) == (None, None, 200)
    assert (end["status"], end["failed_at"], end["completed_at"]) == ("failed", 9, None)
    assert end["last_error"]["code"] == "server_error"
    assert end["unknown"] == {"kept": True}


def test_what_was_told_of_before_the_end_stays_and_the_rest_is_gone(tmp_path):
    early, late, other = (
        message("m1", "completed", "Wait."),
        message("m2", "completed", "Done."),
        message("m0", "completed", "Old.", "run_0"),
    )
    half = message("m3", "in_progress", "Ha")
    whole = message("m3", "completed", "Half?")
    calls = [START, ("GET", THREAD + b"/messages", b"", page(half, early, other), 200), END]
    calls += [("GET", THREAD + b"/messages", b"", page(late, whole, early, other), 200)]
    calls += [("GET", THREAD + b"/messages/m2", b"", json.dumps(late).encode(), 200)]
    seen = told(write_cassette(tmp_path / "a", calls), "run: expired")
    assert seen[1] is None
    _, listed = seen[3]
    assert [item["id"] for item in listed["data"]] == ["m3", "m1", "m0"]
    assert (listed["first_id"], listed["last_id"]) == ("m3", "m0")
    broken = listed["data"][0]
    assert (broken["status"], broken["incomplete_details"]) == ("incomplete", {"reason": "run_expired"})
    assert (broken["completed_at"], broken["content"]) == (None, half["content"])
    assert listed["data"][1:] == [early, other]
    assert seen[4][0] == 404
    assert set(seen[4][1]["error"]) == {"message", "type", "param", "code"}


def test_an_empty_page_has_no_ids(tmp_path):
    late = message("m2", "completed", "Done.")
    path = write_cassette(tmp_path / "a", [START, END, ("GET", THREAD + b"/messages", b"", page(late), 200)])
    assert told(path, "run: failed")[2][1] == {"object": "list", "data": [], "first_id": None, "last_id": None}


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "incomplete", "in_progress"])
def test_a_run_that_was_not_completed_goes_as_recorded(tmp_path, status):
    path = write_cassette(tmp_path / "a", [START, ("GET", RUN, b"", run_in(status), 200)])
    assert told(path, "run: failed") == [None, None]


def test_a_first_version_run_knows_no_incomplete_end_and_no_invalid_prompt(tmp_path):
    first = {"id": "run_1", "object": "thread.run", "status": "completed", "completed_at": 9, "failed_at": None}
    late = message("m2", "completed", "Done.")
    calls = [START, ("GET", RUN, b"", json.dumps(first).encode(), 200)]
    path = write_cassette(tmp_path / "a", [*calls, ("GET", THREAD + b"/messages", b"", page(late), 200)])
    assert told(path, "run: incomplete") == [None] * 3
    _, (_, run), (_, listed) = told(path, "run: failed invalid_prompt")
    assert run["last_error"]["code"] == "server_error"
    assert "incomplete_details" not in run
    assert listed["first_id"] == listed["last_id"] == ""  # which allows no null there


def test_runs_are_counted_as_the_session_creates_them(tmp_path):
    second = [
        (method, target.replace(b"run_1", b"run_2"), asked, answer.replace(b"run_1", b"run_2"), status)
        for method, target, asked, answer, status in (START, END)
    ]
    path = write_cassette(tmp_path / "a", [START, END, *second])
    assert [answer is None for answer in told(path, "run#2: failed")] == [True, True, True, False]


def delta(text: str, name: str = "m1") -> tuple[str, dict]:
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return "thread.message.delta", {"id": name, "object": "thread.message.delta", "delta": {"content": content}}


def test_a_stream_ends_in_the_middle_of_its_last_message(tmp_path):
    step = part("thread.run.step", "s1", "in_progress", step_details={"type": "message_creation"})
    opened = message("m1", "in_progress", "") | {"content": []}
    answer = stream(
        ("thread.run.created", json.loads(run_in("queued"))),
        ("thread.run.step.created", step),
        ("thread.message.created", opened),
        delta("One "), delta("two "), delta("three "), delta("four"),
        ("thread.message.completed", message("m1", "completed", "One two three four")),
        ("thread.run.completed", json.loads(run_in("completed", completed_at=9))),
    )  # fmt: skip
    path = write_cassette(tmp_path / "a", [("POST", THREAD + b"/runs", b'{"stream":true}', answer, 200)])
    ((_, body),) = told(path, "run: cancelled")
    assert answer.body.read().startswith(body[: body.index(b"event: thread.message.incomplete")])
    events = [block.split("\n", 1)[0][7:] for block in body.decode().split("\n\n") if block]
    assert events[-4:] == [
        "thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled", "done",
    ]  # fmt: skip
    assert events.count("thread.message.delta") == 2
    assert b'"value":"One two "' in body


def test_a_stream_without_a_message_ends_before_it_completes_and_without_done_where_none_was(tmp_path):
    answer = stream(
        ("thread.run.created", json.loads(run_in("queued"))),
        ("thread.run.completed", json.loads(run_in("completed"))),
        done=False,
    )
    path = write_cassette(tmp_path / "a", [("POST", THREAD + b"/runs", b'{"stream":true}', answer, 200)])
    ((_, body),) = told(path, "run: failed")
    assert body.count(b"event: ") == 2
    assert b"event: thread.run.failed" in body


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000,
        b"null",
        b'{"data": [null, 1, {"object": "thread.message"}, {"object": "thread.run", "id": 5}]}',
        b'{"object": "thread.message", "id": ["x"], "run_id": "run_1"}',
        b'{"object": {"a": 1}, "id": "run_1", "status": "completed"}',
        b"\xff\xfe",
        b'{"data": {"x": 1}, "object": "list"}',
    ],
)
@pytest.mark.parametrize("rules", [["run: failed"], ["run: requires_action again"]])
def test_answers_of_any_shape_pass_unchanged(tmp_path, body, rules):
    hostile = ("GET", THREAD + b"/messages", b"", body, 200)
    odd = Response(200, b"OK", ((b"Content-Type", b"text/event-stream"),), Body.of(b"data: " + body + b"\n\n"))
    path = write_cassette(tmp_path / "a", [START, hostile, ("GET", THREAD + b"/x", b"", odd, 200), END, hostile])
    seen = told(path, *rules)
    assert [seen[0], seen[1], seen[2], seen[4]] == [None] * 4


@pytest.mark.parametrize(
    "action", [None, {"submit_tool_outputs": None}, {"submit_tool_outputs": {"tool_calls": [{"id": 1}, 7]}}]
)
def test_a_question_without_call_ids_is_not_asked_again(tmp_path, action):
    asked = ("GET", RUN, b"", run_in("requires_action", required_action=action), 200)
    submit = ("POST", RUN + b"/submit_tool_outputs", b'{"tool_outputs": []}', run_in("queued"), 200)
    path = write_cassette(tmp_path / "a", [START, asked, submit, END])
    with Reader.open(path) as reader:
        dooms = Dooms(Faults(["run: requires_action again"]).counts("default"), reader)
        for row in reader.rows():
            interaction = reader.interaction(row)
            dooms.submit(row, interaction.request.target)
            assert dooms.alter(row, interaction.response) is None
            assert dooms.answer("GET", RUN, b"") is None


def test_other_outputs_than_the_ones_asked_for_are_refused(tmp_path):
    calls = [{"id": "call_abcdefgh", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
    asked = ("GET", RUN, b"", run_in("requires_action", required_action=action), 200)
    body = b'{"tool_outputs": [{"tool_call_id": "call_abcdefgh", "output": "x"}]}'
    submit = ("POST", RUN + b"/submit_tool_outputs", body, run_in("queued"), 200)
    path = write_cassette(tmp_path / "a", [START, asked, submit, END])
    with Reader.open(path) as reader:
        dooms = Dooms(Faults(["run: requires_action again"]).counts("default"), reader)
        rows = list(reader.rows())
        for row in rows[:3]:
            interaction = reader.interaction(row)
            dooms.submit(row, interaction.request.target)
            assert dooms.alter(row, interaction.response) is None
        asking = json.loads(dooms.answer("GET", RUN, b"").body)
        (wanted,) = asking["required_action"]["submit_tool_outputs"]["tool_calls"]
        assert wanted["id"] != "call_abcdefgh"
        assert wanted["function"] == calls[0]["function"]
        assert dooms.answer("POST", submit[1], body).status == 400
        assert dooms.answer("POST", submit[1], body.replace(b"call_abcdefgh", wanted["id"].encode())) == rows[2]
        assert dooms.answer("GET", RUN, b"") is None
