"""The marker and the fixture: which clients work, what a test is given, and which options count."""

import pytest


def test_every_kind_of_client_replays_what_it_recorded(suite):
    suite.write(
        """
from openai import AsyncOpenAI, OpenAI

pytestmark = [pytest.mark.cassette, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

def test_sync(respool):
    with OpenAI(base_url=respool.base_url, api_key="mine") as client:
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
        assert client.beta.threads.messages.list(thread.id).data[0].content[0].text.value == "hello"

async def test_async():
    async with AsyncOpenAI() as client:
        thread = await client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
        run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id="asst_abc123")
        assert run.status == "completed"

def test_stream():
    with OpenAI() as client:
        thread = client.beta.threads.create()
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id="asst_abc123") as stream:
            assert [event.event for event in stream][-1] == "thread.run.completed"

def test_plain():
    assert say("hello")[0] == 200
"""
    )
    suite.apart("--respool-mode=record", "--respool-upstream=sandbox").assert_outcomes(passed=4)
    assert suite.files() == ["cassettes/test_it"] + [
        f"cassettes/test_it/test_{name}.cassette" for name in ("async", "plain", "stream", "sync")
    ]
    suite.apart().assert_outcomes(passed=4)


def test_the_fixture_tells_where_the_test_is(suite):
    suite.write(
        """
@pytest.mark.cassette("refunds/first")
def test_one(respool, request):
    assert respool.base_url.startswith("http://127.0.0.1:")
    assert respool.base_url.endswith(f"/@{respool.session}/v1")
    assert respool.cassette == request.path.parent / "cassettes" / "refunds" / "first.cassette"
    assert respool.mode == request.config.getoption("respool_mode", None) or "replay"
    status, thread = call("POST", "/threads", {}, base=respool.base_url)
    assert call("GET", f"/threads/{thread['id']}")[0] == 200
    assert (respool.report().exact, respool.report().miss_count) == (2, 0)
"""
    )
    suite.record().assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)


def test_the_environment_is_the_tests_own_and_goes_with_it(suite, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    suite.write(
        """
import os

@pytest.mark.cassette(unplayed="allow")
def test_marked():
    say("hello")
    assert os.environ["OPENAI_API_KEY"] == os.environ["EXPECTED"]

def test_not_marked():
    assert "OPENAI_BASE_URL" not in os.environ and os.environ["OPENAI_API_KEY"] == "mine"
"""
    )
    monkeypatch.setenv("EXPECTED", "mine")
    suite.record().assert_outcomes(passed=2)
    monkeypatch.setenv("EXPECTED", "unused")
    suite.run().assert_outcomes(passed=2)
    monkeypatch.delenv("OPENAI_API_KEY")
    suite.record("-k", "test_marked").assert_outcomes(passed=1, deselected=1)


def test_each_test_of_a_class_and_each_parameter_has_its_own_cassette(suite):
    suite.write(
        """
@pytest.mark.cassette
class TestRefund:
    @pytest.mark.parametrize("word", ["plain", "a b", "a/b", "x" * 300])
    def test_words(self, word):
        assert say(word)[0] == 200

    class TestInner:
        def test_deep(self):
            assert say("deep")[0] == 200
"""
    )
    suite.record().assert_outcomes(passed=5)
    names = [name.removeprefix("cassettes/test_it/TestRefund.") for name in suite.files()[1:]]
    assert {"TestInner.test_deep.cassette", "test_words-plain.cassette"} < set(names)
    assert len(names) == 5
    assert all(len(name) < 200 and " " not in name and "/" not in name for name in names)
    suite.run().assert_outcomes(passed=5)


def test_the_nearest_marker_has_the_last_word_on_each_option(suite):
    suite.write(
        """
pytestmark = pytest.mark.cassette(unplayed="allow")

def test_allowed():
    say("a")

@pytest.mark.cassette("mine", unplayed="fail")
def test_not_allowed():
    say("b")
"""
    )
    suite.record().assert_outcomes(passed=2)
    suite.write(
        """
pytestmark = pytest.mark.cassette(unplayed="allow")

def test_allowed():
    pass

@pytest.mark.cassette("mine", unplayed="fail")
def test_not_allowed():
    pass
"""
    )
    suite.run().assert_outcomes(passed=1, failed=1)


def test_options_of_the_whole_suite_stand_in_the_project_file(suite):
    suite.pytester.makepyprojecttoml(
        """
        [tool.respool.pytest]
        mode = "auto"
        upstream = "sandbox"
        dir = "tapes"
        unplayed = "allow"
        """
    )
    suite.write("@pytest.mark.cassette\ndef test_one():\n    say('a')\n")
    assert "respool: mode auto, upstream sandbox" in suite.run().stdout.str()
    assert (suite.path / "tapes" / "test_it" / "test_one.cassette").exists()
    suite.write("@pytest.mark.cassette\ndef test_one(respool):\n    assert respool.mode == 'replay'\n")
    suite.run().assert_outcomes(passed=1)


def test_the_ini_file_of_pytest_comes_before_the_table(suite):
    suite.pytester.makepyprojecttoml("[tool.respool.pytest]\nmode = 'replay'\ndir = 'elsewhere'\n")
    suite.pytester.makeini(
        """
        [pytest]
        asyncio_default_fixture_loop_scope = function
        respool_mode = auto
        respool_upstream = sandbox
        respool_dir = tapes
        """
    )
    suite.write("@pytest.mark.cassette('one')\ndef test_one():\n    say('a')\n")
    suite.run().assert_outcomes(passed=1)
    assert (suite.path / "tapes" / "one.cassette").exists()


def test_what_is_said_from_outside_is_sure_to_hold(suite, monkeypatch):
    suite.write("@pytest.mark.cassette(mode='auto')\ndef test_one():\n    say('a')\n")
    suite.run("--respool-mode=replay", "--respool-upstream=sandbox").assert_outcomes(errors=1)
    monkeypatch.setenv("RESPOOL_MODE", "replay")
    suite.run("--respool-upstream=sandbox").assert_outcomes(errors=1)
    assert suite.files() == []
    monkeypatch.delenv("RESPOOL_MODE")
    suite.run("--respool-upstream=sandbox").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("'../outside'", "is no name for a cassette"),
        ("'/etc/passwd'", "is no name for a cassette"),
        ("'a', 'b'", "takes one name"),
        ("unplayed='never'", "it is one of fail, allow"),
        ("mode='live'", "it is one of replay, record, auto"),
        ("polls='all'", "it is one of compress, recorded"),
        ("pace='slow'", "is not a pace"),
        ("colour='red'", "has no option 'colour'"),
    ],
)
def test_a_marker_that_says_nonsense_is_told_at_the_test(suite, marker, said):
    suite.write("@pytest.mark.cassette('there')\ndef test_one(): say('a')\n")
    suite.record().assert_outcomes(passed=1)
    name = "" if marker.startswith("'") else "'there', "
    suite.write(f"@pytest.mark.cassette({name}{marker})\ndef test_one(): say('a')\n")
    result = suite.run()
    result.assert_outcomes(errors=1)
    assert said in result.stdout.str()


def test_the_fixture_is_for_marked_tests(suite):
    suite.write("def test_one(respool): pass\n")
    result = suite.run()
    result.assert_outcomes(errors=1)
    said = [line for line in result.outlines if "mark this one" in line]
    assert said[0] == "the fixture `respool` is for tests with @pytest.mark.cassette: mark this one"
    assert "def respool" not in result.stdout.str(), "one line, and no source of the plugin"
