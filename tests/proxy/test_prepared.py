"""A recorded answer made ready: what is changed on the way, and what is not."""

from dataclasses import replace

import pytest
from respool.cassettes.errors import DamagedCassetteError
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.summary import Row, Summary
from respool.proxy.prepared import PreparedAnswers, prepare

RUN = b"/v1/threads/thread_1/runs/run_1"


def answered(headers=(), body=b"{}", *, method="GET", target=RUN, status=200, end=End.COMPLETE, coding="", marks=()):
    response = Response(status, b"", headers, Body.of(body), coding, 0, marks)
    return Interaction(0, 0, Request(method, target), response, end)


def test_the_old_framing_goes_and_everything_else_stays():
    headers = (
        (b"Date", b"then"),
        (b"transfer-encoding", b"chunked"),
        (b"Connection", b"close"),
        (b"x-a", b"1"),
        (b"X-A", b"2"),
    )
    ready = prepare(answered(headers), hurry=False, streams=False)
    assert ready.whole == b"HTTP/1.1 200 OK\r\nDate: then\r\nx-a: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n{}"


def test_a_decoded_body_goes_without_its_coding_and_with_its_own_length():
    headers = ((b"Content-Encoding", b"gzip"), (b"Content-Length", b"20"))
    ready = prepare(answered(headers, b"plain", coding="gzip"), hurry=False, streams=False)
    assert ready.whole == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"


@pytest.mark.parametrize(
    ("target", "status", "recorded", "served"),
    [
        (RUN, 200, b"openai-poll-after-ms: 500", [b"openai-poll-after-ms: 0"]),
        (RUN, 200, b"x: y", [b"x: y", b"openai-poll-after-ms: 0"]),
        (b"/v1/vector_stores/vs_1", 200, b"openai-poll-after-ms: 500", [b"openai-poll-after-ms: 0"]),
        (b"/v1/files", 200, b"x: y", [b"x: y"]),
        (b"/v1/threads", 429, b"Retry-After: 20", [b"retry-after-ms: 1", b"retry-after: 0"]),
        (b"/v1/threads", 503, b"retry-after-ms: 9000", [b"retry-after-ms: 1", b"retry-after: 0"]),
        (b"/v1/threads", 400, b"x: y", [b"x: y"]),
    ],
)
def test_in_a_hurry_the_headers_that_make_clients_wait_say_now(target, status, recorded, served):
    name, _, value = recorded.partition(b": ")
    interaction = answered(((name, value),), target=target, status=status)
    hurried = prepare(interaction, hurry=True, streams=False).whole.split(b"\r\n")[1:-3]
    assert hurried == served
    assert recorded in prepare(interaction, hurry=False, streams=False).whole


def test_a_stream_is_split_where_its_pieces_came():
    body = b"event: a\n\nevent: b\n\n"
    interaction = answered(((b"Transfer-Encoding", b"chunked"),), body, method="POST", marks=((10, 100), (10, 900)))
    ready = prepare(interaction, hurry=False, streams=True)
    assert ready.pieces == [(b"event: a\n\n", 100), (b"event: b\n\n", 900)]
    assert (ready.whole, ready.length) == (None, False)


def test_a_cut_answer_promises_what_it_does_not_hold():
    ready = prepare(answered(((b"Content-Length", b"99"),), b"half", end=End.UPSTREAM_CUT), hurry=False, streams=False)
    assert ready.cut
    assert ready.headers == [(b"Content-Length", b"99")]
    assert ready.pieces == [(b"half", 0)]


def test_answers_kept_ready_are_bounded_in_bytes():
    built = []

    def build(row):
        built.append(row.offset)
        return prepare(answered(body=b"x" * 1000), hurry=False, streams=False)

    answers = PreparedAnswers(build, most=4000)
    rows = [Row(Summary(*[0] * 10), offset) for offset in range(4)]
    for row in (*rows, rows[3], rows[0]):
        answers.get(row)
    assert built == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    "headers",
    [
        ((b"X-A", b"a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK"),),
        ((b"X-A", b"a\nX-B: 1"),),
        ((b"X-A", b"a\rX-B: 1"),),
        ((b"X-A", b"a\0"),),
        ((b"X-A: 1\r\nX-B", b"1"),),
        ((b"Content-Length ", b"99"),),
        ((b"Content-Length:", b"99"),),
        ((b"", b"a"),),
    ],
)
def test_an_answer_that_would_be_read_as_two_is_not_served(headers):
    with pytest.raises(DamagedCassetteError, match="call 0 of the cassette has an answer whose head cannot be sent"):
        prepare(answered(headers), hurry=False, streams=False)


@pytest.mark.parametrize("status", [0, 100, 101, 199, 1000])
def test_neither_is_one_that_is_not_the_last_before_its_body(status):
    with pytest.raises(DamagedCassetteError):
        prepare(answered(status=status), hurry=False, streams=False)


def test_nor_is_one_whose_reason_has_two_lines():
    interaction = replace(answered(), response=Response(200, b"OK\r\nX-A: 1", (), Body.of(b"{}")))
    with pytest.raises(DamagedCassetteError):
        prepare(interaction, hurry=False, streams=False)
