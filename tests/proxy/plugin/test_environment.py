"""The variables of a marked test: a proxy of the machine does not stand between it and the server."""

import pytest
from respool.proxy.plugin.environment import past_proxies

PROXIED = """
import os

def hosts(name):
    return [host.strip() for host in os.environ.get(name, "").split(",")]

@pytest.mark.cassette(unplayed="allow")
def test_marked():
    assert say("hello")[0] == 200
    SDK
    for name in ("NO_PROXY", "no_proxy"):
        assert {"127.0.0.1", "localhost"} <= set(hosts(name))

def test_not_marked():
    assert [hosts(name) for name in ("NO_PROXY", "no_proxy")] == [["internal.test"], EXPECTED]
"""


SDK = """from openai import OpenAI
    with OpenAI() as client:
        assert client.beta.threads.create().id"""
"""It asks the same function of Python for the proxies as urllib does, and takes longer to load than the suite to run."""


@pytest.mark.parametrize(("small", "sdk"), [(None, ""), ("other.test, localhost", SDK)], ids=["large", "both"])
def test_a_proxy_of_the_machine_is_left_out(suite, monkeypatch, small, sdk):
    """As on many CI machines, where everything has to go through one; here nothing listens there."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "internal.test")
    monkeypatch.delenv("no_proxy", raising=False)
    if small is not None:
        monkeypatch.setenv("no_proxy", small)
    suite.write(PROXIED.replace("EXPECTED", repr((small or "").split(", "))).replace("SDK", sdk))
    options = ("-W", "ignore::DeprecationWarning")
    suite.apart("--respool-mode=record", "--respool-upstream=sandbox", *options).assert_outcomes(passed=2)
    suite.apart(*options).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "a.test"}, "a.test,127.0.0.1,localhost"),
        ({"NO_PROXY": "a.test"}, "a.test,127.0.0.1,localhost"),
        ({"no_proxy": "*", "NO_PROXY": "a.test"}, "*"),
        ({"no_proxy": "a.test, 127.0.0.1,localhost"}, "a.test, 127.0.0.1,localhost"),
    ],
)
def test_the_hosts_that_go_past_a_proxy_are_added_to(before, after):
    assert past_proxies(before, "no_proxy") == after
