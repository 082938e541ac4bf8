"""Conversations with the threads API that end alike whatever the upstream says, and a client to hold them."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
from respool.cassettes.sse import events
from respool.proxy.sandbox.server import serve_sandbox

KEY = "sk-test-0123456789abcdef"
SPEED = 25.0
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}},
    },
}
TOOLS = """
queued 50ms; in_progress 100ms
call lookup_order({"id": 118, "note": "NOTE"})
in_progress 50ms
say "TEXT and {outputs}"
"""
TWO_TOOLS = """
call lookup_order({"id": 118}) & notify({"to": {"name": "NOTE", "tags": ["a"]}}) & lookup_order({"id": 119})
say "TEXT"
"""


class Client:
    """A client whose words are `text`; it polls after `nap` seconds."""

    def __init__(self, http, url, *, text="Where is it?", nap=0.005, beta="assistants=v2"):
        self.http, self.url, self.text, self.nap = http, url, text, nap
        self.headers = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": beta}

    async def __call__(self, method, path, body=None, *, status=200, data=None):
        async with self.http.request(
            method, self.url + "/v1" + path, json=body, data=data, headers=self.headers
        ) as answer:
            heard = await answer.read()
            assert answer.status == status, heard
            if answer.content_type == "text/event-stream":
                return events(heard)
            return json.loads(heard) if answer.content_type == "application/json" else heard

    async def thread(self, **body):
        return (await self("POST", "/threads", body))["id"]

    async def say(self, thread):
        return await self("POST", f"/threads/{thread}/messages", {"role": "user", "content": self.text})

    async def run(self, thread, script="", *, status=200, **body):
        metadata = (
            {"sandbox_script": script.replace("TEXT", self.text).replace("NOTE", self.text[:5])} if script else {}
        )
        asked = {"assistant_id": "asst_abc123", "metadata": metadata, **body}
        return await self("POST", f"/threads/{thread}/runs", asked, status=status)

    async def poll(self, run, *, until=("queued", "in_progress", "cancelling")):
        async with asyncio.timeout(20):
            while run["status"] in until:
                await asyncio.sleep(self.nap)
                run = await self("GET", f"/threads/{run['thread_id']}/runs/{run['id']}")
        return run

    async def submit(self, run, **body):
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": f"{self.text} {n}"} for n, call in enumerate(calls)]
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
        return await self("POST", path, {"tool_outputs": outputs, **body})


async def polled(client):
    thread = await client.thread(metadata={"customer": "118"})
    await client.say(thread)
    run = await client.poll(await client.run(thread, 'queued 50ms; in_progress 100ms; say "TEXT"'))
    assert run["status"] == "completed"
    messages = await client("GET", f"/threads/{thread}/messages")
    await client("GET", f"/threads/{thread}/messages/{messages['data'][0]['id']}")
    await client.say(thread)
    await client.poll(await client.run(thread, 'say "TEXT and more"'))
    await client("GET", f"/threads/{thread}/messages?order=asc&limit=100")
    await client("GET", f"/threads/{thread}/runs")


async def tools(client):
    thread = await client.thread()
    await client.say(thread)
    run = await client.poll(await client.run(thread, TOOLS, tools=[TOOL]))
    assert run["status"] == "requires_action"
    await client("GET", f"/threads/{thread}/runs/{run['id']}/steps")
    run = await client.poll(await client.submit(run))
    assert run["status"] == "completed"
    steps = await client("GET", f"/threads/{thread}/runs/{run['id']}/steps")
    await client("GET", f"/threads/{thread}/runs/{run['id']}/steps/{steps['data'][0]['id']}")
    await client("GET", f"/threads/{thread}/messages")


async def parallel_tools(client):
    thread = await client.thread()
    await client.say(thread)
    run = await client.poll(await client.run(thread, TWO_TOOLS))
    run = await client.poll(await client.submit(run))
    await client("GET", f"/threads/{thread}/runs/{run['id']}/steps?order=asc")


async def streamed(client):
    thread = await client.thread()
    await client.say(thread)
    heard = await client.run(thread, TOOLS, stream=True)
    run = next(json.loads(event.data) for event in heard if event.name == "thread.run.requires_action")
    heard = await client.submit(run, stream=True)
    assert heard[-1].data == "[DONE]"
    await client("GET", f"/threads/{thread}/messages")
    await client("GET", f"/threads/{thread}/runs/{run['id']}/steps")


async def streamed_at_once(client):
    asked = {
        "assistant_id": "asst_abc123",
        "thread": {"messages": [{"role": "user", "content": client.text}]},
        "metadata": {"sandbox_script": f'code "1" -> "{client.text}"; search "file-1" "x"; say "{client.text}"'},
        "stream": True,
    }
    heard = await client("POST", "/threads/runs", asked)
    thread = json.loads(heard[0].data)["id"]
    await client("GET", f"/threads/{thread}/messages")


async def files(client):
    form = aiohttp.FormData()
    form.add_field("purpose", "assistants")
    form.add_field("file", client.text.encode(), filename="a.txt", content_type="text/plain")
    file = await client("POST", "/files", data=form)
    made = await client("POST", "/assistants", {"model": "gpt-4o-mini", "tools": [TOOL]})
    thread = await client.thread()
    attached = {"attachments": [{"file_id": file["id"], "tools": [{"type": "file_search"}]}]}
    if client.headers["OpenAI-Beta"].endswith("v1"):
        attached = {"file_ids": [file["id"]]}
    message = await client("POST", f"/threads/{thread}/messages", {"role": "user", "content": client.text, **attached})
    await client("GET", f"/threads/{thread}/messages/{message['id']}/files")
    await client("GET", f"/threads/{thread}/messages/{message['id']}/files/{file['id']}")
    script = 'say "TEXT [1]" cite "[1]" "file-abc123" "TEXT"'
    await client.poll(await client.run(thread, script, assistant_id=made["id"]))
    await client("GET", f"/threads/{thread}/messages")
    await client("GET", f"/files/{file['id']}/content")
    await client("DELETE", f"/assistants/{made['id']}")


async def refused(client):
    thread = await client.thread()
    await client("GET", "/threads/thread_unknown", status=404)
    await client("POST", "/threads/thread_unknown/messages", {"role": "user", "content": "x"}, status=404)
    await client("POST", f"/threads/{thread}/messages", {"role": "nobody", "content": "x"}, status=400)
    await client("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_unknown"}, status=404)
    await client.say(thread)
    run = await client.poll(await client.run(thread, 'in_progress 9m; say "TEXT"'), until=("queued",))
    await client.run(thread, status=400)
    await client("GET", f"/threads/{thread}/messages/msg_unknown", status=404)
    await client("POST", f"/threads/{thread}/runs/{run['id']}/cancel")
    await client.poll(run)


async def cancelled(client):
    thread = await client.thread()
    await client.say(thread)
    run = await client.poll(await client.run(thread, 'in_progress 9m; say "TEXT"'), until=("queued",))
    await client("POST", f"/threads/{thread}/runs/{run['id']}/cancel")
    assert (await client.poll(run))["status"] == "cancelled"
    await client.say(thread)


async def cancelled_at_the_tools(client):
    thread = await client.thread()
    await client.say(thread)
    run = await client.poll(await client.run(thread, TOOLS))
    run = await client("POST", f"/threads/{thread}/runs/{run['id']}/cancel")
    await client.poll(run)


async def failed(client):
    thread = await client.thread()
    await client.say(thread)
    run = await client.poll(await client.run(thread, 'in_progress 50ms; fail rate_limit_exceeded "TEXT"'))
    assert run["status"] == "failed"
    await client("GET", f"/threads/{thread}/runs/{run['id']}/steps")
    await client.poll(await client.run(thread, 'say "TEXT"; incomplete max_completion_tokens'))
    await client.poll(await client.run(thread, "in_progress 50ms; expire"))


async def failed_in_a_stream(client):
    thread = await client.thread()
    await client.say(thread)
    heard = await client.run(thread, 'say "TEXT"; error "TEXT"', stream=True)
    assert any(event.name == "error" for event in heard)


async def changed(client):
    thread = await client.thread(metadata={"a": client.text})
    message = await client.say(thread)
    await client("POST", f"/threads/{thread}", {"metadata": {"b": client.text}})
    await client("GET", f"/threads/{thread}")
    await client("POST", f"/threads/{thread}/messages/{message['id']}", {"metadata": {"c": client.text}})
    await client("DELETE", f"/threads/{thread}/messages/{message['id']}")
    await client("DELETE", f"/threads/{thread}")


TALKS = (polled, tools, parallel_tools, streamed, streamed_at_once, files, refused, cancelled, cancelled_at_the_tools,
         failed, failed_in_a_stream, changed)  # fmt: skip
FIRST_VERSION = (polled, tools, parallel_tools, files, refused, cancelled, failed)


@asynccontextmanager
async def client_of(url, **options):
    async with aiohttp.ClientSession() as http:
        yield Client(http, url, **options)


async def record(proxies, path, *talks, script=None, seed=1, speed=SPEED, **options):
    """Hold conversations with a sandbox of their own, through a recorder."""
    async with serve_sandbox(seed=seed, speed=speed, script=script) as sandbox:
        async with proxies.recording(sandbox.url + "/v1", path) as proxy, client_of(proxy.url, **options) as client:
            for talk in talks:
                await talk(client)
