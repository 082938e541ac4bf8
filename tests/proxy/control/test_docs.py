"""docs/control.md names each operation and each kind of event with its members."""

import re
from pathlib import Path

import pytest
import respool
from respool.proxy.control.protocol import KINDS, Event
from respool.proxy.control.server import OPERATIONS

PAGE = (Path(respool.__file__).parent / "docs" / "control.md").read_text()
NAMES = {"([^/]{1,600})": "NAME", "([0-9]{1,18})": "NUMBER"}


def spelled(pattern):
    for group, name in NAMES.items():
        pattern = pattern.replace(group, name)
    return pattern


@pytest.mark.parametrize(("method", "pattern", "operation"), OPERATIONS)
def test_each_operation_is_told(method, pattern, operation):
    path = spelled(pattern)
    for one in [path.replace("(release|drop)", word) for word in ("release", "drop")]:
        assert re.search(rf"`{method} {re.escape(one)}[`? ]", PAGE), one


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_event_is_told_with_its_members(kind):
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{kind}`" in line.split(" | ")[0]]
    members = set(KINDS[kind].model_fields) - set(Event.model_fields) - {"kind"}
    assert set(re.findall(r"`([a-z_]+)`", row.split(" | ")[1])) == members
