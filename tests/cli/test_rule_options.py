"""Rules from the command line, from files and from the cassette itself, as a user gives them."""

import argparse
import json
import shutil

import pytest
from recorded_calls import write_cassette
from respool.cassettes.reader import Reader
from respool.cassettes.rekeyed import EACH
from respool.cli.loop import Stop, Stopped
from respool.cli.serving import replayer_factory

RULE = "$.metadata.trace_id"


def thread(trace: int) -> dict[str, object]:
    return {"metadata": {"trace_id": str(trace), "customer": "118"}}


@pytest.fixture
def traced(respool):
    """A cassette with one thread that has a trace id."""

    def record(*options: str) -> None:
        arguments = ("--upstream", "sandbox", "--cassette", "traced.cassette", *options)
        with respool.serving("record", *arguments) as server:
            assert server.call("POST", "/threads", thread(1))[0] == 200
            assert server.end() == 0, server.said

    return record


def test_a_rule_that_was_recorded_needs_no_flag_wherever_the_cassette_goes(respool, traced, tmp_path):
    traced("--ignore", RULE, "--match-header", "X-Tenant")
    away = tmp_path / "away" / "from" / "home"
    away.mkdir(parents=True)
    moved = shutil.move(respool.folder / "traced.cassette", away / "renamed.cassette")
    with respool.serving("replay", moved) as server:
        assert server.call("POST", "/threads", thread(2))[0] == 200
        assert server.end() == 0
        assert f"respool: ignoring {RULE} (cassette), matching header X-Tenant (cassette)\n" in server.err


@pytest.mark.parametrize("where", ["beside", "project"])
def test_a_rule_that_a_file_had_when_it_was_recorded_is_stored_too(respool, traced, where):
    beside, project = respool.folder / "traced.cassette.toml", respool.folder / "pyproject.toml"
    file = beside if where == "beside" else project
    file.write_text(f'{"[tool.respool]" if file == project else ""}\nignore = ["{RULE}"]\n')
    traced("--match-header", "X-Tenant")
    file.unlink()
    with respool.serving("replay", "traced.cassette") as server:
        assert server.call("POST", "/threads", thread(2))[0] == 200
        assert server.end() == 0
        assert f"respool: ignoring {RULE} (cassette), matching header X-Tenant (cassette)\n" in server.err


def test_each_cassette_of_a_recorded_folder_is_given_the_rules_that_hold_for_it(respool):
    (respool.folder / "pyproject.toml").write_text(f'[tool.respool]\nignore = ["{RULE}"]\n')
    (respool.folder / "all").mkdir()
    (respool.folder / "all" / "one.cassette.toml").write_text('match-header = ["X-Tenant"]\n')
    with respool.serving("serve", "--mode", "record", "--cassette", "all/", "--upstream", "sandbox") as server:
        server.url, base = server.url.removesuffix("/v1"), "/v1/threads"
        assert [server.call("POST", f"/@{name}{base}", thread(1))[0] for name in ("one", "two")] == [200, 200]
        assert server.end() == 0
    notes = {}
    for name in ("one", "two"):
        with Reader.open(respool.folder / "all" / f"{name}.cassette") as reader:
            notes[name] = [reader.meta.get("ignore"), reader.meta.get("match-header")]
    assert notes == {"one": [[RULE], ["X-Tenant"]], "two": [[RULE], None]}


def test_a_file_with_rules_that_cannot_be_used_is_said_before_a_recording_begins(respool):
    (respool.folder / "pyproject.toml").write_text('[tool.respool]\nignored = ["query:a"]\n')
    done = respool.inside("record", "--upstream", "sandbox", "--cassette", "new.cassette", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`ignored`, which is no setting" in done.stderr
    assert list(respool.files()) == ["pyproject.toml"]


def test_append_says_that_a_rule_of_the_project_does_not_go_along(respool, traced):
    traced()
    (respool.folder / "pyproject.toml").write_text(f'[tool.respool]\nignore = ["{RULE}"]\n')
    arguments = ("--upstream", "sandbox", "--cassette", "traced.cassette", "--append")
    with respool.serving("record", *arguments) as server:
        assert server.end() == 0
        assert f'traced.cassette.toml beside it: ignore = ["{RULE}"]' in server.said
    (respool.folder / "traced.cassette.toml").write_text(f'ignore = ["{RULE}"]\n')
    with respool.serving("record", *arguments) as server:
        assert server.end() == 0
        assert "beside it" not in server.said


@pytest.mark.parametrize("where", ["flag", "beside", "project", "serve"])
def test_a_rule_may_come_from_anywhere(respool, traced, where):
    traced()
    command = ["serve", "--mode", "replay", "--cassette"] if where == "serve" else ["replay"]
    with respool.serving(*command, "traced.cassette") as server:
        assert server.call("POST", "/threads", thread(2))[0] == 502
        assert server.end() == 1
        assert "ignoring" not in server.said
    options = ("--ignore", RULE) if where in ("flag", "serve") else ()
    if where == "beside":
        (respool.folder / "traced.cassette.toml").write_text(f'ignore = ["{RULE}"]\n')
    if where == "project":
        (respool.folder / "pyproject.toml").write_text(f'[tool.respool]\nignore = ["{RULE}"]\n')
    with respool.serving(*command, "traced.cassette", *options) as server:
        assert server.call("POST", "/threads", thread(2))[0] == 200
        assert server.end() == 0
        place = {"beside": "traced.cassette.toml", "project": "pyproject.toml"}.get(where, "command line")
        assert f"respool: ignoring {RULE} ({place})\n" in server.err


def test_append_says_where_new_rules_go_and_that_works(respool, traced):
    traced("--ignore", RULE)
    arguments = ("--upstream", "sandbox", "--cassette", "traced.cassette", "--append", "--ignore")
    with respool.serving("record", *arguments, RULE) as server:
        assert server.end() == 0
        assert "rules" not in server.said, "what the cassette says already is nothing new"
    with respool.serving("record", *arguments, "query:limit") as server:
        server.call("POST", "/threads", thread(3))
        assert server.end() == 0
        told = next(line for line in server.err if "traced.cassette.toml" in line)
    (respool.folder / "traced.cassette.toml").write_text(told.partition("beside it: ")[2])
    with respool.serving("replay", "traced.cassette") as server:
        assert f"ignoring {RULE} (cassette), ignoring query:limit (traced.cassette.toml)" in server.said
        assert server.end() == 0


@pytest.mark.parametrize("command", ["replay recorded.cassette", "record --upstream sandbox --cassette new.cassette"])
def test_a_bad_rule_is_said_before_anything_begins(respool, cassette, command):
    before = respool.files()
    done = respool.inside(*command.split(), "--port", "0", "--ignore", "$.metadata[")
    assert done.returncode == 2
    assert "the ignore rule $.metadata[ cannot be used, at character 12" in done.stderr
    assert (done.stdout, respool.files()) == ("", before)


def test_a_misspelt_setting_is_an_error(respool, cassette):
    (respool.folder / "pyproject.toml").write_text('[tool.respool]\nignored = ["query:a"]\n')
    done = respool.inside("replay", cassette, "--port", "0")
    assert done.returncode == 2
    assert "`ignored`, which is no setting" in done.stderr
    assert "known are ignore and match-header" in done.stderr


def test_rules_are_stored_as_plain_notes(respool, traced):
    traced("--ignore", RULE, "--ignore", RULE)
    with Reader.open(respool.folder / "traced.cassette") as reader:
        assert json.loads(json.dumps(reader.meta["ignore"])) == [RULE]
        assert "match-header" not in reader.meta


def test_a_signal_ends_the_applying_of_rules_to_a_large_cassette(tmp_path):
    path = write_cassette(
        tmp_path / "large.cassette",
        (("POST", b"/v1/threads", b'{"a": %d}' % number, b"{}", 200) for number in range(EACH)),
    )
    stop = Stop()
    stop.signalled()
    options = {"pace": "instant", "polls": "compress", "strict": False, "no_late_binding": False, "session_idle": 60.0}
    arguments = argparse.Namespace(ignore=["$.trace"], match_header=[], **options)
    with Reader.open(path) as reader, pytest.raises(Stopped):
        replayer_factory(arguments, stop)(reader)
