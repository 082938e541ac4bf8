"""What there is to see of a scope: which calls a row stands for, what was laid out, and what becomes of damage."""

import pytest
from respool.cassettes.errors import DamagedCassetteError
from respool.cassettes.reader import Reader
from respool.inspector.outline import Kind, Row
from respool.inspector.stories import tell
from respool.inspector.tabs import Tab
from respool.inspector.watched import Abandoned, Watched

RUN = Row(Kind.RUN, "thread_a", "run_1")


@pytest.fixture
def reader(made, cassette):
    at = "/threads/thread_a/runs/run_1"
    polls = [made.call(f"GET {at}", None, made.run("run_1", "queued"), at=1.0 + number / 10) for number in range(3)]
    calls = made.refund()
    with Reader.open(cassette(*calls[:3], *polls, *calls[3:], *made.assistants())) as reader:
        yield reader


@pytest.fixture
def story(reader):
    return tell(reader, "thread_a", lambda: True)


def arrivals(rows):
    return [row.summary.arrival for row in rows]


def test_a_row_stands_for_its_calls(story):
    assert arrivals(story.calls_of(RUN)) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert arrivals(story.calls_of(Row(Kind.POLLS, "thread_a", "run_1", "4"))) == [4, 5]
    assert arrivals(story.calls_of(Row(Kind.POLL, "thread_a", "run_1", "4"))) == [4]
    assert arrivals(story.calls_of(Row(Kind.THREAD, "thread_a"))) == list(range(11))
    assert story.calls_of(Row(Kind.EXCHANGE, "thread_a", "", "99")) == []
    assert story.calls_of(Row(Kind.POLLS, "thread_a", "run_1", "5")) == [], "no group begins there"


def test_what_is_shown_raw_of_a_row_is_its_call_or_the_first_that_tells_of_it(story):
    assert story.call_of(Row(Kind.EXCHANGE, "thread_a", "run_1", "6")).summary.arrival == 6
    assert story.call_of(RUN).summary.arrival == 2
    assert story.call_of(Row(Kind.THREAD, "thread_a")).summary.arrival == 0
    assert story.call_of(Row(Kind.RUN, "thread_a", "run_unknown")) is None


def test_a_document_is_laid_out_once_a_width(story):
    sheet = story.lay(Tab.MESSAGES, 60)
    assert story.lay(Tab.MESSAGES, 60) is sheet
    assert story.sheet(Tab.MESSAGES, 61) is None
    assert story.lay(Tab.MESSAGES, 40).width == 40


def test_a_row_has_the_waterfall_of_its_run_else_of_its_thread(story, reader):
    assert story.fall(Row(Kind.STEP, "thread_a", "run_1", "step_1")).title.startswith("Run 1 ")
    assert story.fall(RUN) is story.fall(RUN)
    assert "" in story.falls, "that of the thread was made where it was read"
    assert story.fall(Row(Kind.EXCHANGE, "thread_a", "run_unknown", "3")).title == "Thread · 1 run"
    assert "none here" in tell(reader, "/assistants", lambda: True).fall(Row(Kind.COLLECTION, "/assistants")).note


def test_reading_stops_when_nobody_wants_to_know(reader):
    left = iter([True, True])
    with pytest.raises(Abandoned):
        tell(reader, "thread_a", lambda: next(left, False))


class Broken(Watched):
    def __init__(self, recording, error):
        super().__init__(recording, lambda: True)
        self.error = error

    def interaction(self, row):
        raise self.error


@pytest.mark.parametrize(
    ("error", "tail", "said"),
    [
        (DamagedCassetteError("record 3 is \x1bdamaged", "doctor"), "damaged", "record 3 is \\x1bdamaged"),
        (KeyError("secret"), "not shown", "A fault in respool"),
    ],
)
def test_damage_and_our_own_faults_become_a_story_that_says_so(reader, error, tail, said):
    told = tell(Broken(reader, error), "thread_a", lambda: True)
    assert told.branch.face == ("thread_a", tail, "bad")
    assert said in "\n".join(line.text for line in told.documents[Tab.MESSAGES].lines)
    assert told.documents[Tab.TOOLS] is told.documents[Tab.MESSAGES]
    assert told.call_of(RUN) is None
