"""An interaction belongs to the thread that its path or its answer names, else to its collection."""

import json
import time

import pytest
from respool.cassettes.interaction import Body, Request, Response
from respool.cassettes.scopes import STREAM_LIMIT, scope_hash, scope_of

STREAM = ((b"Content-Type", b"text/event-stream; charset=utf-8"),)


@pytest.mark.parametrize(
    ("method", "target", "scope"),
    [
        ("GET", "/threads/thread_a", "thread_a"),
        ("POST", "/v1/threads/thread_a/messages?x=1", "thread_a"),
        ("POST", "/openai/v1/threads/thread_a/runs/run_1/submit_tool_outputs", "thread_a"),
        ("DELETE", "/api/projects/demo/threads/thread_a", "thread_a"),
        ("PATCH", "/v1/threads/thread_a/something/new", "thread_a"),
        ("HEAD", "/v1/threads/thread_a", "thread_a"),
        ("GET", "/v1/threads", "/threads"),
        ("POST", "/v1/threads", "/threads"),
        ("POST", "/v1/threads/runs", "/threads"),
        ("GET", "/v1/threads/runs", "/threads"),
        ("GET", "/v1/threads/runs/run_1", "/threads"),
        ("GET", "/v1/threads/", "/threads"),
        ("GET", "/v1/threads/a%2Fb", "/threads"),
        ("GET", "/v1/threads/" + "x" * 129, "/threads"),
        ("GET", "/v1/assistants/asst_1", "/assistants"),
        ("POST", "/files", "/files"),
        ("GET", "/threadsafe/thread_a", "/threadsafe"),
        ("GET", "/", "/"),
        ("GET", "/v1/", "/"),
        ("GET", "//threads/thread_a", "/"),
        ("OPTIONS", "*", "/"),
        ("GET", "", "/"),
        ("GET", "/%00", "/"),
    ],
)
def test_the_path_names_the_scope(method: str, target: str, scope: str) -> None:
    assert scope_of(Request(method, target.encode()), None) == scope


@pytest.mark.parametrize(
    ("target", "status", "answer", "scope"),
    [
        ("/v1/threads", 200, {"id": "thread_a", "object": "thread"}, "thread_a"),
        ("/v1/threads", 201, {"id": "thread_a"}, "thread_a"),
        ("/v1/threads/runs", 200, {"id": "run_1", "thread_id": "thread_a"}, "thread_a"),
        ("/v1/threads/runs", 200, {"id": "run_1"}, "/threads"),
        ("/v1/threads", 429, {"error": {"message": "slow down"}}, "/threads"),
        ("/v1/threads", 500, {"id": "thread_a"}, "/threads"),
        ("/v1/threads", 200, {"id": 7}, "/threads"),
        ("/v1/threads", 200, {"id": "/threads"}, "/threads"),
        ("/v1/threads", 200, {"id": "a\x1b[2J"}, "/threads"),
        ("/v1/threads", 200, {"id": "x" * 129}, "/threads"),
        ("/v1/threads", 200, {"id": ""}, "/threads"),
        ("/v1/threads", 200, ["thread_a"], "/threads"),
    ],
)
def test_a_creation_belongs_to_the_thread_that_its_answer_names(
    target: str, status: int, answer: object, scope: str
) -> None:
    response = Response(status, body=Body.of(json.dumps(answer).encode()))
    assert scope_of(Request("POST", target.encode()), response) == scope


@pytest.mark.parametrize(
    ("target", "stream"),
    [
        ("/v1/threads/runs", b'event: thread.created\ndata: {"id": "thread_a"}\n\n'),
        ("/v1/threads/runs", b'event: thread.run.created\r\ndata: {"id":"run_1","thread_id":"thread_a"}\r\n\r\n'),
        (
            "/v1/threads/runs",
            b': hi\n\nevent: ping\ndata: 1\n\nevent: thread.run.queued\ndata: {"thread_id":"thread_a"}\n\n',
        ),
        ("/v1/threads/runs", b'event: thread.created\ndata: {"id": "thread_a"}\n\nevent: cut\nda'),
    ],
)
def test_a_streamed_creation_belongs_to_the_thread_of_its_first_event(target: str, stream: bytes) -> None:
    response = Response(200, headers=STREAM, body=Body((stream[:30], stream[30:])))
    assert scope_of(Request("POST", target.encode()), response) == "thread_a"


@pytest.mark.parametrize(
    "answer", [b"", b"not json", b"[" * 200_000, b'{"id":', b"\xff", b'{"id": "thread_a"', b"1" * 10_000]
)
def test_an_unreadable_answer_names_no_thread(answer: bytes) -> None:
    for headers in ((), STREAM):
        response = Response(200, headers=headers, body=Body.of(answer))
        assert scope_of(Request("POST", b"/v1/threads"), response) == "/threads"


def test_a_stream_is_looked_at_only_at_its_start() -> None:
    late = b": " + b"x" * STREAM_LIMIT + b'\n\nevent: thread.created\ndata: {"id": "thread_a"}\n\n'
    began = time.process_time()
    response = Response(200, headers=STREAM, body=Body.of(late * 4))
    assert scope_of(Request("POST", b"/v1/threads/runs"), response) == "/threads"
    assert time.process_time() - began < 2


def test_the_hash_of_a_scope_is_that_of_the_format() -> None:
    assert scope_hash("thread_a") == 0xE6CE236C10CB0EF5
    assert scope_hash("/threads") == 0x29C376D40B8F617C
