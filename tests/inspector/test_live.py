"""The inspector attached to real proxies over real sockets, by Pilot."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from functools import partial

import controlled
import pytest
from controlled import answering, streaming, upstream
from respool.cassettes.reader import Reader
from respool.inspector.live import LiveInspector
from respool.inspector.outline import Kind
from respool.inspector.tabs import Tab
from respool.proxy.control.client import Client

HOSTILE = "\x1b]52;c;aGk=\x07\u202eevil[/b]"


@pytest.fixture
def recorded(tmp_path):
    return partial(controlled.recorded, tmp_path)


@pytest.fixture
def attached(made, tmp_path):
    """The inspector, attached to the proxy on the socket of the test's folder."""

    @asynccontextmanager
    async def open_it(*, size=(120, 36)):
        app = LiveInspector(lambda: Client(str(tmp_path / "c.sock")))
        async with app.run_test(size=size, notifications=True) as pilot:
            yield made.Looking(app, pilot)

    return open_it


def delta(word):
    value = {"id": "msg_1", "object": "thread.message.delta"}
    value["delta"] = {"content": [{"index": 0, "type": "text", "text": {"value": word}}]}
    return b"event: thread.message.delta\ndata: " + json.dumps(value).encode() + b"\n\n"


def created():
    run = {"id": "run_1", "object": "thread.run", "status": "in_progress", "thread_id": "thread_a"}
    message = {"id": "msg_1", "object": "thread.message", "role": "assistant", "status": "in_progress", "content": []}
    return (
        b"event: thread.run.created\ndata: " + json.dumps(run).encode() + b"\n\nevent: thread.message.created\ndata: "
        + json.dumps(message).encode() + b"\n\n"
    )  # fmt: skip


async def numbered(asked, writer):
    """Each thread that is created is another; all else is a message."""
    numbered.threads = getattr(numbered, "threads", 0)
    if asked.startswith(b"POST /v1/threads "):
        numbered.threads += 1
        body = json.dumps({"id": f"thread_{numbered.threads}", "object": "thread"}).encode()
    else:
        body = json.dumps({"id": "msg_x", "role": "user", "content": []}).encode()
    await answering(body)(asked, writer)


@pytest.fixture(autouse=True)
def _from_one():
    numbered.threads = 0


async def test_threads_and_calls_appear_as_they_come_and_the_head_counts_them(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE 127.0.0.1:" in look.foot("name"))
        assert "record · live.cassette · 0 recorded" in look.foot("name")
        await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("▾ thread_1")
        await look.lists("createThread")
        await look.until(lambda: "1 recorded" in look.foot("name"))
        await proxy.call("POST", "/v1/threads", b'{"messages": [{"role": "user", "content": "Where is it?"}]}')
        await look.lists("▾ thread_2")
        await look.reads("Where is it?")


async def test_what_was_there_before_is_there_too_and_raw_bytes_are_fetched(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy:
        await proxy.call(
            "POST", "/v1/threads", b'{"metadata": {"order": "118"}}', "Authorization: Bearer sk-12345678901234567890"
        )
        async with attached() as look:
            await look.lists("createThread")
            await look.press("5")
            await look.reads('"order": "118"')
            assert "Bearer REDACTED" in look.conversation


async def test_a_stream_grows_on_the_screen(recorded, attached):
    go = asyncio.Semaphore(0)
    pieces = [created(), delta("Your "), delta("order "), delta("has "), delta("shipped.")]
    async with upstream(streaming(pieces, go)) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        call = asyncio.ensure_future(proxy.call("POST", "/v1/threads/thread_a/runs", b'{"stream": true}'))
        for _ in range(3):
            go.release()
        await look.reads("Your order")
        assert "shipped" not in look.conversation
        await look.lists("… run 1 in_progress")
        assert not call.done()
        go.release()
        await look.reads("Your order has")
        go.release()
        await call
        await look.reads("Your order has shipped.")


async def test_a_miss_is_a_row_and_w_tells_why(recorded, attached, tmp_path):
    async with upstream(numbered) as url, recorded(url) as proxy:
        await proxy.call("POST", "/v1/threads", b"{}")
        await proxy.call("POST", "/v1/threads/thread_1/messages", b'{"content": "hello"}')
    async with controlled.replayed(tmp_path, tmp_path / "live.cassette") as proxy:
        await proxy.call("POST", "/v1/threads/thread_1/messages", b'{"content": "before"}')
        async with attached() as look:
            await look.until(lambda: "1 miss" in look.foot("name"))
            await proxy.call("POST", "/v1/threads", b"{}")
            await proxy.call("POST", "/v1/threads/thread_1/messages", json.dumps({"content": HOSTILE}).encode())
            await look.until(lambda: "1 hit 2 misses" in look.foot("name"))
            await look.lists("! MISS POST /messages  why? w")
            await look.press("G")
            assert look.app._list.row.kind is Kind.MISS
            await look.press("w")
            await look.reads("recorded  ")
            assert "hello" in look.conversation
            assert "\x1b" not in look.conversation
            await look.press("5")
            await look.reads("! 502")
            for key, said in (("7", "Nothing was taken out of"), ("8", "attached to"), ("6", "Mark a row with m")):
                await look.press(key)
                await look.reads(said)
            first = next(row for row in look.app._outline.rows if row.kind is Kind.MISS)
            look.app._list.go(look.app._outline.rows.index(first))
            await look.press("w")
            await look.reads("No recording answers")  # of one from before, what its client was told


async def test_each_session_has_a_thread_of_its_own_and_a_miss_stands_behind_it(recorded, attached, tmp_path):
    async with upstream(numbered) as url, recorded(url) as proxy:
        await proxy.call("POST", "/v1/threads", b"{}")
        (name,) = {call.scope for call in (await proxy.ask(proxy.client.calls)).calls}
        await proxy.call("GET", f"/v1/threads/{name}")
    async with controlled.replayed(tmp_path, tmp_path / "live.cassette") as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        await proxy.call("POST", "/@gw3/v1/threads", b"{}")
        await proxy.call("GET", f"/@gw3/v1/threads/{name}")
        await proxy.call("POST", f"/@gw3/v1/threads/{name}/messages", b'{"content": "new"}')
        await look.lists("MISS POST /messages")
        rows = [row for row in look.app._outline.rows if row.depth == 0]
        assert [(row.kind, row.scope) for row in rows] == [
            (Kind.THREAD, f"{name} @gw3"), (Kind.MISS, f"{name} @gw3"),
        ]  # fmt: skip


async def test_the_cursor_at_the_end_follows_and_lets_go_when_it_is_moved(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        for _ in range(3):
            await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("▾ thread_3")
        await look.until(lambda: look.app._list.cursor == len(look.app._outline.rows) - 1)
        await look.press("g")
        assert look.app._list.row.scope == "thread_1"
        for _ in range(4):
            await proxy.call("POST", "/v1/threads", b"{}")
        await look.until(lambda: "▼ 4 new (G to follow)" in str(look.app._list.border_subtitle))
        assert look.app._list.row.scope == "thread_1"
        assert look.app._list.cursor == 0
        await look.press("G")
        await look.until(lambda: look.app._list.row.scope == "thread_7")
        assert "new" not in str(look.app._list.border_subtitle)


async def test_keys_in_an_empty_list_do_not_let_go(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        await look.press("j", "k", "G")
        await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("▾ thread_1")


async def test_the_chosen_row_stays_where_it_is_when_rows_come_in_above(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached(size=(100, 14)) as look:
        for _ in range(12):
            await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("thread_12")
        outline, pane = look.app._outline, look.app._list
        first = next(row for row in outline.rows if row.scope == "thread_1")
        pane.go(outline.rows.index(first))
        await look.until(lambda: not look.app.desk.busy and not look.app._opening)
        if not outline.is_open(first):  # it was opened when it was the newest, if the cursor followed in time
            await look.press("enter")
        await look.until(lambda: outline.is_open(first))
        pane.go(next(at for at, row in enumerate(outline.rows) if row.scope == "thread_11"))
        await look.pilot.pause(0.3)
        kept, at = pane.row, pane.cursor - round(pane.scroll_y)
        for _ in range(5):
            await proxy.call("POST", "/v1/threads/thread_1/messages", b"{}")
        await look.until(lambda: sum(row.scope == "thread_1" for row in outline.rows) == 7)
        await look.pilot.pause(0.2)
        assert pane.row == kept
        assert pane.cursor - round(pane.scroll_y) == at


async def test_a_pause_lets_what_comes_wait_and_goes_on_with_it(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        await look.press("p")
        await proxy.call("POST", "/v1/threads", b"{}")
        await look.until(lambda: look.app.feed.waiting >= 3)
        await look.pilot.pause(0.3)
        assert look.foot("name").index("PAUSED, ") < look.foot("name").index("LIVE"), "the end may not fit"
        assert "thread_1" not in look.list
        await look.press("p")
        await look.lists("thread_1")
        assert "PAUSED" not in look.foot("name")


async def test_a_pause_that_is_too_long_ends_with_a_new_snapshot(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        look.app.feed._most = 10
        await look.press("p")
        for _ in range(8):
            await proxy.call("POST", "/v1/threads", b"{}")
        await look.until(lambda: look.app.feed.full)
        await look.pilot.pause(0.3)
        assert "+ waiting" in look.foot("name")
        assert look.app.feed.waiting <= 11
        await look.press("p")
        await look.lists("thread_8")


async def test_a_proxy_that_is_started_again_is_found_again(recorded, attached):
    async with upstream(numbered) as url:
        async with recorded(url, name="one.cassette") as proxy:
            context = attached()
            look = await context.__aenter__()
            try:
                await proxy.call("POST", "/v1/threads", b"{}")
                await look.lists("thread_1")
            except BaseException:
                await context.__aexit__(None, None, None)
                raise
        try:
            await look.until(lambda: "lost · trying again" in look.foot("name"))
            assert "thread_1" in look.list
            async with recorded(url, name="two.cassette") as proxy:
                await look.until(lambda: "LIVE" in look.foot("name") and "lost" not in look.foot("name"))
                await proxy.call("POST", "/v1/threads", b"{}")
                await look.lists("thread_2")
                assert "thread_1" not in look.list
                assert "two.cassette · 1 recorded" in look.foot("name")
        finally:
            await context.__aexit__(None, None, None)


async def test_a_slow_screen_reads_the_snapshot_again_and_misses_nothing(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        proxy.hub.log._most = 4
        for _ in range(30):
            await asyncio.gather(*(proxy.call("POST", "/v1/threads", b"{}") for _ in range(3)))
        await look.until(lambda: "90 recorded" in look.foot("name"))
        await look.until(lambda: len(look.app.live) == 90)
        assert {row.scope for row in look.app._outline.rows} >= {f"thread_{number}" for number in range(1, 91)}


async def test_a_call_that_the_proxy_no_longer_knows_is_shown_by_what_its_row_told(recorded, attached):
    async with upstream(numbered) as url, recorded(url, keep=False) as proxy:
        await proxy.call("POST", "/v1/threads", b"{}")
        memory = next(iter(proxy.hub._kept)).source
        memory._kept.clear()
        async with attached() as look:
            await look.lists("createThread")
            await look.press("5")
            await look.reads("POST /v1/threads")


async def test_hostile_text_reaches_the_screen_visibly(recorded, attached):
    body = json.dumps({"id": "thread_1", "object": "thread", "metadata": {"y": HOSTILE}}).encode()
    async with upstream(answering(body)) as url, recorded(url) as proxy, attached() as look:
        await proxy.call("POST", f"/v1/threads?{'%1b[2J'}", json.dumps({"metadata": {"x": HOSTILE}}).encode())
        await look.lists("createThread")
        for key in "345":
            await look.press(key)
            await look.pilot.pause(0.2)
            shown = look.list + look.conversation + look.foot("name") + look.foot("told")
            assert not {"\x1b", "\x07", "\u202e"} & set(shown)


async def test_help_tells_the_keys_of_a_live_view(recorded, attached):
    async with upstream(numbered) as url, recorded(url), attached() as look:
        await look.press("question_mark")
        shown = str(look.app.screen.query("Static").first().render())
        assert "let a held call go on" in shown


async def test_the_panel_that_is_looked_at_keeps_its_tab_while_it_grows(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("createThread")
        await look.press("4")
        await proxy.call("POST", "/v1/threads/thread_1/messages", b"{}")
        await look.lists("createMessage")
        assert look.app._text.tab is Tab.TOOLS


async def test_leaving_ends_the_thread_that_reads_events(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy:
        async with attached() as look:
            await look.until(lambda: proxy.hub.log.watched)
            feed = look.app.feed
        assert not feed._thread.is_alive()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while proxy.hub.log.watched:
                    await proxy.call("GET", "/v1/threads/x")
        assert not proxy.hub.log.watched


@pytest.mark.parametrize("form", ["cassette", "har", "html", "markdown", "jsonl", "pytest"])
async def test_what_is_seen_can_be_written_to_a_file(recorded, attached, tmp_path, form):
    from respool.inspector.takeaway import EXPORTS

    key, ending = next((key, ending) for key, (name, ending) in EXPORTS.items() if name == form)
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await proxy.call("POST", "/v1/threads", b'{"metadata": {"order": "118"}}')
        await look.lists("createThread")
        look.app._list.go(0)
        await look.press("x", key)
        path = tmp_path / f"taken{ending}"
        look.app._exporting = EXPORTS[key][0]
        look.app.save_to(str(path))
        await look.until(lambda: "written to" in look.foot("told") or "!" in look.foot("told"))
        assert "1 call written to" in look.foot("told")
        assert any(word in path.read_bytes() for word in (b"thread_1", b"118"))
    if form == "cassette":
        with Reader.open(path) as reader:
            (call,) = map(reader.interaction, reader.rows())
            assert call.scope == "thread_1"


@pytest.mark.parametrize("key", ["c", "p", "t", "m", "i", "b"])
async def test_what_is_seen_can_be_copied(recorded, attached, key):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await proxy.call("POST", "/v1/threads", b'{"metadata": {"order": "118"}}')
        await look.lists("createThread")
        look.app._list.go(0)
        await look.press("y", key)
        await look.until(lambda: "copied" in look.foot("told") or "!" in look.foot("told"))


async def test_a_filter_finds_what_comes_after_it_was_set(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await proxy.call("POST", "/v1/threads", b"{}")
        await look.lists("thread_1")
        await look.press("slash", *"op:createMessage", "enter")
        await look.until(lambda: "0 of 1 calls" in look.foot("status"))
        assert "thread_1" not in look.list
        await proxy.call("POST", "/v1/threads", b"{}")
        await proxy.call("POST", "/v1/threads/thread_2/messages", b'{"content": "x"}')
        await look.lists("thread_2")
        await look.until(lambda: "1 of 3 calls" in look.foot("status"))
        await look.lists("createMessage")
        assert "createThread" not in look.list
        assert "thread_1" not in look.list
        await proxy.call("POST", "/v1/threads/thread_2/messages", b'{"content": "y"}')
        await look.until(lambda: look.list.count("createMessage") == 2)  # in a thread that is open
        await look.press("backslash")
        await look.lists("thread_1")


async def test_free_words_find_bodies_that_come_later(recorded, attached):
    async with upstream(numbered) as url, recorded(url) as proxy, attached() as look:
        await look.until(lambda: "LIVE" in look.foot("name"))
        await look.press("slash", *"whale", "enter")
        await proxy.call("POST", "/v1/threads", b"{}")
        await proxy.call("POST", "/v1/threads/thread_1/messages", b'{"content": "a whale"}')
        await look.until(lambda: "1 of 2 calls" in look.foot("status"))
        await look.lists("createMessage")


async def test_a_filter_goes_on_over_a_proxy_that_was_started_again(recorded, attached):
    async with upstream(numbered) as url:
        async with recorded(url) as proxy, attached() as look:
            await look.until(lambda: "LIVE" in look.foot("name"))
            await look.press("slash", *"op:createMessage", "enter")
            await proxy.call("POST", "/v1/threads/thread_old/messages", b"{}")
            await look.lists("thread_old")
            look.app.feed._instance = ""
            look.app._snapshot = look.app._snapshot.model_copy(update={"instance": "another"})
            look.app.feed._events.close()
            await look.until(lambda: look.app._snapshot.instance != "another")
            await proxy.call("POST", "/v1/threads/thread_new/messages", b"{}")
            await look.lists("thread_new")
            await look.until(lambda: "2 of 2 calls" in look.foot("status"))
