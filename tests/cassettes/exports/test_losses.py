"""What each export counts as left out, and how that is told."""

import json
from dataclasses import replace

import pytest
from respool.cassettes.exports import FORMATS, Lost, told
from respool.cassettes.exports.losses import FORMS
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

JSON = ((b"content-type", b"application/json"),)
EVENTS = ((b"content-type", b"text/event-stream"),)


def call(place: int, line: str, answer: object = None, *, headers=JSON, **more) -> Interaction:
    method, target = line.split(" ")
    body = answer if isinstance(answer, bytes) else json.dumps(answer or {}).encode()
    response = Response(200, b"OK", headers, Body.of(body), marks=((1, 1), (1, 2)) if headers is EVENTS else ())
    asked = Body.of(b"{}") if method == "POST" else Body.of(b"")
    return Interaction(
        place, place + 1, Request(method, target.encode(), (), asked), response, scope="thread_a", **more
    )


def run(state: str) -> dict[str, str]:
    return {"id": "run_abcd", "status": state, "thread_id": "thread_a"}


RUN = "GET /threads/thread_a/runs/run_abcd"
CALLS = (
    call(0, "POST /threads", {"id": "thread_a"}),
    call(1, "POST /threads/thread_a/runs", run("queued")),
    call(2, RUN, run("queued")),
    call(3, RUN, run("queued")),
    call(4, RUN, run("in_progress")),
    call(5, RUN, run("completed")),
    call(6, "POST /threads/thread_a/runs", b"data: [DONE]\n\n", headers=EVENTS),
    replace(call(7, "POST /threads/thread_a/messages"), request_cut=True),
    replace(call(8, "POST /threads/thread_a/messages"), response=None, end=End.UPSTREAM_FAILED),
    replace(call(9, "GET /threads/thread_a/messages", b'{"da'), end=End.UPSTREAM_CUT),
    replace(call(10, "POST /files"), request=Request("POST", b"/files", (), Body.of(b"\x00\xff"), "gzip")),
)


def lines(made, form: str) -> list[str]:
    lost = Lost()
    assert "".join(FORMATS[form](made(*CALLS), lost=lost))
    return list(told(form, lost))


@pytest.mark.parametrize(
    ("form", "counted"),
    [
        (
            "har",
            [
                "how a call ended that was cut (1)",
                "that a request did not arrive whole (1)",
                "bytes of an upload that is no text (1)",
                "pace of a stream (1)",
                "coding of a body, which stands in it decoded (1)",
            ],
        ),
        ("curl", ["reads that repeat the answer before them (1)", "requests that did not arrive whole (1)"]),
        (
            "python",
            [
                "reads that repeat the answer before them (1)",
                "polls of a run, which are one wait for it to settle (2)",
                "calls that cannot be made again: its request did not arrive whole (1)",
            ],
        ),
        ("markdown", []),
        ("jsonl", []),
    ],
)
def test_what_is_left_out_is_counted_and_what_a_form_never_has_is_said(made, form, counted):
    found = lines(made, form)
    never = [FORMS[form].never] if FORMS[form].never else []
    assert sorted(line.strip() for line in found[1:]) == sorted(never + counted)
    assert bool(found) is bool(never or counted)


def test_a_test_leaves_out_what_a_script_does(made):
    assert lines(made, "pytest")[2:] == lines(made, "python")[2:]


def test_texts_that_are_shortened_are_counted(made):
    message = {"id": "msg_a", "role": "user", "content": [{"type": "text", "text": {"value": "x" * 30_000}}]}
    lost = Lost()
    list(FORMATS["markdown"](made(call(0, "POST /threads/thread_a/messages", message)), lost=lost))
    assert "  texts shortened (1)" in list(told("markdown", lost))


def test_every_form_has_its_words():
    assert FORMS.keys() == FORMATS.keys() | {"html"}
