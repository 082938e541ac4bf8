"""trim, split and merge as a user runs them: new cassettes that replay, and refusals with their exit status."""

import pytest


@pytest.fixture
def thread(respool, cassette):
    lines = respool.inside("ls", cassette).stdout.split()
    return next(word for word in lines if word.startswith("thread_") and word != "thread_unknown")


def test_a_trim_to_one_thread_replays_over_http_as_the_whole_does(respool, cassette, thread):
    done = respool.inside("trim", cassette, "-o", "one.cassette", "--thread", thread)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "respool: kept 5 of 6 calls in one.cassette\n"
    heard = []
    for name in ("recorded.cassette", "one.cassette"):
        with respool.serving("replay", name) as server:
            server.call("POST", "/threads", {"metadata": {"customer": "118"}})
            heard.append([server.call("GET", f"/threads/{thread}/{what}") for what in ("messages", "runs")])
            assert server.end() in (0, 1)
    assert heard[0] == heard[1]
    assert len(heard[0]) == 2


def test_the_options_of_trim_are_joined(respool, cassette, thread):
    def kept(*options: str) -> list[str]:
        done = respool.inside("trim", cassette, "-o", "out.cassette", "--overwrite", *options)
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in respool.inside("ls", "out.cassette").stdout.splitlines()]

    assert kept() == ["0", "1", "2", "3", "4", "5"]
    assert kept("--filter", "is:write") == ["0", "1", "2"]
    assert kept("--drop", "is:write or is:error") == ["3", "4"]
    assert kept("--filter", "is:write", "--drop", "op:createRun", "--thread", thread) == ["0", "1"]
    assert kept("--thread", thread, "--thread", "thread_unknown") == ["0", "1", "2", "3", "4", "5"]
    assert kept("--since", "2020-01-01", "--until", "2200-01-01") == ["0", "1", "2", "3", "4", "5"]
    run = next(word for word in respool.inside("show", cassette).stdout.split() if word.startswith("run_"))
    assert kept("--run", run)[:2] == ["2", "3"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["trim", "recorded.cassette", "-o", "recorded.cassette", "--overwrite"], 2, "is the cassette that is read"),
        (["trim", "recorded.cassette", "-o", "there"], 3, "there exists already"),
        (["trim", "recorded.cassette", "-o", "out", "--until", "2001-01-01"], 2, "none of the 6 calls"),
        (["trim", "recorded.cassette", "-o", "out", "--since", "noon"], 2, "--since: noon is no time"),
        (["trim", "recorded.cassette", "-o", "out", "--thread", "thread_x"], 2, "no thread thread_x"),
        (["trim", "recorded.cassette", "-o", "out", "--drop", "is:"], 2, "the filter, column 4: "),
        (["trim", "recorded.cassette"], 2, "-o/--output"),
        (["trim", "there", "-o", "out"], 3, "there is not a cassette"),
        (["pack", "recorded.cassette", "-o", "recorded.cassette", "--overwrite"], 2, "is the cassette that is read"),
        (["pack", "recorded.cassette", "-o", "there"], 3, "there exists already"),
        (["pack", "recorded.cassette", "--overwrite"], 2, "--overwrite goes with -o"),
        (["pack", "recorded.cassette", "recorded.cassette", "-o", "out"], 2, "-o takes one cassette"),
        (["pack", "there"], 3, "there is not a cassette"),
        (["split", "recorded.cassette", "-o", "there"], 3, "the folder there cannot be made"),
        (["merge", "recorded.cassette", "-o", "recorded.cassette", "--overwrite"], 2, "is the cassette that is read"),
    ],
)
def test_a_refusal_has_its_status_and_leaves_all_as_it_was(respool, cassette, arguments, status, said):
    (respool.folder / "there").write_bytes(b"mine")
    before = cassette.read_bytes()
    done = respool.inside(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert set(respool.files()) == {"recorded.cassette", "there"}
    assert (cassette.read_bytes(), (respool.folder / "there").read_bytes()) == (before, b"mine")


def test_parts_that_are_merged_again_list_the_same_calls(respool, cassette):
    done = respool.inside("split", cassette, "--by", "thread", "-o", "parts/")
    assert (done.returncode, done.stderr) == (0, "respool: wrote 2 cassettes to parts\n")
    parts = sorted((respool.folder / "parts").iterdir())
    done = respool.inside("merge", *parts, "-o", "again.cassette")
    assert (done.returncode, done.stderr) == (0, "respool: 6 calls of 2 cassettes in again.cassette\n")
    assert respool.inside("ls", "again.cassette").stdout == respool.inside("ls", cassette).stdout


def test_threads_that_differ_are_a_conflict_until_one_is_chosen(respool, cassette, thread):
    respool.inside("trim", cassette, "-o", "short.cassette", "--drop", "op:listMessages")
    done = respool.inside("merge", cassette, "short.cassette", "-o", "out.cassette")
    assert done.returncode == 3
    assert thread in done.stderr
    assert "--keep first" in done.stderr
    done = respool.inside("merge", cassette, "short.cassette", "-o", "out.cassette", "--keep", "last")
    assert done.returncode == 0
    assert "the last recording of each was kept" in done.stderr
    assert len(respool.inside("ls", "out.cassette").stdout.splitlines()) == 5


def test_a_packed_cassette_is_listed_shown_and_replayed_as_before(respool, cassette, thread):
    def seen() -> list:
        told = [respool.inside(what, "recorded.cassette").stdout for what in ("ls", "show")]
        with respool.serving("replay", "recorded.cassette") as server:
            told.append(server.call("POST", "/threads", {"metadata": {"customer": "118"}}))
            told.append(server.call("GET", f"/threads/{thread}/messages"))
            server.end()
        return told

    before = seen()
    done = respool.inside("pack", "recorded.cassette")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("respool: recorded.cassette had ")
    assert cassette.read_bytes()[12] == 1
    assert seen() == before
    assert respool.inside("doctor", "recorded.cassette").stdout == "6 calls are whole\n"
    unpacked = respool.inside("trim", "recorded.cassette", "-o", "again.cassette")
    assert unpacked.returncode == 0
    assert respool.inside("show", "again.cassette").stdout == before[1].replace("recorded ·", "again ·", 1)
