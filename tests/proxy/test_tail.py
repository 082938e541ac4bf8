"""The tail of a thread recorded anew, over real HTTP: one sandbox for the recording, another for the tail."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from cassette_samples import read
from respool.cassettes.errors import UpstreamError
from respool.cassettes.ids import IdMap
from respool.cassettes.prefix import Prefix
from respool.cassettes.reader import Reader
from respool.cassettes.sse import events
from respool.proxy.rehearsal import Diverged
from respool.proxy.sandbox.server import serve_sandbox
from respool.proxy.server import serve
from respool.proxy.tail import Tail
from respool.proxy.upstream import Origin, Upstream

TOOL = {"type": "function", "function": {"name": "lookup_order", "parameters": {"type": "object", "properties": {}}}}
KEY = {"Authorization": "Bearer sk-test-0123456789abcdef", "OpenAI-Beta": "assistants=v2"}
SPEED = 20.0


class Client:
    """A client of the threads API that remembers what it was told."""

    def __init__(self, http, url):
        self.http = http
        self.url = url
        self.seen = []

    async def __call__(self, method, path, body=None, *, status=200):
        async with self.http.request(method, self.url + "/v1" + path, json=body, headers=KEY) as answer:
            data = await answer.read()
            assert answer.status == status, data
            self.seen.append(data)
            return events(data) if answer.content_type == "text/event-stream" else json.loads(data)

    async def begin(self, *, assistant=None):
        """Writes 1 to 4: a thread, a message, a run with a tool, its outputs. Returns (assistant, thread, run)."""
        if assistant is None:
            made = await self("POST", "/assistants", {"model": "gpt-4o-mini", "tools": [TOOL], "instructions": "Help."})
            assistant = made["id"]
        thread = (await self("POST", "/threads", {"metadata": {"customer": "118"}}))["id"]
        await self("POST", f"/threads/{thread}/messages", {"role": "user", "content": "Where is order 118?"})
        run = await self("POST", f"/threads/{thread}/runs", {"assistant_id": assistant})
        run = await self.poll(run)
        assert run["status"] == "requires_action"
        await self.submit(run)
        return assistant, thread, run

    async def submit(self, run):
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "shipped"} for call in calls]
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
        return await self("POST", path, {"tool_outputs": outputs})

    async def poll(self, run):
        async with asyncio.timeout(20):
            while run["status"] in {"queued", "in_progress"}:
                await asyncio.sleep(0.01)
                run = await self("GET", f"/threads/{run['thread_id']}/runs/{run['id']}")
        return run

    async def say(self, thread, text):
        return await self("POST", f"/threads/{thread}/messages", {"role": "user", "content": text})

    async def messages(self, thread):
        return (await self("GET", f"/threads/{thread}/messages?order=asc"))["data"]


@asynccontextmanager
async def client_of(url):
    async with aiohttp.ClientSession() as http:
        yield Client(http, url)


@asynccontextmanager
async def tailing(old: Path, new: Path, upstream_url: str, number: int, *, ids=(), patience=20.0, thread=None):
    """As the command does it; what came about is written where there was no fault."""
    said: list[str] = []
    with Prefix.open(old) as prefix:
        prefix.end_at(number, thread=thread)
        upstream = Upstream(Origin.parse(upstream_url + "/v1"))
        writer = prefix.copy_to(new, meta={}, overwrite=False)
        mode = Tail(prefix, upstream, writer, ids=IdMap(ids), narrate=said.append, patience=patience)
        async with serve(mode, name="record", narrate=said.append, drain=1) as listening:
            mode.url, mode.said = listening.url, said
            yield mode
        if mode.fault is None:
            writer.close()
        else:
            writer.discard()


@asynccontextmanager
async def sandbox(seed, **options):
    async with serve_sandbox(seed=seed, speed=SPEED, **options) as running:
        yield running


async def record_whole(proxies, path, talk, **options):
    """Record a conversation from a sandbox of its own; returns what the client saw."""
    async with sandbox(1, **options) as first, proxies.recording(first.url + "/v1", path) as proxy:
        async with client_of(proxy.url) as client:
            await talk(client)
    return client.seen


def kept_part(path, number, thread=None):
    """The interactions that a tail keeps."""
    with Prefix.open(path) as prefix:
        prefix.end_at(number, thread=thread)
        arrivals = {row.summary.arrival for row in prefix.rows()}
        return [interaction for interaction in read(path) if interaction.arrival in arrivals]


async def whole(client):
    assistant, thread, run = await client.begin()
    await client.poll({**run, "status": "queued"})
    await client.messages(thread)
    await client.say(thread, "Thank you!")
    run = await client("POST", f"/threads/{thread}/runs", {"assistant_id": assistant})
    await client.poll(run)
    await client.messages(thread)


async def changed(client):
    """The same up to write 4, then another question, and a streamed run."""
    assistant, thread, run = await client.begin()
    run = await client.poll({**run, "status": "queued"})
    assert run["status"] == "completed"
    said = await client.messages(thread)
    await client("GET", f"/threads/{thread}/messages/{said[-1]['id']}")
    await client.say(thread, "And where is order 119?")
    stream = await client("POST", f"/threads/{thread}/runs", {"assistant_id": assistant, "tools": [], "stream": True})
    assert stream[-1].data == "[DONE]"
    told = json.loads(next(event.data for event in stream if event.name == "thread.run.completed"))
    assert (told["thread_id"], told["assistant_id"]) == (thread, assistant)
    await client.messages(thread)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_a_changed_conversation_goes_on_live_and_replays_whole(proxies, tmp_path, number):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    before = old.read_bytes()
    async with sandbox(2) as second:
        async with tailing(old, new, second.url, number) as mode, client_of(mode.url) as client:
            await changed(client)
            assert mode.live
            assert mode.performed == number + 1, "the writes of the thread, and the assistant's creation"
    assert old.read_bytes() == before
    async with proxies.replaying(new, polls="recorded", strict=True) as proxy, client_of(proxy.url) as again:
        await changed(again)
        assert proxy.recorder.misses == 0
        if number == 4:
            assert again.seen[-3:] == client.seen[-3:]
    kept = kept_part(old, number)
    assert read(new)[: len(kept)] == kept
    with Reader.open(old) as before, Reader.open(new) as after:
        summaries = {row.summary for row in before.rows()}
        assert all(row.summary in summaries for row in list(after.rows())[: len(kept)])
        assert after.file_id == before.file_id
    assert len(read(new)) > len(kept)


async def test_client_and_cassette_never_see_the_ids_of_the_new_upstream(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with sandbox(2) as second:
        async with tailing(old, new, second.url, 4) as mode, client_of(mode.url) as client:
            await changed(client)
        theirs = [name.encode() for name in second.sandbox.store.threads]
    assert theirs
    kept = b"".join(call.request.target + call.request.body.read() + call.response.body.read() for call in read(new))
    for name in theirs:
        assert name not in kept
        assert all(name not in answer for answer in client.seen)


async def test_tool_outputs_after_the_tail_reach_the_new_upstreams_calls(proxies, tmp_path):
    """Write 3 makes the run; the client polls it live, and submits with the call's id as it was told."""
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with sandbox(2) as second, tailing(old, new, second.url, 3) as mode, client_of(mode.url) as client:
        _, thread, run = await client.begin()
        assert (await client.poll({**run, "status": "queued"}))["status"] == "completed"
        assert "shipped" in json.dumps(await client.messages(thread))


async def test_a_run_that_was_streamed_in_the_kept_part_is_at_its_end_before_the_tail_begins(proxies, tmp_path):
    async def streamed(client, question):
        thread = (await client("POST", "/threads", {}))["id"]
        await client.say(thread, "Where is order 118?")
        asked = {"assistant_id": "asst_abc123", "tools": [TOOL], "stream": True}
        stream = await client("POST", f"/threads/{thread}/runs", asked)
        run = json.loads(next(event.data for event in stream if event.name == "thread.run.requires_action"))
        await client.submit(run)
        assert (await client.poll({**run, "status": "queued"}))["status"] == "completed"
        await client.say(thread, question)

    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, lambda client: streamed(client, "Thank you!"))
    async with sandbox(2) as second, tailing(old, new, second.url, 3) as mode, client_of(mode.url) as client:
        await streamed(client, "And order 119?")
    async with proxies.replaying(new) as proxy, client_of(proxy.url) as again:
        await streamed(again, "And order 119?")


async def test_a_thread_that_was_made_together_with_a_streamed_run_goes_on_live(proxies, tmp_path):
    async def talk(client, question):
        asked = {
            "assistant_id": "asst_abc123",
            "stream": True,
            "thread": {"messages": [{"role": "user", "content": "Hi"}]},
        }
        stream = await client("POST", "/threads/runs", asked)
        reply = json.loads(next(event.data for event in stream if event.name == "thread.message.completed"))
        await client("GET", f"/threads/{reply['thread_id']}/messages/{reply['id']}")
        await client.say(reply["thread_id"], question)
        return reply["id"], [message["id"] for message in await client.messages(reply["thread_id"])]

    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, lambda client: talk(client, "Thank you!"))
    async with sandbox(2) as second, tailing(old, new, second.url, 1) as mode, client_of(mode.url) as client:
        reply, listed = await talk(client, "And order 119?")
        assert listed[1] == reply, "the reply's id is known from the stream"
    async with proxies.replaying(new) as proxy, client_of(proxy.url) as again:
        assert await talk(again, "And order 119?") == (reply, listed)


async def test_an_assistant_by_another_name_upstream_is_given_as_a_pair(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"

    async def assistant_of(running):
        async with client_of(running.url) as client:
            return (await client("POST", "/assistants", {"model": "gpt-4o-mini", "tools": [TOOL]}))["id"]

    async with sandbox(1) as first:
        ours = await assistant_of(first)
        async with proxies.recording(first.url + "/v1", old) as proxy, client_of(proxy.url) as client:
            await client.begin(assistant=ours)
    async with sandbox(2) as second:
        pair = (ours, await assistant_of(second))
        async with tailing(old, new, second.url, 3, ids=[pair]) as mode, client_of(mode.url) as client:
            await client.begin(assistant=ours)
    async with sandbox(3) as third:
        async with tailing(old, tmp_path / "b.cassette", third.url, 3) as mode, client_of(mode.url) as client:
            with pytest.raises(AssertionError, match=r"performing write 3 of 3 .*createRun.*--map"):
                await client.begin(assistant=ours)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('fail server_error "Down."', "became failed upstream; the recording has requires_action"),
        ("call refund({})", "calls refund upstream; the recording has lookup_order"),
        ("http 429 times 4 retry-after 0", "answered 429 where the recording has 200"),
        ("in_progress 1h", "was still in_progress after 1 s; the recording has requires_action"),
    ],
)
async def test_an_upstream_that_goes_another_way_ends_the_tail_and_says_where(proxies, tmp_path, script, why):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    before = old.read_bytes()
    async with sandbox(2, script=script) as second:
        async with tailing(old, new, second.url, 4, patience=1) as mode, client_of(mode.url) as client:
            _, thread, _ = await client.begin()
            calls = second.sandbox.calls
            assert calls == 0, "nothing goes upstream before the first live call"
            for _ in range(2):
                error = (await client("GET", f"/threads/{thread}/messages", status=502))["error"]
                assert error["code"] == "tail_diverged"
                assert why in error["message"]
            assert isinstance(mode.fault, Diverged)
            assert "performing write" in mode.fault.message
    assert old.read_bytes() == before
    assert not new.exists()


async def test_an_upstream_without_room_for_a_write_is_asked_again(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    script = "http 429 times 3 retry-after 0; call lookup_order({})"
    async with sandbox(2, script=script) as second, tailing(old, new, second.url, 4) as mode:
        async with client_of(mode.url) as client:
            _, _thread, run = await client.begin()
            assert (await client.poll({**run, "status": "queued"}))["status"] == "completed"
            assert mode.fault is None


async def test_deleting_the_assistant_at_the_end_reaches_the_new_upstream(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"

    async def talk(client):
        assistant, thread, _ = await client.begin()
        await client("GET", f"/threads/{thread}/messages")
        await client("DELETE", f"/assistants/{assistant}")

    await record_whole(proxies, old, talk)
    async with sandbox(2) as second, tailing(old, new, second.url, 4) as mode, client_of(mode.url) as client:
        await talk(client)
        assert set(second.sandbox.store.assistants) == {"asst_abc123"}


async def test_an_upstream_that_is_gone_ends_the_tail(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with sandbox(2) as second:
        url = second.url
    async with tailing(old, new, url, 4) as mode, client_of(mode.url) as client:
        _, thread, _ = await client.begin()
        await client("GET", f"/threads/{thread}/messages", status=502)
        assert isinstance(mode.fault, UpstreamError)
    assert not new.exists()


async def test_a_client_that_changed_before_the_tail_gets_a_miss_and_nothing_goes_upstream(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with sandbox(2) as second:
        async with tailing(old, new, second.url, 4) as mode, client_of(mode.url) as client:
            await client("POST", "/threads", {"metadata": {"customer": "119"}}, status=502)
            assert mode.replayer.misses == 1
            assert not mode.live
        assert second.sandbox.calls == 0


async def test_calls_at_the_moment_of_going_live_perform_the_writes_once(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with sandbox(2) as second, tailing(old, new, second.url, 4) as mode, client_of(mode.url) as client:
        _, thread, _ = await client.begin()
        lists = await asyncio.gather(*(client("GET", f"/threads/{thread}/messages") for _ in range(5)))
        assert all(found["object"] == "list" for found in lists)
        assert mode.performed == 5
        assert len(second.sandbox.store.threads) == 1


async def test_a_client_that_leaves_while_the_writes_are_performed_does_not_end_them(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)
    async with (
        sandbox(2, latency=4.0) as second,
        tailing(old, new, second.url, 2) as mode,
        client_of(mode.url) as client,
    ):
        await client("POST", "/assistants", {"model": "gpt-4o-mini", "tools": [TOOL], "instructions": "Help."})
        thread = (await client("POST", "/threads", {"metadata": {"customer": "118"}}))["id"]
        await client.say(thread, "Where is order 118?")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.messages(thread)
        said = await client.messages(thread)
        assert [message["content"][0]["text"]["value"] for message in said] == ["Where is order 118?"]
        assert mode.performed == 3


async def test_other_threads_of_the_cassette_stay_and_another_session_is_refused(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"

    async def two(client):
        await client.begin()
        other = (await client("POST", "/threads", {"metadata": {"customer": "2"}}))["id"]
        await client.say(other, "Hello?")
        return other

    await record_whole(proxies, old, two)
    with Reader.open(old) as reader:
        first, other = [name for name in reader.scopes() if name.startswith("thread_")]
    async with sandbox(2) as second, tailing(old, new, second.url, 2, thread=first) as mode:
        async with client_of(mode.url) as client:
            assert await two(client) == other
            assert mode.live
            assert len(second.sandbox.store.threads) == 1, "the other thread is replayed"
            async with client.http.get(mode.url + "/@b/v1/threads/x") as answer:
                assert answer.status == 409
    with Reader.open(new) as reader:
        assert len(reader.rows_of_scope(other)) == 2


async def test_a_file_uploaded_and_a_new_assistant_behind_the_tail_are_live(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"
    await record_whole(proxies, old, whole)

    async def talk(client):
        _, thread, run = await client.begin()
        await client.poll({**run, "status": "queued"})
        better = await client("POST", "/assistants", {"model": "gpt-4o-mini", "instructions": "Be brief."})
        await client("GET", f"/assistants/{better['id']}")
        await client.say(thread, "Again, please.")
        run = await client("POST", f"/threads/{thread}/runs", {"assistant_id": better["id"]})
        await client.poll(run)

    async with sandbox(2) as second, tailing(old, new, second.url, 4) as mode, client_of(mode.url) as client:
        await talk(client)
    async with proxies.replaying(new) as proxy, client_of(proxy.url) as again:
        await talk(again)
        assert proxy.recorder.misses == 0


async def test_compressed_bodies_are_undone_so_that_their_ids_are_found(proxies, tmp_path):
    old, new = tmp_path / "old.cassette", tmp_path / "new.cassette"

    async def talk(client):
        thread = (await client("POST", "/threads", {}))["id"]
        return await client("GET", f"/threads/{thread}")

    await record_whole(proxies, old, talk)

    async def squeezed(heard, writer):
        body = gzip.compress(b'{"id": "thread_theirs", "object": "thread"}')
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        )
        plain = heard.line.startswith(b"POST")
        data = b'{"id": "thread_theirs", "object": "thread"}' if plain else body
        writer.write((head.replace(b"Content-Encoding: gzip\r\n", b"") if plain else head) % len(data) + data)

    async with proxies.raw_upstream(squeezed) as upstream, tailing(old, new, upstream.url, 1) as mode:
        async with client_of(mode.url) as client:
            found = await talk(client)
            body = gzip.compress(json.dumps({"role": "user", "content": f"in {found['id']}"}).encode())
            headers = KEY | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            target = f"{mode.url}/v1/threads/{found['id']}/messages"
            async with client.http.post(target, data=body, headers=headers) as answer:
                assert (await answer.json())["id"] == found["id"]
        assert found["id"].startswith("thread_")
        assert found["id"] != "thread_theirs"
        assert [heard.line for heard in upstream.heard] == [
            b"POST /v1/threads HTTP/1.1",
            b"GET /v1/threads/thread_theirs HTTP/1.1",
            b"POST /v1/threads/thread_theirs/messages HTTP/1.1",
        ]
        assert upstream.heard[2].body == b'{"role": "user", "content": "in thread_theirs"}'
        for heard in upstream.heard:
            assert b"Accept-Encoding: identity" in heard.headers
            assert b"Authorization: Bearer sk-test-0123456789abcdef" in heard.headers
