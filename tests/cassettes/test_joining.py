"""Several cassettes as one: order, what stands there twice, what differs, and what becomes of notes and credentials."""

import pytest
from cassette_samples import read
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.joining import join
from respool.cassettes.keys import request_key
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.redaction import redact
from respool.cassettes.rules import Rules
from respool.cassettes.scopes import scope_of
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.policy import Policy, policy_of_notes
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.secrets.table import TABLE_VERSION
from respool.cassettes.splitting import split
from respool.cassettes.summaries import summarise
from respool.cassettes.tape import Tape
from respool.cassettes.variants import credential_of, variant_of
from respool.cassettes.writer import Writer


def made(path, *calls, meta=None, token=b"key"):
    """A cassette of (time, method, target, answer[, status[, token]])."""
    with Writer.create(path, meta=meta or {}) as writer:
        for at, method, target, answer, *more in calls:
            status = more[0] if more else 200
            request, response = Request(method, target), Response(status, body=Body.of(answer))
            credential = ((b"authorization", b"Bearer " + (more[1] if len(more) > 1 else token)),)
            interaction = Interaction(
                writer.next_arrival(), at, request, response, End.COMPLETE, 5, scope_of(request, response),
                variant=variant_of(credential, writer.file_id),
            )  # fmt: skip
            writer.append(interaction, summarise(interaction))
    return path


def thread(name: bytes, at: int, *, step: int = 10):
    return (
        (at, "POST", b"/v1/threads", b'{"id": "%b"}' % name),
        (at + step, "POST", b"/v1/threads/" + name + b"/messages", b"hello"),
        (at + 2 * step, "GET", b"/v1/threads/" + name, b"state " + name),
    )


def joined(tmp_path, *paths, **options):
    readers = [Reader.open(path) for path in paths]
    try:
        return join(readers, tmp_path / "out.cassette", **options)
    finally:
        for reader in readers:
            reader.close()


def told(path):
    return [(call.arrival, call.started_us, call.request.target, call.response.body.read()) for call in read(path)]


def test_threads_are_joined_in_order_of_time(tmp_path):
    one = made(tmp_path / "one", *thread(b"thread_a", 100))
    two = made(tmp_path / "two", *thread(b"thread_b", 105))
    result = joined(tmp_path, one, two)
    assert (result.calls, result.twice, result.left_out) == (6, 0, 0)
    told_of = told(tmp_path / "out.cassette")
    assert [call[0] for call in told_of] == [0, 1, 2, 3, 4, 5]
    assert [call[1] for call in told_of] == [100, 105, 110, 115, 120, 125]


def test_a_clock_that_went_back_does_not_turn_a_thread_round(tmp_path):
    one = made(tmp_path / "one", *thread(b"thread_a", 100, step=-40))
    two = made(tmp_path / "two", *thread(b"thread_b", 50))
    joined(tmp_path, one, two)
    targets = [call[2] for call in told(tmp_path / "out.cassette") if b"thread_b" not in call[3] + call[2]]
    assert targets == [b"/v1/threads", b"/v1/threads/thread_a/messages", b"/v1/threads/thread_a"]


def test_what_was_split_is_whole_again_once_it_is_merged(tmp_path):
    rest = (90, "POST", b"/v1/assistants", b"{}"), (91, "POST", b"/v1/assistants", b"{}")
    old = made(tmp_path / "old", *rest, *thread(b"thread_a", 100), *thread(b"thread_b", 200), meta={"x": 1})
    with Reader.open(old) as reader:
        paths = split(reader, tmp_path / "parts", shared=True)
    result = joined(tmp_path, *paths)
    assert (result.calls, result.twice, result.left_out) == (8, 2, 0)
    assert read(tmp_path / "out.cassette") == read(old)
    with Reader.open(tmp_path / "out.cassette") as new, Reader.open(old) as reader:
        assert [row.summary for row in new.rows()] == [row.summary for row in reader.rows()]
        assert new.file_id == reader.file_id
        assert new.meta == {"x": 1, "merged_from": [{"name": path.name} for path in paths]}


def test_a_thread_that_differs_is_refused_unless_it_is_said_which_to_keep(tmp_path):
    one = made(tmp_path / "one", *thread(b"thread_a", 100), *thread(b"thread_b", 500))
    two = made(tmp_path / "two", *thread(b"thread_a", 300), *thread(b"thread_b", 500))
    with pytest.raises(CassetteError) as caught:
        joined(tmp_path, one, two)
    assert caught.value.exit_status == 3
    assert "1 thread recorded differently" in caught.value.message
    assert "thread_a" in caught.value.message
    assert "thread_b" not in caught.value.message
    assert not (tmp_path / "out.cassette").exists()
    for keep, times in (("first", [100, 110, 120]), ("last", [300, 310, 320])):
        result = joined(tmp_path, one, two, keep=keep, overwrite=True)
        assert (result.calls, result.twice, result.left_out) == (6, 6, 1)
        assert [call[1] for call in told(tmp_path / "out.cassette")] == [*times, 500, 510, 520]


def test_notes_are_joined_and_what_differs_is_kept_aside(tmp_path):
    one = made(tmp_path / "one", *thread(b"thread_a", 1), meta={"upstream": "http://one", "ignore": ["$.a"], "x": 1})
    two = made(tmp_path / "two", *thread(b"thread_b", 2), meta={"upstream": "http://two", "ignore": ["$.b"], "y": 2})
    joined(tmp_path, one, two)
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert reader.meta == {
            "upstream": "http://one",
            "ignore": ["$.a", "$.b"],
            "x": 1,
            "y": 2,
            "merged_from": [{"name": "one"}, {"name": "two", "notes": {"upstream": "http://two"}}],
        }


def test_the_credential_that_worked_in_each_is_the_same_one_in_the_whole(tmp_path):
    refused = (1, "POST", b"/v1/threads", b"no", 401, b"wrong")
    one = made(tmp_path / "one", refused, *thread(b"thread_a", 10))
    two = made(tmp_path / "two", *thread(b"thread_b", 100), token=b"other")
    joined(tmp_path, one, two)
    with Reader.open(tmp_path / "out.cassette") as reader:
        classes = [credential_of(row.summary.variant) for row in reader.rows()]
        assert len(set(classes[1:])) == 1
        assert classes[0] != classes[1]
        variant = variant_of(((b"authorization", b"Bearer key"),), reader.file_id)
        session = Session(Tape(reader))
        key = next(row.summary.key for row in reader.rows() if row.summary.status == 200)
        served = [session.serve(key, variant=variant) for _ in range(2)]
        answers = [each and reader.interaction(each.row).response.body.read() for each in served]
        assert answers == [b'{"id": "thread_a"}', b'{"id": "thread_b"}']


def test_cassettes_of_two_tables_of_redaction_are_matched_by_todays(tmp_path):
    paths = []
    for number, version in enumerate((1, TABLE_VERSION)):
        policy = Policy.of(version=version)
        cleaning = Cleaning(policy.of_today(), Pseudonyms(bytes([number]) * 32))
        paths.append(tmp_path / f"{version}.cassette")
        with Writer.create(paths[-1], meta=policy.note()) as writer:
            request = Request("POST", b"/v1/threads", (), Body.of(asking(number, b"aB3d")))
            call = Interaction(
                writer.next_arrival(), number, request, Response(200, body=Body.of(b"{}")), scope="/threads"
            )
            writer.append(redact(call, cleaning), summarise(call, key=request_key(request, rules=Rules(policy=policy))))
    joined(tmp_path, *paths)
    with Reader.open(tmp_path / "out.cassette") as reader:
        policy = policy_of_notes(reader.meta)
        assert policy == Policy.of()
        keys = [row.summary.key for row in reader.rows()]
    asked = [Request("POST", b"/v1/threads", (), Body.of(asking(number, b"Zx9y"))) for number in range(2)]
    assert keys == [request_key(request, rules=Rules(policy=policy)) for request in asked]


def asking(number, secret):
    return b'{"content": "%d: use ghp_%b", "password": "%b"}' % (number, secret * 9, secret)
