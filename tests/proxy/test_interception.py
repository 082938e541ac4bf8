"""Calls held back before they go upstream, with real proxies and clients of the control API."""

import asyncio
import json
from functools import partial

import controlled
import pytest
from controlled import answering, upstream
from respool.cassettes.interaction import End
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.policy import Policy
from respool.proxy.control.protocol import ControlError

KEY = "Authorization: Bearer sk-recorded-abcdefghijklmnop"
SECRET = "sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def recorded(tmp_path, heard):
    async def script(asked, writer):
        heard.append(asked)
        await answering(b'{"id": "msg_1"}')(asked, writer)

    class Proxy:
        def __init__(self, **options):
            self.options = options

        async def __aenter__(self):
            self.upstream = upstream(script)
            self.context = controlled.recorded(tmp_path, await self.upstream.__aenter__(), **self.options)
            return await self.context.__aenter__()

        async def __aexit__(self, *error):
            await self.context.__aexit__(*error)
            await self.upstream.__aexit__(*error)

    return Proxy


def kept(tmp_path):
    with Reader.open(tmp_path / "live.cassette") as reader:
        return [reader.interaction(row) for row in reader.rows()]


def message(one, text="hello"):
    body = json.dumps({"content": text}).encode()
    return asyncio.ensure_future(one.call("POST", "/v1/threads/thread_a/messages", body, KEY))


async def holding(one, number):
    await one.until(lambda: number in one.hub.interception.held)


async def test_a_call_that_the_filter_fits_waits_until_it_is_released(recorded, heard, tmp_path):
    async with recorded() as one:
        await one.ask(one.client.intercept, "method:POST")
        assert (await one.call("GET", "/v1/threads/thread_a")).startswith(b"HTTP/1.1 200")
        call = message(one)
        await holding(one, 1)
        assert len(heard) == 1
        told = await one.ask(one.client.held, 1)
        assert (told.method, told.target, told.body) == (
            "POST",
            "/v1/threads/thread_a/messages",
            '{"content": "hello"}',
        )
        assert 20 < told.seconds <= 30
        assert not call.done()
        await one.ask(one.client.release, 1)
        assert (await call).startswith(b"HTTP/1.1 200")
        (_, listed) = (await one.ask(one.client.calls)).calls
        assert listed.noted.startswith("held ")
        assert listed.noted.endswith(" s, released")
    assert heard[1].endswith(b'{"content": "hello"}')
    assert b"Bearer sk-recorded" in heard[1]
    marked = kept(tmp_path)[1].extra["intercepted"]
    assert marked["what"] == "released"
    assert marked["held_us"] > 0
    assert kept(tmp_path)[0].extra == {}


async def test_an_edited_call_goes_upstream_otherwise_and_the_cassette_says_so(recorded, heard, tmp_path):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        call = message(one)
        await holding(one, 0)
        edit = partial(one.client.release, 0, target="/v1/threads/thread_b/messages", body='{"content": "good day, ü"}')
        await one.ask(edit)
        assert (await call).startswith(b"HTTP/1.1 200")
    assert heard[0].startswith(b"POST /v1/threads/thread_b/messages HTTP/1.1\r\n")
    assert heard[0].endswith('{"content": "good day, ü"}'.encode())
    assert b"Bearer sk-recorded" in heard[0]
    (told,) = kept(tmp_path)
    assert told.request.body.read() == b'{"content": "hello"}'  # what the client asked is what a replay is asked
    marked = told.extra["intercepted"]
    assert (marked["what"], marked["target"]) == ("edited", b"/v1/threads/thread_b/messages")
    assert marked["body"] == '{"content": "good day, ü"}'.encode()


async def test_a_dropped_call_never_goes_upstream_and_is_not_tried_again(recorded, heard, tmp_path):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        call = message(one)
        await holding(one, 0)
        await one.ask(one.client.drop, 0)
        answer = await call
        assert answer.startswith(b"HTTP/1.1 502")
        assert b"x-should-retry: false" in answer.lower()
        assert b"a person dropped this call" in answer
    assert heard == []
    (told,) = kept(tmp_path)
    assert (told.end, told.extra["intercepted"]["what"]) == (End.UPSTREAM_FAILED, "dropped")


async def test_a_call_that_nobody_looks_at_goes_on_by_itself(recorded, heard, tmp_path):
    async with recorded() as one:
        await one.ask(one.client.intercept, "", 0.05)
        assert (await message(one)).startswith(b"HTTP/1.1 200")
        with pytest.raises(ControlError):
            await one.ask(one.client.release, 0)
    assert len(heard) == 1
    assert kept(tmp_path)[0].extra["intercepted"]["what"] == "let go"


async def test_taking_the_filter_off_lets_all_go(recorded, heard):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        calls = [message(one, str(number)) for number in range(3)]
        await one.until(lambda: len(one.hub.interception.held) == 3)
        await one.ask(one.client.intercept_nothing)
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in await asyncio.gather(*calls))
        assert (await message(one)).startswith(b"HTTP/1.1 200")
        assert one.hub.interception is None
    assert len(heard) == 4


async def test_the_end_of_the_proxy_lets_all_go(recorded, heard):
    async with recorded() as one:
        await one.ask(one.client.intercept, "", 600)
        call = message(one)
        await holding(one, 0)
    await call
    assert len(heard) <= 1


async def test_a_client_that_leaves_is_held_no_more_and_kept_as_having_left(recorded, heard, tmp_path):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        call = message(one)
        await holding(one, 0)
        call.cancel()
        await one.until(lambda: not one.hub.interception.held)
        await one.until(lambda: one.hub.ended == 1)
    assert heard == []
    assert kept(tmp_path)[0].end is End.CLIENT_CUT


async def test_events_tell_that_a_call_is_held_and_that_it_went_on(recorded, heard):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        events = []
        stream = await one.ask(one.client.events)
        reading = asyncio.get_running_loop().run_in_executor(None, lambda: events.extend(stream))
        call = message(one)
        await holding(one, 0)
        await one.until(lambda: one.hub.log.last > 2)
        await one.ask(one.client.release, 0)
        await call
    await asyncio.wait_for(reading, 20)
    (held,) = [event for event in events if event.kind == "call-held"]
    (went,) = [event for event in events if event.kind == "call-let-go"]
    assert (held.number, held.target, held.n < went.n) == (0, "/v1/threads/thread_a/messages", True)
    assert "released" in went.noted


async def test_what_is_told_of_a_held_call_is_redacted_and_a_placeholder_is_never_sent(recorded, heard):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        call = message(one, f"my key is {SECRET}")
        await holding(one, 0)
        told = await one.ask(one.client.held, 0)
        assert SECRET not in told.body
        with pytest.raises(ControlError, match="placeholder"):
            await one.ask(partial(one.client.release, 0, body=told.body))
        await one.ask(one.client.release, 0)
        await call
    assert SECRET.encode() in heard[0]


async def test_a_held_call_is_redacted_by_the_rules_of_the_recording(recorded, tmp_path):
    async with recorded(policy=Policy.of(["text:blue-whale-*"])) as one:
        await one.ask(one.client.intercept, "")
        call = message(one, "the blue-whale-118 it is")
        await holding(one, 0)
        assert "118" not in (await one.ask(one.client.held, 0)).body
        await one.ask(partial(one.client.release, 0, body=json.dumps({"content": "the blue-whale-119 it was"})))
        await call
    (found,) = kept(tmp_path)
    assert b"whale-11" not in found.request.body.read() + found.extra["intercepted"]["body"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("nonsense:(", 30), ("method:POST", 0), ("", -1), ("", 1e9), ("", float("nan")), (7, 30), ("", "x")],
)
async def test_what_makes_no_sense_is_refused_and_holds_nothing(recorded, text, seconds):
    async with recorded() as one:
        with pytest.raises(ControlError, match="400"):
            await one.ask(one.client.intercept, text, seconds)
        assert one.hub.interception is None


@pytest.mark.parametrize("target", ["", "no/slash", "/a b", "/a\r\nX: y", "http://evil/", "/ü"])
async def test_a_target_that_is_none_is_refused_and_the_call_stays_held(recorded, heard, target):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        call = message(one)
        await holding(one, 0)
        with pytest.raises(ControlError, match="400"):
            await one.ask(partial(one.client.release, 0, target=target))
        assert 0 in one.hub.interception.held
        await one.ask(one.client.release, 0)
        await call
    assert heard[0].startswith(b"POST /v1/threads/thread_a/messages ")


async def test_large_requests_and_those_of_unknown_length_go_by(recorded, heard):
    async with recorded() as one:
        await one.ask(one.client.intercept, "")
        assert (await one.call("POST", "/v1/files", b"x" * (5 << 20))).startswith(b"HTTP/1.1 200")
    assert len(heard) == 1


async def test_a_replay_holds_nothing_back(recorded, tmp_path):
    async with recorded() as one:
        await one.call("GET", "/v1/threads/thread_a")
    async with controlled.replayed(tmp_path, tmp_path / "live.cassette") as one:
        with pytest.raises(ControlError, match="nothing to hold back"):
            await one.ask(one.client.intercept, "")


async def test_without_a_filter_nothing_of_it_is_touched(recorded, monkeypatch):
    from respool.proxy.record import Recorder

    async def never(*_):
        raise AssertionError

    monkeypatch.setattr(Recorder, "_intercepted", never)
    async with recorded() as one:
        assert (await message(one)).startswith(b"HTTP/1.1 200")
