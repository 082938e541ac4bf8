"""What reaches a terminal when all that has a name in a cassette, and the cassette itself, is named by an enemy."""

import re

import pyte
import pytest
from hostile_screen import EVERYWHERE, EVIL, harmless, hostile
from on_terminal import OnTerminal
from respool.cassettes.notes import Notes

POINTER = re.compile(rb"\x1b\]22;[a-z-]{0,20}\x07")
"""What pyte does not know."""


@pytest.fixture
def path(made, cassette):
    found = cassette(*hostile(made), name=f"a{EVIL.replace('/', '')}.cassette")
    notes = Notes.load(found)
    notes.save()
    return found


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_no_name_acts_on_the_terminal_of_the_inspector(path, size):
    terminal = OnTerminal("inspect", str(path), size=size)
    terminal.until(b"Threads")
    terminal.watch(1)
    try:
        for keys in EVERYWHERE:
            terminal.type(keys)
            terminal.watch(0.12)
    except OSError:
        pytest.fail(f"it ended at {keys!r}: {terminal.end()} {terminal.written[-1_000:]!r}")
    terminal.quit(b"q")
    status = terminal.end()
    harmless(terminal.written)
    screen = pyte.Screen(*size)
    told = POINTER.sub(b"", terminal.written).decode("utf-8")
    pyte.Stream(screen).feed(told.partition("\x1b[?1049l")[0].replace("\x1b[?1049h", ""))
    assert status == 0, "\n".join(screen.display)
    assert screen.title == ""
    for shown in ("run_0", "tool_0", "model_0", "Copy of", "Export of", "write to"):
        assert shown in told, shown


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("ls", "PATH"), 0),
        (("show", "PATH"), 0),
        (("show", "PATH", "--thread", EVIL), 2),
        (("ls", "PATH", "--filter", f"status:{EVIL}"), None),
        (("diff", "PATH", "PATH"), 0),
        (("diff", "PATH", "OTHER"), 1),
        (("scan", "PATH"), None),
        (("doctor", "PATH"), 0),
        (("trim", "PATH", f"/nowhere/{EVIL}"), None),
        (("inspect", f"/nowhere/{EVIL}"), 3),
        (("show", f"/nowhere/{EVIL}"), 3),
        ((f"{EVIL}",), 2),
        (("replay", f"/nowhere/{EVIL}"), None),
    ],
    ids=lambda given: given[0][:8] if isinstance(given, tuple) else "",
)
def test_no_name_acts_on_the_terminal_of_a_command(made, cassette, path, words, status):
    other = cassette(*hostile(made)[1:4], name="other.cassette")
    named = {"PATH": str(path), "OTHER": str(other)}
    terminal = OnTerminal(*(named.get(word, word) for word in words))
    ended = terminal.end()
    harmless(terminal.written)
    assert b"Traceback" not in terminal.written
    assert status is None or ended == status, terminal.written
