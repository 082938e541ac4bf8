"""What reaches a real terminal when a cassette is full of sequences that would act on it."""

import re

import pyte
import pytest
from on_terminal import ESCAPE, OnTerminal
from respool.cassettes.notes import Notes, Place
from respool.cassettes.reader import Reader

# Each would do something if it came through: move, clear, title, clipboard, hyperlink, device control, reorder, hide.
BODIES = [
    "52;c;aGFja2Vk",
    "0;title",
    "8;;http://x.invalid",
    "?1049h",
    "?25l",
    "2J",
    "31m",
    "6n",
    "H",
    "5;1q",
    "!p",
    "c",
]
STARTS = ["\x1b]", "\x1b[", "\x9b", "\x9d", "\x1bP", "\x90", "\x1b_", "\x9f", "\x1b^", "\x1bX", "\x1b", "\x0e"]
ENDS = ["", "\x07", "\x1b\\", "\x9c"]
HIDING = ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\u2028", "\ufeff", "\u00ad"]
SEQUENCES = [
    start + body + ENDS[(at + other) % 4] for at, start in enumerate(STARTS) for other, body in enumerate(BODIES)
]
SEQUENCES += [f"{sign}{number}evil" for sign in HIDING for number in range(8)]
BRACKETS = [f"[{inside}{number}]" for number in range(50) for inside in
            ("/", "b", "@click=app.quit", "red on ", "link=x", "$", "not bold ", "#", "{", "/b ")]  # fmt: skip

# Of strings (OSC, DCS, APC, PM, SOS) Textual itself writes one alone, which names the pointer's shape.
OWN = re.compile(rb"\x1b\]22;[a-z-]{0,20}\x07")
FOREIGN = re.compile(rb"\x1b[\]P_^X]")


def written(made, cassette):
    """A thread in which each sequence is a message, a tool call, a header, an error and an id."""
    calls = made.thread("thread_a", *(f"say {text} end" for text in SEQUENCES))
    for number, text in enumerate(SEQUENCES):
        tool = {"id": f"call_{number}{text}", "type": "function", "function": {"name": text, "arguments": text}}
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [tool]}}
        told = made.run(f"run_{number}", "failed", required_action=action, last_error={"message": text}, model=text)
        calls.append(made.call("POST /threads/thread_a/runs", {"instructions": text}, told))
    return cassette(*calls)


def test_there_are_more_than_200_sequences_and_500_brackets():
    assert len(set(SEQUENCES)) >= 200
    assert len(set(BRACKETS)) == 500


PASTED = "\x1b[200~\x9b2J\u202e[/b]\x1b[201~".encode()
EVERYWHERE = (
    *(b"3", b"G", b" ", b"4", b"G", b"5", b"v", b"v", b"v", b"G", b"7", b"8", b"6", b"1"),  # each panel
    *(b"l", b"j", b"m", b"jj", b"d", b"6", b"G", b"1"),  # rows, a mark, a difference
    *(b";", PASTED, b"\r", b"8", b"1"),  # a note, and the log that tells of it
    *(b"/", b"too", b"\t", b"\x15", PASTED, b"(((", b"\r", ESCAPE),  # a filter: completion, what is wrong with it
    *(b"/", b"evil", b"\r", b"\\\\"),
    *(b"f", b"evil", b"\r", b"n", b"N"),
    *(b"y", ESCAPE, b"x", b"m", ESCAPE),  # menus, and the file's name that is proposed
    *(b"\x10", b"evil", ESCAPE, b"z", b"z"),  # the palette
    *(b"?", b"jj", ESCAPE),
)


def test_no_foreign_control_reaches_the_terminal_on_any_screen(made, cassette):
    path = written(made, cassette)
    with Reader.open(path) as reader:
        scope = reader.scopes()[0]
    notes = Notes.load(path)
    notes.mark(Place("thread", scope, "", ""), "".join(SEQUENCES))
    notes.save()
    terminal = OnTerminal("inspect", str(path))
    terminal.until(b"Threads")
    terminal.watch(1)
    for keys in EVERYWHERE:
        terminal.type(keys)
        terminal.watch(0.15)
    terminal.quit(b"q")
    status = terminal.end()
    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    stream.feed(OWN.sub(b"", terminal.written).decode("utf-8").partition("\x1b[?1049l")[0].replace("\x1b[?1049h", ""))
    assert status == 0, "\n".join(screen.display)
    seen = OWN.sub(b"", terminal.written)
    text = seen.decode("utf-8")
    for shown in ("Keys", "Copy of", "Export of", "write to", "note", "/ filter"):
        assert shown in text
    assert not FOREIGN.search(seen)
    assert not re.search(r"[\x80-\x9f\u200b\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\ufeff\u00ad\x0e]", text)
    assert screen.title == ""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_no_row_of_any_panel_holds_a_control_whatever_the_cassette_says(made, cassette, size):
    from respool.inspector.app import Inspector

    unsafe = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\ufeff\u00ad]")
    with Reader.open(written(made, cassette)) as reader:
        app = Inspector(reader)
        async with app.run_test(size=size, notifications=True) as pilot:
            look = made.Looking(app, pilot)
            for key in ("end", "3", "4", "5", "v", "v", "v", "7", "8", "6", "1", "enter"):
                await pilot.press(key)
                await look.until(lambda: not app.desk.busy)
                for name in ("list", "waterfall", "conversation"):
                    pane = app.query_one(f"#{name}")
                    for row in range(min(pane.virtual_size.height, 3_000)):
                        line = "".join(text for text, _ in pane.spans(row, pane.width))
                        assert not unsafe.search(line), (key, name, line)


async def test_brackets_are_shown_as_they_are(made, cassette):
    from respool.inspector.app import Inspector

    with Reader.open(cassette(*made.thread("thread_a", *BRACKETS))) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.until(lambda: not app.desk.busy)
            pane = app.query_one("#conversation")
            rows = ["".join(text for text, _ in pane.spans(row, pane.width)) for row in range(pane.virtual_size.height)]
            assert [text for text in BRACKETS if f"  {text}" not in rows] == []
