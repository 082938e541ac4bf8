"""A conversation with everything in it, recorded from the sandbox, and the means to change one thing in the recording."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.operations import find_operation, split_target
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.cli.conversation import Client, multipart
from respool.proxy.record import Recorder
from respool.proxy.sandbox.rules import Rule
from respool.proxy.sandbox.server import serve_sandbox
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

LOOK_UP = {
    "type": "function",
    "function": {"name": "lookup_order", "description": "Find an order.", "parameters": {"type": "object"}},
}
WORK = """
call lookup_order({"id": 118, "deep": {"a": [1, 2]}})
code "print(6 * 7)" -> "42"
call refund({"id": 118, "amount": 12.5}) & notify({"how": "mail"})
say "It is 42, see [1]." cite "[1]" "file-manual" "The answer is 42."
tokens 120 35
"""
FAILURE = 'http 429 retry-after 0; in_progress 20ms; fail server_error "The server had an error."'
RULES = (Rule("order 118", WORK), Rule("urgent", FAILURE))


def hold(client: Client, *, streamed: bool = False, extra_polls: int = 0) -> None:
    """Two threads: one with tools, code, a citation, a change and errors; one that speaks of the first and whose run fails."""

    def call(method: str, path: str, body: object = None) -> dict[str, Any]:
        exchange = client.call(method, path, body, label=path)
        return json.loads(exchange.body) if exchange.body.startswith(b"{") else {"events": exchange.body.decode()}

    def run(thread: str, asked: dict[str, Any], streams: bool) -> str:
        made = call("POST", f"/threads/{thread}/runs", {**asked, "stream": True} if streams else asked)
        while True:
            if "events" in made:
                told = [json.loads(line[6:]) for line in made["events"].split("\n") if line.startswith("data: {")]
                runs = [each for each in told if each.get("object") == "thread.run"]
                state = runs[-1]
            else:
                for _ in range(1 + extra_polls):
                    state = client.poll(f"/threads/{thread}/runs/{made['id']}")
            if state["status"] != "requires_action":
                return state["id"]
            asked_for = state["required_action"]["submit_tool_outputs"]["tool_calls"]
            outputs = [
                {"tool_call_id": each["id"], "output": json.dumps({"status": "sent", "by": each["function"]["name"]})}
                for each in asked_for
            ]
            sent = {"tool_outputs": outputs, **({"stream": True} if streams else {})}
            made = call("POST", f"/threads/{thread}/runs/{state['id']}/submit_tool_outputs", sent)

    assistant = call("POST", "/assistants", {"model": "gpt-4o-mini", "name": "Orders", "tools": [LOOK_UP]})["id"]
    data, kind = multipart("receipt.txt", b"order 118: one red kettle, 24.90\n")
    file = json.loads(client.call("POST", "/files", raw=data, kind=kind, label="file").body)["id"]
    thread = call("POST", "/threads", {"metadata": {"customer": "118"}})["id"]
    first = call(
        "POST",
        f"/threads/{thread}/messages",
        {
            "role": "user",
            "content": "Where is order 118?",
            "attachments": [{"file_id": file, "tools": [{"type": "file_search"}]}],
            "metadata": {"place": "shop"},
        },
    )["id"]
    asked = {
        "assistant_id": assistant,
        "instructions": "Be brief.",
        "temperature": 0.5,
        "max_completion_tokens": 500,
        "metadata": {"speaks of": first, "kind": "question"},
        "truncation_strategy": {"type": "last_messages", "last_messages": 5},
    }
    done = run(thread, asked, streamed)
    call("GET", f"/threads/{thread}/runs/{done}/steps")
    call("GET", f"/threads/{thread}/messages?order=asc")
    call("POST", f"/threads/{thread}/messages", {"role": "user", "content": f"Thank you for {first}! And when?"})
    run(thread, {"assistant_id": assistant, "tools": []}, True)
    call("POST", f"/threads/{thread}", {"metadata": {"customer": "118", "state": "done"}})
    call("GET", f"/threads/{thread}/messages/msg_unknown")
    call("GET", f"/threads/{thread}/messages?order=asc")
    told = [{"role": "user", "content": text} for text in (f"As I wrote in {thread}: help.", "It is urgent.")]
    second = call("POST", "/threads", {"messages": told})["id"]
    for _ in range(2):
        made = call("POST", f"/threads/{second}/runs", {"assistant_id": assistant, "max_prompt_tokens": 900})
    client.poll(f"/threads/{second}/runs/{made['id']}")
    call("GET", f"/threads/{second}/messages")


def record(path: Path, work: Callable[[Client], None], *, seed: int | None = None, speed: float = 50) -> Path:
    """Record what `work` does with a client of the sandbox."""

    async def recording() -> None:
        async with serve_sandbox(seed=seed, speed=speed, rules=RULES) as sandbox:
            upstream = Upstream(Origin.parse(sandbox.url + "/v1"))
            with Writer.create(path, meta={"upstream": "http://upstream.test/v1"}) as writer:
                recorder = Recorder(upstream, writer, narrate=print)
                async with serve(recorder, name="record", narrate=print) as proxy:
                    parts = urlsplit(proxy.url)
                    client = Client(parts.hostname or "", parts.port or 0, "/v1")
                    await asyncio.to_thread(work, client)
                    client.close()

    asyncio.run(recording())
    return path


def calls_of(path: Path) -> list[Interaction]:
    """The calls of a cassette, their bodies read."""
    with Reader.open(path) as reader:
        return [_read(reader.interaction(row)) for row in reader.rows()]


def write(path: Path, calls: Iterable[Interaction]) -> Path:
    """A cassette of these calls, numbered anew; what they belong to is found anew."""
    with Writer.create(path, meta={"upstream": "http://upstream.test/v1"}) as writer:
        for call in calls:
            call = replace(call, arrival=writer.next_arrival(), scope=scope_of(call.request, call.response))
            writer.append(call, summarise(call))
    return path


def operation_of(call: Interaction) -> str:
    """The name of an operation; of other calls method and path."""
    _, path, _ = split_target(call.request.target)
    operation, _ = find_operation(call.request.method, path)
    return operation.name if operation else f"{call.request.method} {path.decode()}"


def with_bodies(call: Interaction, change: Callable[[bytes], bytes]) -> Interaction:
    """A call with both bodies changed."""
    request = replace(call.request, body=Body.of(change(call.request.body.read())))
    return with_answer(replace(call, request=request), change)


def with_answer(call: Interaction, change: Callable[[bytes], bytes]) -> Interaction:
    """A call whose answer is changed."""
    response = call.response
    if response is None:
        return call
    return replace(call, response=replace(response, body=Body.of(change(response.body.read())), marks=()))


def with_request(call: Interaction, change: Callable[[bytes], bytes]) -> Interaction:
    """A call whose request is changed."""
    return replace(call, request=replace(call.request, body=Body.of(change(call.request.body.read()))))


def in_json(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    """A change of JSON as one of bytes: of a body, or of the data of each event of a stream."""

    def changed(text: bytes) -> bytes:
        value = json.loads(text)
        change(value)
        return json.dumps(value).encode()

    def body(data: bytes) -> bytes:
        if data.startswith(b"{"):
            return changed(data)
        lines = data.split(b"\n")
        return b"\n".join(b"data: " + changed(line[6:]) if line.startswith(b"data: {") else line for line in lines)

    return body


def _read(call: Interaction) -> Interaction:
    request: Request = replace(call.request, body=Body.of(call.request.body.read()))
    response = call.response
    if isinstance(response, Response):
        response = replace(response, body=Body.of(response.body.read()))
    return replace(call, request=request, response=response)
