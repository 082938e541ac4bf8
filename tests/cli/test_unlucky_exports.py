"""Exported tests of recordings in which something went wrong, held against a replay: they are green on their own cassette."""

import json
import os
import subprocess
import sys
from dataclasses import replace

from recorded_conversation import write
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

JSON = ((b"content-type", b"application/json"),)
THREAD = {"id": "thread_abc", "object": "thread", "created_at": 1}
ERROR = {"error": {"message": "Try again.", "type": "server_error"}}


def call(line: str, body: object, answer: object, status: int = 200, *, end: End = End.COMPLETE) -> Interaction:
    method, path = line.split(" ")
    sent = Body.of(b"" if body is None else json.dumps(body).encode())
    data = json.dumps(answer).encode()
    if end is End.UPSTREAM_CUT:
        data = data[:-5]
    response = None if answer is None else Response(status, b"", JSON, Body.of(data))
    return Interaction(0, 1, Request(method, b"/v1" + path.encode(), JSON, sent), response, end)


def run(state: str) -> dict[str, object]:
    return {"id": "run_abcd", "object": "thread.run", "thread_id": "thread_abc", "status": state, "created_at": 1}


def poll(state: str = "", status: int = 200, **more) -> Interaction:
    answer = run(state) if state else ERROR if status else None
    return call("GET /threads/thread_abc/runs/run_abcd", None, answer, status, **more)


def test_calls_without_an_answer_and_polls_that_came_to_nothing_are_played(respool, tmp_path):
    calls = [
        call("POST /threads", {}, None, end=End.UPSTREAM_FAILED),
        call("POST /threads", {}, None, end=End.CLIENT_CUT),
        call("POST /threads", {}, ERROR, 500, end=End.UPSTREAM_CUT),
        call("POST /threads", {}, THREAD),
        call("POST /threads/thread_abc/runs", {"assistant_id": "asst_1"}, run("queued")),
        poll("queued"),
        poll("in_progress"),
        poll(status=500),
        poll(status=429),
        poll(status=0, end=End.UPSTREAM_FAILED),
        poll("in_progress", end=End.UPSTREAM_CUT),
        poll("in_progress"),
        poll("completed"),
        call("GET /threads/thread_abc/messages", None, {"object": "list", "data": []}),
    ]
    folder = tmp_path / "cassettes"
    folder.mkdir()
    write(folder / "unlucky.cassette", [replace(each, started_us=1 + at) for at, each in enumerate(calls)])
    respool.folder = tmp_path
    assert respool.inside("export", "--pytest", "cassettes/unlucky.cassette", "test_talk.py").returncode == 0
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "test_talk.py"]
    environment = {**os.environ, "POLL_SECONDS": "0"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
