"""The proxies and upstreams of tests/support/controlled.py, with files in the test's own folder."""

from functools import partial

import controlled
import pytest


@pytest.fixture
def recorded(tmp_path):
    return partial(controlled.recorded, tmp_path)


@pytest.fixture
def replayed(tmp_path):
    return partial(controlled.replayed, tmp_path)
