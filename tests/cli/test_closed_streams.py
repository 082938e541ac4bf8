"""Commands whose stdin, stdout or stderr was closed before they began (`>&-`)."""

import signal
import subprocess
import threading
from pathlib import Path

import pytest
from respool.cassettes.reader import Reader


def run(respool, shut: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with some of its streams closed."""
    return respool(*arguments, through=["bash", "-c", f'exec {shut}; exec "$@"', "bash"])


@pytest.mark.parametrize("shut", [">&-", "<&- >&-"])
@pytest.mark.parametrize("command", ["show", "ls", "doctor", "export --jsonl"])
def test_what_nobody_can_read_is_written_nowhere(respool, cassette: Path, command: str, shut: str):
    before = respool.files()
    done = run(respool, shut, *command.split(), cassette.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert respool.files() == before


def test_without_stderr_the_exit_status_tells(respool, cassette: Path):
    done = run(respool, "2>&-", "show", "missing.cassette")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    done = run(respool, "2>&-", "ls", cassette.name)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 6)


@pytest.mark.parametrize("shut", [">&-", "<&- >&- 2>&-"])
def test_a_recording_whose_streams_are_closed_writes_nothing_into_its_cassette(
    respool, shut: str, unused_tcp_port, conversation
):
    arguments = ["record", "--upstream", "sandbox", "--cassette", "a.cassette", "--port", str(unused_tcp_port)]
    through = ["bash", "-c", f'exec {shut}; exec "$@"', "bash"]
    process = respool.start(*arguments, through=through)
    try:
        base = f"http://127.0.0.1:{unused_tcp_port}/v1"
        for _ in range(600):
            try:
                conversation(base)
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    with Reader.open(respool.folder / "a.cassette") as reader:
        assert (reader.sealed, len(reader)) == (True, 6)
