"""The npm `openai` package under Node's own test runner: recorded by it, replayed from a folder by a service beside it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

HERE = Path(__file__).parent / "node"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "openai").is_dir(),
        reason="npm ci did not run here; make test does",
    ),
]


async def node(*arguments: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        NODE,
        *arguments,
        cwd=HERE,
        env={**os.environ, **environment, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.fixture
async def recorded(stage, tmp_path):
    """A folder with one cassette, and what the program saw when it was recorded."""
    folder = tmp_path / "cassettes"
    folder.mkdir()
    async with stage.record(folder / "refund.cassette") as recording:
        seen = await node("record.mjs", recording.url + "/v1")
    transcript = tmp_path / "transcript.json"
    transcript.write_text(seen)
    return folder, transcript


async def test_a_node_test_suite_replays_a_folder_with_workers_side_by_side(recorded):
    folder, transcript = recorded
    output = await node(
        "--test",
        RESPOOL_COMMAND=json.dumps([sys.executable, "-m", "respool"]),
        RESPOOL_CASSETTES=str(folder),
        RESPOOL_TRANSCRIPT=str(transcript),
    )
    assert "# pass 4" in output
    assert "# fail 0" in output


async def test_the_program_saw_a_whole_conversation(recorded):
    seen = {label: rest for label, *rest in json.loads(recorded[1].read_text())}
    assert seen["asked"] == ["requires_action"]
    assert seen["run"][0]["status"] == seen["streamed"][0] == "completed"
    assert seen["events"][0][-1]["event"] == "thread.run.completed"
    assert len(seen["messages"][0]) == 4
    assert seen["error"][0] == 404


def refund(base_url: str) -> list[Any]:
    """The same program in Python: the calls of agent.mjs, and what it tells of them."""
    lookup = {
        "type": "function",
        "function": {
            "name": "lookup_order",
            "description": "Find an order by its number.",
            "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
        },
    }
    with openai.OpenAI(base_url=base_url, api_key="sk-test-0123456789abcdef") as client:
        threads = client.beta.threads
        thread = threads.create(messages=[{"role": "user", "content": "Where is order 118?"}])
        run = threads.runs.create_and_poll(thread_id=thread.id, assistant_id="asst_abc123", tools=[lookup])
        asked = run.status
        calls = run.required_action.submit_tool_outputs.tool_calls
        outputs = [{"tool_call_id": call.id, "output": '{"id":118,"state":"shipped"}'} for call in calls]
        run = threads.runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs)
        threads.messages.create(thread.id, role="user", content="Thank you!")
        with threads.runs.stream(thread_id=thread.id, assistant_id="asst_abc123") as stream:
            events = [plain(event) for event in stream]  # at once: the SDK goes on writing into what it gave
        final = stream.current_run
        messages = list(threads.messages.list(thread.id, limit=2))
        steps = list(threads.runs.steps.list(run.id, thread_id=thread.id))
        with pytest.raises(openai.NotFoundError) as missing:
            threads.retrieve("thread_missing")
    return [
        ["thread", plain(thread)],
        ["asked", asked],
        ["run", plain(run)],
        ["events", events],
        ["streamed", final.status],
        ["messages", [plain(message) for message in messages]],
        ["steps", [plain(step) for step in steps]],
        ["error", missing.value.status_code, missing.value.body["message"]],
    ]


def plain(model: Any) -> Any:
    """The fields that came on the wire."""
    return model.model_dump(mode="json", exclude_unset=True, warnings=False)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
async def test_what_node_recorded_python_replays(recorded, stage):
    folder, transcript = recorded
    async with stage.replay(folder / "refund.cassette") as replay:
        seen = await asyncio.to_thread(refund, replay.url + "/v1")
        assert replay.replayer.misses == 0
    assert seen == json.loads(transcript.read_text())


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
async def test_what_python_recorded_node_replays(stage, tmp_path):
    path = tmp_path / "refund.cassette"
    async with stage.record(path) as recording:
        seen = await asyncio.to_thread(refund, recording.url + "/v1")
    async with stage.replay(path) as replay:
        assert json.loads(await node("record.mjs", replay.url + "/v1")) == seen
        assert replay.replayer.misses == 0
