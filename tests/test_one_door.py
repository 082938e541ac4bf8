"""Foreign text has one door: outside of the command line nothing writes to a terminal or a log, and there each place is known."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    path.relative_to(ROOT)
    for floor in ("cassettes", "proxy", "inspector", "cli")
    for path in sorted((ROOT / floor).rglob("*.py"))
]
DOORS = {"safe", "clip", "told", "counted", "are", "size"}
"""What makes foreign text visible, or holds none: of a fault its places, of a number its words."""

KNOWN = {
    # where in cli/, and what is written there: why it needs no door of its own
    ("show.py", "line"): "lines of cassettes/show, made of safe parts; test_show and test_hostile_text hold it",
    ("ls.py", "line"): "lines of cassettes/listing, made of safe parts; test_hostile_text holds it",
    ("diff.py", "line"): "findings of cassettes/comparison, made of safe parts; test_hostile_text holds it",
    ("doctor.py", "ending"): "one of a table of our own sentences; test_hostile_text holds it",
    ("exporting.py", "piece"): "quoted for its language by cassettes/exports; test_hostile_text holds it",
    ("running.py", "'\\n  '.join(map(safe, text.split('\\n  ')))"): "narrate: the door of stderr",
    ("running.py", "url"): "the base URL of a port of our own",
    ("inspect.py", "link"): "the link to a port of our own",
}
COUNTED = {"doing", "things", "done", "total", "''", "found.broken", "offset", "found.dropped_bytes", "found.kept"}
"""Numbers, and words of our own, within progress and counts."""


def parsed(path):
    return ast.parse((ROOT / path).read_text())


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def is_own(value):
    """Whether an expression is text of ours, or has come through a door."""
    if isinstance(value, ast.Constant):
        return True
    if isinstance(value, ast.JoinedStr):
        return all(is_own(part) for part in value.values)
    if isinstance(value, ast.FormattedValue):
        return ast.unparse(value.value) in COUNTED or is_own(value.value)
    if isinstance(value, ast.IfExp):
        return is_own(value.body) and is_own(value.orelse)
    return isinstance(value, ast.Call) and ast.unparse(value.func) in DOORS


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[0] != "cli"], ids=str)
def test_below_the_command_line_nothing_is_written(path):
    tree = parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            said = ast.unparse(node)
            assert said not in {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}, f"{path}:{node.lineno}"
    for call in calls(tree):
        name = ast.unparse(call.func)
        where = f"{path}:{call.lineno}"
        assert name not in {"print", "warnings.warn", "traceback.print_exc", "pprint", "breakpoint"}, where
        if name == "os.write":
            assert not (isinstance(call.args[0], ast.Constant) and call.args[0].value in {1, 2}), where
        if name.startswith("logging."):
            # the one logger is given to aiohttp so that it says nothing
            assert str(path) == "proxy/connection.py", where


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[0] == "cli"], ids=str)
def test_on_the_command_line_each_place_that_writes_is_known(path):
    for call in calls(parsed(path)):
        name = ast.unparse(call.func)
        assert not name.startswith(("logging.", "warnings.", "traceback.", "os.write")), f"{path}:{call.lineno}"
        if name in {"print", "sys.stdout.write", "sys.stderr.write"}:
            for value in call.args:
                known = (path.name, ast.unparse(value)) in KNOWN
                assert known or is_own(value), f"{path}:{call.lineno} writes {ast.unparse(value)}"


def test_the_list_of_known_places_holds_none_that_is_gone():
    found = {
        (path.name, ast.unparse(value))
        for path in MODULES
        if path.parts[0] == "cli"
        for call in calls(parsed(path))
        if ast.unparse(call.func) in {"print", "sys.stdout.write"}
        for value in call.args
    }
    assert set(KNOWN) <= found


def test_the_aiohttp_logger_of_ours_is_silent():
    from respool.proxy.connection import silent

    assert not silent.propagate
    assert "NullHandler" in {type(handler).__name__ for handler in silent.handlers}
