"""NO_COLOR: no colour at all reaches the terminal, and nothing that a colour tells is lost. Signs tell it with colours, too."""

import re

import pyte
import pytest
from on_terminal import OnTerminal
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.ink import INKS, mood, sign

SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
PLAIN = {"", "0", "1", "2", "3", "4", "7", "22", "23", "24", "27", "39", "49"}
"""Attributes, and the terminal's own colours."""


def calls(made):
    return [
        *made.refund("thread_a"),
        *made.thread("thread_b", "Hello"),
        made.call("GET /threads/thread_b", None, {}, status=404),
    ]


def test_no_colour_reaches_the_terminal(made, cassette, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = OnTerminal("inspect", str(cassette(*calls(made))))
    terminal.until(b"money back")
    for keys in (b"l", b"jjj", b"4", b"5", b"v", b"7", b"8", b"m", b"?", b"\x1b", b"y", b"\x1b", b"/status:x", b"\x1b"):
        terminal.type(keys)
        terminal.watch(0.2)
    terminal.quit(b"q")
    status = terminal.end()
    assert status == 0, terminal.written[-2_000:]
    told = {part.decode() for sequence in SGR.findall(terminal.written) for part in re.split(rb"[;:]", sequence)}
    assert told <= PLAIN


def test_without_colour_the_cursor_is_seen(made, cassette, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = OnTerminal("inspect", str(cassette(*calls(made))))
    terminal.until(b"money back")
    terminal.type(b"j")
    terminal.watch(0.5)
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(terminal.written.replace(b"\x1b[?1049h", b""))
    terminal.type(b"q")
    terminal.end()
    rows = [row for row in range(1, 24) if screen.buffer[row][4].reverse]
    assert len(rows) == 1
    assert "thread_b" in screen.display[rows[0]]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_text_is_the_same_without_colour(made, cassette, monkeypatch, size):
    shown = []
    for value in (None, "1"):
        monkeypatch.delenv("NO_COLOR", raising=False)
        if value:
            monkeypatch.setenv("NO_COLOR", value)
        with Reader.open(cassette(*calls(made), name=f"{value}.cassette")) as reader:
            app = Inspector(reader)
            async with app.run_test(size=size, notifications=True) as pilot:
                look = made.Looking(app, pilot)
                for key in ("", "enter", "down", "down", "down"):
                    await look.press(*([key] if key else []))
                    await look.until(lambda app=app: not app.desk.busy)
                shown.append([look.pane(name) for name in ("list", "waterfall", "conversation")])
                assert app.no_color is bool(value)
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "status", ["completed", "failed", "expired", "cancelled", "incomplete", "queued", "in_progress"]
)
def test_each_state_has_a_sign(status):
    assert sign(mood(status))


def test_no_two_states_have_one_sign():
    signs = [sign(ink) for ink in INKS if sign(ink)]
    assert len(signs) == len(set(signs)) == 3


async def test_what_is_marked_failed_or_waiting_has_its_sign_in_the_list(made, cassette):
    failed = [made.call("POST /threads/thread_b/runs", {}, made.run("run_2", "failed"))]
    with Reader.open(cassette(*made.refund("thread_a"), *made.thread("thread_b", "Hi"), *failed)) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("money back")
            await look.press("enter", "m", "down", "down", "down")
            await look.lists("✓ run 1 completed")
            assert look.list.startswith("★")
            await look.press("end", "enter")
            await look.lists("! run 1 failed")
