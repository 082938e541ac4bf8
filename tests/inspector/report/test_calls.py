"""Raw exchanges: what of a call is in the page, and how it is said that something is not."""

import json
from dataclasses import replace

import pytest
from respool.cassettes.interaction import Body, End
from respool.cassettes.reader import Reader
from respool.cassettes.sightings import Sightings
from respool.inspector.report import calls
from respool.inspector.report.calls import Room, calls_of


@pytest.fixture
def shown(cassette):
    def show(*interactions, room=None):
        path = cassette(*interactions)
        with Reader.open(path) as reader:
            (scope,) = reader.scopes()
            return calls_of(reader, reader.rows_of_scope(scope), Sightings(), room or Room(), 1)

    return show


def test_headers_stand_in_the_order_of_the_wire_repeated_ones_repeated(made, shown):
    one = made.call("GET /threads/thread_a", None, {})
    headers = ((b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3\x1b"))
    found = shown(replace(one, request=replace(one.request, headers=headers)))
    assert found.data["1-0"]["sent"] == [["X-B", "1"], ["x-a", "2"], ["X-B", "3\\x1b"]]


def test_the_events_of_a_stream_have_the_time_at_which_each_was_whole(made, shown):
    one = made.call("GET /threads/thread_a", None, b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n")
    headers = ((b"content-type", b"text/event-stream"),)
    response = replace(one.response, headers=headers, marks=((20, 1_000), (16, 9_000)))
    found = shown(replace(one, response=response))
    assert found.data["1-0"]["events"] == [[1_000, "a", "1"], [9_000, "b", "2"]]


def test_many_events_are_cut_and_that_is_said(made, shown, monkeypatch):
    monkeypatch.setattr(calls, "MOST_EVENTS", 3)
    one = made.call("GET /threads/thread_a", None, b"data: 1\n\n" * 9)
    response = replace(one.response, headers=((b"content-type", b"text/event-stream"),))
    assert shown(replace(one, response=response)).data["1-0"]["events"][3:] == [
        ["only the first 3 events are in this page"]
    ]


def test_what_is_no_text_is_said_by_its_size(made, shown):
    found = shown(made.call("GET /threads/thread_a", None, b"\x00\x01\xff" * 100))
    assert found.data["1-0"]["answer"] == {"size": "300 bytes", "binary": True}


def test_how_a_call_ended_is_said_in_its_row_and_inside(made, shown):
    found = shown(made.call("GET /threads/thread_a", None, {}, end=End.UPSTREAM_CUT))
    assert found.data["1-0"]["end"] == "cut by the upstream"
    assert "cut by the upstream" in found.rows[0]


def test_a_call_without_an_answer_has_none(made, shown):
    one = replace(made.call("GET /threads/thread_a"), response=None, end=End.CLIENT_CUT)
    assert "answer" not in shown(one).data["1-0"]


def test_a_write_is_never_folded_with_another(made, shown):
    write = made.call("POST /threads/thread_a/messages", {}, {"id": "m"})
    assert len(shown(*[write] * 5).rows) == 5


def test_memory_for_a_large_body_is_what_is_shown(made, shown):
    one = made.call("GET /threads/thread_a", None, {})
    large = replace(one, response=replace(one.response, body=Body.of(b"y" * 3_000_000)))
    room = Room()
    body = shown(large, room=room).data["1-0"]["answer"]
    assert len(body["text"]) == calls.MOST_BODY
    assert (body["size"], body["cut"]) == ("3,000 kB", "2,936 kB")
    assert room.bodies_cut == 1
    assert json.dumps(body)


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/threads/thread_a/runs/run_1", "…/runs/run_1"),
        ("/threads/thread_a/messages?order=asc", "…/messages?order=asc"),
        ("/threads/thread_a?x=1", "…?x=1"),
        ("/threads/thread_a", "/threads/thread_a"),
    ],
)
def test_a_row_leaves_out_the_thread_that_all_rows_are_about(made, shown, target, seen):
    found = shown(made.call(f"GET {target}", None, {}))
    assert f'<span class="path" dir="ltr">{seen}</span>' in found.rows[0]
    assert found.data["1-0"]["request"] == f"/v1{target}"
