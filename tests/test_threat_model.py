"""The threat model names code and tests that exist, for each promise."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "THREAT_MODEL.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise ")
]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_each_promise_names_its_code_and_its_tests(row):
    promise, code, tests = row
    assert promise
    assert named(code)
    for path in named(code):
        assert (ROOT / path).is_file(), path
        assert not path.startswith("tests/")
    assert named(tests)
    for test in named(tests):
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, test


def test_every_attacker_is_there():
    heads = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for who in ("cassette", "text", "web page", "upstream", "files and the logs", "not promised"):
        assert any(who in head for head in heads), who
    assert len(ROWS) >= 20


def test_the_readme_and_contributing_lead_to_it():
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "](THREAT_MODEL.md)" in (ROOT / page).read_text()
