"""What a marker says about the replay: rules, faults, late binding; and where else rules come from."""

import pytest

TRACED = """
import os

@pytest.mark.cassette("traced"{options})
def test_one():
    status, thread = call("POST", "/threads", {{"metadata": {{"trace": os.environ["TRACE"]}}}})
    assert status == 200, thread
"""


@pytest.fixture
def traced(suite, monkeypatch):
    """A test whose request has a value that changes from run to run; recorded with `options`."""

    def record(options: str = "") -> None:
        monkeypatch.setenv("TRACE", "7f3a")
        suite.write(TRACED.format(options=options))
        suite.record().assert_outcomes(passed=1)
        monkeypatch.setenv("TRACE", "91bc")

    return record


def test_a_value_that_changes_is_a_miss_that_names_the_setting(suite, traced):
    traced()
    result = suite.run()
    result.assert_outcomes(failed=1)
    said = result.stdout.str()
    assert "$.metadata.trace" in said
    assert '"91bc"' in said


def test_a_marker_leaves_it_out(suite, traced):
    traced()
    suite.write(TRACED.format(options=", ignore=['$.metadata.trace']"))
    suite.run().assert_outcomes(passed=1)


def test_a_recording_keeps_the_rules_of_its_marker(suite, traced):
    traced(", ignore=['$.metadata.trace']")
    suite.write(TRACED.format(options=""))
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("table", ["[tool.respool]", "[tool.respool.pytest]"])
def test_a_recording_keeps_the_rules_of_its_project(suite, monkeypatch, table):
    monkeypatch.setenv("TRACE", "7f3a")
    (suite.path / "pyproject.toml").write_text(f'{table}\nignore = ["$.metadata.trace"]\n')
    suite.write(TRACED.format(options=""))
    suite.record().assert_outcomes(passed=1)
    (suite.path / "pyproject.toml").unlink()
    monkeypatch.setenv("TRACE", "91bc")
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("table", ["[tool.respool]", "[tool.respool.pytest]"])
def test_a_project_leaves_it_out_for_all_its_tests(suite, traced, table):
    traced()
    (suite.path / "pyproject.toml").write_text(f'{table}\nignore = ["$.metadata.trace"]\n')
    suite.run().assert_outcomes(passed=1)


def test_a_test_meets_the_faults_that_its_marker_names(suite):
    body = "def test_one():\n    assert [say('a')[0] for _ in range({times})] == {statuses}\n"
    suite.write("@pytest.mark.cassette('f')\n" + body.format(times=1, statuses=[200]))
    suite.record().assert_outcomes(passed=1)
    marker = "@pytest.mark.cassette('f', faults=['createThread#1-2: status 429 retry-after 1'])\n"
    suite.write(marker + body.format(times=3, statuses=[429, 429, 200]))
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("ignore='$.a'", "it is a list of texts"),
        ("ignore=['$.a[']", "$.a["),
        ("faults=['createThread explode']", "createThread explode"),
        ("faults=['nope']", "nope"),
        ("pace='fast'", "'fast' is not a pace"),
        ("match_headers=['a b']", "is no name of a header"),
        ("fault_seed='1'", "it is of the type int"),
        ("strict=1", "it is of the type bool"),
        ("rules=None", "has no option 'rules'"),
    ],
)
def test_an_option_that_is_none_is_told_at_the_test(suite, option, said):
    suite.write("@pytest.mark.cassette('there')\ndef test_one(): say('a')\n")
    suite.record().assert_outcomes(passed=1)
    suite.write(f"@pytest.mark.cassette('there', {option})\ndef test_one(): say('a')\n")
    for run in (suite.run, suite.record):
        result = run()
        result.assert_outcomes(errors=1)
        assert said in result.stdout.str()
        assert "Traceback" not in result.stdout.str()
