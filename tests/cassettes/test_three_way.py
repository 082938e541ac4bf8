"""What becomes of each thread, note and call when two branches are joined: the table, row by row."""

import pytest
from recorded_calls import write_cassette
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.summaries import summarise
from respool.cassettes.three_way import Conflict, join_branches, plan
from respool.cassettes.writer import Writer


def calls(name: str, words: str):
    told = name.encode(), words.encode()
    yield "POST", b"/v1/threads", b"{}", b'{"id": "thread_%b", "object": "thread"}' % told[0], 200
    sent = b'{"role": "user", "content": "%b"}' % told[1]
    yield "POST", b"/v1/threads/thread_%b/messages" % told[0], sent, b'{"id": "msg_%b", "role": "user"}' % told[0], 200


OLD = ("old", "where is my red kettle")
NEW = ("new", "where is my red kettle")
NEWER = ("newer", "where is my red kettle")
LONGER = ("old", "where is my red kettle please")
LONGEST = ("old", "where is my red kettle, please?")
OTHER = ("other", "do you ship to iceland")
MORE = ("more", "what does this cost")


def cassette(path, threads, meta=None, shared=()):
    parts = [call for thread in threads for call in calls(*thread)]
    with Writer.create(path, meta=meta or {}) as writer:
        for at, (method, target, asked, answered, status) in enumerate([*shared, *parts]):
            scope = "/assistants" if "assistants" in target.decode() else f"thread_{thread_of(target, answered)}"
            call = Interaction(
                writer.next_arrival(), number(target, asked, answered, at), Request(method, target, body=Body.of(asked)),
                Response(status, body=Body.of(answered)), End.COMPLETE, 5, scope,
            )  # fmt: skip
            writer.append(call, summarise(call))
    return path


def thread_of(target: bytes, answered: bytes) -> str:
    found = (target + b" " + answered).decode().partition("thread_")[2]
    return found.replace('"', "/").partition("/")[0]


def number(target: bytes, asked: bytes, answered: bytes, at: int) -> int:
    """A time that is the same wherever the same call stands."""
    return 1_000_000 + sum(target + asked + answered) * 10 + (0 if asked in (b"", b"{}") else 5) + 0 * at


def joined(tmp_path, base, ours, theirs, *, keep="first", metas=({}, {}, {}), shared=((), (), ())):
    """(conflicts, threads of the result, its notes, its calls of no thread)."""
    paths = []
    for name, threads, meta, rest in zip(("base", "ours", "theirs"), (base, ours, theirs), metas, shared, strict=True):
        paths.append(None if threads is None else cassette(tmp_path / name, threads, meta, rest))
    readers = [None if path is None else Reader.open(path) for path in paths]
    found = plan(*readers)
    join_branches(*readers, found, tmp_path / "out", keep=keep)
    for reader in readers:
        if reader is not None:
            reader.close()
    with Reader.open(tmp_path / "out") as reader:
        names = sorted(scope.removeprefix("thread_") for scope in reader.scopes() if not scope.startswith("/"))
        rest = [reader.interaction(row).request.body.read().decode() for row in reader.rows_of_scope("/assistants")]
        return found.conflicts, names, dict(reader.meta), rest


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ([OLD], [OLD], [OLD], ["old"]),
        ([OLD], [OLD, MORE], [OLD], ["more", "old"]),
        ([OLD], [OLD, MORE], [OLD, OTHER], ["more", "old", "other"]),
        ([OLD, OTHER], [OLD], [OLD, OTHER], ["old"]),
        ([OLD, OTHER], [OLD, OTHER], [OTHER], ["other"]),
        ([OLD, OTHER], [OTHER], [OTHER], ["other"]),
        ([OLD], [NEW], [OLD], ["new"]),
        ([OLD], [OLD], [NEW], ["new"]),
        ([OLD], [NEW], [NEW], ["new"]),
        ([OLD], [LONGER], [OLD, OTHER], ["old", "other"]),
        ([OLD], [OTHER], [OLD, MORE], ["more", "other"]),
        (None, [OLD], [OTHER], ["old", "other"]),
        (None, [OLD], [OLD, OTHER], ["old", "other"]),
    ],
)
def test_what_only_one_branch_changed_is_taken(tmp_path, base, ours, theirs, result):
    conflicts, names, _, _ = joined(tmp_path, base, ours, theirs)
    assert conflicts == ()
    assert names == result


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "conflict", "first", "last"),
    [
        ([OLD], [NEW], [NEWER], Conflict("thread_old", "thread_new", "thread_newer"), ["new"], ["newer"]),
        ([OLD], [LONGER], [LONGEST], Conflict("thread_old", "thread_old", "thread_old"), ["old"], ["old"]),
        ([OLD, MORE], [NEW, MORE], [MORE], Conflict("thread_old", "thread_new", None), ["more", "new"], ["more"]),
        ([OLD, MORE], [MORE], [NEW, MORE, OTHER], Conflict("thread_old", None, "thread_new"), ["more", "other"],
         ["more", "new", "other"]),
        (None, [OLD], [LONGER], Conflict(None, "thread_old", "thread_old"), ["old"], ["old"]),
    ],
)  # fmt: skip
def test_what_both_changed_is_a_conflict_until_one_is_kept(tmp_path, base, ours, theirs, conflict, first, last):
    for keep, result in (("first", first), ("last", last)):
        folder = tmp_path / keep
        folder.mkdir()
        conflicts, names, _, _ = joined(folder, base, ours, theirs, keep=keep)
        assert conflicts == (conflict,)
        assert names == result


def assistant(name: str):
    return "POST", b"/v1/assistants", name.encode(), b"{}", 200


def test_calls_of_no_thread_are_taken_one_by_one(tmp_path):
    kept, gone, mine, yours, both = map(assistant, ("kept", "gone", "mine", "yours", "both"))
    shared = [kept, gone, kept], [kept, gone, kept, mine, both], [kept, kept, yours, both]
    assert sorted(joined(tmp_path, [], [], [], shared=shared)[3]) == ["both", "kept", "kept", "mine", "yours"]


def test_notes_are_ours_with_what_theirs_alone_changed(tmp_path):
    base = {"upstream": "http://old", "x": 1, "gone": 1, "ignore": ["$.a"], "dropped": 1}
    ours = {"upstream": "http://old", "x": 2, "gone": 1, "ignore": ["$.a", "$.b"]}
    theirs = {"upstream": "http://new", "x": 3, "ignore": ["$.a", "$.c"], "added": 1, "dropped": 1}
    notes = joined(tmp_path, [OLD], [OLD], [OLD], metas=(base, ours, theirs))[2]
    assert notes == {"upstream": "http://new", "x": 2, "ignore": ["$.a", "$.b", "$.c"], "added": 1}


def test_the_result_is_whole_and_in_order_of_time(tmp_path):
    joined(tmp_path, [OLD], [OLD, MORE], [OLD, OTHER])
    with Reader.open(tmp_path / "out") as reader:
        assert reader.sealed
        rows = list(reader.rows())
        assert [row.summary.arrival for row in rows] == list(range(6))
        for scope in reader.scopes():
            times = [row.summary.started_us for row in reader.rows_of_scope(scope)]
            assert len(times) == 2


def test_a_cassette_of_the_same_id_is_written_to_nothing_that_is_read(tmp_path):
    path = write_cassette(tmp_path / "one", list(calls(*OLD)))
    with Reader.open(path) as ours, Reader.open(path) as theirs:
        found = plan(None, ours, theirs)
        assert join_branches(None, ours, theirs, found, tmp_path / "out") == 2
