"""The demo's client: a plain HTTP client (http.client, one connection) that holds a whole conversation.

It knows nothing of respool. Run twice, against the recording and the replaying proxy, it must see the same answers.
"""

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any

RUNNING = frozenset({"queued", "in_progress", "cancelling"})
MOST_POLLS = 600


@dataclass
class Exchange:
    """One call as the client saw it. `polls` counts equal answers in a row that this one stands for."""

    label: str
    status: int
    body: bytes
    seconds: float
    first_piece: float = 0.0
    polls: int = 1
    note: str = ""

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Client:
    """`transcript` holds every exchange; polls that brought the same bytes as the one before are folded into it."""

    host: str
    port: int
    base: str
    transcript: list[Exchange] = field(default_factory=list)
    calls: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(self.host, self.port, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        label: str,
        raw: bytes | None = None,
        kind: str = "application/json",
    ) -> Exchange:
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": "Bearer sk-demo-0123456789", "OpenAI-Beta": "assistants=v2"}
        if data is not None:
            headers["Content-Type"] = kind
        began = time.perf_counter()
        self._connection.request(method, self.base + path, data, headers)
        response = self._connection.getresponse()
        first = response.read1(65536)
        arrived = time.perf_counter() - began
        rest = response.read()
        exchange = Exchange(label, response.status, first + rest, time.perf_counter() - began, arrived)
        exchange.note = response.headers.get("openai-poll-after-ms", "") if label == "getRun" else ""
        self.calls += 1
        self.transcript.append(exchange)
        return exchange

    def poll(self, path: str) -> dict[str, Any]:
        """Ask for a run until it no longer runs, at the pace that the server asks for."""
        for _ in range(MOST_POLLS):
            exchange = self.call("GET", path, label="getRun")
            run = exchange.json
            wait = min(float(exchange.note or 1000), 1000) / 1000
            exchange.note = run["status"]
            before = self.transcript[-2]
            if before.label == exchange.label and before.body == exchange.body:
                self.transcript.pop()
                before.polls += 1
                before.seconds += exchange.seconds
            if run["status"] not in RUNNING:
                return run
            time.sleep(wait)
        raise TimeoutError(f"the run did not end within {MOST_POLLS} polls")


def multipart(name: str, data: bytes) -> tuple[bytes, str]:
    """An upload as browsers and SDKs send it (RFC 7578)."""
    boundary = "respool-demo-boundary"
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'.encode(),
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode(),
        b"Content-Type: text/plain\r\n\r\n" + data + b"\r\n",
        f"--{boundary}--\r\n".encode(),
    ]
    return b"".join(lines), f"multipart/form-data; boundary={boundary}"


def converse(client: Client) -> None:
    """A customer asks about an order: a polled run with a tool, a streamed run, a message file, and an error."""
    tool = {
        "type": "function",
        "function": {
            "name": "lookup_order",
            "description": "Find an order by its number.",
            "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
        },
    }
    assistant = client.call(
        "POST", "/assistants", {"model": "gpt-4o-mini", "name": "Orders", "tools": [tool]}, label="createAssistant"
    ).json
    upload, kind = multipart("receipt.txt", b"order 118: one red kettle, 24.90\n")
    file = client.call("POST", "/files", raw=upload, kind=kind, label="createFile").json
    thread = client.call("POST", "/threads", {"metadata": {"customer": "118"}}, label="createThread").json["id"]
    message = client.call(
        "POST",
        f"/threads/{thread}/messages",
        {
            "role": "user",
            "content": "Where is order 118? The receipt is attached.",
            "attachments": [{"file_id": file["id"], "tools": [{"type": "file_search"}]}],
        },
        label="createMessage",
    ).json["id"]
    run = client.call("POST", f"/threads/{thread}/runs", {"assistant_id": assistant["id"]}, label="createRun").json
    path = f"/threads/{thread}/runs/{run['id']}"
    run = client.poll(path)
    while run["status"] == "requires_action":
        outputs = [
            {"tool_call_id": call["id"], "output": json.dumps({"status": "shipped", "carrier": "mule"})}
            for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]
        ]
        client.call("POST", path + "/submit_tool_outputs", {"tool_outputs": outputs}, label="submitToolOutputs")
        run = client.poll(path)
    client.call("GET", path + "/steps", label="listRunSteps")
    client.call("GET", f"/threads/{thread}/messages?order=asc", label="listMessages")
    client.call("GET", f"/threads/{thread}/messages/{message}/files", label="listMessageFiles")
    client.call("GET", f"/threads/{thread}/messages/{message}/files/{file['id']}", label="getMessageFile")
    client.call(
        "POST",
        f"/threads/{thread}/messages",
        {"role": "user", "content": "Thank you! When will it be here?"},
        label="createMessage",
    )
    stream = client.call(
        "POST",
        f"/threads/{thread}/runs",
        {"assistant_id": assistant["id"], "tools": [], "stream": True},
        label="createRun (streamed)",
    )
    stream.note = f"{stream.body.count(b'event: ')} events"
    client.call("GET", f"/threads/{thread}/messages/msg_unknown", label="getMessage")
