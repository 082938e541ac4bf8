"""The sandbox as a server: base paths, headers, seeds, counting, and a clean stop."""

import asyncio
import re
import socket

import aiohttp
import pytest
from respool.cassettes.errors import UsageError
from respool.proxy.sandbox.clock import Calendar, ManualClock, WallClock
from respool.proxy.sandbox.names import Names
from respool.proxy.sandbox.script import ScriptError
from respool.proxy.sandbox.server import MAX_SEEN, Sandbox, serve_sandbox

KEY = {"Authorization": "Bearer test"}
QUESTION = {"messages": [{"role": "user", "content": "Where is order 118?"}]}


@pytest.mark.parametrize(
    "base", ["", "/v1", "/openai", "/openai/v1", "/api/projects/demo", "/api/projects/demo/openai/v1"]
)
async def test_the_same_paths_below_every_base(api2, base):
    thread = (await api2.call("POST", f"{base}/threads?api-version=v1")).payload
    assert (await api2.call("GET", f"{base}/threads/{thread['id']}")).payload == thread


async def test_answers_have_the_hosts_headers(api2):
    reply = await api2.call("POST", "/v1/threads", {})
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["openai-version"] == "2020-10-01"
    assert reply.headers["openai-organization"] == "sandbox-org"
    assert reply.headers["openai-processing-ms"].isdigit()
    assert re.fullmatch(r"req_[0-9a-f]{32}", reply.headers["x-request-id"])
    assert "openai-poll-after-ms" not in reply.headers


async def test_a_run_says_when_to_poll_until_it_is_over(api2):
    run = await api2.run()
    path = f"/v1/threads/{run['thread_id']}/runs/{run['id']}"
    assert int((await api2.call("GET", path)).headers["openai-poll-after-ms"]) > 0
    api2.clock.advance(5)
    assert "openai-poll-after-ms" not in (await api2.call("GET", path)).headers


async def converse(seed, gap):
    """A short conversation over real time, with a pause between two polls; all its bytes, but for the polls' number."""
    async with (
        serve_sandbox(seed=seed, speed=200) as running,
        aiohttp.ClientSession(running.url, headers=KEY) as client,
    ):
        seen = []

        async def call(method, path, body=None):
            async with client.request(method, path, json=body) as response:
                seen.append((response.status, sorted(response.raw_headers), await response.read()))
                return await response.json(content_type=None) if "json" in response.content_type else None

        thread = (await call("POST", "/v1/threads", QUESTION))["id"]
        await call("POST", f"/v1/threads/{thread}/runs", {"assistant_id": "asst_abc123", "stream": True})
        await asyncio.sleep(gap)
        run = (await call("POST", f"/v1/threads/{thread}/runs", {"assistant_id": "asst_abc123"}))["id"]
        await asyncio.sleep(0.05 + gap)
        assert (await call("GET", f"/v1/threads/{thread}/runs/{run}"))["status"] == "completed"
        await call("GET", f"/v1/threads/{thread}/runs/{run}/steps")
        await call("GET", f"/v1/threads/{thread}/messages")
        await call("GET", "/v1/threads/thread_x")
        return seen


async def test_a_seed_gives_the_same_bytes_however_long_it_takes():
    first, second, other = await asyncio.gather(converse(1, 0.0), converse(1, 0.1), converse(2, 0.0))
    assert first == second
    assert first != other


def test_ids_have_the_hosts_form_and_belong_to_their_owner():
    names, same, other, nobody = Names(1), Names(1), Names(2), Names()
    assert re.fullmatch(r"thread_[0-9A-Za-z]{24}", names.make("thread_", "", 1))
    assert names.make("msg_", "thread_a", 1) == same.make("msg_", "thread_a", 1)
    ids = {
        source.make("msg_", owner, number)
        for source in (names, other, nobody)
        for owner in ("thread_a", "thread_b")
        for number in range(100)
    }
    assert len(ids) == 600
    assert [names.next("thread_") for _ in range(3)] == [same.next("thread_") for _ in range(3)]


async def test_calls_and_raw_targets_are_counted(api2):
    for target in (b"/v1/threads?", b"//nowhere/x%2Fy?a=b"):
        reader, writer = await asyncio.open_connection("127.0.0.1", api2.client.port)
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 401")
        writer.close()
        await writer.wait_closed()
    assert api2.sandbox.calls == 2
    assert list(api2.sandbox.requests) == [("GET", b"/v1/threads?"), ("GET", b"//nowhere/x%2Fy?a=b")]
    assert api2.sandbox.requests.maxlen == MAX_SEEN


async def test_latency_is_slept_before_each_answer(open_api):
    api = await open_api(latency=0.25)
    before = api.clock.now()
    await api.do("createThread")
    assert api.clock.now() == before + 0.25


async def test_a_taken_port_is_a_usage_error_that_says_which():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is in use"):
            async with serve_sandbox(port=port):
                pass


async def test_it_stops_while_a_stream_is_open():
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession(headers=KEY) as client:
        async with serve_sandbox(script="in_progress 1h") as running:
            async with client.post(f"{running.url}/v1/threads", json=QUESTION) as response:
                thread = (await response.json())["id"]
            body = {"assistant_id": "asst_abc123", "stream": True}
            stream = await client.post(f"{running.url}/v1/threads/{thread}/runs", json=body)
            await stream.content.readuntil(b"\n\n")
        with pytest.raises(aiohttp.ClientPayloadError):
            await stream.content.read()
        stream.close()
    assert asyncio.all_tasks() == before


def test_a_wrong_script_is_refused_at_the_start():
    with pytest.raises(ScriptError, match="line 1, column 1"):
        Sandbox(script="dance")


def test_time_goes_faster_with_speed():
    with pytest.raises(ValueError, match="greater than zero"):
        WallClock(speed=0)
    clock = WallClock(speed=1_000_000)
    assert clock.now() < clock.now()


def test_stamps_of_a_seeded_calendar_count_the_writes():
    clock = ManualClock()
    calendar = Calendar(clock, counting=True)
    stamps = []
    for writes in (True, False, True):
        clock.advance(100)
        stamps.append(calendar.instant(writes=writes).stamp - 1_700_000_000)
    assert stamps == [1, 1, 2]
    assert calendar.instant(writes=False).now == clock.now()
    assert Calendar(clock).instant(writes=True).stamp == clock.now()
