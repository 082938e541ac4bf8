"""Commands that are ended by a signal in the middle of their work: nothing half made stays in the way of the next try."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("trim a -o out", "split a -o parts", "merge a -o out", "redact a -o out", "pack a", "pack a -o out",
            "migrate a -o out", "doctor a --repair", "export --har a out", "export --html a out", "export --python a out",
            "export --markdown a out")  # fmt: skip
SIGNALLED = """
import os, signal, sys
from respool.cassettes.reader import Reader
from respool.cli.main import run

read, seen = Reader.interaction, []

def interaction(self, row):
    seen.append(row)
    if len(seen) == 3:
        os.kill(os.getpid(), {number})
    return read(self, row)

Reader.interaction = interaction
sys.exit(run(sys.argv[1:]))
"""


def signalled(number: int, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that gets a signal when it reads its third call."""
    code = SIGNALLED.format(number=int(number))
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_leaves_nothing_half_made(respool, cassette, command, number):
    before = cassette.read_bytes()
    words = [cassette.name if word == "a" else word for word in command.split()]
    done = signalled(number, words, cassette.parent)
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert cassette.read_bytes() == before
    assert list(cassette.parent.rglob("*")) == [cassette]
    again = respool(*words)
    assert again.returncode == 0, again.stderr


def test_what_a_killed_export_left_is_named_with_what_to_do(respool, cassette):
    done = signalled(signal.SIGKILL, ["export", "--har", cassette.name, "out.har"], cassette.parent)
    assert done.returncode == -signal.SIGKILL
    again = respool("export", "--har", cassette.name, "out.har")
    assert again.returncode == 3
    assert "out.har.partial is in the way" in again.stderr
    assert "rm out.har.partial" in again.stderr
