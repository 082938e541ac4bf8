"""A test suite of a user's, written by the test and run by a pytest of its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

# Loaded here once: an inner run in this process forgets what it imported itself.
import respool.proxy.plugin.recording
import respool.proxy.plugin.replaying
import respool.proxy.sandbox.server  # noqa: F401

CALLS = '''
import json, os, urllib.error, urllib.request

def call(method, path, body=None, base=None):
    """Status and body of a call, made with nothing but Python's own library."""
    request = urllib.request.Request(
        (base or os.environ["OPENAI_BASE_URL"]) + path,
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", "OpenAI-Beta": "assistants=v2", "Authorization": "Bearer k"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)

def say(text):
    """A thread that begins with a message."""
    return call("POST", "/threads", {"messages": [{"role": "user", "content": text}]})
'''


class Suite:
    """`write` test files, `record` and `replay` them, and look at what is there."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makepyfile(calls=CALLS)
        pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")

    def write(self, source: str, name: str = "test_it") -> None:
        self.pytester.makepyfile(**{name: "import pytest\nfrom calls import call, say\n" + source})

    def run(self, *arguments: str, **options) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", *arguments, **options)

    def apart(self, *arguments: str, plugins: Sequence[str] = ("asyncio",)) -> pytest.RunResult:
        """Run in a process of its own: for suites that import what an inner run in this process would break by forgetting it.

        It and its workers load respool and these plugins alone, as the others take longer to begin than most suites to run.
        """
        loaded = [word for name in (*plugins, "respool") for word in ("-p", name)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *loaded, *arguments)

    def record(self, *arguments: str, **options) -> pytest.RunResult:
        return self.run("--respool-mode=record", "--respool-upstream=sandbox", *arguments, **options)

    def files(self) -> list[str]:
        """Cassettes, and whatever else is in their folders."""
        return sorted(
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if "cassettes" in path.parts and path != self.path / "cassettes"
        )

    def bytes_of(self, name: str) -> bytes:
        return Path(self.path, "cassettes", name).read_bytes()


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "RESPOOL_MODE", "RESPOOL_UPSTREAM", "RESPOOL_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)
