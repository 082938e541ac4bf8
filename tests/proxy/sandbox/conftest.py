"""A sandbox under a clock that the test moves, a client that checks all it gets, and the strict models."""

import importlib.util
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from respool.cassettes.operations import OPERATIONS
from respool.proxy.sandbox.clock import ManualClock
from respool.proxy.sandbox.server import Sandbox


def load_strict(name: str) -> ModuleType:
    """Test folders are no packages, so that the models beside this file are loaded by their path."""
    full = f"sandbox_strict_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"strict_{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


def check_event(event: str, data: Any) -> None:
    """Hold the data of an event of the second version against its strict model."""
    deltas, objects = load_strict("v2_deltas"), load_strict("v2")
    kinds = {"thread": "Thread", "thread.run": "Run", "thread.run.step": "Step", "thread.message": "Message"}
    kind, _, state = event.rpartition(".")
    if event in deltas.EVENTS:
        deltas.EVENTS[event].model_validate(data)
    else:
        assert state in deltas.STATES[kind]
        getattr(objects, kinds[kind]).model_validate(data)


class Reply(NamedTuple):
    status: int
    headers: Any
    payload: Any


class Api:
    """A client of one version. `do` calls an operation by name and holds the answer against its strict model."""

    def __init__(self, client: Any, sandbox: Sandbox, clock: Any, version: int) -> None:
        self.client = client
        self.sandbox = sandbox
        self.clock = clock
        self.version = version
        self.seen: list[tuple[str, int, Any]] = []
        """(operation or event, version, payload), for every answer that was checked."""

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        headers = {"Authorization": "Bearer test", "OpenAI-Beta": f"assistants=v{self.version}"}
        headers |= options.pop("headers", {})
        if body is not None:
            options["json"] = body
        async with self.client.request(method, path, headers=headers, **options) as response:
            data = await response.read()
            kind = response.headers.get("Content-Type", "")
            return Reply(response.status, response.headers, json.loads(data) if "json" in kind else data)

    async def do(self, operation: str, body: Any = None, query: str = "", **ids: str) -> Any:
        row = next(row for row in OPERATIONS if row.name == operation)
        reply = await self.call(row.method, "/v1" + row.template.format(**ids) + query, body)
        assert reply.status == 200, reply.payload
        load_strict(f"v{self.version}").RESPONSES[operation].model_validate(reply.payload)
        self.seen.append((operation, self.version, reply.payload))
        return reply.payload

    async def stream(self, path: str, body: Any) -> list[tuple[str, Any]]:
        reply = await self.call("POST", path, body | {"stream": True})
        assert reply.status == 200, reply.payload
        assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        events = parse_events(reply.payload)
        for event, data in events[:-1]:
            if self.version == 2:
                check_event(event, data)
            self.seen.append((event, self.version, data))
        return events

    async def thread(self, text: str = "Where is order 118?") -> str:
        created = await self.do("createThread", {"messages": [{"role": "user", "content": text}]})
        return created["id"]

    async def run(self, script: str | None = None, thread_id: str | None = None, **fields: Any) -> dict[str, Any]:
        thread_id = thread_id or await self.thread()
        body = {"assistant_id": "asst_abc123", **fields}
        if script is not None:
            body["metadata"] = {"sandbox_script": script}
        return await self.do("createRun", body, thread_id=thread_id)

    async def poll(self, run: dict[str, Any], after: float = 0.0) -> dict[str, Any]:
        self.clock.advance(after)
        return await self.do("getRun", thread_id=run["thread_id"], run_id=run["id"])

    async def steps(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        listed = await self.do("listRunSteps", query="?order=asc", thread_id=run["thread_id"], run_id=run["id"])
        return listed["data"]

    async def messages(self, thread_id: str) -> list[dict[str, Any]]:
        return (await self.do("listMessages", query="?order=asc", thread_id=thread_id))["data"]

    async def submit(self, run: dict[str, Any], output: str = "shipped") -> dict[str, Any]:
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        body = {"tool_outputs": [{"tool_call_id": call["id"], "output": output} for call in calls]}
        return await self.do("submitToolOuputsToRun", body, thread_id=run["thread_id"], run_id=run["id"])


def parse_events(data: bytes) -> list[tuple[str, Any]]:
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        event, _, text = block.partition("\n")
        assert event.startswith("event: ")
        assert text.startswith("data: ")
        text = text.removeprefix("data: ")
        events.append((event.removeprefix("event: "), text if text == "[DONE]" else json.loads(text)))
    return events


OpenApi = Callable[..., Awaitable[Api]]


@pytest.fixture
def open_api(aiohttp_client: Any) -> OpenApi:
    """Opens a sandbox under a manual clock and gives a client for it: `await open_api(version=1, script=...)`."""

    async def open_one(version: int = 2, **options: Any) -> Api:
        clock = options.pop("clock", None) or ManualClock()
        sandbox = Sandbox(clock=clock, **options)
        client = await aiohttp_client(sandbox.application())
        return Api(client, sandbox, clock, version)

    return open_one


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
async def api(request: pytest.FixtureRequest, open_api: OpenApi) -> Api:
    """A client of each version in turn."""
    return await open_api(version=request.param, seed=7)


@pytest.fixture
async def api2(open_api: OpenApi) -> Api:
    """A client of the second version."""
    return await open_api(seed=7)
