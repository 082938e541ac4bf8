"""A summary tells of an interaction what replay and lists need."""

import pytest
from respool.cassettes.interaction import Body, End, Headers, Interaction, Request, Response
from respool.cassettes.keys import answer_digest, request_key
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summaries import summarise
from respool.cassettes.summary import CREATES, CUT, STREAM, WRITE, Summary

STREAMS: Headers = ((b"Content-Type", b"Text/Event-Stream; charset=utf-8"),)


def test_a_summary_holds_the_numbers_of_its_interaction() -> None:
    request = Request("POST", b"/v1/threads/thread_a/runs", (), Body.of(b'{"assistant_id":"asst_1"}'))
    response = Response(200, b"OK", (), Body((b"{", b"}")))
    answer = answer_digest(200)
    answer.feed(b"{}")
    assert summarise(Interaction(7, 1000, request, response, duration_us=55, variant=0x12)) == Summary(
        key=request_key(request),
        scope=scope_hash("thread_a"),
        answer=answer.finish(),
        arrival=7,
        started_us=1000,
        duration_us=55,
        status=200,
        operation=11,
        flags=WRITE,
        variant=0x12,
    )


def test_what_is_given_is_not_computed() -> None:
    def load(_: object) -> bytes:
        raise AssertionError("the body was read")

    from respool.cassettes.interaction import BlobRef

    body = Body((BlobRef(b"x" * 16, 5),), load)
    interaction = Interaction(0, 0, Request("GET", b"/files", (), body), Response(200, body=body), scope="named")
    summary = summarise(interaction, key=1, answer=2)
    assert (summary.key, summary.answer, summary.scope) == (1, 2, scope_hash("named"))


@pytest.mark.parametrize(
    ("method", "target", "headers", "end", "flags"),
    [
        ("GET", "/threads/t", (), End.COMPLETE, 0),
        ("HEAD", "/threads/t", (), End.COMPLETE, 0),
        ("OPTIONS", "/threads/t", (), End.COMPLETE, 0),
        ("DELETE", "/threads/t", (), End.COMPLETE, WRITE),
        ("POST", "/threads", (), End.COMPLETE, WRITE | CREATES),
        ("POST", "/v1/threads/runs", STREAMS, End.CLIENT_CUT, WRITE | CREATES | STREAM | CUT),
        ("GET", "/threads/t", (), End.UPSTREAM_CUT, CUT),
        ("GET", "/unknown", STREAMS, End.COMPLETE, STREAM),
    ],
)
def test_flags(method: str, target: str, headers: Headers, end: End, flags: int) -> None:
    interaction = Interaction(0, 0, Request(method, target.encode()), Response(200, headers=headers), end)
    assert summarise(interaction).flags == flags


def test_an_answer_with_marks_is_a_stream() -> None:
    response = Response(200, body=Body.of(b"ab"), marks=((1, 10), (1, 20)))
    assert summarise(Interaction(0, 0, Request("GET", b"/x"), response)).flags == STREAM


def test_a_call_without_an_answer_has_status_0() -> None:
    summary = summarise(Interaction(0, 0, Request("GET", b"/threads/t"), None, End.CLIENT_CUT))
    assert (summary.status, summary.flags) == (0, CUT)


def test_answers_differ_by_status_and_by_body() -> None:
    def digest(status: int, body: bytes) -> int:
        return summarise(Interaction(0, 0, Request("GET", b"/x"), Response(status, body=Body.of(body)))).answer

    assert len({digest(200, b""), digest(404, b""), digest(200, b"a"), digest(200, b"b")}) == 4


def test_a_summary_fits_its_layout() -> None:
    summary = summarise(Interaction(2**63, 2**63, Request("GET", b"/x"), None, variant=0xFFFF))
    assert Summary.unpack(summary.pack()) == summary
