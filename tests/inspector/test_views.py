"""The panels that are made when they are looked at, and where a row stands in one."""

from datetime import UTC, datetime

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.document import Document, Line
from respool.inspector.outline import Kind, Row
from respool.inspector.stories import tell
from respool.inspector.tabs import Tab
from respool.inspector.views import MOST_LINES, line_of, log_document, made_for, text_document


def text(document):
    return "\n".join(line.text for line in document.lines)


def test_the_log_has_the_latest_first_and_what_went_wrong_in_its_own_ink():
    moment = datetime(2026, 3, 2, 9, 8, 7, tzinfo=UTC)
    shown = log_document([(moment, "marked"), (moment, "! it failed \x1b[2J")])
    assert text(shown) == "09:08:07  ! it failed \\x1b[2J\n09:08:07  marked"
    assert [line.spans[1][1] for line in shown.lines] == ["bad", ""]
    assert text(log_document([])).startswith("Nothing was done yet.")


def test_a_text_is_shown_line_by_line_as_it_is_and_no_more_of_it_than_fits():
    shown = text_document("a\x07\n  b\n" + "x\n" * MOST_LINES, title="Why")
    assert text(shown).startswith("Why\n\na\\x07\n  b\nx")
    assert len(shown.lines) <= MOST_LINES + 2


@pytest.fixture
def story(made, cassette):
    with Reader.open(cassette(*made.refund())) as reader:
        yield reader, tell(reader, "thread_a", lambda: True)


def test_each_panel_shows_the_call_of_a_row_or_the_first_of_what_the_row_is(story):
    reader, told = story
    run, poll = Row(Kind.RUN, "thread_a", "run_1"), Row(Kind.EXCHANGE, "thread_a", "run_1", "3")
    assert text(made_for(reader, told, run, Tab.RAW, "raw")).startswith("call 2 ")
    assert text(made_for(reader, told, poll, Tab.RAW, "raw")).startswith("call 3 ")
    assert text(made_for(reader, told, run, Tab.SECRETS, "raw")) == "Nothing was taken out of these 5 calls."
    gone = Row(Kind.EXCHANGE, "thread_a", "", "99")
    assert text(made_for(reader, told, gone, Tab.RAW, "raw")) == "No call of this is recorded."


def test_a_row_stands_at_its_own_line_else_at_that_of_its_run_and_a_thread_at_none():
    run, step = Row(Kind.RUN, "t", "run_1"), Row(Kind.STEP, "t", "run_1", "step_1")
    shown = Document(tuple(Line() for _ in range(9)), {run: 3, step: 5})
    assert line_of(shown, step) == 5
    assert line_of(shown, step._replace(item="another")) == 3
    assert line_of(shown, Row(Kind.THREAD, "t")) is None
    assert line_of(shown, Row(Kind.EXCHANGE, "t", "", "7")) is None, "a call that the panel does not tell of"
    assert line_of(shown, Row(Kind.STEP, "t", "run_2", "x")) == 8, "what is not there yet will come at the end"
