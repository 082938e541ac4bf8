"""The pytest plugin: `@pytest.mark.cassette("refund")` replays, or records, the calls that a test makes.

pytest loads this module at each start through the entry point `respool`, so it imports nothing but pytest and two small
modules of its own: what speaks HTTP is loaded when the first marked test begins. docs/pytest.md is the user's view.
"""

import pytest

from .hooks import TAKE, Hooks
from .settings import MODES, OPTIONS, Settings
from .takes import Handle

__all__ = ["Handle", "pytest_addoption", "pytest_configure", "respool"]

MARKER = (
    "cassette(name=None, *, mode=, unplayed=, polls=, ignore=, faults=, ...): replay the calls to the threads API from a "
    "cassette, or record them into it (respool)."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("respool", "recorded calls to the threads API (respool)")
    group.addoption(
        "--respool-mode",
        choices=MODES,
        help="replay cassettes (the default), record those of the selected tests anew, or auto: record what is missing",
    )
    group.addoption("--respool-upstream", metavar="URL", help="where recording forwards calls to, or `sandbox`")
    group.addoption(
        "--respool-dir", metavar="DIR", help="folder of all cassettes (default: cassettes/ beside each test file)"
    )
    group.addoption(
        "--respool-unused",
        action="store_true",
        help="report cassettes that no collected test names, even when not the whole suite is run",
    )
    for name in OPTIONS:
        parser.addini(f"respool_{name}", f"what --respool-{name} says, if it is not given", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.pluginmanager.register(Hooks(config, Settings.read(config)), "respool-hooks")


@pytest.fixture
def respool(request: pytest.FixtureRequest) -> Handle:
    """The replay, or the recording, of this test: base_url, session, cassette, mode and report()."""
    take = request.node.stash.get(TAKE, None)
    if take is None:
        pytest.fail("the fixture `respool` is for tests with @pytest.mark.cassette: mark this one", pytrace=False)
    return take.handle
