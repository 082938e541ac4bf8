"""ls, show, import and demo: data on stdout, narration on stderr, and nothing that a pipe or a pager would trip over."""

import json
import signal
from pathlib import Path

import pytest
from respool.cassettes.writer import Writer

VCR_RUBY = {
    "http_interactions": [
        {
            "request": {
                "method": method,
                "uri": f"https://api.example.com/v1/threads{path}",
                "body": {"encoding": "UTF-8", "string": body},
                "headers": {"Content-Type": ["application/json"], "Authorization": ["Bearer sk-test-0123456789"]},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"]},
                "body": {"encoding": "UTF-8", "string": answer},
            },
            "recorded_at": "Mon, 08 Jan 2024 10:00:00 GMT",
        }
        for method, path, body, answer in (
            (
                "post",
                "",
                '{"metadata": {}}',
                '{"id": "thread_abc", "object": "thread", "created_at": 1, "metadata": {}}',
            ),
            ("get", "/thread_abc", "", '{"id": "thread_abc", "object": "thread", "created_at": 1, "metadata": {}}'),
        )
    ],
    "recorded_with": "VCR 6.2.0",
}


def test_ls_prints_one_line_a_call(respool, cassette):
    done = respool("ls", cassette)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2", "3", "4", "5"]
    for line, name in zip(
        lines[:5], ("createThread", "createMessage", "createRun", "getRun", "listMessages"), strict=True
    ):
        assert f"  {name} " in line
    assert " 404 " in lines[5]


def test_show_prints_the_conversation_and_is_the_same_each_time(respool, cassette):
    done = respool.inside("show", cassette)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Where is order 118?" in done.stdout
    assert 'metadata {"customer": "118"}' in done.stdout
    assert "run  failed" in done.stdout
    assert "\x1b" not in done.stdout
    assert "sk-test" not in done.stdout
    assert respool.inside("show", cassette).stdout == done.stdout
    first, _, rest = done.stdout.partition("\n")
    assert first.startswith("cassette recorded · 6 calls · 2 threads")
    assert respool.inside("show", cassette, "--plain").stdout == rest


def test_show_can_print_one_thread_alone(respool, cassette):
    whole = respool.inside("show", cassette).stdout
    thread = next(word for word in whole.split() if word.startswith("thread_") and word != "thread_unknown")
    one = respool.inside("show", cassette, "--thread", thread)
    assert one.returncode == 0
    assert "Where is order 118?" in one.stdout
    assert "thread_unknown" not in one.stdout


@pytest.mark.parametrize("command", ["show", "ls", "--help", "demo"])
def test_a_reader_that_has_enough_ends_a_command_quietly(respool, cassette, command: str):
    """As with `respool show FILE | head -1`: the pipe is closed before the command has written all, or anything."""
    done = respool.into_closed_pipe(command, *([cassette.name] if command in ("show", "ls") else []))
    assert (done.returncode, done.stderr) == (0, "")


def test_import_makes_a_cassette_that_replays(respool):
    (respool.folder / "old.json").write_text(json.dumps(VCR_RUBY))
    done = respool("import", "old.json", "new.cassette")
    assert (done.returncode, done.stdout) == (0, "")
    assert "respool: 2 calls from " in done.stderr
    assert set(respool.files()) == {"old.json", "new.cassette"}
    with respool.serving("replay", "new.cassette") as server:
        assert json.loads(server.call("POST", "/threads", {"metadata": {}})[1])["id"] == "thread_abc"
        assert server.call("GET", "/threads/thread_abc")[0] == 200
        assert server.end() == 0


def test_import_replaces_a_cassette_only_when_asked(respool, cassette):
    (respool.folder / "old.json").write_text(json.dumps(VCR_RUBY))
    before = respool.files()
    assert respool.inside("import", "old.json", cassette).returncode == 3
    assert respool.files() == before
    assert respool.inside("import", "old.json", cassette, "--overwrite").returncode == 0
    assert len(respool.inside("ls", cassette).stdout.splitlines()) == 2


def test_the_demo_proves_itself_and_leaves_a_cassette(respool):
    done = respool("demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "19 of 19 answers are equal" in done.stdout
    assert "DIFFERENT" not in done.stdout
    assert set(respool.files()) == {"demo.cassette"}
    shown = respool.inside("show", "demo.cassette")
    assert shown.returncode == 0
    assert "Where is order 118?" in shown.stdout


def test_what_a_cassette_says_is_made_visible(respool, tmp_path: Path):
    """A message with terminal sequences in it is shown with them spelled out."""
    recorded = json.dumps(VCR_RUBY).replace(
        '\\"metadata\\": {}}', '\\"metadata\\": {\\"a\\": \\"\\\\u001b]0;owned\\\\u0007\\"}}'
    )
    assert "u001b" in recorded
    (tmp_path / "old.json").write_text(recorded)
    assert respool.inside("import", "old.json", "new.cassette").returncode == 0
    for command in ("show", "ls"):
        done = respool.inside(command, "new.cassette")
        assert done.returncode == 0
        assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
    assert "owned" in respool.inside("show", "new.cassette").stdout


def test_the_demo_can_be_stopped_and_leaves_nothing_half_done(respool):
    """Once it has begun anew over what an earlier demo left, killed or not."""
    for name in ("demo.cassette", "demo.cassette.partial"):
        with Writer.create(respool.folder / "old", meta={"demo": True}) as writer:
            pass
        writer.path.rename(respool.folder / name)
    left = respool.files()["demo.cassette"]
    process = respool.start("demo")
    try:
        assert process.stdout.readline().startswith("respool demo:")
        while "conversation through the proxy" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said) == (130, "")
    assert respool.files() == {"demo.cassette": left}


def test_ls_lists_what_a_filter_chooses_with_the_times_that_it_has_in_the_whole_list(respool, cassette):
    whole = respool.inside("ls", cassette).stdout.splitlines()
    done = respool.inside("ls", cassette, "--filter", "is:error or op:getRun")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [whole[3], whole[5]]
    assert respool.inside("ls", cassette, "--filter", "nowhere").stdout == ""


def test_show_prints_the_threads_that_hold_a_call_that_fits_whole(respool, cassette):
    whole = respool.inside("show", cassette).stdout.splitlines()
    shown = respool.inside("show", cassette, "--filter", "status:failed").stdout.splitlines()
    assert shown[2] == "filtered: 1 thread and 0 collections"
    assert shown[:2] + shown[3:] == whole[: len(shown) - 1]
    assert "thread_unknown" not in "".join(shown)
    assert "thread_unknown" in "".join(whole)


def test_a_filter_that_makes_no_sense_gets_a_caret_below_the_place(respool, cassette):
    done = respool.inside("ls", cassette, "--filter", "is:poll stauts:failed")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:3] == [
        "respool: the filter, column 9: there is no field stauts; did you mean status?",
        "  is:poll stauts:failed",
        "          ^",
    ]


@pytest.mark.parametrize("command", [("show",), ("ls",), ("replay", "--port", "0")])
def test_a_name_without_its_ending_is_told_the_file_that_is_there(respool, cassette, command):
    done = respool.inside(*command, "recorded")
    assert (done.returncode, done.stderr) == (3, "respool: recorded does not exist\n  recorded.cassette does\n")
