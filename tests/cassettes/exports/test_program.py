"""The statements of a script: what becomes of each kind of call, and that no recording can put code into one."""

import ast
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.errors import UsageError
from respool.cassettes.exports import FORMATS, calls
from respool.cassettes.exports.literals import json_value, literal, quoted
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

JSON = ((b"content-type", b"application/json"),)
EVENTS = ((b"content-type", b"text/event-stream"),)


def call(
    line: str, body: object = None, answer: object = None, *, status: int = 200, headers=JSON, **more
) -> Interaction:
    method, target = line.split(" ", 1)
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    came = answer if isinstance(answer, bytes) else json.dumps({} if answer is None else answer).encode()
    request = Request(method, b"/v1" + target.encode(), JSON, Body.of(sent))
    return Interaction(0, 1, request, Response(status, b"", headers, Body.of(came)), **more)


def numbered(*interactions: Interaction) -> list[Interaction]:

    return [replace(each, arrival=place, started_us=place + 1) for place, each in enumerate(interactions)]


def lines(made, *interactions: Interaction, form: str = "python") -> list[str]:
    """The statements of `main`, each on one line; it is made sure that all is Python."""
    tree = ast.parse("".join(FORMATS[form](made(*numbered(*interactions)))))
    main = tree.body[-2] if form == "python" else tree.body[-1]
    assert isinstance(main, ast.FunctionDef)
    found = [ast.unparse(statement) for statement in main.body]
    return [line for line in found if not line.startswith(("client =", "print", "key ="))]


THREAD = call("POST /threads", {}, {"id": "thread_abc", "object": "thread"})


def run(state: str, **more) -> dict:
    return {"id": "run_abcd", "object": "run", "thread_id": "thread_abc", "status": state} | more


def poll(state: str, **more) -> Interaction:
    return call("GET /threads/thread_abc/runs/run_abcd", None, run(state, **more))


START = call("POST /threads/thread_abc/runs", {"assistant_id": "asst_1"}, run("queued"))
NEEDS = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [{"id": "call_1"}, {"id": "call_2"}]}}


def test_ids_of_earlier_answers_are_variables(made):
    submit = {"tool_outputs": [{"tool_call_id": "call_2", "output": "call_1 is text"}]}
    found = lines(
        made, THREAD, START, poll("queued"), poll("requires_action", required_action=NEEDS),
        call("POST /threads/thread_abc/runs/run_abcd/submit_tool_outputs", submit, run("queued")),
        call("POST /threads", {"metadata": {"after": "thread_abc"}}, {"id": "thread_def"}),
        call("DELETE /threads/thread_def"),
    )  # fmt: skip
    assert found == [
        "thread = client.beta.threads.create()",
        "run = client.beta.threads.runs.create(thread.id, assistant_id='asst_1')",
        "run = settled(client, run.id, thread.id)",
        (
            "run = client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs="
            "[{'tool_call_id': run.required_action.submit_tool_outputs.tool_calls[1].id, 'output': 'call_1 is text'}])"
        ),
        "thread_2 = client.beta.threads.create(metadata={'after': thread.id})",
        "client.beta.threads.delete(thread_2.id)",
    ]


def test_an_id_whose_variable_moved_on_is_written_out(made):
    cancel = call("POST /threads/thread_abc/runs/run_abcd/cancel", None, run("cancelling"))
    late = call("POST /threads/thread_abc/messages", {"role": "user", "content": "call_1"}, {"id": "msg_1234"})
    found = lines(made, THREAD, START, poll("requires_action", required_action=NEEDS), cancel, late)
    assert "content='call_1'" in found[-1]


def with_query(each: Interaction, pair: bytes) -> Interaction:
    target = each.request.target
    mark = b"&" if b"?" in target else b"?"
    return replace(each, request=replace(each.request, target=target + mark + pair))


def test_a_version_of_the_api_that_is_in_every_query_belongs_to_the_client(made):
    page = call("GET /threads/thread_abc/messages?limit=5", None, {"data": []})
    files = call("GET /files?purpose=assistants", None, {"data": []})
    calls = [with_query(each, b"api-version=2024-05-01") for each in
             (THREAD, START, poll("queued"), poll("in_progress"), poll("completed"), page, files)]  # fmt: skip
    assert lines(made, *calls) == [
        "thread = client.beta.threads.create()",
        "run = client.beta.threads.runs.create(thread.id, assistant_id='asst_1')",
        "run = settled(client, run.id, thread.id)",
        "messages = client.beta.threads.messages.list(thread.id, limit=5)",
        "client.get('/files?purpose=assistants&api-version=2024-05-01', cast_to=object)",
    ]
    for form in ("python", "pytest"):
        text = "".join(FORMATS[form](made(*numbered(*calls))))
        assert "max_retries=0, default_query={'api-version': '2024-05-01'})" in text


@pytest.mark.parametrize("pair", [b"api-version=2", b"api-version=1&api-version=1", b"api-version=%31", b"version=1"])
def test_a_version_that_is_not_the_same_in_all_queries_stays_in_the_paths(made, pair):
    calls = [with_query(THREAD, b"api-version=1"), with_query(poll("completed"), pair)]
    text = "".join(FORMATS["python"](made(*numbered(*calls))))
    assert "default_query" not in text
    assert pair.decode() in text


def test_polls_that_came_to_nothing_are_part_of_the_wait(made):
    unanswered = replace(poll("queued"), response=None, end=End.UPSTREAM_FAILED)
    refused = [call("GET /threads/thread_abc/runs/run_abcd", None, {"error": {}}, status=code) for code in (429, 500)]
    assert lines(made, START, poll("queued"), *refused, unanswered, poll("in_progress"), poll("completed"))[1:] == [
        "run = settled(client, run.id, run.thread_id)"
    ]
    gone = call("GET /threads/thread_abc/runs/run_abcd", None, {"error": {}}, status=404)
    assert lines(made, START, gone, poll("completed"))[1].startswith("refused(404, ")
    assert lines(made, START, refused[1])[1].startswith("refused(500, ")


def test_an_error_that_broke_off_is_an_answer_that_broke_off(made):
    cut = replace(call("POST /threads", {}, b'{"err', status=500), end=End.UPSTREAM_CUT)
    assert lines(made, cut) == ["interrupted(lambda: client.beta.threads.create())"]


def test_polls_are_one_wait_that_stands_where_the_run_was_found_settled(made):
    page = call("GET /threads/thread_abc/messages", None, {"data": []})
    found = lines(made, START, poll("queued"), page, poll("in_progress"), poll("completed"), page, poll("completed"))
    assert [line.split("(")[0] for line in found] == [
        "run = client.beta.threads.runs.create", "messages = client.beta.threads.messages.list", "run = settled",
    ]  # fmt: skip


def test_a_run_that_was_never_found_settled_is_asked_for_but_not_waited_for(made):
    found = lines(made, START, poll("queued"), poll("in_progress"))
    assert not any("settled" in line for line in found)
    assert found[-1].startswith("run = client.beta.threads.runs.retrieve(run.id")


def test_errors_and_answers_that_broke_off_are_expected(made):
    found = lines(
        made,
        call("GET /threads/thread_none", status=404),
        call("POST /threads", {}, end=End.UPSTREAM_CUT),
        call(
            "POST /threads/t/runs", {"assistant_id": "a", "stream": True}, b"event: error\ndata: {}\n\n", headers=EVENTS
        ),
    )
    assert found == [
        "refused(404, lambda: client.beta.threads.retrieve('thread_none'))",
        "interrupted(lambda: client.beta.threads.create())",
        "interrupted(lambda: list(client.beta.threads.runs.create('t', assistant_id='a', stream=True)))",
    ]


def test_the_last_run_of_a_stream_is_its_answer(made):
    events = "".join(
        f"event: {name}\ndata: {json.dumps(data)}\n\n"
        for name, data in [("thread.run.created", run("queued")), ("thread.run.completed", run("completed")),
                           ("thread.run.step.completed", {"id": "step_1", "status": "x"})]
    )  # fmt: skip
    stream = call(
        "POST /threads/thread_abc/runs", {"assistant_id": "a", "stream": True}, events.encode(), headers=EVENTS
    )
    found = lines(made, stream, form="pytest")
    assert found[0].startswith("run = last_run(list(client.beta.threads.runs.create(")
    assert found[1] == "assert run.status == 'completed'"


def test_what_the_sdk_cannot_say_is_called_by_its_path(made):
    found = lines(
        made, THREAD,
        call("GET /threads/thread_abc/messages?include[]=a&limit=1"),
        call("POST /threads/thread_abc/messages", {"role": "user"}),
        call("POST /threads", [1, None, True, 1.5]),
        call("POST /threads", b'{"a": 1, "a": 2}'),
        call("PATCH /elsewhere/thread_abc/x%20y?z=1", {"a": "thread_abc"}),
        call("GET /threads/thread_abc/messages?limit=05"),
    )  # fmt: skip
    assert found[1:] == [
        "client.get('/threads/' + thread.id + '/messages?include[]=a&limit=1', cast_to=object)",
        "client.post('/threads/' + thread.id + '/messages', cast_to=object, body={'role': 'user'})",
        "client.post('/threads', cast_to=object, body=[1, None, True, 1.5])",
        (
            "client.post('/threads', cast_to=object, content=b'{\"a\": 1, \"a\": 2}', "
            "options={'headers': {'Content-Type': 'application/json'}})"
        ),
        "client.patch('/elsewhere/' + thread.id + '/x%20y?z=1', cast_to=object, body={'a': thread.id})",
        "messages = client.beta.threads.messages.list(thread.id, limit='05')",
    ]


def test_fields_that_the_sdk_does_not_name_go_into_the_extra_body(made):
    (line,) = lines(made, call("POST /threads", {"metadata": None, "self": 1, "file_ids": ["x"]}))
    assert line == "client.beta.threads.create(metadata=None, extra_body={'self': 1, 'file_ids': ['x']})".replace(
        "client", "thread = client", 1
    )


def test_what_nobody_can_make_again_is_a_comment_and_its_write_need_not_be_played(made):

    unanswered = replace(call("POST /threads", {}), response=None, end=End.CLIENT_CUT)
    cut = call("POST /threads", b'{"a', request_cut=True)
    text = "".join(FORMATS["pytest"](made(*numbered(unanswered, cut, call("OPTIONS /threads\n\x1b[2J")))))
    assert "# No answer came here.\n    interrupted(lambda: client.beta.threads.create())" in text
    assert "# Left out, its request did not arrive whole: POST /threads" in text
    assert "# Left out, the openai package has no such method: OPTIONS /threads\\n\\x1b[2J" in text
    assert "unplayed='allow'" in text


def test_a_program_that_nobody_reads_is_refused(made, monkeypatch):
    monkeypatch.setattr(calls, "MOST_CALLS", 1)
    with pytest.raises(UsageError, match="of no use"):
        list(FORMATS["python"](made(*numbered(THREAD, START))))


HOSTILE = st.text(alphabet="'\"\\{}()\n\r\t\x00\x1b\u202e\u2028\ud800\u3164ée;#:, ", max_size=20) | st.text(max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | HOSTILE,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(HOSTILE, below, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_literal_stands_for_its_value_and_shows_all_of_it(value):
    source = literal(value, lambda _: None, 4)
    assert ast.literal_eval(source) == value
    assert not set("\x00\x1b\u202e\u2028\u3164") & set(source)


@given(st.dictionaries(HOSTILE, VALUES, max_size=3), HOSTILE, st.sampled_from(["python", "pytest"]))
def test_no_recording_can_put_code_into_a_program(made, body, text, form):
    answer = {
        "id": text,
        "object": "thread",
        "data": [{"id": text, "content": [{"type": "text", "text": {"value": text}}]}],
    }
    path = text.encode("utf-8", "replace").hex()
    sent = call("POST /threads/x/messages", body, answer)
    page = call(f"GET /threads/{path or 'x'}/messages?after={path}", None, answer)
    odd = Interaction(
        0, 1, Request("POST", b"/" + text.encode("utf-8", "replace"), (), Body.of(b"'\"\\\n")), Response(200)
    )
    source = "".join(FORMATS[form](made(*numbered(sent, page, odd))))
    tree = ast.parse(source)
    called = {ast.unparse(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call)}
    assert all(
        name.startswith(("client.", "openai.", "os.environ.get", "texts", "print", "main", "pytest."))
        for name in called
    )
    assert not set("\x00\x1b\u202e\u2028\u3164") & set(source)


@pytest.mark.parametrize("data", [b"{", b'{"a":1,"a":1}', b'"\\ud800"', b"NaN", b"[" * 60 + b"]" * 60, b"[" * 100_000])
def test_json_that_no_literal_stands_for_is_refused(data):
    with pytest.raises(ValueError):
        json_value(data)


def test_a_text_with_an_inkless_letter_is_written_in_ascii():
    assert quoted("café") == "'café'"
    assert quoted("caf\u00e9\u3164") == "'caf\\xe9\\u3164'"


def test_ids_of_calls_by_path_are_variables_too(made):
    upload = call("POST /files", b"--x", {"id": "file-abcdef", "object": "file"})
    message = {"role": "user", "content": "x", "attachments": [{"file_id": "file-abcdef"}]}
    found = lines(
        made,
        THREAD,
        upload,
        call("POST /threads/thread_abc/messages", message, {"id": "msg_abc"}),
        call("GET /files/file-abcdef/content", None, b"\x00"),
        call("POST /odd", {}, {"id": "odd_abcdef", "object": "); import os"}),
        call("DELETE /files/file-abcdef", None, {"id": "file-abcdef", "object": "file.deleted"}),
    )
    assert found[1].startswith("file = client.post('/files', cast_to=object, content=b'--x'")
    assert "attachments=[{'file_id': file['id']}]" in found[2]
    assert found[3] == "client.get('/files/' + file['id'] + '/content', cast_to=object)"
    assert found[4] == "answer = client.post('/odd', cast_to=object, body={})"
    assert found[5] == "client.delete('/files/' + file['id'], cast_to=object)"


def test_what_only_a_stream_told_is_known_where_a_later_call_asks_for_it(made):
    data = json.dumps({"id": "msg_abcdef", "object": "thread.message"})
    ended = json.dumps(run("completed"))
    body = f"event: thread.message.created\ndata: {data}\n\nevent: thread.run.completed\ndata: {ended}\n\n".encode()
    stream = call("POST /threads/thread_abc/runs", {"assistant_id": "asst_1", "stream": True}, body, headers=EVENTS)
    asked = call("GET /threads/thread_abc/messages/msg_abcdef", None, {"id": "msg_abcdef"})
    found = lines(made, THREAD, stream, asked)
    assert found[1].startswith("run_events = list(client.beta.threads.runs.create(")
    assert found[2] == "run = last_run(run_events)"
    assert "messages.retrieve(ids(run_events, 'thread.message')[0], thread_id=thread.id)" in found[3]
    assert lines(made, THREAD, stream)[1].startswith("run = last_run(list(")


def test_the_version_of_the_api_is_said_where_the_sdk_would_ask_for_another(made):
    def versioned(one: Interaction, version: bytes) -> Interaction:
        return replace(one, request=replace(one.request, headers=(*one.request.headers, (b"OpenAI-Beta", version))))

    found = lines(
        made,
        versioned(THREAD, b"assistants=v1"),
        versioned(call("GET /threads/thread_abc/messages/m/files"), b"assistants=v1"),
        versioned(call("GET /threads/thread_abc"), b"assistants=v2"),
        versioned(call("GET /threads/thread_abc/messages"), b"'}); import os"),
    )
    assert found[0] == "thread = client.beta.threads.create(extra_headers={'OpenAI-Beta': 'assistants=v1'})"
    assert "options={'headers': {'OpenAI-Beta': 'assistants=v1'}}" in found[1]
    assert "OpenAI-Beta" not in found[2] + found[3]
