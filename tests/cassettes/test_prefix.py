"""A cassette up to one write of a thread."""

import pytest
from cassette_samples import read
from recorded_calls import write_cassette
from respool.cassettes.errors import UsageError
from respool.cassettes.prefix import Prefix

THREAD = b"/v1/threads/thread_a"


@pytest.fixture
def cassette(tmp_path):
    calls = [
        ("POST", b"/v1/threads", b"{}", b'{"id": "thread_a", "object": "thread"}', 200),
        ("GET", THREAD, b"", b"1", 200),
        ("POST", THREAD + b"/messages", b'{"content": "one"}', b"{}", 200),
        ("GET", THREAD, b"", b"2", 200),
        ("POST", b"/v1/threads/thread_b/messages", b"{}", b"{}", 200),
        ("POST", b"/v1/assistants", b"{}", b"{}", 200),
    ]
    return write_cassette(tmp_path / "old.cassette", calls)


def test_it_ends_one_thread_behind_a_write_and_keeps_all_else(cassette, tmp_path):
    whole = read(cassette)
    with Prefix.open(cassette) as prefix:
        prefix.end_at(2, thread="thread_a")
        assert [row.summary.arrival for row in prefix.rows()] == [0, 1, 2, 4, 5]
        assert [row.summary.arrival for row in prefix.rows_of_scope("thread_a")] == [0, 1, 2]
        read_key = next(row.summary.key for row in prefix.rows() if row.summary.arrival == 1)
        assert [row.summary.arrival for row in prefix.rows_of_key(read_key)] == [1]
        with prefix.copy_to(tmp_path / "new.cassette", meta={"note": 1}, overwrite=False) as writer:
            assert writer.next_arrival() == 6, "what is added comes behind all that is kept"
    assert read(tmp_path / "new.cassette") == [call for call in whole if call.arrival != 3]
    with Prefix.open(tmp_path / "new.cassette") as copy:
        assert (copy.meta["note"], copy.meta["upstream"]) == (1, "http://upstream.test/v1")


@pytest.mark.parametrize(
    ("number", "thread", "said"),
    [
        (1, None, "holds 2 threads"),
        (3, "thread_a", "has 2 writes"),
        (0, "thread_a", "has 2 writes"),
        (1, "/assistants", "holds no write of a thread /assistants"),
        (1, "thread_\x1b[2J", "holds no write of a thread thread_\\x1b[2J"),
    ],
)
def test_what_is_not_there_is_a_usage_error(cassette, number, thread, said):
    with Prefix.open(cassette) as prefix, pytest.raises(UsageError) as error:
        prefix.end_at(number, thread=thread)
    assert said in error.value.message
