"""Marks that are made live stand beside the cassette, by its own numbers."""

from pathlib import Path

import controlled
import pytest
from controlled import answering, upstream
from respool.cassettes.notes import Notes, Place
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.live import LiveInspector
from respool.inspector.live_notes import LiveNotes, notes_for
from respool.proxy.control.client import Client
from respool.proxy.control.hub import Hub
from respool.proxy.control.protocol import Snapshot

THREAD = Place("thread", "thread_a")


def call(number):
    return Place("exchange", "thread_a", "", str(number))


def test_a_call_is_marked_by_its_number_in_the_cassette(tmp_path):
    notes = LiveNotes(tmp_path / "a.cassette", {7: 3}.get)
    assert notes.mark(call(7), "look")
    assert notes.mark(THREAD)
    assert notes.mark(call(8), "not yet")
    assert [place in notes for place in (call(7), THREAD, call(8), call(3))] == [True, True, True, False]
    assert (notes.note(call(7)), notes.note(call(8))) == ("look", "not yet")
    notes.save()
    kept = Notes.load(tmp_path / "a.cassette")
    assert kept.marks == {call(3): "look", THREAD: ""}
    assert list(notes) == [THREAD, call(8)]
    notes.unmark(call(7))
    notes.unmark(call(8))
    assert [place in notes for place in (call(7), call(8))] == [False, False]


def told(**more):
    return Snapshot.model_validate(Hub("record").snapshot() | more)


@pytest.mark.parametrize(
    ("more", "address", "said"),
    [
        ({"mode": "replay", "cassettes": ["/x"]}, "/c.sock", "records into none"),
        ({"cassettes": []}, "/c.sock", "records into none"),
        ({"cassettes": ["/x", "/y"]}, "/c.sock", "records into none"),
        ({"cassettes": ["/nowhere/a.cassette"]}, "/c.sock", "there is no cassette"),
        ({"cassettes": ["a.cassette"]}, "/c.sock", "there is no cassette"),
        ({"cassettes": ["FILE"]}, "http://127.0.0.1:1", "through a port"),
    ],
)
def test_where_they_cannot_be_kept_it_is_said_why(tmp_path, more, address, said):
    path = tmp_path / "a.cassette"
    path.write_bytes(b"")
    more = more | {"cassettes": [str(path) if each == "FILE" else each for each in more["cassettes"]]}
    notes, problem = notes_for(told(**more), address, {}.get)
    assert said in problem
    assert type(notes) is Notes


def test_a_file_of_others_beside_the_cassette_is_left_alone(tmp_path):
    path = tmp_path / "a.cassette"
    path.write_bytes(b"")
    Notes(path).path.write_text("mine")
    assert "is no JSON" in notes_for(told(cassettes=[str(path)]), "/c.sock", {}.get)[1]


async def test_a_mark_made_live_is_there_when_the_cassette_is_looked_at(made, tmp_path):
    body = b'{"id": "thread_a", "object": "thread"}'
    async with upstream(answering(body)) as url, controlled.recorded(tmp_path, url) as proxy:
        app = LiveInspector(lambda: Client(str(tmp_path / "c.sock")))
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await proxy.call("GET", "/v1/files")
            await proxy.call("POST", "/v1/threads", b"{}")
            await look.lists("createThread")
            await look.until(lambda: app._list.row is not None and app._list.row.kind == "exchange")
            await look.press("semicolon", *"odd", "enter")
            await look.until(lambda: "marked call" in look.foot("told"))
            assert "for now" not in look.foot("told")
            await look.lists("★")
    path: Path = tmp_path / "live.cassette"
    assert [(place.kind, place.item, note) for place, note in Notes.load(path).marks.items()] == [
        ("exchange", "1", "odd")
    ]
    with Reader.open(path) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.lists("odd")
