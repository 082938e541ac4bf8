"""One rich recording, and clients that do it otherwise: every answer over HTTP is the one that the oracle names.

The recording is made from the sandbox once. A client then plays it with fewer polls, more polls, other reads, threads at
once, retries, and in other bytes; its transcript is compared with the oracle's, call by call.
"""

import asyncio
import json
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle, Recorded, thread_of
from respelling import respell_body, respell_headers, respell_parts, respell_target
from yarl import URL

TOOL = {"type": "function", "function": {"name": "lookup_order", "parameters": {"type": "object", "properties": {}}}}
SCRIPT = 'queued 2s; in_progress 2s; call lookup_order({"id": 118}); in_progress 2s; say "Sent: {outputs}"'
UPLOAD = (
    b'--first-boundary\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--first-boundary\r\nContent-Disposition: form-data; name="file"; filename="order.txt"\r\n\r\norder 118\r\n'
    b"--first-boundary--\r\n"
)
HEADERS = {"Authorization": "Bearer sk-test-0123456789", "OpenAI-Beta": "assistants=v2", "Accept": "application/json"}


class Asked(NamedTuple):
    """A call as a client makes it. The target has no base path."""

    method: str
    target: str
    body: bytes = b""
    content_type: str = "application/json"

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def polls(self) -> bool:
        return self.reads and "/runs/" in self.target and "/steps" not in self.target


class Exchange(NamedTuple):
    asked: Asked
    status: int
    answer: bytes
    mark: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.answer)


class Client:
    """Makes calls and keeps what it sent and got. `chance`: spell each call in another way."""

    def __init__(self, session: aiohttp.ClientSession, url: str, chance: random.Random | None = None) -> None:
        self.session = session
        self.url = url
        self.chance = chance
        self.seen: list[Exchange] = []

    async def call(self, asked: Asked) -> Exchange:
        target, body, content_type, headers = "/v1" + asked.target, asked.body, asked.content_type, HEADERS
        if self.chance:
            target, headers = respell_target(asked.target, self.chance), respell_headers(headers, self.chance)
            if content_type != "application/json":
                body, content_type = respell_parts(body, content_type)
            elif asked.method == "POST":
                body = respell_body(body, self.chance)
        headers = {**headers, "Content-Type": content_type} if body else headers
        url = URL(self.url + target, encoded=True)
        async with self.session.request(asked.method, url, data=body or None, headers=headers) as answer:
            seen = Exchange(asked, answer.status, await answer.read(), answer.headers.get("x-respool-inexact", ""))
        self.seen.append(seen)
        return seen

    async def get(self, target: str) -> Exchange:
        return await self.call(Asked("GET", target))

    async def post(self, target: str, body: object) -> Exchange:
        return await self.call(Asked("POST", target, json.dumps(body).encode()))


async def poll(client: Client, run: str, *, until: str) -> Any:
    """Ask until the run is there; how often is left to the clock of the sandbox."""
    async with asyncio.timeout(20):
        while (now := (await client.get(run)).json)["status"] != until:
            await asyncio.sleep(0.02)
    return now


async def converse(client: Client, name: str) -> None:
    """One thread: refused once, polled with a tool, streamed, its lists in pages, and gone."""
    refused = {"sandbox_script": "http 429 retry-after 0 times 2"}
    thread = "/threads/" + (await client.post("/threads", {"metadata": {"name": name}})).json["id"]
    for number in range(3):
        await client.post(f"{thread}/messages", {"role": "user", "content": f"Où est 1/{number}?"})
    await client.get(f"{thread}/messages?limit=2&order=asc")
    for _ in range(3):
        await client.post(f"{thread}/runs", {"assistant_id": "asst_abc123", "metadata": refused})
    assert client.seen[-1].status == 200
    await poll(client, f"{thread}/runs/{client.seen[-1].json['id']}", until="completed")
    asked = {"assistant_id": "asst_abc123", "tools": [TOOL], "metadata": {"sandbox_script": SCRIPT}, "temperature": 1}
    run = f"{thread}/runs/" + (await client.post(f"{thread}/runs", asked)).json["id"]
    await client.get(f"{thread}/messages?limit=2&order=asc")
    waiting = await poll(client, run, until="requires_action")
    await client.get(f"{run}/steps?limit=1")
    calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": call["id"], "output": '{"état": "sent"}'} for call in calls]
    await client.post(f"{run}/submit_tool_outputs", {"tool_outputs": outputs})
    await poll(client, run, until="completed")
    page = (await client.get(f"{run}/steps?limit=1")).json
    await client.get(f"{run}/steps?limit=1&after={page['last_id']}")
    after = ""
    while (page := (await client.get(f"{thread}/messages?limit=2&order=asc{after}")).json)["has_more"]:
        after = f"&after={page['last_id']}"
    streamed = {"assistant_id": "asst_abc123", "stream": True, "metadata": {"sandbox_script": 'say "One two."'}}
    await client.post(f"{thread}/runs", streamed)
    assert client.seen[-1].answer.startswith(b"event: ")
    await client.get(thread)
    await client.post(thread, {"metadata": {"seen": "yes"}})
    await client.get(thread)
    await client.call(Asked("DELETE", thread))
    await client.get(thread)
    assert client.seen[-1].status == 404


async def record(stage: Any, path: Path) -> list[Exchange]:
    """Two conversations one after the other, and a file and a streamed thread between them."""
    async with stage.record(path, speed=20) as recording, aiohttp.ClientSession() as session:
        client = Client(session, recording.url)
        await converse(client, "first")
        file = (
            await client.call(Asked("POST", "/files", UPLOAD, "multipart/form-data; boundary=first-boundary"))
        ).json["id"]
        await client.get(f"/files/{file}")
        await client.get(f"/files/{file}/content")
        message = {"messages": [{"role": "user", "content": "All at once."}]}
        await client.post("/threads/runs", {"assistant_id": "asst_abc123", "thread": message, "stream": True})
        await converse(client, "second")
        assert recording.said == []
    return client.seen


async def play(
    stage: Any, path: Path, calls: Sequence[Asked], chance: random.Random | None, **options: Any
) -> list[Exchange]:
    async with stage.replay(path, **options) as replay, aiohttp.ClientSession() as session:
        client = Client(session, replay.url, chance)
        for asked in calls:
            await client.call(asked)
    return client.seen


def beside(work: Callable[[], Any]) -> Any:
    """Run async work in a thread of its own, whatever loop there is here."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(asyncio.run(work())))
    thread.start()
    thread.join(60)
    assert result, "the work failed: see above"
    return result[0]


class Recording(NamedTuple):
    path: Path
    seen: list[Exchange]

    @property
    def calls(self) -> list[Asked]:
        return [each.asked for each in self.seen]

    def expected(self, calls: Sequence[Asked], *, compress: bool) -> list[Exchange | None]:
        """The transcript that the oracle tells; None for a miss."""
        recorded = [
            Recorded(each.asked.method, each.asked.target, each.asked.body, each.status, each.answer)
            for each in self.seen
        ]
        oracle = Oracle(recorded, compress=compress)
        told = [oracle.answer(each.method, each.target, each.body) for each in calls]
        return [
            None
            if index is None
            else Exchange(asked, self.seen[index].status, self.seen[index].answer, "ahead" * (how == "ahead"))
            for asked, (how, index) in zip(calls, told, strict=True)
        ]


@pytest.fixture(scope="module")
def recording(stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("variations") / "rich.cassette"
    return Recording(path, beside(lambda: record(stage, path)))


def check(recording: Recording, calls: Sequence[Asked], seen: Sequence[Exchange], *, compress: bool) -> None:
    """Each answer, misses too, is the oracle's."""
    for place, (got, wanted) in enumerate(zip(seen, recording.expected(calls, compress=compress), strict=True)):
        where = f"call {place}: {got.asked.method} {got.asked.target}"
        if wanted is None:
            assert (got.status, got.json["error"]["code"]) == (502, "respool_miss"), where
        else:
            assert got == wanted, where


def fewer_polls(calls: list[Asked]) -> list[Asked]:
    """No run is asked for twice in a row."""
    return [each for place, each in enumerate(calls) if not (each.polls and calls[place - 1] == each)]


def no_polls(calls: list[Asked]) -> list[Asked]:
    return [each for each in calls if not each.polls]


def more_polls(calls: list[Asked]) -> list[Asked]:
    return [copy for each in calls for copy in [each] * (4 if each.polls else 1)]


def skipped_reads(calls: list[Asked]) -> list[Asked]:
    return [each for place, each in enumerate(calls) if not (each.reads and place % 2)]


def other_order_of_reads(calls: list[Asked]) -> list[Asked]:
    """The reads between two writes the other way round."""
    turned: list[Asked] = []
    reads: list[Asked] = []
    for each in calls:
        if each.reads:
            reads.append(each)
        else:
            turned += [*reversed(reads), each]
            reads = []
    return turned + reads[::-1]


def late_reads(calls: list[Asked]) -> list[Asked]:
    """All writes first: the reads come when everything has happened."""
    return sorted(calls, key=lambda each: each.reads)


def early_reads(calls: list[Asked]) -> list[Asked]:
    return sorted(calls, key=lambda each: not each.reads)


def retried_writes(calls: list[Asked]) -> list[Asked]:
    """Each write once more, as after an answer that was lost on its way."""
    return [copy for each in calls for copy in [each] * (1 if each.reads else 2)]


def other_pages(calls: list[Asked]) -> list[Asked]:
    return [each._replace(target=each.target.replace("limit=2", "limit=3")) for each in calls]


def alternating_threads(calls: list[Asked]) -> list[Asked]:
    """The two conversations, recorded one after the other, call by call in turn; what else there is comes first."""
    half = next(place for place, each in enumerate(calls) if b'"second"' in each.body)
    first, second = calls[:half], calls[half:]
    return (
        [each for pair in zip(first, second, strict=False) for each in pair]
        + first[len(second) :]
        + second[len(first) :]
    )


VARIATIONS = (
    list, fewer_polls, no_polls, more_polls, skipped_reads, other_order_of_reads, late_reads, early_reads, retried_writes,
    other_pages, alternating_threads,
)  # fmt: skip


@pytest.mark.parametrize("respelled", [False, True], ids=["same bytes", "other bytes"])
@pytest.mark.parametrize("polls", ["compress", "recorded"])
@pytest.mark.parametrize("vary", VARIATIONS, ids=lambda vary: vary.__name__)
async def test_a_varied_client_sees_what_the_oracle_says(
    stage, recording: Recording, vary, polls: str, respelled: bool
):
    calls = vary(recording.calls)
    seen = await play(stage, recording.path, calls, random.Random(7) if respelled else None, polls=polls)
    check(recording, calls, seen, compress=polls == "compress")


async def test_the_variations_hold_hits_misses_and_answers_of_all_kinds(recording: Recording):
    """What the others compare is not empty: the recording is rich, and each variation changes what is told."""
    statuses = {each.status for each in recording.seen}
    assert statuses == {200, 404, 429}
    assert sum(each.asked.polls for each in recording.seen) >= 12
    told = {vary.__name__: recording.expected(vary(recording.calls), compress=True) for vary in VARIATIONS}
    assert None not in told["list"]
    assert {name for name, answers in told.items() if None in answers} == {"retried_writes", "other_pages"}
    assert any(each and each.mark == "ahead" for each in told["early_reads"])
    assert len({tuple(answers) for answers in told.values()}) == len(VARIATIONS)


@pytest.mark.parametrize("polls", ["compress", "recorded"])
async def test_threads_at_once_each_see_their_own_line(stage, recording: Recording, polls: str):
    """Each thread has a client of its own, at its own pace; the threads share a session."""
    lines: dict[str, list[Asked]] = {}
    for asked, _, answer, _ in recording.seen:
        lines.setdefault(thread_of(asked.method, asked.target, answer), []).append(asked)
    assert len(lines) == 4

    async def run(number: int, calls: list[Asked], session: aiohttp.ClientSession, url: str) -> list[Exchange]:
        client, chance = Client(session, url, random.Random(number)), random.Random(number)
        for asked in calls:
            await asyncio.sleep(chance.random() / 1000)
            await client.call(asked)
        return client.seen

    async with stage.replay(recording.path, polls=polls) as replay, aiohttp.ClientSession() as session:
        plays = [run(number, line, session, replay.url) for number, line in enumerate(lines.values())]
        for line, seen in zip(lines.values(), await asyncio.gather(*plays), strict=True):
            check(recording, line, seen, compress=polls == "compress")


@given(st.data(), st.integers(), st.sampled_from(["compress", "recorded"]))
def test_any_client_sees_what_the_oracle_says(stage, recording: Recording, data: st.DataObject, seed: int, polls: str):
    times = st.sampled_from([1] * 6 + [0, 2, 3])
    moves = st.sampled_from([0] * 6 + [-2, 2, -10, 10, -60, 60])
    moved = [(place + data.draw(moves), place, data.draw(times)) for place in range(len(recording.calls))]
    calls = [recording.calls[place] for _, place, count in sorted(moved) for _ in range(count)]
    seen = beside(lambda: play(stage, recording.path, calls, random.Random(seed), polls=polls))
    check(recording, calls, seen, compress=polls == "compress")
