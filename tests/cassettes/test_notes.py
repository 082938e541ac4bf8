import json

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.notes import LARGEST, MOST, Notes, Place

PLACE = Place("run", "thread_a", "run_1")


def test_marks_and_notes_are_there_again(tmp_path):
    notes = Notes.load(tmp_path / "a.cassette")
    notes.mark(PLACE, "flaky \x1b[2J")
    notes.mark(Place("thread", "thread_b"))
    notes.save()
    assert notes.path.name == "a.cassette.notes.json"
    assert notes.path.stat().st_mode & 0o777 == 0o600
    again = Notes.load(tmp_path / "a.cassette")
    assert list(again) == [PLACE, Place("thread", "thread_b")]
    assert again.note(PLACE) == "flaky \\x1b[2J"
    assert [path.name for path in tmp_path.iterdir()] == ["a.cassette.notes.json"]


def test_the_file_goes_with_the_last_mark(tmp_path):
    notes = Notes(tmp_path / "a.cassette")
    notes.mark(PLACE)
    notes.save()
    notes.unmark(PLACE)
    notes.save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"format": "other", "version": 1, "marks": []}',
        '{"format": "respool-notes", "version": 2, "marks": []}',
        '{"format": "respool-notes", "version": 1, "marks": [7]}',
        '{"format": "respool-notes", "version": 1, "marks": [{"kind": ["x"]}]}',
        json.dumps({"format": "respool-notes", "version": 1, "marks": [{"kind": "run", "scope": "x" * 501}]}),
        json.dumps({"format": "respool-notes", "version": 1, "marks": [{"kind": "run"}] * (MOST + 1)}),
        " " * (LARGEST + 1),
    ],
    ids=range(10),
)
def test_what_is_no_file_of_marks_is_refused_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "a.cassette.notes.json"
    path.write_text(text)
    with pytest.raises(CassetteError):
        Notes.load(tmp_path / "a.cassette")
    assert path.read_text() == text


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "a.cassette.notes.json").symlink_to(tmp_path / "secret")
    with pytest.raises(CassetteError, match="cannot be read"):
        Notes.load(tmp_path / "a.cassette")


def test_marks_are_capped(tmp_path):
    notes = Notes(tmp_path / "a.cassette", {Place("run", str(number)): "" for number in range(MOST)})
    assert not notes.mark(PLACE)
    assert notes.mark(Place("run", "5"), "known")
