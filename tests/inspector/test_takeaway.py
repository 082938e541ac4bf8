"""What leaves the inspector: texts for the clipboard, files that are never written over, and names for them."""

from pathlib import Path

import pytest
from respool.cassettes.errors import RespoolError, UsageError
from respool.cassettes.exports import FORMATS
from respool.cassettes.extract import Extract
from respool.cassettes.reader import Reader
from respool.inspector import takeaway
from respool.inspector.takeaway import COPIES, EXPORTS, copied, saved, suggested


@pytest.fixture
def opened(made, cassette):
    with Reader.open(cassette(*made.refund(), *made.thread("thread_b", "Hello"), name="demo.cassette")) as reader:
        yield reader


def test_every_choice_is_a_form_that_there_is():
    assert {form for form, _ in COPIES.values()} - {"id", "body"} <= set(FORMATS)
    assert {form for form, _ in EXPORTS.values()} - {"cassette", "html"} <= set(FORMATS)
    for menu in (COPIES, EXPORTS):
        assert len({choice[0] for choice in menu.values()}) == len(menu)


def test_a_body_is_set_out_and_those_of_several_calls_stand_below_each_other(opened):
    one = copied("body", Extract(opened, "thread_a", [0]))
    assert one == '{\n  "id": "thread_a"\n}'
    assert copied("body", Extract(opened, "thread_a", [0, 1])).startswith(one + "\n{")


def test_of_nothing_there_is_nothing_to_copy(opened, made):
    with pytest.raises(UsageError, match="nothing to copy"):
        copied("body", Extract(opened, "thread_a", []))


def test_no_more_is_copied_than_a_clipboard_can_hold(opened, monkeypatch):
    monkeypatch.setattr(takeaway, "MOST_COPIED", 100)
    for form in ("body", "markdown", "curl"):
        assert len(copied(form, Extract(opened, "thread_a"))) == 100


@pytest.mark.parametrize("form", [form for form, _ in EXPORTS.values()])
def test_what_is_written_holds_the_chosen_calls_alone_and_no_file_is_written_over(opened, tmp_path, form):
    path = tmp_path / "part"
    assert saved(form, Extract(opened, "thread_a", [0, 1]), opened, path) == f"2 calls written to {path}"
    written = path.read_bytes()
    assert written
    assert b"thread_b" not in written
    with pytest.raises(RespoolError):
        saved(form, Extract(opened, "thread_a"), opened, path)
    assert path.read_bytes() == written


def test_a_cassette_that_is_written_is_whole_and_names_its_origin(opened, tmp_path):
    path = tmp_path / "part.cassette"
    saved("cassette", Extract(opened, "thread_b"), opened, path)
    with Reader.open(path) as reader:
        assert reader.sealed
        assert reader.scopes() == ["thread_b"]
        assert [call.request.target for call in map(reader.interaction, reader.rows())] == [
            b"/v1/threads", b"/v1/threads/thread_b/messages",
        ]  # fmt: skip


def test_a_folder_that_is_not_there_is_not_made(opened, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        saved("har", Extract(opened, "thread_a"), opened, tmp_path / "none" / "part.har")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("cassette_name", "name", "said"),
    [
        ("refund.cassette", "thread_ab", "refund-thread_ab.har"),
        ("refund.cassette.partial", "run_9", "refund-run_9.har"),
        ("live", "../../etc/passwd", "live-etc-passwd.har"),
        ("live", "\x1b]52;c;\u202e", "live-52-c.har"),
        ("live", "", "live-part.har"),
        ("live", "x" * 500, f"live-{'x' * 60}.har"),
    ],
)
def test_a_name_is_suggested_that_is_harmless_as_a_file(cassette_name, name, said):
    assert suggested(Path("/somewhere") / cassette_name, name, ".har") == said
