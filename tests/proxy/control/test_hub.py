"""What who looks on is told of answers that were not recorded: by faults, and of sessions that lead nowhere."""

import asyncio
import json
from urllib.parse import urlsplit

from controlled import controlled
from recorded_calls import write_cassette
from respool.cassettes.faults import Faults
from respool.cassettes.folder import Folder
from respool.proxy.control.hub import Hub
from respool.proxy.library import Library
from respool.proxy.replay import Replayer
from respool.proxy.shelf import Shelf

SECRET = "sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"
THREAD = b"/v1/threads/thread_1"
RUN = THREAD + b"/runs/run_1"
RUNNING = {"object": "thread.run", "id": "run_1", "thread_id": "thread_1"}


def run(status):
    return json.dumps(RUNNING | {"status": status}).encode()


def cassette(folder):
    return write_cassette(
        folder / "refund.cassette",
        [
            ("POST", b"/v1/threads", b"{}", b'{"id": "thread_1", "object": "thread"}', 200),
            ("POST", THREAD + b"/runs", b"{}", run("queued"), 200),
            ("GET", RUN, b"", run("in_progress"), 200),
            ("GET", RUN, b"", run("completed"), 200),
            ("GET", THREAD + b"/messages", b"", b'{"object": "list", "data": []}', 200),
        ],
    )


async def told(one):
    """The calls that have ended, and each as it can be read."""
    calls = (await one.ask(one.client.calls)).calls
    return calls, [await one.ask(one.client.call, each.number) for each in calls]


async def test_an_injected_status_is_told_as_an_answer_of_a_fault(replayed, tmp_path):
    rule = "createThread#1: status 429"
    async with replayed(cassette(tmp_path), faults=Faults([rule])) as one:
        with one.hub.log:
            asked = f'{{"metadata": {{"key": "{SECRET}"}}}}'.encode()
            got = await one.call("POST", "/@gw1/v1/threads", asked, f"Authorization: Bearer {SECRET}")
            lines, _ = one.hub.log.read(0)
        assert b" 429 " in got
        (call,), (read,) = await told(one)
        assert (call.how, call.status, call.noted, call.record) == ("fault", 429, rule, None)
        assert (call.session, call.scope) == ("gw1", "/threads")
        assert read.response.body.read() == got.partition(b"\r\n\r\n")[2]
        assert read.extra["fault"] == rule
        assert SECRET not in repr(read)
        kinds = [json.loads(line)["kind"] for line in lines.splitlines()]
        assert kinds[-2:] == ["call-begun", "call-finished"]
        assert SECRET.encode() not in lines
        snapshot = await one.ask(one.client.snapshot)
        assert (snapshot.faults, snapshot.hits, snapshot.misses) == (1, 0, 0)


async def test_a_call_that_is_made_to_wait_is_told_with_the_fault_and_as_recorded(replayed, tmp_path):
    rule = "listMessages: delay 1ms"
    async with replayed(cassette(tmp_path), faults=Faults([rule])) as one:
        await one.call("GET", "/v1/threads/thread_1/messages")
        (call,), (read,) = await told(one)
        assert (call.how, call.noted, read.extra["fault"]) == ("ahead", rule, rule)


async def test_a_run_that_a_fault_ends_is_told_as_its_client_saw_it(replayed, tmp_path):
    async with replayed(cassette(tmp_path), faults=Faults(["run: expired"])) as one:
        await one.call("POST", "/v1/threads", b"{}")
        await one.call("POST", "/v1/threads/thread_1/runs", b"{}")
        got = [await one.call("GET", RUN.decode()) for _ in range(3)]
        assert b'"expired"' in got[-1]
        calls, read = await told(one)
        assert [call.how for call in calls[:2]] == ["exact", "exact"]
        assert calls[-1].how == "fault"
        assert calls[-1].scope == "thread_1"
        assert read[-1].response.body.read() == got[-1].partition(b"\r\n\r\n")[2]
        assert read[-1].extra["fault"] == "run: expired"


async def test_a_client_that_leaves_while_a_fault_makes_it_wait_is_told_as_lost(replayed, tmp_path):
    rules = ["createThread: delay 600s", "createThread: status 500"]
    async with replayed(cassette(tmp_path), faults=Faults(rules)) as one:
        with one.hub.log:
            _, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(b"POST /v1/threads HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\n{}")
            await one.until(lambda: one.hub.snapshot()["running"])
            writer.close()
            await one.until(lambda: not one.hub.snapshot()["running"])
            lines, _ = one.hub.log.read(0)
        assert json.loads(lines.splitlines()[-1])["kind"] == "call-lost"
        assert one.hub.faults == 0


async def test_calls_of_a_session_without_a_cassette_are_told_as_misses(tmp_path):
    cassette(tmp_path)
    said = []
    hub = Hub("replay", cassettes=(tmp_path,))
    shelf = Shelf(Folder(tmp_path), replayer=lambda reader: Replayer(reader, narrate=said.append), narrate=said.append)
    library = Library(resolver=shelf, narrate=said.append, hub=hub)
    try:
        async with controlled(library, hub, str(tmp_path / "c.sock"), said) as one:
            with hub.log:
                await one.call("GET", f"/@{SECRET}/v1/threads/thread_1/messages?api_key={SECRET}")
                lines, _ = hub.log.read(0)
            (call,), (read,) = await told(one)
            assert (call.how, call.status, call.method) == ("miss", 404, "GET")
            assert urlsplit(call.target).path.endswith("/threads/thread_1/messages")
            assert b"no_cassette" in read.response.body.read()
            assert SECRET.encode() not in lines
            assert SECRET not in repr(read)
            miss = next(said for line in lines.splitlines() if (said := json.loads(line))["kind"] == "miss")
            assert "names no cassette" in miss["why"]
            assert (await one.ask(one.client.snapshot)).misses == 1
    finally:
        shelf.close()
