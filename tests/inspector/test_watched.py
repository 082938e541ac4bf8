"""A recording that stops answering when nobody wants to know any more."""

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.watched import Abandoned, Watched


@pytest.fixture
def reader(made, cassette):
    with Reader.open(cassette(*made.refund(), *made.assistants())) as reader:
        yield reader


def test_a_watched_recording_is_the_recording(reader):
    watched = Watched(reader, lambda: True)
    assert (watched.path, watched.meta, watched.sealed, len(watched)) == (reader.path, reader.meta, True, len(reader))
    assert watched.scopes() == reader.scopes()
    (row, *_) = watched.rows()
    assert watched.scope_name(row.summary.scope) == "thread_a"
    assert [*watched.rows_of_scope("/assistants")] == [*reader.rows_of_scope("/assistants")]
    assert [watched.interaction(each) for each in watched.rows()] == [
        reader.interaction(each) for each in reader.rows()
    ]


def test_reading_stops_between_two_calls_and_what_is_no_reading_goes_on(reader):
    left = iter([True])
    watched = Watched(reader, lambda: next(left, False))
    first, second, *_ = watched.rows()
    assert watched.interaction(first) == reader.interaction(first)
    with pytest.raises(Abandoned):
        watched.interaction(second)
    assert len(watched) == len(reader)
