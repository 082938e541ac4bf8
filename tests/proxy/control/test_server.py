import asyncio
import json
import time

import pytest
from controlled import answering, streaming, upstream
from respool.cassettes import reports
from respool.cassettes.errors import CassetteError
from respool.cassettes.reader import Reader
from respool.proxy.control.client import Client
from respool.proxy.control.protocol import ControlError

SECRET = "sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"
THREAD = b'{"id": "thread_a", "object": "thread"}'


def request(method, target, body=b"", *headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: p", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reading(client, events, *, after=None):
    """Read events in a thread into a list, until the stream ends."""

    def read():
        stream = client.events(after)
        streams.append(stream)
        try:
            events.extend(stream)
        except ControlError:
            pass

    streams = []
    return asyncio.get_running_loop().run_in_executor(None, read), streams


async def test_the_snapshot_counts_what_was_recorded(recorded):
    async with upstream(answering(THREAD)) as url, recorded(url) as one:
        before = await one.ask(one.client.snapshot)
        assert (before.mode, before.calls, before.running, before.cassettes[0][-14:]) == (
            "record",
            0,
            0,
            "/live.cassette",
        )
        await one.call("POST", "/v1/threads", b"{}")
        after = await one.ask(one.client.snapshot)
        assert (after.recorded, after.calls, after.hits, after.misses) == (1, 1, 0, 0)
        assert [(each.name, each.calls) for each in after.sessions] == [("default", 1)]
        assert after.size > 0
        page = await one.ask(one.client.calls)
        (call,) = page.calls
        assert (call.number, call.how, call.record, call.scope, call.status) == (0, "recorded", 0, "thread_a", 200)


async def test_a_call_is_given_as_it_was_recorded(recorded, tmp_path):
    async with upstream(answering(THREAD)) as url:
        async with recorded(url) as one:
            await one.call("POST", "/v1/threads?x=1", b'{"metadata": {}}')
            told = await one.ask(one.client.call, 0)
            with pytest.raises(CassetteError):
                await one.ask(one.client.call, 1)
        with Reader.open(tmp_path / "live.cassette") as reader:
            (kept,) = map(reader.interaction, reader.rows())
            assert (told.request, told.response, told.scope) == (kept.request, kept.response, kept.scope)


async def test_a_large_body_is_given_by_its_beginning(recorded):
    async with upstream(answering(b"x" * 3_000_000, kind=b"text/plain")) as url:
        async with recorded(url) as one:
            await one.call("GET", "/v1/files/file_1/content")
            told = await one.ask(one.client.call, 0)
            assert 0 < told.response.body.length < 1 << 20
            assert told.extra["shortened"] == {"response": 3_000_000}


async def test_events_tell_a_call_from_its_beginning_to_its_end(recorded):
    go = asyncio.Semaphore(0)
    words = [
        f'event: thread.message.delta\ndata: {{"id": "msg_1", "delta": "{word} "}}\n\n'.encode() for word in ("a", "b")
    ]
    events = []
    async with upstream(streaming(words, go)) as url, recorded(url) as one:
        reader, streams = reading(one.client, events)
        await one.until(lambda: one.hub.log.watched)
        call = asyncio.ensure_future(one.call("POST", "/v1/threads/thread_a/runs", b'{"stream": true}'))
        go.release()
        await one.until(lambda: any(each.kind == "call-grew" for each in events))
        assert not call.done()
        during = await one.ask(one.client.call, 0)
        assert during.response.body.read() == words[0]
        assert during.extra == {"running": True}
        assert during.request.body.read() == b'{"stream": true}'
        go.release()
        await call
        await one.until(lambda: any(each.kind == "call-finished" for each in events))
        streams[0].close()
        await reader
    kinds = [each.kind for each in events]
    assert kinds[:4] == ["hello", "session-begun", "call-begun", "call-headed"]
    assert kinds[-1] == "call-finished"
    assert "".join(each.text for each in events if each.kind == "call-grew").encode() == b"".join(words)
    numbers = [each.n for each in events]
    assert numbers[1:] == list(range(numbers[0] + 1, numbers[0] + len(numbers)))


async def test_no_secret_goes_out_whatever_is_asked(recorded, tmp_path):
    go = asyncio.Semaphore(0)
    pieces = [
        f'event: thread.message.delta\ndata: {{"id": "msg_1", "delta": "{SECRET[at : at + 5]}"}}\n\n'.encode()
        for at in range(0, len(SECRET), 5)
    ]
    address = str(tmp_path / "c.sock")
    async with upstream(streaming(pieces, go)) as url, recorded(url, where=address) as one:
        reader, writer = await asyncio.open_unix_connection(address)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await one.until(lambda: one.hub.log.watched)
        asked = f'{{"stream": true, "instructions": "use {SECRET}"}}'.encode()
        call = asyncio.ensure_future(
            one.call("POST", f"/v1/threads/{SECRET}/runs?api_key={SECRET}", asked, f"Authorization: Bearer {SECRET}")
        )
        told = b""
        for _ in pieces:
            go.release()
            await asyncio.sleep(0.08)
            for target in (b"/calls/0", b"/snapshot", b"/calls"):
                told += await _raw(address, target)
        await call
        told += await _raw(address, b"/calls/0") + await _raw(address, b"/calls")
        writer.write_eof()
        told += await asyncio.wait_for(reader.read(1 << 20), 5)
        writer.close()
    assert b"call-grew" in told
    text = "".join(json.loads(f'"{part}"') for part in _deltas(told))
    assert SECRET[3:15] not in text
    assert SECRET.encode() not in told
    assert SECRET[:20].encode() not in told


def _deltas(told):
    import re

    return re.findall(r'\\"delta\\": \\"([A-Za-z0-9-]*)\\"', told.decode("latin-1"))


async def _raw(address, target):
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def test_a_replay_tells_hits_misses_with_their_reason_and_reports(recorded, replayed, tmp_path):
    async with upstream(answering(THREAD)) as url, recorded(url) as one:
        await one.call("POST", "/v1/threads", b"{}")
        await one.call("POST", "/v1/threads/thread_a/messages", b'{"content": "hello"}')
    events = []
    async with replayed(tmp_path / "live.cassette") as one:
        reader, streams = reading(one.client, events)
        await one.until(lambda: one.hub.log.watched)
        await one.call("POST", "/@gw1/v1/threads", b"{}")
        await one.call("POST", "/@gw1/v1/threads/thread_a/messages", b'{"content": "other"}')
        snapshot = await one.ask(one.client.snapshot)
        assert (snapshot.hits, snapshot.misses, snapshot.mode) == (1, 1, "replay")
        hit, miss = (await one.ask(one.client.calls)).calls
        assert (hit.how, hit.record, hit.session, hit.thread) == ("exact", 0, "gw1", "thread_a @gw1")
        assert (miss.how, miss.record, miss.status, miss.scope) == ("miss", None, 502, "thread_a")
        told = await one.ask(one.client.call, miss.number)
        assert json.loads(told.response.body.read())["error"]["code"] == "respool_miss"
        report = await one.ask(one.client.report, "gw1")
        assert (report["played"], report["miss_count"], report["unplayed_count"]) == (1, 1, 1)
        await one.ask(one.client.reset, "gw1")
        with pytest.raises(ControlError):
            await one.ask(one.client.report, "gw1")
        with pytest.raises(ControlError):
            await one.ask(one.client.reset, "nobody")
        await one.until(lambda: any(each.kind == "session-reset" for each in events))
        streams[0].close()
        await reader
    (why,) = [each.why for each in events if each.kind == "miss"]
    assert "recorded  " in why
    assert "other" in why


async def test_a_paced_replay_is_told_as_it_goes(recorded, replayed, tmp_path):
    go = asyncio.Semaphore(0)
    words = [b"data: %d\n\n" % number for number in range(3)]
    async with upstream(streaming(words, go)) as url, recorded(url) as one:
        call = asyncio.ensure_future(one.call("POST", "/v1/threads/thread_a/runs", b"{}"))
        for _ in words:
            go.release()
            await asyncio.sleep(0.3)
        await call
    events = []
    async with replayed(tmp_path / "live.cassette", pace="recorded") as one:
        reader, streams = reading(one.client, events)
        await one.until(lambda: one.hub.log.watched)
        await one.call("POST", "/v1/threads/thread_a/runs", b"{}")
        await one.until(lambda: any(each.kind == "call-finished" for each in events))
        streams[0].close()
        await reader
    grown = [each.text for each in events if each.kind == "call-grew"]
    assert len(grown) > 1
    assert "".join(grown).encode() == b"".join(words)


async def test_what_is_only_forwarded_can_be_looked_at_too(recorded):
    async with upstream(answering(THREAD)) as url, recorded(url, keep=False) as one:
        await one.call("POST", "/v1/threads", b"{}")
        (call,) = (await one.ask(one.client.calls)).calls
        assert (call.how, call.record, call.scope) == ("forwarded", None, "thread_a")
        assert (await one.ask(one.client.call, 0)).response.body.read() == THREAD


async def test_a_reader_that_never_reads_changes_nothing_for_the_client(recorded, tmp_path):
    body = json.dumps({"id": "thread_a", "text": "x" * 2000}).encode()
    address = str(tmp_path / "c.sock")
    async with upstream(answering(body)) as url, recorded(url, where=address) as one:
        _, writer = await asyncio.open_unix_connection(address, limit=1)
        writer.transport.pause_reading()
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await one.until(lambda: one.hub.log.watched)
        reader, sender = await asyncio.open_connection("127.0.0.1", one.port)
        for _ in range(4000):
            sender.write(request("GET", "/v1/threads/thread_a"))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(body)) == body
        sender.close()
        assert one.hub.log.watched
        assert one.hub.log.oldest > 1  # the ring went on without the reader
        writer.transport.resume_reading()
        writer.close()
    with Reader.open(tmp_path / "live.cassette") as kept:
        assert len(kept) == 4000


async def test_a_slow_reader_is_told_of_the_gap(recorded):
    async with upstream(answering(THREAD)) as url, recorded(url) as one:
        await one.call("GET", "/v1/threads/thread_a")
        events = []
        reader, streams = reading(one.client, events, after=0)
        await one.until(lambda: len(events) > 1)
        streams[0].close()
        await reader
        last = one.hub.log.last
        assert [(each.kind, each.n) for each in events] == [("hello", 0), ("gap", last)]
        assert events[1].first == 1


async def test_the_end_of_the_proxy_is_told_and_ends_the_stream(recorded):
    events = []
    async with upstream(answering(THREAD)) as url:
        async with recorded(url) as one:
            reader, _ = reading(one.client, events)
            await one.until(lambda: one.hub.log.watched)
            began = time.monotonic()
        await reader
    assert events[-1].kind == "recording-finished"
    assert time.monotonic() - began < 8


async def test_on_a_port_the_token_of_the_environment_is_asked_for(recorded, monkeypatch):
    monkeypatch.setenv("RESPOOL_CONTROL_TOKEN", "t" * 20)
    async with upstream(answering(THREAD)) as url, recorded(url, where="127.0.0.1:0") as one:
        with pytest.raises(ControlError, match="401"):
            await one.ask(one.client.snapshot)
        with Client(one.address, token="t" * 20) as client:
            assert (await one.ask(client.snapshot)).mode == "record"
        with pytest.raises(ControlError, match="401"):
            await one.ask(one.client.events)


async def test_what_is_asked_wrongly_is_an_error_in_the_apis_shape(recorded, tmp_path):
    address = str(tmp_path / "c.sock")
    async with recorded("http://127.0.0.1:9", where=address):
        for target, status in [
            (b"/nowhere", 404),
            (b"/calls?first=x", 400),
            (b"/calls/999999999999999999", 410),
            (b"/calls/-1", 404),
            (b"/sessions/nobody", 404),
            (b"/sessions/nobody/reset", 405),
            (b"/events?after=" + b"9" * 40, 400),
        ]:
            answer = await _raw(address, target)
            assert answer.startswith(b"HTTP/1.1 %d" % status), target
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "respool_error"


async def test_calls_are_answered_while_a_report_reads_a_long_recording(recorded, replayed, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "STEP", 1)
    async with upstream(answering(THREAD)) as url, recorded(url) as one:
        for number in range(30):
            await one.call("POST", "/v1/threads", f'{{"metadata": {{"n": "{number}"}}}}'.encode())
    async with replayed(tmp_path / "live.cassette") as one:
        await one.call("POST", "/v1/threads", b'{"metadata": {"n": "0"}}')
        turns = 0

        async def others():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        working = asyncio.ensure_future(others())
        try:
            report = await one.hub.director.told_of("default")
        finally:
            working.cancel()
        assert (report["played"], report["unplayed_count"]) == (1, 29)
        assert turns >= 30
