"""`respool inspect --web` in a real browser: it works under its policy, asks nobody else, and runs nothing of a cassette."""

import json
from urllib.parse import urlsplit

import pytest
from browser import browser_path, browsing
from hostile_screen import EVIL
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.summaries import summarise
from respool.cassettes.text import clip
from respool.cassettes.writer import Writer
from served import serving

pytest.importorskip("textual_serve")
pytestmark = pytest.mark.skipif(
    browser_path() is None, reason="no Chromium: sh tests/e2e/system-packages.sh installs it"
)


@pytest.fixture
def hostile(tmp_path):
    path = tmp_path / f"a{EVIL.replace('/', '')}.cassette"
    body = Body.of(json.dumps({"id": f"thread_a{EVIL}", "metadata": {EVIL: EVIL}}).encode())
    request = Request("POST", b"/v1/threads", (), body)
    with Writer.create(path) as writer:
        call = Interaction(0, 1_700_000_000_000_000, request, Response(200, b"OK", (), body), End.COMPLETE)
        writer.append(call, summarise(call))
    return path


async def test_the_page_draws_takes_keys_and_asks_nobody_else(hostile):
    async with serving(hostile) as served, browsing() as page:
        await page.visit(served.link)
        await page.until("document.body.classList.contains('-first-byte')")
        assert await page.run("document.title") == f"respool inspect {clip(hostile.name, 100)}"
        assert await page.run("document.querySelectorAll('img').length") == 0
        assert len(served.children()) == 1
        await page.run("document.querySelector('.xterm-helper-textarea').focus()")
        await page.press("q")
        await page.until("document.body.classList.contains('-closed')")
        assert {urlsplit(address).netloc for address in page.requests} == {urlsplit(served.root).netloc}
    # Chromium says that it draws without a graphics card, and looks for an icon.
    assert [told for told in page.complaints if "WebGL" not in told and "404" not in told] == []


async def test_a_page_whose_inspector_cannot_start_says_that_it_ended(hostile):
    async with serving(hostile) as served, browsing() as page:
        hostile.write_text("no cassette any more")
        await page.visit(served.link)
        await page.until("document.body.classList.contains('-closed')")
        shown = "getComputedStyle(document.querySelector('.closed-dialog')).display"
        assert await page.run(shown) == "flex"
