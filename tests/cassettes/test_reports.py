"""A report names what was never asked for, and lets others work while it reads."""

from respool.cassettes import reports
from respool.cassettes.positions import Session
from respool.cassettes.reports import report_in_steps, report_on
from respool.cassettes.tape import Tape

CREATE = "POST /threads/t/runs"


def drained(steps, between=lambda: None):
    """The report, and how many steps it took; `between` is done after each."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1
        between()


def session_of(replay, writes):
    calls = [replay.Call(CREATE, {"n": number}) for number in range(writes)]
    return Session(Tape(replay.record(*calls))), calls


def test_writes_that_were_never_asked_for_are_named_with_their_place(replay):
    session, calls = session_of(replay, 3)
    session.serve(calls[1].key)
    report = report_on(session, ())
    assert report.unplayed == ("createRun, write 1 of 3 of t", "createRun, write 3 of 3 of t")
    assert (report.exact, report.played, report.unplayed_count) == (1, 1, 2)


def test_the_first_unplayed_writes_are_named_and_the_others_counted(replay, monkeypatch):
    monkeypatch.setattr(reports, "MOST_UNPLAYED", 2)
    monkeypatch.setattr(reports, "STEP", 3)
    session, _ = session_of(replay, 9)
    for _ in range(2):  # the second one need not read all rows, for they were counted
        report = report_on(session, ())
        assert (len(report.unplayed), report.unplayed_count) == (2, 9)


def test_a_report_comes_in_steps_and_one_that_knows_the_number_of_writes_in_fewer(replay, monkeypatch):
    monkeypatch.setattr(reports, "MOST_UNPLAYED", 1)
    monkeypatch.setattr(reports, "STEP", 4)
    session, _ = session_of(replay, 40)
    assert drained(report_in_steps(session, ()))[1] == 10 + 1
    assert drained(report_in_steps(session, ()))[1] == 1 + 1


def test_what_is_played_while_the_report_reads_counts_as_played(replay, monkeypatch):
    monkeypatch.setattr(reports, "STEP", 1)
    session, calls = session_of(replay, 4)
    rest = iter(calls)

    def play():
        if (call := next(rest, None)) is not None:
            session.serve(call.key)

    report, _ = drained(report_in_steps(session, ()), between=play)
    assert (report.played, report.unplayed_count, report.unplayed) == (4, 0, ())


def test_an_empty_recording_has_an_empty_report(replay):
    report = report_on(Session(Tape(replay.record())), ())
    assert (report.played, report.unplayed, report.unplayed_count) == (0, (), 0)
