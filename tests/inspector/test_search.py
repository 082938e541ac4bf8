"""A filter at work: slices, what comes while it works, and what it says of how far it is."""

import pytest
from respool.cassettes.filters import FilterError
from respool.cassettes.reader import Reader
from respool.inspector import search as searches
from respool.inspector.search import Search


@pytest.fixture
def recording(made, cassette):
    with Reader.open(cassette(*made.thread("thread_a", "One", "Two"), *made.thread("thread_b", "Two"))) as reader:
        yield reader


def worked(search):
    """Do all there is to do; returns how many slices that took."""
    slices = 0
    while True:
        batch, looked, done = search.slice()
        search.take(batch, looked, done=done)
        slices += 1
        if search.done:
            return slices


def test_calls_that_fit_are_found_by_scope(recording):
    search = Search(recording, "Two")
    worked(search)
    assert search.hits == {"thread_a": {2}, "thread_b": {4}}
    assert search.progress == "2 of 5 calls"


def test_a_slice_ends_in_time_and_the_next_one_goes_on(made, cassette, monkeypatch):
    monkeypatch.setattr(searches, "SLICE", -1)
    calls = made.thread("thread_a", *map(str, range(40)))
    with Reader.open(cassette(*calls)) as reader:
        search = Search(reader, "op:createMessage")
        batch, looked, done = search.slice()
        search.take(batch, looked, done=done)
        assert (looked, done) == (16, False)
        assert search.progress == "15 of 16 · scanning 39%"
        assert worked(search) == 2
        assert search.progress == "40 of 41 calls"


def test_a_call_that_comes_later_is_looked_at_and_counts_once(recording):
    rows = list(recording.rows())
    search = Search(recording, "Two", rows[:1])
    worked(search)
    assert search.progress == "0 of 1 calls"
    search.later(rows[4])
    assert (search.done, search.waiting) == (False, True)
    worked(search)
    search.later(rows[4])
    worked(search)
    assert (search.found, search.hits, search.waiting) == (1, {"thread_b": {4}}, False)


def test_a_call_that_comes_while_a_slice_is_taken_in_is_not_forgotten(recording):
    rows = list(recording.rows())
    search = Search(recording, "Two", [])
    batch, looked, done = search.slice()
    search.later(rows[2])
    search.take(batch, looked, done=done)
    assert not search.done
    worked(search)
    assert search.found == 1


def test_what_is_no_filter_is_refused(recording):
    with pytest.raises(FilterError):
        Search(recording, "nonsense:")
