"""What reaches a browser from the inspector's page when all of a cassette, its name too, was written by an enemy."""

import html
import re
from contextlib import asynccontextmanager

import aiohttp
import pytest
from hostile_screen import EVERYWHERE, EVIL, harmless, hostile
from hostile_text import SEQUENCES, raw
from idle import busy
from respool.cassettes.text import clip, safe
from served import PATIENCE, serving

pytest.importorskip("textual_serve")

NAME = f"a{EVIL.replace('/', '')}$(kill $PPID)`kill $PPID`;kill $PPID.cassette"
"""textual-serve has a shell start the inspector, and writes the name into its page."""


class Reading:
    """The web socket of a page: all that came over it, and the quiet after a key."""

    def __init__(self, socket, served):
        self.socket = socket
        self.served = served
        self.drawn = b""
        self.said = []

    async def watch(self, seconds):
        """Take what comes until nothing came for that long though server and inspector could run."""
        while True:
            try:
                message = await self.socket.receive(seconds)
            except TimeoutError:
                if busy(self.served.process.pid):
                    continue
                return
            if message.type is aiohttp.WSMsgType.BINARY:
                self.drawn += message.data
            else:
                assert message.type is aiohttp.WSMsgType.TEXT, f"the page ended: {message}"
                self.said.append(message.data)

    async def until(self, text):
        while text not in self.drawn:
            await self.watch(0.05)

    async def type(self, keys):
        await self.socket.send_json(["stdin", keys.decode()])


@asynccontextmanager
async def page(path):
    """The socket of a page that the link opened, its server, and the page's HTML."""
    async with serving(path) as served, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(served.link) as answer:
            text = await answer.text()
        address = f"{served.root}/ws?width=100&height=30"
        async with browser.ws_connect(address, headers=served.origin, max_msg_size=0) as socket:
            yield Reading(socket, served), served, text


@pytest.fixture
def names(made, cassette):
    return cassette(*hostile(made), name=NAME)


async def pressed_through(path, *before):
    """All that came to a page while a person went past everything in it."""
    async with page(path) as (reading, served, _):
        await reading.until(b"Threads")
        await reading.watch(0.5)
        for keys in (*before, *EVERYWHERE):
            await reading.type(keys)
            await reading.watch(0.12)
        assert served.process.poll() is None
        assert reading.said == []
        return reading.drawn


@pytest.mark.parametrize("brought", [EVIL, "\x1b[6;66r", "\x1b]0;t\x07", "\x9b31m", "a\u202eb", "\x1bc", "\x0e"])
def test_what_is_looked_for_would_be_found(brought):
    with pytest.raises(AssertionError):
        harmless(f"\x1b[1;31mshown{brought}\x1b[0m".encode())


async def test_no_name_acts_on_the_terminal_of_the_page(names):
    drawn = await pressed_through(names)
    harmless(drawn)
    told = drawn.decode()
    for shown in ("run_0", "tool_0", "model_0", "Copy of", "Export of", "write to", "\\x1b]52;c;aGk="):
        assert shown in told, shown


async def test_no_text_acts_on_the_terminal_of_the_page(made, cassette):
    runs = [
        made.run(f"run_{number}", "failed", model=text, instructions=text, last_error={"code": text, "message": text})
        for number, text in enumerate(SEQUENCES)
    ]
    said = made.thread("thread_said", *SEQUENCES)
    path = cassette(*said, *(made.call("POST /threads/thread_said/runs", run, run) for run in runs), name=NAME)
    drawn = await pressed_through(path, b"3", *[b" "] * 45, b"1")
    harmless(drawn)
    told = drawn.decode()
    assert [text for text in SEQUENCES if safe(text, keep_newlines=True).strip()[:40] not in told] == []


async def test_what_is_copied_comes_as_base64_and_acts_on_nothing_else(names):
    async with page(names) as (reading, _, _):
        await reading.until(b"Threads")
        await reading.type(b"y")
        await reading.until(b"Copy of")
        await reading.type(b"i")
        await reading.until(b"\x1b]52;")
        await reading.watch(0.3)
    (copied,) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/]*=*)\x07", reading.drawn)
    assert copied
    harmless(reading.drawn.replace(b"\x1b]52;c;" + copied + b"\x07", b""))


async def test_the_page_holds_the_name_as_escaped_text_alone(names):
    async with page(names) as (_, _, text):
        pass
    shown = clip(NAME, 100)
    assert "<img" in shown
    assert "<img" not in text
    assert f"<title>respool inspect {html.escape(shown)}</title>" in text
    assert text.count("&lt;img") == text.count("onerror")
    assert raw(text) == []


async def test_what_an_inspector_that_cannot_start_says_is_harmless(names):
    async with serving(names) as served, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(served.link):
            pass
        names.write_bytes(EVIL.encode())
        async with browser.ws_connect(f"{served.root}/ws", headers=served.origin) as socket:
            while not (message := await socket.receive(PATIENCE)).type.name.startswith("CLOS"):
                assert message.type is not aiohttp.WSMsgType.BINARY or not raw(message.data.decode())
        served.process.terminate()
        said, narrated = await served.ended()
    assert said == ""
    assert "is not a cassette" in narrated
    assert raw(narrated) == []
    assert narrated.count("\n") == 2
