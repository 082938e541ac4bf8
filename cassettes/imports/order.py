"""In which order the calls of several recordings happened.

Recorders know seconds at best, and a conversation is often spread over files that were made within one. What is then
certain is cause: a call cannot name a run before the call that began the run was answered.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from ..operations import READS
from .recognise import Recording
from .wire import Exchange

_LOOKED_AT = 64 << 10
"""Bytes at the start of an answer in which the new thing's id is looked for."""

_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9_.\-]{1,128})"')


def in_order(recordings: list[Recording]) -> tuple[list[tuple[int, Exchange]], bool]:
    """(started_us, call) of all calls in order, and whether files were merged by time.

    Several files are merged where every call of all of them has a time that its recorder wrote down; else they follow
    one another as given. A file that comes alone keeps its order.
    """
    merged = len(recordings) > 1 and all(call.recorded for each in recordings for call in each.exchanges)
    if not merged:
        return [timed for each in recordings for timed in _clocked(each.exchanges)], False
    calls = [call for each in recordings for call in each.exchanges]
    calls.sort(key=_second)  # stable: calls of one second stay as given
    return list(_clocked([call for _, same in groupby(calls, _second) for call in _by_cause(list(same))])), True


def _second(call: Exchange) -> int:
    return (call.when_us or 0) // 1_000_000


def _clocked(calls: list[Exchange]) -> Iterator[tuple[int, Exchange]]:
    """Give each call a time after the one before it; one without a time follows the one before it at once."""
    last = next((call.when_us for call in calls if call.when_us is not None), 1) - 1
    for call in calls:
        last = max(last + 1, call.when_us or 0)
        yield last, call


def _by_cause(calls: list[Exchange]) -> list[Exchange]:
    """The calls of one second: each after the write whose answer first gave an id that stands in its path."""
    if len(calls) == 1:
        return calls
    paths = [call.request.target.partition(b"?")[0].split(b"/") for call in calls]
    makers: dict[bytes, int] = {}
    for index, call in enumerate(calls):
        if call.response is not None and call.request.method not in READS and 200 <= call.response.status < 300:
            for found in _ID.findall(call.response.body.read()[:_LOOKED_AT]):
                if found not in paths[index]:
                    makers.setdefault(found, index)
    ordered: list[Exchange] = []
    begun: set[int] = set()
    done: set[int] = set()
    for first in range(len(calls)):
        waiting = [first]  # a stack of its own: a long chain of causes must not become one of Python calls
        while waiting:
            index = waiting[-1]
            causes = [makers[step] for step in paths[index] if step in makers] if index not in begun else []
            begun.add(index)
            waiting += [cause for cause in causes if cause not in begun]
            if waiting[-1] == index:
                waiting.pop()
                if index not in done:
                    done.add(index)
                    ordered.append(calls[index])
    return ordered
