"""Traffic without a secret goes through the rules untouched: what is stored is what was on the wire, and it replays.

`make test` looks at a thousand calls, `make test-long` at ten thousand.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from campaign import sized
from recorded_conversation import RULES, hold
from respool.cassettes.interaction import Request
from respool.cassettes.keys import request_key
from respool.cassettes.matching import Matching
from respool.cassettes.reader import Reader
from respool.cassettes.rules import Rules
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.vocabulary import API_ID
from respool.cassettes.writer import Writer
from respool.cli.conversation import Client, Exchange, converse
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.sandbox.server import serve_sandbox
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

CALLS = sized(1_000, 10_000)
MOST_TOUCHED = 0.001
"""Of the values; what is promised."""
PUT_IN = re.compile(rb"REDACTED|rsp_[a-z0-9]{2,20}_[a-z2-7]{16}")
SAID = (
    "I forgot my password; the reset link has expired. What is the token limit of the session?",
    "Commit 3f2504e04f8911d39a0c0305e82c33013f2504e0 broke it, see https://git.example.com/a/b?ref=main&tab=keys",
    "The request id was req_9f86d081884c7d659a2feaa0c55ad015 and the trace 00-4bf92f3577b34da6a3ce929d0e0e4736-01",
    "def key(self): return self.keys[0]  # primary_key = order_id; auth = None; secret_santa = True",
    "curl -H 'Authorization: Bearer $TOKEN' https://api.example.com/v1/threads; export API_KEY=<your key>",
    "UUID 123e4567-e89b-12d3-a456-426614174000, IBAN? no. Mail: anna@example.com, +49 30 1234567, 2026-11-25T19:00:00Z",
    "sk-learn and hf_hub_download are packages; npm_config_registry is a variable; eyJ begins a token, they say.",
    "Base64: " + "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgYWdhaW4gYW5kIGFnYWlu",
    "x" * 300 + " " + "/usr/local/lib/python3.11/site-packages/aiohttp/client_reqrep.py:1012",
)


@dataclass
class Wire(Client):
    """Keeps what went over the wire."""

    sent: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    heard: list[tuple[int, bytes]] = field(default_factory=list)

    def call(self, method, path, body=None, *, label, raw=None, kind="application/json") -> Exchange:
        exchange = super().call(method, path, body, label=label, raw=raw, kind=kind)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        self.sent.append((method, path, data, kind))
        self.heard.append((exchange.status, exchange.body))
        return exchange


def chat(client: Wire, turn: int) -> None:
    """A thread in which all sorts of things are said, by the user, as metadata and as a tool's output."""
    text = SAID[turn % len(SAID)]
    thread = client.call("POST", "/threads", {"metadata": {"topic": text[:200], "turn": str(turn)}}, label="t").json[
        "id"
    ]
    for said in (text, SAID[(turn + 1) % len(SAID)]):
        client.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": said}, label="m")
    asked = {
        "assistant_id": "asst_abc123",
        "instructions": text,
        "metadata": {"sandbox_script": f"say {json.dumps(text)}"},
    }
    if turn % 2:
        client.call("POST", f"/threads/{thread}/runs", {**asked, "stream": True}, label="s")
    else:
        run = client.call("POST", f"/threads/{thread}/runs", asked, label="r").json
        client.poll(f"/threads/{thread}/runs/{run['id']}")
    client.call("GET", f"/threads/{thread}/messages?order=asc&limit=20", label="l")


def talk(client: Wire) -> None:
    turn = 0
    while len(client.sent) < CALLS:
        (converse, lambda each: hold(each, streamed=True), hold)[turn % 3](client)
        for _ in range(9):
            turn += 1
            chat(client, turn)


def connected(url: str) -> Wire:
    parts = urlsplit(url)
    return Wire(parts.hostname or "", parts.port or 0, "/v1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("clean") / "clean.cassette"

    async def work() -> Wire:
        async with serve_sandbox(speed=5000, rules=RULES) as sandbox:
            upstream = Upstream(Origin.parse(sandbox.url + "/v1"))
            with Writer.create(path, meta=PLAIN.note()) as writer:
                recorder = Recorder(upstream, writer, narrate=print, replacer=Pseudonyms(b"k" * 32))
                async with serve(recorder, name="record", narrate=print) as proxy:
                    client = connected(proxy.url)
                    await asyncio.to_thread(talk, client)
                    client.close()
        return client

    return path, asyncio.run(work())


def leaves(data: bytes) -> int:
    """The values in a body: those of JSON, one where it is something else."""
    return max(1, len(re.findall(rb'"(?:[^"\\]|\\.)*+"(?!\s*:)|-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b', data)))


def test_what_is_stored_is_what_was_on_the_wire(recorded):
    path, client = recorded
    touched = values = 0
    with Reader.open(path) as reader:
        assert len(reader) == len(client.sent) >= CALLS
        rows = sorted(reader.rows(), key=lambda row: row.summary.arrival)
        for row, (method, target, asked, _), (status, answered) in zip(rows, client.sent, client.heard, strict=True):
            call = reader.interaction(row)
            assert (call.request.method, call.response.status) == (method, status)
            assert call.request.target == b"/v1" + target.encode()
            for sent, kept in ((asked, call.request.body.read()), (answered, call.response.body.read())):
                values += leaves(sent)
                touched += len(PUT_IN.findall(kept)) - len(PUT_IN.findall(sent))
                assert API_ID.findall(kept) == API_ID.findall(sent)
                if kept != sent:
                    assert PUT_IN.search(kept), "changed, and nothing put in"
            headers = call.request.headers
            request = Request(method, b"/v1" + target.encode(), headers, call.request.body)
            assert row.summary.key == request_key(request, rules=Rules(policy=PLAIN))
    assert values > 10 * CALLS
    assert touched / values <= MOST_TOUCHED, f"{touched} of {values}"


def test_each_call_still_replays_byte_for_byte(recorded):
    path, client = recorded

    async def again() -> list[tuple[int, bytes]]:
        with Reader.open(path) as reader:
            replayer = Replayer(reader, matching=Matching(polls="recorded", late_binding=False), narrate=print)
            async with serve(replayer, name="replay", narrate=print) as proxy:
                asking = connected(proxy.url)
                await asyncio.to_thread(ask, asking)
                asking.close()
        return asking.heard

    def ask(asking: Wire) -> None:
        for method, path, data, kind in client.sent:
            asking.call(method, path, label="x", raw=data or None, kind=kind)

    for (asked, heard), told in zip(zip(client.sent, client.heard, strict=True), asyncio.run(again()), strict=True):
        assert told == heard, asked
