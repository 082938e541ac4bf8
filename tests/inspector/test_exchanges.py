from respool.cassettes.folding import fold
from respool.cassettes.reader import Reader
from respool.inspector.exchanges import Exchange, Gathered, Group, folded
from respool.inspector.stories import tell


def gathered(path):
    found = Gathered()
    with Reader.open(path) as reader:
        fold(reader, "thread_a", seen=found.seen)
    return found


def polled(made, *states):
    at = "/threads/thread_a/runs"
    yield made.call(f"POST {at}", {}, made.run("run_1", "queued"))
    for number, state in enumerate(states):
        yield made.call(f"GET {at}/run_1", None, made.run("run_1", state), at=float(number))


def shape(calls):
    return [len(each.calls) if isinstance(each, Group) else each.state or "-" for each in folded(calls)]


def test_polls_that_changed_nothing_are_one_row_and_a_new_state_stands_alone(made, cassette):
    states = ["queued", "queued", "in_progress", "in_progress", "in_progress", "in_progress", "completed"]
    found = gathered(cassette(*made.thread("thread_a"), *polled(made, *states)))
    assert shape(found.runs["run_1"]) == ["-", 2, "in_progress", 3, "completed"]
    (first, second) = [each for each in folded(found.runs["run_1"]) if isinstance(each, Group)]
    assert (first.label, second.label) == ("2 polls queued", "3 polls in_progress")
    assert second.seconds == 2.0


def test_reads_are_folded_when_they_are_asked_again_not_when_they_are_of_many_kinds(made, cassette):
    files = [made.call(f"GET /threads/thread_a/messages/msg_{name}/files", None, {"data": []}) for name in "aabbb"]
    with Reader.open(cassette(*made.thread("thread_a"), *files)) as reader:
        rows = tell(reader, "thread_a", lambda: True).branch.inside
    assert [branch.face.text for branch in rows] == [
        "createThread", "listMessageFiles", "listMessageFiles", "listMessageFiles", "≡ 2 reads, nothing new",
    ]  # fmt: skip


def test_an_error_between_polls_is_never_folded_away(made, cassette):
    poll = ("GET /threads/thread_a/runs/run_1", None)
    failed = made.call(*poll, {"error": {"message": "busy"}}, status=500)
    calls = list(polled(made, "queued", "queued", "queued"))
    found = gathered(cassette(*made.thread("thread_a"), *calls[:3], failed, *calls[3:]))
    rows = list(folded(found.runs["run_1"]))
    assert any(isinstance(row, Exchange) and row.bad for row in rows)
    assert sum(len(row.calls) if isinstance(row, Group) else 1 for row in rows) == 5


def test_every_call_of_the_thread_is_listed_once(made, cassette):
    found = gathered(cassette(*made.refund("thread_a")))
    assert [call.arrival for call in found.calls] == list(range(8))
    assert [call.arrival for call in found.runs["run_1"]] == [2, 3, 4, 5, 6]
    assert found.submits[0].ids == ("call_3",)
