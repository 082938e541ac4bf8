"""Many small tests on workers in random order, again and again: all green, and each with the transcript that it has alone.

`make test` runs 60 of them twice on 2 workers, `make test-long` 300 of them on 4, once and then as often as RESPOOL_ROUNDS says,
10 by default.
"""

import os

import pytest
from campaign import LONG, sized

WORKERS = sized(2, 4)
ROUNDS = int(os.environ.get("RESPOOL_ROUNDS", "10"))
SOURCE = '''
import hashlib, json, os, time

pytestmark = pytest.mark.cassette

class Talk:
    """Makes calls and keeps what came back."""

    def __init__(self):
        self.heard = []

    def __call__(self, *arguments):
        status, body = call(*arguments)
        self.heard.append([status, body])
        assert status == 200, body
        return body

@pytest.fixture
def talk(request):
    talk = Talk()
    yield talk
    digest = hashlib.sha256(json.dumps(talk.heard, sort_keys=True).encode()).hexdigest()
    file = os.open(os.environ["TRANSCRIPTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{request.node.nodeid} {digest}\\n".encode())
    os.close(file)

def begin(talk, text):
    return talk("POST", "/threads", {"messages": [{"role": "user", "content": text}]})["id"]

@pytest.mark.parametrize("number", range(10))
def test_messages(talk, number):
    thread = begin(talk, "the same words everywhere")
    for count in range(number % 4 + 1):
        talk("POST", f"/threads/{thread}/messages", {"role": "user", "content": f"{count} of {number}"})
        assert len(talk("GET", f"/threads/{thread}/messages")["data"]) == count + 2

@pytest.mark.parametrize("number", range(10))
def test_runs(talk, number):
    thread = begin(talk, f"run {number}")
    run = talk("POST", f"/threads/{thread}/runs", {"assistant_id": "asst_abc123"})["id"]
    while talk("GET", f"/threads/{thread}/runs/{run}")["status"] != "completed":
        time.sleep(0.01)
    assert talk("GET", f"/threads/{thread}/messages")["data"][0]["role"] == "assistant"

@pytest.mark.parametrize("number", range(10))
def test_threads(talk, number):
    threads = [begin(talk, f"{number} of thread {count}") for count in range(3)]
    for thread in reversed(threads):
        talk("POST", f"/threads/{thread}", {"metadata": {"number": str(number)}})
        assert talk("GET", f"/threads/{thread}")["metadata"] == {"number": str(number)}
        talk("DELETE", f"/threads/{thread}")
'''


MINUTES = pytest.mark.skipif(not LONG, reason="takes minutes: make test-long")


@pytest.mark.parametrize(("files", "rounds"), [(2, 1), pytest.param(10, ROUNDS, marks=MINUTES)])
def test_many_tests_in_any_order_have_the_same_transcripts_every_time(suite, monkeypatch, files: int, rounds: int):
    for number in range(files):
        suite.write(SOURCE, name=f"test_file_{number}")

    def run(name: str, *arguments: str, workers: int = WORKERS) -> list[str]:
        monkeypatch.setenv("TRANSCRIPTS", str(suite.path / name))
        done = suite.apart("-n", str(workers), "-q", *arguments, plugins=("asyncio", "xdist", "randomly"))
        done.assert_outcomes(passed=30 * files)
        return sorted((suite.path / name).read_text().splitlines())

    run("recorded", "--respool-mode=record", "--respool-upstream=sandbox")
    first = run("round-0", "-p", "no:randomly", workers=0)
    assert len({line.split()[0] for line in first}) == 30 * files
    for number in range(1, rounds + 1):
        assert run(f"round-{number}", f"--randomly-seed={number}") == first
