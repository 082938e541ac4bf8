"""The inspector in a browser, spoken to as a browser does: the link, the cookie, the page and the web socket."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import controlled
import pytest
from nursery import run
from served import PATIENCE, serving

pytest.importorskip("textual_serve")


@pytest.fixture
async def served(made, cassette):
    async with serving(cassette(*made.refund())) as one:
        yield one


@pytest.fixture
async def browser():
    """Keeps cookies of addresses too, as browsers do."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def told(socket, text):
    """Read what the inspector draws until it has this."""
    seen = b""
    while text not in seen:
        message = await socket.receive(PATIENCE)
        assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, message
        seen += message.data if isinstance(message.data, bytes) else message.data.encode()
    return seen


async def test_the_link_gives_a_cookie_for_the_page_and_its_socket(served, browser):
    async with browser.get(served.link) as page:
        text = await page.text()
    assert page.status == 200
    assert page.url.path == "/"
    assert f"{served.root.replace('http', 'ws')}/ws" in text
    assert (
        "connect-src" in page.headers["Content-Security-Policy"]
        or "default-src 'self'" in page.headers["Content-Security-Policy"]
    )
    assert page.headers["Cache-Control"] == "no-store"
    given = page.history[0].headers["Set-Cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    async with browser.get(f"{served.root}/static/js/textual.js") as script:
        assert script.status == 200
    async with browser.ws_connect(f"{served.root}/ws?width=100&height=30", headers=served.origin) as socket:
        await told(socket, b"thread_a")
        await socket.send_json(["stdin", "?"])
        await told(socket, b"In the list")
        assert len(served.children()) == 1
    while served.children():
        await asyncio.sleep(0.05)


async def test_the_link_works_once(served, browser):
    async with browser.get(served.link) as page:
        assert page.status == 200
    async with aiohttp.ClientSession() as other, other.get(served.link) as again:
        assert again.status == 403
        assert "works once" in await again.text()
    async with browser.get(served.root) as page:
        assert page.status == 200


async def test_without_the_cookie_nothing_is_served_and_no_inspector_starts(served, browser):
    for path in ("/", "/static/js/textual.js", "/download/x", "/nothing"):
        async with browser.get(served.root + path) as answer:
            assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.ws_connect(f"{served.root}/ws", headers=served.origin)
    assert refused.value.status == 403
    assert served.children() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "http://evil.test"}, 403), ({}, 403), ({"Host": "evil.test"}, 421), ({"Origin": "null"}, 403)],
)
async def test_a_socket_of_another_page_is_refused_even_with_the_cookie(served, browser, headers, status):
    async with browser.get(served.link):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.ws_connect(f"{served.root}/ws", headers=headers)
    assert refused.value.status == status
    assert served.children() == []


@pytest.mark.parametrize("raw", [b"GET /%b HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nCookie %b: x\r\n\r\n", b"%b\r\n\r\n"])
async def test_a_request_that_cannot_be_parsed_is_neither_echoed_nor_logged(served, raw):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.root.rpartition(":")[2]))
    writer.write(raw.replace(b"%b", b"sk-planted-0123456789"))
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    served.process.send_signal(signal.SIGINT)
    said = "".join(await served.ended())
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"planted" not in answer
    assert "planted" not in said
    assert "Traceback" not in said


async def test_what_is_no_message_ends_the_page_and_nothing_else(served, browser):
    async with browser.get(served.link):
        pass
    for text in ("{", "[]", '["stdin"]', '{"a": 1}', '["resize", 3]', "[[[["):
        async with browser.ws_connect(f"{served.root}/ws", headers=served.origin) as socket:
            await socket.send_str(text)
            while (await socket.receive(PATIENCE)).type is not aiohttp.WSMsgType.CLOSE:
                pass
    async with browser.get(served.root) as page:
        assert page.status == 200


async def test_at_most_eight_inspectors_run_at_a_time(served, browser, monkeypatch):
    async with browser.get(served.link):
        pass
    sockets = [await browser.ws_connect(f"{served.root}/ws", headers=served.origin) for _ in range(8)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.ws_connect(f"{served.root}/ws", headers=served.origin)
    assert refused.value.status == 503
    for socket in sockets:
        await socket.close()


async def test_the_end_takes_open_pages_along_and_says_nothing(served, browser):
    async with browser.get(served.link):
        pass
    async with browser.ws_connect(f"{served.root}/ws", headers=served.origin) as socket:
        await told(socket, b"thread_a")
        inspectors = served.children()
        served.process.send_signal(signal.SIGTERM)
        said, narrated = await served.ended()
    assert served.process.returncode == 0
    assert said == ""
    assert narrated.count("\n") == 1
    for pid in inspectors:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_server_that_is_killed_leaves_no_inspector(served, browser):
    async with browser.get(served.link):
        pass
    async with browser.ws_connect(f"{served.root}/ws", headers=served.origin) as socket:
        await told(socket, b"thread_a")
        (inspector,) = served.children()
        served.process.kill()
        await served.ended()
    while Path(f"/proc/{inspector}").exists() and "Z" not in Path(f"/proc/{inspector}/stat").read_text().split()[2]:
        await asyncio.sleep(0.05)


async def test_a_running_proxy_is_shown_as_it_is_on_a_terminal(browser, tmp_path):
    async with (
        controlled.upstream(controlled.answering(b'{"id": "msg_1"}')) as url,
        controlled.recorded(tmp_path, url) as proxy,
        serving(tmp_path / "c.sock") as served,
    ):
        async with browser.get(served.link):
            pass
        async with browser.ws_connect(f"{served.root}/ws", headers=served.origin) as socket:
            await told(socket, b"LIVE")
            await proxy.call("GET", "/v1/threads/thread_seen_live", b"")
            await told(socket, b"thread_seen_live")


def test_what_is_no_cassette_is_said_before_a_page_is_opened(tmp_path):
    path = tmp_path / "a.cassette"
    path.write_text("hello")
    done = run(["inspect", "--web", str(path)], timeout=PATIENCE, environment=os.environ)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_a_mistake_in_use(made, cassette):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = ["inspect", "--web", "--port", port, str(cassette(*made.refund()))]
        done = run(command, timeout=PATIENCE, environment=os.environ)
    assert done.returncode == 2
    assert "--port 0 takes a free one" in done.stderr
