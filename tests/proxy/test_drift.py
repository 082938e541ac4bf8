"""A recording performed anew against other sandboxes: what may differ is no drift, and what happens upstream is as recorded."""

import asyncio
import json

import pytest
from drifting import drifted, mutating
from respool.cassettes.errors import CassetteError, UpstreamError
from respool.cassettes.reader import Reader
from respool.proxy.sandbox.errors import scripted
from respool.proxy.sandbox.server import serve_sandbox
from talks import FIRST_VERSION, SPEED, TALKS, TOOLS, client_of, polled, record, refused, streamed, tools

LONG = "Something else altogether, and at some length: where did my order go, and who has it now?"


def told(work):
    return [str(finding) for finding in work.findings]


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.__name__)
async def test_other_ids_times_and_speeds_are_no_drift(proxies, tmp_path, talk):
    path = tmp_path / "old.cassette"
    await record(proxies, path, talk)
    for seed, speed, latency in ((2, SPEED, 0.0), (3, 4 * SPEED, 0.0), (4, SPEED / 3, 0.2)):
        async with serve_sandbox(seed=seed, speed=speed, latency=latency) as other:
            work = await drifted(path, other.url)
            assert told(work) == []
            assert not [line for line in work.said if "not performed" in line]


@pytest.mark.parametrize("talk", FIRST_VERSION, ids=lambda talk: talk.__name__)
async def test_the_first_version_is_asked_for_and_compared_as_such(proxies, tmp_path, talk):
    path = tmp_path / "old.cassette"
    await record(proxies, path, talk, beta="assistants=v1")
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        assert told(await drifted(path, other.url)) == []


async def test_all_at_once_and_in_both_versions_are_no_drift(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    async with serve_sandbox(seed=1, speed=SPEED) as first, proxies.recording(first.url + "/v1", path) as proxy:
        async with client_of(proxy.url) as new, client_of(proxy.url, beta="assistants=v1", text=LONG) as old:
            for talk in FIRST_VERSION:
                await asyncio.gather(talk(new), talk(old))
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        work = await drifted(path, other.url)
    assert told(work) == []
    assert work.threads == 2 * len(FIRST_VERSION) + 1, "and the thread that nobody knows"


@pytest.mark.parametrize("talk", [polled, streamed, tools], ids=lambda talk: talk.__name__)
async def test_other_words_of_the_model_are_no_drift(proxies, tmp_path, talk):
    """The script stands in the rules of each sandbox here, so that the two say, and call with, different things."""
    path = tmp_path / "old.cassette"
    words = (("Yes.", "7"), (LONG, "41"))
    scripts = [TOOLS.replace("TEXT", text).replace("NOTE", text[:9]).replace("118", number) for text, number in words]
    if talk is polled:
        scripts = ['say "Yes."', f'say "{LONG}"']

    async def without_scripts(client):
        run = client.run
        client.run = lambda thread, script="", **more: run(thread, "", **more)
        await talk(client)

    await record(proxies, path, without_scripts, script=scripts[0])
    async with serve_sandbox(seed=2, speed=SPEED, script=scripts[1]) as other:
        assert told(await drifted(path, other.url)) == []


@pytest.mark.parametrize("nap", [0.001, 0.3])
async def test_how_often_a_client_polled_is_no_drift(proxies, tmp_path, nap):
    path = tmp_path / "old.cassette"
    await record(proxies, path, tools, nap=nap)
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        work = await drifted(path, other.url)
    assert told(work) == []
    with Reader.open(path) as reader:
        assert work.writes == sum(row.summary.writes for row in reader.rows())
    assert work.reads == 6, "two waits, steps twice, a step and the messages: each once"


async def test_the_recorded_outputs_reach_the_upstreams_calls(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, tools, text="carried by a mule")
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        await drifted(path, other.url, keep=True)
        (thread,) = other.sandbox.store.threads.values()
        assert "carried by a mule 0" in json.dumps([message.content for message in thread.messages.values()])


async def test_outputs_go_to_the_calls_of_the_same_function_in_order(proxies, tmp_path):
    """The upstream asks for the same in another order."""
    path = tmp_path / "old.cassette"
    recorded = 'call lookup_order({"id": 1}) & notify({"to": "x"}) & lookup_order({"id": 2}); say "x"'

    async def talk(client):
        thread = await client.thread()
        await client.say(thread)
        run = await client.poll(await client.run(thread))
        await client.poll(await client.submit(run))

    await record(proxies, path, talk, script=recorded, text="Out")
    live = 'call notify({"to": "y"}) & lookup_order({"id": 3}) & lookup_order({"id": 4}); say "y"'
    async with serve_sandbox(seed=2, speed=SPEED, script=live) as other:
        assert told(await drifted(path, other.url, keep=True)) == []
        (thread,) = other.sandbox.store.threads.values()
        (run,) = thread.runs.values()
        calls = next(step.details["tool_calls"] for step in run.steps.values() if step.type == "tool_calls")
        outputs = [(call["function"]["name"], call["function"]["output"]) for call in calls]
        assert outputs == [("notify", "Out 1"), ("lookup_order", "Out 0"), ("lookup_order", "Out 2")]


@pytest.mark.parametrize("keep", [False, True])
async def test_what_was_created_is_deleted_unless_it_is_kept(proxies, tmp_path, keep):
    path = tmp_path / "old.cassette"
    await record(proxies, path, *TALKS)
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        store = other.sandbox.store
        await drifted(path, other.url, keep=keep)
        assert bool(store.threads) == bool(store.files) == keep
        assert list(store.assistants) == ["asst_abc123"], "the recording itself deletes the other one"


async def test_an_id_of_the_recording_is_known_by_another_name(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    async with serve_sandbox(seed=1, speed=SPEED) as first:
        async with client_of(first.url) as client:
            made = await client("POST", "/assistants", {"model": "gpt-4o-mini"})
        async with proxies.recording(first.url + "/v1", path) as proxy, client_of(proxy.url) as client:
            thread = await client.thread()
            await client.say(thread)
            await client.poll(await client.run(thread, 'say "x"', assistant_id=made["id"]))
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        (finding,) = told(await drifted(path, other.url))
        assert "write 3, createRun: status: recorded 200, upstream 404" in finding
        assert told(await drifted(path, other.url, ids=[(made["id"], "asst_abc123")])) == []


async def test_what_the_recording_did_not_create_is_not_touched(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    async with serve_sandbox(seed=1, speed=SPEED) as first:
        async with client_of(first.url) as client:
            made = await client("POST", "/assistants", {"model": "gpt-4o-mini"})
            thread = await client.thread()
        async with proxies.recording(first.url + "/v1", path) as proxy, client_of(proxy.url) as client:
            await client.say(thread)
            await client("POST", f"/assistants/{made['id']}", {"name": "Changed"})
            await client("DELETE", f"/assistants/{made['id']}")
            await client.thread()
        before = first.sandbox.calls
        work = await drifted(path, first.url)
        assert [line for line in work.said if "not performed" in line] == [
            "respool: POST /assistants/* is not performed: the recording did not create what it changes",
            "respool: DELETE /assistants/* is not performed: the recording did not create what it changes",
        ]
        assert first.sandbox.calls - before == 2, "the thread that was created, and its end"
        work = await drifted(path, first.url, ids=[(thread, thread)], threads=[thread])
        assert told(work) == []
        assert thread in first.sandbox.store.threads, "what was there before is not deleted"


async def test_one_thread_is_performed_with_what_it_needs(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, *(talk for talk in TALKS if talk.__name__ in ("files", "polled")))
    with Reader.open(path) as reader:
        threads = [name for name in reader.scopes() if not name.startswith("/")]
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        work = await drifted(path, other.url, threads=threads[:1])
        assert (work.threads, told(work)) == (1, [])
        assert not any(target.startswith(b"/v1/files") for _, target in other.sandbox.requests)
        assert told(await drifted(path, other.url, threads=threads[1:2])) == []
        assert any(target.startswith(b"/v1/files") for _, target in other.sandbox.requests)


BUSY = 'http 429 retry-after 0 times 2; say "x"'


async def busy(client):
    thread = await client.thread()
    await client.say(thread)
    for status in (429, 429, 200):
        run = await client.run(thread, BUSY, status=status)
    await client.poll(run)
    await client("GET", f"/threads/{thread}/messages")
    await client.say(thread)


async def busy_and_given_up(client):
    thread = await client.thread()
    await client.say(thread)
    await client.run(thread, 'http 429; call lookup_order({}); say "x"', status=429)
    await client.say(thread)


@pytest.mark.parametrize("talk", [busy, busy_and_given_up], ids=lambda talk: talk.__name__)
@pytest.mark.parametrize("again", [True, False], ids=["busy again", "not busy"])
async def test_a_recorded_429_may_come_again_or_not(proxies, tmp_path, talk, again):
    path = tmp_path / "old.cassette"
    await record(proxies, path, talk)
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        if not again:
            other.sandbox.strike = lambda owner, fault: None
        assert told(await drifted(path, other.url, patience=5)) == []


async def test_a_429_or_503_that_was_not_recorded_is_waited_out(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)
    async with serve_sandbox(seed=2, speed=SPEED) as other:
        receive, refusals = other.sandbox._receive, {}

        async def refuse_at_first(request, target):
            refusals[target] = refusals.get(target, 0) + 1
            if refusals[target] <= 2:
                raise scripted(429 if refusals[target] == 1 else 503, "0")
            return await receive(request, target)

        other.sandbox._receive = refuse_at_first
        assert told(await drifted(path, other.url)) == []
        other.sandbox._receive = receive
        refusals.clear()

        async def refuse_always(request, target):
            if request.method == "POST" and target.endswith(b"/messages"):
                raise scripted(429, "0")
            return await receive(request, target)

        other.sandbox._receive = refuse_always
        (finding,) = told(await drifted(path, other.url))
        assert "createMessage: status: recorded 200, upstream 429 (type requests, code rate_limit_exceeded)" in finding


async def test_an_upstream_that_cannot_be_reached_is_an_error(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)
    async with serve_sandbox(seed=2) as other:
        url = other.url
    with pytest.raises(UpstreamError, match="cannot be reached"):
        await drifted(path, url)


@pytest.mark.parametrize("where", ["head", "body"])
async def test_an_upstream_that_stalls_is_an_error(proxies, tmp_path, where):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)

    async def stall(heard, writer):
        if where == "body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            await writer.drain()
        await asyncio.sleep(60)

    async with proxies.raw_upstream(stall) as upstream:
        with pytest.raises(UpstreamError, match=r"longer than 0\.3 s"):
            await drifted(path, upstream.url, patience=0.3)


async def test_an_upstream_that_breaks_off_is_an_error(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)

    async def break_off(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        writer.close()

    async with proxies.raw_upstream(break_off) as upstream:
        with pytest.raises(UpstreamError, match="broke off"):
            await drifted(path, upstream.url)


@pytest.mark.parametrize("answer", [b"<p>no</p>", b"", b"[]", b"{}"])
async def test_a_thread_that_the_upstream_gave_no_name_is_not_written_to_under_the_recorded_one(
    proxies, tmp_path, answer
):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)
    asked = []

    def nameless(call):
        asked.append((call.method, call.path))
        if call.path == "/threads":
            call.value, call.body = None, answer

    async with serve_sandbox(seed=2) as other, mutating(other.url, nameless) as upstream:
        work = await drifted(path, upstream)
    assert told(work)
    assert asked == [("POST", "/threads")]
    assert "it builds on what differs" in "".join(work.said)


async def test_refused_credentials_are_an_error_and_no_drift(proxies, tmp_path, monkeypatch):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled)
    monkeypatch.setattr("drifting.HEADERS", ((b"Authorization", b"Bearer invalid-key"),))
    async with serve_sandbox(seed=2) as other:
        with pytest.raises(UpstreamError, match="refused the credentials"):
            await drifted(path, other.url)


async def test_a_run_that_never_ends_is_found_in_time(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, polled, streamed)
    async with serve_sandbox(seed=2, speed=0.001) as other:
        found = told(await drifted(path, other.url, patience=0.4))
    assert "getRun: time limit $.status: recorded completed, upstream still queued after 0.4 s" in found[0]
    assert "createRun: stream cut: recorded an end, upstream was not over after 0.4 s" in found[1]


async def test_a_credential_in_a_recorded_query_is_said(proxies, tmp_path):
    path = tmp_path / "old.cassette"

    async def with_key(client):
        await client("POST", "/threads?api_key=0123456789abcdef", {})

    await record(proxies, path, with_key)
    async with serve_sandbox(seed=2) as other:
        with pytest.raises(CassetteError, match="credential in its query"):
            await drifted(path, other.url)


async def test_credentials_are_sent_and_the_recordings_own_headers_too(proxies, tmp_path):
    path = tmp_path / "old.cassette"
    await record(proxies, path, refused, beta="assistants=v1")
    heads = []

    async def hear(heard, writer):
        heads.append(heard.head)
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with proxies.raw_upstream(hear) as upstream:
        await drifted(path, upstream.url)
    assert heads
    for head in heads:
        assert head.count(b"Authorization: Bearer sk-live-0123456789\r\n") == 1
        assert b"\r\nOpenAI-Beta: assistants=v1\r\n" in head
        assert b"sk-test" not in head
    assert b"\r\nContent-Type: application/json\r\n" in heads[0]
