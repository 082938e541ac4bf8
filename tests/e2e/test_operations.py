"""The table: one row for each operation of the API, and five proofs of each, in both versions.

Forwarded (the upstream saw that request line, byte for byte), recorded (under its own number), replayed (same status and
body with the upstream gone), shown (it leaves its mark in `respool show`), and served by the sandbox.
"""

import asyncio
import http.client
import json
import threading
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from respool.cassettes.operations import OPERATIONS, Operation
from respool.cassettes.reader import Reader
from respool.cassettes.show import render
from respool.cassettes.writer import Writer


class Row(NamedTuple):
    """`answers`: the `object` of the answer. `shown`: a mark of this call in the text of the cassette."""

    operation: str
    answers: str
    shown: str


TABLE = (
    Row("createThread", "thread", "  created\n"),
    Row("getThread", "thread", " 1 getThread "),
    Row("modifyThread", "thread", 'metadata {"customer": "118"}'),
    Row("deleteThread", "thread.deleted", "  deleted  thread\n"),
    Row("listMessages", "list", " 1 listMessages "),
    Row("createMessage", "thread.message", "Where is order 118?"),
    Row("getMessage", "thread.message", " 1 getMessage "),
    Row("modifyMessage", "thread.message", 'metadata {"seen": "message"}'),
    Row("createThreadAndRun", "thread.run", "  created with a run\n"),
    Row("listRuns", "list", " 1 listRuns "),
    Row("createRun", "thread.run", "  run  completed  "),
    Row("getRun", "thread.run", " polls, "),
    Row("modifyRun", "thread.run", 'metadata {"seen": "run"}'),
    Row("submitToolOuputsToRun", "thread.run", "outputs submitted"),
    Row("cancelRun", "thread.run", "cancel asked"),
    Row("listRunSteps", "list", " 1 listRunSteps "),
    Row("getRunStep", "thread.run.step", " 1 getRunStep "),
    Row("listMessageFiles", "list", " 1 listMessageFiles "),
    Row("getMessageFile", "thread.message.file", " 1 getMessageFile "),
    Row("deleteMessage", "thread.message.deleted", "(deleted)"),
)
ROWS = {row.operation: row for row in TABLE}
NUMBERED = {operation.name: operation for operation in OPERATIONS}


class Exchange(NamedTuple):
    operation: str
    method: str
    target: str
    status: int
    body: bytes


class Client:
    """Calls operations by name, and keeps what it sent and got. Each target has a query that is easily re-spelled."""

    def __init__(self, url: str, version: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        self._headers = {
            "Authorization": "Bearer sk-test-0123456789",
            "OpenAI-Beta": f"assistants={version}",
            "Content-Type": "application/json",
        }
        self.made: list[Exchange] = []

    def close(self) -> None:
        self._connection.close()

    def post(self, path: str, data: bytes, kind: str) -> dict[str, Any]:
        """A call outside the table."""
        return json.loads(self._send("", "POST", path, data, self._headers | {"Content-Type": kind}))

    def call(self, name: str, body: object = None, **ids: str) -> dict[str, Any]:
        operation = NUMBERED[name]
        path = operation.template.format(**ids)
        target = f"/v1{path}?proof=%7E+%2f{operation.number}&&x"
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self._send(name, operation.method, target, data, self._headers))

    def _send(self, name: str, method: str, target: str, data: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, target, data, headers)
        response = self._connection.getresponse()
        answer = response.read()
        self.made.append(Exchange(name, method, target, response.status, answer))
        return answer


def converse(client: Client, version: str) -> None:
    """Every operation at least once."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nreceipt\r\n--b--\r\n'
    )
    file = client.post("/v1/files", form, "multipart/form-data; boundary=b")["id"]
    attached = (
        {"file_ids": [file]}
        if version == "v1"
        else {"attachments": [{"file_id": file, "tools": [{"type": "file_search"}]}]}
    )
    script = {"sandbox_script": 'in_progress 500ms; call lookup({"id": 118}); say "It was {outputs}."'}

    thread = client.call("createThread", {})["id"]
    client.call("getThread", thread_id=thread)
    client.call("modifyThread", {"metadata": {"customer": "118"}}, thread_id=thread)
    question = {"role": "user", "content": "Where is order 118?", **attached}
    message = client.call("createMessage", question, thread_id=thread)["id"]
    client.call("getMessage", thread_id=thread, message_id=message)
    client.call("modifyMessage", {"metadata": {"seen": "message"}}, thread_id=thread, message_id=message)
    client.call("listMessageFiles", thread_id=thread, message_id=message)
    client.call("getMessageFile", thread_id=thread, message_id=message, file_id=file)
    run = client.call("createRun", {"assistant_id": "asst_abc123", "metadata": script}, thread_id=thread)["id"]
    waiting = poll(client, thread, run)
    call = waiting["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]
    outputs = {"tool_outputs": [{"tool_call_id": call, "output": "shipped by mule"}]}
    client.call("submitToolOuputsToRun", outputs, thread_id=thread, run_id=run)
    assert poll(client, thread, run)["status"] == "completed"
    client.call("modifyRun", {"metadata": {"seen": "run"}}, thread_id=thread, run_id=run)
    step = client.call("listRunSteps", thread_id=thread, run_id=run)["data"][0]["id"]
    client.call("getRunStep", thread_id=thread, run_id=run, step_id=step)
    client.call("listRuns", thread_id=thread)
    client.call("listMessages", thread_id=thread)
    client.call("deleteMessage", thread_id=thread, message_id=message)
    both = {
        "assistant_id": "asst_abc123",
        "thread": {"messages": [{"role": "user", "content": "Take your time."}]},
        "metadata": {"sandbox_script": "in_progress 600s"},
    }
    second = client.call("createThreadAndRun", both)
    client.call("cancelRun", thread_id=second["thread_id"], run_id=second["id"])
    poll(client, second["thread_id"], second["id"])
    client.call("deleteThread", thread_id=thread)


def poll(client: Client, thread: str, run: str) -> dict[str, Any]:
    """Ask for a run until it waits for nobody but the client; twice more than a state needs."""
    pause = threading.Event()
    for _ in range(2000):
        state = client.call("getRun", thread_id=thread, run_id=run)
        if state["status"] not in ("queued", "in_progress", "cancelling"):
            return state
        pause.wait(0.005)
    raise AssertionError("the run does not end")


@dataclass(frozen=True)
class Proof:
    """What each side saw of one conversation."""

    sent: list[Exchange]
    upstream: list[tuple[str, bytes]]
    kept: list[Any]
    replayed: list[Exchange]
    text: str
    without: dict[str, str]


def text_of(path: Path) -> str:
    with Reader.open(path) as reader:
        return "\n".join(list(render(reader))[2:]) + "\n"  # the first lines count calls and name the upstream


def leave_out(path: Path, number: int, to: Path) -> None:
    """Copy a cassette without one operation."""
    with Reader.open(path) as reader, Writer.create(to) as writer:
        for row in reader.rows():
            if row.summary.operation != number:
                writer.append(reader.interaction(row), row.summary)


def act(url: str, version: str) -> list[Exchange]:
    client = Client(url, version)
    try:
        converse(client, version)
    finally:
        client.close()
    return client.made


async def prove(stage: Any, folder: Path, version: str) -> Proof:
    path = folder / "table.cassette"
    async with stage.record(path, speed=20) as recording:
        sent = await asyncio.to_thread(act, recording.url, version)
        upstream = list(recording.sandbox.requests)
    async with stage.replay(path) as replay:
        replayed = await asyncio.to_thread(act, replay.url, version)
        assert (replay.replayer.misses, replay.replayer.inexact) == (0, 0)
    without = {}
    for operation in OPERATIONS:
        short = folder / f"without-{operation.name}.cassette"
        leave_out(path, operation.number, short)
        without[operation.name] = text_of(short)
    return Proof(sent, upstream, stage.kept(path), replayed, text_of(path), without)


@pytest.fixture(scope="module", params=["v1", "v2"])
def proof(request: pytest.FixtureRequest, stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return asyncio.run(prove(stage, tmp_path_factory.mktemp("operations"), request.param))


every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def of(calls: list[Exchange], operation: Operation) -> list[Exchange]:
    return [call for call in calls if call.operation == operation.name]


def test_the_table_has_one_row_for_each_operation():
    assert len(OPERATIONS) == 20
    assert [row.operation for row in TABLE] == [operation.name for operation in OPERATIONS]


@every_operation
def test_it_is_forwarded_as_it_was_sent(proof: Proof, operation: Operation):
    assert len(proof.upstream) == len(proof.sent)
    pairs = [
        (call, seen) for call, seen in zip(proof.sent, proof.upstream, strict=True) if call.operation == operation.name
    ]
    assert pairs
    for call, seen in pairs:
        assert seen == (operation.method, call.target.encode())


@every_operation
def test_it_is_recorded_under_its_number(proof: Proof, operation: Operation):
    kept = [call for call in proof.kept if call.operation == operation.number]
    sent = of(proof.sent, operation)
    assert [(call.method, call.target, call.status, call.body) for call in kept] == [
        (call.method, call.target.encode(), call.status, call.body) for call in sent
    ]


@every_operation
def test_it_is_replayed_with_the_upstream_gone(proof: Proof, operation: Operation):
    def answers(calls: list[Exchange]) -> list[tuple[int, bytes]]:
        """Polls that brought nothing new are left out of a replay."""
        return [answer for answer, _ in groupby((call.status, call.body) for call in of(calls, operation))]

    assert answers(proof.replayed) == answers(proof.sent) != []


@every_operation
def test_it_is_shown(proof: Proof, operation: Operation):
    assert ROWS[operation.name].shown in proof.text
    assert proof.without[operation.name] != proof.text


@every_operation
def test_the_sandbox_serves_it(proof: Proof, operation: Operation):
    for call in of(proof.sent, operation):
        assert call.status == 200
        assert json.loads(call.body)["object"] == ROWS[operation.name].answers


def test_each_version_has_its_own_shapes(proof: Proof):
    message = json.loads(of(proof.sent, NUMBERED["createMessage"])[0].body)
    assert ("file_ids" in message) != ("attachments" in message)
    run = json.loads(of(proof.sent, NUMBERED["createRun"])[0].body)
    assert ("file_ids" in run) == ("file_ids" in message)
