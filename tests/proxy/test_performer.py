"""Recorded calls made anew: which bytes go out, what is waited for, and what is not sent at all."""

import pytest
from respool.cassettes.errors import UpstreamError
from respool.cassettes.ids import IdMap
from respool.cassettes.interaction import Body, Interaction, Request
from respool.proxy.performer import Caller, Performer, Unrepeatable, pause, retry_after, run_look, tools_of
from respool.proxy.upstream import Broken, Origin, Upstream

CALLER = Caller(b"/base", ((b"Authorization", b"Bearer live"), (b"OpenAI-Beta", b"assistants=v2")))
HEADERS = (
    (b"Host", b"old.example"),
    (b"authorization", b"Bearer REDACTED"),
    (b"openai-beta", b"assistants=v1"),
    (b"Idempotency-Key", b"once"),
    (b"content-type", b"application/json"),
    (b"X-Kept", b"thread_old"),
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def call(method="POST", target=b"/v1/threads/thread_old/runs", headers=HEADERS, body=b'{"a": "thread_old"}'):
    return Interaction(0, 0, Request(method, target, headers, Body.of(body)), None)


async def perform(proxies, script, recorded=None, *, patience=5.0, **options):
    """The answer, and what the upstream heard."""
    async with proxies.raw_upstream(script) as upstream:
        live = Upstream(Origin.parse(upstream.url))
        try:
            ids = IdMap([("thread_old", "thread_new")])
            answer = await Performer(live, ids, patience=patience).call(recorded or call(), CALLER, **options)
            return answer, upstream.heard
        finally:
            live.close()


def saying(*answers):
    left = list(answers)

    async def script(heard, writer):
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return script


async def test_a_call_goes_out_in_new_ids_below_the_callers_base_with_its_credentials(proxies):
    answer, (heard,) = await perform(proxies, saying(OK))
    assert (answer.status, answer.body, answer.cut) == (200, b"{}", "")
    assert heard.line == b"POST /base/threads/thread_new/runs HTTP/1.1"
    assert heard.body == b'{"a": "thread_new"}'
    assert b"Authorization: Bearer live" in heard.headers
    assert b"OpenAI-Beta: assistants=v2" in heard.headers
    assert b"X-Kept: thread_new" in heard.headers
    head = heard.head.lower()
    assert head.count(b"authorization:") == head.count(b"openai-beta:") == head.count(b"host:") == 1
    assert b"idempotency-key" not in head
    assert b"redacted" not in head


BUSY = b"HTTP/1.1 %d Busy\r\nretry-after-ms: 1\r\n%bContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answers", "waits_out", "status", "calls"),
    [
        ([BUSY % (429, b""), OK], {429}, 200, 2),
        ([BUSY % (429, b"")], {429}, 429, 4),
        ([BUSY % (503, b""), OK], {429}, 503, 1),
        ([BUSY % (503, b""), OK], {429, 503}, 200, 2),
        ([BUSY % (429, b"x-should-retry: false\r\n"), OK], {429}, 429, 1),
        ([BUSY % (429, b""), OK], set(), 429, 1),
    ],
)
async def test_a_busy_upstream_is_asked_again(proxies, answers, waits_out, status, calls):
    answer, heard = await perform(proxies, saying(*answers), waits_out=frozenset(waits_out))
    assert (answer.status, len(heard)) == (status, calls)


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na: \r\n"


@pytest.mark.parametrize(("closes", "cut"), [(True, "broke off"), (False, "was not over after 0.2 s")])
async def test_a_stream_that_does_not_end_is_given_as_far_as_it_came(proxies, closes, cut):
    async def script(heard, writer):
        writer.write(STREAM)
        if closes:
            writer.close()

    answer, _ = await perform(proxies, script, patience=0.2, keep_cut=True)
    assert (answer.body, answer.cut) == (b"a: ", cut)
    with pytest.raises(Broken if closes else UpstreamError):
        await perform(proxies, script, patience=0.2)


@pytest.mark.parametrize(
    "recorded",
    [
        call(target=b"/v1/threads?api_key=REDACTED"),
        call(target=b"/v1/threads/a b"),
        call(target=b"/v1/threads HTTP/1.1\r\nX: y"),
        call(headers=((b"X-A", b"b\r\nX-C: d"),)),
        call(method="POST /x HTTP/1.1\r\nA: b\r\n\r\nGET"),
    ],
)
async def test_a_call_that_cannot_be_made_anew_is_not_sent(proxies, recorded):
    with pytest.raises(Unrepeatable):
        await perform(proxies, saying(OK), recorded)


async def test_a_run_is_asked_for_while_patience_lasts(proxies):
    async with proxies.raw_upstream(saying(OK.replace(b"OK\r\n", b"OK\r\nopenai-poll-after-ms: 20\r\n"))) as upstream:
        live = Upstream(Origin.parse(upstream.url))
        performer = Performer(live, IdMap(), patience=0.1)
        answers = [answer async for answer in performer.polls(call("GET"), CALLER)]
        live.close()
    assert 2 <= len(answers) <= 7


@pytest.mark.parametrize(
    ("function", "headers", "seconds"),
    [
        (retry_after, ((b"Retry-After", b"3"),), 3.0),
        (retry_after, ((b"retry-after", b"3"), (b"retry-after-ms", b"20")), 0.02),
        (retry_after, ((b"retry-after", b"9999"),), 60.0),
        (retry_after, ((b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"),), 1.0),
        (retry_after, (), 1.0),
        (pause, ((b"openai-poll-after-ms", b"200"),), 0.2),
        (pause, ((b"openai-poll-after-ms", b"0"),), 0.01),
        (pause, ((b"openai-poll-after-ms", b"99999"),), 5.0),
        (pause, ((b"openai-poll-after-ms", b"soon"),), 0.5),
    ],
)
def test_the_upstream_is_obeyed_within_reason(function, headers, seconds):
    assert function(headers) == seconds


def test_a_look_at_a_run_has_the_headers_of_a_call_like_it():
    look = run_look("thread_1", "run_1", Request("POST", b"/v1/threads?api-version=7&x=1", HEADERS)).request
    assert (look.method, look.target) == ("GET", b"/threads/thread_1/runs/run_1?api-version=7")
    assert (b"content-type", b"application/json") not in look.headers
    assert (b"openai-beta", b"assistants=v1") in look.headers


def test_the_functions_of_a_run_are_counted():
    calls = [{"function": {"name": "a"}}, {"function": {"name": "a"}}, {"type": "x"}, 7]
    assert tools_of({"required_action": {"submit_tool_outputs": {"tool_calls": calls}}}) == {"a": 2}
    assert not tools_of({"required_action": 7})


async def test_no_pause_between_polls_is_longer_than_the_patience_that_is_left(proxies, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("respool.proxy.performer.asyncio.sleep", sleep)
    unhurried = b"HTTP/1.1 200 OK\r\nopenai-poll-after-ms: 5000\r\nContent-Length: 2\r\n\r\n{}"
    async with proxies.raw_upstream(saying(unhurried)) as upstream:
        live = Upstream(Origin.parse(upstream.url))
        try:
            performer = Performer(live, IdMap(), patience=0.2)
            async for _ in performer.polls(call("GET"), CALLER):
                pass
        finally:
            live.close()
    assert slept
    assert max(slept) <= 0.2
