"""What a marked test finds in its environment: where the API is, a key, and no proxy between it and the server.

Many CI machines send everything through a proxy, which cannot know this server: so its hosts are added to those that go past
one. Python, curl and most clients read the small spelling first and the other where it is not there, so both are
set. All is put back by the `undo` of what `prepare` returns.
"""

import os
from collections.abc import Mapping

import pytest

from .takes import Handle

NO_PROXY = ("NO_PROXY", "no_proxy")
HOSTS = ("127.0.0.1", "localhost")


def prepare(handle: Handle) -> pytest.MonkeyPatch:
    """Set the variables for a take."""
    environment = pytest.MonkeyPatch()
    environment.setenv("OPENAI_BASE_URL", handle.base_url)
    if handle.mode == "replay" or not os.environ.get("OPENAI_API_KEY"):
        environment.setenv("OPENAI_API_KEY", "unused")
    for name, value in {name: past_proxies(os.environ, name) for name in NO_PROXY}.items():
        environment.setenv(name, value)
    return environment


def past_proxies(variables: Mapping[str, str], name: str) -> str:
    """The hosts that go past a proxy, and those of the server; what only the other spelling says is taken over."""
    said = variables.get(name) or next(filter(None, map(variables.get, NO_PROXY)), "")
    there = [host.strip() for host in said.split(",")]
    if there == ["*"]:
        return said  # all of them; with anything beside it, it would be the name of a host
    return ",".join([said] * bool(said) + [host for host in HOSTS if host not in there])
