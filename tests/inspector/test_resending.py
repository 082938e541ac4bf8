"""A call sent again through a real proxy, from a live view and from a cassette."""

import json
from contextlib import nullcontext

import controlled
import pytest
from controlled import answering, upstream
from respool.cassettes.errors import UpstreamError, UsageError
from respool.cassettes.interaction import Body, Request
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.live import LiveInspector
from respool.inspector.resending import send
from respool.proxy.control.client import Client


@pytest.fixture
def heard():
    return []


@pytest.fixture
def telling(heard):
    """An upstream that answers each call with its number."""

    async def script(asked, writer):
        heard.append(asked)
        body = json.dumps({"id": "msg_1", "role": "user", "content": [], "metadata": {"answer": str(len(heard))}})
        await answering(body.encode())(asked, writer)

    return script


@pytest.fixture
def attached(tmp_path, made):
    def open_it():
        return LiveInspector(lambda: Client(str(tmp_path / "c.sock")))

    return open_it


async def test_r_sends_a_call_again_with_the_users_key_and_compares_the_answers(
    tmp_path, made, attached, telling, heard, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user-1234567890")
    async with upstream(telling) as url, controlled.recorded(tmp_path, url) as proxy:
        key = "Authorization: Bearer sk-recorded-abcdefghijklmnop"
        await proxy.call("POST", "/v1/threads/thread_a/messages", b'{"content": "hello"}', key)
        app = attached()
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.lists("createMessage")
            # A program on the same machine calls the proxy by its address, which is a name of it.
            await look.until(lambda: app._list.row is not None and app._list.row.arrival == 0)
            await look.press("r")
            await look.until(lambda: "answered 200" in look.foot("told") or len(heard) == 2)
            await look.reads('"answer": "2"')
            assert '"answer": "1"' in look.conversation
            assert "sk-of-the-user" not in look.conversation
            await look.until(lambda: "2 recorded" in look.foot("name"))
    assert b"Bearer sk-of-the-user-1234567890" in heard[1]
    assert heard[1].endswith(b'{"content": "hello"}')


async def test_an_answer_that_wants_a_key_says_which_variable_would_have_it(tmp_path, made, attached, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with (
        upstream(answering(b"{}", status=b"401 Unauthorized")) as url,
        controlled.recorded(tmp_path, url) as proxy,
    ):
        await proxy.call("GET", "/v1/threads/thread_a", b"", "Authorization: Bearer sk-recorded-abcdefghijklmnop")
        app = attached()
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.until(lambda: app._list.row is not None and app._list.row.arrival == 0)
            await look.press("r")
            await look.until(lambda: "answered 401, and OPENAI_API_KEY is not set" in look.foot("told"))
            await look.reads("the same, sent again")


async def test_capital_r_opens_it_in_the_editor_first(tmp_path, made, attached, telling, heard, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/hello/good day/' \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    async with upstream(telling) as url, controlled.recorded(tmp_path, url) as proxy:
        await proxy.call("POST", "/v1/threads/thread_a/messages", b'{"content": "hello"}')
        app = attached()
        monkeypatch.setattr(app, "suspend", nullcontext)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.until(lambda: app._list.row is not None and app._list.row.arrival == 0)
            await look.press("R")
            await look.until(lambda: len(heard) == 2)
            await look.reads("good day")
    assert heard[1].endswith(b'{"content": "good day"}')


async def test_an_editor_that_cannot_be_had_or_gives_nonsense_sends_nothing(
    tmp_path, made, attached, telling, heard, monkeypatch
):
    async with upstream(telling) as url, controlled.recorded(tmp_path, url) as proxy:
        await proxy.call("POST", "/v1/threads/thread_a/messages", b'{"content": "hello"}')
        app = attached()
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.until(lambda: app._list.row is not None and app._list.row.arrival == 0)
            await look.press("R")
            await look.until(lambda: "from a terminal alone" in look.foot("told"))
            monkeypatch.setattr(app, "suspend", nullcontext)
            for command, said in [
                ("false", "ended with 1"),
                ("/none/such", "cannot be started"),
                ("truncate -s 0", "no METHOD"),
            ]:
                monkeypatch.setenv("VISUAL", command)
                await look.press("R")
                await look.until(lambda said=said: said in look.foot("told"))
    assert len(heard) == 1


async def test_a_cassette_without_a_proxy_says_what_to_do_and_with_one_it_is_sent_there(
    tmp_path, made, cassette, telling, heard
):
    path = cassette(*made.thread("thread_a", "hello"))
    with Reader.open(path) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.lists("createThread")
            await look.reads("hello")
            await look.press("r")
            await look.until(lambda: "choose a call first" in look.foot("told"))
            await look.press("down", "r")
            await look.until(lambda: "there is no proxy to send it through" in look.foot("told"))
            async with upstream(telling) as url:
                app.through = url
                await look.press("r")
                await look.until(lambda: len(heard) == 1)
                await look.reads('"answer": "1"')
            app.through = "ftp://x"
            await look.press("r")
            await look.until(lambda: "is no URL of a proxy" in look.foot("told"))
    assert heard[0].startswith(b"POST /v1/threads HTTP/1.1")


async def test_what_was_taken_out_is_never_sent(tmp_path, made, attached, telling, heard):
    async with upstream(telling) as url, controlled.recorded(tmp_path, url) as proxy:
        body = b'{"content": "my key is sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"}'
        await proxy.call("POST", "/v1/threads/thread_a/messages", body)
        app = attached()
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.until(lambda: app._list.row is not None and app._list.row.arrival == 0)
            await look.press("r")
            await look.until(lambda: "a secret was taken out" in look.foot("told"))
    assert len(heard) == 1


def test_a_proxy_that_is_not_there_is_an_error_of_ours():
    with pytest.raises(UpstreamError):
        send("http://127.0.0.1:1", Request("GET", b"/", (), Body()))
    for way in ("", "http://", "http://x:99999", "/path"):
        with pytest.raises(UsageError):
            send(way, Request("GET", b"/", (), Body()))
