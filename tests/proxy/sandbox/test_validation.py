"""What a request body may not be, and how the 400 names it."""

import pytest

TOOLS = [{"type": "function", "function": {"name": "lookup_order"}}]
RUN = {"assistant_id": "asst_abc123"}


def error(reply):
    assert reply.status == 400
    assert set(reply.payload) == {"error"}
    assert set(reply.payload["error"]) == {"message", "type", "param", "code"}
    assert reply.payload["error"]["type"] == "invalid_request_error"
    return reply.payload["error"]


@pytest.mark.parametrize(
    ("path", "body", "message", "param", "code"),
    [
        (
            "{thread}/runs",
            {},
            "Missing required parameter: 'assistant_id'.",
            "assistant_id",
            "missing_required_parameter",
        ),
        (
            "{thread}/messages",
            {"role": "user", "content": "x", "foo": 1},
            "Unknown parameter: 'foo'.",
            "foo",
            "unknown_parameter",
        ),
        (
            "{thread}/messages",
            {"role": "user"},
            "Missing required parameter: 'content'.",
            "content",
            "missing_required_parameter",
        ),
        ("{thread}/messages", {"role": "user", "content": ""}, "Message content must be non-empty.", "content", None),
        ("{thread}/messages", {"role": "system", "content": "x"}, None, "role", "invalid_value"),
        (
            "{thread}",
            {"metadata": {"a": 1}},
            "Invalid type for 'metadata.a': expected a string, but got an integer instead.",
            "metadata.a",
            "invalid_type",
        ),
        (
            "{thread}",
            {"metadata": {"a": "x" * 513}},
            "Invalid 'metadata.a': string too long. Expected a string with maximum length 512.",
            "metadata.a",
            "string_above_max_length",
        ),
        ("{thread}", {"metadata": {str(n): "x" for n in range(17)}}, None, "metadata", "array_above_max_length"),
        ("{thread}", {"metadata": []}, None, "metadata", "invalid_type"),
        ("{thread}/runs", RUN | {"tools": [{"type": "magic"}]}, None, "tools[0].type", "invalid_value"),
        ("{thread}/runs", RUN | {"tools": [{}]}, None, "tools[0].type", "missing_required_parameter"),
        (
            "{thread}/runs",
            RUN | {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            None,
            "tools[0].function.name",
            "invalid_value",
        ),
        ("{thread}/runs", RUN | {"tools": TOOLS * 21}, None, "tools", "array_above_max_length"),
        ("{thread}/runs", RUN | {"stream": "yes"}, None, "stream", "invalid_type"),
        (
            "{thread}/runs",
            RUN | {"metadata": {"sandbox_script": "dance"}},
            None,
            "metadata.sandbox_script",
            "invalid_script",
        ),
        ("/v1/threads", {"messages": [{"role": "user", "content": 5}]}, None, "messages[0].content", "invalid_type"),
        (
            "/v1/threads/runs",
            RUN | {"thread": {"nope": 1}},
            "Unknown parameter: 'thread.nope'.",
            "thread.nope",
            "unknown_parameter",
        ),
        ("/v1/files", None, "Missing required parameter: 'file'.", "file", "missing_required_parameter"),
    ],
)
async def test_a_refused_body_is_named(api, path, body, message, param, code):
    found = error(await api.call("POST", path.format(thread=f"/v1/threads/{await api.thread()}"), body))
    assert (found["param"], found["code"]) == (param, code)
    assert message in (None, found["message"])


@pytest.mark.parametrize(
    ("version", "body", "param"),
    [
        (1, {"role": "assistant", "content": "x"}, "role"),
        (1, {"role": "user", "content": [{"type": "text", "text": "x"}]}, "content"),
        (1, {"role": "user", "content": "x" * 32_769}, "content"),
        (1, {"role": "user", "content": "x", "attachments": []}, "attachments"),
        (1, {"role": "user", "content": "x", "file_ids": []}, "file_ids"),
        (1, {"role": "user", "content": "x", "file_ids": ["f"] * 11}, "file_ids"),
        (2, {"role": "user", "content": "x", "file_ids": ["file-1"]}, "file_ids"),
        (2, {"role": "user", "content": []}, "content"),
        (2, {"role": "user", "content": [{"type": "text"}]}, "content[0].text"),
        (2, {"role": "user", "content": "x", "attachments": [{"file_id": "file-1"}]}, "attachments[0].tools"),
    ],
)
async def test_each_version_has_its_own_messages(open_api, version, body, param):
    api = await open_api(version=version)
    reply = await api.call("POST", f"/v1/threads/{await api.thread()}/messages", body)
    assert error(reply)["param"] == param


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[1]",
        b'"x"',
        b"\xff",
        b'{"metadata": NaN}',
        b'{"metadata": {"a": "\\ud800"}}',
        b"[" * 100_000,
        b'{"metadata": ' + b"[" * 200 + b"]" * 200 + b"}",
        b"1" * 5_000,
    ],
    ids=["cut", "array", "string", "not utf-8", "nan", "half a pair", "deep", "deep and whole", "long number"],
)
async def test_what_is_no_json_object_is_refused(api2, data):
    reply = await api2.call("POST", "/v1/threads", data=data, headers={"Content-Type": "application/json"})
    assert error(reply)["code"] is None
