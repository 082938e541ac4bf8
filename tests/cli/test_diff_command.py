"""`respool diff` as a user runs it: what stands on stdout, what on stderr, and the exit status."""

import json
import shutil

import pytest
from recorded_conversation import calls_of, with_bodies, write


@pytest.fixture
def changed(respool, cassette):
    calls = calls_of(cassette)
    return write(respool.folder / "changed.cassette", [
        with_bodies(call, lambda data: data.replace(b"Where is order 118?", b"Where is \\u001b[31m order 119?")) for call in calls
    ])  # fmt: skip


def test_equal_cassettes_say_nothing_and_exit_with_0(respool, cassette):
    shutil.copy(cassette, respool.folder / "copy.cassette")
    done = respool("diff", "recorded.cassette", "copy.cassette")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_difference_is_a_block_on_stdout_and_exit_status_1(respool, changed):
    done = respool("diff", "recorded.cassette", "changed.cassette")
    assert done.returncode == 1
    assert done.stdout.split("\n") == [
        "thread 1, message 1: text",
        "  -  Where is order 118?",
        "  +  Where is \\x1b[31m order 119?",
        "",
    ]
    assert done.stderr == "respool: 1 difference between recorded.cassette and changed.cassette\n"


def test_json_is_a_finding_a_line(respool, changed):
    done = respool.inside("diff", "recorded.cassette", "changed.cassette", "--json")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["place"], told["field"], told["left"]) == ("thread 1, message 1", "text", "Where is order 118?")


@pytest.mark.parametrize("tolerance", ["50%", "500ms", "2s", "0%"])
def test_a_latency_tolerance_is_a_share_or_a_duration(respool, cassette, tolerance):
    done = respool.inside("diff", cassette, cassette, "--latency-tolerance", tolerance)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["diff", "recorded.cassette"], 2, "B"),
        (["diff", "recorded.cassette", "nowhere.cassette"], 3, "nowhere.cassette"),
        (["diff", "text", "recorded.cassette"], 3, "text is not a cassette"),
        (
            ["diff", "recorded.cassette", "recorded.cassette", "--latency-tolerance", "much"],
            2,
            "--latency-tolerance: much",
        ),
        (["diff", "recorded.cassette", "recorded.cassette", "--latency-tolerance", "x%"], 2, "--latency-tolerance: x%"),
    ],
)
def test_bad_input_is_one_clear_line(respool, cassette, arguments, status, said):
    (respool.folder / "text").write_text("no cassette")
    done = respool.inside(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
