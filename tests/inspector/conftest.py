"""Cassettes made of calls written in one line each, and what the inspector's panes show of them."""

import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.inspector.app import Inspector
from textual.pilot import Pilot

START = 1_700_000_000_000_000
PATIENCE = 30.0
HOSTILE = "\x1b]52;c;aGk=\x07\u202eevil\u200b\x9b2J\x00[/b][@click=app.quit]x[/]"


def call(line, asked=None, answer=None, *, status=200, at=0.0, end=End.COMPLETE):
    method, target = line.split(" ", 1)
    sent = b"" if asked is None else json.dumps(asked).encode()
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status, b"", ((b"content-type", b"application/json"),), Body.of(body))
    request = Request(method, ("/v1" + target).encode(), (), Body.of(sent))
    return Interaction(0, START + round(at * 1e6), request, response, end)


def thread(name, *said):
    """A thread with messages of the user."""
    calls = [call("POST /threads", {}, {"id": name})]
    for number, text in enumerate(said):
        calls.append(call(f"POST /threads/{name}/messages", {}, message(f"msg_{name}_{number}", text)))
    return calls


def message(name, text, role="user"):
    return {"id": name, "role": role, "content": [{"type": "text", "text": {"value": text, "annotations": []}}]}


def run(name, status, **more):
    return {"id": name, "object": "thread.run", "status": status} | more


def refund(name="thread_a", run_id="run_1"):
    """A thread whose run calls a tool: 2 steps, tokens, times."""
    at = f"/threads/{name}/runs/{run_id}"
    asked = {"id": "call_3", "type": "function", "function": {"name": "lookup_order", "arguments": '{"id": 118}'}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [asked]}}
    steps = [
        {
            "id": "step_2",
            "object": "thread.run.step",
            "type": "message_creation",
            "status": "completed",
            "created_at": 2,
            "run_id": run_id,
        }
        | {"step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_y"}}},
        {
            "id": "step_1",
            "object": "thread.run.step",
            "type": "tool_calls",
            "status": "completed",
            "created_at": 1,
            "run_id": run_id,
        }
        | {"step_details": {"type": "tool_calls", "tool_calls": [asked]}},
    ]
    usage = {"prompt_tokens": 2100, "completion_tokens": 210, "total_tokens": 2310}
    outputs = {"tool_outputs": [{"tool_call_id": "call_3", "output": '{"state": "shipped"}'}]}
    return [
        *thread(name, "I want my money back"),
        call(f"POST /threads/{name}/runs", {}, run(run_id, "queued", model="gpt-4o"), at=1.0),
        call(f"GET {at}", None, run(run_id, "requires_action", required_action=action), at=3.1),
        call(f"POST {at}/submit_tool_outputs", outputs, run(run_id, "queued"), at=5.4),
        call(f"GET {at}", None, run(run_id, "completed", usage=usage), at=9.4),
        call(f"GET {at}/steps", None, {"data": steps}, at=9.5),
        call(
            f"GET /threads/{name}/messages?order=asc",
            None,
            {"data": [message("msg_y", "It has shipped.", "assistant")]},
            at=9.6,
        ),
    ]


def assistants():
    return [call("POST /assistants", {}, {"id": "asst_1", "name": "Clerk", "model": "gpt-4o"})]


class Counting:
    """A reader that counts what it was asked, and may say it was not closed cleanly."""

    def __init__(self, reader: Reader, *, sealed: bool = True) -> None:
        self._reader = reader
        self.sealed = sealed
        self.folded: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def __len__(self) -> int:
        return len(self._reader)

    def rows_of_scope(self, name):
        self.folded.append(name)
        self.before(name)
        return self._reader.rows_of_scope(name)


class Looking:
    """What a person sees of an app under test, and waiting for it."""

    def __init__(self, app: Inspector, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def pane(self, name: str) -> list[str]:
        pane = self.app.screen_stack[0].query_one(f"#{name}")
        return [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]

    @property
    def list(self) -> str:
        return "\n".join(self.pane("list")).rstrip()

    @property
    def conversation(self) -> str:
        return "\n".join(self.pane("conversation")).rstrip()

    def foot(self, name: str) -> str:
        return str(self.app.screen_stack[0].query_one(f"#{name}").render())

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait for what is read in the background."""
        end = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < end, f"not seen; there is\n{self.list}\n{self.conversation}"
            await self.pilot.pause(0.01)

    async def reads(self, text: str) -> None:
        await self.until(lambda: text in self.conversation)

    async def lists(self, text: str) -> None:
        await self.until(lambda: text in self.list)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


class Made:
    """What the tests of the inspector build with."""

    Counting = Counting
    Looking = Looking
    call = staticmethod(call)
    thread = staticmethod(thread)
    message = staticmethod(message)
    run = staticmethod(run)
    refund = staticmethod(refund)
    assistants = staticmethod(assistants)
    HOSTILE = HOSTILE


@pytest.fixture(scope="session")
def made() -> type[Made]:
    return Made


@pytest.fixture
def cassette(tmp_path: Path) -> Callable[..., Path]:
    """Write a cassette of these calls."""

    def write(*calls: Interaction, name: str = "demo.cassette") -> Path:
        path = tmp_path / name
        with Writer.create(path) as writer:
            for number, one in enumerate(calls):
                told = replace(one, arrival=number, scope=scope_of(one.request, one.response))
                writer.append(told, summarise(told))
        return path

    return write


@pytest.fixture
def looking(made):
    """Open the inspector on a cassette; with notifications, since without them Textual hides markup errors in tests."""

    @asynccontextmanager
    async def open_it(path, *, size=(100, 30), sealed=True, before=None):
        with Reader.open(path) as reader:
            counting = made.Counting(reader, sealed=sealed)
            counting.before = before or counting.before
            app = Inspector(counting)
            async with app.run_test(size=size, notifications=True) as pilot:
                look = made.Looking(app, pilot)
                look.folded = counting.folded
                await pilot.pause()
                yield look

    return open_it
