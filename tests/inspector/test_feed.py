"""The feed against proxies that come, go, and say more than can be taken."""

import threading
import time

import pytest
from respool.cassettes.errors import CassetteError
from respool.inspector.feed import Feed, Fresh, Lost
from respool.proxy.control.protocol import CallLost, ControlError, Hello, Snapshot


def snapshot(instance="a", **more):
    told = {
        "version": 1, "instance": instance, "mode": "record", "upstream": "", "address": "", "cassettes": [], "size": 0,
        "hits": 0, "misses": 0, "recorded": 0, "failed": 0, "running": 0, "sessions": [], "calls": 0, "kept": 0, "last": 0,
        "open": [],
    }  # fmt: skip
    return Snapshot(**told | more)


class Told:
    """A client that tells these events, and then breaks off."""

    def __init__(self, events=(), *, instance="a", hello="a"):
        self.told = [Hello(n=0, kind="hello", instance=hello), *events]
        self.instance = instance

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass

    def snapshot(self):
        return snapshot(self.instance)

    def call(self, number):
        raise CassetteError("gone")

    def events(self, after):
        return Stream(self.told)


class Stream:
    def __init__(self, events):
        self._events = events

    def __iter__(self):
        yield from self._events

    def close(self):
        pass


@pytest.fixture
def feeding():
    feeds = []

    def begin(connect, **more):
        feeds.append(Feed(connect, **more))
        feeds[-1].start()
        return feeds[-1]

    yield begin
    for feed in feeds:
        feed.close()
        assert not feed._thread.is_alive()


def taken(feed, count):
    """The next items, waited for."""
    found = []
    end = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < end, found
        item = feed.take()
        if item is None:
            time.sleep(0.005)
        else:
            found.append(item)
    return found


def lost(number):
    return CallLost(n=number, kind="call-lost", number=number)


def test_first_the_snapshot_then_the_events_then_that_it_is_gone(feeding):
    feed = feeding(lambda: Told([lost(1), lost(2)]))
    first, *events, gone = taken(feed, 4)
    assert isinstance(first, Fresh)
    assert [event.number for event in events] == [1, 2]
    assert isinstance(gone, Lost)


class Noting(threading.Event):
    """Notes for how long it was to be waited for, and does not wait."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return super().wait(0.001)


def test_a_proxy_that_is_not_there_is_tried_again_more_and_more_seldom():
    answers = iter([False] * 7 + [True] * 2)

    def connect():
        if next(answers, False):
            return Told()
        raise ControlError("nobody there")

    feed = Feed(connect)
    feed._closed = waiting = Noting()
    feed.start()
    try:
        items = taken(feed, 9)
    finally:
        feed.close()
    assert [type(item) for item in items] == [*[Lost] * 7, Fresh, Lost]
    assert items[0].why == "nobody there"
    assert waiting.waits[:8] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 0.2]


def test_a_stream_of_another_run_than_the_snapshot_is_read_anew(feeding):
    clients = iter([Told([lost(1)], hello="b"), Told([lost(2)]), *[Told() for _ in range(50)]])
    feed = feeding(lambda: next(clients))
    seen = taken(feed, 3)
    assert not any(isinstance(item, CallLost) and item.number == 1 for item in seen)


def test_what_waits_is_bounded_and_goes_on_with_a_snapshot_once_it_was_taken(feeding):
    told = [Told([lost(number) for number in range(1, 100)]), Told([lost(200)])]
    spare = [Told() for _ in range(100)]

    def connect():
        # Each reading of a snapshot makes a second client for the thread that reads.
        return told.pop(0) if told and connect.turn % 2 == 0 else spare.pop()

    connect.turn = 0
    original = connect

    def counting():
        client = original()
        connect.turn += 1
        return client

    feed = feeding(counting, most=10)
    end = time.monotonic() + 20
    while not feed.full:
        assert time.monotonic() < end
        time.sleep(0.005)
    time.sleep(0.1)
    assert feed.waiting <= 10
    items = taken(feed, feed.waiting)
    assert isinstance(items[0], Fresh)
    assert not feed.full
    again = taken(feed, 2)
    assert isinstance(again[0], Fresh)
    assert again[1].number == 200


def test_closing_ends_it_even_while_it_is_full(feeding):
    feed = feeding(lambda: Told([lost(number) for number in range(100)]), most=5)
    end = time.monotonic() + 20
    while not feed.full:
        assert time.monotonic() < end
        time.sleep(0.005)
