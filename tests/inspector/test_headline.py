"""The line at the top, from plain facts."""

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.headline import head_of, size_of, status
from respool.proxy.control.hub import Hub
from respool.proxy.control.protocol import Snapshot


def told(mode="replay", **more):
    address = {"address": "http://127.0.0.1:8080/v1", "cassettes": ["/home/me/checkout.cassette"]}
    return Snapshot.model_validate(Hub(mode).snapshot() | address | more)


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        (told(hits=41, misses=1, size=320_000), "replay · checkout.cassette · 41 hits 1 miss · 312 KB"),
        (told(), "replay · checkout.cassette · 0 hits 0 misses"),
        (told(hits=1, faults=2), "replay · checkout.cassette · 1 hit 0 misses · 2 faults"),
        (told("record", recorded=1_200, failed=1), "record · checkout.cassette · 1,200 recorded · 1 failure"),
        (told("live", calls=1, cassettes=[]), "live · 1 call"),
    ],
)
def test_a_proxy_is_told_by_its_mode_and_its_counts(snapshot, said):
    assert head_of(snapshot) == f"LIVE 127.0.0.1:8080 · {said}"


def test_one_that_is_gone_says_so_first():
    assert head_of(None, lost="attaching") == "LIVE · attaching"
    assert head_of(None, lost="no such \x1bsocket") == "LIVE · no such \\x1bsocket · trying again"
    assert head_of(told(), lost="gone").startswith("lost · trying again · LIVE 127.0.0.1:8080")


def test_a_name_is_harmless(made):
    shown = head_of(told(cassettes=[f"/x/{made.HOSTILE.replace('/', '')}"], mode="\u202eevil"))
    assert shown.isprintable()


def test_a_cassette_is_told_with_its_calls_and_whether_it_is_whole(made, cassette):
    path = cassette(*made.thread("thread_a", "One"))
    with Reader.open(path) as reader:
        assert status(reader, 1) == "demo.cassette · 2 calls · 1 thread · 1 KB"
        assert status(made.Counting(reader, sealed=False), 1).endswith(" · not closed cleanly")


def test_sizes_are_short():
    assert [size_of(size) for size in (0, 1 << 19, 5 << 20)] == ["0 KB", "512 KB", "5.0 MB"]
