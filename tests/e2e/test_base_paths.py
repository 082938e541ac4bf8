"""A recording of one vendor's base path answers clients of the others."""

import http.client
import json
from asyncio import to_thread
from pathlib import Path
from urllib.parse import urlsplit

import pytest

RECORDED = "/v1"
OTHERS = ["/openai/v1", "/openai", "/api/projects/refunds", "/api/projects/refunds/openai/v1", ""]
HEADERS = {"Authorization": "Bearer sk-test-0123456789", "Content-Type": "application/json"}


def converse(url: str, base: str) -> list[tuple[int, bytes]]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    seen: list[tuple[int, bytes]] = []

    def call(method: str, path: str, body: object = None) -> dict:
        connection.request(method, base + path, None if body is None else json.dumps(body).encode(), HEADERS)
        response = connection.getresponse()
        seen.append((response.status, response.read()))
        return json.loads(seen[-1][1])

    try:
        assistant = call("POST", "/assistants", {"model": "gpt-4o"})["id"]
        thread = call("POST", "/threads", {"messages": [{"role": "user", "content": "Hello."}]})["id"]
        script = {"sandbox_script": 'say "Hello to you."'}
        run = call("POST", f"/threads/{thread}/runs", {"assistant_id": assistant, "metadata": script})["id"]
        while call("GET", f"/threads/{thread}/runs/{run}")["status"] != "completed":
            del seen[-1]
        call("GET", f"/threads/{thread}/messages?order=asc&limit=5")
        call("DELETE", f"/threads/{thread}")
    finally:
        connection.close()
    return seen


@pytest.mark.parametrize("base", OTHERS, ids=lambda base: base or "none")
async def test_a_recording_made_under_v1_replays_under(stage, tmp_path: Path, base: str):
    path = tmp_path / "base.cassette"
    async with stage.record(path, speed=1000) as recording:
        live = await to_thread(converse, recording.url, RECORDED)
    async with stage.replay(path) as replay:
        assert replay.replayer.base == RECORDED
        assert await to_thread(converse, replay.url, base) == live
        assert (replay.replayer.misses, replay.said) == (0, [])


async def test_the_base_path_that_a_client_uses_is_what_the_upstream_gets(stage, tmp_path: Path):
    path = tmp_path / "base.cassette"
    async with stage.record(path, base="/v1", speed=1000) as recording:
        await to_thread(converse, recording.url, "/openai/v1")
        assert {target.split(b"/threads")[0] for _, target in recording.sandbox.requests if b"/threads" in target} == {
            b"/openai/v1"
        }
