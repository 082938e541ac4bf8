"""Text that acts on a terminal, hides in one, or turns its lines round, and a recording that holds it in every place.

`SEQUENCES` are given by Unicode's own categories and by what terminals obey, not by what `safe` knows.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

ESC, CSI, OSC, DCS, ST, BEL = "\x1b", "\x9b", "\x9d", "\x90", "\x9c", "\x07"

_INKED = {*map(chr, range(0x600, 0x606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2", "\U000110bd", "\U000110cd"}
"""Of the format characters, the signs that stand over a number: they are seen, and act on nothing."""
_CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"]
_HIDDEN = [
    chr(code)
    for code in range(0xA0, 0xE0200)
    if unicodedata.category(chr(code)) in {"Cf", "Zl", "Zp"} and chr(code) not in _INKED
]
_OBEYED = [
    f"{ESC}[2J", f"{ESC}[H", f"{ESC}[31m", f"{ESC}[0m", f"{ESC}[8m", f"{ESC}[?1049h", f"{ESC}[?25l", f"{ESC}[6n", f"{ESC}[c",
    f"{ESC}c", f"{ESC}7", f"{ESC}8", f"{ESC}D", f"{ESC}M", f"{ESC}(0", f"{ESC}#8", f"{ESC}=", f"{ESC}>", f"{ESC}N", f"{ESC}O",
    f"{ESC}]0;title{BEL}", f"{ESC}]2;title{ESC}\\", f"{ESC}]52;c;cm0gLXJm{BEL}", f"{ESC}]52;c;!{ESC}\\", f"{ESC}]8;;http://x{BEL}t",
    f"{ESC}]8;;{ESC}\\", f"{ESC}]1337;File=:AA=={BEL}", f"{ESC}]4;1;?{BEL}", f"{ESC}]50;?{BEL}", f"{ESC}P+q544e{ESC}\\",
    f"{ESC}P$qm{ESC}\\", f"{ESC}_G{ESC}\\", f"{ESC}^x{ESC}\\", f"{ESC}Xx{ESC}\\", f"{ESC}kx{ESC}\\", f"{ESC}[20t", f"{ESC}[21t",
    f"{ESC}[200~", f"{ESC}[201~", f"{ESC}[?2004h", f"{ESC}[>4;2m", f"{ESC}[5i", f"{ESC}[4i", f"{ESC}[1A", f"{ESC}[2K",
    f"{ESC}[999;999H", f"{ESC}[?5h", f"{ESC}[!p", f"{ESC}[3J", f"{ESC}[?1000h", f"{CSI}2J", f"{CSI}31m", f"{CSI}6n",
    f"{OSC}52;c;cm0{ST}", f"{OSC}0;t{BEL}", f"{DCS}+q{ST}", "\r overwritten", "\b\b\b\b gone", "a\x00b", "\x0e\x0f", "\x11\x13",
    "\u202eevil\u202c", "\u2066x\u2069\u202d", "\u200b\u200c\u200d\ufeff", "\u061c\u200e\u200f", "\u2028line\u2029paragraph",
    "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all"), "\x1b\x1b[\x1b[m", "\x85next", "\xad\xadsoft",
]  # fmt: skip
SEQUENCES = [*_CONTROLS, *_HIDDEN[::2], "\U000e0041", *_OBEYED]


def raw(text: str) -> list[str]:
    """The characters of an output that a terminal would obey or hide. A line feed is a line's end."""
    return sorted(
        {
            character
            for character in text
            if character != "\n"
            and character not in _INKED
            and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        }
    )


def recording(path: Path, sequences: Iterable[str] = SEQUENCES, *, said: str = "") -> Path:
    """A cassette with a thread for each sequence; `said` makes another version of the same conversation."""
    head = "".join(_OBEYED[:8])
    meta = {"upstream": f"http://up{head}stream.test/v1", "created_by": f"respool {head}", "note": [head, {head: head}]}
    with Writer.create(path, meta=meta) as writer:
        for number, text in enumerate(sequences):
            for request, response, end in _calls(number, text, said):
                interaction = Interaction(
                    writer.next_arrival(),
                    1_700_000_000_000_000,
                    request,
                    response,
                    end,
                    2000,
                    scope_of(request, response),
                )
                writer.append(interaction, summarise(interaction))
    return path


def _calls(number: int, text: str, said: str) -> Iterator[tuple[Request, Response | None, End]]:
    thread, run, step = f"thread_{number}{text}", f"run_{number}{text}", f"step_{number}{text}"
    root = b"/v1/threads"
    below = root + b"/" + thread.encode()
    yield _call(
        "POST", root, {"metadata": {text: text}}, {"id": thread, "object": "thread", "metadata": {text: text}}, text
    )
    words = [{"type": "text", "text": {"value": text + said, "annotations": [{"type": text, "text": text}]}}]
    message = {"id": f"msg_{number}{text}", "object": "thread.message", "role": "user" + text, "content": words}
    yield _call("POST", below + b"/messages", {"role": "user", "content": text + said}, message, text)
    started = {
        "id": run, "object": "thread.run", "thread_id": thread, "status": "requires_action", "model": text,
        "required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [_tool(text)]}},
        "instructions": text, "last_error": None,
    }  # fmt: skip
    yield _call("POST", below + b"/runs", {"assistant_id": text, "instructions": text}, started, text)
    outputs = {"tool_outputs": [{"tool_call_id": f"call_{text}", "output": text}]}
    failed = started | {"status": "failed", "last_error": {"code": text, "message": text}, "required_action": None}
    place = below + b"/runs/" + run.encode()
    yield _call("POST", place + b"/submit_tool_outputs", outputs, failed | {"status": "queued" + text}, text)
    yield _call("GET", place, None, failed, text)
    steps = {"object": "list", "data": [{
        "id": step, "object": "thread.run.step", "run_id": run, "thread_id": thread, "type": "tool_calls", "status": text,
        "step_details": {"type": "tool_calls", "tool_calls": [_tool(text)]}, "last_error": {"code": text, "message": text},
    }]}  # fmt: skip
    yield _call("GET", place + b"/steps?after=" + text.encode(), None, steps, text)
    reply = message | {"id": f"msg_r{number}", "role": "assistant", "run_id": run}
    yield _call("GET", below + b"/messages", None, {"object": "list", "data": [reply, message]}, text)
    error = {"error": {"message": text, "type": text, "code": text, "param": text}}
    yield _call("DELETE", below + b"/messages/" + text.encode(), None, error, text, status=404)
    yield _call("GE" + text + "T", b"/v1/assistants/" + text.encode() + b"?" + text.encode(), None, {"id": text}, text)
    stream = f"event: thread.{text}\ndata: {json.dumps(text)}\n\n: {text}\n\nevent: done\ndata: [DONE]\n\n".encode()
    lines = ((b"Content-Type", b"text/event-stream"), (b"X-" + text.encode(), text.encode()))
    asked = Body.of(json.dumps({"stream": True, "assistant_id": text}).encode())
    response = Response(200, text.encode(), lines, Body.of(stream), "", 3)
    yield Request("POST", below + b"/runs", lines[1:], asked), response, End.UPSTREAM_CUT
    plain = Response(500, b"", ((b"Content-Type", text.encode()),), Body.of(b"<html>" + text.encode()), "", 3)
    yield Request("POST", b"/" + text.encode(), lines, Body.of(text.encode())), plain, End.COMPLETE


def _tool(text: str) -> dict[str, object]:
    call = {"name": f"f{text}", "arguments": json.dumps({text: text}), "output": text}
    return {"id": f"call_{text}", "type": "function", "function": call}


def _call(
    method: str, target: bytes, asked: object, answered: object, text: str, *, status: int = 200
) -> tuple[Request, Response, End]:
    lines = ((b"Content-Type", b"application/json"), (b"X-Note", text.encode()), (b"X-" + text.encode(), b"1"))
    body = json.dumps(answered, ensure_ascii=False).encode()
    request = Body.of(b"" if asked is None else json.dumps(asked, ensure_ascii=False).encode())
    return Request(method, target, lines, request), Response(status, b"OK", lines, Body.of(body), "", 3), End.COMPLETE
