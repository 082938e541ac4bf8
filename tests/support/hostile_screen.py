"""A cassette in which an enemy names everything, the keys that lead a person past all of it, and what may come out of that.

`harmless` is for all that an inspector writes, on a terminal or on the web socket of a page.
"""

import re

from hostile_text import raw
from on_terminal import ESCAPE
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

EVIL = "\x1b]52;c;aGk=\x07\x9b2J\u202e\u200b[/b][@click=app.quit]e\x1b[6;66r<img src=x onerror=alert(1)>'\"&amp;"
WIRE = EVIL.encode()
OWN = re.compile(
    r"\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2031|2048)[hl]"  # modes of the terminal
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[[<>=]?[0-9;]{0,40}[mHu]|\x1b\[\?u"  # whether there are such; colours, places, keys
    r"|\x1b\]22;[a-z-]{0,20}\x07"  # the pointer's shape: of strings, Textual itself writes this one alone
)
"""What Textual writes by itself. A cassette brings none of it, but what is `EVIL`, which is none of this."""
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
    """Of all that was written, Textual's own sequences are all that would be obeyed, and nothing hides."""
    seen = OWN.sub("", written.decode("utf-8"))
    found = [seen[max(at.start() - 20, 0) : at.start() + 60] for at in re.finditer(r"\x1b", seen)]
    assert found == []
    assert [character for character in raw(seen) if character not in "\r\n"] == []
