"""The newest `openai` package, unmodified: what a program sees of a replay is what it saw of the sandbox.

One program serves the sync and the async client: `settle` awaits what needs to be awaited. It writes down all that it
gets (objects, events, errors), runs against the recording proxy, and again with the sandbox gone.
"""

import asyncio
import inspect
import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import openai
import pytest
from openai._base_client import BaseClient
from openai._resource import AsyncAPIResource, SyncAPIResource
from respool.cassettes.operations import OPERATIONS

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

KEY = "sk-test-0123456789abcdef"
LOOKUP = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "description": "Find an order by its number.",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    },
}


def script(text: str) -> dict[str, str]:
    """Metadata that tells the sandbox how a run goes."""
    return {"sandbox_script": text}


async def settle(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def collect(pages: Any) -> list[Any]:
    """All items of a list, however many pages it takes."""
    if hasattr(pages, "__aiter__"):
        return [item async for item in pages]
    return list(pages)


def plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", warnings=False)
    return [plain(item) for item in value] if isinstance(value, list) else value


class Transcript(list):
    """What the program saw, in order."""

    def take(self, label: str, value: Any) -> Any:
        self.append([label, plain(value)])
        return value

    async def error(self, label: str, call: Any) -> None:
        """Make a call that is to fail, and write down how."""
        with pytest.raises(openai.APIStatusError) as caught:
            await settle(call())
        error = caught.value
        self.append([label, type(error).__name__, error.status_code, error.message, error.code, error.param])

    def handler(self, base: type) -> Any:
        """An event handler of the SDK that writes down every callback."""
        asynchronous = inspect.iscoroutinefunction(base.on_end)

        def hear(name: str) -> Any:
            def heard(_: Any, *values: Any) -> None:
                self.append([name, *map(plain, values)])

            async def heard_async(_: Any, *values: Any) -> None:
                heard(_, *values)

            return heard_async if asynchronous else heard

        return type("Handler", (base,), {name: hear(name) for name in dir(base) if name.startswith("on_")})()


async def watch(manager: Any) -> Any:
    """See a stream of the SDK's helpers to its end; returns the run."""
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            await stream.until_done()
            return stream.current_run
    with manager as stream:
        stream.until_done()
        return stream.current_run


def outputs(run: Any) -> list[dict[str, str]]:
    return [
        {"tool_call_id": call.id, "output": json.dumps({"of": call.function.name, "status": "shipped"})}
        for call in run.required_action.submit_tool_outputs.tool_calls
    ]


async def converse(client: Any, handler: type) -> Transcript:
    """The program: what a test suite of an agent does, and each way in which the SDK can be used for it."""
    seen = Transcript()
    threads = client.beta.threads

    file = seen.take(
        "upload", await settle(client.files.create(file=("receipt.txt", b"order 118\n"), purpose="assistants"))
    )
    assistant = seen.take(
        "assistant",
        await settle(client.beta.assistants.create(model="gpt-4o-mini", name="Orders", tools=[LOOKUP])),
    )
    thread = seen.take(
        "thread",
        await settle(
            threads.create(messages=[{"role": "user", "content": "Grüße, 你好 👋"}], metadata={"customer": "118"})
        ),
    )
    seen.take("thread again", await settle(threads.retrieve(thread.id)))
    seen.take("thread changed", await settle(threads.update(thread.id, metadata={"customer": "119"})))
    seen.take("thread as changed", await settle(threads.retrieve(thread.id)))
    for number in range(4):
        seen.take("message", await settle(threads.messages.create(thread.id, role="user", content=f"note {number}")))
    question = seen.take(
        "question",
        await settle(
            threads.messages.create(
                thread.id,
                role="user",
                content="Where is order 118?",
                attachments=[{"file_id": file.id, "tools": [{"type": "file_search"}]}],
            )
        ),
    )
    seen.take("pages", await collect(threads.messages.list(thread.id, limit=2, order="asc")))

    await seen.error("no such thread", lambda: threads.retrieve("thread_unknown"))
    await seen.error("empty message", lambda: threads.messages.create(thread.id, role="user", content=""))
    await seen.error("wrong role", lambda: threads.messages.create(thread.id, role="robot", content="beep"))
    stranger = client.with_options(api_key="sk-invalid-0123456789")
    await seen.error("wrong key", lambda: stranger.beta.threads.retrieve(thread.id))
    await seen.error("unknown path", lambda: client.get("/threads/x/y/z", cast_to=object))

    run = seen.take("asks", await settle(threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)))
    answered = await settle(
        threads.runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run))
    )
    seen.take("answers", answered)
    await seen.error("cancel too late", lambda: threads.runs.cancel(run.id, thread_id=thread.id))
    for step in seen.take("steps", await collect(threads.runs.steps.list(run.id, thread_id=thread.id, limit=1))):
        seen.take("step", await settle(threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id)))
    said = seen.take("said", await collect(threads.messages.list(thread.id, run_id=run.id)))
    seen.take("one message", await settle(threads.messages.retrieve(said[0].id, thread_id=thread.id)))
    seen.take(
        "marked", await settle(threads.messages.update(said[0].id, thread_id=thread.id, metadata={"seen": "yes"}))
    )
    seen.take("run marked", await settle(threads.runs.update(run.id, thread_id=thread.id, metadata={"seen": "yes"})))

    heard = seen.handler(handler)
    asks = await watch(
        threads.runs.stream(
            thread_id=thread.id, assistant_id=assistant.id, instructions="Be brief.", event_handler=heard
        )
    )
    if asks.status == "requires_action":
        heard = seen.handler(handler)
        await watch(
            threads.runs.submit_tool_outputs_stream(
                thread_id=thread.id, run_id=asks.id, tool_outputs=outputs(asks), event_handler=heard
            )
        )
    many = await settle(
        threads.runs.create_and_poll(
            thread_id=thread.id,
            assistant_id=assistant.id,
            metadata=script('in_progress 50ms; call a({}) & b({"x": 1}); call c({}); say "All done: {outputs}"'),
        )
    )
    while many.status == "requires_action":
        seen.take("several calls", many)
        many = await settle(
            threads.runs.submit_tool_outputs_and_poll(run_id=many.id, thread_id=thread.id, tool_outputs=outputs(many))
        )
    seen.take("several calls done", many)

    await watch(
        threads.create_and_run_stream(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "Stream it."}]},
            tools=[],
            event_handler=seen.handler(handler),
        )
    )
    polled = await settle(
        threads.create_and_run_poll(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Poll it."}]}, tools=[]
        )
    )
    seen.take("created and polled", polled)
    raw = await settle(
        threads.create_and_run(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "Raw events."}]},
            metadata=script('say "Half"; fail server_error "sorry"'),
            stream=True,
        )
    )
    seen.take("raw events", await collect(raw))
    broken = await settle(
        threads.create_and_run(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "Break it."}]},
            metadata=script('say "Half of it"; error "overloaded"'),
            stream=True,
        )
    )
    seen.take("error event", await collect(broken))

    async def run_of(text: str, **options: Any) -> Any:
        return await settle(
            threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=assistant.id, tools=[], metadata=script(text), **options
            )
        )

    seen.take("retried", await run_of('http 429 retry-after 0.05 times 2; say "third time lucky"'))
    seen.take("retried poll", await run_of('http 500 retry-after 0.05 times 1 on getRun; say "second poll"'))
    patient = client.with_options(max_retries=0)
    await seen.error(
        "refused",
        lambda: patient.beta.threads.runs.create(
            thread.id, assistant_id=assistant.id, metadata=script("http 429 retry-after 1 times 1")
        ),
    )
    for ending in ("fail rate_limit_exceeded", "incomplete max_completion_tokens", "expire"):
        seen.take(ending, await run_of(ending))

    slow = seen.take(
        "slow",
        await settle(threads.runs.create(thread.id, assistant_id=assistant.id, metadata=script("in_progress 60s"))),
    )
    await seen.error("one at a time", lambda: threads.runs.create(thread.id, assistant_id=assistant.id))
    seen.take("cancelling", (await settle(threads.runs.cancel(slow.id, thread_id=thread.id))).id)
    seen.take("cancelled", await settle(threads.runs.poll(slow.id, thread_id=thread.id)))
    seen.take("runs", await collect(threads.runs.list(thread.id, limit=2)))

    raw_answer = await settle(threads.with_raw_response.retrieve(thread.id))
    seen.take("request id", [raw_answer.headers["x-request-id"], raw_answer.headers["openai-version"]])
    seen.take("message gone", await settle(threads.messages.delete(question.id, thread_id=thread.id)))
    await seen.error("message not there", lambda: threads.messages.retrieve(question.id, thread_id=thread.id))
    seen.take("file", await settle(client.files.retrieve(file.id)))
    seen.take("file gone", await settle(client.files.delete(file.id)))
    seen.take("assistant gone", await settle(client.beta.assistants.delete(assistant.id)))
    seen.take("thread gone", await settle(threads.delete(thread.id)))
    await seen.error("thread not there", lambda: threads.retrieve(thread.id))
    return seen


async def see(kind: str, base_url: str) -> Transcript:
    """Run the program: the async client in this loop, the sync one in a thread of its own."""
    if kind == "async":
        async with openai.AsyncOpenAI(base_url=base_url, api_key=KEY) as client:
            return await converse(client, openai.AsyncAssistantEventHandler)

    def blocking() -> Transcript:
        with openai.OpenAI(base_url=base_url, api_key=KEY) as client:
            return asyncio.run(converse(client, openai.AssistantEventHandler))

    return await asyncio.to_thread(blocking)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait of the SDK, in seconds: between polls, and before a retry. They still happen."""
    waited: list[float] = []
    blocking, asynchronous, retry = SyncAPIResource._sleep, AsyncAPIResource._sleep, BaseClient._calculate_retry_timeout

    def sleep(self: Any, seconds: float) -> None:
        waited.append(seconds)
        blocking(self, seconds)

    async def sleep_async(self: Any, seconds: float) -> None:
        waited.append(seconds)
        await asynchronous(self, seconds)

    def before_retry(self: Any, *values: Any, **named: Any) -> float:
        waited.append(retry(self, *values, **named))
        return waited[-1]

    monkeypatch.setattr(SyncAPIResource, "_sleep", sleep)
    monkeypatch.setattr(AsyncAPIResource, "_sleep", sleep_async)
    monkeypatch.setattr(BaseClient, "_calculate_retry_timeout", before_retry)
    return waited


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_program_sees_the_same_with_the_sandbox_gone(stage, tmp_path: Path, waits: list[float], kind: str):
    path = tmp_path / "program.cassette"
    async with stage.record(path, speed=20) as recording:
        live = await see(kind, recording.url + "/v1")
        assert recording.sandbox.calls == recording.recorder.calls
        assert recording.said == []
    kept = stage.kept(path)
    assert len(kept) == recording.sandbox.calls
    assert {call.operation for call in kept} >= {row.number for row in OPERATIONS} - {18, 19}, (
        "all of the second version"
    )
    assert {call.status for call in kept} == {200, 400, 401, 404, 429, 500}
    assert max(waits) > 0.001
    waits.clear()
    async with stage.replay(path) as replay:
        again = await see(kind, replay.url + "/v1")
        assert replay.said == []
        assert (replay.replayer.misses, replay.replayer.inexact) == (0, 0)
    assert again == live
    assert waits
    assert max(waits) <= 0.001, "a replay tells the SDK not to wait"


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_polled_run_replays_in_as_many_calls_as_it_had_states(stage, tmp_path: Path, waits, kind: str):
    path = tmp_path / "slow.cassette"

    def blocking(base_url: str) -> str:
        with openai.OpenAI(base_url=base_url, api_key=KEY) as client:
            run = client.beta.threads.create_and_run(
                assistant_id="asst_abc123", thread={"messages": [{"role": "user", "content": "Think hard."}]}
            )
            return client.beta.threads.runs.poll(run.id, thread_id=run.thread_id).status

    async def asynchronous(base_url: str) -> str:
        async with openai.AsyncOpenAI(base_url=base_url, api_key=KEY) as client:
            run = await client.beta.threads.create_and_run(
                assistant_id="asst_abc123", thread={"messages": [{"role": "user", "content": "Think hard."}]}
            )
            return (await client.beta.threads.runs.poll(run.id, thread_id=run.thread_id)).status

    async def program(base_url: str) -> str:
        return await (asynchronous(base_url) if kind == "async" else asyncio.to_thread(blocking, base_url))

    # Two seconds by the sandbox's clock.
    async with stage.record(path, speed=10, script='queued 1s; in_progress 1s; say "Done."') as recording:
        assert await program(recording.url + "/v1") == "completed"
        polls = recording.sandbox.calls - 1
    bodies = [call.body for call in stage.kept(path) if call.method == "GET"]
    states = len(list(groupby(bodies)))
    assert len(bodies) == polls > states
    waits.clear()
    async with stage.replay(path) as replay:
        assert await program(replay.url + "/v1") == "completed"
        assert replay.replayer.calls == 1 + states
    assert Counter(waits) == {0.0: states - 1}
