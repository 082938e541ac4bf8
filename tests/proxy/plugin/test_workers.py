"""Many tests at once and in any order: pytest-xdist, pytest-randomly, and processes that are forked off."""

import pytest

XDIST = ("asyncio", "xdist", "randomly")
MANY = """
import os

@pytest.mark.cassette
@pytest.mark.parametrize("number", range(12))
def test_many(number, respool):
    _, thread = say(f"number {number}")
    call("POST", f"/threads/{thread['id']}/messages", {"role": "user", "content": "more"})
    _, listed = call("GET", f"/threads/{thread['id']}/messages")
    texts = [message["content"][0]["text"]["value"] for message in listed["data"]]
    assert texts == ["more", f"number {number}"]
    print(os.environ["PYTEST_XDIST_WORKER"], respool.base_url)
"""


def test_four_workers_in_random_order_record_and_replay(suite):
    suite.write(MANY)
    arguments = ("-n", "4", "-rP")
    record = ("--respool-mode=record", "--respool-upstream=sandbox")
    result = suite.apart(*arguments, *record, plugins=XDIST)
    result.assert_outcomes(passed=12)
    assert result.stdout.str().count("recorded 3 calls: cassettes/test_it/test_many-") == 12
    (suite.path / "cassettes" / "test_it" / "test_gone.cassette").write_bytes(b"")
    result = suite.apart(*arguments, plugins=XDIST)
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["1 cassette that no test names:", "  cassettes/test_it/test_gone.cassette"])
    shown = [line.split() for line in result.outlines if line.startswith("gw")]
    ports = {worker: url.split("/@")[0] for worker, url in shown}
    assert len(shown) == 12
    assert len(set(ports.values())) == len(ports)  # one server a worker, not a test
    assert len({url for _, url in shown}) == 12


def test_a_miss_on_a_worker_is_explained_by_the_controller(suite):
    suite.write("@pytest.mark.cassette\ndef test_one(): say('a')\n")
    suite.record().assert_outcomes(passed=1)
    suite.write("@pytest.mark.cassette\ndef test_one(): say('b')\n")
    result = suite.apart("-n", "1", plugins=XDIST)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["1 call missed the cassette*", "*- respool -*", "miss: No recording answers*"])


def test_a_process_that_a_test_forks_calls_the_same_server(suite):
    suite.write(
        """
import os

@pytest.mark.cassette
def test_one():
    child = os.fork()
    if not child:
        os._exit(0 if say("a")[0] == 200 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    )
    ignored = ("-W", "ignore::DeprecationWarning")
    suite.apart("--respool-mode=record", "--respool-upstream=sandbox", *ignored).assert_outcomes(passed=1)
    suite.apart(*ignored).assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_asynchronous_fixtures_and_tests_share_the_session(suite, mode):
    suite.pytester.makeini(
        f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    suite.write(
        """
import asyncio
import pytest_asyncio
import aiohttp

@pytest_asyncio.fixture
async def client(respool):
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer k", "OpenAI-Beta": "assistants=v2"}) as session:
        yield session
        async with session.post(respool.base_url + "/threads", json={"metadata": {"last": "1"}}) as answer:
            assert answer.status == 200

@pytest.mark.asyncio
@pytest.mark.cassette
async def test_one(client, respool):
    async def make(number):
        async with client.post(respool.base_url + "/threads", json={"metadata": {"n": str(number)}}) as answer:
            return answer.status
    assert await asyncio.gather(*map(make, range(8))) == [200] * 8
    assert respool.report().miss_count == 0
"""
    )
    suite.record().assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
