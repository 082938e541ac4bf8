"""What reaches a terminal when all that has a name in a cassette, and the cassette itself, is named by an enemy."""

import re

import pyte
import pytest
from on_terminal import ESCAPE, OnTerminal
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.notes import Notes

EVIL = "\x1b]52;c;aGk=\x07\x9b2J\u202e\u200b[/b][@click=app.quit]e"
WIRE = EVIL.encode()
FOREIGN = re.compile(rb"\x1b[\]P_^X]")
OWN = re.compile(rb"\x1b\]22;[a-z-]{0,20}\x07")
HIDDEN = re.compile(r"[\x80-\x9f\u200b\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\ufeff\u00ad\x0e]")
EVERYWHERE = (
    *(b"l", b"jj", b"l", b"jj", b"\r"),  # into the thread, its run, a call
    *(b"2", b"G", b"3", b"G", b"4", b"G", b"5", b"v", b"v", b"v", b"G", b"6", b"7", b"8", b"9", b"1"),
    *(b"m", b"jj", b"m", b"kk", b"d", b"6", b"G", b"1", b"G", b"l", b"jj", b"5"),
    *(b";", b"a note\r", b"y", ESCAPE, b"x", b"m", ESCAPE, b"r", b"8", b"1"),
    *(b"/tool:x\r", b"/", b"\x15", b"path:\r", ESCAPE, b"/\x15\r", b"fclick\r", b"n", b"?", ESCAPE, b"z", b"z"),
)


def name(kind, number=0):
    return f"{kind}_{number}{EVIL}"


def hostile(made):
    """A thread, its run, step, call, message, file, headers and paths, and calls that are none of a thread's."""
    thread, run, call = name("thread"), name("run"), name("call")
    tool = {"id": call, "type": "function", "function": {"name": name("tool"), "arguments": '{"a": 1}'}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [tool]}}
    step = {"id": name("step"), "type": "tool_calls", "status": name("status"), "run_id": run, "created_at": 1}
    step["step_details"] = {"type": "tool_calls", "tool_calls": [tool]}
    message = made.message(name("msg"), "said", name("role"))
    message["content"][0]["text"]["annotations"] = [
        {"type": "file_citation", "text": name("cite"), "file_citation": {"file_id": name("file")}}
    ]
    message["attachments"] = [{"file_id": name("file"), "tools": [{"type": name("search")}]}]
    path = "/threads/thread_plain"
    calls = [
        made.call("POST /threads", {"metadata": {name("key"): name("value")}}, {"id": thread}),
        made.call("POST /threads", {}, {"id": "thread_plain"}),
        made.call(f"POST {path}/messages", {}, message),
        made.call(
            f"POST {path}/runs", {}, made.run(run, "requires_action", model=name("model"), required_action=action)
        ),
        made.call(f"GET {path}/runs/{run}/steps", None, {"data": [step]}),
        made.call(f"GET {path}/runs/{run}", None, made.run(run, name("state"), last_error={"code": name("code")})),
        made.call(f"POST {path}/messages?{name('query')}", {}, {"error": {"message": name("error")}}, status=400),
        made.call("POST /files", {}, {"id": name("file"), "filename": name("filename")}),
        made.call(f"GET /{name('path')}", None, {}, status=404),
    ]
    headers = ((WIRE, WIRE), (b"content-type", WIRE), (b"content-type", b"application/json"))
    request = Request(f"P{EVIL}", f"/v1/threads/thread_plain/{EVIL}".encode(), headers, Body.of(WIRE))
    calls.append(
        Interaction(0, 1_700_000_000_000_000, request, Response(200, WIRE, headers, Body.of(WIRE)), End.COMPLETE)
    )
    return calls


def harmless(written: bytes) -> None:
    seen = OWN.sub(b"", written)
    assert [seen[at.start() : at.start() + 60] for at in FOREIGN.finditer(seen)] == []
    assert not HIDDEN.search(seen.decode("utf-8"))


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
    told = OWN.sub(b"", terminal.written).decode("utf-8")
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
