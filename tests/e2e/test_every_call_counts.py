"""Recorded calls are the calls that reached the upstream, which are the calls that clients made: none more, none fewer."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

CLIENTS = 50
HEADERS = {"Authorization": "Bearer sk-test-0123456789", "OpenAI-Beta": "assistants=v2"}


class Caller:
    """One client: its own connection pool and its own thread."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        self.number = number
        self.made: list[tuple[str, str]] = []
        self.seen: list[tuple[int, bytes]] = []

    async def call(self, session: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
        self.made.append((method, path))
        async with session.request(method, self.url + path, json=body, headers=HEADERS) as response:
            data = await response.read()
            if not self.seen or self.seen[-1] != (response.status, data):
                self.seen.append((response.status, data))
            return await response.json()

    async def converse(self) -> None:
        """A thread of its own, a polled run, and what came of it."""
        async with aiohttp.ClientSession() as session:
            thread = (await self.call(session, "POST", "/v1/threads", {"metadata": {"client": str(self.number)}}))["id"]
            path = f"/v1/threads/{thread}"
            await self.call(session, "POST", path + "/messages", {"role": "user", "content": f"I am {self.number}"})
            script = {"sandbox_script": "in_progress 600s"}
            body = {"assistant_id": "asst_abc123", "metadata": script}
            run = f"{path}/runs/" + (await self.call(session, "POST", path + "/runs", body))["id"]
            for _ in range(self.number % 7):
                await self.call(session, "GET", run)
            await self.call(session, "POST", run + "/cancel")
            while (await self.call(session, "GET", run))["status"] != "cancelled":
                await asyncio.sleep(0.01)
            await self.call(session, "GET", path + "/messages")


async def converse_all(url: str) -> list[Caller]:
    callers = [Caller(url, number) for number in range(CLIENTS)]
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(caller.converse())
    return callers


async def test_fifty_clients_that_poll_are_recorded_call_by_call_and_replayed_each_to_itself(stage, tmp_path: Path):
    path = tmp_path / "fifty.cassette"
    async with stage.record(path, speed=5) as recording:
        live = await converse_all(recording.url)
        made = Counter(call for caller in live for call in caller.made)
        assert recording.sandbox.calls == recording.recorder.calls == made.total()
        assert Counter((method, target.decode()) for method, target in recording.sandbox.requests) == made
    kept = stage.kept(path)
    assert Counter((call.method, call.target.decode()) for call in kept) == made
    assert made.total() >= 6 * CLIENTS + sum(number % 7 for number in range(CLIENTS))
    async with stage.replay(path) as replay:
        again = await converse_all(replay.url)
        assert (replay.replayer.misses, replay.replayer.inexact) == (0, 0)
    assert [caller.seen for caller in again] == [caller.seen for caller in live]


async def test_a_poll_that_brings_the_same_bytes_is_recorded_again(stage, tmp_path: Path):
    path = tmp_path / "polls.cassette"
    async with stage.record(path) as recording, aiohttp.ClientSession() as session:
        caller = Caller(recording.url, 0)
        body = {"assistant_id": "asst_abc123", "metadata": {"sandbox_script": "in_progress 60s"}}
        run = await caller.call(session, "POST", "/v1/threads/runs", body)
        for _ in range(100):
            await caller.call(session, "GET", f"/v1/threads/{run['thread_id']}/runs/{run['id']}")
        assert recording.sandbox.calls == 101
    assert [call.method for call in stage.kept(path)] == ["POST", *["GET"] * 100]
