"""Late binding over HTTP: two conversations that begin alike, replayed in the other order than they were recorded in."""

import asyncio
import gzip
import json
from itertools import pairwise

import aiohttp
import pytest
from recorded_calls import JSON, write_cassette
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.proxy.pace import Pace

EVENTS = (b"Content-Type", b"text/event-stream")
CHUNKED = (b"Transfer-Encoding", b"chunked")


def run_of(thread: str, run: str, status: str) -> dict:
    answer = {"id": run, "object": "thread.run", "thread_id": thread, "assistant_id": "asst_shared", "status": status}
    if status == "requires_action":
        answer["required_action"] = {"submit_tool_outputs": {"tool_calls": [{"id": run.replace("run_", "call_")}]}}
    return answer


def a_polled_run(number: int, question: str) -> list:
    thread, run = f"thread_00{number}", f"run_000{number}{'x' * number}"  # ids of different lengths
    path = f"/v1/threads/{thread}"

    def call(method: str, below: str, asked: object, answered: object):
        body = b"" if asked is None else json.dumps(asked).encode()
        return (method, (path + below).encode(), body, json.dumps(answered).encode(), 200)

    outputs = {"tool_outputs": [{"tool_call_id": run.replace("run_", "call_"), "output": question}]}
    return [
        ("POST", b"/v1/threads", b"{}", json.dumps({"id": thread, "object": "thread"}).encode(), 200),
        call("POST", "/messages", {"role": "user", "content": "hello"}, {"id": f"msg_0{number}a", "thread_id": thread}),
        call("POST", "/runs", {"assistant_id": "asst_shared"}, run_of(thread, run, "queued")),
        call("GET", f"/runs/{run}", None, run_of(thread, run, "requires_action")),
        call("POST", f"/runs/{run}/submit_tool_outputs", outputs, run_of(thread, run, "queued")),
        call("GET", f"/runs/{run}", None, run_of(thread, run, "completed")),
        call("GET", "/messages", None, {"data": [{"id": f"msg_0{number}b", "text": f"{question} of {thread}\n{run}"}]}),
    ]


@pytest.fixture
def two_runs(tmp_path):
    return write_cassette(tmp_path / "two.cassette", [*a_polled_run(1, "one"), *a_polled_run(2, "two")])


class Client:
    """A program that talks to a thread of its own and knows only what it was told."""

    def __init__(self, http: aiohttp.ClientSession, url: str, question: str) -> None:
        self.http = http
        self.url = url
        self.question = question
        self.told: list[bytes] = []

    async def call(self, method: str, path: str, body: object = None) -> dict:
        async with self.http.request(method, self.url + path, json=body) as answer:
            data = await answer.read()
            self.told.append(data)
            assert answer.status == 200, data
            assert answer.headers["Content-Length"] == str(len(data))
            return json.loads(data)

    async def begin(self) -> None:
        self.thread = (await self.call("POST", "/threads", {}))["id"]

    async def go_on(self) -> str:
        path = f"/threads/{self.thread}"
        await self.call("POST", path + "/messages", {"role": "user", "content": "hello"})
        run = await self.call("POST", path + "/runs", {"assistant_id": "asst_shared"})
        while run["status"] not in {"completed", "requires_action"}:
            run = await self.call("GET", f"{path}/runs/{run['id']}")
        tool_call = run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]
        outputs = {"tool_outputs": [{"tool_call_id": tool_call, "output": self.question}]}
        run = await self.call("POST", f"{path}/runs/{run['id']}/submit_tool_outputs", outputs)
        assert (await self.call("GET", f"{path}/runs/{run['id']}"))["status"] == "completed"
        return (await self.call("GET", path + "/messages"))["data"][0]["text"]


@pytest.fixture
async def clients():
    async with aiohttp.ClientSession() as http:
        yield lambda url, *questions: [Client(http, url + "/v1", question) for question in questions]


async def test_polled_runs_with_tools_in_the_other_order(proxies, two_runs, clients):
    async with proxies.replaying(two_runs) as proxy:
        second, first = clients(proxy.url, "two", "one")
        await second.begin()
        await first.begin()
        texts = await asyncio.gather(second.go_on(), first.go_on())
        report = proxy.recorder.report("default")
    # The words are of each client's own recording, the ids those that it was handed, one meaning each.
    assert texts == ["two of thread_001\nrun_0001x", "one of thread_002\nrun_0002xx"]
    assert all(b"002" not in answer and b"run_0002xx" not in answer for answer in second.told)
    assert all(b"001" not in answer and b"run_0001x" not in answer for answer in first.told)
    assert all(b"asst_shared" in answer for client in (first, second) for answer in client.told[2:-1])
    assert (report.miss_count, report.unplayed_count) == (0, 0)


async def test_a_thread_that_moved_before_another_was_created_leaves_its_name_to_no_one_else(
    proxies, two_runs, clients
):
    async with proxies.replaying(two_runs) as proxy:
        second, first = clients(proxy.url, "two", "one")
        for client in (second, first):
            await client.begin()
            await client.go_on()
    assert [second.thread, first.thread] == ["thread_001", "thread_002"]


async def test_in_the_recorded_order_every_byte_is_as_recorded_with_the_flag_or_without(proxies, two_runs, clients):
    told = []
    for late_binding in (True, False):
        async with proxies.replaying(two_runs, late_binding=late_binding) as proxy:
            pair = clients(proxy.url, "one", "two")
            for client in pair:
                await client.begin()
            await asyncio.gather(*(client.go_on() for client in pair))
            told.append([client.told for client in pair])
    assert told[0] == told[1]
    kept = [held.response.body.read() for held in proxies.interactions(two_runs)]
    assert told[0] == [kept[:7], kept[7:]]


async def test_without_late_binding_the_other_order_is_a_miss(proxies, two_runs, clients):
    async with proxies.replaying(two_runs, late_binding=False) as proxy:
        second, first = clients(proxy.url, "two", "one")
        await second.begin()
        await first.begin()
        with pytest.raises(AssertionError, match="No recording answers"):
            await second.go_on()
    assert proxy.said


async def test_a_call_that_no_candidate_answers_is_a_miss_of_the_thread_as_it_stands(proxies, two_runs, clients):
    async with proxies.replaying(two_runs) as proxy:
        (client,) = clients(proxy.url, "three")
        await client.begin()
        with pytest.raises(AssertionError, match="thread_001"):
            await client.go_on()
    assert "$.tool_outputs[0].output" in proxy.said[0]


async def test_sessions_bind_on_their_own(proxies, two_runs, clients):
    async with proxies.replaying(two_runs) as proxy:
        pairs = [clients(f"{proxy.url}/@s{number}", "two", "one") for number in range(5)]

        async def converse(second, first):
            await second.begin()
            await first.begin()
            await asyncio.gather(second.go_on(), first.go_on())
            return second.told, first.told

        swapped = await asyncio.gather(*(converse(*pair) for pair in pairs))
        plain = clients(f"{proxy.url}/@plain", "one", "two")
        for client in plain:
            await client.begin()
            await client.go_on()
    assert all(told == swapped[0] for told in swapped)
    kept = [held.response.body.read() for held in proxies.interactions(two_runs)]
    assert [client.told for client in plain] == [kept[:7], kept[7:]]


def streamed(thread: str, run: str, answer: str) -> Response:
    events = [
        ("thread.created", {"id": thread}),
        ("thread.run.created", run_of(thread, run, "queued")),
        ("thread.message.delta", {"id": f"msg_of_{thread}", "delta": answer}),
    ]
    body = b"".join(b"event: %b\ndata: %b\n\n" % (name.encode(), json.dumps(data).encode()) for name, data in events)
    cuts = [0, body.index(thread.encode()) + 3, body.index(b"run_") + 5, len(body)]  # within ids
    marks = tuple((end - begin, 1000 * end) for begin, end in pairwise(cuts))
    return Response(200, b"OK", (EVENTS, CHUNKED), Body.of(body), head_us=1000, marks=marks)


def a_streamed_run(number: int, answer: str, *, padding: int = 0) -> list:
    thread, run = f"thread_00{number}", f"run_000{number}"
    path = f"/v1/threads/{thread}".encode()
    reply = {"id": f"msg_0{number}c", "thread_id": thread, "text": answer, "padding": "x " * padding}
    return [
        ("POST", b"/v1/threads/runs", b'{"stream": true}', streamed(thread, run, "hello"), 200),
        ("POST", path + b"/messages", json.dumps({"content": answer}).encode(), json.dumps(reply).encode(), 200),
        ("POST", path + b"/runs", b'{"stream": true}', streamed(thread, f"run_100{number}", answer), 200),
    ]


@pytest.mark.parametrize("pace", ["instant", "recorded"])
async def test_streamed_runs_in_the_other_order(proxies, tmp_path, pace):
    path = write_cassette(tmp_path / "a.cassette", [*a_streamed_run(1, "one"), *a_streamed_run(2, "two")])
    async with proxies.replaying(path, pace=Pace.parse(pace)) as proxy, aiohttp.ClientSession(proxy.url) as http:

        async def post(where: str, body: object) -> bytes:
            async with http.post(where, json=body) as answer:
                assert answer.status == 200
                return await answer.read()

        for number, words in ((1, b"two"), (2, b"one")):
            begun = await post("/v1/threads/runs", {"stream": True})
            assert begun == streamed(f"thread_00{number}", f"run_000{number}", "hello").body.read()
            await post(f"/v1/threads/thread_00{number}/messages", {"content": words.decode()})
            told = await post(f"/v1/threads/thread_00{number}/runs", {"stream": True})
            assert told == streamed(f"thread_00{number}", f"run_100{3 - number}", words.decode()).body.read()


async def test_headers_redirects_and_large_bodies_are_renamed(proxies, tmp_path):
    def elsewhere(number: int) -> Response:
        where = b"http://upstream.test/v1/threads/thread_00%d/messages" % number
        head = ((b"Location", where), (b"X-Thread", b"thread_00%d" % number), (b"Content-Length", b"0"))
        return Response(307, b"Temporary Redirect", head)

    calls = []
    for number, words in ((1, "one"), (10, "two")):  # ids of different lengths
        begin, say, _ = a_streamed_run(number, words, padding=700_000)
        asked = json.dumps({"go": words}).encode()
        calls += [begin, say, ("POST", b"/v1/threads/thread_00%d/old" % number, asked, elsewhere(number), 307)]
    path = write_cassette(tmp_path / "a.cassette", calls)
    async with proxies.replaying(path) as proxy, aiohttp.ClientSession(proxy.url) as http:
        async with http.post("/@one/v1/threads/runs", json={"stream": True}) as answer:
            await answer.read()
        # A body in a content coding is looked into as well.
        asked = gzip.compress(json.dumps({"content": "two"}).encode())
        head = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with http.post("/@one/v1/threads/thread_001/messages", data=asked, headers=head) as answer:
            large = await answer.read()
            assert answer.headers["Content-Length"] == str(len(large))
        target = "/@one/v1/threads/thread_001/old"
        async with http.post(target, json={"go": "two"}, allow_redirects=False) as answer:
            assert answer.status == 307
            assert answer.headers["Location"] == proxy.url + "/@one/v1/threads/thread_001/messages"
            assert answer.headers["X-Thread"] == "thread_001"
    assert len(large) > 1 << 20
    assert json.loads(large)["thread_id"] == "thread_001"
    assert json.loads(large)["text"] == "two"


async def test_a_cut_answer_keeps_promising_more_than_comes(proxies, tmp_path):
    """The recorded length of a cut answer follows the ids, which are of different lengths here."""
    path = tmp_path / "cut.cassette"
    with Writer.create(path) as writer:
        for thread, words in (("thread_0001", b"one"), ("thread_002", b"two")):
            begun = json.dumps({"id": thread}).encode()
            said = b'{"thread_id": "%b", ' % thread.encode()
            for target, asked, answered, promised in (
                (b"/v1/threads", b"", begun, len(begun)),
                (b"/v1/threads/%b/messages" % thread.encode(), words, said, 500),
            ):
                response = Response(200, b"OK", (JSON, (b"Content-Length", b"%d" % promised)), Body.of(answered))
                end = End.COMPLETE if promised < 500 else End.UPSTREAM_CUT
                request = Request("POST", target, (), Body.of(asked))
                kept = Interaction(writer.next_arrival(), 0, request, response, end, 0, thread)
                writer.append(kept, summarise(kept))
    head = b"POST /v1/threads%b HTTP/1.1\r\nHost: p\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    async with proxies.replaying(path) as proxy:
        await proxies.raw_call(proxy.port, head % (b"", 0, b""))
        got = await proxies.raw_call(proxy.port, head % (b"/thread_0001/messages", 3, b"two"))
    assert b"Content-Length: 501\r\n" in got
    assert got.endswith(b'\r\n\r\n{"thread_id": "thread_0001", ')


async def test_a_miss_says_what_was_sent_where_the_ids_stand_for_others(proxies, two_runs, clients):
    async with proxies.replaying(two_runs) as proxy:
        (client,) = clients(proxy.url, "two")
        await client.begin()
        await client.go_on()
        url = f"{client.url}/threads/{client.thread}"
        async with client.http.post(url + "/messages", json={"role": "user", "content": "never said"}) as answer:
            error = (await answer.json())["error"]
        async with client.http.post(client.url + "/threads", json={"metadata": {"a": "b"}}) as answer:
            plain = (await answer.json())["error"]["respool"]
    assert (client.thread, answer.status) == ("thread_001", 502)
    assert error["respool"]["asked"].startswith("POST /threads/thread_002/messages")
    assert error["respool"]["sent"] == "/threads/thread_001/messages"
    assert ", sent as /threads/thread_001/messages, " in error["message"]
    assert "\n  sent as  /threads/thread_001/messages " in "".join(proxy.said)
    assert plain["sent"] is None
