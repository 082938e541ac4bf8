"""What goes wrong in respool itself is told without a byte of what was being worked on."""

import asyncio
import json
import subprocess
import sys
import textwrap

import pytest
from respool.cli import ls
from respool.cli.main import FAULT

SECRET = "sk-planted-0123456789"

SITE = """
    import asyncio
    from respool.proxy import record, replay

    def fail(self, request, session, target, **_):
        held = dict(request.headers)
        raise KeyError(str(held) + str(target))

    async def orphan(self, request, session, target, **_):
        async def lost():
            raise ValueError(str(request.headers) + str(target))
        task = asyncio.get_running_loop().create_task(lost())
        await asyncio.sleep(0.05)
        del task
        from respool.proxy.answer import error_answer
        return error_answer(404, "gone", "gone")

    replay.Replayer.handle = {how}
    from respool.cli.main import run
    import sys
    sys.exit(run(sys.argv[1:]))
"""


def test_a_fault_in_a_command_is_told_without_data(respool, cassette, monkeypatch):
    def fail(arguments):
        held = f"{SECRET} {arguments}"
        raise ValueError(held)

    monkeypatch.setattr(ls, "run", fail)
    done = respool.inside("ls", cassette)
    assert (done.returncode, done.stdout) == (FAULT, "")
    assert done.stderr.startswith("respool: internal error: ValueError in fail (test_crash_reports.py:")
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("how", "kind"), [("fail", "KeyError"), ("orphan", "ValueError")])
def test_a_fault_in_a_call_is_told_without_the_call(tmp_path, cassette, how, kind):
    """In the handler itself, and in a task that nobody awaits (asyncio's own report shows the exception's text)."""
    program = textwrap.dedent(SITE).replace("{how}", how)
    server = subprocess.Popen(
        [sys.executable, "-c", program, "replay", str(cassette), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port = int(server.stdout.readline().rstrip().rsplit(":", 1)[1].partition("/")[0])

        async def call():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            body = json.dumps({"content": SECRET}).encode()
            head = (
                f"POST /v1/threads?key={SECRET} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {SECRET}\r\n"
                f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            got = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            return got

        answer = asyncio.run(call())
    finally:
        server.terminate()
        out, err = server.communicate(timeout=20)
    assert answer.startswith(b"HTTP/1.1 500 " if how == "fail" else b"HTTP/1.1 404 ")
    assert f"respool: internal error: {kind} in " in err
    assert SECRET not in answer.decode() + out + err
    assert "Traceback" not in err


KEY = "sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"


@pytest.mark.parametrize(
    "arguments",
    [
        f"record --upstream sandbox --cassette new.cassette --api-key {KEY}",
        f"record --upstream http://127.0.0.1:1/v1/{KEY} --cassette new.cassette --port 0",
        f"record --upstream sandbox --cassette new.cassette --redact {KEY}",
        f"inspect http://me:{KEY}@127.0.0.1:1",
        f"{KEY}",
        f"show {KEY}.cassette",
    ],
)
def test_no_error_repeats_a_key_from_the_command_line(respool, arguments):
    done = respool.inside(*arguments.split())
    assert done.returncode > 1
    assert "REDACTED" in done.stderr
    assert KEY not in done.stderr


@pytest.mark.parametrize("settings", ['ignore = ["{}"]', '"{}" = 1', "[{}]\n[{}]"])
def test_no_error_repeats_a_key_from_the_settings(respool, tmp_path, monkeypatch, settings):
    (tmp_path / "pyproject.toml").write_text("[tool.respool]\n" + settings.replace("{}", KEY))
    monkeypatch.chdir(tmp_path)
    done = respool.inside("record", "--upstream", "sandbox", "--cassette", "new.cassette", "--port", "0")
    assert done.returncode == 2
    assert "pyproject.toml" in done.stderr
    assert KEY not in done.stderr
