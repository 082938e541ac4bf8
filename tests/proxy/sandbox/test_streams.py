"""Streamed runs: event names and order as recorded from the first host, written as they happen."""

import asyncio

import pytest
from respool.proxy.sandbox.clock import ManualClock

BEGIN = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
STEP = ["thread.run.step.created", "thread.run.step.in_progress"]
MESSAGE = [*STEP, "thread.message.created", "thread.message.in_progress"]
SAID = ["thread.message.completed", "thread.run.step.completed"]
DELTA, STEP_DELTA = "thread.message.delta", "thread.run.step.delta"
TOOLS = [{"type": "function", "function": {"name": "lookup_order"}}]


class GatedClock(ManualClock):
    """Sleepers wait until the test has moved the time far enough."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = asyncio.Event()

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while self.now() < until:
            await self._moved.wait()


def shorten(events):
    """The names of the events, each run of equal ones once."""
    names = [event for event, _ in events]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


async def start(api, script, **fields):
    thread = await api.thread("Hello")
    body = {"assistant_id": "asst_abc123", "metadata": {"sandbox_script": script}, **fields}
    return await api.stream(f"/v1/threads/{thread}/runs", body)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('say "A b c"', [*BEGIN, *MESSAGE, DELTA, *SAID, "thread.run.completed"]),
        (
            'code "print(1)" -> "1"; say "One."',
            [*BEGIN, *STEP, STEP_DELTA, "thread.run.step.completed", *MESSAGE, DELTA, *SAID, "thread.run.completed"],
        ),
        ("call a({}) & b({})", [*BEGIN, *STEP, STEP_DELTA, "thread.run.requires_action"]),
        ('search "file-1" "a.pdf"', [*BEGIN, *STEP, STEP_DELTA, "thread.run.step.completed", "thread.run.completed"]),
        (
            'say "A b"; incomplete max_completion_tokens',
            [
                *BEGIN,
                *MESSAGE,
                DELTA,
                "thread.message.incomplete",
                "thread.run.step.completed",
                "thread.run.incomplete",
            ],
        ),
        ('fail rate_limit_exceeded "slow down"', [*BEGIN[:2], "thread.run.failed"]),
        (
            'fail server_error after 50ms; say "A long story that is cut"',
            [*BEGIN, *MESSAGE, DELTA, "thread.message.incomplete", "thread.run.step.failed", "thread.run.failed"],
        ),
        (
            'cancel after 50ms; say "A long story that is cut"',
            [*BEGIN, *MESSAGE, DELTA, "thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"],
        ),
        ("in_progress 1s; expire", [*BEGIN, "thread.run.expired"]),
        ('in_progress 10ms; error "It broke."', [*BEGIN, "error"]),
    ],
)
async def test_events_come_in_the_order_of_the_recordings(api, script, expected):
    events = await start(api, script)
    assert shorten(events) == [*expected, "done"]
    assert events[-1] == ("done", "[DONE]")


async def test_create_thread_and_run_begins_with_the_thread(api):
    body = {"assistant_id": "asst_abc123", "thread": {"messages": [{"role": "user", "content": "Hello"}]}}
    events = await api.stream("/v1/threads/runs", body)
    assert shorten(events)[:2] == ["thread.created", "thread.run.created"]
    assert events[0][1]["id"] == events[1][1]["thread_id"]


async def test_deltas_join_to_the_message_and_the_events_show_their_own_moment(api2):
    events = await start(api2, 'say "See the manual [1], page 7." cite "[1]" "file-9" "page 7"')
    pieces = [data["delta"]["content"][0]["text"] for event, data in events if event == DELTA]
    assert "".join(piece.get("value", "") for piece in pieces) == "See the manual [1], page 7."
    assert pieces[0]["annotations"] == []
    [note] = [note for piece in pieces[1:] for note in piece.get("annotations", [])]
    assert (note["index"], note["start_index"], note["end_index"]) == (0, 15, 18)
    of = dict(events)
    assert [of[name]["status"] for name in BEGIN] == ["queued", "queued", "in_progress"]
    assert of["thread.message.created"]["content"] == []
    assert of["thread.message.completed"]["content"][0]["text"]["value"] == "See the manual [1], page 7."
    assert of["thread.run.step.created"]["usage"] is None
    assert of["thread.run.step.completed"]["usage"]["completion_tokens"] > 0


async def test_tool_calls_are_streamed_and_submitted_outputs_go_on_in_a_stream(api):
    events = await start(api, 'call a({"x": "some words"}) & b({}); say "Got {outputs}."')
    calls = [data["delta"]["step_details"]["tool_calls"][0] for event, data in events if event == STEP_DELTA]
    first = [call for call in calls if call["index"] == 0]
    assert first[0]["function"] == {"name": "a", "arguments": "", "output": None}
    assert "".join(call["function"]["arguments"] for call in first) == '{"x": "some words"}'
    run = events[-2][1]
    wanted = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": call["id"], "output": call["function"]["name"].upper()} for call in wanted]
    path = f"/v1/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    events = await api.stream(path, {"tool_outputs": outputs})
    assert shorten(events) == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
        *MESSAGE,
        DELTA,
        *SAID,
        "thread.run.completed",
        "done",
    ]
    assert dict(events)["thread.message.completed"]["content"][0]["text"]["value"] == "Got A, B."


async def test_an_error_event_carries_the_api_error_and_the_run_has_failed(api2):
    events = await start(api2, 'error "It broke."')
    assert dict(events)["error"] == {"message": "It broke.", "type": "server_error", "param": None, "code": None}
    run = await api2.poll(events[0][1])
    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")


async def test_each_event_is_written_when_it_happens(open_api):
    api = await open_api(clock=GatedClock(), script='queued 1s; in_progress 1s; say "Hello"')
    thread = await api.thread("Hi")
    headers = {"Authorization": "Bearer test"}
    body = {"assistant_id": "asst_abc123", "stream": True}
    async with api.client.post(f"/v1/threads/{thread}/runs", json=body, headers=headers) as response:
        seen = b""

        async def read_until(text):
            nonlocal seen
            async with asyncio.timeout(5):
                while text not in seen:
                    seen += await response.content.readany()

        await read_until(b"event: thread.run.queued")
        assert b"in_progress" not in seen
        api.clock.advance(1)
        await read_until(b"event: thread.run.in_progress")
        assert b"thread.message" not in seen
        api.clock.advance(1)
        await read_until(b"event: thread.message.in_progress")
        assert b"thread.message.delta" not in seen
        api.clock.advance(1)
        await read_until(b"data: [DONE]")


async def test_a_stream_hears_of_a_cancel_at_once(open_api):
    api = await open_api(clock=GatedClock(), script='say "Hello"; in_progress 10m')
    thread = await api.thread("Hi")
    body = {"assistant_id": "asst_abc123", "stream": True}
    headers = {"Authorization": "Bearer test"}
    async with api.client.post(f"/v1/threads/{thread}/runs", json=body, headers=headers) as response:
        await response.content.readuntil(b"\n\n")
        [run] = (await api.do("listRuns", thread_id=thread))["data"]
        await api.do("cancelRun", thread_id=thread, run_id=run["id"])
        api.clock.advance(0.5)
        async with asyncio.timeout(5):
            rest = await response.content.read()
        assert b"event: thread.run.cancelling" in rest
        assert b"event: thread.run.cancelled" in rest
        assert rest.endswith(b"data: [DONE]\n\n")


async def test_a_dropped_stream_is_cut_without_an_end(api2):
    import aiohttp

    thread = await api2.thread("Hi")
    body = {"assistant_id": "asst_abc123", "stream": True, "metadata": {"sandbox_script": 'say "Hello"; drop'}}
    headers = {"Authorization": "Bearer test"}
    async with api2.client.post(f"/v1/threads/{thread}/runs", json=body, headers=headers) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_run_goes_on_when_its_stream_is_left(open_api):
    api = await open_api(clock=GatedClock(), script='queued 1s; say "Hello there"')
    thread = await api.thread("Hi")
    body = {"assistant_id": "asst_abc123", "stream": True}
    response = await api.client.post(f"/v1/threads/{thread}/runs", json=body, headers={"Authorization": "Bearer test"})
    await response.content.readuntil(b"\n\n")
    response.close()
    api.clock.advance(5)
    [run] = (await api.do("listRuns", thread_id=thread))["data"]
    assert run["status"] == "completed"
    assert len(await api.messages(thread)) == 2


async def test_a_poller_and_a_stream_see_one_and_the_same_run(open_api):
    api = await open_api(clock=GatedClock(), script='queued 1s; in_progress 1s; say "Hello"')
    thread = await api.thread("Hi")
    body = {"assistant_id": "asst_abc123", "stream": True}
    headers = {"Authorization": "Bearer test"}
    async with api.client.post(f"/v1/threads/{thread}/runs", json=body, headers=headers) as response:
        await response.content.readuntil(b"\n\n")
        [run] = (await api.do("listRuns", thread_id=thread))["data"]
        api.clock.advance(1)
        assert (await api.poll(run))["status"] == "in_progress"
        api.clock.advance(5)
        assert (await api.poll(run))["status"] == "completed"
        rest = await response.content.read()
        assert rest.count(b"event: thread.run.in_progress") == 1
        assert rest.count(b"event: thread.run.completed") == 1
