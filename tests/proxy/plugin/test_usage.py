"""The report of cassettes that no test names: what it holds, and when it is given."""

import pytest

SOURCE = "@pytest.mark.cassette\ndef test_one():\n    assert say('a')[0] == 200\n\ndef test_other(): pass\n"


@pytest.fixture
def left_over(suite):
    """A suite with a cassette that no test names any more."""
    suite.write(SOURCE + "\n@pytest.mark.cassette('old')\ndef test_old():\n    assert say('b')[0] == 200\n")
    suite.record().assert_outcomes(passed=3)
    suite.write(SOURCE)
    return suite


def test_a_run_of_the_whole_suite_names_the_cassettes_that_no_test_names(left_over):
    result = left_over.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*= respool =*", "1 cassette that no test names:", "  cassettes/old.cassette"])


@pytest.mark.parametrize("narrower", [["-k", "one"], ["test_it.py"], ["-m", "cassette"], ["--ignore=elsewhere"]])
def test_a_narrower_run_cannot_tell_and_is_silent(left_over, narrower):
    assert "old.cassette" not in left_over.run(*narrower).stdout.str()
    assert "old.cassette" in left_over.run("--respool-unused", *narrower).stdout.str()


def test_a_module_that_could_not_be_collected_may_name_any_cassette(left_over):
    left_over.write("pytest.importorskip('nowhere_to_be_found')\n", name="test_optional")
    assert "old.cassette" not in left_over.run().stdout.str()


def test_a_skipped_test_keeps_its_cassette(suite):
    suite.write(SOURCE)
    suite.record().assert_outcomes(passed=2)
    suite.write("pytestmark = pytest.mark.skip\n" + SOURCE)
    assert "no test names" not in suite.run().stdout.str()
    assert "every cassette is named by a test" in suite.run("--respool-unused").stdout.str()
