"""Refusals: status, message, `param` and `code`, in the API's own shape."""

import io

import pytest
from aiohttp import FormData
from respool.proxy.sandbox.arrival import MAX_BODY
from respool.proxy.sandbox.store import Store, Thread

TOOLS = [{"type": "function", "function": {"name": "lookup_order"}}]
RUN = {"assistant_id": "asst_abc123"}
HELLO = {"role": "user", "content": "Hello"}


def error(reply):
    assert set(reply.payload) == {"error"}
    assert set(reply.payload["error"]) == {"message", "type", "param", "code"}
    return reply.payload["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message", "param", "code"),
    [
        ("GET", "/v1/threads/thread_x", None, 404, "No thread found with id 'thread_x'.", None, None),
        ("DELETE", "/v1/threads/thread_x", None, 404, "No thread found with id 'thread_x'.", None, None),
        ("GET", "{thread}/messages/msg_x", None, 404, "No message found with id 'msg_x'.", None, None),
        ("GET", "{thread}/messages/{message}/files/file-x", None, 404, "No file found with id 'file-x'.", None, None),
        ("GET", "{thread}/runs/run_x", None, 404, "No run found with id 'run_x'.", None, None),
        ("GET", "{thread}/runs/{run}/steps/step_x", None, 404, "No run step found with id 'step_x'.", None, None),
        ("POST", "{thread}/runs", {"assistant_id": "asst_x"}, 404, "No assistant found with id 'asst_x'.", None, None),
        ("GET", "/v1/files/file-x", None, 404, "No file found with id 'file-x'.", None, None),
        ("GET", "/v1/nowhere", None, 404, "Invalid URL (GET /v1/nowhere)", None, "unknown_url"),
        ("GET", "/nowhere?key=secret", None, 404, "Invalid URL (GET /nowhere)", None, "unknown_url"),
        ("GET", "{thread}/messages?limit=0", None, 400, None, "limit", "integer_below_min_value"),
        ("GET", "{thread}/messages?limit=101", None, 400, None, "limit", "integer_above_max_value"),
        ("GET", "{thread}/messages?limit=ten", None, 400, None, "limit", "invalid_type"),
        (
            "GET",
            "{thread}/messages?order=up",
            None,
            400,
            "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
            "order",
            "invalid_value",
        ),
        ("GET", "{thread}/messages?after=msg_x", None, 404, "No message found with id 'msg_x'.", None, None),
    ],
)
async def test_refusals(api, method, path, body, status, message, param, code):
    run = await api.run('say "x"')
    await api.poll(run, after=5)
    thread = f"/v1/threads/{run['thread_id']}"
    first = (await api.messages(run["thread_id"]))[0]
    path = path.format(thread=thread, run=run["id"], message=first["id"])
    reply = await api.call(method, path, body)
    found = error(reply)
    assert reply.status == status
    assert found["type"] == "invalid_request_error"
    assert (found["param"], found["code"]) == (param, code)
    assert message in (None, found["message"])
    assert "secret" not in found["message"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, None),
        ({"Authorization": ""}, 401, None),
        ({"Authorization": "Bearer "}, 401, None),
        ({"Authorization": "Basic abc"}, 401, None),
        ({"Authorization": "Bearer invalid-4711"}, 401, "invalid_api_key"),
        ({"Authorization": "Bearer sk-invalid-4711"}, 401, "invalid_api_key"),
        ({"api-key": "invalid-4711"}, 401, "invalid_api_key"),
        ({"Authorization": "Bearer x"}, 200, None),
        ({"api-key": "x"}, 200, None),
    ],
)
async def test_credentials(api2, headers, status, code):
    async with api2.client.post("/v1/threads", headers=headers) as response:
        text = await response.text()
        assert response.status == status
        assert "4711" not in text
        if status == 401:
            assert (await response.json())["error"]["code"] == code


async def test_a_known_path_with_another_method_is_a_405_that_names_the_right_ones(api2):
    reply = await api2.call("PUT", "/v1/threads/thread_x")
    assert (reply.status, reply.headers["Allow"]) == (405, "DELETE, GET, POST")
    assert error(reply)["code"] == "method_not_supported"


@pytest.mark.parametrize(
    ("header", "status"),
    [("assistants=v1", 200), ("assistants=v2", 200), ("x=y, assistants=v2", 200), ("", 200), ("assistants=v3", 400)],
)
async def test_the_beta_header_names_the_version(api2, header, status):
    reply = await api2.call("POST", "/v1/threads", headers={"OpenAI-Beta": header})
    assert reply.status == status
    if status == 200:
        assert ("tool_resources" in reply.payload) == (header != "assistants=v1")


async def test_a_thread_with_an_active_run_takes_neither_messages_nor_runs(api):
    run = await api.run()
    path = f"/v1/threads/{run['thread_id']}"
    reply = await api.call("POST", path + "/messages", HELLO)
    expected = f"Can't add messages to {run['thread_id']} while a run {run['id']} is active."
    assert (reply.status, error(reply)["message"]) == (400, expected)
    reply = await api.call("POST", path + "/runs", RUN)
    expected = f"Thread {run['thread_id']} already has an active run {run['id']}."
    assert (reply.status, error(reply)["message"]) == (400, expected)
    await api.poll(run, after=5)
    assert (await api.call("POST", path + "/messages", HELLO)).status == 200


async def test_tool_outputs_are_taken_only_when_they_are_asked_for_and_all_at_once(api):
    run = await api.run("in_progress 1s; call a({}) & b({})")
    path = f"/v1/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    api.clock.advance(0.5)
    reply = await api.call("POST", path, {"tool_outputs": []})
    assert (reply.status, error(reply)["message"]) == (
        400,
        'Runs in status "in_progress" do not accept tool outputs.',
    )
    run = await api.poll(run, after=5)
    first, second = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
    for ids in ([], [first], [first, "call_x"], [first, first], [first, second, second]):
        outputs = [{"tool_call_id": identifier, "output": "x"} for identifier in ids]
        reply = await api.call("POST", path, {"tool_outputs": outputs})
        assert reply.status == 400
        assert error(reply)["message"].startswith(f"Expected tool outputs for call_ids ['{first}', '{second}']")
    assert (await api.submit(run))["status"] == "queued"


@pytest.mark.parametrize("script", ['say "x"', "fail server_error", "expire", "cancel"])
async def test_a_run_that_is_over_cannot_be_cancelled(api2, script):
    run = await api2.poll(await api2.run(script), after=5)
    reply = await api2.call("POST", f"/v1/threads/{run['thread_id']}/runs/{run['id']}/cancel")
    assert (reply.status, error(reply)["message"]) == (400, f"Cannot cancel run with status '{run['status']}'.")


async def test_a_run_needs_something_to_do_in_the_second_version(api):
    body = {"assistant_id": "asst_abc123", "instructions": ""}
    thread = await api.do("createThread")
    reply = await api.call("POST", f"/v1/threads/{thread['id']}/runs", body)
    if api.version == 1:
        assert reply.status == 200
    else:
        assert (reply.status, error(reply)["code"]) == (400, "invalid_thread")


async def test_a_body_beyond_the_limit_is_a_413(api2):
    reply = await api2.call("POST", "/v1/threads", data=io.BytesIO(b" " * (MAX_BODY + 1)))
    assert (reply.status, error(reply)["code"]) == (413, "request_too_large")


async def test_a_file_beyond_the_limit_is_a_413(api2):
    form = FormData()
    form.add_field("purpose", "assistants")
    form.add_field("file", io.BytesIO(b"x" * (MAX_BODY + 1)), filename="big.bin")
    reply = await api2.call("POST", "/v1/files", data=form)
    assert (reply.status, error(reply)["code"]) == (413, "request_too_large")


async def test_a_script_can_refuse_a_call_so_many_times(open_api):
    api = await open_api(script='http 429 retry-after 1 times 2; http 503 on getRun; say "x"')
    thread = await api.thread()
    path = f"/v1/threads/{thread}/runs"
    replies = [await api.call("POST", path, RUN) for _ in range(3)]
    assert [reply.status for reply in replies] == [429, 429, 200]
    assert replies[0].headers["retry-after"] == "1"
    assert error(replies[0])["code"] == "rate_limit_exceeded"
    run = replies[2].payload["id"]
    assert [(await api.call("GET", f"{path}/{run}")).status for _ in range(2)] == [503, 200]


async def test_a_full_sandbox_says_so(api2, monkeypatch):
    monkeypatch.setattr("respool.proxy.sandbox.store.MAX_THREADS", 1)
    await api2.do("createThread")
    reply = await api2.call("POST", "/v1/threads")
    assert (reply.status, error(reply)["code"], reply.headers["x-should-retry"]) == (429, "sandbox_full", "false")


def test_room_is_given_back(monkeypatch):
    monkeypatch.setattr("respool.proxy.sandbox.store.MAX_OBJECTS", 3)
    store = Store()
    for number in range(10):
        thread = Thread(f"thread_{number}", 0, {}, {})
        store.add_thread(thread)
        store.grow(thread, objects=2, size=100)
        store.drop_thread(thread)
    assert store.threads == {}
