"""Injected faults as an unmodified `openai` client meets them: retries, broken streams, and runs that end otherwise.

What is made up is held against the strict models of the API's second version.
"""

import asyncio
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from respool.cassettes.faults import Faults

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

STRICT = Path(__file__).parent.parent / "proxy" / "sandbox" / "conftest.py"
TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}}}
SCRIPT = 'in_progress 50ms; call lookup({"id": 118}); say "One two three four five six seven eight."'
ENDS = [
    ("failed", "run: failed rate_limit_exceeded", "run_failed"),
    ("expired", "run: expired", "run_expired"),
    ("cancelled", "run: cancelled", "run_cancelled"),
    ("incomplete", "run: incomplete max_prompt_tokens", "max_tokens"),
]


@pytest.fixture(scope="module")
def strict():
    spec = importlib.util.spec_from_file_location("sandbox_conftest", STRICT)
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


async def settle(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def outputs(run: Any) -> list[dict[str, str]]:
    return [
        {"tool_call_id": call.id, "output": "shipped"} for call in run.required_action.submit_tool_outputs.tool_calls
    ]


async def begin(client: Any) -> Any:
    return await settle(client.beta.threads.create(messages=[{"role": "user", "content": "Where is order 118?"}]))


async def reads(client: Any, thread: str, run: str) -> dict[str, Any]:
    """What the API tells of a run once it is over."""
    threads = client.beta.threads
    return {
        "run": await settle(threads.runs.retrieve(run, thread_id=thread)),
        "runs": await settle(threads.runs.list(thread)),
        "steps": await settle(threads.runs.steps.list(run, thread_id=thread)),
        "messages": await settle(threads.messages.list(thread)),
    }


async def poll(client: Any) -> dict[str, Any]:
    thread = await begin(client)
    runs = client.beta.threads.runs
    run = await settle(runs.create_and_poll(thread_id=thread.id, assistant_id="asst_abc123", tools=[TOOL]))
    asked = []
    while run.status == "requires_action":
        asked.append([call.id for call in run.required_action.submit_tool_outputs.tool_calls])
        run = await settle(
            runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run))
        )
    return {"polled": run, "asked": asked, **await reads(client, thread.id, run.id)}


async def events(stream: Any) -> list[tuple[str, Any]]:
    if hasattr(stream, "__aiter__"):
        return [(event.event, event.data) async for event in stream]
    return [(event.event, event.data) for event in stream]


async def watch(client: Any) -> dict[str, Any]:
    thread = await begin(client)
    runs = client.beta.threads.runs
    seen = await events(await settle(runs.create(thread.id, assistant_id="asst_abc123", tools=[TOOL], stream=True)))
    asked = []
    while seen[-1][0] == "thread.run.requires_action":
        run = seen[-1][1]
        asked.append([call.id for call in run.required_action.submit_tool_outputs.tool_calls])
        submitted = runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs(run), stream=True)
        seen += await events(await settle(submitted))
    return {"seen": seen, "asked": asked, **await reads(client, thread.id, seen[-1][1].id)}


async def program(kind: str, url: str, play: Any) -> Any:
    if kind == "async":
        async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="unused") as client:
            return await play(client)

    def blocking() -> Any:
        with openai.OpenAI(base_url=url + "/v1", api_key="unused") as client:
            return asyncio.run(play(client))

    return await asyncio.to_thread(blocking)


@pytest.fixture(scope="module")
def recorded(stage, tmp_path_factory):
    """One conversation of each kind, recorded."""
    folder = tmp_path_factory.mktemp("faults")

    async def record(play: Any) -> None:
        async with stage.record(folder / play.__name__, speed=10, script=SCRIPT) as recording:
            told = await program("async", recording.url, play)
            assert told["run"].status == "completed"

    for play in (poll, watch):
        asyncio.run(record(play))
    return folder


def hold(strict: Any, told: dict[str, Any]) -> None:
    """Hold what was told against the strict models."""
    models = strict.load_strict("v2").RESPONSES
    for name, operation in (
        ("run", "getRun"),
        ("runs", "listRuns"),
        ("steps", "listRunSteps"),
        ("messages", "listMessages"),
    ):
        models[operation].model_validate(told[name].to_dict())
    for name, data in told.get("seen", []):
        strict.check_event(name, data.to_dict())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("status", "rule", "reason"), ENDS)
async def test_a_polled_run_ends_otherwise_and_stays_so(stage, strict, recorded, kind, status, rule, reason):
    faults = Faults([rule])
    async with stage.replay(recorded / "poll", faults=faults) as replay:
        told = await program(kind, replay.url, poll)
        assert replay.replayer.misses == 0
    hold(strict, told)
    assert [told[name].status for name in ("polled", "run")] == [status, status]
    assert [run.status for run in told["runs"].data] == [status]
    run = told["run"]
    assert (run.last_error and run.last_error.code) == ("rate_limit_exceeded" if status == "failed" else None)
    assert (run.incomplete_details and run.incomplete_details.reason) == (
        "max_prompt_tokens" if status == "incomplete" else None
    )
    assert (run.failed_at is not None, run.cancelled_at is not None) == (status == "failed", status == "cancelled")
    assert (run.completed_at is not None) == (status == "incomplete")
    assert [message.role for message in told["messages"].data] == ["user"]
    assert all(step.type == "tool_calls" for step in told["steps"].data)
    assert faults.struck == {rule: 1}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("status", "rule", "reason"), ENDS)
async def test_a_streamed_run_ends_otherwise_and_stays_so(stage, strict, recorded, kind, status, rule, reason):
    async with stage.replay(recorded / "watch", faults=Faults([rule])) as replay:
        told = await program(kind, replay.url, watch)
        assert replay.replayer.misses == 0
    hold(strict, told)
    names = [name for name, _ in told["seen"]]
    step_end = "completed" if status == "incomplete" else status
    assert names[-3:] == ["thread.message.incomplete", f"thread.run.step.{step_end}", f"thread.run.{status}"]
    assert "thread.run.completed" not in names
    said = "".join(
        data.delta.content[0].text.value or "" for name, data in told["seen"] if name == "thread.message.delta"
    )
    assert "One two three four five six seven eight.".startswith(said)
    assert 0 < len(said) < 40
    message = told["messages"].data[0]
    assert (message.status, message.incomplete_details.reason) == ("incomplete", reason)
    assert message.content[0].text.value == said
    assert told["run"].status == status
    assert sorted(step.status for step in told["steps"].data) == sorted(["completed", step_end])


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_stream_helpers_take_a_run_that_fails(stage, recorded, kind):
    async def play(client: Any) -> Any:
        thread = await begin(client)
        runs = client.beta.threads.runs
        first = await settle(runs.create(thread.id, assistant_id="asst_abc123", tools=[TOOL], stream=True))
        run = (await events(first))[-1][1]
        manager = runs.submit_tool_outputs_stream(run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run))
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                await stream.until_done()
                return stream.current_run, await stream.get_final_messages()
        with manager as stream:
            stream.until_done()
            return stream.current_run, stream.get_final_messages()

    async with stage.replay(recorded / "watch", faults=Faults(["run: failed"])) as replay:
        run, messages = await program(kind, replay.url, play)
    assert (run.status, run.last_error.code) == ("failed", "server_error")
    assert [message.status for message in messages] == ["incomplete"]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("play", [poll, watch])
async def test_a_run_asks_again_under_other_ids_and_then_goes_on(stage, strict, recorded, kind, play):
    async with stage.replay(recorded / play.__name__, faults=Faults(["run: requires_action again"])) as replay:
        told = await program(kind, replay.url, play)
        assert replay.replayer.misses == 0
    hold(strict, told)
    first, second = told["asked"]
    assert len(first) == len(second) == 1
    assert first != second
    assert told["run"].status == "completed"
    assert told["messages"].data[0].content[0].text.value.startswith("One two")


@pytest.mark.parametrize("play", [poll, watch])
async def test_a_run_asks_again_and_then_fails(stage, strict, recorded, play):
    rules = ["run: requires_action again", "run: failed"]
    async with stage.replay(recorded / play.__name__, faults=Faults(rules)) as replay:
        told = await program("async", replay.url, play)
    hold(strict, told)
    assert len(told["asked"]) == 2
    assert told["run"].status == "failed"


@pytest.mark.parametrize("play", [poll, watch])
async def test_a_run_that_no_rule_counts_goes_as_recorded(stage, recorded, play):
    async def seen(faults: Faults | None) -> Any:
        async with stage.replay(recorded / play.__name__, faults=faults) as replay:
            told = await program("async", replay.url, play)
        return json.dumps({name: repr(value) for name, value in told.items()})

    assert await seen(Faults(["run#2: failed"])) == await seen(None)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "rule",
    [
        "createRun#1: status 429 retry-after-ms 1",
        "createRun#1: status 500",
        "createRun#1: reset",
        "createRun#1: cut after 100 bytes",
        "getRun#2: cut after 10 bytes",
        "submitToolOuputsToRun#1: status 503",
    ],
)
async def test_the_retry_of_an_sdk_gets_what_was_recorded(stage, recorded, kind, rule):
    faults = Faults([rule])
    async with stage.replay(recorded / "poll", faults=faults) as replay:
        told = await program(kind, replay.url, poll)
        assert replay.replayer.misses == 0
    assert told["run"].status == "completed"
    assert faults.struck == {rule: 1}
