import asyncio
import json

from respool.proxy.control.log import EventLog


def told(data):
    return [json.loads(line) for line in data.splitlines()]


def test_while_nobody_reads_events_are_counted_and_not_made():
    log = EventLog()
    log.tell("call-lost", lambda: 1 / 0)
    assert log.last == 1
    with log:
        log.tell("call-lost", lambda: {"number": 7})
        lines, after = log.read(1)
    assert told(lines) == [{"n": 2, "kind": "call-lost", "number": 7}]
    assert after == 2


def test_a_reader_that_fell_behind_is_told_of_the_gap_and_goes_on():
    log = EventLog(most=3)
    with log:
        for number in range(10):
            log.tell("call-lost", lambda number=number: {"number": number})
        lines, after = log.read(2)
    gap, *rest = told(lines)
    assert gap == {"n": 7, "kind": "gap", "first": 3}
    assert [each["n"] for each in rest] == [8, 9, 10]
    assert after == 10


def test_what_was_told_while_nobody_read_is_a_gap_for_who_comes_back():
    log = EventLog()
    with log:
        log.tell("call-lost", lambda: {"number": 0})
    log.tell("call-lost", lambda: {"number": 1})
    with log:
        log.tell("call-lost", lambda: {"number": 2})
        lines, after = log.read(1)
    assert [(each["kind"], each["n"]) for each in told(lines)] == [("gap", 2), ("call-lost", 3)]
    assert after == 3


def test_the_ring_is_bounded_in_bytes_too():
    log = EventLog(most_bytes=10_000)
    with log:
        for _ in range(100):
            log.tell("call-grew", lambda: {"text": "x" * 1000})
        lines, _ = log.read(log.oldest - 1)
        assert len(lines) <= 10_000
        assert log.oldest > 85


async def test_who_waits_is_woken_by_the_next_event_and_by_no_other_reader():
    log = EventLog()
    with log:
        waiting = asyncio.gather(log.more(0, 20), log.more(0, 20))
        await asyncio.sleep(0)
        log.tell("call-lost", lambda: {"number": 0})
        assert await waiting == [True, True]
        assert not await log.more(1, 0.01)
