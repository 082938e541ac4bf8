"""What makes a replayed test fail, where the failure shows, and what is told."""

import pytest

RECORDED = """
@pytest.mark.cassette
def test_one():
    _, thread = say("hello")
    call("POST", f"/threads/{thread['id']}/messages", {"role": "user", "content": "and now?"})
"""


@pytest.fixture
def recorded(suite):
    """A suite whose one test was recorded with two writes."""
    suite.write(RECORDED)
    suite.record().assert_outcomes(passed=1)
    return suite


def test_a_miss_that_the_test_swallowed_fails_it_and_is_explained(recorded):
    recorded.write(RECORDED.replace("and now?", "and then?"))
    result = recorded.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*1 call missed the cassette test_one.cassette: No recording answers POST /threads/*and then?*",
            "*- respool -*",
            "replay of *test_one.cassette*misses: 1; recorded writes not made: 1",
            "miss: No recording answers*",
            "not made: createMessage, write 2 of 2 of thread_*",
            "FAILED test_it.py::test_one - Failed: 1 call missed*",
        ]
    )


def test_a_test_that_fails_by_itself_keeps_its_failure_and_gets_the_story(recorded):
    recorded.write(RECORDED.replace("and now?", "and then?") + "    assert thread['id'] == 'another'\n")
    result = recorded.run()
    result.assert_outcomes(failed=1)
    assert "missed the cassette" not in result.stdout.str()
    result.stdout.fnmatch_lines(["E *AssertionError*", "*- respool -*", "miss: No recording answers*"])


def test_a_recorded_write_that_was_not_made_fails_the_test(recorded):
    recorded.write("@pytest.mark.cassette\ndef test_one():\n    say('hello')\n")
    result = recorded.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*1 recorded write was never made: createMessage, write 2 of 2 of thread_*"])


def test_a_test_none_of_whose_calls_came_says_so(recorded):
    recorded.write("@pytest.mark.cassette\ndef test_one():\n    pass\n")
    result = recorded.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["replay of *", "no call came here: *OPENAI_BASE_URL or respool.base_url", "not made: *"]
    )
    recorded.write("@pytest.mark.cassette\ndef test_one():\n    say('hello')\n")
    assert "no call came here" not in recorded.run().stdout.str()


@pytest.mark.parametrize("failing", ["assert 0", "pytest.skip('no')", "pytest.xfail('known')"])
def test_writes_are_not_asked_for_where_the_test_did_not_come_to_its_end(recorded, failing):
    recorded.write(f"@pytest.mark.cassette\ndef test_one():\n    {failing}\n")
    assert "never made" not in recorded.run().stdout.str()


def test_unplayed_writes_can_be_allowed(recorded):
    recorded.write("@pytest.mark.cassette(unplayed='allow')\ndef test_one():\n    say('hello')\n")
    recorded.run().assert_outcomes(passed=1)


FIXTURE = """
@pytest.fixture
def thread():
    _, made = say("hello")
    yield made["id"]
    {last}

@pytest.mark.cassette
def test_one(thread):
    assert call("GET", f"/threads/{{thread}}")[0] == 200
"""


def test_calls_of_fixtures_count_up_to_the_last_one_torn_down(suite):
    suite.write(FIXTURE.format(last='assert call("DELETE", f"/threads/{made[\'id\']}")[0] == 200'))
    suite.record().assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
    suite.write(FIXTURE.format(last="pass"))
    result = suite.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_one*", "1 recorded write was never made: deleteThread*"])


def test_a_miss_of_a_fixture_on_its_way_out_is_an_error_of_the_teardown(suite):
    suite.write(FIXTURE.format(last="pass"))
    suite.record().assert_outcomes(passed=1)
    suite.write(FIXTURE.format(last='call("DELETE", f"/threads/{made[\'id\']}")'))
    result = suite.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["1 call missed the cassette*", "*- respool -*", "miss: No recording answers DELETE*"])


def test_an_expected_failure_may_be_a_miss(recorded):
    recorded.write("@pytest.mark.xfail\n" + RECORDED.replace("and now?", "and then?").lstrip())
    recorded.run().assert_outcomes(xfailed=1)


def test_methods_of_unittest_are_judged_too(suite):
    source = """
import unittest

@pytest.mark.cassette
class TestCase(unittest.TestCase):
    def test_one(self):
        say("{}")
"""
    suite.write(source.format("a"))
    suite.record().assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
    suite.write(source.format("b"))
    suite.run().assert_outcomes(failed=1)


def test_without_a_cassette_the_test_says_how_to_record_it_and_calls_nobody(suite):
    suite.write("@pytest.mark.cassette\n@pytest.mark.parametrize('x', ['a b'])\ndef test_one(x):\n    say('hello')\n")
    result = suite.run("--respool-upstream=http://127.0.0.1:9/v1")
    result.assert_outcomes(errors=1)
    said = "respool: there is no cassette cassettes/test_it/test_one-a-b-*.cassette. Record it: "
    result.stdout.fnmatch_lines([said + "pytest --respool-mode=record 'test_it.py::test_one[[]a b]'"])
    assert suite.files() == []


def test_a_damaged_cassette_is_told_as_such(recorded):
    path = recorded.path / "cassettes" / "test_it" / "test_one.cassette"
    path.write_bytes(b"no cassette at all, but long enough to be looked at" * 4)
    result = recorded.run()
    result.assert_outcomes(errors=1)
    assert "test_one.cassette is not a cassette" in result.stdout.str()


def test_a_second_attempt_begins_a_session_anew(recorded):
    recorded.pytester.makeconftest(
        """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for log in (False, False, True):
        reports = runtestprotocol(item, nextitem=nextitem, log=log)
        assert all(report.passed for report in reports), reports
    return True
"""
    )
    recorded.run().assert_outcomes(passed=1)


def test_a_client_of_an_earlier_test_gets_an_error_and_not_a_wrong_answer(suite):
    suite.write(
        """
import os
kept = []

@pytest.mark.cassette
def test_one():
    kept.append(os.environ["OPENAI_BASE_URL"])
    assert say("a")[0] == 200

@pytest.mark.cassette(unplayed="allow")
def test_two():
    status, body = call("POST", "/threads", {}, base=kept[0])
    assert (status, body["error"]["code"]) == (404, "no_cassette")
    assert say("b")[0] == 200
"""
    )
    suite.record().assert_outcomes(passed=2)
    suite.run().assert_outcomes(passed=2)
