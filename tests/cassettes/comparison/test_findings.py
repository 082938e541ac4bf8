"""How findings read, as text and as JSON, and that nothing foreign acts on a terminal."""

import json

from respool.cassettes.comparison.findings import LONGEST, SHOWN, Finding, report, value
from respool.cassettes.comparison.narrowing import ABSENT


def test_a_finding_is_a_block_with_its_place_its_field_and_both_values():
    finding = Finding("changed", "thread 2, run 1, step 2, tool call lookup_order", "arguments.id", "118", "119")
    assert finding.text() == ("thread 2, run 1, step 2, tool call lookup_order: arguments.id\n  -  118\n  +  119")


def test_what_one_side_has_not_is_told_as_that():
    assert (
        Finding("changed", "thread 1", "metadata.x", "1", None).text() == "thread 1: metadata.x\n  -  1\n  +  (nothing)"
    )
    assert Finding("missing", "thread 2", "", "hello", None).text() == "thread 2: only in the first\n  -  hello"
    assert Finding("added", "thread 2", "", None, "hello").text() == "thread 2: only in the second\n  +  hello"
    order = Finding("order", "thread 1, run 1", "steps", "a → b", "b → a", note="so", also=("thread 2", "thread 3"))
    assert order.text().split("\n") == [
        "thread 1, run 1: steps, in another order", "  -  a → b", "  +  b → a", "  so", "  also in thread 2; thread 3",
    ]  # fmt: skip


def test_long_values_are_shown_from_shortly_before_the_place_where_they_part():
    left, right = "x" * 5000 + "LEFT" + "y" * 5000, "x" * 5000 + "RIGHT" + "y" * 5000
    lines = Finding("changed", "thread 1", "text", left, right).text().split("\n")
    assert all(len(line) <= SHOWN + 8 for line in lines)
    assert "LEFT" in lines[1]
    assert "RIGHT" in lines[2]
    assert lines[1].startswith("  -  …x")


def test_values_are_fit_for_a_terminal_and_bounded():
    shown = value("a\x1b[2J\u202eb\nc")
    assert shown == "a\\x1b[2J\\u{202e}b\nc"
    assert "\n" not in Finding("changed", "p", "f", shown, "x").text().split("\n")[1]
    assert len(value("x" * 10_000_000) or "") <= LONGEST
    assert value({"b": 1, "a": "\x07"}) == '{"a": "\\u0007", "b": 1}'
    assert (value(ABSENT), value(None)) == (None, "null")


def test_json_is_one_line_of_ascii_that_has_every_field():
    line = Finding("changed", "thread 1", "text", "é\n", None, ("a", "b")).line()
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {
        "kind": "changed", "place": "thread 1", "field": "text", "left": "é\n", "right": None, "threads": ["a", "b"],
        "note": "", "also": [],
    }  # fmt: skip


def test_a_report_has_an_empty_line_between_two_findings():
    finding = Finding("missing", "thread 1", "", "x", None)
    block = ["thread 1: only in the first", "  -  x"]
    assert list(report([finding, finding])) == [*block, "", *block]
