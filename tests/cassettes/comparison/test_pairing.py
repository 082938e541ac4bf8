"""Which threads of two cassettes are the same conversation."""

from recorded_calls import write_cassette
from respool.cassettes.comparison.pairing import pairs
from respool.cassettes.comparison.sides import Side
from respool.cassettes.reader import Reader


def calls(thread: str, *texts: str):
    name = thread.encode()
    yield "POST", b"/v1/threads", b"{}", b'{"id": "%b", "object": "thread"}' % name, 200
    for number, text in enumerate(texts):
        sent = b'{"role": "user", "content": "%b"}' % text.encode()
        told = b'{"id": "msg_%b_%d", "role": "user", "created_at": %d, "content": [{"type": "text", "text": {"value": "%b"}}]}'
        yield "POST", b"/v1/threads/%b/messages" % name, sent, told % (name, number, number, text.encode()), 200


def paired(tmp_path, left, right):
    paths = []
    for name, threads in (("left", left), ("right", right)):
        written = [call for thread, *texts in threads for call in calls(thread, *texts)]
        paths.append(write_cassette(tmp_path / f"{name}.cassette", written))
    with Reader.open(paths[0]) as one, Reader.open(paths[1]) as other:
        return pairs(Side(one), Side(other))


def test_equal_ids_come_first_whatever_was_written(tmp_path):
    found = paired(tmp_path, [("thread_a", "one"), ("thread_b", "two")], [("thread_b", "one"), ("thread_a", "two")])
    assert found == [("thread_a", "thread_a"), ("thread_b", "thread_b")]


def test_then_what_the_client_wrote_in_whatever_order(tmp_path):
    found = paired(tmp_path, [("thread_a", "one"), ("thread_b", "two")], [("thread_c", "two"), ("thread_d", "one")])
    assert found == [("thread_a", "thread_d"), ("thread_b", "thread_c")]


def test_equal_conversations_are_paired_in_order(tmp_path):
    found = paired(tmp_path, [("thread_a", "hi"), ("thread_b", "hi")], [("thread_c", "hi"), ("thread_d", "hi")])
    assert found == [("thread_a", "thread_c"), ("thread_b", "thread_d")]


def test_a_thread_that_changed_is_paired_with_what_is_nearest_and_one_more_is_added_where_it_stands(tmp_path):
    found = paired(
        tmp_path,
        [("thread_a", "where is order 118?"), ("thread_b", "refund me please")],
        [("thread_c", "hello there"), ("thread_d", "where is order 119?"), ("thread_e", "refund me please")],
    )
    assert found == [(None, "thread_c"), ("thread_a", "thread_d"), ("thread_b", "thread_e")]


def test_threads_that_have_nothing_in_common_are_no_pair(tmp_path):
    found = paired(tmp_path, [("thread_a", "a", "b", "c", "d", "e")], [("thread_c", "nothing of it")])
    assert found == [("thread_a", None), (None, "thread_c")] or found == [(None, "thread_c"), ("thread_a", None)]
