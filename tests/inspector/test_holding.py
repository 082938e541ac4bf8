"""Held calls in a live view: their rows, and what the keys do, against a real proxy."""

import asyncio
import json
from contextlib import asynccontextmanager, nullcontext

import controlled
import pytest
from controlled import answering, upstream
from respool.cassettes.reader import Reader
from respool.inspector.live import LiveInspector
from respool.inspector.outline import Kind
from respool.proxy.control.client import Client
from textual import events


@pytest.fixture
def heard():
    return []


@pytest.fixture
def held_back(tmp_path, made, heard):
    """A proxy, the inspector attached to it, and the upstream that hears what goes on."""

    @asynccontextmanager
    async def open_it():
        async def script(asked, writer):
            heard.append(asked)
            await answering(b'{"id": "msg_1", "role": "user", "content": []}')(asked, writer)

        async with upstream(script) as url, controlled.recorded(tmp_path, url) as proxy:
            app = LiveInspector(lambda: Client(str(tmp_path / "c.sock")))
            async with app.run_test(size=(140, 36), notifications=True) as pilot:
                look = made.Looking(app, pilot)
                await look.until(lambda: "LIVE" in look.foot("name"))
                yield proxy, look

    return open_it


def message(proxy, text="hello"):
    body = json.dumps({"content": text}).encode()
    return asyncio.ensure_future(proxy.call("POST", "/v1/threads/thread_a/messages", body))


async def hold(look, text="method:POST"):
    await look.press("i", *text.replace(":", "~").replace("~", ":"), "enter")
    await look.until(lambda: "holding method:POST" in look.foot("name"))


async def choose_held(look):
    rows = look.app._outline.rows
    await look.until(lambda: any(row.kind is Kind.HELD for row in rows))
    look.app._list.go(next(at for at, row in enumerate(rows) if row.kind is Kind.HELD))
    await look.pilot.pause()


async def test_keys_behind_the_enter_of_a_filter_to_hold_back_act_in_the_list(held_back):
    async with held_back() as (_, look):
        await look.until(lambda: "attaching" not in look.foot("name"))
        for key in ("i", *"method", "colon", *"POST", "enter", "p"):
            look.app.post_message(events.Key(key, {"colon": ":"}.get(key, key if len(key) == 1 else None)))
        await look.until(lambda: look.app.paused)
        await look.until(lambda: any(said == "holding back method:POST" for _, said in look.app.log_lines))


async def test_a_held_call_is_a_row_that_takes_neither_focus_nor_cursor_and_u_releases_it(held_back, heard, tmp_path):
    async with held_back() as (proxy, look):
        await proxy.call("GET", "/v1/threads/thread_a")
        await look.lists("getThread")
        before = look.app.focused, look.app._list.row
        await hold(look)
        call = message(proxy)
        await look.lists("⏸ HELD POST /messages")
        await look.until(lambda: "1 held" in look.foot("name"))
        assert look.app._list.row.kind is not Kind.HELD
        assert look.app.focused is before[0]
        await look.press("u")
        assert "this is no held call" in look.foot("told")
        assert not call.done()
        await choose_held(look)
        await look.reads('{"content": "hello"}')
        assert "it goes on by itself in" in look.conversation
        await look.press("8")
        await look.reads("held: POST")
        await look.press("3", "1", "u")
        assert (await call).startswith(b"HTTP/1.1 200")
        await look.until(lambda: "HELD" not in look.list)
        await look.lists("⏸ held")
    assert len(heard) == 2


async def test_capital_u_edits_it_first_and_the_raw_panel_shows_what_was_sent(held_back, heard, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/hello/good day/' \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    async with held_back() as (proxy, look):
        monkeypatch.setattr(look.app, "suspend", nullcontext)
        await hold(look)
        call = message(proxy)
        await choose_held(look)
        await look.press("U")
        await call
        await look.until(lambda: any(row.arrival == 0 and row.kind is Kind.EXCHANGE for row in look.app._outline.rows))
        rows = look.app._outline.rows
        look.app._list.go(next(at for at, row in enumerate(rows) if row.arrival == 0))
        await look.press("5")
        await look.reads("then sent on edited")
        assert "good day" in look.conversation
    assert heard[0].endswith(b'{"content": "good day"}')
    with Reader.open(tmp_path / "live.cassette") as reader:
        (call,) = map(reader.interaction, reader.rows())
        assert call.extra["intercepted"]["what"] == "edited"


async def test_capital_x_drops_it(held_back, heard):
    async with held_back() as (proxy, look):
        await hold(look)
        call = message(proxy)
        await choose_held(look)
        await look.press("X")
        assert (await call).startswith(b"HTTP/1.1 502")
        await look.until(lambda: "HELD" not in look.list)
    assert heard == []


async def test_an_empty_filter_ends_it_and_a_bad_one_is_told(held_back, heard):
    async with held_back() as (proxy, look):
        await hold(look)
        call = message(proxy)
        await look.lists("⏸ HELD")
        await look.press("i", "ctrl+u", "enter")
        assert (await call).startswith(b"HTTP/1.1 200")
        await look.until(lambda: "holding" not in look.foot("name"))
        await look.press("i", *"nonsense((", "enter")
        assert "^" in look.foot("advice"), "a mistake is shown while it can be mended"
        await look.press("ctrl+u", *"met", "tab", *"PO", "tab")
        assert look.app.query_one("#line").value == "method:POST"
    assert len(heard) == 1


async def test_what_was_held_before_is_there_when_one_attaches(tmp_path, made, heard):
    async with upstream(answering(b"{}")) as url, controlled.recorded(tmp_path, url) as proxy:
        await proxy.ask(proxy.client.intercept, "method:POST")
        call = message(proxy)
        await proxy.until(lambda: proxy.hub.interception.held)
        app = LiveInspector(lambda: Client(str(tmp_path / "c.sock")))
        async with app.run_test(size=(140, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.lists("⏸ HELD POST /messages")
            head = look.foot("name")
            assert head.index("holding method:POST, 1 held") < head.index("LIVE"), "the end may not fit"
            await proxy.ask(proxy.client.release, 0)
            await call
            await look.until(lambda: "HELD" not in look.list)
