"""A conflict in words, whatever the cassettes hold."""

from contextlib import ExitStack

import pytest
from recorded_calls import write_cassette
from respool.cassettes.conflicts import conflict_text, findings_of, summary
from respool.cassettes.reader import Reader
from respool.cassettes.three_way import Conflict


def calls(name: bytes, text: bytes):
    yield "POST", b"/v1/threads", b"{}", b'{"id": "thread_%b", "object": "thread"}' % name, 200
    told = b'{"id": "msg_%b", "role": "user", "content": [{"type": "text", "text": {"value": "%b"}}]}' % (name, text)
    yield "POST", b"/v1/threads/thread_%b/messages" % name, b'{"role": "user", "content": "%b"}' % text, told, 200


@pytest.fixture
def both(tmp_path):
    """Opens two cassettes of one thread each, with these texts."""
    with ExitStack() as stack:

        def opened(ours: bytes, theirs: bytes) -> list[Reader]:
            paths = [
                write_cassette(tmp_path / "ours", calls(b"one", ours)),
                write_cassette(tmp_path / "theirs", calls(b"two", theirs)),
            ]
            return [stack.enter_context(Reader.open(path)) for path in paths]

        yield opened


ONE = Conflict("thread_zero", "thread_one", "thread_two")


def test_the_text_tells_what_differs_and_shows_both_conversations(both):
    ours, theirs = both(b"hello", b"hullo")
    lines = list(conflict_text("a.cassette", [ONE], ours, theirs, ["do this"]))
    assert lines[:3] == ["a.cassette: 1 thread changed on both sides", "", "do this"]
    assert "1 of 1  thread_one (ours) and thread_two (theirs): 1 difference, the first in thread 1, message 1" in lines
    assert "  -  hello" in lines
    assert "  +  hullo" in lines
    (reply,) = [line for line in lines if line.startswith("    hello") and "hullo" in line]
    assert " | " in reply


def test_nothing_foreign_acts_on_a_terminal(both):
    ours, theirs = both(b"\\u001b[2J\\u202e", b"\\u0007")
    text = "\n".join(conflict_text("a\x1b.cassette", [ONE], ours, theirs, []))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "\\x1b[2J" in text


def test_a_thread_that_one_side_removed_is_told_as_that(both):
    ours, theirs = both(b"a", b"b")
    gone, missing = Conflict("thread_zero", None, "thread_two"), Conflict("thread_zero", "thread_one", None)
    assert findings_of(gone, ours, theirs) == findings_of(missing, ours, theirs) == []
    assert summary(gone, []) == "thread_two was removed in ours and recorded anew in theirs"
    assert summary(missing, []) == "thread_one was recorded anew in ours and removed in theirs"
    assert any("(removed)" in line for line in conflict_text("a", [gone], ours, theirs, []))


def test_an_assistant_that_each_side_made_for_itself_is_no_difference(tmp_path):
    def recorded(side: str, name: bytes):
        def told():
            yield "POST", b"/v1/assistants", b"{}", b'{"id": "asst_%b", "object": "assistant"}' % name, 200
            yield from calls(name, b"hello")
            asked = b'{"assistant_id": "asst_%b"}' % name
            run = b'{"id": "run_%b", "object": "thread.run", "status": "queued", "assistant_id": "asst_%b"}' % (
                name,
                name,
            )
            yield "POST", b"/v1/threads/thread_%b/runs" % name, asked, run, 200

        return Reader.open(write_cassette(tmp_path / side, told()))

    with recorded("ours", b"one") as ours, recorded("theirs", b"two") as theirs:
        lines = list(conflict_text("a.cassette", [ONE], ours, theirs, []))
    (run,) = [line for line in lines if "asst_one" in line]
    assert "asst_two" in run
    assert " | " not in run
