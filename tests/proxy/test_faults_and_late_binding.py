"""Faults in conversations whose ids stand for others: what is kept for a retry, and whose run a fault ends."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from recorded_calls import write_cassette
from respool.cassettes.faults import Faults
from respool.cassettes.reader import Reader
from respool.proxy.replay import Replayer
from respool.proxy.server import serve


def a_thread(number: int, word: str) -> list:
    """A thread that tells itself apart by its first message only, and holds a run."""
    thread, run = f"thread_00{number}", f"run_000{number}"
    path = f"/v1/threads/{thread}"

    def state(status: str) -> bytes:
        return json.dumps({"id": run, "object": "thread.run", "thread_id": thread, "status": status}).encode()

    return [
        ("POST", b"/v1/threads", b"{}", json.dumps({"id": thread, "object": "thread"}).encode(), 200),
        ("POST", f"{path}/runs".encode(), b'{"assistant_id": "asst_1"}', state("queued"), 200),
        (
            "POST",
            f"{path}/messages".encode(),
            json.dumps({"role": "user", "content": word}).encode(),
            json.dumps({"id": f"msg_000{number}", "thread_id": thread, "text": word}).encode(),
            200,
        ),
        ("GET", f"{path}/runs/{run}".encode(), b"", state("completed"), 200),
    ]


@pytest.fixture
def two_threads(tmp_path):
    return write_cassette(tmp_path / "two.cassette", [*a_thread(1, "one"), *a_thread(2, "two")])


class Client:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url + "/v1"

    async def call(self, method: str, path: str, body: object = None) -> dict:
        async with self.http.request(method, self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def say(self, thread: str, word: str) -> dict:
        return await self.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": word})


@asynccontextmanager
async def faulty(path, *rules, gate: asyncio.Event | None = None):
    async def sleep(seconds: float) -> None:
        if gate is not None:
            await gate.wait()

    with Reader.open(path) as reader:
        replayer = Replayer(reader, faults=Faults(rules), sleep=sleep, narrate=lambda line: None)
        async with (
            serve(replayer, name="replay", narrate=lambda line: None, drain=1) as listening,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http,
        ):
            yield replayer, Client(http, listening.url)


async def test_a_write_that_moved_its_thread_and_broke_off_is_kept_for_the_retry(two_threads):
    async with faulty(two_threads, "createMessage#1: reset") as (replayer, client):
        thread = (await client.call("POST", "/threads", {}))["id"]
        with pytest.raises(aiohttp.ClientError):
            await client.say(thread, "two")
        again = await client.say(thread, "two")
    assert replayer.misses == 0
    assert (again["thread_id"], again["text"]) == (thread, "two")


async def test_a_write_that_broke_off_before_its_thread_moved_is_answered_from_where_it_is_now(two_threads):
    async with faulty(two_threads, "createRun#1: reset") as (replayer, client):
        thread = (await client.call("POST", "/threads", {}))["id"]
        with pytest.raises(aiohttp.ClientError):
            await client.call("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_1"})
        await client.say(thread, "two")
        run = await client.call("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_1"})
        assert (await client.call("GET", f"/threads/{thread}/runs/{run['id']}"))["status"] == "completed"
        other = (await client.call("POST", "/threads", {}))["id"]
        await client.call("POST", f"/threads/{other}/runs", {"assistant_id": "asst_1"})
        await client.say(other, "one")
    assert replayer.misses == 0
    assert run["thread_id"] == thread != other


@pytest.mark.parametrize("rule", ["run: failed", "run#1: failed"])
async def test_the_run_of_a_thread_that_moved_ends_as_the_fault_says(two_threads, rule):
    async with faulty(two_threads, rule) as (replayer, client):
        thread = (await client.call("POST", "/threads", {}))["id"]
        run = (await client.call("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_1"}))["id"]
        await client.say(thread, "two")
        assert (await client.call("GET", f"/threads/{thread}/runs/{run}"))["status"] == "failed"
    assert replayer.faults.struck[rule] >= 1


async def test_equal_writes_that_break_off_side_by_side_are_each_kept(two_threads):
    gate = asyncio.Event()
    async with faulty(two_threads, "createThread#1-2: delay 9s", gate=gate) as (replayer, client):
        waiting = [asyncio.ensure_future(client.call("POST", "/threads", {})) for _ in range(2)]
        while replayer.calls < 2:
            await asyncio.sleep(0.001)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        player = replayer.player("default")
        async with asyncio.timeout(5):
            while len(player.fate.kept) < 2:
                await asyncio.sleep(0.001)
        gate.set()
        threads = [(await client.call("POST", "/threads", {}))["id"] for _ in range(2)]
    assert threads == ["thread_001", "thread_002"]
    assert replayer.misses == 0


def asking(number: int, word: str) -> list:
    """A thread whose run asks for a tool and which tells itself apart after the outputs were submitted."""
    thread, run, call = f"thread_00{number}", f"run_000{number}", f"call_000{number}"
    path = f"/v1/threads/{thread}"
    calls = [{"id": call, "type": "function", "function": {"name": "look", "arguments": "{}"}}]

    def state(status: str) -> bytes:
        body = {"id": run, "object": "thread.run", "thread_id": thread, "status": status, "required_action": None}
        if status == "requires_action":
            body["required_action"] = {"submit_tool_outputs": {"tool_calls": calls}}
        return json.dumps(body).encode()

    outputs = json.dumps({"tool_outputs": [{"tool_call_id": call, "output": "42"}]}).encode()
    spoken = json.dumps({"role": "user", "content": word}).encode()
    return [
        ("POST", b"/v1/threads", b"{}", json.dumps({"id": thread, "object": "thread"}).encode(), 200),
        ("POST", f"{path}/runs".encode(), b'{"assistant_id": "asst_1"}', state("queued"), 200),
        ("GET", f"{path}/runs/{run}".encode(), b"", state("requires_action"), 200),
        ("POST", f"{path}/runs/{run}/submit_tool_outputs".encode(), outputs, state("queued"), 200),
        ("POST", f"{path}/messages".encode(), spoken, json.dumps({"id": f"msg_0{number}", "text": word}).encode(), 200),
        ("GET", f"{path}/runs/{run}".encode(), b"", state("completed"), 200),
    ]


@pytest.mark.parametrize("word", ["one", "two"])
async def test_a_run_that_asks_again_goes_on_asking_when_its_thread_moves(tmp_path, word):
    path = write_cassette(tmp_path / "a.cassette", [*asking(1, "one"), *asking(2, "two")])

    def outputs(run: dict) -> dict:
        asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        return {"tool_outputs": [{"tool_call_id": call["id"], "output": "42"} for call in asked]}

    async with faulty(path, "run: requires_action again") as (replayer, client):
        thread = (await client.call("POST", "/threads", {}))["id"]
        run = (await client.call("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_1"}))["id"]
        here = f"/threads/{thread}/runs/{run}"
        await client.call("POST", here + "/submit_tool_outputs", outputs(await client.call("GET", here)))
        again = await client.call("GET", here)
        assert again["status"] == "requires_action"
        await client.say(thread, word)  # with the second word the other recorded thread steps in here
        await client.call("POST", here + "/submit_tool_outputs", outputs(again))
        assert (await client.call("GET", here))["status"] == "completed"
    assert replayer.misses == 0
