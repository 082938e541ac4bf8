"""Which calls are exported, and how far an export is."""

import pytest
from recorded_calls import write_cassette
from respool.cassettes import editing
from respool.cassettes.errors import UsageError
from respool.cassettes.exports import FORMATS
from respool.cassettes.exports.selection import known, selected, size_of
from respool.cassettes.reader import Reader
from two_threads import CALLS


@pytest.fixture
def reader(tmp_path):
    with Reader.open(write_cassette(tmp_path / "a.cassette", CALLS)) as opened:
        yield opened


def test_all_calls_are_chosen_or_those_of_a_thread(reader):
    assert [call.arrival for _, call in selected(reader, None)] == [0, 1, 2, 3, 4, 5, 6]
    assert [call.arrival for _, call in selected(reader, "thread_b")] == [2, 5]
    assert (size_of(reader, None), size_of(reader, "thread_b")) == (7, 2)


def test_a_thread_that_is_not_there_is_told_at_once(reader):
    for look in (known, selected):
        with pytest.raises(UsageError, match="no thread thread_z"):
            look(reader, "thread_z")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("thread", "told"), [(None, [(3, 7), (6, 7), (7, 7)]), ("thread_a", [(3, 4), (4, 4)])])
def test_every_format_tells_how_far_it_is_and_writes_the_same(reader, monkeypatch, form, thread, told):
    monkeypatch.setattr(editing, "EACH", 3)
    heard = []
    text = "".join(FORMATS[form](reader, thread=thread, progress=lambda *steps: heard.append(steps)))
    assert heard == told
    assert text == "".join(FORMATS[form](reader, thread=thread))
