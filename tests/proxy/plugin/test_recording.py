"""What `--respool-mode=record` and `auto` write, and what they leave alone."""

import pytest

ENDINGS = {
    "fails": "assert 0",
    "is skipped": "pytest.skip('not today')",
    "is expected to fail": "pytest.xfail('known')",
    "is interrupted": "raise KeyboardInterrupt",
    "is broken off": "pytest.exit('enough')",
}


def source(text: str = "hello", ending: str = "pass", mark: str = "") -> str:
    return f"{mark}\n@pytest.mark.cassette('one')\ndef test_one():\n    assert say('{text}')[0] == 200\n    {ending}\n"


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_test_that_does_not_pass_leaves_the_old_cassette_as_it_was(suite, ending):
    suite.write(source())
    suite.record().assert_outcomes(passed=1)
    before, status = suite.bytes_of("one.cassette"), (suite.path / "cassettes" / "one.cassette").stat()
    suite.write(source("another text", ending))
    suite.record(no_reraise_ctrlc=True)
    assert suite.bytes_of("one.cassette") == before
    assert (suite.path / "cassettes" / "one.cassette").stat().st_mtime_ns == status.st_mtime_ns
    assert suite.files() == ["cassettes/one.cassette"]


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_first_recording_that_comes_to_nothing_leaves_nothing(suite, ending):
    suite.write(source(ending=ending))
    suite.record(no_reraise_ctrlc=True)
    assert not (suite.path / "cassettes").exists()


@pytest.mark.parametrize("mark", ["@pytest.mark.xfail", "@pytest.mark.skip"])
def test_marks_that_take_a_test_out_keep_its_cassette(suite, mark):
    suite.write(source())
    suite.record().assert_outcomes(passed=1)
    before = suite.bytes_of("one.cassette")
    suite.write(source("another text", mark=mark))
    suite.record()
    assert suite.bytes_of("one.cassette") == before
    assert suite.files() == ["cassettes/one.cassette"]


def test_an_error_at_teardown_keeps_the_old_cassette(suite):
    suite.write(source())
    suite.record().assert_outcomes(passed=1)
    before = suite.bytes_of("one.cassette")
    suite.write("@pytest.fixture(autouse=True)\ndef broken():\n    yield\n    assert 0\n" + source("another"))
    suite.record().assert_outcomes(passed=1, errors=1)
    assert suite.bytes_of("one.cassette") == before
    assert suite.files() == ["cassettes/one.cassette"]


def test_a_killed_recording_is_in_nobodys_way(suite):
    suite.write(source(ending="import os; os._exit(9)"))
    suite.pytester.runpytest_subprocess("--respool-mode=record", "--respool-upstream=sandbox", "-p", "no:cacheprovider")
    assert suite.files() == ["cassettes/one.cassette.partial"]
    suite.write(source())
    suite.record().assert_outcomes(passed=1)
    assert suite.files() == ["cassettes/one.cassette"]


def test_only_the_selected_tests_are_recorded_anew(suite):
    suite.write(
        """
@pytest.mark.cassette
@pytest.mark.parametrize("word", ["a", "b"])
def test_one(word):
    assert say(word)[0] == 200
"""
    )
    suite.record().assert_outcomes(passed=2)
    kept, renewed = (suite.bytes_of(f"test_it/test_one-{word}.cassette") for word in "ab")
    result = suite.record("test_it.py::test_one[b]")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_it.py::test_one[[]b] recorded 1 call: cassettes/test_it/test_one-b.cassette"])
    assert suite.bytes_of("test_it/test_one-a.cassette") == kept
    assert suite.bytes_of("test_it/test_one-b.cassette") != renewed
    suite.run().assert_outcomes(passed=2)


def test_a_test_without_calls_writes_no_cassette_and_says_so(suite):
    suite.write("@pytest.mark.cassette\ndef test_one(): pass\n")
    result = suite.record()
    result.assert_outcomes(passed=1)
    assert "test_one made no calls: no cassette was written" in result.stdout.str()
    assert suite.files() == []


def test_a_test_that_fails_while_its_client_calls_somebody_else_says_so(suite):
    suite.write(
        "@pytest.mark.cassette\ndef test_one():\n    call('POST', '/threads', {}, base='http://127.0.0.1:9/v1')\n"
    )
    result = suite.record()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["recording of *: 0 calls forwarded", "no call came here: *OPENAI_BASE_URL*"])


def test_two_tests_that_would_record_one_cassette_are_told_and_record_nothing(suite):
    text = "@pytest.mark.cassette('shared')\ndef test_{}():\n    assert say('hello')[0] == 200\n"
    suite.write(text.format("one") + text.format("two"))
    result = suite.record()
    result.assert_outcomes(errors=2)
    assert (
        "2 tests would record cassettes/shared.cassette: test_it.py::test_one, test_it.py::test_two"
        in result.stdout.str()
    )
    assert suite.files() == []
    suite.record("test_it.py::test_two").assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=2)


def test_auto_records_what_is_missing_and_replays_what_is_there(suite):
    text = "@pytest.mark.cassette\ndef test_{0}(respool):\n    say('{0}')\n    print('mode of {0}:', respool.mode)\n"
    suite.write(text.format("one"))
    suite.record().assert_outcomes(passed=1)
    before = suite.bytes_of("test_it/test_one.cassette")
    suite.write(text.format("one") + text.format("two"))
    result = suite.run("--respool-mode=auto", "--respool-upstream=sandbox", "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*mode of one: replay*", "*mode of two: record*"])
    assert suite.bytes_of("test_it/test_one.cassette") == before
    suite.run().assert_outcomes(passed=2)


def test_recording_from_the_sandbox_does_not_depend_on_what_ran_before(suite):
    text = "@pytest.mark.cassette\ndef test_{0}():\n    print('id of {0}:', say('{0}')[1]['id'])\n"
    suite.write(text.format("one") + text.format("two"))
    (after,) = (line for line in suite.record("-rP").outlines if "id of two:" in line)
    (alone,) = (line for line in suite.record("-rP", "-k", "two").outlines if "id of two:" in line)
    assert after == alone


def test_recording_without_an_upstream_is_refused_before_any_test(suite):
    suite.write(source())
    result = suite.run("--respool-mode=record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "recording needs an upstream" in result.stderr.str()


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        ("http://127.0.0.1:9/v1", "127.0.0.1"),
        ("http://me:secret@host.example/v1", "holds a user name or a password"),
        ("nonsense", "the upstream nonsense is no http:// or https:// URL"),
    ],
)
def test_an_upstream_that_is_not_there_is_told_and_no_secret_of_it(suite, upstream, said):
    suite.write(source())
    result = suite.run("--respool-mode=record", f"--respool-upstream={upstream}")
    result.assert_outcomes(errors=1)
    shown = "\n".join(line for line in result.outlines if line.startswith(("respool:", "ERROR")))
    assert said in shown
    assert "secret" not in shown
    assert suite.files() == []


def test_no_credential_is_in_a_cassette_or_in_what_is_said(suite, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecretindeed0123456789abcdef")
    text = """
from openai import OpenAI

@pytest.mark.cassette
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one():
    with OpenAI() as client:
        client.beta.threads.create(messages=[{"role": "user", "content": "%s"}])
"""
    suite.write(text % "a")
    suite.apart("--respool-mode=record", "--respool-upstream=sandbox").assert_outcomes(passed=1)
    assert b"verysecret" not in suite.bytes_of("test_it/test_one.cassette")
    suite.write(text % "b")
    assert "verysecret" not in suite.apart("--show-capture=all").stdout.str()
