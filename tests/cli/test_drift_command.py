"""`respool drift` as a user runs it."""

import contextlib
import json
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from respool.cassettes.writer import Writer

KEY = "sk-live-0123456789abcdefgh"


@contextlib.contextmanager
def upstream(answer):
    """A server on a free port; `answer(method, path, headers)` gives a status and a JSON value, or stalls."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def serve(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, value = answer(self.command, self.path, self.headers)
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = serve

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def thin(method, path, headers):
    """An upstream that says less than it did."""
    if method == "POST" and path.endswith("/threads"):
        return 200, {"id": "thread_new", "object": "thread", "created_at": "now", "metadata": {"customer": ""}}
    return 404, {
        "error": {"message": f"no {headers.get('authorization')}", "type": KEY, "code": "x\x1b[31m", "param": None}
    }


def test_no_drift_is_quiet(respool, cassette):
    done = respool("drift", "recorded.cassette", "--upstream", "sandbox")
    assert (done.returncode, done.stdout) == (0, "")
    assert "performing thread_" in done.stderr
    assert "respool: no drift; performed 3 writes and 3 reads of 2 threads" in done.stderr


def test_differences_are_told_on_stdout_one_a_line(respool, cassette):
    with upstream(thin) as url:
        done = respool("drift", "recorded.cassette", "--upstream", url)
        told = respool("drift", "recorded.cassette", "--upstream", url, "--json")
    assert (done.returncode, told.returncode) == (1, 1)
    thread = done.stderr.partition("performing ")[2].partition("\n")[0]
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        f"{thread}, write 1, createThread: field missing $.tool_resources: recorded object, upstream nothing",
        f"{thread}, write 1, createThread: type changed $.created_at: recorded number, upstream string",
        f"{thread}, write 2, createMessage: status: recorded 200, upstream 404 (type REDACTED, code x\\x1b[31m)",
    ]
    assert f"the rest of {thread} is not performed" in done.stderr
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(found) == len(lines)
    assert found[1] == {
        "what": "type changed",
        "scope": thread,
        "write": 1,
        "call": "createThread",
        "path": "$.created_at",
        "recorded": "number",
        "upstream": "string",
        "answers": 1,
        "arrival": found[1]["arrival"],
    }


@pytest.mark.parametrize(
    ("environment", "options", "sent"),
    [
        (KEY, (), {"authorization": f"Bearer {KEY}"}),
        (f" {KEY}\n", (), {"authorization": f"Bearer {KEY}"}),
        ("sk-other-0123456789", ("--header", f"Authorization: Bearer {KEY}"), {"authorization": f"Bearer {KEY}"}),
        (KEY, ("--header", "api-key: abcdefgh01234567"), {"api-key": "abcdefgh01234567", "authorization": None}),
        (KEY, ("--header", "OpenAI-Beta:assistants=v9", "--header", "X-A: b: c "), {"openai-beta": "assistants=v9", "x-a": "b: c"}),  # noqa: E501
        (None, (), {"authorization": None}),
    ],
)  # fmt: skip
def test_credentials_are_sent_and_never_told(respool, cassette, monkeypatch, environment, options, sent):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if environment is not None:
        monkeypatch.setenv("OPENAI_API_KEY", environment)
    heads = []

    def hear(method, path, headers):
        heads.append(headers)
        return thin(method, path, headers)

    before = respool.files()
    with upstream(hear) as url:
        done = respool.inside("drift", "recorded.cassette", "--upstream", url, *options)
    assert done.returncode == 1
    for head in heads:
        assert {name: head.get(name) for name in sent} == sent
    if sent.get("authorization"):
        assert KEY not in done.stdout + done.stderr
    assert respool.files() == before


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ("drift recorded.cassette", 2, "--upstream"),
        ("drift recorded.cassette --upstream ftp://x", 2, "is no http:// or https:// URL"),
        ("drift recorded.cassette --upstream sandbox --map asst_1", 2, "is no pair of ids"),
        ("drift recorded.cassette --upstream sandbox --thread thread_x", 2, "no thread thread_x in recorded.cassette"),
        ("drift recorded.cassette --upstream sandbox --run-timeout 0", 2, "no time to wait for a run"),
        ("drift recorded.cassette --upstream sandbox --run-timeout nan", 2, "no time to wait for a run"),
        ("drift recorded.cassette --upstream sandbox --header secretsecret", 2, "--header number 1 cannot be sent"),
        ("drift recorded.cassette --upstream sandbox --header Host:secretsecret", 2, "--header number 1 cannot be sent"),
        ("drift missing.cassette --upstream sandbox", 3, "missing.cassette"),
        ("drift damaged.cassette --upstream sandbox", 3, "damaged.cassette"),
        ("drift recorded.cassette --upstream http://127.0.0.1:{closed}", 4, "cannot be reached"),
        ("drift recorded.cassette --upstream sandbox --header api-key:invalid-key", 4, "refused the credentials (401)"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_clear_line(respool, cassette, arguments, status, said):
    (respool.folder / "damaged.cassette").write_bytes(b"x" * 100 + cassette.read_bytes()[100:])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    done = respool.inside(*arguments.format(closed=closed).split())
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "secretsecret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_key_that_the_upstream_tells_of_itself_is_not_told(respool, cassette, form):
    told = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"

    def leaky(method, path, headers):
        return 400, {"error": {"message": "no", "type": told, "code": told, "param": None}}

    with upstream(leaky) as url:
        done = respool("drift", cassette, "--upstream", url, *form)
    assert done.returncode == 1
    assert "REDACTED" in done.stdout
    assert told not in done.stdout + done.stderr
    assert not form or [json.loads(line) for line in done.stdout.splitlines()]


def test_a_key_that_no_header_can_have_is_not_told(respool, cassette, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ключ")
    done = respool.inside("drift", "recorded.cassette", "--upstream", "sandbox")
    assert done.returncode == 2
    assert "OPENAI_API_KEY holds characters that no header can have" in done.stderr
    assert "sk-" not in done.stderr


def test_a_cassette_without_calls_is_nothing_to_perform(respool):
    with Writer.create(respool.folder / "empty.cassette"):
        pass
    done = respool.inside("drift", "empty.cassette", "--upstream", "sandbox")
    assert done.returncode == 2
    assert "holds no calls, so there is nothing to perform" in done.stderr


def test_threads_that_the_recording_only_joined_need_a_name_upstream(respool, cassette):
    respool.inside(
        "trim", "recorded.cassette", "-o", "joined.cassette", "--drop", "op:createThread or thread:thread_unknown"
    )
    done = respool.inside("drift", "joined.cassette", "--upstream", "sandbox")
    assert (done.returncode, done.stdout) == (2, "")
    assert "joined.cassette created none of the threads that it holds" in done.stderr
    assert "say what the upstream calls it with --map OLD=NEW" in done.stderr


def test_what_was_found_before_the_upstream_failed_is_told(respool, cassette):
    def fail(method, path, headers):
        return thin(method, path, headers) if path.endswith("/threads") else (401, {})

    with upstream(fail) as url:
        done = respool("drift", "recorded.cassette", "--upstream", url)
    assert done.returncode == 4
    assert "createThread: type changed $.created_at: recorded number, upstream string" in done.stdout
    assert "refused the credentials (401)" in done.stderr
    assert "1 thing could not be deleted upstream: thread_new" in done.stderr


@pytest.mark.parametrize("keep", [True, False])
def test_an_interrupt_tells_what_was_found_and_tidies_up(respool, cassette, keep):
    called, going = [], threading.Event()

    def stall(method, path, headers):
        called.append((method, path))
        if path.endswith("/messages"):
            going.wait(20)
        return thin(method, path, headers) if method != "DELETE" else (200, {})

    with upstream(stall) as url:
        process = respool.start("drift", "recorded.cassette", "--upstream", url, *["--keep"] * keep)
        deadline = time.monotonic() + 20
        while not any(path.endswith("/messages") for _, path in called) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        going.set()
    assert process.returncode == 130
    assert "createThread: type changed $.created_at" in out
    assert "respool: stopped early: 2 differences" in err
    assert (("DELETE", "/v1/threads/thread_new") in called) is not keep


def test_a_time_limit_is_one_line(respool, cassette):
    def queued(method, path, headers):
        if path.endswith("/runs") or "/runs/" in path:
            return 200, {"id": "run_new", "object": "thread.run", "thread_id": "thread_new", "status": "queued"}
        return thin(method, path, headers) if path.endswith("/threads") else (200, {"id": "msg_new"})

    with upstream(queued) as url:
        done = respool("drift", "recorded.cassette", "--upstream", url, "--run-timeout", "0.2")
    assert done.returncode == 1
    assert "getRun: time limit $.status: recorded failed, upstream still queued after 0.2 s" in done.stdout
