"""The ids that answers name, and which of two servers' belong together."""

import json

import pytest
from respool.cassettes.ids import (
    LARGEST_LISTED,
    MOST_LISTED,
    IdMap,
    align,
    holds_ids,
    ids_of,
    prefix_of,
    unknown_ids,
)
from respool.cassettes.interaction import Body, Response

JSON = b"application/json; charset=utf-8"
SSE = b"text/event-stream"


def run(name, thread="thread_a", **fields):
    return {"id": name, "object": "thread.run", "thread_id": thread, **fields}


def both(old, new, kind=JSON, known=None):
    return dict(align(json.dumps(old).encode(), json.dumps(new).encode(), kind, known))


def test_ids_of_one_kind_belong_together_in_their_order():
    old = {"object": "list", "data": [{"id": "msg_1", "object": "thread.message", "run_id": "run_1"}] * 2}
    new = {"object": "list", "data": [{"id": "m-9", "object": "thread.message", "run_id": "r-9"}] * 2}
    assert both(old, new) == {"msg_1": "m-9", "run_1": "r-9"}


def test_an_id_is_of_one_kind_whichever_field_names_it():
    old = {"data": [{"id": "run_1", "object": "thread.run"}, {"run_id": "run_1", "step_id": "step_1"}]}
    new = {"data": [{"run_id": "r-1"}, {"id": "r-1", "object": "thread.run", "step_id": "s-1"}]}
    assert both(old, new) == {"run_1": "r-1", "step_1": "s-1"}


def test_tool_calls_belong_together_by_their_function():
    def calls(*pairs):
        return run("run_1", tool_calls=[{"id": i, "type": "function", "function": {"name": n}} for i, n in pairs])

    old = calls(("call_1", "refund"), ("call_2", "notify"), ("call_3", "notify"))
    new = calls(("call_7", "notify"), ("call_8", "refund"), ("call_9", "notify"))
    pairs = both(old, new)
    assert pairs["call_1"] == "call_8"
    assert (pairs["call_2"], pairs["call_3"]) == ("call_7", "call_9")


def test_what_is_known_is_passed_over_so_that_longer_lists_align():
    known = IdMap([("msg_1", "msg_x")])
    old = {"data": [{"id": "msg_2", "object": "thread.message"}, {"id": "msg_1", "object": "thread.message"}]}
    new = {"data": [{"id": "msg_x", "object": "thread.message"}, {"id": "msg_y", "object": "thread.message"}]}
    assert both(old, new, known=known) == {"msg_2": "msg_y"}


def test_a_users_metadata_and_page_cursors_name_nothing():
    old = {"id": "thread_1", "object": "thread", "metadata": {"order_id": "ord_1"}, "first_id": "zzz_1"}
    new = {"id": "thread_2", "object": "thread", "metadata": {"order_id": "ord_2"}, "first_id": "zzz_2"}
    assert both(old, new) == {"thread_1": "thread_2"}


def test_streams_align_event_by_event():
    def stream(*objects):
        lines = [f"event: thread.run.created\ndata: {json.dumps(each)}\n\n" for each in objects]
        return "".join([*lines, "event: done\ndata: [DONE]\n\n"]).encode()

    old = stream(run("run_1"), {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": []}})
    new = stream(run("run_9", "thread_b"), {"id": "msg_9", "object": "thread.message.delta"})
    assert dict(align(old, new, SSE)) == {"run_1": "run_9", "thread_a": "thread_b", "msg_1": "msg_9"}


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[" * 100_000, b'{"id": 5, "object": []}', b'{"id": "a b"}', b"null"]
)
def test_what_is_no_answer_of_the_api_teaches_nothing(body):
    assert align(body, body, JSON) == []
    assert not unknown_ids(body, JSON, IdMap())


def test_only_whole_tokens_are_replaced_and_all_at_once():
    ids = IdMap([("run_1", "run_2"), ("run_2", "run_1"), ("thread_a", "run_1")])
    assert ids.to_new(b"run_1,run_2;run_12") == b"run_2,run_1;run_12"
    assert ids.to_old(b"run_1/run_2") == b"run_2/run_1"


def test_an_id_behind_an_escape_is_found():
    ids = IdMap([("thread_a", "thread_b")])
    assert ids.to_new(rb'"see:\nthread_a\u0020thread_a\\thread_a"') == rb'"see:\nthread_b\u0020thread_b\\thread_b"'
    assert ids.to_new(b"/threads/thread_a?x=%20thread_a") == b"/threads/thread_b?x=%20thread_b"


def test_the_first_pair_stands():
    ids = IdMap([("a_1", "b_1"), ("a_1", "b_2"), ("a_2", "b_1")])
    assert (len(ids), ids.to_new(b"a_1 a_2"), ids.to_old(b"b_1 b_2")) == (1, b"b_1 a_2", b"a_1 b_2")


def test_files_hold_no_ids():
    assert holds_ids(b"application/json")
    assert holds_ids(b"text/event-stream; charset=utf-8")
    assert not holds_ids(b"application/octet-stream")
    assert not holds_ids(b"")


def answered(body, kind=b"application/json"):
    return Response(200, b"OK", ((b"Content-Type", kind),), Body.of(body))


def test_ids_of_json_come_in_order_and_once():
    body = json.dumps(
        {
            "id": "run_0001",
            "thread_id": "thread_1",
            "data": [{"id": "msg_0001"}, {"id": "run_0001"}],
            "last_id": "msg_0002",
        }
    )
    assert ids_of(answered(body.encode())) == (b"run_0001", b"thread_1", b"msg_0002", b"msg_0001")


def test_ids_of_a_stream_come_from_the_data_of_its_events():
    body = b'event: thread.created\ndata: {"id": "thread_1"}\n\nid: other_1\ndata: {"run_id": "run_0001"}\n\ndata: [DONE]\n\n'
    assert ids_of(answered(body, b"text/event-stream; charset=utf-8")) == (b"thread_1", b"run_0001")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"id": 7}',
        b'{"id": "short"}',
        b'{"id": "a b c d e"}',
        b'{"id": "\xc3\xa9\xc3\xa9\xc3\xa9"}',
        b"{",
    ],
)
def test_what_is_no_id_is_passed_over(body):
    assert ids_of(answered(body)) == ()
    assert ids_of(None) == ()


def test_the_ids_of_an_answer_are_bounded():
    many = json.dumps([{"id": f"msg_{number:05}"} for number in range(MOST_LISTED + 50)]).encode()
    assert len(ids_of(answered(many))) == MOST_LISTED
    assert ids_of(answered(b'{"id": "thread_1", "x": "' + b"x" * LARGEST_LISTED + b'"}')) == ()


def test_a_users_metadata_is_not_listed():
    assert ids_of(answered(b'{"id": "thread_1", "metadata": {"order_id": "order_0001"}}')) == (b"thread_1",)


def test_an_id_says_what_it_is_one_of():
    assert prefix_of(b"run_7") == b"run"
    assert prefix_of(b"3f2a-77") == b""
